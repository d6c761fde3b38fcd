"""The graph of who finds whom notices what it is there to notice."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from support import shipped
from support.graph import Graph, Pods, gaps, graph

STACK = "sovereign-inference-ams-colo1-platform"
CHAT = ("assist", "chat")


def changed(kind: str, namespace: str, name: str, **spec: Any) -> list[str]:
    """Gaps after a change to one object."""
    found = graph(shipped.stacks()[STACK])
    body = deepcopy(found.rows[kind, namespace, name])
    body["spec"].update(spec)
    found.rows[kind, namespace, name] = body
    return gaps(found)


def test_a_sound_stack_has_no_gaps() -> None:
    assert gaps(graph(shipped.stacks()[STACK])) == []


@pytest.mark.parametrize(
    ("kind", "spec", "says"),
    [
        ("InferencePool", {"selector": {"matchLabels": {"aifactory.io/serving": "other"}}}, "finds no pod"),
        ("InferencePool", {"selector": {"matchLabels": {"aifactory.io/site": "ams-colo1"}}}, "finds pods of "),
        ("InferencePool", {"targetPorts": [{"number": 81}]}, "leads to port 81"),
        ("InferencePool", {"endpointPickerRef": {"name": "x", "port": {"number": 1}}}, "which no row makes"),
        ("InferencePool", {"endpointPickerRef": {"name": "chat-epp", "port": {"number": 1}}}, "names port 1 of"),
        ("PodDisruptionBudget", {"selector": {"matchLabels": {"a": "b"}}}, "0 objects of kind PodDisruptionBudget"),
        ("Service", {"selector": {"a": "b"}}, "finds no pod"),
        ("ScaledObject", {"scaleTargetRef": {"kind": "Deployment", "name": "x"}}, "which no row makes"),
    ],
)
def test_a_gap_is_found(kind: str, spec: dict[str, Any], says: str) -> None:
    assert any(says in gap for gap in changed(kind, *CHAT, **spec))


def test_pods_that_answer_and_that_nobody_leads_to_are_found() -> None:
    alone = Graph(pods=[Pods("Deployment.apps/a/b", "a", {"aifactory.io/serving": "b"}, frozenset({8000}), "b")])
    assert "Deployment.apps/a/b is led to by [] and 0 routes" in gaps(alone)
