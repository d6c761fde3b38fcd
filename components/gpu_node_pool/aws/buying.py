"""Which rented nodes a pool gets, and whether AWS sells, places and interrupts them as the pool needs."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.aws_place import AwsPlace, aws_place
from aifactory.components.aws_sold import Sold, nearest, sold_in
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.given_aws_nodes import Purchase, RentedNodesGiven
from aifactory.components.gpu_node_pool.aws.cards import InstanceFacts
from aifactory.components.gpu_node_pool.aws.model import CapacityType, TakenNodes
from aifactory.components.gpu_node_pool.demanded import FOLLOWING
from aifactory.components.gpu_node_pool.drafts import Wishes
from aifactory.components.problems import Path

BLOCK_NODES = 64
"""Instances of a Capacity Block. Source: components/catalog/aws-instances.yaml, rules."""
CAPACITY: dict[Purchase, CapacityType] = {
    "on-demand": "ON_DEMAND",
    "reserved": "ON_DEMAND",
    "spot": "SPOT",
    "capacity-block": "CAPACITY_BLOCK",
}
"""Capacity type of a node group: a reservation is used by instances on demand that are launched into it."""
WORDS: dict[Purchase, str] = {
    "on-demand": "on demand",
    "reserved": "on demand, to reserve it",
    "spot": "on Spot",
    "capacity-block": "as Capacity Blocks",
}
WHY: dict[Purchase, str] = {
    "on-demand": "paid by the second, if there are any when the node group starts",
    "reserved": "reserved for the account, and paid whether they run or not",
    "spot": "what is left over, and taken back with two minutes' notice",
    "capacity-block": "reserved until their end, and paid before the beginning",
}


class Placement(Struct, frozen=True):
    """How nodes are put near each other."""

    group: str
    """Placement group by name, empty for none."""
    ours: bool
    """Whether the base makes it."""


def at(place: AwsPlace, group: RentedNodesGiven, *steps: str | int) -> Path:
    """Where the site file says something of a group."""
    return ("aws", "rented_nodes", place.aws.rented_nodes.index(group), *steps)


def left_of(group: RentedNodesGiven, ctx: PlanContext) -> int:
    """Nodes of a group that no pool has."""
    return group.nodes - sum(each.nodes for each in ctx.offers(TakenNodes) if each.group == group.group)


def chosen(
    wishes: Wishes, groups: list[RentedNodesGiven], wanted: int | None, place: AwsPlace, ctx: PlanContext
) -> tuple[RentedNodesGiven, int] | None:
    """The first group with nodes enough, and how many are taken of it; None after a problem. `wanted` None: all."""
    left = {group.group: left_of(group, ctx) for group in groups}
    group = next((each for each in groups if wanted and left[each.group] >= wanted), None)
    group = group or max(groups, key=lambda each: left[each.group])
    most = left[group.group]
    if not ctx.check(
        "GPU-012",
        0 < (wanted or 1) <= most,
        f"pool {ctx.part} wants {wanted or 'all'} nodes; of group {group.group} ({group.nodes} {group.instance_type}) "
        f"{most} are left",
        ("nodes",),
        (f"set nodes to {most}, or " if most and isinstance(wishes.nodes, int) else "")
        + f"raise nodes of group {group.group} in the site file, if there are more to rent",
    ):
        return None
    count = wanted or most
    ctx.decide(
        "group",
        group.group,
        f"{group.instance_type}, {group.purchase}: {WHY[group.purchase]}",
        rejected=[
            Rejected(each.group, f"{left[each.group]} {each.instance_type} are left of it")
            for each in groups
            if each is not group
        ],
        facts=[f"aws-instances/{group.instance_type}"],
        source=at(place, group),
        document="site",
    )
    ctx.decide(
        "nodes",
        count,
        f"{count} x {group.instance_type}; fixed, because "
        + ("models reserve them" if wishes.workload == "inference" else "a gang needs every rank"),
        rejected=[Rejected("nodes that come and go", "the blueprint doesn't say flex of the pool")],
        facts=[f"aws-instances/{group.instance_type}"],
        because=[*([f"{ctx.part}.demand"] if wishes.nodes in FOLLOWING else []), f"{ctx.part}.group"],
        source=("nodes",),
    )
    return group, count


def is_sold(
    group: RentedNodesGiven, facts: InstanceFacts, place: AwsPlace, ctx: PlanContext, key: str = "purchase"
) -> bool:
    """Whether the region sells the type as the group says, by a sourced row; else the nearest region that does."""
    aws, purchase = place.aws, group.purchase
    flag = {"spot": "spot", "capacity-block": "capacity_blocks"}.get(purchase, "")
    ever = not flag or facts.row.value(flag) is not False
    if not ctx.check(
        "AWS-115",
        ever,
        f"{group.instance_type} is sold nowhere {WORDS[purchase]}",
        at(place, group, "purchase"),
        "write another purchase, or another type",
        "site",
    ):
        return False
    found = sold_in(ctx.catalog, group.instance_type, aws.region, purchase, aws.offers)
    held = ctx.check(
        "AWS-107",
        found is not None,
        f"whether {aws.region} sells {group.instance_type} {WORDS[purchase]} is unknown: no source has a row for it",
        at(place, group, "instance_type"),
        _elsewhere(group, place, ctx),
        "site",
    )
    if found is not None:
        _decide_sold(key, group, found, place, ctx)
    return held


def _elsewhere(group: RentedNodesGiven, place: AwsPlace, ctx: PlanContext) -> str:
    state = (
        f"state it with evidence: aws.offers: [{{instance_type: {group.instance_type}, purchase: {group.purchase}, "
        "usd_per_hour: ..., evidence: ..., seen: ...}]"
    )
    found = nearest(ctx.catalog, group.instance_type, place.location.country, group.purchase)
    if found is None:
        return state
    price = "at a price that no source has"
    if found.sold.usd_per_hour is not None:
        more = found.more_percent
        price = f"at {found.sold.usd_per_hour:.2f} USD an hour, " + (
            f"{more} percent above where it costs least" if more else "the least of all regions"
        )
    return f"the nearest that does is {found.sold.region} ({found.country}), {price}; or {state}"


def _decide_sold(key: str, group: RentedNodesGiven, found: Sold, place: AwsPlace, ctx: PlanContext) -> None:
    price = "no price is sourced" if found.usd_per_hour is None else f"{found.usd_per_hour:.2f} USD an hour"
    ctx.decide(
        key,
        group.purchase,
        f"{place.aws.region} sells {group.instance_type} {WORDS[group.purchase]}: {found.says}; {price}",
        facts=[found.ref] if found.ref else [],
        source=at(place, group, "purchase"),
        document="site",
    )


def placed(
    group: RentedNodesGiven, nodes: int, name: str, *, joined: bool, place: AwsPlace, ctx: PlanContext
) -> Placement | None:
    """The placement group, if EC2 takes it together with the purchase; None after a problem."""
    given, purchase = group.placement_group, group.purchase
    if not ctx.check(
        "AWS-109",
        given is None or purchase == "reserved",
        f"placement group {given} with purchase {purchase}",
        at(place, group, "placement_group"),
        "delete placement_group: AWS places a Capacity Block itself"
        if purchase == "capacity-block"
        else "delete placement_group: the factory makes one where nodes are in no reservation",
        "site",
    ):
        return None
    ours = joined and nodes > 1 and purchase in ("on-demand", "spot")
    whys = {
        "capacity-block": "a Capacity Block lies in an UltraCluster, where AWS places it",
        "reserved": "a reservation is used from the placement group that it was made in, and from no other",
    }
    ctx.decide(
        "placement_group",
        name if ours else given or "none",
        whys.get(purchase)
        or ("nodes of a fabric start near each other, or not at all" if ours else "each job stays on one node"),
        rejected=[Rejected("none", "EFA works across a zone, and each hop more is latency in each collective")]
        if ours
        else [],
        source=at(place, group, "placement_group") if given else (),
        document="site" if given else "blueprint",
    )
    return Placement(name if ours else given or "", ours)


def suits(group: RentedNodesGiven, nodes: int, wishes: Wishes, *, joined: bool, ctx: PlanContext) -> bool:
    """Whether the pool can live with how its nodes are bought."""
    place = aws_place(ctx.place)
    nvidia = ctx.catalog.row("aws-instances", group.instance_type).text("accelerator").startswith("nvidia-")
    held = [
        ctx.check(
            "AWS-108",
            not joined or group.zone is not None,
            f"pool {ctx.part} is on a fabric, and group {group.group} is spread over the zones of {place.site}",
            at(place, group),
            f"add zone: one of {', '.join(zone.zone for zone in place.aws.zones)}",
            "site",
        ),
        ctx.check(
            "AWS-112",
            group.purchase != "spot" or wishes.workload != "training" or not joined,
            f"pool {ctx.part} trains on Spot nodes of group {group.group}",
            at(place, group, "purchase"),
            "write purchase: on-demand, reserved or capacity-block, or workload: inference of the pool",
            "site",
        ),
        ctx.check(
            "AWS-114",
            group.purchase != "capacity-block" or nodes <= BLOCK_NODES,
            f"{nodes} nodes in Capacity Block {group.reservation}",
            at(place, group, "nodes"),
            f"set nodes to {BLOCK_NODES} at most, and give each block a group and a pool",
            "site",
        ),
        ctx.check(
            "AWS-111",
            group.driver is not None or not nvidia,
            f"group {group.group} doesn't say which driver AMI release {group.ami_release} has",
            at(place, group),
            'add driver: "580...", as the release notes of the AMI name it',
            "site",
        ),
    ]
    return all(held)
