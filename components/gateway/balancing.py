"""The load balancer before a door where the venue makes one: at AWS, a network load balancer inside the VPC."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network

from aifactory.components.aws_offers import BALANCER_CLASS, BalancerDemand, VpcOffer, tags_of
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.gateway.decided import BalancerPlan, ModelPlan
from aifactory.components.gateway.spec import GatewaySpec

IDLE_AT_LEAST_S, IDLE_AT_MOST_S = 350, 6_000
"""Bounds of the time after which a network load balancer forgets a silent connection; the first is its default.
Source: Elastic Load Balancing User Guide, network load balancers, connection idle timeout (60 to 6000 s)."""
DRAIN_AT_MOST_S = 3_600
"""Longest deregistration delay of a target group. Source: the same, target group attributes."""


def fits(spec: GatewaySpec, ctx: PlanContext) -> bool:
    """Whether clients reach a load balancer here, and the site asks for nothing that it isn't."""
    vpc = _vpc(spec, ctx)
    given = ctx.place.endpoints
    if vpc is None or given is None:
        return True
    ways = [IPv4Network(network) for network in vpc.reached_from]
    lost = [client for client in given.clients if not any(IPv4Network(client).subnet_of(way) for way in ways)]
    reached = ctx.check(
        "GTW-035",
        not lost,
        f"{', '.join(lost)} may call {spec.name}, and no way leads from there to the VPC",
        ("endpoints", "clients"),
        f"name networks inside {', '.join(vpc.reached_from)}, or add theirs to aws.reached_from: the load balancer has "
        "no public address",
        "site",
    )
    known = given.load_balancer_class in (None, BALANCER_CLASS)
    own = ctx.check(
        "GTW-036",
        known and given.address is None,
        f"nothing here makes a load balancer of class {given.load_balancer_class}"
        if not known
        else f"a load balancer of AWS has an address in each zone, and can't have {given.address} alone",
        ("endpoints", "address" if known else "load_balancer_class"),
        f"delete it: the cluster's own controller makes them, of class {BALANCER_CLASS}, and gives each a name in DNS",
        "site",
    )
    return reached and own


def decide(spec: GatewaySpec, models: tuple[ModelPlan, ...], ctx: PlanContext) -> BalancerPlan | None:
    """The load balancer; None where the cluster has its own, or none is asked for."""
    vpc = _vpc(spec, ctx)
    if vpc is None:
        return None
    silence, longest = max(model.silence_s for model in models), max(model.timeout_s for model in models)
    ctx.check(
        "GTW-037",
        silence <= IDLE_AT_MOST_S,
        f"a model may be silent for {silence} s, and the load balancer forgets a silent connection after "
        f"{IDLE_AT_MOST_S} s",
        ("silence_s",),
        f"set silence_s to {IDLE_AT_MOST_S} or less, or let clients stream answers",
    )
    plan = BalancerPlan(
        subnets=vpc.subnets,
        checks_from=vpc.networks,
        idle_s=min(max(silence, spec.idle_timeout_s, IDLE_AT_LEAST_S), IDLE_AT_MOST_S),
        drain_s=min(longest, DRAIN_AT_MOST_S),
        tags=tags_of(ctx.part, classes(models), tenants(models)),
    )
    ctx.offer(BalancerDemand(ctx.part))
    _explain(plan, ctx)
    return plan


def classes(models: Iterable[ModelPlan]) -> set[str]:
    """Classes of the data that requests hold."""
    return {name for model in models for name, _, _ in model.residency}


def tenants(models: Iterable[ModelPlan]) -> set[str]:
    """Who may ask."""
    return {name for model in models for name in model.tenants}


def _explain(plan: BalancerPlan, ctx: PlanContext) -> None:
    ctx.decide(
        "load_balancer",
        "a network load balancer, internal, to pods by address",
        "it has private addresses alone, in the subnets of the control plane, where no pod is: what checks proxies "
        "comes from there, so a policy lets it in and nobody else. Proxies see the client's own address, by which "
        "their policies and its security group hold it. Each zone's address leads to proxies of all zones",
        rejected=[
            Rejected("internet-facing", "prompts would come over the internet, to a door that anybody may knock at"),
            Rejected("targets by node", "each node would open a port, and packets would come from nodes"),
            Rejected(
                "a certificate of ACM at the load balancer",
                "it would end TLS and read each prompt, and it asks proxies without the name of the host, by which "
                "they tell tokens from keys, and one tenant's keys from another's",
            ),
        ],
    )
    ctx.decide(
        "load_balancer.idle_s",
        plan.idle_s,
        f"an answer that isn't streamed is silent to its end; its own {IDLE_AT_LEAST_S} s would drop such connections "
        "without a word",
    )


def _vpc(spec: GatewaySpec, ctx: PlanContext) -> VpcOffer | None:
    return next(iter(ctx.offers(VpcOffer)), None) if spec.reach == "site" else None
