"""Add-ons that parts ask for, such as drivers of storage, and the network of what stays when the stack goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from aifactory.components import names
from aifactory.components.aws_base import AddonDemand, KeptIn
from aifactory.components.aws_place import aws_place
from aifactory.components.base import PlanContext
from aifactory.components.cluster.aws.addons import ON_DEMAND, decided
from aifactory.components.cluster.aws.model import AddonPlan, EksPlan, vpc_id
from aifactory.components.rows import CloudRow

SUBNET = "aws:ec2/subnet:Subnet"


def decide_kept(ctx: PlanContext) -> tuple[str, ...]:
    """Zones whose subnet stays, with the VPC: AWS removes neither while a file system has interfaces there."""
    kept = ctx.offers(KeptIn)
    zones = tuple(sorted({each.zone for each in kept}))
    if zones:
        ctx.decide(
            "aws.kept_zones",
            zones,
            f"destroy leaves the VPC and the subnet of nodes there: {', '.join(sorted({each.part for each in kept}))} "
            "stays, and has interfaces in it",
        )
    return zones


def kept(rows: Iterable[CloudRow], plan: EksPlan) -> Iterator[CloudRow]:
    """The rows of the network, those protected that what is kept stands on."""
    stays = {names.cloud_id(SUBNET, each.name) for each in plan.vpc.of_kind("nodes") if each.zone in plan.kept_zones}
    stays |= {vpc_id().row} if plan.kept_zones else set()
    for row in rows:
        yield replace(row, protect=True, retain_on_delete=True) if row.id in stays else row


def asked_addons(ctx: PlanContext) -> tuple[AddonPlan, ...] | None:
    """The add-ons that parts ask for, each once; None where one has no version. All have asked by `settle`."""
    place = aws_place(ctx.place)
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
