"""What a site states of its account is held against what AWS says: here against moto, which answers as AWS does."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from aifactory.components.aws_place import AwsPlace
from aifactory.components.catalog import Catalog
from aifactory.components.rows import CloudRow, Maker, Wave
from aifactory.components.values import Format
from aifactory.stacks.live.account import Account, NotAsked
from aifactory.stacks.live.finding import Finding
from aifactory.stacks.live.nodes import groups
from aifactory.stacks.live.region import examined
from support.accounts import (
    ADDONS,
    ADMIN,
    HERE,
    IMAGE,
    INSIDE,
    REGION,
    RESERVED,
    SITE,
    STANDARD,
    answering,
    eks,
    look,
    reservations,
)
from support.aws_sites import aws_place, base_rows, planned


def test_an_account_that_has_what_its_site_states_is_ok(account: Account) -> None:
    found = look(account)
    assert {each.state for each in found.values()} == {"ok"}, found
    assert set(found) == {
        "account",
        "caller",
        f"admin {ADMIN}",
        "way to the API",
        "zone eu-north-1a",
        "zone eu-north-1b",
        "zone eu-north-1c",
        f"AMI {IMAGE}",
        "r5.xlarge for system",
        STANDARD,
        "Kubernetes 1.35",
        *(f"add-on {name}" for name in ADDONS),
        "endpoint services",
        "VPCs per Region",
    }
    assert found["Kubernetes 1.35"].found == "in standard support until 2027-03-27"
    assert found[STANDARD].found == "64 vCPU, and these nodes take 12 at the most; what else runs there counts too"


def test_nothing_that_is_shown_is_a_secret(account: Account) -> None:
    shown = " ".join(f"{each.found} {each.advice}" for each in look(account).values())
    assert shown
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        assert os.environ[name] not in shown


@pytest.mark.parametrize(
    ("changes", "name", "says", "advice"),
    [
        (
            {"admins": [f"arn:aws:iam::{HERE}:role/operators"]},
            "caller",
            f"arn:aws:iam::{HERE}:role/platform is none of aws.admins",
            "aws iam get-role --role-name platform",
        ),
        (
            {"admins": [f"arn:aws:iam::{HERE}:role/operators"]},
            f"admin arn:aws:iam::{HERE}:role/operators",
            "this account has no such role",
            "make it",
        ),
        (
            {"admins": [f"arn:aws:iam::{HERE}:role/platform"]},
            f"admin arn:aws:iam::{HERE}:role/platform",
            f"its ARN is {ADMIN}",
            f"write {ADMIN} in aws.admins",
        ),
        (
            {"account": "111122223333"},
            "account",
            "are of account 123456789012, and sto-lab is in 111122223333",
            "sign in",
        ),
        (
            {"zones": [{"zone": f"{REGION}a", "id": "eun1-az2"}, {"zone": f"{REGION}b", "id": "eun1-az1"}]},
            f"zone {REGION}a",
            "it is eun1-az1 in this account, and the site says eun1-az2",
            "write id: eun1-az1",
        ),
        (
            {"zones": [{"zone": f"{REGION}a", "id": "eun1-az1"}, {"zone": f"{REGION}d", "id": "eun1-az4"}]},
            f"zone {REGION}d",
            "this account has no such zone",
            "eu-north-1b (eun1-az2)",
        ),
        (
            {"system_nodes": {"ami_release": "1.35.9-20991231", "instance_type": "r5.xlarge"}},
            "AMI amazon-eks-node-al2023-x86_64-standard-1.35-v20991231",
            "no such release is there",
            "awslabs/amazon-eks-ami",
        ),
        (
            {"system_nodes": {"instance_type": "m8i.xlarge"}},
            "m8i.xlarge for system",
            "not offered in eu-north-1a, eu-north-1b, eu-north-1c",
            "no zone of this region has it",
        ),
        (
            {"system_nodes": {"instance_type": "r5.2xlarge", "nodes": 9}},
            STANDARD,
            "64 vCPU, and these nodes take 72",
            "--quota-code L-1216C47A --desired-value 72",
        ),
    ],
)
def test_what_is_other_than_the_site_says_is_told_with_what_to_do(
    account: Account, changes: dict[str, Any], name: str, says: str, advice: str
) -> None:
    found = look(account, **changes)
    assert found[name].state == "broken"
    assert says in found[name].found
    assert advice in found[name].advice
    kept = look(account)
    assert all(kept[each].state == "ok" for each in (name,) if each in kept)


def versions(*found: dict[str, str]) -> dict[str, Any]:
    """A region with these versions of Kubernetes."""
    return {**eks(), "describe_cluster_versions": {"clusterVersions": list(found)}}


def services(*lacking: str) -> dict[str, Any]:
    """A region with these services alone, and in two of three zones."""
    zones = [f"{REGION}a", f"{REGION}b"]
    details = [
        {**each, "AvailabilityZones": zones} if each["ServiceName"].endswith(lacking) else each
        for each in eks()["describe_vpc_endpoint_services"]["ServiceDetails"]
    ]
    return {**eks(), "describe_vpc_endpoint_services": {"ServiceDetails": details if lacking else []}}


@pytest.mark.parametrize(
    ("answers", "name", "says", "advice"),
    [
        (
            eks(coredns="v1.14.4-eksbuild.1"),
            "add-on coredns",
            "v1.14.3-eksbuild.3 is none of 1 build for Kubernetes 1.35 here",
            "the default is v1.14.4-eksbuild.1",
        ),
        (versions({"clusterVersion": "1.34"}), "Kubernetes 1.35", "EKS doesn't offer it here", "take one of 1.34"),
        (
            versions(
                {"clusterVersion": "1.35", "versionStatus": "UNSUPPORTED"},
                {"clusterVersion": "1.36", "versionStatus": "STANDARD_SUPPORT"},
            ),
            "Kubernetes 1.35",
            "EKS doesn't offer it here",
            "take one of 1.36",
        ),
        (services(), "endpoint services", "the region has no com.amazonaws.eu-north-1.", "egress: nat"),
        (
            services(".sts"),
            "endpoint services",
            "the region has no com.amazonaws.eu-north-1.sts in eu-north-1c",
            "name zones that have them",
        ),
    ],
)
def test_what_a_region_does_not_serve_is_told_before_a_base_asks_for_it(
    account: Account, answers: dict[str, Any], name: str, says: str, advice: str
) -> None:
    answering(account, answers)
    found = look(account)
    assert found[name].state == "broken"
    assert says in found[name].found
    assert advice in found[name].advice


def test_a_version_in_extended_support_is_said_to_cost_more(account: Account) -> None:
    answering(account, versions({"clusterVersion": "1.35", "versionStatus": "EXTENDED_SUPPORT"}))
    assert look(account)["Kubernetes 1.35"].found == "in extended support, which costs more by the hour"


def test_networks_and_addresses_of_others_leave_room_for_the_bases(account: Account) -> None:
    ec2 = boto3.client("ec2", region_name=REGION)
    nat = {"vpc": {"egress": "nat"}}
    assert look(account, **nat)["EC2-VPC Elastic IPs"].found == "5: others have 0, and this base makes 3"
    for _ in range(3):
        ec2.allocate_address(Domain="vpc")
    found = look(account, **nat)["EC2-VPC Elastic IPs"]
    assert (found.state, found.found) == ("broken", "5: others have 3, and this base makes 3")
    assert "--service-code ec2 --quota-code L-0263D0A3 --desired-value 6" in found.advice
    (vpc,) = [row for row in base_rows(planned(**SITE)).values() if row.token == "aws:ec2/vpc:Vpc"]
    tags: Any = vpc.properties["tags"]
    for _ in range(6):
        made = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        ec2.create_tags(Resources=[made], Tags=[{"Key": name, "Value": value} for name, value in tags.items()])
    assert look(account)["VPCs per Region"].state == "ok", "what this base has made is what it asks for"


@pytest.mark.parametrize("there", [True, False])
def test_spot_needs_a_role_that_an_account_has_once(account: Account, there: bool) -> None:
    if there:
        boto3.client("iam", region_name=REGION).create_role(
            RoleName="AWSServiceRoleForEC2Spot", AssumeRolePolicyDocument="{}"
        )
    place, rows = reserved(capacityType="SPOT", launchTemplate={})
    found = {each.name: each for each in examined(place, rows, Catalog.shipped(), account, INSIDE)}["role of Spot"]
    assert found.state == ("ok" if there else "broken")
    assert there or "create-service-linked-role --aws-service-name spot.amazonaws.com" in found.advice
    assert "role of Spot" not in look(account)


def test_a_question_that_is_declined_is_told_and_the_others_are_asked(account: Account) -> None:
    genuine = account.ask
    genuine("ec2", "describe_regions")  # so that there is a client

    def ask(service: str, operation: str, **arguments: Any) -> Any:
        if operation != "describe_availability_zones":
            return genuine(service, operation, **arguments)
        with Stubber(account._clients["ec2"]) as stub:
            stub.add_client_error(operation, "UnauthorizedOperation", "You are not authorized")
            return genuine(service, operation, **arguments)

    account.ask = ask  # type: ignore[method-assign]
    found = look(account)
    assert found["zones"] == Finding(
        "zones",
        "missing",
        "not seen: AWS answers UnauthorizedOperation",
        "let these credentials do ec2:DescribeAvailabilityZones",
    )
    assert found["account"].state == found[STANDARD].state == "ok"


def reserved(**changes: Any) -> tuple[AwsPlace, dict[str, CloudRow]]:
    """A node group on a reservation of four p5en.48xlarge, in rows as a pool makes them."""
    maker = Maker("demo", "sto-lab", "train", Wave.FOUNDATION)
    zone = {"availabilityZone": f"{REGION}a"}
    subnet = maker.cloud("aws:ec2/subnet:Subnet", "nodes", zone)
    target = {"capacityReservationTarget": {"capacityReservationId": RESERVED}}
    template = maker.cloud(
        "aws:ec2/launchTemplate:LaunchTemplate", "train", {"capacityReservationSpecification": target}
    )
    properties = {
        "nodeGroupName": "train",
        "instanceTypes": ["p5en.48xlarge"],
        "scalingConfig": {"minSize": 4, "maxSize": 4, "desiredSize": 4},
        "capacityType": "CAPACITY_BLOCK",
        "amiType": "AL2023_x86_64_NVIDIA",
        "releaseVersion": "1.35.3-20261105",
        "subnetIds": [subnet.output("id")],
        "launchTemplate": {"id": template.output("id"), "version": Format((template.output("latestVersion"),))},
        **changes,
    }
    group = maker.cloud("aws:eks/nodeGroup:NodeGroup", "train", properties)
    return aws_place(**SITE), {row.id: row for row in (subnet, template, group)}


@pytest.mark.parametrize(
    ("there", "state", "says"),
    [
        ({}, "ok", "is active, 4 of 4 free, until 2026-12-24 11:30 UTC"),
        ({"State": "expired"}, "broken", "it is expired"),
        ({"InstanceType": "p5.48xlarge"}, "broken", "it is of p5.48xlarge"),
        ({"AvailabilityZone": f"{REGION}b"}, "broken", "it is in eu-north-1b"),
        ({"TotalInstanceCount": 2}, "broken", "it has 2 instances, and train wants 4"),
    ],
)
def test_a_reservation_is_held_to_what_its_nodes_need(
    account: Account, there: dict[str, Any], state: str, says: str
) -> None:
    place, rows = reserved()
    answer = {
        "State": "active",
        "InstanceType": "p5en.48xlarge",
        "AvailabilityZone": f"{REGION}a",
        "TotalInstanceCount": 4,
        "AvailableInstanceCount": 4,
        "EndDate": datetime(2026, 12, 24, 11, 30, tzinfo=UTC),
        **there,
    }
    reservations(account, answer)
    found = {each.name: each for each in examined(place, rows, Catalog.shipped(), account, INSIDE)}
    assert found["reservation of train"].state == state
    assert says in found["reservation of train"].found
    assert not any("quota" in name for name in found)  # a Capacity Block counts against none


def test_groups_are_read_from_rows_whatever_part_made_them() -> None:
    _, rows = reserved(capacityType="SPOT")
    (group,) = groups(rows)
    assert (group.types, group.nodes, group.purchase, group.zones) == (("p5en.48xlarge",), 4, "spot", (f"{REGION}a",))
    assert group.image == "amazon-eks-node-al2023-x86_64-nvidia-1.35-v20261105"
    assert group.reservation == RESERVED


def test_a_quota_that_no_source_names_is_told(account: Account) -> None:
    place, rows = reserved(capacityType="SPOT", launchTemplate={})
    found = {each.name: each for each in examined(place, rows, Catalog.shipped(), account, INSIDE)}
    assert found["quota of train"].state == "missing"


def test_without_credentials_nobody_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(NotAsked, match="no credentials"):
        Account(REGION)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(NotAsked, match="can't be read"):
        Account(REGION)


def test_without_boto3_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(NotAsked, match=r"\[aws\]"):
        Account(REGION)
