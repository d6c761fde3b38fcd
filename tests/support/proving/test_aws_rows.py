"""Rows that AWS would take pass; each kind of mistake is found, and says where it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from aifactory.components.rows import CloudRow
from aifactory.components.values import Format, Json, Ref, SecretRef
from support.proving import aws_api
from support.proving import aws_samples as aws
from support.proving.aws_policies import check_policies
from support.proving.aws_rows import check_row, check_rows, untaggable, untagged

BASE = aws.base()
CONTROL_PLANE = Ref("aws:iam/role:Role/control-plane", "arn")
Change = Callable[[dict[str, Any]], object]


def base_with(token: str, name: str, change: Change) -> list[CloudRow]:
    """The base with one row's properties changed."""

    def changed(row: CloudRow) -> CloudRow:
        properties = {key: dict(value) if isinstance(value, dict) else value for key, value in row.properties.items()}
        change(properties)
        return msgspec.structs.replace(row, properties=properties)

    return [changed(row) if (row.token, row.name) == (token, name) else row for row in BASE]


def test_a_base_that_aws_would_take_passes() -> None:
    assert check_rows(BASE) == []
    assert check_policies(BASE, {}) == []


@pytest.mark.parametrize(
    ("token", "name", "change", "says"),
    [
        (aws.VPC, "main", lambda p: p.update(cidr="10.0.0.0/16"), "cidr: aws:ec2/vpc:Vpc has no such input"),
        (aws.VPC, "main", lambda p: p.update(cidr_block="10.0.0.0/16"), "did you mean cidrBlock?"),
        (aws.CLUSTER, "main", lambda p: p["vpcConfig"].update(privateAccess=True), "vpcConfig.privateAccess"),
        (aws.CLUSTER, "main", lambda p: p.pop("roleArn"), "roleArn: is required"),
        (aws.CLUSTER, "main", lambda p: p["vpcConfig"].pop("subnetIds"), "vpcConfig.subnetIds: is required"),
        (aws.CLUSTER, "main", lambda p: p.update(roleArn=None), "roleArn: is required"),
        (aws.CLUSTER, "main", lambda p: p.update(version=1.35), "version: takes string, and this is float"),
        (aws.VPC, "main", lambda p: p.update(enableDnsHostnames="true"), "takes boolean, and this is str"),
        (aws.NODES, "gpu", lambda p: p["scalingConfig"].update(minSize=True), "takes integer, and this is bool"),
        (aws.NODES, "gpu", lambda p: p.update(subnetIds="subnet-1"), "takes array of string, and this is str"),
        (aws.NODES, "gpu", lambda p: p.update(subnetIds=[1]), "subnetIds[0]: takes string, and this is int"),
        (aws.NODES, "gpu", lambda p: p.update(tags={"a": 1}), "tags.a: takes string, and this is int"),
        (aws.NODES, "gpu", lambda p: p.update(launchTemplate=[]), "takes NodeGroupLaunchTemplateArgs"),
        (aws.NODES, "gpu", lambda p: p.update(nodeRoleArn=SecretRef("a", "b")), "no cloud reads"),
        (aws.NODES, "gpu", lambda p: p.update(amiType="AL2023_x86_64_GPU"), '"AL2023_x86_64_GPU" is no word of AWS'),
        (aws.NODES, "gpu", lambda p: p.update(capacityType="RESERVED"), '"RESERVED" is no word'),
        (aws.NODES, "gpu", lambda p: p.update(instanceTypes=["p5.49xlarge"]), "it has p5.4xlarge, p5.48xlarge"),
        (aws.TEMPLATE, "gpu", lambda p: p.update(instanceType="p9.48xlarge"), '"p9.48xlarge" is no word'),
        (aws.LUSTRE, "scratch", lambda p: p.update(deploymentType="PERSISTENT_3"), '"PERSISTENT_3" is no word'),
        (aws.VERSIONING, "weights", lambda p: p["versioningConfiguration"].update(status="On"), '"On" is no word'),
        (aws.VPC, "main", lambda p: p.update(region="eu-nord-1"), '"eu-nord-1" is no region of AWS'),
        (
            aws.NODES,
            "gpu",
            lambda p: p.update(nodeRoleArn="arn:amazon:iam::111122223333:role/x"),
            "amazon is no partition of AWS",
        ),
        (
            aws.CLUSTER,
            "main",
            lambda p: p.update(roleArn="arn:aws:iam:eusc-de-east-1:111122223333:role/x"),
            "no region of partition aws",
        ),
        (aws.NODES, "gpu", lambda p: p.update(nodeRoleArn=Ref("none", "arn")), "there is no such row"),
        (aws.CLUSTER, "main", lambda p: p.update(roleArn=Ref(CONTROL_PLANE.row, "roleArn")), "has no such output"),
        (
            aws.NODES,
            "gpu",
            lambda p: p.update(nodeRoleArn=aws.ref(aws.CLUSTER, "main", "vpcConfig.role")),
            "refers to vpcConfig.role",
        ),
        (
            aws.NODES,
            "gpu",
            lambda p: p["launchTemplate"].update(version=aws.ref(aws.TEMPLATE, "gpu", "latestVersion")),
            "launchTemplate.version: takes string, and this will be integer",
        ),
        (
            aws.NODES,
            "gpu",
            lambda p: p.update(nodeGroupName=Format((aws.ref(aws.CLUSTER, "main", "vpcConfig"), "-gpu"))),
            "puts vpcConfig",
        ),
        (
            aws.NODES,
            "gpu",
            lambda p: p.update(version=aws.ref(aws.NODES, "gpu", "releaseVersion")),
            "refers to its own row",
        ),
        (
            aws.ROLE,
            "node",
            lambda p: p.update(assumeRolePolicy=Json({"Principal": {"AWS": Ref("none", "arn")}})),
            "assumeRolePolicy: refers to none",
        ),
    ],
)
def test_a_mistake_is_found(token: str, name: str, change: Change, says: str) -> None:
    (found,) = check_rows(base_with(token, name, change))
    assert found.startswith(f"{token}/{name}: ")
    assert says in found


def test_a_token_that_is_unknown_is_found_in_its_row_and_its_readers() -> None:
    rows = [msgspec.structs.replace(row, token="aws:ec2/vpc:Network") if row.token == aws.VPC else row for row in BASE]
    found = check_rows(rows)
    assert len(found) == 4, "its own, two subnets and a group"
    assert all("aws:ec2/vpc:Network is no resource of pulumi-aws" in each for each in found)


def test_an_id_is_given_once() -> None:
    assert check_rows([BASE[0], BASE[0]]) == [f"{BASE[0].id}: there are 2 rows of this id"]


def test_rows_of_two_partitions_are_found() -> None:
    rows = base_with(aws.CLUSTER, "main", lambda p: p.update(roleArn="arn:aws-cn:iam::111122223333:role/control-plane"))
    (found,) = check_rows(rows)
    assert "several partitions" in found


def test_a_row_can_be_asked_alone() -> None:
    assert check_row(BASE[0]) == []
    assert "there is no such row" in check_row(BASE[1])[0]


def test_what_lacks_a_tag_is_named_and_what_takes_none_is_listed() -> None:
    assert untagged(BASE, aws.TAGS) == []
    (found,) = untagged(base_with(aws.VPC, "main", lambda p: p["tags"].pop("aifactory:site")), aws.TAGS)
    assert found == "aws:ec2/vpc:Vpc/main: no tag aifactory:site"
    assert untaggable(BASE) == [aws.ROLE_POLICY, aws.ATTACHMENT, aws.VERSIONING]


@pytest.mark.parametrize(
    ("token", "name", "some"),
    [
        (aws.NODES, "amiType", {"CUSTOM", "BOTTLEROCKET_x86_64_NVIDIA", "AL2023_x86_64_NEURON"}),
        (aws.NODES, "capacityType", {"ON_DEMAND", "SPOT", "CAPACITY_BLOCK"}),
        (aws.NODES, "instanceTypes", {"p5.48xlarge", "p5en.48xlarge", "trn2.48xlarge"}),
        (aws.TEMPLATE, "marketType", {"spot", "capacity-block"}),
        (aws.TEMPLATE, "volumeType", {"gp3", "io2"}),
        (aws.TEMPLATE, "interfaceType", {"efa", "efa-only"}),
        (aws.LUSTRE, "deploymentType", {"SCRATCH_2", "PERSISTENT_2"}),
        ("aws:ebs/volume:Volume", "type", {"gp3", "io2"}),
        ("aws:ec2/placementGroup:PlacementGroup", "strategy", {"cluster"}),
        (aws.CLUSTER, "authenticationMode", {"API"}),
    ],
)
def test_words_are_those_of_the_api(token: str, name: str, some: set[str]) -> None:
    assert some <= aws_api.words(token, name)


@pytest.mark.parametrize(("token", "name"), [(aws.VPC, "cidrBlock"), (aws.ROLE, "name"), ("aws:ec2/tag:Tag", "key")])
def test_free_text_stays_free(token: str, name: str) -> None:
    assert aws_api.words(token, name) == frozenset()


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("eu-north-1", "aws", "amazonaws.com"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
    ],
)
def test_a_region_has_its_partition(region: str, partition: str, suffix: str) -> None:
    found = aws_api.partition_of(region)
    assert found is not None
    assert (found.name, found.suffix) == (partition, suffix)
