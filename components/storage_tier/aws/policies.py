"""Who may use a tier's key, and who may read and write its buckets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aifactory.components.aws_place import AwsRegion
from aifactory.components.aws_policies import EVERY, OF_THE_KEY, Statement, administration
from aifactory.components.storage_tier.aws.model import VOLUME_DRIVER, AwsTierPlan, BucketPlan, ReaderPlan
from aifactory.components.values import Ref

LEAST_TLS = "1.2"
CONTEXT = "kms:EncryptionContext:aws:s3:arn"
"""With a bucket key, S3 gives the bucket's ARN as context. Source: Amazon S3 User Guide, bucket-key."""
LINK_ROLES = "role/aws-service-role/s3.data-source.lustre.fsx.amazonaws.com/AWSServiceRoleForFSxS3Access_*"
"""Roles by which file systems read buckets; each ends in the id of its own. Source: AWS Managed Policy Reference,
FSxDeleteServiceLinkedRoleAccess."""


def bucket(plan: BucketPlan, key: Ref) -> tuple[Statement, ...]:
    """What nobody may do to a bucket, whatever his own policies say. It allows nothing."""
    everybody, both = {"AWS": "*"}, (plan.arn, f"{plan.arn}/*")
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    old = {"NumericLessThan": {"s3:TlsVersion": LEAST_TLS}}
    # A header that is missing differs from everything: only one that is there is held against the key.
    header = "s3:x-amz-server-side-encryption-aws-kms-key-id"
    other = {"Null": {header: "false"}, "StringNotEquals": {header: key}}
    return (
        Statement("DenyPlain", ("s3:*",), both, everybody, plain, denies=True),
        Statement("DenyOldTls", ("s3:*",), both, everybody, old, denies=True),
        Statement("DenyOtherKeys", ("s3:PutObject",), (f"{plan.arn}/*",), everybody, other, denies=True),
    )


def reader(plan: ReaderPlan) -> tuple[Statement, ...]:
    """What pods with the role may do. Source: awslabs/mountpoint-s3 doc/CONFIGURATION.md, IAM permissions."""
    every = tuple(dict.fromkeys((*plan.reads, *plan.writes)))
    found = [
        Statement("List", ("s3:ListBucket",), every),
        Statement("Read", ("s3:GetObject",), tuple(f"{arn}/*" for arn in every)),
    ]
    if plan.writes:
        verbs = ("s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject")
        found.append(Statement("Write", verbs, tuple(f"{arn}/*" for arn in plan.writes)))
    return tuple(found)


def key(plan: AwsTierPlan) -> tuple[Statement, ...]:
    """Who may use the key of a tier, and for what."""
    found = [administration(plan.base.region)]
    if plan.buckets:
        found += _of_buckets(plan)
    if plan.makes_volumes:
        found += _of_volumes()
    if plan.lustre:
        found.append(_grants("GrantToFsx", _account(plan.base.region)))
    return tuple(found)


def _account(region: AwsRegion) -> str:
    return region.arn("iam", "root", region="")


def _grants(sid: str, who: object) -> Statement:
    """A service of AWS may use the key for what this principal makes with it."""
    for_aws = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return Statement(sid, ("kms:CreateGrant",), EVERY, {"AWS": who}, for_aws, why=OF_THE_KEY)


def _of_buckets(plan: AwsTierPlan) -> Iterator[Statement]:
    """Each reader for its own buckets, and people by policies of IAM, for objects of these buckets alone."""
    region = plan.base.region
    use = ("kms:Decrypt", "kms:GenerateDataKey")
    arns = [each.arn for each in plan.buckets]
    yield Statement("ByIam", use, EVERY, {"AWS": _account(region)}, _context(arns), why=OF_THE_KEY)
    for number, each in enumerate(plan.key_uses, 1):
        may = use if each.writes else use[:1]
        yield Statement(f"Reader{number}", may, EVERY, {"AWS": each.role}, _context(each.buckets), why=OF_THE_KEY)
    if plan.linked:
        condition = {
            "StringEquals": {"kms:CallerAccount": region.account},
            "ArnLike": {"aws:PrincipalArn": region.arn("iam", LINK_ROLES, region="")},
            **_context(arns),
        }
        yield Statement("LinkedFiles", ("kms:Decrypt",), EVERY, {"AWS": "*"}, condition, why=OF_THE_KEY)


def _context(arns: Iterable[str]) -> dict[str, object]:
    """For objects of these buckets: those that a bucket key is used for, and those of a time before it."""
    return {"StringLike": {CONTEXT: [form for arn in arns for form in (arn, f"{arn}/*")]}}


def _of_volumes() -> Iterator[Statement]:
    """The driver makes volumes with the key. Source: Amazon EBS User Guide, ebs-encryption-requirements."""
    verbs = ("Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo")
    yield Statement("Driver", tuple(f"kms:{verb}" for verb in verbs), EVERY, {"AWS": VOLUME_DRIVER}, why=OF_THE_KEY)
    yield _grants("GrantToVolumes", VOLUME_DRIVER)
