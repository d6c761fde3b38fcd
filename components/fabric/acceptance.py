"""When the rails count as ready: a Job waits until each node offers its devices on all of them."""

from __future__ import annotations

import json
from hashlib import sha256

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.fabric.ground import Ground
from aifactory.components.fabric.model import Acceptance
from aifactory.components.fabric.modes import resource_of
from aifactory.components.fabric.pools import Pool
from aifactory.components.fabric.rails import interfaces_per_node
from aifactory.components.fabric.spec import FabricSpec

NAMESPACE = "gpu-acceptance"
"""Namespace of Jobs that wait for hardware; GPU pools ask for the same."""

KUBECTL = "registry.k8s.io/kubectl"
"""Published with each Kubernetes release, for all architectures."""

NODE_S = 2400
"""Time that one node takes: drained, and restarted twice, for firmware settings and for RDMA namespaces. Derived:
20 minutes is what a server with eight GPUs takes to start, driver included."""

LONGEST_S = 28_800

NAMED_AT_MOST = 8192
"""Node names in the arguments of one Job; beyond that its object comes near the limit of 1.5 MiB, and nodes are
selected by the label of their pool."""


def acceptance(pools: list[Pool], spec: FabricSpec, ground: Ground, identity: str, ctx: PlanContext) -> Acceptance:
    """What each node must offer before workloads get the settings of the fabric."""
    ctx.namespace(
        NamespaceRequest(NAMESPACE, ctx.part, "Jobs that wait until every node offers its rails", egress=("dns", "api"))
    )
    nodes = tuple(node for pool in pools for node in pool.nodes)
    count = interfaces_per_node(spec, ground)
    resources = tuple((f"{ground.mode.prefix}/{resource_of(ground.kind, rail)}", count) for rail in range(ground.rails))
    turns = -(-len(nodes) // spec.nodes_at_a_time)
    timeout_s = min(LONGEST_S, 3600 + NODE_S * turns)
    ctx.decide(
        "acceptance",
        f"{len(nodes)} nodes with {count} devices on each of {ground.rails} rails",
        "policies of virtual functions have no status. Nodes are drained and restarted for NIC settings, "
        f"{spec.nodes_at_a_time} at a time: workloads get the settings of the fabric when the last one is back, "
        "so no drain meets a gang",
        rejected=[
            Rejected("SriovNetworkNodeState", "the operator makes one for each node, under no name of ours"),
            Rejected("no gate", "gangs would start on nodes that are drained next"),
        ],
        because=[f"{ctx.part}.mode", f"{ctx.part}.rails"],
    )
    taints = tuple(dict.fromkeys(taint for pool in pools for taint in pool.taints))
    image = f"{KUBECTL}:{kubectl_tag(ctx.place.cluster.version)}"
    objects = _objects(pools, nodes, len(resources))
    text = json.dumps([image, timeout_s, resources, objects, [taint.toleration() for taint in taints]])
    return Acceptance(
        namespace=NAMESPACE,
        account=f"{identity}-rail-acceptance",
        name=f"{identity}-rails-{sha256(text.encode()).hexdigest()[:8]}",
        image=image,
        resources=resources,
        objects=objects,
        tolerations=taints,
        timeout_s=timeout_s,
    )


def _objects(pools: list[Pool], nodes: tuple[str, ...], checks: int) -> tuple[str, ...]:
    if len(nodes) * checks <= NAMED_AT_MOST:
        return tuple(f"node/{node}" for node in nodes)
    key = pools[0].node_labels[0][0]
    labels = ",".join(pool.label for pool in pools)
    return ("node", f"--selector={key} in ({labels})")


def kubectl_tag(version: str) -> str:
    """An image tag: `1.35.6` is v1.35.6, and `1.35` is its first release."""
    parts = version.removeprefix("v").split("-")[0].split(".")
    return "v" + ".".join((*parts, "0")[:3])
