"""What the stand-in takes for a change is what the real provider takes for one."""

from __future__ import annotations

from typing import Any

import pytest

from support.proving.comparing import Change, amount, changes, cleaned, pruned


def config_map(**body: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b"}, **body}


def test_what_the_server_adds_is_no_change() -> None:
    asked = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}}
    live = {
        **asked,
        "metadata": {"name": "a", "uid": "1", "resourceVersion": "2", "labels": {"added": "yes"}},
        "spec": {"ports": [{"port": 80, "protocol": "TCP"}], "clusterIP": "10.0.0.1"},
        "status": {},
    }
    assert changes(pruned(live, asked), asked, mutable_maps=True) == []


@pytest.mark.parametrize(
    ("live", "asked", "kind"),
    [({"a": "1"}, {"a": "2"}, "update"), ({}, {"a": "1"}, "add"), ({"a": "1"}, {}, "delete")],
)
def test_a_value_that_differs_is_a_change(live: dict[str, str], asked: dict[str, str], kind: str) -> None:
    found = changes(config_map(data=live), config_map(data=asked), mutable_maps=True)
    assert found == [Change("data.a", kind, replaces=False)]


def test_a_config_map_is_replaced_unless_it_may_change() -> None:
    (found,) = changes(config_map(data={"a": "1"}), config_map(data={"a": "2"}), mutable_maps=False)
    assert found.replaces
    frozen = config_map(data={"a": "2"}, immutable=True)
    (found,) = changes(config_map(data={"a": "1"}, immutable=True), frozen, mutable_maps=True)
    assert found.replaces


@pytest.mark.parametrize(
    ("version", "kind", "before", "after", "replaces"),
    [
        ("v1", "PersistentVolumeClaim", {"resources": {"requests": {"storage": "1Gi"}}}, "2Gi", True),
        ("batch/v1", "Job", {"template": {"spec": {"priority": 1}}}, 2, True),
        ("apps/v1", "Deployment", {"replicas": 1}, 2, False),
    ],
)
def test_some_fields_replace(version: str, kind: str, before: Any, after: Any, replaces: bool) -> None:
    def body(spec: Any) -> dict[str, Any]:
        return {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, "spec": spec}

    def leaf(tree: Any) -> Any:
        return {key: leaf(value) for key, value in tree.items()} if isinstance(tree, dict) else after

    (found,) = changes(body(before), body(leaf(before)), mutable_maps=True)
    assert found.replaces is replaces


def test_another_name_replaces() -> None:
    other = {**config_map(), "metadata": {"name": "c", "namespace": "b"}}
    assert changes(config_map(), other, mutable_maps=True) == [Change("metadata.name", "update", replaces=True)]


def test_quantities_and_what_is_empty_are_equal_in_kinds_that_the_provider_knows_alone() -> None:
    def quota(version: str, hard: dict[str, Any]) -> dict[str, Any]:
        return {"apiVersion": version, "kind": "X", "metadata": {"name": "a"}, "spec": {"hard": hard}}

    before, asked = {"cpu": "1", "memory": "1Gi"}, {"cpu": "1000m", "memory": "1024Mi", "none": False}
    assert changes(quota("v1", before), quota("v1", asked), mutable_maps=True) == []
    found = changes(quota("example.com/v1", before), quota("example.com/v1", asked), mutable_maps=True)
    assert [each.path for each in found] == ["spec.hard.cpu", "spec.hard.memory", "spec.hard.none"]


def test_what_is_no_quantity_is_compared_as_text() -> None:
    for old, new in (("1.2.3", "1.2.4"), ("1.0", "1"), ("1k", "1000")):
        found = changes(config_map(data={"a": old}), config_map(data={"a": new}), mutable_maps=True)
        assert [each.path for each in found] == ["data.a"]


@pytest.mark.parametrize(
    ("value", "number"), [("1k", 1_000.0), ("1Ki", 1_024.0), ("500m", 0.5), (2, 2.0), ("x", "x"), (True, True)]
)
def test_an_amount_is_a_number(value: Any, number: Any) -> None:
    assert amount(value) == number


def test_what_the_server_alone_writes_is_left_out() -> None:
    body = {"kind": "X", "metadata": {"name": "a", "managedFields": [], "generation": 3}}
    assert cleaned(body) == {"kind": "X", "metadata": {"name": "a"}}
