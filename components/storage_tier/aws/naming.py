"""Names of buckets, which are written before the buckets are there: policies speak of them."""

from __future__ import annotations

from aifactory.components.aws_nodes import NodesOffer
from aifactory.components.aws_place import fitting
from aifactory.components.storage_tier.aws.model import bucket_row
from aifactory.components.storage_tier.draft import Draft

BUCKET_CHARS = 63


def base_of(draft: Draft) -> NodesOffer:
    """The base that makes a tier."""
    assert draft.aws is not None  # noqa: S101 - asked of tiers at AWS alone
    return draft.aws.base


def bucket_name(draft: Draft, path: str) -> str:
    """A name that no other account has: it ends in the account, or in a digest of all where that is too long."""
    base = base_of(draft)
    return fitting(f"{base.cluster}-{bucket_row(draft.spec.identity, path)}-{base.region.account}", BUCKET_CHARS)


def bucket_arn(draft: Draft, path: str) -> str:
    """The ARN of a path's bucket."""
    return base_of(draft).region.arn("s3", bucket_name(draft, path), region="", account="")
