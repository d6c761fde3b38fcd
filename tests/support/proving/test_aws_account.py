"""An account of files refuses as AWS does, and makes what AWS makes unasked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aifactory.components.values import Ref, plain
from support.proving import aws_samples as aws
from support.proving.aws_account import Account, Fault
from support.proving.aws_rules import AwsError, Thing

INTERFACE = "aws:ec2/networkInterface:NetworkInterface"
INLINE = aws.ROLE_POLICY


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path / "account", aws.REGION)


def make(account: Account, token: str, **inputs: Any) -> Thing:
    return account.create(token, f"urn:pulumi:dev::aws::{token}::{token.rpartition(':')[2]}", inputs)


def made(account: Account) -> dict[str, Thing]:
    """The base, made in order."""
    things: dict[str, Thing] = {}

    def output(ref: Ref) -> object:
        found: Any = things[ref.row].outputs
        for step in ref.path.split("."):
            found = found[step]
        return found

    for row in aws.base():
        inputs = plain(row.properties, output)
        assert isinstance(inputs, Mapping)
        things[row.id] = account.create(row.token, f"urn:pulumi:dev::aws::{row.token}::{row.name}", inputs)
    return things


def test_a_base_is_made_with_what_aws_adds(account: Account) -> None:
    made(account)
    groups = {thing.outputs["name"] for thing in account.of(aws.GROUP)}
    assert groups == {"default", "acme-efa", "eks-cluster-sg-acme"}
    assert len(account.of(INTERFACE)) == 4, "two of the control plane, one of the nodes, one of the file system"
    assert account.of(aws.CLUSTER)[0].outputs["vpcConfig"]["vpcId"] == account.of(aws.VPC)[0].id


def test_each_id_is_another_one_and_looks_like_awss(account: Account) -> None:
    things = made(account).values()
    assert len({(thing.token, thing.id) for thing in things}) == len(aws.base())
    by_token = {thing.token: thing for thing in things}
    assert by_token[aws.SUBNET].id.startswith("subnet-0")
    assert by_token[aws.ROLE].outputs["arn"] == "arn:aws:iam::111122223333:role/acme-weights"
    assert by_token[aws.BUCKET].outputs["arn"] == "arn:aws:s3:::acme-sto-aws-weights"
    assert by_token[aws.NODES].id == "acme:gpu"


@pytest.mark.parametrize(
    ("region", "arn", "endpoint"),
    [
        ("eusc-de-east-1", "arn:aws-eusc:eks:eusc-de-east-1:", ".gr7.eusc-de-east-1.eks.amazonaws.eu"),
        ("us-gov-west-1", "arn:aws-us-gov:eks:us-gov-west-1:", ".gr7.us-gov-west-1.eks.amazonaws.com"),
    ],
)
def test_a_partition_has_its_own_arns_and_names(tmp_path: Path, region: str, arn: str, endpoint: str) -> None:
    account = Account(tmp_path, region)
    vpc = make(account, aws.VPC, cidrBlock="10.0.0.0/16")
    subnets = [
        make(account, aws.SUBNET, vpcId=vpc.id, cidrBlock=f"10.0.{at}.0/24", availabilityZone=f"{region}{zone}").id
        for at, zone in enumerate("ab")
    ]
    cluster = make(account, aws.CLUSTER, name="a", roleArn="given", vpcConfig={"subnetIds": subnets})
    assert cluster.outputs["arn"].startswith(arn)
    assert cluster.outputs["endpoint"].endswith(endpoint)


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (aws.BUCKET, "BucketAlreadyOwnedByYou"),
        (aws.ROLE, "EntityAlreadyExists"),
        (aws.CLUSTER, "ResourceInUseException"),
        (aws.NODES, "ResourceInUseException"),
        (aws.TEMPLATE, "InvalidLaunchTemplateName.AlreadyExistsException"),
        (aws.GROUP, "InvalidGroup.Duplicate"),
        (aws.IDENTITY, "ResourceInUseException"),
    ],
)
def test_what_exists_is_not_made_again(account: Account, token: str, code: str) -> None:
    there = next(thing for thing in made(account).values() if thing.token == token)
    with pytest.raises(AwsError, match=code):
        account.create(token, "urn:pulumi:dev::aws::x::again", there.inputs)


@pytest.mark.parametrize(
    ("token", "inputs", "code"),
    [
        (aws.SUBNET, {"vpcId": "vpc-0123456789abcdef0"}, "InvalidVpcID.NotFound"),
        (aws.VERSIONING, {"bucket": "none"}, "NoSuchBucket"),
        (
            aws.ATTACHMENT,
            {"role": "none", "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"},
            "NoSuchEntity",
        ),
        (aws.NODES, {"clusterName": "none"}, "ResourceNotFoundException"),
        (aws.NODES, {"nodeRoleArn": "arn:aws:iam::111122223333:role/none"}, "NoSuchEntity"),
        (aws.NODES, {"launchTemplate": {"id": "lt-0123456789abcdef0"}}, "InvalidLaunchTemplateId.NotFound"),
        (aws.LUSTRE, {"kmsKeyId": "arn:aws:kms:eu-north-1:111122223333:key/none"}, "NotFoundException"),
    ],
)
def test_what_is_not_there_is_missed(account: Account, token: str, inputs: dict[str, Any], code: str) -> None:
    with pytest.raises(AwsError, match=code):
        make(account, token, **inputs)


def test_what_somebody_else_has_can_be_given(account: Account) -> None:
    account.give("cr-0123456789abcdef0")
    make(account, aws.TEMPLATE, name="a", capacityReservationSpecification={"id": "cr-0123456789abcdef0"})


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"cidrBlock": "10.99.0.0/24", "availabilityZone": "eu-north-1a"}, "InvalidSubnet.Range"),
        ({"cidrBlock": "10.64.64.0/20", "availabilityZone": "eu-north-1a"}, "InvalidSubnet.Conflict"),
        ({"cidrBlock": "10.64.128.0/20", "availabilityZone": "eu-central-1a"}, "is no zone of eu-north-1"),
    ],
)
def test_a_subnet_lies_in_its_network_and_region(account: Account, inputs: dict[str, str], says: str) -> None:
    made(account)
    with pytest.raises(AwsError, match=says):
        make(account, aws.SUBNET, vpcId=account.of(aws.VPC)[0].id, **inputs)


def test_a_control_plane_wants_two_zones(account: Account) -> None:
    made(account)
    one = account.of(aws.CLUSTER)[0].inputs["vpcConfig"]["subnetIds"][:1]
    with pytest.raises(AwsError, match="at least two different AZs"):
        make(account, aws.CLUSTER, name="other", vpcConfig={"subnetIds": one})


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (aws.VPC, "DependencyViolation"),
        (aws.SUBNET, "DependencyViolation"),
        (aws.GROUP, "DependencyViolation"),
        (aws.CLUSTER, "ResourceInUseException"),
        (aws.ROLE, "DeleteConflict"),
    ],
)
def test_what_is_in_use_stays(account: Account, token: str, code: str) -> None:
    there = next(thing for thing in made(account).values() if thing.token == token)
    with pytest.raises(AwsError, match=code):
        account.delete(token, there.id)


def test_in_reverse_all_can_be_removed(account: Account) -> None:
    for thing in reversed(made(account).values()):
        account.delete(thing.token, thing.id)
    assert account.things == []


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        (aws.BALANCER, {"name": "a", "enableDeletionProtection": True}),
        (aws.CLUSTER, {"name": "a", "deletionProtection": True}),
    ],
)
def test_what_is_protected_stays(account: Account, token: str, inputs: dict[str, Any]) -> None:
    thing = account.place(token, inputs)
    with pytest.raises(AwsError, match="OperationNotPermitted"):
        account.delete(token, thing.id)


def test_a_full_bucket_goes_by_force_alone(account: Account) -> None:
    for name, force in (("kept", False), ("forced", True)):
        make(account, aws.BUCKET, bucket=name, forceDestroy=force)
        account.fill(name)
    account.delete(aws.BUCKET, "forced")
    with pytest.raises(AwsError, match="BucketNotEmpty"):
        account.delete(aws.BUCKET, "kept")
    account.fill("kept", 0)
    account.delete(aws.BUCKET, "kept")


def test_what_is_hidden_is_found_after_so_many_looks(account: Account) -> None:
    account.hide({"Role": 2})
    make(account, aws.ROLE, name="late")
    make(account, INLINE, role="late", name="read", policy="{}")
    assert [did for did, _ in account.log] == ["create", "not found yet", "not found yet", "create"]


def test_what_stays_hidden_is_missed(account: Account) -> None:
    account.hide({"Role": 1000})
    make(account, aws.ROLE, name="late")
    with pytest.raises(AwsError, match="NoSuchEntity: late does not exist"):
        make(account, INLINE, role="late", name="read", policy="{}")


def test_a_fault_is_met_as_often_as_planned(account: Account) -> None:
    account.plan(Fault("Vpc", "create", "fail", times=2))
    urn = "urn:pulumi:dev::aws::aws:ec2/vpc:Vpc::Vpc"
    met = [account.fault(urn, "create") is not None for _ in range(3)]
    assert met == [True, True, False]
    assert account.fault(urn, "delete") is None


def test_a_changed_template_is_another_version(account: Account) -> None:
    template = make(account, aws.TEMPLATE, name="a")
    assert template.outputs["latestVersion"] == 1
    assert account.update(template, {"name": "a", "ebsOptimized": "true"}).outputs["latestVersion"] == 2


def test_a_change_keeps_what_aws_decided(account: Account) -> None:
    made(account)
    cluster = account.of(aws.CLUSTER)[0]
    group = cluster.outputs["vpcConfig"]["clusterSecurityGroupId"]
    config = {"subnetIds": cluster.inputs["vpcConfig"]["subnetIds"], "endpointPrivateAccess": True}
    changed = account.update(cluster, {**cluster.inputs, "vpcConfig": config, "tags": {"a": "b"}})
    assert changed.outputs["vpcConfig"]["clusterSecurityGroupId"] == group
    assert "endpointPublicAccess" not in changed.outputs["vpcConfig"]
    assert changed.outputs["tags"] == changed.outputs["tagsAll"] == {"a": "b"}
