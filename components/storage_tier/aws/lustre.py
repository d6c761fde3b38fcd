"""A file system of FSx for Lustre: its folders, what fills them, and its backups."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.aws_base import KeptIn, LustreOverEfa
from aifactory.components.aws_nodes import NodeSubnet
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.offers import FabricOffer, OperatorNote, PoolOffer
from aifactory.components.storage_tier import paths as tier_paths
from aifactory.components.storage_tier.aws.buckets import class_tag
from aifactory.components.storage_tier.aws.model import (
    BUCKET,
    VERSION,
    AwsTierPlan,
    FolderPlan,
    LinkPlan,
    LustrePlan,
    bucket_row,
    key_name,
)
from aifactory.components.storage_tier.decided import FOLDER_NAMESPACE, Bucket
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_tier.sharing import stake_of, uses_of

LINKS_AT_MOST = 8
"""Links of one file system to buckets. Source: Amazon FSx API, CreateDataRepositoryAssociation."""


def settled(draft: Draft, ctx: PlanContext) -> AwsTierPlan | None:
    """The file system with all that lies on it, which is known by now. None after a problem."""
    wish = draft.spec.lustre
    if draft.aws is None or draft.aws.zone is None or wish is None or not _claims_named(draft, ctx):
        return None
    ctx.offer(KeptIn(draft.spec.name, draft.aws.zone.zone))
    links = tuple(_links(draft, ctx))
    if not _linked(draft, links, ctx):
        return None
    folders = tuple(_folders(draft, ctx))
    _near(draft, draft.aws.zone, ctx)
    groups = (offer.security_group for offer in ctx.offers(FabricOffer) if offer.kind == "efa" and wish.efa)
    _explain(draft, links, ctx)
    _note(draft, ctx)
    return AwsTierPlan(
        base=draft.aws.base,
        key=key_name(draft.spec.identity),
        alias=draft.key.removeprefix("alias/"),
        tags=class_tag(draft),
        lustre=LustrePlan(
            zone=draft.aws.zone,
            capacity_gib=draft.aws.capacity_gib,
            mbps_per_tib=wish.mbps_per_tib,
            efa=wish.efa,
            backup_days=wish.backup_days,
            image=wish.image,
            links=links,
            folders=folders,
            fabric_groups=tuple(group for group in groups if group is not None),
        ),
    )


def ask_for_room(draft: Draft, ctx: PlanContext) -> None:
    """A namespace of its own for the Job that makes folders: it sees the root of the file system, and no tenant may."""
    if draft.spec.engine == "fsx-lustre":
        purpose = "Folders of file systems"
        ctx.namespace(NamespaceRequest(FOLDER_NAMESPACE, ctx.part, purpose, "baseline", egress=("dns",)))


def tell_nodes(draft: Draft, ctx: PlanContext) -> None:
    """Nodes set up LNet for EFA as they boot, before they mount anything: pools hear of it before they settle."""
    wish = draft.spec.lustre
    if wish is not None and wish.efa and draft.aws is not None and draft.aws.zone is not None:
        ctx.offer(LustreOverEfa(draft.spec.name, draft.aws.zone.zone))


def _claims_named(draft: Draft, ctx: PlanContext) -> bool:
    """Whether each volume of another part says its claim: nothing makes a volume for one that isn't planned."""
    nameless = [use for use in uses_of(stake_of(draft), ctx) if not use.makes]
    return ctx.check(
        "STO-043",
        not nameless,
        lambda: (
            f"{nameless[0].keeps} of part {nameless[0].part} would lie on tier {draft.spec.name}, and its claim isn't "
            "known before it is made"
        ),
        ("engine",),
        "set its storage_class to a tier of engine ebs",
    )


def _links(draft: Draft, ctx: PlanContext) -> Iterator[LinkPlan]:
    held = {each.path: each for each in ctx.offers(Bucket) if each.part == draft.spec.fed_by}
    for path in draft.spec.paths:
        bucket = held.get(path.prefetch.bucket) if path.prefetch else None
        if path.prefetch and bucket:
            prefix = f"/{path.prefetch.folder}/" if path.prefetch.folder else "/"
            row = bucket_row(draft.spec.identity, path.path)
            yield LinkPlan(row, f"/{path.path}", bucket.store, bucket.row, prefix)


def _linked(draft: Draft, links: tuple[LinkPlan, ...], ctx: PlanContext) -> bool:
    """Whether AWS makes so many links, and backs up a file system that has them."""
    spec, wish = draft.spec, draft.spec.lustre
    foreign = [link.folder for link in links if not link.bucket_row.startswith(BUCKET)]
    ours = ctx.check(
        "STO-044",
        not foreign,
        f"path {foreign[0][1:] if foreign else ''} of tier {spec.name} is filled from {spec.fed_by}, whose buckets are "
        "none of S3",
        ("fed_by",),
        "name a tier of engine s3",
    )
    few = ctx.check(
        "STO-044",
        len(links) <= LINKS_AT_MOST,
        f"{len(links)} paths of tier {spec.name} are filled from buckets, and a file system has {LINKS_AT_MOST} links",
        ("paths",),
        "fill one path from a bucket with several folders, or make a second tier",
    )
    backed = ctx.check(
        "STO-045",
        not links or not wish or not wish.backup_days,
        f"tier {spec.name} keeps backups for {wish.backup_days if wish else 0} days, and AWS makes none of a file "
        "system with links to buckets",
        ("lustre", "backup_days") if wish and "backup_days" in wish.model_fields_set else ("lustre",),
        "set backup_days to 0, and keep what is not in the buckets in another tier",
    )
    return ours and few and backed


def _folders(draft: Draft, ctx: PlanContext) -> Iterator[FolderPlan]:
    """A folder of each path, and of each volume that a part makes on the tier's class."""
    spec = draft.spec
    for path, plan in zip(spec.paths, draft.paths, strict=True):
        yield FolderPlan(
            volume=_volume(spec.identity, plan.namespace, plan.name),
            folder=path.path,
            namespace=plan.namespace,
            claim=plan.name,
            tenant=path.tenant,
            size_gib=path.size_gib,
            linked=path.prefetch is not None,
            own_claim=True,
            keeps=path.keeps,
        )
    for use in uses_of(stake_of(draft), ctx):
        yield FolderPlan(
            volume=_volume(spec.identity, use.namespace, use.makes),
            folder=f"volumes/{use.namespace}/{use.makes}",
            namespace=use.namespace,
            claim=use.makes,
            tenant="",
            size_gib=use.size_gib,
            linked=False,
            own_claim=False,
        )


def _volume(identity: str, namespace: str, claim: str) -> str:
    return tier_paths.job_name(f"{identity}-{claim}", f"{namespace}/{claim}")


def _near(draft: Draft, zone: NodeSubnet, ctx: PlanContext) -> None:
    """Whether GPUs that wait for it are in its zone. Pools know theirs by now."""
    waiting = {need.pool for need in draft.needs if need.gpus}
    far = {
        pool.part: sorted({rack.block for rack in pool.racks})
        for pool in ctx.offers(PoolOffer)
        if pool.part in waiting and any(rack.block != zone.zone_id for rack in pool.racks)
    }
    ctx.check(
        "STO-046",
        not far,
        lambda: (
            f"tier {draft.spec.name} lies in zone {zone.zone_id}, and pool {next(iter(far))} waits for it in "
            f"{', '.join(next(iter(far.values())))}"
        ),
        ("lustre",),
        "set lustre.zone to that of the pool, and rent its nodes in one zone",
    )


def _explain(draft: Draft, links: tuple[LinkPlan, ...], ctx: PlanContext) -> None:
    wish = draft.spec.lustre
    days = wish.backup_days if wish else 0
    why = (
        "AWS makes none of a file system with links to buckets: what is linked lies there, and everything else is as "
        "lost as the file system is"
        if links
        else "none: as written"
    )
    ctx.decide(
        "aws.backups",
        {"daily": days > 0, "keep_days": days or None},
        f"FSx makes one each night and keeps it for {days} days, encrypted by the same key, and a last one when the "
        "file system is deleted"
        if days
        else why,
        source=("lustre",),
    )
    for link in links:
        ctx.decide(
            f"link.{link.folder[1:]}",
            {"folder": link.folder, "bucket": link.bucket, "prefix": link.prefix},
            "the folder shows what the bucket holds, new, changed and deleted; a file is copied when it is first read, "
            "and nothing is written back",
            rejected=[Rejected("a Job with rclone", "it copies all before anybody reads, and again after each change")],
            source=("paths",),
        )
    ctx.decide(
        "sizes",
        "by the plan",
        "volumes are folders of one file system, and nothing stops one that grows beyond its size: alerts and people "
        "do",
        rejected=[Rejected("project quotas", "the driver sets none, and its mounts show no size of theirs")],
    )


def _note(draft: Draft, ctx: PlanContext) -> None:
    spec, wish = draft.spec, draft.spec.lustre
    says = f"Nodes that mount tier {spec.name} have the Lustre client {VERSION} for their kernel: AL2023 has it."
    ctx.offer(OperatorNote(ctx.part, "before", says))
    if wish and wish.efa:
        says = (
            f"Nodes on EFA in the zone of tier {spec.name} set up LNet for it as they boot: the nodeadm of their AMI "
            "knows FSxLustreEFAClient (awslabs/amazon-eks-ami#2696, spring of 2026). Older ones read by TCP, and "
            "nothing says so: lnetctl net show on a node lists efa. LNet is not tuned for GPUDirect Storage, since no "
            "AMI has nvidia-fs."
        )
        ctx.offer(OperatorNote(ctx.part, "before", says))
