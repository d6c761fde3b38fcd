"""How long a bucket keeps what: expiry, old versions and locks, set by a Job with the bucket's own key."""

from __future__ import annotations

import json
from collections.abc import Iterator

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.offers import QueueOffer
from aifactory.components.storage_tier import paths
from aifactory.components.storage_tier.decided import PathPlan, RetentionPlan
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_tier.keeping_spec import Retention

UNFINISHED_DAYS = 7
"""Age at which parts of an upload that never ended are deleted: they count in the size and no listing shows them."""


def retention_kept(draft: Draft, ctx: PlanContext) -> bool:
    """Whether the tier can keep what its paths wish."""
    held = [
        ctx.check(
            "STO-028",
            draft.spec.buckets,
            f"path {path.path} of tier {draft.spec.name} is a volume, and nothing deletes or locks files by their age",
            ("paths", index, "retention"),
            "keep it in a bucket of an object tier; or delete retention",
        )
        for index, path in enumerate(draft.spec.paths)
        if path.retention is not None
    ]
    return all(held)


def retention_of(draft: Draft, ctx: PlanContext) -> Iterator[RetentionPlan]:
    """A Job for each bucket with a wish."""
    if draft.aws:  # buckets of S3 get their rules where they are made
        return
    queues = {each.tenant: each for queue in ctx.offers(QueueOffer) for each in queue.tenants}
    for path, plan in zip(draft.spec.paths, draft.paths, strict=True):
        wish = path.retention
        if wish is None:
            continue
        tenant = queues[path.tenant]
        _explain(path.path, wish, ctx)
        yield _job(draft, plan, wish, tenant.queue if tenant.workload == "training" else "")


def _job(draft: Draft, plan: PathPlan, wish: Retention, queue: str) -> RetentionPlan:
    steps = tuple(steps_of(wish))
    return RetentionPlan(
        job=paths.job_name(plan.name, json.dumps([wish.image, steps])),
        claim=plan.name,
        namespace=plan.namespace,
        tenant=plan.tenant,
        queue=queue,
        image=wish.image or "",
        bucket_row=paths.bucket_row(plan),
        endpoint=paths.endpoint_of(draft),
        trust=paths.trust_of(draft),
        steps=steps,
    )


def steps_of(wish: Retention) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Calls of `aws s3api` that set all of it. A lock needs versions before; each call may be repeated.

    Since Ceph 19.2.3 a bucket with versions may be locked that was made without. Source: Ceph release notes.
    """
    status = "Enabled" if wish.versioned else "Suspended"
    yield "versions", ("put-bucket-versioning", "--versioning-configuration", f"Status={status}")
    if wish.lock:
        rule = {"DefaultRetention": {"Mode": wish.lock.mode.upper(), "Days": wish.lock.days}}
        lock = json.dumps({"ObjectLockEnabled": "Enabled", "Rule": rule})
        yield "lock", ("put-object-lock-configuration", "--object-lock-configuration", lock)
    rules = json.dumps({"Rules": list(_rules(wish))})
    yield "lifecycle", ("put-bucket-lifecycle-configuration", "--lifecycle-configuration", rules)


def _rules(wish: Retention) -> Iterator[dict[str, object]]:
    """Rules of the lifecycle. Ceph takes one of days and delete markers in a rule. Source: ceph/ceph
    src/rgw/rgw_lc_s3.cc, LCExpiration_S3."""
    if wish.expire_days:
        yield _rule("expire", Expiration={"Days": wish.expire_days})
    if wish.versioned:
        old: dict[str, object] = {"NoncurrentDays": _old_days(wish)}
        if wish.old_versions_kept:
            old["NewerNoncurrentVersions"] = wish.old_versions_kept
        yield _rule("old-versions", NoncurrentVersionExpiration=old)
        yield _rule("delete-markers", Expiration={"ExpiredObjectDeleteMarker": True})
    yield _rule("unfinished", AbortIncompleteMultipartUpload={"DaysAfterInitiation": UNFINISHED_DAYS})


def _rule(name: str, **what: object) -> dict[str, object]:
    return {"ID": name, "Status": "Enabled", "Filter": {"Prefix": ""}, **what}


def _old_days(wish: Retention) -> int:
    return wish.old_versions_days or (wish.lock.days if wish.lock else 0)


def _explain(path: str, wish: Retention, ctx: PlanContext) -> None:
    lock = {"mode": wish.lock.mode, "days": wish.lock.days} if wish.lock else None
    value = {
        "expire_days": wish.expire_days,
        "old_versions_days": _old_days(wish) or None,
        "old_versions_kept": wish.old_versions_kept,
        "lock": lock,
    }
    ctx.decide(
        f"retention.{path}",
        value,
        "; ".join(_reasons(wish)) + "; a Job sets it with the bucket's key, and each change is another Job",
        rejected=[
            Rejected(
                "bucketLifecycle of the claim",
                "Rook allows it for the whole cluster or not at all, then to everybody who may claim a bucket, and "
                "knows neither versions nor locks",
            )
        ],
        source=("paths",),
    )


def _reasons(wish: Retention) -> Iterator[str]:
    yield f"objects go after {wish.expire_days} days" if wish.expire_days else "objects stay until they are deleted"
    if wish.versioned:
        stay = f", the newest {wish.old_versions_kept} of them always" if wish.old_versions_kept else ""
        yield f"old versions can be brought back for {_old_days(wish)} days{stay}, and count in the bucket's size"
    if wish.lock:
        lifted = "the holder of the bucket's key may lift it" if wish.lock.mode == "governance" else "no key lifts it"
        yield f"each is locked for {wish.lock.days} days, and {lifted}"
