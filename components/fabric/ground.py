"""The fabric that the site has, in one form for Ethernet and InfiniBand, with what must hold of it alone."""

from __future__ import annotations

from ipaddress import IPv4Network

from msgspec import Struct

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.fabric.model import Kind
from aifactory.components.fabric.modes import ModeFacts, mode_of, others
from aifactory.components.fabric.spec import FabricSpec
from aifactory.components.given import NodeGroup
from aifactory.components.given_network import InfinibandGiven, RoceGiven
from aifactory.components.offers import FabricOffer
from aifactory.components.problems import Path

KINDS: tuple[Kind, ...] = ("roce", "infiniband")
CNP_PRIORITY = 6
"""Priority of congestion notifications: what NICs are given (CNP_802P_PRIO), and Cumulus Linux schedules
strictly.
Source: Mellanox/nic-configuration-operator README.md; Cumulus Linux RoCE documentation."""


_CARRIER = IPv4Network("100.64.0.0/10")
"""Shared address space, as free for a fabric as a private one. Source: RFC 6598."""


class Ground(Struct, frozen=True):
    """A fabric of the site."""

    kind: Kind
    mode: ModeFacts
    rails: int
    space: IPv4Network
    mtu: int
    gbps: int
    routed: bool
    net_prefix: str
    """Start of the interface names that an operator keeps, such as `eth_rail`; empty when names stay as they
    are."""
    roce: RoceGiven | None
    infiniband: InfinibandGiven | None

    @property
    def at(self) -> Path:
        """Where the site file says it."""
        return ("network", self.kind)


def with_nics(ctx: PlanContext) -> list[NodeGroup]:
    """Node groups that a fabric reaches."""
    return [group for group in ctx.place.nodes if group.nics]


def choose(spec: FabricSpec, ctx: PlanContext) -> Kind | None:
    """Which fabric of the site the part is about; None with a problem when there is no answer."""
    site = {"roce": ctx.place.network.roce, "infiniband": ctx.place.network.infiniband}
    has: list[Kind] = [kind for kind in KINDS if site[kind]]
    fits: list[Kind] = [kind for kind in has if spec.type in ("any", kind)]
    name = ctx.place.site
    if not ctx.check("FAB-001", len(fits) == 1, lambda: _no_choice(spec.type, has, name), ("type",), _hint(has)):
        return None
    kind = fits[0]
    other = next((offer.part for offer in ctx.offers(FabricOffer) if offer.kind == kind), "")
    if not ctx.check(
        "FAB-002",
        not other,
        f"{ctx.part} and {other} are both the {kind} fabric of {name}",
        ("type",),
        f"drop one of them, or give each its own type: {name} has {' and '.join(has)}",
    ):
        return None
    reason = f"{name} has no other fabric" if len(has) == 1 else "the part names it"
    rejected = [Rejected(other_kind, "the part is about one fabric") for other_kind in has if other_kind != kind]
    return ctx.decide("kind", kind, reason, rejected=rejected, source=("network", kind), document="site")


def _no_choice(asked: str, has: list[Kind], site: str) -> str:
    if asked == "any" and has:
        return f"{site} has {' and '.join(has)}, and the part doesn't say which one it is about"
    return f"{site} has {' and '.join(has) or 'no fabric'}" + ("" if asked == "any" else f", not {asked}")


def _hint(has: list[Kind]) -> str:
    if not has:
        return "set fabric of the pools to none, or describe network.roce or network.infiniband in the site file"
    return (
        f"set type of the fabric part to {' or '.join(has)}; where the blueprint has none, add one: "
        f"{{kind: fabric, name: fabric, type: {has[0]}}}"
    )


def survey(kind: Kind, spec: FabricSpec, ctx: PlanContext) -> Ground | None:
    """The fabric with its mode and rate; None when no node of the site has a NIC on it."""
    groups = with_nics(ctx)
    network = ctx.place.network
    given = network.roce if kind == "roce" else network.infiniband
    if given is None or not ctx.check(
        "FAB-004",
        bool(groups),
        f"no node group of {ctx.place.site} has nics",
        ("nodes",),
        "list the NICs of the GPU nodes in nodes[].nics of the site file",
        document="site",
    ):
        return None
    mode = mode_of(kind, given.mode)
    ground = Ground(
        kind=kind,
        mode=mode,
        rails=given.rails,
        space=IPv4Network(given.addresses),
        mtu=given.mtu,
        gbps=given.gbps or _rate(kind, groups, ctx),
        routed=kind == "roce" and bool(network.roce and network.roce.routed),
        net_prefix=_net_prefix(mode, spec, groups, ctx),
        roce=network.roce if kind == "roce" else None,
        infiniband=network.infiniband if kind == "infiniband" else None,
    )
    ctx.check(
        "FAB-027",
        ground.space.is_private or ground.space.subnet_of(_CARRIER),
        f"{ground.space} is public: pods that talk to these addresses elsewhere reach a rail instead",
        (*ground.at, "addresses"),
        "use a space of your own, such as 172.16.0.0/14",
        "site",
    )
    _decide(ground, groups, ctx)
    return ground


def _rate(kind: Kind, groups: list[NodeGroup], ctx: PlanContext) -> int:
    field = "ethernet_gbps" if kind == "roce" else "infiniband_gbps"
    return min(ctx.catalog.row("nics", str(group.nic_model)).count(field) for group in groups)


def _net_prefix(mode: ModeFacts, spec: FabricSpec, groups: list[NodeGroup], ctx: PlanContext) -> str:
    """The common start of interface names, when all end in their rail and an operator of ours keeps names."""
    if mode.virtual or not spec.nic_configuration or "network-operator" in ctx.place.cluster.provides:
        return ""
    stems = {
        nic.interface.removesuffix(str(nic.rail)) if nic.interface.endswith(str(nic.rail)) else ""
        for group in groups
        for nic in group.nics
    }
    stem = stems.pop()
    return stem if not stems and stem and not stem[-1].isdigit() else ""


def _decide(ground: Ground, groups: list[NodeGroup], ctx: PlanContext) -> None:
    at = ground.at
    models = sorted({str(group.nic_model) for group in groups})
    ctx.decide(
        "mode",
        ground.mode.mode,
        ground.mode.reason,
        rejected=[Rejected(each.mode, each.against) for each in others(ground.kind, ground.mode.mode)],
        facts=[f"nics/{model}" for model in models],
        source=(*at, "mode"),
        document="site",
    )
    ctx.decide(
        "rails",
        ground.rails,
        f"{ground.rails} NICs of each node, NIC i of every node at leaf i: one network, resource and "
        "address pool a rail",
        source=(*at, "rails"),
        document="site",
    )
    ctx.decide("mtu", ground.mtu, _mtu_reason(ground), source=(*at, "mtu"), document="site")
    ctx.decide(
        "gbps_per_rail",
        ground.gbps,
        f"line rate of one rail, over {' and '.join(models)}",
        facts=[f"nics/{model}" for model in models],
        source=at,
        document="site",
    )


def _mtu_reason(ground: Ground) -> str:
    if ground.kind == "infiniband":
        return "IP over InfiniBand, on a fabric whose own MTU is 4096"
    return "on NIC, virtual function and pod alike; the switch ports carry more"
