"""What the engine tells, as records."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.automation import EngineEvent

from aifactory.stacks.program.events import Event, Message, Step, Totals, differences, event_of

URN = "urn:pulumi:s::aifactory::kubernetes:core/v1:ConfigMap::part/ns/name"


def event(data: dict[str, Any]) -> EngineEvent:
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, **data})


def step(kind: str, op: str, **metadata: Any) -> dict[str, Any]:
    return {kind: {"metadata": {"op": op, "urn": URN, "type": "t", **metadata}}}


def state(inputs: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "t", "urn": URN, "inputs": inputs, **fields}


@pytest.mark.parametrize(
    ("data", "record"),
    [
        (step("resourcePreEvent", "create"), Step(URN, "create", "started")),
        (step("resOutputsEvent", "same"), Step(URN, "same", "done")),
        (step("resOpFailedEvent", "update"), Step(URN, "update", "failed")),
        (
            step("resourcePreEvent", "update", old=state({"a": 1}), new=state({"a": 2})),
            Step(URN, "update", "started", ("a",)),
        ),
        (
            step(
                "resourcePreEvent",
                "update",
                old=state({"a": 1}),
                new=state({"a": 2}),
                detailedDiff={"spec.replicas": {"diffKind": "update", "inputDiff": True}},
            ),
            Step(URN, "update", "started", ("spec.replicas",)),
        ),
        (step("resOutputsEvent", "same", old=state({"a": 1}), new=state({"a": 2})), Step(URN, "same", "done")),
        (step("resOutputsEvent", "delete", old=state({})), Step(URN, "delete", "done")),
        (step("resOutputsEvent", "delete", old=state({}, retainOnDelete=True)), Step(URN, "discard", "done")),
        (
            {"diagnosticEvent": {"severity": "error", "message": "no \n", "color": "never", "urn": URN}},
            Message("error", URN, "no"),
        ),
        (
            {"diagnosticEvent": {"severity": "info#err", "message": "m", "color": "never"}},
            None,
        ),
        ({"diagnosticEvent": {"severity": "debug", "message": "m", "color": "never"}}, None),
        (
            {"diagnosticEvent": {"severity": "error", "message": "m", "color": "never", "ephemeral": True}},
            None,
        ),
        (
            {"summaryEvent": {"maybeCorrupt": False, "durationSeconds": 1, "resourceChanges": {"create": 2}}},
            Totals({"create": 2}),
        ),
        ({"cancelEvent": {}}, None),
        ({"preludeEvent": {"config": {}}}, None),
    ],
)
def test_an_event_becomes_a_record_or_nothing(data: dict[str, Any], record: Event | None) -> None:
    assert event_of(event(data)) == record


@pytest.mark.parametrize(
    ("before", "after", "paths"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, ["a"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3, "d": 4}}, ["a.c", "a.d"]),
        ({"l": [1, {"x": 1}]}, {"l": [1, {"x": 2}]}, ["l[1].x"]),
        ({"l": [1]}, {"l": [1, 2]}, ["l"]),
        ({"m": {"a/b.c": 1}}, {"m": {"a/b.c": 2}}, ['m["a/b.c"]']),
        ({"a": {"b": 1}}, {"a": "text"}, ["a"]),
    ],
)
def test_two_trees_differ_at_paths(before: object, after: object, paths: list[str]) -> None:
    assert list(differences(before, after)) == paths
