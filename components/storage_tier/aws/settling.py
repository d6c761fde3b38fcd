"""What the base makes for a tier, once all who use it are known."""

from __future__ import annotations

from aifactory.components.base import PlanContext
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
    return plan


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
