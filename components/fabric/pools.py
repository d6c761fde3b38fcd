"""The GPU pools that a fabric joins, and the NICs of their nodes."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components import names
from aifactory.components.base import PlanContext
from aifactory.components.fabric.ground import Ground
from aifactory.components.fabric.model import Labels, NicPort
from aifactory.components.given import NodeGroup
from aifactory.components.offers import PoolOffer, Taint
from aifactory.components.problems import Path

NODE_DOMAIN = 16
"""Most GPUs that NVLink joins inside a node. Source: accelerators of the catalog, scale_up_domain."""


class Claim(Struct, frozen=True):
    """Node groups whose NICs a fabric configures. Fabrics of a site offer it to each other."""

    part: str
    groups: tuple[str, ...]


class Pool(Struct, frozen=True):
    """A GPU pool on the fabric."""

    name: str
    label: str
    """Value of the pool label, which its objects are named by."""
    accelerator: str
    architecture: str
    node_labels: Labels
    taints: tuple[Taint, ...]
    nodes: tuple[str, ...]
    blocks: tuple[str, ...]
    group: NodeGroup
    """Host and NICs of its nodes; groups with the same NICs count as one."""
    nics: tuple[NicPort, ...]
    nic_type: str


def joined(ground: Ground, ctx: PlanContext) -> list[Pool] | None:
    """The pools on the fabric, in order; None when one of them can't be joined."""
    offers = [offer for offer in ctx.offers(PoolOffer) if offer.fabric == ctx.part]
    others = {group for claim in ctx.offers(Claim) for group in claim.groups}
    pools = [_pool(offer, ground, others, ctx) for offer in offers]
    found = [pool for pool in pools if pool is not None]
    if len(found) < len(pools) or not _named_alike(found, ground, ctx):
        return None
    ctx.offer(Claim(ctx.part, tuple(sorted({name for offer in offers for name in _group_names(offer, ctx)}))))
    return found


def site_path(group: NodeGroup, ctx: PlanContext) -> Path:
    """Where the site file describes a node group."""
    return ("nodes", ctx.place.nodes.index(group))


def _groups(offer: PoolOffer, ctx: PlanContext) -> list[NodeGroup]:
    nodes = {node for rack in offer.racks for node in rack.nodes}
    return [group for group in ctx.place.nodes if not nodes.isdisjoint(group.nodes)]


def _group_names(offer: PoolOffer, ctx: PlanContext) -> list[str]:
    return [group.group for group in _groups(offer, ctx)]


def _pool(offer: PoolOffer, ground: Ground, others: set[str], ctx: PlanContext) -> Pool | None:
    groups = _groups(offer, ctx)
    if not groups or not _fits(offer, groups, ground, others, ctx):
        return None
    group = groups[0]
    labels = dict(offer.node_labels)
    nics = tuple(NicPort(nic.rail, nic.pci, nic.interface) for nic in sorted(group.nics, key=lambda nic: nic.rail))
    return Pool(
        name=offer.pool,
        label=labels.get(names.POOL_LABEL, offer.pool),
        accelerator=offer.accelerator,
        architecture=offer.architecture,
        node_labels=offer.node_labels,
        taints=offer.taints,
        nodes=tuple(node for rack in offer.racks for node in rack.nodes),
        blocks=tuple(dict.fromkeys(rack.block for rack in offer.racks)),
        group=group,
        nics=nics,
        nic_type=ctx.catalog.row("nics", str(group.nic_model)).text("device_id"),
    )


def _fits(offer: PoolOffer, groups: list[NodeGroup], ground: Ground, others: set[str], ctx: PlanContext) -> bool:
    """Every rule of one pool, so that all that is wrong with it shows at once."""
    checks = [
        _one_fabric(offer, groups, others, ctx),
        _one_domain(offer, ctx),
        _same_nics(offer, groups, ctx),
    ]
    checks += [_on_each_rail(group, ground, ctx) for group in groups]
    checks += [_fast_enough(group, ground, ctx) for group in groups if group.nics]
    return all(checks)


def _one_fabric(offer: PoolOffer, groups: list[NodeGroup], others: set[str], ctx: PlanContext) -> bool:
    taken = sorted(group.group for group in groups if group.group in others)
    return ctx.check(
        "FAB-006",
        not taken,
        f"pool {offer.pool} puts NICs of {', '.join(taken)} on {ctx.part}, and another fabric has them already",
        (),
        "let the pools of one node group use one fabric",
    )


def _one_domain(offer: PoolOffer, ctx: PlanContext) -> bool:
    row = ctx.catalog.row("accelerators", offer.accelerator)
    domain = row.value("interconnect.scale_up_domain")
    spans = isinstance(domain, int) and domain > NODE_DOMAIN
    return ctx.check(
        "FAB-019",
        not spans,
        f"{offer.accelerator} of pool {offer.pool} is joined by NVLink over {domain} GPUs, beyond its nodes "
        f"of {offer.gpus_per_node}",
        (),
        "use an accelerator whose NVLink ends at the node, such as b200; ComputeDomains are not built yet",
    )


def _same_nics(offer: PoolOffer, groups: list[NodeGroup], ctx: PlanContext) -> bool:
    layouts = {
        (group.nic_model, group.host.ofed, tuple(sorted((nic.rail, nic.pci) for nic in group.nics))) for group in groups
    }
    return ctx.check(
        "FAB-005",
        len(layouts) == 1,
        f"pool {offer.pool} has nodes of {' and '.join(group.group for group in groups)}, which differ in "
        "NIC model, PCI addresses or host.ofed",
        ("nodes",),
        "make a pool of each node group",
        document="site",
    )


def _on_each_rail(group: NodeGroup, ground: Ground, ctx: PlanContext) -> bool:
    rails = sorted(nic.rail for nic in group.nics)
    return ctx.check(
        "FAB-004",
        rails == list(range(ground.rails)),
        f"nodes of {group.group} have NICs on rails {rails or 'none'}; {ground.kind} has rails 0 to {ground.rails - 1}",
        (*site_path(group, ctx), "nics"),
        f"list one NIC for each rail in {group.group}, or set network.{ground.kind}.rails to {len(set(rails)) or 1}",
        document="site",
    )


def _fast_enough(group: NodeGroup, ground: Ground, ctx: PlanContext) -> bool:
    field = "ethernet_gbps" if ground.kind == "roce" else "infiniband_gbps"
    most = ctx.catalog.row("nics", str(group.nic_model)).count(field)
    return ctx.check(
        "FAB-021",
        ground.gbps <= most,
        f"rails of {ground.gbps} Gbit/s with {group.nic_model} in {group.group}, which has {most} at most",
        (*site_path(group, ctx), "nic_model"),
        f"set network.{ground.kind}.gbps to {most}, or correct nic_model",
        document="site",
    )


def _named_alike(pools: list[Pool], ground: Ground, ctx: PlanContext) -> bool:
    """Shared rails name a host interface, one for all nodes. Pools of other modes are selected by PCI
    address."""
    if not ground.mode.shared or not pools:
        return True
    named: dict[int, set[str]] = {}
    for pool in pools:
        for nic in pool.nics:
            named.setdefault(nic.rail, set()).add(nic.interface)
    wrong = [rail for rail, interfaces in sorted(named.items()) if len(interfaces) > 1]
    return ctx.check(
        "FAB-023",
        not wrong,
        lambda: f"rail {wrong[0]} is {' and '.join(sorted(named[wrong[0]]))} on different nodes",
        ("nodes",),
        f"give the interfaces one name on all nodes, such as eth_rail{wrong[0] if wrong else 0}",
        document="site",
    )
