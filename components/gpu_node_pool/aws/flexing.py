"""Decides nodes that come and go: how many are bought in which way, first to last, within what they may cost."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components import names
from aifactory.components.aws_nodes import NodesOffer
from aifactory.components.aws_place import AwsPlace, aws_place
from aifactory.components.aws_sold import sold_in
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.given_aws_nodes import Purchase, RentedNodesGiven
from aifactory.components.gpu_node_pool.aws import buying, grouping
from aifactory.components.gpu_node_pool.aws.cards import PRIMARY, InstanceFacts, facts_of
from aifactory.components.gpu_node_pool.aws.model import FlexPlan, FlexShare, TakenNodes
from aifactory.components.gpu_node_pool.drafts import Resolved
from aifactory.components.gpu_node_pool.labels import TAINT
from aifactory.components.gpu_node_pool.spec import FlexNodes

WEIGHTS: dict[Purchase, int] = {"capacity-block": 100, "reserved": 90, "spot": 50, "on-demand": 10}
"""Order in which Karpenter uses shares: what is paid already, then what costs least. Source: its NodePool weight."""
PAID: tuple[Purchase, ...] = ("capacity-block", "reserved")


class Share(Struct, frozen=True):
    """A group, and how many of its nodes there may be."""

    group: RentedNodesGiven
    nodes: int
    usd_per_hour: float
    """What one costs that isn't paid already. Unit: USD per hour."""


def decide_flex(
    draft: Resolved, flex: FlexNodes, groups: list[RentedNodesGiven], ground: NodesOffer, ctx: PlanContext
) -> FlexPlan | None:
    """What Karpenter is told; None after a problem."""
    place = aws_place(ctx.place)
    alike = _alike(groups, ctx)
    bought = [
        buying.is_sold(group, facts_of(ctx.catalog, group.instance_type), place, ctx, f"purchase.{group.group}")
        and buying.suits(group, group.nodes, draft.wishes, joined=False, ctx=ctx)
        for group in alike
    ]
    if not all(bought):
        return None
    shares = _shares(draft, flex, alike, place, ctx)
    if shares is None:
        return None
    made = [_share(draft, share, place, ctx) for share in shares]
    found = tuple(share for share in made if share is not None)
    if len(found) < len(made):
        return None
    for share in shares:
        ctx.offer(TakenNodes(ctx.part, share.group.group, share.nodes))
    return FlexPlan(
        ground=ground,
        shares=found,
        labels=((names.POOL_LABEL, draft.wishes.identity), (names.ACCELERATOR_LABEL, draft.card.key)),
        taints=(TAINT,) if draft.wishes.dedicated else (),
        empty_after_s=flex.empty_after_s,
        expire_after=f"{flex.expire_after_h}h" if flex.expire_after_h else "Never",
    )


def _alike(groups: list[RentedNodesGiven], ctx: PlanContext) -> list[RentedNodesGiven]:
    """Groups whose nodes have as many accelerators as those of the first: pods count on it."""
    counts = {group.group: facts_of(ctx.catalog, group.instance_type).accelerators for group in groups}
    return [group for group in groups if counts[group.group] == counts[groups[0].group]]


def _shares(
    draft: Resolved, flex: FlexNodes, groups: list[RentedNodesGiven], place: AwsPlace, ctx: PlanContext
) -> list[Share] | None:
    """Nodes by group, those that are used first before others, until there are as many as the pool may have."""
    wanted = draft.wishes.nodes
    left = int(wanted) if isinstance(wanted, int) else 0
    money = flex.usd_per_hour
    found: list[Share] = []
    for group in sorted(groups, key=lambda each: -WEIGHTS[each.purchase]):
        usd = 0.0 if group.purchase in PAID else _price(group, place, ctx)
        count = min(left, buying.left_of(group, ctx))
        if money is not None and usd:
            count = min(count, int(money // usd))
            money -= count * usd
        left -= count
        found += [Share(group, count, usd)] if count > 0 else []
    bound = ctx.check(
        "AWS-117",
        bool(found),
        f"pool {ctx.part} may cost {flex.usd_per_hour} USD an hour, and no node of its groups costs less"
        if flex.usd_per_hour
        else f"all nodes of the groups of pool {ctx.part} belong to other pools",
        ("flex", "usd_per_hour") if flex.usd_per_hour else ("nodes",),
        "raise it above the price of one node, or rent a smaller type",
    )
    if not bound:
        return None
    _decide(found, flex, int(wanted) if isinstance(wanted, int) else 0, ctx)
    return found


def _price(group: RentedNodesGiven, place: AwsPlace, ctx: PlanContext) -> float:
    """What a node costs on demand or on Spot: what is known to be sold so is known by its price."""
    found = sold_in(ctx.catalog, group.instance_type, place.aws.region, group.purchase, place.aws.offers)
    assert found is not None  # noqa: S101 - whether it is sold was asked before
    assert found.usd_per_hour is not None  # noqa: S101 - only Capacity Blocks are listed without a price
    return found.usd_per_hour


def _decide(shares: list[Share], flex: FlexNodes, wanted: int, ctx: PlanContext) -> None:
    nodes = sum(share.nodes for share in shares)
    usd = sum(share.nodes * share.usd_per_hour for share in shares)
    ctx.decide(
        "nodes",
        nodes,
        f"at most, as pods need them; {wanted} are asked for"
        + (f", and they cost {usd:.2f} of {flex.usd_per_hour:g} USD an hour" if flex.usd_per_hour else ""),
        rejected=[Rejected("a node group of a fixed size", "nodes that nobody uses cost what used ones cost")],
        source=("nodes",),
    )
    ctx.decide(
        "shares",
        [
            f"{share.group.group}: {share.nodes} x {share.group.instance_type} {share.group.purchase}"
            for share in shares
        ],
        "what is paid already is used first, then Spot, then on demand; each share has a limit, so that all of them "
        "together never cost more",
        rejected=[Rejected("one share for all", "its limit couldn't tell a reserved node from one on demand")],
        facts=[f"aws-instances/{share.group.instance_type}" for share in shares],
        because=[f"{ctx.part}.nodes"],
    )
    ctx.decide("racks", "none", "a node is where there is one to rent", because=[f"{ctx.part}.shares"])
    ctx.decide(
        "group",
        [share.group.group for share in shares],
        "groups of the site with as many accelerators a node",
        because=[f"{ctx.part}.shares"],
    )
    ctx.decide(
        "disruption",
        f"empty for {flex.empty_after_s} s",
        "a node with pods of workloads is never taken to save money: a job would begin again",
        rejected=[Rejected("WhenEmptyOrUnderutilized", "it moves pods that run to pack nodes better")],
        source=("flex", "empty_after_s"),
    )


def _share(draft: Resolved, share: Share, place: AwsPlace, ctx: PlanContext) -> FlexShare | None:
    group = share.group
    facts: InstanceFacts = facts_of(ctx.catalog, group.instance_type)
    pods = grouping.pods_of(group, facts, (PRIMARY,), place, ctx, f"max_pods.{group.group}")
    if pods is None:
        return None
    zones = (group.zone,) if group.zone else tuple(zone.zone for zone in place.aws.zones)
    name = f"{draft.wishes.identity}-{group.group}"
    grouping.offer_demand(name, share.nodes, zones, pods, facts, ctx)
    grouping.note(group, place, ctx)
    return FlexShare(
        name=name,
        instance_type=group.instance_type,
        capacity="reserved" if group.purchase in PAID else "spot" if group.purchase == "spot" else "on-demand",
        zones=zones,
        reservation=group.reservation or "",
        nodes=share.nodes,
        weight=WEIGHTS[group.purchase],
        ami_release=group.ami_release,
        disk_gib=group.disk_gib,
        user_data=grouping.told(draft, facts, pods, None, ctx),
    )


def require_karpenter(plan: FlexPlan, ctx: PlanContext) -> None:
    """Ask for Karpenter, with what it can't find out: it reaches no metadata service."""
    place, ground = aws_place(ctx.place), plan.ground
    ctx.require(
        "karpenter",
        "nodes come when pods wait, and go when none needs them",
        {
            "settings": {
                "clusterName": ground.cluster,
                "interruptionQueue": ground.name("karpenter"),
                "isolatedVPC": place.aws.vpc.egress == "none",
                "eksControlPlane": True,
            },
            "serviceAccount": {"create": True, "name": "karpenter"},
            "controller": {"env": [{"name": "AWS_REGION", "value": ground.region.region}]},
        },
    )
