"""Labels and taints of a pool's nodes: what workloads select, what topology follows, what operands read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aifactory.components import names
from aifactory.components.given import NetworkGiven
from aifactory.components.gpu_node_pool.model import NodeLabels, Pairs
from aifactory.components.offers import RackShare, Taint

TAINT = Taint("nvidia.com/gpu", "present", "NoSchedule")
"""What daemons of the GPU Operator and the DRA driver tolerate by their charts' defaults."""

TOPOLOGY_LEVELS = (names.BLOCK_LABEL, names.RACK_LABEL, names.HOSTNAME_LABEL)
"""From coarse to fine. A rail is no level: every node has all rails, and a job uses all of them."""

RAIL_LABEL = "aifactory.io/rail-"
"""Followed by the rail's number; the value is the leaf switch where the rail of this node ends."""

MIG_LABEL = "nvidia.com/mig.config"
DEVICE_PLUGIN_LABEL = "nvidia.com/device-plugin.config"
DRIVER_LABEL = "nvidia.com/gpu.deploy.driver"
OPERANDS_LABEL = "nvidia.com/gpu.deploy.operands"
DRA_LABEL = "nvidia.com/dra-kubelet-plugin"


def leafs(network: NetworkGiven) -> Mapping[str, Pairs]:
    """Leaf switch of each rail, by block, where the site says so; a rail with two leafs has no label."""
    found: dict[str, dict[int, list[str]]] = {}
    for leaf in network.roce.switches.leafs if network.roce else ():
        for rail in leaf.rails:
            found.setdefault(leaf.block, {}).setdefault(rail, []).append(leaf.switch)
    return {
        block: tuple(
            (f"{RAIL_LABEL}{rail}", switches[0]) for rail, switches in sorted(rails.items()) if len(switches) == 1
        )
        for block, rails in found.items()
    }


def node_labels(
    racks: Iterable[RackShare], common: Pairs, by_block: Mapping[str, Pairs], taints: tuple[Taint, ...]
) -> tuple[NodeLabels, ...]:
    """What the nodes of each rack get: the pool's own, the place, and the leafs of the block."""
    return tuple(
        NodeLabels(
            rack.rack,
            rack.nodes,
            (
                *common,
                (names.BLOCK_LABEL, rack.block),
                (names.RACK_LABEL, rack.rack),
                *by_block.get(rack.block, ()),
            ),
            taints,
        )
        for rack in racks
    )
