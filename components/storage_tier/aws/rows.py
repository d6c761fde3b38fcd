"""Rows of the base for a tier at AWS. What holds data is protected and never deleted, with all that guards it."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.aws_policies import document, of_pods
from aifactory.components.rows import CloudRow, Maker
from aifactory.components.storage_tier.aws import policies
from aifactory.components.storage_tier.aws.lustre_rows import file_system
from aifactory.components.storage_tier.aws.making import Making
from aifactory.components.storage_tier.aws.model import BUCKET, KEY, ROLE, AwsTierPlan, BucketPlan, ReaderPlan

ALIAS = "aws:kms/alias:Alias"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
POD_IDENTITY = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
OF_BUCKETS = "aws:s3/bucket"


def cloud_rows(plan: AwsTierPlan, maker: Maker) -> Iterator[CloudRow]:
    """Key, buckets with their readers, and file system."""
    make = Making.of(maker, plan)
    yield from _key(make)
    for bucket in plan.buckets:
        yield from _bucket(bucket, make)
    for reader in plan.readers:
        yield from _reader(reader, make)
    if plan.lustre:
        yield from file_system(plan.lustre, make)


def _key(make: Making) -> Iterator[CloudRow]:
    """A key that is gone takes all that it encrypted along: it is kept as data is."""
    plan = make.plan
    properties = {
        "description": f"Data of {plan.alias}",
        "enableKeyRotation": True,
        "deletionWindowInDays": 30,
        "policy": document(policies.key(plan)),
    }
    key = make.kept(KEY, plan.key, properties)
    yield key
    yield make.kept(ALIAS, plan.key, {"name": f"alias/{plan.alias}", "targetKeyId": key.output("keyId")}, tagged=False)


def _bucket(plan: BucketPlan, make: Making) -> Iterator[CloudRow]:
    """The bucket is closed before it takes anything: its guards refer to it, and none goes before it."""
    lock = {"objectLockEnabled": True} if plan.lock else {}
    bucket = make.kept(BUCKET, plan.row, {"bucket": plan.bucket, **lock}, tags={"aifactory:tenant": plan.tenant})
    yield bucket
    of = {"bucket": bucket.output("bucket")}
    key = make.plan.key_arn

    def guard(kind: str, properties: dict[str, object], after: tuple[str, ...] = ()) -> CloudRow:
        token = f"{OF_BUCKETS}{kind}:Bucket{kind}"
        return make.kept(token, plan.row, {**of, **properties}, tagged=False, after=after)

    yield guard("OwnershipControls", {"rule": {"objectOwnership": "BucketOwnerEnforced"}})
    closed = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    private = guard("PublicAccessBlock", dict.fromkeys(closed, True))
    yield private
    by_default = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key}
    encryption = {"applyServerSideEncryptionByDefault": by_default, "bucketKeyEnabled": True}
    yield guard("ServerSideEncryptionConfiguration", {"rules": [encryption]})
    versions = guard("Versioning", {"versioningConfiguration": {"status": plan.versions}})
    yield versions
    # S3 changes one thing of a bucket at a time, and refuses the other meanwhile.
    yield guard("Policy", {"policy": document(policies.bucket(plan, key))}, (private.id,))
    yield guard("LifecycleConfiguration", {"rules": list(plan.rules)}, (versions.id,))
    if plan.lock:
        mode, days = plan.lock
        rule = {"defaultRetention": {"mode": mode, "days": days}}
        yield guard("ObjectLockConfiguration", {"rule": rule}, (versions.id,))


def _reader(plan: ReaderPlan, make: Making) -> Iterator[CloudRow]:
    """A role holds no data: it goes with the stack."""
    base = make.plan.base
    trust = document(of_pods(base.region, base.cluster))
    role = make.tagged(ROLE, plan.row, {"name": plan.role, "assumeRolePolicy": trust})
    inline = {"role": role.output("name"), "name": "buckets", "policy": document(policies.reader(plan))}
    policy = make.untagged(ROLE_POLICY, plan.row, inline)
    yield from (role, policy)
    properties = {
        "clusterName": base.cluster_ref,
        "namespace": plan.namespace,
        "serviceAccount": plan.account,
        "roleArn": role.output("arn"),
    }
    yield make.tagged(POD_IDENTITY, plan.row, properties, after=[policy.id])
