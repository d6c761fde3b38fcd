"""What a run may make is what the state lacks, in the form of the state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from aifactory.components.rows import HelmRow, KubernetesRow
from aifactory.stacks.assembly.rowset import RowSet, row_set
from aifactory.stacks.program import identity
from aifactory.stacks.program.adapter import register_stack
from aifactory.stacks.program.claims import claims, object_id
from support.recorder import record
from support.shipped import GIVEN, ROOT, works


def shipped(stack: str) -> RowSet:
    work = next(work for work in works().values() if stack in work.stacks)
    return row_set(work.stacks[stack], work.digest)


@pytest.mark.parametrize("stack", GIVEN)
def test_an_empty_state_lacks_all_that_the_program_registers(stack: str) -> None:
    rows = shipped(stack)
    recorded = record(lambda: register_stack(rows, ROOT) and None, stack=stack).resources
    claimed = {claim["urn"]: claim for claim in claims(rows, [], ROOT)}
    assert claimed.keys() == recorded.keys()
    for urn, made in recorded.items():
        claim = claimed[urn]
        assert (claim["type"], claim["custom"]) == (made.type, made.custom)
        assert claim.get("protect", False) == made.protect
        assert claim.get("retainOnDelete", False) == made.retain_on_delete
        assert claim.get("provider", "").rpartition("::")[0] == made.provider
        assert set(claim.get("dependencies", ())) == made.dependencies
        assert claim.get("parent", "") == made.parent


def test_claims_come_after_what_they_need() -> None:
    seen: set[str] = set()
    for claim in claims(shipped(GIVEN[0]), [], ROOT):
        assert {claim.get("parent", ""), *claim.get("dependencies", ())} - {""} <= seen
        seen.add(claim["urn"])


def test_a_row_that_the_state_holds_is_not_claimed() -> None:
    rows = shipped(GIVEN[0])
    everything = claims(rows, [], ROOT)
    assert claims(rows, everything, ROOT) == []
    left = claims(rows, everything[:-1], ROOT)
    assert [claim["urn"] for claim in left] == [everything[-1]["urn"]]
    assert left[0]["provider"] == everything[-1]["provider"], "the provider that is there"


def test_a_row_under_a_former_name_of_its_part_is_not_claimed() -> None:
    rows = shipped(GIVEN[0])
    before = claims(rows, [], ROOT)
    part = rows.parts[0]
    renamed = structs.replace(part, name="renamed", renamed_from=part.name)
    after = structs.replace(
        rows,
        parts=(renamed, *rows.parts[1:]),
        rows=tuple(structs.replace(row, part="renamed") if row.part == part.name else row for row in rows.rows),
    )
    assert claims(after, before, ROOT) == []


@pytest.mark.parametrize("stack", GIVEN)
def test_the_id_follows_from_the_name(stack: str) -> None:
    rows = shipped(stack)
    ids = {identity.row_urn(rows, part_of(rows, row), row): named(row) for row in identity.cluster_rows(rows)}
    assert {urn: object_id(urn) for urn in ids} == ids


def test_of_a_release_no_values_are_kept() -> None:
    rows = shipped(GIVEN[0])
    releases = [claim for claim in claims(rows, [], ROOT) if claim["type"].endswith(":Release")]
    assert releases
    assert all(set(claim["inputs"]) == {"chart", "name", "namespace", "version"} for claim in releases)


def test_the_provider_is_reached_as_the_user_says() -> None:
    claimed = claims(shipped(GIVEN[0]), [], Path("/project"), "/elsewhere/kubeconfig")
    provider = next(claim for claim in claimed if claim["type"] == identity.PROVIDER_TYPE)
    assert provider["inputs"]["kubeconfig"] == "/elsewhere/kubeconfig"


def part_of(rows: RowSet, row: Any) -> Any:
    return next(part for part in rows.parts if part.name == row.part)


def named(row: KubernetesRow | HelmRow) -> str:
    return f"{row.namespace}/{row.name}" if row.namespace else row.name
