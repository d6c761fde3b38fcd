"""Every shipped blueprint at every site: what Pulumi registers is the rows, and nothing else."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import invoke

from aifactory.components.rows import HelmRow, HostRow, KubernetesRow, SwitchRow
from aifactory.components.values import Format, Json, Ref, SecretRef, canonical_json
from aifactory.stacks.assembly.rowset import RowSet, row_set
from aifactory.stacks.program.adapter import register_stack
from aifactory.stacks.program.components import AiFactory
from aifactory.stacks.program.folder import register_folder
from aifactory.stacks.render.project import project_files
from support.golden import DATA, Golden
from support.recorder import Recorded, Registered, record
from support.shipped import GIVEN, LIBRARY, ROOT, works

AT_EVERY_SITE = pytest.mark.parametrize("stack", GIVEN)
"""Sites whose cluster is given. What a base registers, and its platform with what it hands over: test_handoff.py here,
and tests/engine/test_aws_site.py with the engine."""


@cache
def rows(stack: str) -> RowSet:
    """The rows of a shipped stack."""
    work = next(work for work in works().values() if stack in work.stacks)
    return row_set(work.stacks[stack], work.digest)


@cache
def recorded(stack: str) -> Recorded:
    """What the rows of a shipped stack register."""

    def program() -> None:
        register_stack(rows(stack), ROOT)

    return record(program, stack=stack)


@AT_EVERY_SITE
def test_what_is_registered_equals_rows_and_components_and_provider_and_stack(stack: str) -> None:
    expected = expected_of(rows(stack))
    actual = {
        urn: (one.type, one.parent, one.provider, one.inputs, set(one.dependencies))
        for urn, one in recorded(stack).resources.items()
    }
    assert actual.keys() == expected.keys()
    for urn, resource in expected.items():
        assert actual[urn] == resource


@AT_EVERY_SITE
def test_a_generated_folder_registers_the_same(stack: str, tmp_path: Path) -> None:
    for name, text in project_files(rows(stack), {"schema": "aifactory-plan/v1"}, "file://state"):
        (tmp_path / name).write_text(text, encoding="utf-8")

    def program() -> None:
        register_folder(tmp_path)

    assert record(program, stack=stack) == recorded(stack)


@AT_EVERY_SITE
def test_the_component_registers_the_same(stack: str) -> None:
    found = rows(stack)

    def program() -> None:
        AiFactory(found.factory, LIBRARY / f"{found.factory}.yaml", found.site)

    assert record(program, stack=stack).resources == recorded(stack).resources


@AT_EVERY_SITE
def test_types_names_and_parents_are_those_that_users_run(stack: str, golden: Golden) -> None:
    found = recorded(stack).resources.values()
    lines = sorted(f"{one.type} {lasting(one)} < {one.parent or 'nothing'}" for one in found)
    golden(f"identities/{stack}.txt", "\n".join(lines) + "\n")


def lasting(resource: Registered) -> str:
    """The name of a resource. A Job can't be changed, so acceptance Jobs carry a digest of their content."""
    job = resource.type == "kubernetes:batch/v1:Job"
    return re.sub(r"-[0-9a-f]{8}$", "-<content>", resource.name) if job else resource.name


def test_every_identity_file_belongs_to_a_shipped_stack() -> None:
    assert {path.stem for path in (DATA / "identities").iterdir()} == set(GIVEN)


@AT_EVERY_SITE
def test_outputs_name_every_release_and_namespace_and_the_plan(stack: str) -> None:
    outputs, found = recorded(stack).outputs, rows(stack)
    objects = [row for row in found.rows if isinstance(row, KubernetesRow)]
    releases = [row for row in found.rows if isinstance(row, HelmRow)]
    namespaces = {row.name for row in objects if row.body["kind"] == "Namespace"}
    assert outputs["plan_digest"] == found.plan_digest
    assert set(outputs["namespaces"]) == set(outputs["namespaces"].values()) == namespaces
    assert outputs["releases"] == {f"{row.namespace}/{row.name}": row.version for row in releases}


def expected_of(found: RowSet) -> dict[str, tuple[str, str, str, dict[str, Any], set[str]]]:
    """The registrations of a stack, worked out from its rows without the adapter."""
    place = f"urn:pulumi:{found.stack}::aifactory::"
    stack = f"{place}pulumi:pulumi:Stack::aifactory-{found.stack}"
    factory = f"{place}aifactory:index:AiFactory::{found.factory}"
    provider = f"{place}aifactory:index:AiFactory$pulumi:providers:kubernetes::{found.cluster.identifier}"
    reached = {
        "clusterIdentifier": f"{found.factory}-{found.site}",
        "context": found.cluster.context,
        "enableConfigMapMutable": "true",
        "enablePatchForce": "true",
        "kubeconfig": found.cluster.kubeconfig_file,
    }
    expected: dict[str, tuple[str, str, str, dict[str, Any], set[str]]] = {
        stack: ("pulumi:pulumi:Stack", "", "", {}, set()),
        factory: ("aifactory:index:AiFactory", stack, "", {}, set()),
        provider: ("pulumi:providers:kubernetes", factory, "", reached, set()),
    }
    kinds = {}
    for part in found.parts:
        words = "".join(word.capitalize() for word in part.kind.split("-"))
        kinds[part.name] = f"aifactory:layer{part.layer}:{words}"
        urn = f"{place}aifactory:index:AiFactory${kinds[part.name]}::{part.name}"
        expected[urn] = (kinds[part.name], factory, "", {}, set())
    made = {row.id: row for row in found.rows}
    urns: dict[str, str] = {}
    for row in found.rows:
        if isinstance(row, (HostRow, SwitchRow)):
            continue
        token, name = token_and_name(row)
        kind = f"aifactory:index:AiFactory${kinds[row.part]}${token}"
        urns[row.id] = f"{place}{kind}::{name}"
        parent = f"{place}aifactory:index:AiFactory${kinds[row.part]}::{row.part}"
        waits = {urns[other] for other in row.after if other in urns}
        expected[urns[row.id]] = (token, parent, provider, sent(row, made), waits)
    return expected


def token_and_name(row: KubernetesRow | HelmRow) -> tuple[str, str]:
    """Token and Pulumi name of a row."""
    if isinstance(row, HelmRow):
        return "kubernetes:helm.sh/v3:Release", f"{row.part}/{row.namespace}/{row.name}"
    version = str(row.body["apiVersion"])
    token = f"kubernetes:{version if '/' in version else 'core/' + version}:{row.body['kind']}"
    return token, "/".join(step for step in (row.part, row.namespace, row.name) if step)


def sent(row: KubernetesRow | HelmRow, made: dict[str, Any]) -> dict[str, Any]:
    """What is sent for a row."""
    if isinstance(row, KubernetesRow):
        body: dict[str, Any] = json.loads(json.dumps(resolved(row.body, made)))
        if row.gate is not None:
            gate = row.gate
            path = f"jsonpath={{{gate.path}}}={gate.value}"
            text = f"condition={gate.condition}" if gate.condition else path
            body["metadata"].setdefault("annotations", {})["pulumi.com/waitFor"] = text
        elif row.body["kind"] in ("Service", "DaemonSet"):  # of those that the provider would await by itself
            body["metadata"].setdefault("annotations", {})["pulumi.com/skipAwait"] = "true"
        return body
    oci = row.repository.startswith("oci://")
    release = {
        "name": row.name,
        "namespace": row.namespace,
        "chart": f"{row.repository}/{row.chart}" if oci else row.chart,
        "version": row.version,
        "values": resolved(row.values, made),
        "timeout": row.timeout_s,
        "cleanupOnFail": True,
        "maxHistory": 10,
        "compat": "true",
    }
    return release if oci else {**release, "repositoryOpts": {"repo": row.repository}}


def resolved(tree: Any, made: dict[str, Any]) -> Any:
    """A tree with its references answered from the rows themselves."""
    if isinstance(tree, dict):
        return {key: resolved(value, made) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [resolved(value, made) for value in tree]
    if isinstance(tree, SecretRef):
        return {"name": tree.name, "key": tree.key}
    if isinstance(tree, Json):
        return canonical_json(resolved(tree.tree, made))
    if isinstance(tree, Format):
        return "".join(str(resolved(part, made)) for part in tree.parts)
    if isinstance(tree, Ref):
        row = made[tree.row]
        value: Any = row.body if isinstance(row, KubernetesRow) else vars_of(row)
        for step in tree.path.split("."):
            value = value[step]
        return value
    return tree


def vars_of(row: HelmRow) -> dict[str, str]:
    """What may be asked of a release."""
    return {"name": row.name, "namespace": row.namespace, "version": row.version}


def test_a_program_that_asked_its_provider_for_anything_would_fail_above() -> None:
    """No invoke, no account lookup: what stands in for the engine answers registrations alone."""
    asked = "aws:index/getCallerIdentity:getCallerIdentity"
    with pytest.raises(AttributeError, match="Invoke"):
        record(lambda: invoke(asked, {}))
