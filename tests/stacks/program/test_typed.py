"""One row of each token that we ship, also through the class of the typed SDK: both send the same."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pulumi
import pytest
from msgspec.structs import replace

from aifactory.components import names
from aifactory.components.rows import HelmRow, KubernetesRow
from aifactory.stacks.assembly.rowset import ClusterEntry
from aifactory.stacks.program.inputs import inputs, plugin_version, provider_inputs
from support.made_up import RELEASE
from support.recorder import Registered, record
from support.shipped import stacks

Row = KubernetesRow | HelmRow
_GROUPS = {
    "admissionregistration.k8s.io": "admissionregistration",
    "apiextensions.k8s.io": "apiextensions",
    "apps": "apps",
    "batch": "batch",
    "core": "core",
    "networking.k8s.io": "networking",
    "policy": "policy",
    "rbac.authorization.k8s.io": "rbac",
    "resource.k8s.io": "resource",
    "scheduling.k8s.io": "scheduling",
    "storage.k8s.io": "storage",
}
"""Groups of the typed SDK, and the modules they live in."""
_CUSTOM_FIELDS = {"apiVersion", "kind", "metadata", "spec"}
"""What the SDK's class for any custom resource takes; other top-level fields can only be sent by token."""


@cache
def rows() -> dict[str, Row]:
    """A shipped row of each token; the fullest, so that the comparison says most."""
    found: dict[str, Row] = {}
    for stack in stacks().values():
        for row in stack.cluster_rows:
            if row.token not in found or len(str(row)) > len(str(found[row.token])):
                found[row.token] = row
    return found


def registered(program: Callable[[], None], token: str) -> Registered:
    """The one registration of a type that a program makes."""
    (found,) = record(program).of_type(token)
    return found


def typed(row: Row, sent: dict[str, Any]) -> None:
    """Make a row with the class that the SDK has for it."""
    import pulumi_kubernetes as kubernetes

    if isinstance(row, HelmRow):
        kubernetes.helm.v3.Release("row", **{_snake(key): value for key, value in sent.items() if key != "compat"})
        return
    fields = {_snake(key): value for key, value in sent.items()}
    group_version, _, kind = row.token.removeprefix("kubernetes:").rpartition(":")
    group, _, version = group_version.partition("/")
    if group in _GROUPS:
        module = importlib.import_module(f"pulumi_kubernetes.{_GROUPS[group]}.{version}")
        getattr(module, kind)("row", **fields)
    else:
        kubernetes.apiextensions.CustomResource("row", **fields)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


@pytest.mark.parametrize("token", sorted(rows()))
def test_a_row_sends_what_the_typed_class_sends(token: str) -> None:
    row = rows()[token]

    def ours() -> None:
        sent = inputs(row, lambda ref: ref.path)
        pulumi.CustomResource(row.token, "row", sent, pulumi.ResourceOptions(version=plugin_version()))

    def theirs() -> None:
        sent = inputs(row, lambda ref: ref.path)
        typed(row, {key: sent[key] for key in taken(token, sent.keys())})

    one, other = registered(ours, token), registered(theirs, token)
    assert (one.type, one.name, one.version) == (other.type, other.name, other.version)
    assert {key: one.inputs[key] for key in taken(token, one.inputs.keys())} == other.inputs


def taken(token: str, fields: Collection[str]) -> Collection[str]:
    """Those of a row's fields that the class for its token takes."""
    return fields if is_typed(token) else _CUSTOM_FIELDS.intersection(fields)


def is_typed(token: str) -> bool:
    """Whether the SDK has a class of its own for a token."""
    return token == names.HELM_RELEASE_TOKEN or token.split(":")[1].partition("/")[0] in _GROUPS


def test_every_kind_that_the_sdk_has_a_class_for_is_compared_with_it() -> None:
    for token in rows():
        if not is_typed(token):
            group = token.split(":")[1].partition("/")[0]
            assert find_spec(f"pulumi_kubernetes.{group.partition('.')[0]}") is None, token


def test_a_release_sends_what_the_typed_class_sends_for_a_repository_too() -> None:
    row = replace(RELEASE, repository="https://charts.example.com")
    sent = inputs(row, lambda ref: ref.path)

    def theirs() -> None:
        typed(row, sent)

    assert registered(theirs, names.HELM_RELEASE_TOKEN).inputs == sent


def test_the_provider_sends_what_the_typed_class_sends() -> None:
    import pulumi_kubernetes as kubernetes

    sent = provider_inputs(ClusterEntry("~/.kube/config", "lab", "demo-lab"), "", Path("/project"))

    def theirs() -> None:
        kubernetes.Provider(
            "demo-lab",
            kubeconfig=sent["kubeconfig"],
            context=sent["context"],
            cluster_identifier=sent["clusterIdentifier"],
            enable_config_map_mutable=True,
            enable_patch_force=True,
        )

    assert registered(theirs, "pulumi:providers:kubernetes").inputs == sent
