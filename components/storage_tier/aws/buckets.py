"""Buckets of a tier: their names, how long they keep what, and who reads and writes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from aifactory.components import names
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.offers import StorageOffer, StorageUse
from aifactory.components.rows import Tree
from aifactory.components.storage_tier.aws.model import (
    ROLE,
    AwsTierPlan,
    BucketPlan,
    KeyUse,
    ReaderPlan,
    bucket_row,
    key_name,
)
from aifactory.components.storage_tier.aws.naming import base_of, bucket_arn, bucket_name
from aifactory.components.storage_tier.aws_spec import ColdSpec
from aifactory.components.storage_tier.decided import PathPlan
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_tier.retention import UNFINISHED_DAYS
from aifactory.components.storage_tier.sharing import Fill
from aifactory.components.storage_tier.spec import TierPath
from aifactory.components.values import Ref

ROLE_CHARS = 64
OLD_VERSIONS_DAYS = 30
"""How long what was overwritten or deleted can be brought back, where nobody says: a month's end is then seen."""


class BucketGrant(Struct, frozen=True):
    """Says that pods of a ServiceAccount mount a bucket, in whatever tier it is."""

    part: str
    namespace: str
    account: str
    arn: str
    writes: bool


def settled(draft: Draft, ctx: PlanContext) -> AwsTierPlan | None:
    """The buckets, and the roles of their readers. None after a problem."""
    found = [_bucket(draft, path, plan, ctx) for path, plan in zip(draft.spec.paths, draft.paths, strict=True)]
    buckets = [each for each in found if each is not None]
    if len(buckets) < len(found):
        return None
    grants = list(_grants(draft, buckets, ctx))
    if not _readable(draft, buckets, grants, ctx):
        return None
    for grant in grants:
        ctx.offer(grant)
    _explain_readers(buckets, grants, ctx)
    base = base_of(draft)
    first = next(offer.part for offer in ctx.offers(StorageOffer) if offer.engine == "s3")
    return AwsTierPlan(
        base=base,
        key=key_name(draft.spec.identity),
        alias=draft.key.removeprefix("alias/"),
        tags=class_tag(draft),
        buckets=tuple(buckets),
        readers=tuple(_readers(draft, ctx)) if first == draft.spec.name else (),
        key_uses=tuple(_key_uses(grants)),
        linked=any(fill.source == draft.spec.name for fill in ctx.offers(Fill)),
    )


def class_tag(draft: Draft) -> tuple[tuple[str, str], ...]:
    """The class of the data, as a tag."""
    return (("aifactory:data-class", draft.spec.data_class),) if draft.spec.data_class else ()


def _bucket(draft: Draft, path: TierPath, plan: PathPlan, ctx: PlanContext) -> BucketPlan | None:
    wish, cold = path.retention, _cold(draft)
    old_days = OLD_VERSIONS_DAYS if wish is None else (wish.old_versions_days or (wish.lock.days if wish.lock else 0))
    index = draft.spec.paths.index(path)
    expires = wish.expire_days if wish else None
    lasts = ctx.check(
        "STO-041",
        cold is None or expires is None or cold.after_days < expires,
        f"objects of path {path.path} move to {cold.storage_class if cold else ''} after "
        f"{cold.after_days if cold else 0} days, and are deleted after {expires}",
        ("paths", index, "retention"),
        "delete them later, or set cold.after_days to less",
    )
    if not lasts:
        return None
    name = bucket_name(draft, path.path)
    status: Literal["Enabled", "Suspended"] = "Enabled" if old_days else "Suspended"
    lock = (wish.lock.mode.upper(), wish.lock.days) if wish and wish.lock else None
    kept = wish.old_versions_kept if wish else None
    rules = tuple(_rules(expires, old_days, kept, cold))
    ctx.decide(
        f"bucket.{path.path}",
        {
            "name": name,
            "versions": status,
            "expire_days": expires,
            "old_versions_days": old_days or None,
            "cold": {"after_days": cold.after_days, "class": cold.storage_class} if cold else None,
            "lock": {"mode": lock[0], "days": lock[1]} if lock else None,
        },
        "no public access, the bucket's owner owns all objects, and only TLS 1.2 and the tier's key are let in; "
        + (f"old versions can be brought back for {old_days} days" if old_days else "no old versions are kept")
        + (f"; each object is locked for {lock[1]} days" if lock else ""),
        rejected=[Rejected("SSE-S3", "its key is AWS's: whoever may read an object needs no key")],
        source=("paths", index),
    )
    return BucketPlan(
        row=bucket_row(draft.spec.identity, path.path),
        bucket=name,
        arn=bucket_arn(draft, path.path),
        tenant=path.tenant,
        namespace=plan.namespace,
        claim=plan.name,
        size_gib=path.size_gib,
        mode="ReadWriteMany" if _written(path) else "ReadOnlyMany",
        versions=status,
        rules=rules,
        lock=lock,
    )


def _cold(draft: Draft) -> ColdSpec | None:
    if draft.spec.cold is not None:
        return draft.spec.cold
    return ColdSpec() if draft.spec.tier == "archive" else None


def _written(path: TierPath) -> bool:
    return path.keeps == "other" or any(each.writes for each in path.readers)


def _rules(expires: int | None, old_days: int, kept: int | None, cold: ColdSpec | None) -> Iterator[Tree]:
    if expires:
        yield _rule("expire", expiration={"days": expires})
    if cold:
        yield _rule("cold", transitions=[{"days": cold.after_days, "storageClass": cold.storage_class}])
    if old_days:
        old: Tree = {"noncurrentDays": old_days, **({"newerNoncurrentVersions": kept} if kept else {})}
        yield _rule("old-versions", noncurrentVersionExpiration=old)
        yield _rule("delete-markers", expiration={"expiredObjectDeleteMarker": True})
    yield _rule("unfinished", abortIncompleteMultipartUpload={"daysAfterInitiation": UNFINISHED_DAYS})


def _rule(name: str, **what: object) -> Tree:
    return {"id": name, "status": "Enabled", "filter": {"prefix": ""}, **what}


def _readable(draft: Draft, buckets: list[BucketPlan], grants: list[BucketGrant], ctx: PlanContext) -> bool:
    """Whether nobody mounts what must be brought back first."""
    cold = _cold(draft)
    read = [bucket.row for bucket in buckets if any(each.arn == bucket.arn for each in grants)]
    return ctx.check(
        "STO-042",
        cold is None or cold.storage_class == "GLACIER_IR" or not read,
        lambda: (
            f"objects of bucket {read[0]} move to {cold.storage_class if cold else ''}, and pods of "
            f"{grants[0].account} mount it"
        ),
        ("cold", "storage_class"),
        "set it to GLACIER_IR, or let nobody mount the bucket",
    )


def _grants(draft: Draft, buckets: list[BucketPlan], ctx: PlanContext) -> Iterator[BucketGrant]:
    """Who mounts which bucket: parts that read a path, and pods that the path names."""
    uses = ctx.offers(StorageUse)
    for path, bucket in zip(draft.spec.paths, buckets, strict=True):
        found = {each.account: each.writes for each in path.readers}
        for use in uses:
            if (use.namespace, use.claim) == (bucket.namespace, bucket.claim) and use.account not in found:
                found[use.account] = False
        for account, writes in found.items():
            yield BucketGrant(draft.spec.name, bucket.namespace, account, bucket.arn, writes)


def _explain_readers(buckets: list[BucketPlan], grants: list[BucketGrant], ctx: PlanContext) -> None:
    who = {bucket.row: _who([each for each in grants if each.arn == bucket.arn]) for bucket in buckets}
    ctx.decide(
        "readers",
        who,
        "each ServiceAccount gets a role of its own by Pod Identity, for the buckets that it mounts and their key",
        rejected=[
            Rejected("the role of the driver", "every pod that names the volume would read every bucket"),
            Rejected("keys in Secrets", "whoever reads the Secret has the bucket until somebody takes the key away"),
        ],
        source=("paths",),
    )


def _who(grants: list[BucketGrant]) -> dict[str, str]:
    return {f"{each.namespace}/{each.account}": "writes" if each.writes else "reads" for each in grants}


def _readers(draft: Draft, ctx: PlanContext) -> Iterator[ReaderPlan]:
    """One role a ServiceAccount: it can have no second one. The first tier settles last, and knows all grants."""
    base = base_of(draft)
    found: dict[tuple[str, str], list[BucketGrant]] = {}
    for grant in ctx.offers(BucketGrant):
        found.setdefault((grant.namespace, grant.account), []).append(grant)
    for (namespace, account), grants in sorted(found.items()):
        row = reader_row(namespace, account)
        yield ReaderPlan(
            row=row,
            role=base.name(row, ROLE_CHARS),
            namespace=namespace,
            account=account,
            reads=tuple(sorted(each.arn for each in grants)),
            writes=tuple(sorted(each.arn for each in grants if each.writes)),
        )


def reader_row(namespace: str, account: str) -> str:
    """Name of the rows of a reader's role."""
    return f"reads-{namespace}-{account}"


def _key_uses(grants: list[BucketGrant]) -> Iterator[KeyUse]:
    found: dict[tuple[str, str, bool], list[str]] = {}
    for grant in grants:
        found.setdefault((grant.namespace, grant.account, grant.writes), []).append(grant.arn)
    for (namespace, account, writes), arns in sorted(found.items()):
        role = Ref(names.cloud_id(ROLE, reader_row(namespace, account)), "arn")
        yield KeyUse(role, tuple(sorted(arns)), writes)
