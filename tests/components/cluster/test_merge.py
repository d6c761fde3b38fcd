"""Chart values of several parts become one."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.cluster.merge import BASE, Layer, merged, placed, value_at
from aifactory.components.values import Json


def values(*layers: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    result = merged([Layer(part, tree) for part, tree in layers])
    assert result.conflicts == []
    return result.values


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([], {}),
        ([("a", {"x": {"y": 1}}), ("b", {"x": {"z": 2}})], {"x": {"y": 1, "z": 2}}),
        ([("a", {"x": 1}), ("b", {"x": 1})], {"x": 1}),
        ([("a", {"x": [1, 2]}), ("b", {"x": [1, 2]})], {"x": [1, 2]}),
        ([("a", {"x": (1, 2)}), ("b", {"x": [1, 2]})], {"x": [1, 2]}),
        ([(BASE, {"x": 1}), ("a", {"x": 2})], {"x": 2}),
        ([(BASE, {"x": [1]}), ("a", {"x": [2]})], {"x": [2]}),
        (
            [(BASE, {"tolerations": [{"key": "a"}]}), ("a", {"tolerations": [{"key": "b"}, {"key": "a"}]})],
            {"tolerations": [{"key": "a"}, {"key": "b"}]},
        ),
        (
            [("a", {"env": [{"name": "X", "value": "1"}]}), ("b", {"env": [{"name": "Y", "value": "2"}]})],
            {"env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]},
        ),
        (
            [("a", {"env": [{"name": "X", "value": "1"}]}), ("b", {"env": [{"name": "X", "value": "1"}]})],
            {"env": [{"name": "X", "value": "1"}]},
        ),
        (
            [(BASE, {"c": Json({"a": {"b": 1}})}), ("q", {"c": Json({"a": {"d": 2}})})],
            {"c": Json({"a": {"b": 1, "d": 2}})},
        ),
    ],
)
def test_values_that_agree_become_one_tree(layers: list[Any], expected: dict[str, Any]) -> None:
    assert values(*layers) == expected


@pytest.mark.parametrize(
    ("first", "second", "path"),
    [
        ({"x": {"y": 1}}, {"x": {"y": 2}}, "x.y"),
        ({"x": True}, {"x": 1}, "x"),
        ({"x": {"y": True}}, {"x": {"y": "true"}}, "x.y"),
        ({"x": {"y": 1}}, {"x": 1}, "x"),
        ({"x": 1}, {"x": {"y": 1}}, "x"),
        ({"x": [1, 2]}, {"x": [2, 1]}, "x"),
        ({"c": Json({"a": 1})}, {"c": Json({"a": 2})}, "c.a"),
        ({"c": Json({"a": 1})}, {"c": "a: 1"}, "c"),
        ({"env": [{"name": "X", "value": "1"}]}, {"env": [{"name": "X", "value": "2"}]}, "env[X]"),
    ],
)
def test_two_parts_that_disagree_are_both_named(first: dict[str, Any], second: dict[str, Any], path: str) -> None:
    result = merged([Layer("pool", first), Layer("fabric", second)])
    (conflict,) = result.conflicts
    assert (conflict.path, conflict.first, conflict.second) == (path, "pool", "fabric")


def test_a_part_overrules_our_baseline_and_that_is_remembered() -> None:
    result = merged([Layer(BASE, {"a": {"b": 1, "c": 2}}), Layer("pool", {"a": {"b": 3}})])
    assert result.values == {"a": {"b": 3, "c": 2}}
    (replaced,) = result.replaced
    assert (replaced.path, replaced.has, replaced.wants, replaced.second) == ("a.b", 1, 3, "pool")


def test_a_second_part_does_not_overrule_the_first_that_overruled_the_baseline() -> None:
    layers = [Layer(BASE, {"a": 1}), Layer("pool", {"a": 2}), Layer("fabric", {"a": 3})]
    (conflict,) = merged(layers).conflicts
    assert (conflict.first, conflict.second) == ("pool", "fabric")


def test_a_part_never_replaces_a_map_of_the_baseline_by_a_scalar() -> None:
    (conflict,) = merged([Layer(BASE, {"a": {"b": 1}}), Layer("pool", {"a": None})]).conflicts
    assert (conflict.path, conflict.first) == ("a", BASE)


def test_merging_changes_no_input() -> None:
    first: dict[str, Any] = {"a": {"env": [{"name": "X"}]}, "c": Json({"k": {"v": 1}})}
    second: dict[str, Any] = {"a": {"env": [{"name": "Y"}], "b": 1}, "c": Json({"k": {"w": 2}})}
    result = merged([Layer("x", first), Layer("y", second)])
    assert first == {"a": {"env": [{"name": "X"}]}, "c": Json({"k": {"v": 1}})}
    assert second == {"a": {"env": [{"name": "Y"}], "b": 1}, "c": Json({"k": {"w": 2}})}
    assert result.values["a"] is not first["a"]


@pytest.mark.parametrize(
    ("path", "found"), [("a.b", 1), ("a", {"b": 1}), ("a.c", "none"), ("a.b.c", "none"), ("x", "none")]
)
def test_a_value_is_found_by_its_path(path: str, found: object) -> None:
    assert value_at({"a": {"b": 1}}, path, "none") == found
    assert placed("a.b", 1) == {"a": {"b": 1}}
