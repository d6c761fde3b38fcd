from __future__ import annotations

from collections.abc import Mapping

import pytest

from aifactory.components.rows import HelmRow, HostRow, KubernetesRow, Maker, Row, Wave
from aifactory.components.values import Json
from aifactory.stacks.assembly.overrides import apply_overrides, merge_patch
from aifactory.stacks.planning.model import OverrideNote, PartPlan

MAKE = Maker("demo", "lab", "part", Wave.HARDWARE)


def rows() -> list[Row]:
    return [
        MAKE.kubernetes("v1", "ConfigMap", "a", "ns", body={"data": {"x": "1", "y": "2"}}),
        HelmRow("Release/a/b", "part", Wave.CRDS, "b", "a", "c", "oci://x", "1", {"replicas": 2, "z": {"k": 1}}),
        HostRow("Host/a", "part", ("n1",), "/etc/x", "text\n", "why"),
    ]


def part(row: str, *patches: Mapping[str, object]) -> PartPlan:
    notes = tuple(
        OverrideNote("part", row, patch, f"because of reason {index}", ("parts", 0, "overrides", index))
        for index, patch in enumerate(patches)
    )
    return PartPlan("part", "queue", "", (), None, notes)


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [  # the examples of RFC 7386, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_the_standard_says(target: object, patch: object, merged: object) -> None:
    assert merge_patch(target, patch) == merged


def test_a_patch_reaches_the_object_and_is_seen_on_it() -> None:
    patched = rows()
    assert apply_overrides(part("ConfigMap/ns/a", {"data": {"x": "9", "y": None}}), patched) == []
    row = patched[0]
    assert isinstance(row, KubernetesRow)
    assert row.body["data"] == {"x": "9"}
    assert row.override == "because of reason 0"
    assert row.body["metadata"]["annotations"] == {"aifactory.io/override": "because of reason 0"}  # type: ignore[index]


def test_two_patches_of_a_row_are_both_applied_and_both_named() -> None:
    patched = rows()
    apply_overrides(part("Release/a/b", {"replicas": 3}, {"z": {"k": 2}}), patched)
    row = patched[1]
    assert isinstance(row, HelmRow)
    assert row.values == {"replicas": 3, "z": {"k": 2}}
    assert row.override == "because of reason 0; because of reason 1"


@pytest.mark.parametrize(
    ("row", "patch", "says"),
    [
        ("ConfigMap/ns/b", {"data": {}}, 'no row "ConfigMap/ns/b"'),
        ("ConfigMap/ns/a", {"metadata": {"name": "b"}}, "changes the identity"),
        ("ConfigMap/ns/a", {"metadata": None}, "changes the identity"),
        ("ConfigMap/ns/a", {"kind": "Secret"}, "changes the identity"),
        ("Host/a", {"content": "x"}, "a patch can't reach"),
    ],
)
def test_a_patch_that_does_not_fit_is_a_problem(row: str, patch: Mapping[str, object], says: str) -> None:
    untouched = rows()
    (problem,) = apply_overrides(part(row, patch), untouched)
    assert says in problem.says
    assert untouched == rows()
    assert problem.path[:4] == ("parts", 0, "overrides", 0)


def test_a_patch_reaches_into_text_that_is_json() -> None:
    merged = merge_patch({"ipam": Json({"type": "a", "range": "b"})}, {"ipam": {"type": "c", "range": None}})
    assert merged == {"ipam": Json({"type": "c"})}
    assert merge_patch({"ipam": Json({"type": "a"})}, {"ipam": "text"}) == {"ipam": "text"}
