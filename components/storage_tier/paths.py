"""Buckets and volumes of tenants, and what fills them."""

from __future__ import annotations

import json
from hashlib import sha256

from msgspec import Struct

from aifactory.components import names
from aifactory.components.base import PlanContext
from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.offers import QueueOffer, TenantOffer
from aifactory.components.problems import nearest
from aifactory.components.storage_tier.aws import model as aws
from aifactory.components.storage_tier.aws.naming import bucket_name
from aifactory.components.storage_tier.decided import (
    CEPH_NAMESPACE,
    GATEWAY_PORT,
    SECURE_PORT,
    Bucket,
    FillPlan,
    PathPlan,
    service_of,
)
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_tier.spec import Prefetch, StorageTierSpec, TierPath

BUCKET_API, JOB_API = "objectbucket.io/v1alpha1", "batch/v1"
JOB_CHARS = 63


class Held(Struct, frozen=True):
    """Paths of a tier, and whether all of them can be."""

    paths: tuple[PathPlan, ...]
    sound: bool


def paths_of(draft: Draft, ctx: PlanContext) -> Held:
    """The buckets or volumes of a tier; tenants are known by now. Buckets are offered to tiers above."""
    spec = draft.spec
    tenants = {each.tenant: each for queue in ctx.offers(QueueOffer) for each in queue.tenants}
    buckets = spec.claims_buckets
    found: list[PathPlan] = []
    for index, path in enumerate(spec.paths):
        tenant = _tenant(path, index, tenants, draft, ctx)
        if tenant is not None:
            found.append(
                PathPlan(claim_of(spec, path), tenant.namespace, path.tenant, path.keeps, path.size_gib, buckets)
            )
    for plan in found if spec.buckets else ():
        name = plan.name.removeprefix(f"{spec.identity}-")
        ctx.offer(_bucket(draft, name, plan))
    for plan in found:
        ctx.offer(plan)
    sound = len(found) == len(spec.paths)
    if sound and buckets:
        _open(draft, found, ctx)
    return Held(tuple(found), sound)


def _bucket(draft: Draft, name: str, plan: PathPlan) -> Bucket:
    """A bucket as tiers above see it."""
    spec = draft.spec
    if draft.aws:
        row = names.cloud_id(aws.BUCKET, aws.bucket_row(spec.identity, name))
        return Bucket(spec.name, name, plan.tenant, row, bucket_name(draft, name), plan.size_gib, "", "")
    reached = endpoint_of(draft), trust_of(draft)
    return Bucket(spec.name, name, plan.tenant, bucket_row(plan), spec.identity, plan.size_gib, *reached)


def claim_of(spec: StorageTierSpec, path: TierPath) -> str:
    """Name of the claim that makes a bucket or a volume."""
    return f"{spec.identity}-{path.path}"


def _tenant(
    path: TierPath, index: int, tenants: dict[str, TenantOffer], draft: Draft, ctx: PlanContext
) -> TenantOffer | None:
    tenant = tenants.get(path.tenant)
    if tenant is not None or not ctx.site_plan.refused:
        ctx.check(
            "STO-023",
            tenant is not None,
            f'path {path.path} of tier {draft.spec.name} is for "{path.tenant}", which is no tenant of a queue',
            ("paths", index, "tenant"),
            nearest(path.tenant, tenants),
        )
    return tenant


def _open(draft: Draft, paths: list[PathPlan], ctx: PlanContext) -> None:
    """Let pods of the tenants reach the gateway in front of the buckets."""
    spaces = sorted({path.namespace for path in paths})
    for space in spaces:
        ctx.namespace(
            NamespaceRequest(
                name=space,
                part=ctx.part,
                purpose="Buckets",
                egress_to=((CEPH_NAMESPACE, port_of(draft)),),
            )
        )
    if spaces:
        purpose = "Ceph, and the gateway to its buckets"
        request = NamespaceRequest(CEPH_NAMESPACE, ctx.part, purpose, "privileged", ingress_from=tuple(spaces))
        ctx.namespace(request)


def fills_of(draft: Draft, paths: tuple[PathPlan, ...], ctx: PlanContext) -> tuple[FillPlan, ...] | None:
    """The Jobs that fill volumes, None when a bucket is missing or another tenant's."""
    buckets = {each.path: each for each in ctx.offers(Bucket) if each.part == draft.spec.fed_by}
    queues = {each.tenant: each for queue in ctx.offers(QueueOffer) for each in queue.tenants}
    found: list[FillPlan] = []
    for index, (path, plan) in enumerate(zip(draft.spec.paths, paths, strict=True)):
        wish = path.prefetch
        if wish is None:
            continue
        bucket = buckets.get(wish.bucket)
        own = ctx.check(
            "STO-023",
            bucket is not None and bucket.tenant == path.tenant,
            f"path {path.path} is filled from {wish.bucket}, which is no bucket of tenant {path.tenant} in tier "
            f"{draft.spec.fed_by}",
            ("paths", index, "prefetch", "bucket"),
            nearest(wish.bucket, [name for name, each in buckets.items() if each.tenant == path.tenant]),
        )
        if not own or bucket is None:
            return None
        if draft.aws:
            continue
        tenant = queues[path.tenant]
        found.append(_fill(plan, wish, bucket, tenant.queue if tenant.workload == "training" else ""))
    for each in found:
        ctx.decide(
            f"prefetch.{each.claim}",
            each.job,
            "runs once, before whoever reads the volume; its name has a digest of what it copies, so a change runs "
            f"again. Readers ask the bucket nothing. It waits up to {each.wait_s} s for {_awaited(each)}, and fails "
            "without: an empty copy of an empty bucket would let readers start"
            + ("" if each.complete else ". What comes after its copy is not copied, unless complete names the last"),
            source=("paths",),
        )
    return tuple(found)


def bucket_row(plan: PathPlan) -> str:
    """Row of the claim that makes a bucket."""
    return names.object_id(BUCKET_API, "ObjectBucketClaim", plan.namespace, plan.name)


def job_name(claim: str, told: str) -> str:
    """Name of a Job that runs once for a claim, and again when what it is told changes."""
    stem = claim[: JOB_CHARS - 9].rstrip("-")
    return f"{stem}-{sha256(told.encode()).hexdigest()[:8]}"


def port_of(draft: Draft) -> int:
    """Port at which containers of the gateways listen."""
    return SECURE_PORT if draft.issuer else GATEWAY_PORT


def endpoint_of(draft: Draft) -> str:
    """Address of the buckets of a tier."""
    host = service_of(draft.spec.identity)
    return f"https://{host}:{SECURE_PORT}" if draft.issuer else f"http://{host}"


def trust_of(draft: Draft) -> str:
    """Secret, in each namespace with a bucket of the tier, that says whom to trust; empty for plain HTTP."""
    return f"{draft.spec.identity}-trust" if draft.issuer else ""


def _fill(plan: PathPlan, wish: Prefetch, bucket: Bucket, queue: str) -> FillPlan:
    told = [bucket.part, wish.bucket, wish.folder, wish.image, wish.run, *([wish.complete] if wish.complete else [])]
    return FillPlan(
        job=job_name(plan.name, json.dumps(told)),
        claim=plan.name,
        namespace=plan.namespace,
        tenant=plan.tenant,
        queue=queue,
        image=wish.image or "",
        bucket=bucket.row.rpartition("/")[2],
        bucket_row=bucket.row,
        folder=wish.folder or "",
        endpoint=bucket.endpoint,
        trust=bucket.trust,
        within_s=wish.within_s,
        wait_s=wish.wait_s,
        complete=wish.complete or "",
    )


def _awaited(fill: FillPlan) -> str:
    return f"object {fill.complete}" if fill.complete else "a first object"
