"""Divides the VPC, opens its ways, and holds its subnets against all that wants addresses."""

from __future__ import annotations

from collections.abc import Iterable

from aifactory.components.aws_place import AwsPlace, AwsRegion
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.cluster.aws import addresses, asked
from aifactory.components.cluster.aws.model import EksPlan, EndpointPlan, VpcPlan, WayPlan
from aifactory.components.counting import counted
from aifactory.components.offers import AddressDemand


def decide_vpc(place: AwsPlace, region: AwsRegion, ctx: PlanContext) -> VpcPlan | None:
    """The network; None where its address space is too small to divide."""
    given, zones = place.aws.vpc, place.aws.zones
    nat = given.egress == "nat"
    subnets = addresses.divided(given.cidr, zones, nat=nat)
    held = ctx.check(
        "AWS-102",
        subnets is not None,
        f"{given.cidr} doesn't divide into subnets of {counted(len(zones), 'zone')}",
        ("aws", "vpc", "cidr"),
        "choose a larger network, such as a /16: it costs nothing",
        "site",
    )
    if not held or subnets is None:
        return None
    ctx.decide(
        "aws.subnets",
        {subnet.name: subnet.cidr for subnet in subnets},
        f"one of {addresses.slices(len(zones))} equal parts a zone for nodes and pods, which take addresses alike; the "
        "last part holds what is small. Subnets keep their networks as zones are added, up to three and from four on",
        rejected=[
            Rejected("a second network for pods", "it is routed nowhere, so what pods call can't tell them apart")
        ],
        source=("aws", "vpc", "cidr"),
        document="site",
    )
    _decide_egress(place, ctx)
    _decide_buckets(region, ctx, nat=nat)
    ways = tuple(
        WayPlan(
            each.kind,  # type: ignore[arg-type]
            each.through,
            tuple(each.networks),
            each.account or region.account,
            each.region or region.region,
        )
        for each in place.aws.reached_from
    )
    return VpcPlan(given.cidr, subnets, _endpoints(given.egress, region, ctx), ways, nat)


def _decide_egress(place: AwsPlace, ctx: PlanContext) -> None:
    given = place.aws.vpc
    nat = given.egress == "nat"
    ctx.decide(
        "aws.egress",
        given.egress,
        "a NAT gateway in each zone: traffic stays in its zone, and a zone falls alone"
        if nat
        else "nothing in the VPC reaches the internet: no gateway exists that could",
        rejected=[
            Rejected("one NAT gateway", "each zone's traffic would fall with its zone, and pay between zones")
            if nat
            else Rejected("nat", "the site asks for no way out; APIs of AWS are reached through endpoints")
        ],
        source=("aws", "vpc", "egress"),
        document="site",
    )


def _decide_buckets(region: AwsRegion, ctx: PlanContext, *, nat: bool) -> None:
    ctx.decide(
        "aws.endpoint.s3.passes",
        {"written": f"of account {region.account}", "read": "any" if nat else f"of the account, {region.layer_bucket}"},
        "pods write to no bucket of another account through the endpoint; "
        + (
            "registries on the internet keep layers in buckets of the region, which pulls reach through the endpoint "
            "alone"
            if nat
            else "nodes install nothing as they start: their AMI has it all, and images come from ECR"
        ),
        rejected=[
            Rejected("a list of registries' buckets", "no registry but that of Kubernetes names its own")
            if nat
            else Rejected("repositories of Amazon Linux", "a node that is updated in place is none that its AMI made")
        ],
        facts=region.refs[1:],
        because=[f"{ctx.part}.aws.egress"],
    )


def _endpoints(egress: str, region: AwsRegion, ctx: PlanContext) -> tuple[EndpointPlan, ...]:
    rows = [row for row in ctx.catalog.rows("aws-eks.endpoints") if row.text("when") in ("always", egress)]
    for row in rows:
        ctx.decide(
            f"aws.endpoint.{row.key}", region.endpoint(row.key), row.text("why"), facts=[row.ref, *region.refs[1:2]]
        )
    return tuple(
        EndpointPlan(row.key, region.endpoint(row.key), row.text("kind") == "Interface", row.text("why"))
        for row in rows
    )


def addresses_suffice(plan: EksPlan, ctx: PlanContext) -> bool:
    """Whether each subnet holds what other parts and the cluster itself put into it."""
    demands = ctx.offers(AddressDemand)
    attachments = sum(way.kind == "tgw" for way in plan.vpc.ways)
    interfaces = sum(endpoint.interface for endpoint in plan.vpc.endpoints)
    held = []
    for subnet in plan.vpc.subnets:
        if subnet.kind == "public":
            continue
        if subnet.kind == "nodes":
            needed, who = addresses.in_zone(demands, subnet.zone), _wants(demands, subnet.zone)
            hint = _larger(len(plan.vpc.of_kind("nodes")), needed)
        else:
            balancers = asked.balancers(ctx)
            needed = addresses.in_control(interfaces, attachments, balancers)
            others = [(interfaces, "endpoint"), (attachments, "attachment"), (balancers, "load balancer")]
            who = "the control plane, " + " and ".join(counted(number, thing) for number, thing in others if number)
            hint = f"make fewer load balancers: these subnets are /{addresses.CONTROL_LENGTH} in every VPC"
        there = addresses.room(subnet.cidr)
        held.append(
            ctx.check(
                "AWS-101",
                needed <= there,
                f"{who} want {needed} addresses in {subnet.zone}, and its subnet {subnet.cidr} has {there}",
                ("aws", "vpc", "cidr"),
                hint,
                "site",
            )
        )
        if subnet.kind == "nodes":
            ctx.decide(
                f"aws.addresses.{subnet.zone_id}",
                needed,
                f"{_wants(demands, subnet.zone)}, full and while an update runs, and a load balancer; {subnet.cidr} "
                f"has {there}",
            )
    return all(held)


def _wants(demands: Iterable[AddressDemand], zone: str) -> str:
    return " and ".join(
        f"{each.nodes_per_zone} {each.nodes} of {each.part} with {addresses.of_node(each)} addresses each"
        for each in demands
        if zone in each.zones
    )


def _larger(zones: int, needed: int) -> str:
    length = addresses.shortest_that_fits(zones, needed)
    if length is None:
        return "no VPC has so many in a zone: spread the nodes over more sites, or lower pods per node"
    return f"choose a /{length} or larger as aws.vpc.cidr"
