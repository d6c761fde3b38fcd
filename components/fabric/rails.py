"""Rails as pods see them: addresses and networks."""

from __future__ import annotations

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.fabric import addresses
from aifactory.components.fabric.ground import Ground, with_nics
from aifactory.components.fabric.model import AddressPool, Network, NodePrefix
from aifactory.components.fabric.modes import resource_of
from aifactory.components.fabric.nics import functions
from aifactory.components.fabric.pools import Pool
from aifactory.components.fabric.spec import FabricSpec
from aifactory.components.offers import QueueOffer


def inventory(ctx: PlanContext) -> list[str]:
    """Nodes with NICs in order of the site file: a node's addresses and ports follow from its place in it."""
    return [node for group in with_nics(ctx) for node in group.nodes]


def rail_name(identity: str, rail: int) -> str:
    """Name of a rail's network and address pool."""
    return f"{identity}-rail-{rail}"


def interfaces_per_node(spec: FabricSpec, ground: Ground) -> int:
    """Pod interfaces of a node on one rail, and so its addresses."""
    return functions(spec, ground) or ground.mode.pods_per_node


def address_pools(
    pools: list[Pool], spec: FabricSpec, ground: Ground, identity: str, ctx: PlanContext
) -> tuple[AddressPool, ...]:
    """The addresses of each rail; none, with a problem, when the space is too small."""
    nodes = inventory(ctx) if ground.routed else [node for pool in pools for node in pool.nodes]
    per_node = interfaces_per_node(spec, ground)
    measure = addresses.routed_shortage if ground.routed else addresses.flat_shortage
    lack = measure(ground.space, ground.rails, len(nodes), per_node)
    if not ctx.check(
        "FAB-015",
        lack is None,
        lambda: (
            f"{ground.space} gives each of {ground.rails} rails {_count(lack)}; {len(nodes)} nodes with "
            f"{per_node} interfaces on a rail need {lack.needed if lack else 0}"
        ),
        (*ground.at, "addresses"),
        _space_hint(lack, ground),
        document="site",
    ):
        return ()
    _decide(nodes, per_node, ground, ctx)
    labels = tuple(pool.label for pool in pools)
    return tuple(_address_pool(rail, nodes, per_node, ground, identity, labels) for rail in range(ground.rails))


def _count(lack: addresses.Shortage | None) -> str:
    return f"{lack.has} addresses" if lack and lack.has else "no usable subnet"


def _space_hint(lack: addresses.Shortage | None, ground: Ground) -> str:
    fewer = ", or lower virtual_functions" if ground.mode.virtual else ""
    if lack is None or lack.prefix_needed < 1:
        return f"use fewer nodes{fewer}"
    return f"give network.{ground.kind}.addresses a /{lack.prefix_needed} or larger{fewer}"


def _address_pool(
    rail: int, nodes: list[str], per_node: int, ground: Ground, identity: str, pools: tuple[str, ...]
) -> AddressPool:
    subnet = addresses.share(ground.space, ground.rails, rail)
    length = addresses.node_prefix_length(per_node) if ground.routed else 0
    prefixes = [addresses.node_prefix(subnet, length, index) for index in range(len(nodes))] if length else []
    route = str(ground.space if ground.mode.chained else subnet)
    return AddressPool(
        name=rail_name(identity, rail),
        rail=rail,
        cidr=str(subnet),
        pools=pools,
        per_node=0 if length else per_node,
        node_prefix=length,
        gateway_index=addresses.gateway_index(length) if length else 0,
        route=route if length else "",
        nodes=tuple(NodePrefix(node, *found) for node, found in zip(nodes, prefixes, strict=False)),
    )


def _decide(nodes: list[str], per_node: int, ground: Ground, ctx: PlanContext) -> None:
    shares = [str(addresses.share(ground.space, ground.rails, rail)) for rail in range(ground.rails)]
    source = (*ground.at, "addresses")
    ctx.decide("addresses", shares, "an equal share for each rail", source=source, document="site")
    if ground.mode.mode == "sriov-ethernet":
        ctx.decide(
            "virtual_function.trust",
            "trusted, no MAC check",
            "as in NVIDIA's RoCE profiles: the plugin chain sets address and ARP behaviour of the function after it "
            "moved into the pod. Pods hold no NET_ADMIN, so none can change its MAC itself",
            rejected=[
                Rejected("untrusted, MAC checked", "frames of a function that the chain set up anew are dropped")
            ],
        )
    if not ground.routed:
        ctx.decide(
            "addressing",
            f"flat, {per_node} addresses a node",
            f"a rail is one subnet: each of {len(nodes)} nodes gets a block of {per_node} from it",
        )
        return
    length = addresses.node_prefix_length(per_node)
    reach = (
        "the whole fabric, by the rail of the source address"
        if ground.mode.chained
        else "its own rail; the network of this mode can't chain source routing"
    )
    ctx.decide(
        "addressing",
        f"routed, /{length} a node",
        f"the leaf is the gateway: {per_node} interfaces and the gateway fit a /{length}. Each of "
        f"{len(nodes)} nodes of the inventory has its prefix by its place there, so adding nodes at the end "
        f"moves none. Pods reach {reach}",
        source=(*ground.at, "routed"),
        document="site",
    )


def networks(pools: list[Pool], ground: Ground, identity: str, ctx: PlanContext) -> tuple[Network, ...]:
    """The network of each rail."""
    several = ground.rails > 1
    chained = ground.mode.chained
    interfaces = {nic.rail: nic.interface for pool in pools for nic in pool.nics}
    if several:
        ctx.decide(
            "arp",
            "arp_ignore 1, arp_announce 2",
            f"a pod has {ground.rails} interfaces; without this one rail answers for the addresses of another"
            + ("" if chained else ". Pods get it from their hosts, whose settings a new network namespace starts with"),
        )
    return tuple(
        Network(
            name=rail_name(identity, rail),
            rail=rail,
            resource="" if ground.mode.shared else resource_of(ground.kind, rail),
            interface=interfaces.get(rail, "") if ground.mode.shared else "",
            mtu=ground.mtu,
            addresses=rail_name(identity, rail),
            routed=ground.routed,
            quiet_arp=several and chained,
            source_routing=ground.routed and chained,
            rdma_namespace=ground.mode.virtual and ground.roce is not None,
        )
        for rail in range(ground.rails)
    )


def check_tenants(pools: list[Pool], ground: Ground, ctx: PlanContext) -> None:
    """Warns when tenants share a device."""
    names = {pool.name for pool in pools}
    tenants = {
        tenant.tenant for offer in ctx.offers(QueueOffer) if names & set(offer.pools) for tenant in offer.tenants
    }
    ctx.check(
        "FAB-022",
        not ground.mode.shared or len(tenants) < 2,
        f"{len(tenants)} tenants share the RDMA devices of each node, in mode {ground.mode.mode}",
        (*ground.at, "mode"),
        f"set network.{ground.kind}.mode to sriov",
        document="site",
    )
