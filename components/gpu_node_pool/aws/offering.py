"""What a pool at AWS is to queues and workloads: the same as a pool elsewhere."""

from __future__ import annotations

from aifactory.components import names
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.gpu_node_pool.aws.cards import InstanceFacts
from aifactory.components.gpu_node_pool.drafts import Sized
from aifactory.components.gpu_node_pool.sizing import GPU_CLASS, UNSEEN_PERCENT
from aifactory.components.offers import PoolOffer

EFA_RESOURCE = "vpc.amazonaws.com/efa"
"""Extended resource of one EFA device. Source: aws-efa-k8s-device-plugin."""
POD_HUGE_PAGES_GIB = 5
"""Huge pages that a pod with all GPUs of a node requests. Unit: GiB. Source: Amazon EKS User Guide, node-efa."""
NODE_HUGE_PAGES_GIB = 11
"""What 5,128 huge pages of 2 MiB take of a node's memory. Unit: GiB."""
ZONE_LABEL = "topology.kubernetes.io/zone"
NETWORK_LAYERS = tuple(f"topology.k8s.aws/network-node-layer-{layer}" for layer in (1, 2, 3))
"""Switches above a node, from the top down; the cloud controller of EKS writes them on types with EFA of P and Trn.

Source: Amazon EKS User Guide, node topology labels.
"""
LAYERED = ("p4d", "p4de", "p5", "p5e", "p5en", "p6-b200", "p6-b300")


def offer_of(
    sized: Sized, nodes: int, zones: tuple[str, ...], efa: int, facts: InstanceFacts, ctx: PlanContext
) -> PoolOffer:
    """The pool, offered: nodes in these zones, with so many devices of EFA each. Nodes that come and go have none."""
    cpus, memory_gib = sized.reserve
    pages = POD_HUGE_PAGES_GIB if efa else 0
    kept = NODE_HUGE_PAGES_GIB - pages if efa else 0
    left = facts.memory_gib - facts.memory_gib * UNSEEN_PERCENT // 100 - memory_gib - kept
    ctx.decide(
        "reserve",
        {"cpus": cpus, "memory_gib": memory_gib + kept},
        "kept from pods for kubelet, container runtime and operating system"
        + (f", and {kept} GiB of huge pages beside those that pods get" if efa else "")
        + f". Pods see {facts.cpus - cpus} CPUs and {left} GiB a node",
        facts=facts.refs,
    )
    return PoolOffer(
        part=ctx.part,
        pool=sized.wishes.name,
        accelerator=sized.card.key,
        architecture=facts.row.text("arch"),
        nodes=nodes,
        gpus_per_node=facts.accelerators,
        gpu_resource=sized.gpu_resource,
        slice_resources=sized.sharing.slices,
        cpus_per_node=facts.cpus - cpus,
        memory_gib_per_node=left,
        node_labels=((names.POOL_LABEL, sized.wishes.identity),),
        taints=sized.taints,
        topology_levels=_levels(zones, efa, facts, ctx),
        racks=sized.placing.racks,
        fabric=sized.fabric,
        device_claim=GPU_CLASS if sized.wishes.device_management == "dra" else "",
        gds=sized.wishes.gds,
        own_driver=False,
        fabric_devices=((EFA_RESOURCE, efa),) if efa else (),
        hugepages_2mi_gib=pages,
    )


def _levels(zones: tuple[str, ...], efa: int, facts: InstanceFacts, ctx: PlanContext) -> tuple[str, ...]:
    """Node labels from coarse to fine. A node without one of them is no node to a queue."""
    if not zones:
        why = "a queue that packs by topology looks at nodes that are there, and these come when pods wait"
        return ctx.decide("topology", (), why)
    layered = efa > 0 and facts.row.text("family") in LAYERED
    near = (names.BLOCK_LABEL, names.RACK_LABEL) if len(zones) == 1 else (ZONE_LABEL,)
    levels = (*near, *(NETWORK_LAYERS if layered else ()), names.HOSTNAME_LABEL)
    return ctx.decide(
        "topology",
        levels,
        "block is the zone, and rack the group of nodes that is placed or reserved together"
        + ("; layers are switches above a node, which EKS labels" if layered else "")
        if len(zones) == 1
        else "nodes are spread over zones",
        rejected=[Rejected("topograph", "it would ask EC2 for what EKS writes on nodes")] if layered else [],
        facts=[facts.row.ref],
    )
