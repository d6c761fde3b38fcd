"""The leaf switches that a RoCE fabric's nodes hang on: which port faces whom, and what both must agree
on."""

from __future__ import annotations

from aifactory.components.base import PlanContext
from aifactory.components.fabric import ethernet
from aifactory.components.fabric.ground import CNP_PRIORITY, Ground, with_nics
from aifactory.components.fabric.model import AddressPool, Switch, SwitchPort, Thresholds
from aifactory.components.fabric.pools import Pool
from aifactory.components.given_network import Leaf, RoceGiven


def switches(
    pools: list[Pool], ground: Ground, rails: tuple[AddressPool, ...], fabric: str, ctx: PlanContext
) -> tuple[Switch, ...]:
    """The leafs of the blocks that pools lie in; none on InfiniBand, whose switches the subnet manager
    sets."""
    if ground.roce is None:
        return ()
    blocks = list(dict.fromkeys(block for pool in pools for block in pool.blocks))
    nodes = {block: _nodes(block, ctx) for block in blocks}
    leafs = [leaf for leaf in ground.roce.switches.leafs if leaf.block in nodes]
    sound = [_each_rail_has_a_leaf(block, leafs, ground, ctx) for block in blocks]
    given = ground.roce.switches.leafs
    sound += [_ports_suffice(leaf, given.index(leaf), nodes[leaf.block], ctx) for leaf in leafs]
    if not all(sound):
        return ()
    _decide(leafs, ctx)
    gateways = {(pool.rail, prefix.node): _gateway(prefix.gateway, pool) for pool in rails for prefix in pool.nodes}
    return tuple(_switch(leaf, nodes[leaf.block], gateways, ground.roce, fabric) for leaf in leafs)


def _nodes(block: str, ctx: PlanContext) -> list[str]:
    """Nodes of a block with NICs, in order of the site file: the order of the leafs' ports."""
    racks = [rack for group in with_nics(ctx) for rack in group.racks]
    return [node for rack in racks if rack.block == block for node in rack.nodes]


def _each_rail_has_a_leaf(block: str, leafs: list[Leaf], ground: Ground, ctx: PlanContext) -> bool:
    ends = [rail for leaf in leafs if leaf.block == block for rail in leaf.rails]
    wrong = [f"rail {rail} on {ends.count(rail)} leafs" for rail in range(ground.rails) if ends.count(rail) != 1]
    wrong += [f"rail {rail}, which the fabric hasn't" for rail in sorted(set(ends)) if rail >= ground.rails]
    return ctx.check(
        "FAB-012",
        not wrong,
        f"block {block} has {', '.join(wrong)}; it needs each of rails 0 to {ground.rails - 1} on one leaf",
        ("network", "roce", "switches", "leafs"),
        f"correct rails of the leafs of {block} in network.roce.switches",
        document="site",
    )


def _ports_suffice(leaf: Leaf, index: int, nodes: list[str], ctx: PlanContext) -> bool:
    needed = len(leaf.rails) * len(nodes)
    return ctx.check(
        "FAB-013",
        len(leaf.ports) >= needed,
        f"{leaf.switch} has {len(leaf.ports)} ports for nodes; {len(nodes)} nodes of {leaf.block} on "
        f"{len(leaf.rails)} rails need {needed}",
        ("network", "roce", "switches", "leafs", index, "ports"),
        f"list {needed} ports, or put some of its rails on another leaf",
        document="site",
    )


def _gateway(address: str, pool: AddressPool) -> str:
    return f"{address}/{pool.node_prefix}"


def _switch(leaf: Leaf, nodes: list[str], gateways: dict[tuple[int, str], str], roce: RoceGiven, fabric: str) -> Switch:
    faces = [(rail, node) for rail in leaf.rails for node in nodes]
    ecn = roce.switches.ecn
    return Switch(
        name=leaf.switch,
        fabric=fabric,
        system=roce.switches.system,
        mtu=ethernet.switch_mtu(roce),
        host_mtu=roce.mtu,
        traffic_class=roce.traffic_class,
        dscp=ethernet.dscp_of(roce),
        priority=roce.priority,
        cnp_dscp=roce.cnp_dscp,
        cnp_priority=CNP_PRIORITY,
        ecn=Thresholds(ecn.minimum_kbytes, ecn.maximum_kbytes, ecn.mark_percent) if ecn else None,
        ports=tuple(
            SwitchPort(port, node, rail, gateways.get((rail, node), ""))
            for port, (rail, node) in zip(leaf.ports, faces, strict=False)
        ),
    )


def _decide(leafs: list[Leaf], ctx: PlanContext) -> None:
    ctx.decide(
        "switches",
        [leaf.switch for leaf in leafs],
        "each gets MTU, trust, mapping, PFC and its watchdog, and ECN for the ports that face nodes. Ports "
        "are taken in order of rails, and for each rail in order of the block's nodes. Links between "
        "switches and the routes over them stay the site's",
        source=("network", "roce", "switches"),
        document="site",
    )
