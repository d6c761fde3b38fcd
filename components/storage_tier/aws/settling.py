"""What the base makes for a tier, once all who use it are known."""

from __future__ import annotations

from aifactory.components.base import PlanContext
from aifactory.components.offers import OperatorNote
from aifactory.components.rows import Maker, Wave
from aifactory.components.storage_tier.aws import buckets, lustre
from aifactory.components.storage_tier.aws.model import AwsTierPlan, key_name
from aifactory.components.storage_tier.aws.rows import cloud_rows
from aifactory.components.storage_tier.draft import Draft


def settled(draft: Draft, ctx: PlanContext) -> AwsTierPlan | None:
    """The plan of a tier at AWS; None elsewhere, and after a problem."""
    if draft.aws is None:
        return None
    plan = {"s3": buckets.settled, "fsx-lustre": lustre.settled, "ebs": _volumes}[draft.spec.engine](draft, ctx)
    if plan is not None:
        _explain(plan, ctx)
        ctx.offer(OperatorNote(ctx.part, "running", f"{_left(plan)} {REMOVAL}"))
    return plan


def _left(plan: AwsTierPlan) -> str:
    """What stays when the stack goes."""
    key = f"key alias/{plan.alias}"
    if plan.lustre:
        return (
            f"Destroy leaves the file system, {key}, its security group, and the subnet and VPC that it stands in: "
            "delete them in this order."
        )
    if plan.buckets:
        buckets = ", ".join(each.bucket for each in plan.buckets)
        return f"Destroy leaves buckets {buckets} and {key}: empty each with all its versions, then delete it."
    return f"Destroy leaves volumes of EBS and {key}: delete the volumes first, those with tag aifactory:tier."


REMOVAL = (
    "A key goes last, by schedule-key-deletion, for nobody reads what it encrypted afterwards. Until then all of it is "
    "paid for; a later up of the same factory takes it over by pulumi import, since names of buckets are taken."
)


def _volumes(draft: Draft, _: PlanContext) -> AwsTierPlan | None:
    """A key, which the driver of EBS uses; claims make the volumes."""
    if draft.aws is None:
        return None
    alias = draft.key.removeprefix("alias/")
    tags = buckets.class_tag(draft)
    return AwsTierPlan(draft.aws.base, key_name(draft.spec.identity), alias, tags, makes_volumes=True)


def _explain(plan: AwsTierPlan, ctx: PlanContext) -> None:
    """What stays when the stack goes, and what carries no tags."""
    rows = list(cloud_rows(plan, Maker(ctx.factory, ctx.place.site, ctx.part, Wave.FOUNDATION)))
    ctx.decide(
        "aws.kept",
        [row.id for row in rows if row.protect],
        "destroy leaves them: data, the key without which nobody reads it, and what keeps others out of it",
    )
    ctx.decide(
        "aws.untagged",
        [row.id for row in rows if "tags" not in row.properties],
        "AWS gives them no tags; each belongs to a row that has them",
    )
