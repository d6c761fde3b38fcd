"""The states of every release, as the engine exported them: users have them, and no version may replace them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aifactory.stacks.assembly.rowset import row_set
from aifactory.stacks.program.adapter import register_stack
from aifactory.stacks.program.state import provider_inputs, state_rows
from support.export_states import as_text
from support.golden import DATA
from support.recorder import Recorded, record
from support.shipped import ROOT, STACKS, works

STATES = DATA / "states"
FILES = sorted(STATES.glob("*/*.json"))
LARGEST_BYTES = 1_500_000
EACH = pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")


@cache
def resources(path: Path) -> list[dict[str, Any]]:
    exported = json.loads(path.read_text(encoding="utf-8"))
    assert exported["version"] == 3
    found: list[dict[str, Any]] = exported["deployment"]["resources"]
    return found


@cache
def recorded(stack: str) -> Recorded:
    work = next(work for work in works().values() if stack in work.stacks)
    rows = row_set(work.stacks[stack], work.digest)

    def program() -> None:
        register_stack(rows, ROOT)

    return record(program, stack=stack)


def known_as(found: Recorded) -> set[str]:
    """Every URN that a registration answers to, aliases included."""
    urns = set(found.resources)
    for one in found.resources.values():
        for alias in one.aliases:
            spec = alias["spec"]
            parent = spec.get("parentUrn") or one.parent
            place, _, kinds = parent.rpartition("::")[0].rpartition("::")
            urns.add(f"{place}::{kinds}${one.type}::{spec.get('name') or one.name}")
    return urns


def test_the_first_release_has_a_state_of_every_stack_that_it_shipped() -> None:
    shipped = {path.stem for path in FILES if path.parent.name == "0.1.0"}
    assert shipped == {name for name in STACKS if name.startswith("training-")}


@EACH
def test_every_resource_of_a_released_state_is_still_the_same_resource(path: Path) -> None:
    """All but Jobs, which can't be changed and so are named after their content."""
    known = known_as(recorded(path.stem))
    gone = [one["urn"] for one in resources(path) if one["urn"] not in known]
    assert [urn for urn in gone if not re.search(r"\$kubernetes:batch/v1:Job::.*-[0-9a-f]{8}$", urn)] == []


@EACH
def test_what_was_protected_still_is(path: Path) -> None:
    now = recorded(path.stem).resources
    protected = {one["urn"] for one in resources(path) if one.get("protect")}
    assert protected
    assert {urn for urn in protected if urn in now and not now[urn].protect} == set()


@EACH
def test_a_state_is_in_an_order_that_the_engine_takes(path: Path) -> None:
    seen: set[str] = set()
    for one in resources(path):
        needs = {*one.get("dependencies", ()), one.get("parent"), (one.get("provider") or "").rpartition("::")[0]}
        assert needs - {None, ""} <= seen
        seen.add(one["urn"])


@EACH
def test_a_state_holds_no_secret_no_time_and_no_path_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < LARGEST_BYTES
    for word in ("sourcePosition", "stackTrace", '"created"', '"modified"', '"time"', "secrets_providers"):
        assert word not in text
    assert not re.search(r"(?<![\w.])/(?:root|home|Users|tmp)/", text)
    assert provider_inputs(resources(path))["kubeconfig"] == "~/.kube/config"


@EACH
def test_rows_of_a_state_are_named_as_plans_name_them(path: Path) -> None:
    work = next(work for work in works().values() if path.stem in work.stacks)
    rows = {row.id: row.part for row in work.stacks[path.stem].cluster_rows}
    found = {row.row: row.part for row in state_rows(resources(path)) if not row.row.startswith("Job.batch/")}
    assert found.items() <= rows.items()


def test_an_export_leaves_out_what_belongs_to_its_run() -> None:
    def exported(moment: str, identifier: str, urns: list[str]) -> dict[str, Any]:
        provider = {"urn": "p", "type": "pulumi:providers:kubernetes", "custom": True, "id": identifier}
        row = {
            "urn": "r",
            "type": "kubernetes:core/v1:Namespace",
            "custom": True,
            "id": "ml",
            "provider": f"p::{identifier}",
            "dependencies": urns,
            "propertyDependencies": {"spec": list(urns)},
            "created": moment,
            "stackTrace": [moment],
        }
        stack = {"urn": "s", "type": "pulumi:pulumi:Stack", "custom": False}
        return {
            "version": 3,
            "deployment": {"manifest": {"time": moment, "magic": "m"}, "resources": [row, provider, stack]},
        }

    one = as_text(exported("monday", "1f", ["a", "b"]), ["r"])
    assert one == as_text(exported("tuesday", "2e", ["b", "a"]), ["r"])
    assert [resource["urn"] for resource in json.loads(one)["deployment"]["resources"]] == ["s", "p", "r"]
