"""Simulated nodes of a plan, and the pods that it promises: what the real scheduler is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aifactory.components.gpu_node_pool.model import GpuNodePoolPlan
from aifactory.components.gpu_node_pool.sizing import UNSEEN_PERCENT
from aifactory.components.names import HOSTNAME_LABEL
from aifactory.components.offers import PodPromise
from aifactory.stacks.planning.model import StackPlan

PODS_OF_A_NODE = "110"
COUNTED = ("cpu", "memory")


def nodes(stack: StackPlan) -> Iterator[dict[str, Any]]:
    """Nodes of all pools, with the labels, taints, GPUs and rails that the plan gives them."""
    rails = sorted({name for promise in stack.promises for name, _ in promise.requests if "rail_" in name})
    for part in stack.parts:
        if isinstance(part.plan, GpuNodePoolPlan):
            yield from _of_pool(stack, part.name, part.plan, rails)


def _of_pool(stack: StackPlan, part: str, plan: GpuNodePoolPlan, rails: list[str]) -> Iterator[dict[str, Any]]:
    group = next(group for group in stack.place.nodes if group.group == plan.group)
    reserve: Mapping[str, int] = stack.decisions[f"{part}.reserve"].value  # type: ignore[assignment]
    memory = group.memory_gib - group.memory_gib * UNSEEN_PERCENT // 100 - reserve["memory_gib"]
    room = {
        "cpu": str(group.cpus - reserve["cpus"]),
        "memory": f"{memory}Gi",
        "pods": PODS_OF_A_NODE,
        plan.gpu_resource: str(plan.gpus_per_node),
        **(dict.fromkeys(rails, "1") if plan.fabric else {}),
    }
    for rack in plan.node_labels:
        for name in rack.nodes:
            yield {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name, "labels": {**dict(rack.labels), HOSTNAME_LABEL: name}},
                "spec": {
                    "taints": [{"key": each.key, "value": each.value, "effect": each.effect} for each in rack.taints]
                },
                "status": {"capacity": room, "allocatable": room},
            }


def pods(promise: PodPromise) -> Iterator[dict[str, Any]]:
    """The pods that a plan promises, as a controller would make them. That a gang lands within one block is what Kueue
    sees to, before any of them exists."""
    limits = {name: number for name, number in promise.requests if name not in COUNTED}
    container = {
        "name": "promised",
        "image": "example.com/none",
        "resources": {"requests": dict(promise.requests), "limits": limits},
    }
    labels = {"promise": f"{promise.part}-{promise.name}"}
    spec = {
        "containers": [container],
        "nodeSelector": dict(promise.node_selector),
        "tolerations": [taint.toleration() for taint in promise.tolerations],
        "automountServiceAccountToken": False,
    }
    for index in range(promise.count):
        metadata = {"name": f"{promise.name}-{index}", "namespace": promise.namespace, "labels": labels}
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
