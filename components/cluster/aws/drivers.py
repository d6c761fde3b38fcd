"""Add-ons that parts ask for, such as drivers of storage, and what the base says of itself to those who build in it."""

from __future__ import annotations

from aifactory.components import names
from aifactory.components.aws_base import AddonDemand, BaseOffer, ZoneSubnet
from aifactory.components.aws_place import AwsPlace
from aifactory.components.base import PlanContext
from aifactory.components.cluster.aws.addons import ON_DEMAND, decided
from aifactory.components.cluster.aws.model import AddonPlan, EksPlan, cluster_output, vpc_id
from aifactory.components.values import Ref

EBS_DRIVER = "aws-ebs-csi-driver"


def offer_base(plan: EksPlan, ctx: PlanContext) -> None:
    """Say where rows of other parts stand."""
    subnets = tuple(
        ZoneSubnet(each.zone, each.zone_id, Ref(names.cloud_id("aws:ec2/subnet:Subnet", each.name), "id"))
        for each in plan.vpc.of_kind("nodes")
    )
    ctx.offer(
        BaseOffer(
            region=plan.region,
            cluster=plan.name,
            vpc=vpc_id(),
            node_group=cluster_output("vpcConfig.clusterSecurityGroupId"),
            subnets=subnets,
            volume_driver=Ref(names.cloud_id("aws:iam/role:Role", EBS_DRIVER), "arn"),
            tags=tuple(plan.tags.items()),
        )
    )


def asked_addons(ctx: PlanContext) -> tuple[AddonPlan, ...] | None:
    """The add-ons that parts ask for, each once; None where one has no version. All have asked by `settle`."""
    place = ctx.place
    assert isinstance(place, AwsPlace)  # noqa: S101 - nobody else has a base
    wanted: dict[str, list[str]] = {}
    for each in ctx.offers(AddonDemand):
        wanted.setdefault(each.addon, []).append(each.why)
    found = [
        decided(addon, place, ctx, "; ".join(dict.fromkeys(wanted[addon.name])))
        for addon in ON_DEMAND
        if addon.name in wanted
    ]
    whole = tuple(each for each in found if each is not None)
    return whole if len(whole) == len(found) else None
