"""Policies of IAM, parsed and judged: no action is wide, and a wide resource says why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from aifactory.components.cluster.aws import policies
from aifactory.components.cluster.aws.model import AwsClusterPlan
from aifactory.components.cluster.aws.policies import Statement
from aifactory.components.values import Json, plain
from support.aws_sites import base_rows, planned, sovereign_site
from support.proving.aws_policies import check_policies
from support.proving.aws_policies import policies as held

WIDE = {"assumeRolePolicy", "policy"}


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every policy of the base, with the row that it stands in."""
    for row in base_rows(planned()).values():
        for name in WIDE & set(row.properties):
            value = row.properties[name]
            assert isinstance(value, Json), row.id
            document = json.loads(str(plain(value, lambda ref: f"arn:aws:ref:::{ref.row}#{ref.path}")))
            assert document["Version"] == "2012-10-17"
            for statement in document["Statement"]:
                yield row.id, statement


FOUND = list(statements())


@pytest.mark.parametrize(
    ("row", "statement"), FOUND, ids=lambda value: value if isinstance(value, str) else value["Sid"]
)
def test_no_action_is_wide(row: str, statement: dict[str, Any]) -> None:
    assert statement["Effect"] == "Allow"
    assert statement["Action"], row
    for action in statement["Action"]:
        service, _, verb = action.partition(":")
        assert service.isalnum() or "-" in service
        assert "*" not in action, action
        assert verb


@pytest.mark.parametrize(
    ("changes", "region"),
    [({}, "eu-north-1"), ({"vpc": {"egress": "nat"}}, "eu-north-1"), (sovereign_site(), "eusc-de-east-1")],
    ids=["without a way out", "with one", "sovereign"],
)
def test_by_what_iam_knows_every_policy_of_the_base_grants_the_least(changes: dict[str, Any], region: str) -> None:
    found = planned(**changes)
    (plan,) = [part.plan.eks for part in found.stack.plan.parts if isinstance(part.plan, AwsClusterPlan)]
    statements = (*policies.s3_endpoint(plan.region, nat=plan.vpc.nat), *policies.balancer(plan))
    reasons = {each.sid: each.why for each in statements if each.why}
    assert check_policies(base_rows(found).values(), reasons, region) == []


def test_every_resource_is_named_but_by_those_who_say_why() -> None:
    wide = {
        (row.partition("/")[0] + ":" + row.rpartition("/")[2], each["Sid"])
        for row, each in FOUND
        if each.get("Resource") == "*"
    }
    assert {sid for _, sid in wide} == {
        "Administer",
        "ControlPlane",
        "DisksOfTheAccount",
        "FindGroup",
        "GrantToEcr",
        "GrantToEks",
        "Logs",
        "Look",
        "OwnBuckets",
    }
    for row, each in FOUND:
        if each["Sid"] == "Look":
            verbs = [action.partition(":")[2] for action in each["Action"]]
            assert all(verb.startswith(("Describe", "Get")) for verb in verbs), row


def test_a_wide_statement_without_a_reason_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="doesn't say why"):
        Statement("Everything", ("s3:GetObject",), ("*",)).tree()
    assert Statement("Listing", ("s3:ListAllMyBuckets",), ("*",), why="it lists").tree()["Resource"] == "*"


def test_who_administers_a_key_does_not_use_it() -> None:
    uses = {"kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"}
    for row, each in FOUND:
        if each["Sid"] == "Administer":
            assert not uses & set(each["Action"]), row
            assert "kms:PutKeyPolicy" in each["Action"], "AWS refuses a policy that locks everybody out"


def test_root_disks_are_encrypted_through_ec2_and_for_the_account_alone() -> None:
    (found,) = [each for row, each in FOUND if each["Sid"] == "DisksOfTheAccount"]
    assert found["Condition"] == {
        "StringEquals": {"kms:CallerAccount": "111122223333", "kms:ViaService": "ec2.eu-north-1.amazonaws.com"}
    }


def test_logs_are_encrypted_for_these_groups_alone() -> None:
    (found,) = [each for row, each in FOUND if each["Sid"] == "Logs"]
    assert found["Principal"] == {"Service": "logs.eu-north-1.amazonaws.com"}
    groups = found["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"]
    assert groups == [
        "arn:aws:logs:eu-north-1:111122223333:log-group:/aws/eks/demo-sto-lab/cluster",
        "arn:aws:logs:eu-north-1:111122223333:log-group:/aws/vpc/demo-sto-lab/flows",
    ]


def test_pods_take_roles_for_this_cluster_alone() -> None:
    found = [each for _, each in FOUND if each["Sid"] == "PodIdentity"]
    assert len(found) == 3
    for each in found:
        assert each["Principal"] == {"Service": "pods.eks.amazonaws.com"}
        assert (
            each["Condition"]["ArnEquals"]["aws:SourceArn"]
            == "arn:aws:eks:eu-north-1:111122223333:cluster/demo-sto-lab"
        )


def test_the_controller_changes_only_what_this_cluster_made() -> None:
    found = {each["Sid"]: each for row, each in FOUND if row.endswith("RolePolicy/balancer")}
    of_others = {"ServiceRole", "Look", "InNetwork"}
    for sid in set(found) - of_others:
        assert "demo-sto-lab" in json.dumps(found[sid]["Condition"]), sid


@pytest.mark.parametrize(
    ("action", "of_service"),
    [
        ("ec2:CreateTags", "ec2"),
        ("ec2:DeleteTags", "ec2"),
        ("elasticloadbalancing:AddTags", "elasticloadbalancing"),
        ("elasticloadbalancing:RemoveTags", "elasticloadbalancing"),
    ],
)
def test_the_controller_tags_what_it_has_and_never_makes_its_own_what_it_has_not_made(
    action: str, of_service: str
) -> None:
    """Tags of a Service that change are written to the group and the load balancer that are there."""
    found = [each for row, each in FOUND if row.endswith("RolePolicy/balancer") and action in each["Action"]]
    later = [
        each["Condition"] for each in found if f"{of_service}:CreateAction" not in each["Condition"]["StringEquals"]
    ]
    assert later == [
        {
            "StringEquals": {"aws:ResourceTag/elbv2.k8s.aws/cluster": "demo-sto-lab"},
            "Null": {"aws:RequestTag/elbv2.k8s.aws/cluster": "true"},
        }
    ]
    at_making = [each["Condition"]["StringEquals"] for each in found if each["Condition"] not in later]
    assert all(each["aws:RequestTag/elbv2.k8s.aws/cluster"] == "demo-sto-lab" for each in at_making)
    assert bool(at_making) is (action in ("ec2:CreateTags", "elasticloadbalancing:AddTags"))


def passing_s3(**changes: Any) -> dict[str, dict[str, Any]]:
    """Statements of the endpoint of S3, by Sid."""
    return {
        each["Sid"]: each
        for policy in held(base_rows(planned(**changes)).values())
        if policy.row.id.endswith("VpcEndpoint/s3")
        for each in policy.document["Statement"]
    }


def test_no_bucket_of_another_account_is_reached_through_the_endpoint() -> None:
    found = passing_s3()
    assert set(found) == {"OwnBuckets", "ImageLayers"}
    assert found["OwnBuckets"]["Condition"] == {"StringEquals": {"aws:ResourceAccount": "111122223333"}}
    assert found["ImageLayers"]["Resource"] == ["arn:aws:s3:::prod-eu-north-1-starport-layer-bucket/*"]
    assert found["ImageLayers"]["Action"] == ["s3:GetObject"]


def test_with_a_way_out_layers_of_registries_on_the_internet_are_read_and_nothing_is_written_to_others() -> None:
    """registry.k8s.io sends a pull in Stockholm to a bucket of its own there, and Docker Hub to one it doesn't name."""
    found = passing_s3(vpc={"egress": "nat"})
    whose = {"StringEquals": {"aws:ResourceAccount": "111122223333"}}
    reading = [each for each in found.values() if "s3:GetObject" in each["Action"] and "Condition" not in each]
    assert [each["Resource"] for each in reading] == ["*"]
    for each in found.values():
        writes = [action for action in each["Action"] if not action.startswith(("s3:Get", "s3:List"))]
        assert not writes or each["Condition"] == whose, each["Sid"]
