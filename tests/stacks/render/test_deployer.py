"""What whoever deploys a base must be allowed to do follows from its rows, and is no more than they need."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.rows import CloudRow, Maker, Wave
from aifactory.components.values import Ref
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.deployer import EVERYWHERE, MAKE_UNNAMED, MOST_CHARS, deployer_policies
from support import shipped
from support.proving.aws_policies import check_policies

ACTIONS = {row.key: row.data for row in Catalog.shipped().rows("aws-deployer")}
REASONS = {
    EVERYWHERE: "they describe and list: AWS knows no resource of theirs, or none that a first run could name",
    MAKE_UNNAMED: "AWS knows no resource of what makes a key or a cluster; the tags of the request hold it",
}
"""Why statements are on every resource."""
CREATES = {
    "aws:ec2/vpc:Vpc": "ec2:CreateVpc",
    "aws:eks/cluster:Cluster": "eks:CreateCluster",
    "aws:eks/nodeGroup:NodeGroup": "ec2:RunInstances",
    "aws:iam/role:Role": "iam:PassRole",
    "aws:kms/key:Key": "kms:CreateGrant",
    "aws:cloudwatch/logGroup:LogGroup": "logs:CreateLogGroup",
    "aws:sqs/queue:Queue": "sqs:CreateQueue",
}
"""An action without which no resource of a kind is made."""


@pytest.fixture(params=shipped.BASES)
def base(request: pytest.FixtureRequest) -> Stack:
    return shipped.stacks()[request.param]


def statements(stack: Stack) -> list[dict[str, Any]]:
    return [each for document in deployer_policies(stack, ACTIONS) for each in document["Statement"]]


def as_row(document: dict[str, Any]) -> CloudRow:
    maker = Maker("demo", "sto-lab", "deployer", Wave.FOUNDATION)
    return maker.cloud("aws:iam/policy:Policy", "deployer", {"policy": json.dumps(document)})


def test_each_policy_grants_the_least_that_iam_lets_it(base: Stack) -> None:
    """Actions exist, none is `*`, each is on a resource that it knows, and each key of a condition exists."""
    rows = [as_row(document) for document in deployer_policies(base, ACTIONS)]
    assert rows
    assert check_policies(rows, REASONS, base.plan.cloud.region if base.plan.cloud else "") == []


def test_each_policy_is_one_that_iam_takes(base: Stack) -> None:
    documents = deployer_policies(base, ACTIONS)
    assert max(len(json.dumps(each, separators=(",", ":"))) for each in documents) <= MOST_CHARS
    assert len(documents) <= 10, "a role takes ten policies"
    sids = [each["Sid"] for document in documents for each in document["Statement"]]
    assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids)
    assert len(set(sids)) == len(sids) or any("AttachTo" in sid for sid in sids)


def test_every_token_of_a_base_has_what_makes_it(base: Stack) -> None:
    allowed = {action for each in statements(base) for action in each["Action"]}
    tokens = {row.token for row in base.cloud_rows}
    assert tokens <= set(ACTIONS)
    assert {action for token, action in CREATES.items() if token in tokens} <= allowed


def test_nothing_is_allowed_that_no_row_needs(base: Stack) -> None:
    services = {action.partition(":")[0] for each in statements(base) for action in each["Action"]}
    needed = {row.token.partition(":")[2].partition("/")[0] for row in base.cloud_rows}
    assert ("sqs" in services) == ("sqs" in needed)
    assert ("fsx" in services) == ("fsx" in needed)


def test_what_has_a_name_is_held_to_it_and_the_rest_to_tags(base: Stack) -> None:
    for each in statements(base):
        assert each["Resource"] != ["*"] or each["Sid"] in (EVERYWHERE, MAKE_UNNAMED)
        loose = [arn for arn in each["Resource"] if arn.endswith("/*") and arn.split(":")[2] in ("ec2", "kms", "fsx")]
        assert not loose or each.get("Condition"), f"{each['Sid']} is on all of {loose}"
    (roles,) = [each for each in statements(base) if each["Sid"] == "NamedIam"]
    assert not [arn for arn in roles["Resource"] if arn.endswith("*")], "a role could be any of the account"


def test_every_rule_is_in_a_group_of_ours(base: Stack) -> None:
    """The group that EKS makes for the cluster has no tag of ours, so that no statement would reach a rule in it."""
    rules = [row for row in base.cloud_rows if "securityGroupId" in row.properties]
    assert rules
    tokens = {row.id: row.token for row in base.cloud_rows}
    named = [row.properties["securityGroupId"] for row in rules]
    groups = {tokens[each.row] for each in named if isinstance(each, Ref)}
    assert all(isinstance(each, Ref) for each in named)
    assert groups == {"aws:ec2/securityGroup:SecurityGroup"}


def test_roles_may_be_given_no_other_policies_than_the_rows_attach(base: Stack) -> None:
    (attach,) = [each for each in statements(base) if "iam:AttachRolePolicy" in each["Action"]]
    attached = {row.properties["policyArn"] for row in base.cloud_rows if "policyArn" in row.properties}
    granted = set(attach["Condition"]["ArnEquals"]["iam:PolicyARN"])
    assert granted <= attached
    assert not any("Administrator" in each for each in granted)


def test_every_token_that_a_part_can_make_has_a_row() -> None:
    """Also of parts that no shipped blueprint asks for: peers, buckets, file systems, placement groups."""
    written = {
        token
        for path in (shipped.ROOT / "components").rglob("*.py")
        for token in re.findall(r'"(aws:[a-z0-9]+/[A-Za-z]+:[A-Za-z]+)', path.read_text(encoding="utf-8"))
    }
    assert len(written) > 30
    assert written - set(ACTIONS) == set()


@pytest.mark.parametrize("token", sorted(ACTIONS))
def test_every_row_names_actions_and_their_source(token: str) -> None:
    row = Catalog.shipped().row("aws-deployer", token)
    named = [
        action
        for field in ("makes", "makes_any", "acts", "named", "reads", "attaches")
        for action in row.data.get(field, ())
    ]
    assert named
    assert not any("*" in action for action in named)
    assert row.sources
    assert row.checked
