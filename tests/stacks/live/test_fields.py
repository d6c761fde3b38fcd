"""Trees are compared by meaning, and managedFields say who set a field."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.stacks.live.fields import ABSENT, Author, at, author, differences, path_text, set_by_hand
from aifactory.stacks.live.written import contained


def found(live: Any, wanted: Any) -> list[tuple[str, Any, Any]]:
    return [(path_text(path), now, plan) for path, now, plan in differences(live, wanted)]


CASES = [
    ({"a": 1}, {"a": 1}, []),
    ({"spec": {"a": 1}}, {"spec": {"a": 2}}, [("spec.a", 1, 2)]),
    ({"spec": {"a": 1}}, {"spec": {}}, [("spec.a", 1, ABSENT)]),
    ({}, {"spec": {"a": 1}}, [("spec", ABSENT, {"a": 1})]),
    ({"status": {"a": 1}}, {"status": {}}, []),
    ({"metadata": {"resourceVersion": "1", "uid": "a"}}, {"metadata": {"generation": 2, "managedFields": []}}, []),
    ({"metadata": {"annotations": {"pulumi.com/waitFor": "x"}}}, {"metadata": {"annotations": {}}}, []),
    (
        {"metadata": {"annotations": {"example.com/a": "x"}}},
        {"metadata": {"annotations": {}}},
        [('metadata.annotations["example.com/a"]', "x", ABSENT)],
    ),
    (
        {"containers": [{"name": "side", "a": 1}, {"name": "main", "image": "b"}]},
        {"containers": [{"name": "main", "image": "a"}, {"name": "side", "a": 1}]},
        [("containers[name=main].image", "b", "a")],
    ),
    ({"a": ["x", "y"]}, {"a": ["x", "z"]}, [("a[1]", "y", "z")]),
    ({"a": ["x"]}, {"a": ["x", "z"]}, [("a", ["x"], ["x", "z"])]),
    (
        {"a": [{"name": "x"}]},
        {"a": [{"name": "x"}, {"name": "y"}]},
        [("a[name=y]", ABSENT, {"name": "y"})],
    ),
]


@pytest.mark.parametrize(("live", "wanted", "says"), CASES)
def test_differences_have_paths_that_a_person_reads(live: Any, wanted: Any, says: list[tuple[str, Any, Any]]) -> None:
    assert found(live, wanted) == says


def entry(manager: str, time: str, fields: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"manager": manager, "time": time, "fieldsV1": fields, **more}


MANAGED = [
    entry("pulumi-kubernetes", "1", {"f:spec": {"f:a": {}, "f:list": {}}}),
    entry("kubectl-edit", "2", {"f:spec": {"f:a": {}, "f:items": {'k:{"name":"x"}': {".": {}, "f:v": {}}}}}),
    entry("controller", "3", {"f:spec": {"f:b": {}}}),
]


@pytest.mark.parametrize(
    ("path", "by"),
    [
        (("spec", "a"), Author("kubectl-edit", "2")),
        (("spec", "b"), Author("controller", "3")),
        (("spec", "items", (("name", "x"),), "v"), Author("kubectl-edit", "2")),
        (("spec", "list", 1), Author("pulumi-kubernetes", "1")),
        (("spec", "none"), None),
    ],
)
def test_who_set_a_field_last_is_found(path: Any, by: Author | None) -> None:
    assert author(MANAGED, path) == by


def test_what_hands_set_is_listed_and_what_engines_and_controllers_set_is_not() -> None:
    by_hand = {
        "f:metadata": {
            "f:annotations": {"f:kubectl.kubernetes.io/last-applied-configuration": {}, "f:mine": {}},
            "f:finalizers": {'v:"a/b"': {}},
        },
        "f:spec": {"f:items": {'k:{"name":"x"}': {".": {}, "f:v": {}}}, "f:gone": {}},
    }
    live = {
        "metadata": {
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "mine": "1"},
            "finalizers": ["a/b"],
            "managedFields": [
                entry("kubectl-edit", "2", by_hand),
                entry("kubectl", "2", {"f:status": {"f:x": {}}}, subresource="status"),
                entry("controller", "3", {"f:spec": {"f:b": {}}}),
            ],
        },
        "spec": {"items": [{"name": "x", "v": 7}], "b": 1},
        "status": {"x": 1},
    }
    told = {path_text(path): (value, by.manager) for path, value, by in set_by_hand(live)}
    assert told == {
        "metadata.annotations.mine": ("1", "kubectl-edit"),
        "metadata.finalizers[=a/b]": ("a/b", "kubectl-edit"),
        "spec.items[name=x].v": (7, "kubectl-edit"),
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("a", (("name", "x"),), "v"), 1),
        (("a", (("name", "y"),)), ABSENT),
        (("b", (("", "s"),)), "s"),
        (("b", (("", "t"),)), ABSENT),
        (("b", 0), "s"),
        (("b", 5), ABSENT),
        (("c", "d"), ABSENT),
    ],
)
def test_a_path_leads_to_its_value(path: Any, value: Any) -> None:
    assert at({"a": [{"name": "x", "v": 1}], "b": ["s"], "c": 1}, path) == value


@pytest.mark.parametrize(
    ("live", "planned", "paths"),
    [
        ({"a": 1, "more": 2}, {"a": 1}, []),
        ({"a": "1k"}, {"a": 1000}, []),
        ({"a": "1Gi"}, {"a": "1024Mi"}, []),
        ({"a": "1500m"}, {"a": "1.5"}, []),
        ({"a": "1G"}, {"a": "1Gi"}, ["a"]),
        ({}, {"a": 0, "b": "", "c": []}, []),
        ({}, {"a": 1}, ["a"]),
        ({"a": [1, 2]}, {"a": [1]}, ["a"]),
        ({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 3}]}, ["a[0].b"]),
        ({"a": "x"}, {"a": "y"}, ["a"]),
    ],
)
def test_without_the_server_what_it_adds_and_normal_forms_are_no_difference(
    live: Any, planned: Any, paths: list[str]
) -> None:
    assert [path_text(path) for path, _, _ in contained(live, planned)] == paths
