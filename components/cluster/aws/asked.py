"""What other parts ask of the base: roles of pods, endpoints of services, and room for load balancers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from aifactory.components import names
from aifactory.components.aws_offers import BalancerDemand, EndpointDemand, Grant, PodRoleDemand, VpcOffer
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.cluster.aws.model import SUBNET_TOKEN, EksPlan, EndpointPlan, PodRolePlan, VpcPlan
from aifactory.components.cluster.aws.policies import Statement
from aifactory.components.values import Ref


def offer_vpc(vpc: VpcPlan, ctx: PlanContext) -> None:
    """Say where doors may stand, and whether anything leaves."""
    small = vpc.of_kind("control")
    ids = tuple(Ref(names.cloud_id(SUBNET_TOKEN, subnet.name), "id") for subnet in small)
    ctx.offer(
        VpcOffer(
            egress="nat" if vpc.nat else "none",
            networks=tuple(subnet.cidr for subnet in small),
            subnets=ids,
            reached_from=(vpc.cidr, *(network for way in vpc.ways for network in way.networks)),
        )
    )


def balancers(ctx: PlanContext) -> int:
    """Load balancers that parts put into the subnets of the control plane."""
    return len(ctx.offers(BalancerDemand))


def with_asked(plan: EksPlan, ctx: PlanContext) -> EksPlan:
    """The plan with roles and endpoints of all who asked."""
    roles = tuple(_role(asked, plan, ctx) for asked in ctx.offers(PodRoleDemand))
    endpoints = tuple(_endpoints(plan, ctx))
    vpc = replace(plan.vpc, endpoints=(*plan.vpc.endpoints, *endpoints))
    return replace(plan, pod_roles=roles, vpc=vpc)


def role_row(part: str) -> str:
    """Name of the rows of the role that pods of a part have."""
    return f"pods-{part}"


def _role(asked: PodRoleDemand, plan: EksPlan, ctx: PlanContext) -> PodRolePlan:
    name = role_row(asked.part)
    ctx.decide(
        f"aws.pod_role.{asked.part}",
        {
            "role": plan.role_name(name),
            "service_account": f"{asked.namespace}/{asked.service_account}",
            "may": {grant.sid: {"actions": grant.actions, "on": grant.resources} for grant in asked.grants},
        },
        asked.why,
        rejected=[Rejected("a key in a Secret", "it outlives whoever reads it; a session of the role ends by itself")],
        because=[f"{ctx.part}.aws.identity"],
    )
    return PodRolePlan(name, asked.namespace, asked.service_account, asked.grants, asked.why, asked.tags)


def _endpoints(plan: EksPlan, ctx: PlanContext) -> Iterator[EndpointPlan]:
    """One for each service that nothing but an endpoint leads to, whoever asks for it."""
    asked: dict[str, list[EndpointDemand]] = {}
    for each in ctx.offers(EndpointDemand):
        asked.setdefault(each.service, []).append(each)
    for service, demands in sorted(asked.items() if not plan.vpc.nat else ()):
        if any(endpoint.service == service for endpoint in plan.vpc.endpoints):
            continue
        why = "; ".join(dict.fromkeys(each.why for each in demands))
        ctx.decide(f"aws.endpoint.{service}", plan.region.endpoint(service), why, because=[f"{ctx.part}.aws.egress"])
        grants = tuple((role_row(each.part), each.grants) for each in demands)
        yield EndpointPlan(service, plan.region.endpoint(service), True, why, grants)


def granted(grants: Iterable[Grant]) -> tuple[Statement, ...]:
    """What a role of pods may do, as the part that asked for it says."""
    return tuple(Statement(each.sid, each.actions, each.resources, condition=each.condition) for each in grants)


def passing(plan: EksPlan, grants: Iterable[tuple[str, Iterable[Grant]]]) -> tuple[Statement, ...]:
    """What passes an endpoint: that which each role may do, and of nobody else. So no pod carries data to another
    account with a key of its own."""
    found = []
    for number, (role, each) in enumerate(grants, 1):
        own = {"ArnEquals": {"aws:PrincipalArn": plan.region.role(plan.role_name(role))}}
        found += [
            Statement(f"{grant.sid}{number}", grant.actions, grant.resources, {"AWS": "*"}, own) for grant in each
        ]
    return tuple(found)
