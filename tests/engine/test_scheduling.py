"""Every pod that a plan promises finds a node: real scheduler, simulated nodes of the plan."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pytest

from support import shipped
from support.lanes import STAND_IN
from support.proving.control_plane import ControlPlane
from support.proving.nodes import nodes, pods

pytestmark = pytest.mark.cluster
OF_TENANTS = "gpu-as-a-service-ams-colo1-platform"
"""Its tenants bring their pods."""


def asked(plane: ControlPlane, name: str) -> list[Any]:
    """Make the pods that a stack promises, in namespaces of their own."""
    plan = shipped.stacks()[name].plan
    every = [pod for promise in plan.promises for pod in pods(promise)]
    for space in sorted({pod["metadata"]["namespace"] for pod in every}):
        plane.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
    for pod in every:
        plane.api.apply(pod)
    return every


def waiting(plane: ControlPlane, every: list[Any]) -> list[str]:
    """Pods without a node."""
    return [pod["metadata"]["name"] for pod in every if "nodeName" not in plane.api.get(pod)["spec"]]


@pytest.mark.parametrize("name", [name for name in shipped.GIVEN if name != OF_TENANTS])
def test_each_promised_pod_of_a_shipped_stack_finds_a_node(
    plane: ControlPlane, name: str, request: pytest.FixtureRequest
) -> None:
    request.node.user_properties.append((STAND_IN, "pods, made by the test from the promise of the plan"))
    plane.add_nodes(nodes(shipped.stacks()[name].plan))
    every = asked(plane, name)
    assert every
    plane.wait(lambda: waiting(plane, every) == [], f"nodes for all of {len(every)} pods")
    _no_node_is_overbooked(plane, [plane.api.get(pod) for pod in every])


def test_a_stack_whose_pods_are_its_tenants_promises_none() -> None:
    assert shipped.stacks()[OF_TENANTS].plan.promises == ()


def _no_node_is_overbooked(plane: ControlPlane, every: list[Any]) -> None:
    gpus: dict[str, Counter[str]] = defaultdict(Counter)
    for pod in every:
        for resource, number in pod["spec"]["containers"][0]["resources"]["limits"].items():
            gpus[pod["spec"]["nodeName"]][resource] += int(number)
    for name, asked in gpus.items():
        there = _node(plane, name)["status"]["allocatable"]
        assert all(number <= int(there[resource]) for resource, number in asked.items()), name


def _node(plane: ControlPlane, name: str) -> Any:
    return plane.api.call("GET", f"/api/v1/nodes/{name}")


def test_with_a_node_too_few_the_scheduler_says_what_is_missing(plane: ControlPlane) -> None:
    """What the others pass is a test that can fail."""
    name = "training-roce-ams-colo1-platform"
    plane.add_nodes(list(nodes(shipped.stacks()[name].plan))[:1])
    every = asked(plane, name)
    plane.wait(lambda: len(waiting(plane, every)) == len(every) - 1, "one pod has the only node")

    def reasons() -> str:
        found = [plane.api.get(pod)["status"].get("conditions", []) for pod in every]
        return " ".join(condition.get("message", "") for each in found for condition in each)

    plane.wait(lambda: "Insufficient nvidia.com/gpu" in reasons(), "the scheduler says why")
