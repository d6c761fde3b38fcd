"""Buckets of a tier at AWS: closed, encrypted by a key of the account, kept, and opened by the role of each reader."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from aifactory.components.names import tags
from aifactory.components.values import Json, Ref, plain
from support.aws_sites import ACCOUNT, aws_place
from support.aws_tiers import NORTH, ONE_NODE, PATH, WORK, in_base, in_cluster, objects, only, says, tiered, volumes
from support.planning import Planned
from support.proving.aws_policies import check_policies
from support.proving.aws_rows import check_rows, untagged
from support.stored import without

LOCKED = {**PATH, "path": "locked", "retention": {"expire_days": 730, "lock": {"mode": "compliance", "days": 365}}}
PLAIN = {**PATH, "path": "plain", "retention": {"expire_days": 30}}
READ = [{"tier": "objects", "path": "tickets"}]
BUCKET = f"demo-sto-lab-objects-tickets-{ACCOUNT}"
PARTS = ("objects", "cold")


@cache
def stockholm() -> Planned:
    """Two tiers of buckets, with a run that reads one and pods that write another."""
    found = tiered(
        objects(paths=[PATH, LOCKED, PLAIN, {**WORK, "readers": [{"account": "curator", "writes": True}]}]),
        objects(
            name="cold", tier="archive", data_class="customer", paths=[{**PATH, "readers": [{"account": "pretrain"}]}]
        ),
        volumes(),
        {**without(ONE_NODE, "checkpoint"), "datasets": READ},
        residency=NORTH,
    )
    assert found.errors == [], says(found)
    return found


def statements(row: Any) -> dict[str, dict[str, Any]]:
    """Statements of a row's policy, by Sid."""
    policy = row.properties["policy"]
    assert isinstance(policy, Json)
    document = json.loads(str(plain(policy, lambda ref: f"{ref.row}#{ref.path}")))
    return {each["Sid"]: each for each in document["Statement"]}


def test_aws_would_take_all_rows_of_the_base() -> None:
    every = in_base(stockholm())
    assert check_rows(every.values()) == []
    assert len(in_base(stockholm(), *PARTS)) > 40


def test_policies_grant_the_least() -> None:
    assert check_policies(in_base(stockholm(), *PARTS).values(), {}) == []


@pytest.mark.parametrize("part", PARTS)
def test_everything_has_tags_but_what_the_plan_lists(part: str) -> None:
    rows = in_base(stockholm(), part)
    assert untagged(rows.values(), tags("demo", "sto-lab", part)) == []
    listed = stockholm().decisions[f"{part}.aws.untagged"].value
    assert set(listed) == {row.id for row in rows.values() if "tags" not in row.properties}


def test_a_bucket_says_whose_it_is_and_of_which_data() -> None:
    bucket = in_base(stockholm())["aws:s3/bucket:Bucket/cold-tickets"].properties
    assert bucket["tags"]["aifactory:tenant"] == "research"
    assert bucket["tags"]["aifactory:data-class"] == "customer"


def test_what_holds_data_stays_with_its_guards_and_its_key_and_readers_go() -> None:
    rows = in_base(stockholm(), *PARTS)
    going = {row.id.partition("/")[2].partition(":")[0] for row in rows.values() if not row.retain_on_delete}
    assert going == {"role", "rolePolicy", "podIdentityAssociation"}
    assert all(row.protect == row.retain_on_delete for row in rows.values())
    kept = stockholm().decisions["objects.aws.kept"].value
    assert "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock/objects-tickets" in kept


def test_a_bucket_is_closed_to_the_public_and_owned_by_the_account() -> None:
    rows = in_base(stockholm())
    name = "objects-tickets"
    block = rows[f"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock/{name}"].properties
    assert [block[each] for each in sorted(block) if each != "bucket"] == [True] * 4
    controls = rows[f"aws:s3/bucketOwnershipControls:BucketOwnershipControls/{name}"].properties
    assert controls["rule"] == {"objectOwnership": "BucketOwnerEnforced"}


def test_objects_are_encrypted_by_the_tiers_key_with_a_bucket_key() -> None:
    rows = in_base(stockholm())
    token = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    (rule,) = rows[f"{token}/objects-tickets"].properties["rules"]
    key = Ref("aws:kms/key:Key/tier-objects", "arn")
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key}
    assert rule["bucketKeyEnabled"] is True
    assert rows["aws:kms/key:Key/tier-objects"].properties["enableKeyRotation"] is True


def test_a_bucket_turns_away_plain_http_old_tls_and_other_keys() -> None:
    found = statements(in_base(stockholm())["aws:s3/bucketPolicy:BucketPolicy/objects-tickets"])
    assert {each["Effect"] for each in found.values()} == {"Deny"}
    assert found["DenyPlain"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert found["DenyPlain"]["Resource"] == [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    assert found["DenyOldTls"]["Condition"] == {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
    other = found["DenyOtherKeys"]["Condition"]
    header = "s3:x-amz-server-side-encryption-aws-kms-key-id"
    # Without Null, a request that names no key would be turned away, too.
    assert other == {"Null": {header: "false"}, "StringNotEquals": {header: "aws:kms/key:Key/tier-objects#arn"}}


def lifecycle(bucket: str) -> dict[str, dict[str, Any]]:
    """Rules of a bucket's lifecycle, by id, without what all have."""
    row = in_base(stockholm())[f"aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration/{bucket}"]
    common = {"id", "status", "filter"}
    return {rule["id"]: {key: rule[key] for key in rule if key not in common} for rule in row.properties["rules"]}


UNFINISHED = {"abortIncompleteMultipartUpload": {"daysAfterInitiation": 7}}
MARKERS = {"expiration": {"expiredObjectDeleteMarker": True}}


@pytest.mark.parametrize(
    ("bucket", "status", "rules"),
    [
        (
            "objects-tickets",
            "Enabled",
            {"old-versions": {"noncurrentVersionExpiration": {"noncurrentDays": 30}}, "delete-markers": MARKERS},
        ),
        (
            "objects-locked",
            "Enabled",
            {
                "expire": {"expiration": {"days": 730}},
                "old-versions": {"noncurrentVersionExpiration": {"noncurrentDays": 365}},
                "delete-markers": MARKERS,
            },
        ),
        ("objects-plain", "Suspended", {"expire": {"expiration": {"days": 30}}}),
        (
            "cold-tickets",
            "Enabled",
            {
                "cold": {"transitions": [{"days": 0, "storageClass": "GLACIER_IR"}]},
                "old-versions": {"noncurrentVersionExpiration": {"noncurrentDays": 30}},
                "delete-markers": MARKERS,
            },
        ),
    ],
)
def test_a_bucket_keeps_what_its_path_says(bucket: str, status: str, rules: dict[str, Any]) -> None:
    assert lifecycle(bucket) == {**rules, "unfinished": UNFINISHED}
    versions = in_base(stockholm())[f"aws:s3/bucketVersioning:BucketVersioning/{bucket}"].properties
    assert versions["versioningConfiguration"] == {"status": status}


def test_a_lock_is_on_from_the_first_object() -> None:
    rows = in_base(stockholm())
    assert rows["aws:s3/bucket:Bucket/objects-locked"].properties["objectLockEnabled"] is True
    lock = only(rows, "BucketObjectLockConfiguration").properties
    assert lock["rule"] == {"defaultRetention": {"mode": "COMPLIANCE", "days": 365}}


def test_each_account_has_one_role_for_the_buckets_of_all_tiers_that_it_mounts() -> None:
    rows = in_base(stockholm())
    token = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
    found = {name.partition("/reads-")[2]: row for name, row in rows.items() if name.startswith(f"{token}/reads-")}
    assert set(found) == {"research-pretrain", "research-curator"}
    given = found["research-pretrain"].properties
    assert (given["namespace"], given["serviceAccount"]) == ("research", "pretrain")
    may = statements(rows["aws:iam/rolePolicy:RolePolicy/reads-research-pretrain"])
    both = [f"arn:aws:s3:::demo-sto-lab-{tier}-tickets-{ACCOUNT}" for tier in ("cold", "objects")]
    assert set(may) == {"List", "Read"}
    assert may["List"]["Resource"] == both
    assert may["Read"]["Action"] == ["s3:GetObject"]


def test_pods_that_write_may_write_their_bucket_alone() -> None:
    may = statements(in_base(stockholm())["aws:iam/rolePolicy:RolePolicy/reads-research-curator"])
    assert may["Write"]["Resource"] == [f"arn:aws:s3:::demo-sto-lab-objects-work-{ACCOUNT}/*"]
    assert may["Write"]["Action"] == ["s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"]


def test_a_key_opens_to_each_reader_for_its_own_buckets() -> None:
    found = statements(in_base(stockholm())["aws:kms/key:Key/tier-objects"])
    readers = {
        each["Principal"]["AWS"].partition("/reads-")[2].partition("#")[0]: each
        for sid, each in found.items()
        if sid.startswith("Reader")
    }
    context = "kms:EncryptionContext:aws:s3:arn"
    assert readers["research-pretrain"]["Action"] == ["kms:Decrypt"]
    assert readers["research-curator"]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    arn = f"arn:aws:s3:::{BUCKET}"
    assert readers["research-pretrain"]["Condition"] == {"StringLike": {context: [arn, f"{arn}/*"]}}


def test_pods_see_a_bucket_as_a_volume_of_their_own_role() -> None:
    found = in_cluster(stockholm(), "objects")
    claim = found["PersistentVolumeClaim/research/objects-tickets"]["spec"]
    volume = found[f"PersistentVolume/{claim['volumeName']}"]["spec"]
    assert volume["claimRef"]["name"] == "objects-tickets"
    assert volume["csi"]["volumeAttributes"] == {"bucketName": BUCKET, "authenticationSource": "pod"}
    assert volume["mountOptions"] == ["region eu-north-1", "allow-other", "read-only"]
    assert (claim["storageClassName"], claim["accessModes"]) == ("", ["ReadOnlyMany"])
    work = found["PersistentVolumeClaim/research/objects-work"]["spec"]
    written = found[f"PersistentVolume/{work['volumeName']}"]["spec"]
    assert written["accessModes"] == work["accessModes"] == ["ReadWriteMany"]
    assert "allow-delete" in written["mountOptions"]


def test_a_run_mounts_the_claim_and_knows_nothing_of_s3() -> None:
    (gang,) = [body for name, body in in_cluster(stockholm(), "pretrain").items() if name.startswith("JobSet")]
    assert '"claimName": "objects-tickets"' in json.dumps(gang)
    assert "s3" not in json.dumps(gang)


def test_the_driver_comes_with_the_tier_and_reaches_tainted_nodes() -> None:
    rows = in_base(stockholm())
    addon = rows["aws:eks/addon:Addon/aws-mountpoint-s3-csi-driver"].properties
    assert addon["addonVersion"] == "v2.7.0-eksbuild.1"
    assert addon["configurationValues"] == Json({"node": {"tolerateAllTaints": True}})
    assert "podIdentityAssociations" not in addon
    assert "aws:eks/addon:Addon/aws-fsx-csi-driver" not in rows


def test_in_the_sovereign_cloud_all_names_are_of_its_partition() -> None:
    location = {"country": "DE", "operator": {"name": "AWS ESC", "nationality": "US"}, "support": ["DE"]}
    at = aws_place(
        location,
        region="eusc-de-east-1",
        zones=[{"zone": f"eusc-de-east-1{letter}", "id": f"eusc1-az{index}"} for index, letter in enumerate("ab", 1)],
        admins=[f"arn:aws-eusc:iam::{ACCOUNT}:role/platform"],
        registry_account="444455556666",
    )
    found = tiered(objects(), volumes(), at=at)
    assert found.errors == [], says(found)
    rows = in_base(found)
    assert check_rows(rows.values()) == []
    assert "arn:aws:" not in json.dumps(statements(rows["aws:s3/bucketPolicy:BucketPolicy/objects-tickets"]))
