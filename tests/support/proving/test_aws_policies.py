"""Policies that grant the least pass; each kind of too much is found."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.rows import CloudRow
from aifactory.components.values import Format, Json, Ref
from support.proving import aws_samples as aws
from support.proving.aws_policies import check_policies

BUCKET = aws.row(aws.BUCKET, "weights", {"bucket": "weights"})
ARN = Ref(BUCKET.id, "arn")
OBJECTS = Format((ARN, "/*"))
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
ISSUER = "oidc.eks.eu-north-1.amazonaws.com/id/1"


def allow(*actions: str, on: object = OBJECTS, **more: Any) -> dict[str, Any]:
    return {"Sid": "It", "Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def rows(*statements: object, token: str = "aws:iam/policy:Policy", name: str = "policy") -> list[CloudRow]:
    document = Json({"Version": "2012-10-17", "Statement": list(statements)})
    return [BUCKET, aws.row(token, "it", {name: document})]


def trusting(**statement: Any) -> list[CloudRow]:
    return rows({"Effect": "Allow", **statement}, token=aws.ROLE, name="assumeRolePolicy")


@pytest.mark.parametrize(
    "given",
    [
        rows(allow("s3:GetObject", "s3:PutObject")),
        rows(allow("s3:ListBucket", on=ARN)),
        rows(allow("ec2:DescribeInstances", on="*")),
        rows(allow("logs:PutLogEvents", on="arn:aws:logs:eu-north-1:111122223333:log-group:/aws/vpc/a:*")),
        rows(allow("logs:PutLogEvents", on="arn:aws:logs:*:*:log-group:/aws/*")),
        rows(allow("s3:GetObject", on="arn:aws:s3:::weights*")),
        rows(allow("s3:GetObject", on="arn:aws:s3:::layer?/*", Principal="*"), token=ENDPOINT),
        rows(allow("s3:GetObject", Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}})),
        rows(allow("ec2:CreateTags", on="arn:aws:ec2:*:*:network-interface/*")),
        rows({"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Principal": "*"}, allow("s3:GetObject")),
        rows(allow("kms:Decrypt", on="*", Principal={"AWS": ARN}), token=aws.KEY),
        trusting(Action="sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"}),
        trusting(
            Action="sts:AssumeRoleWithWebIdentity",
            Principal={"Federated": "arn:aws:iam::111122223333:oidc-provider/" + ISSUER},
            Condition={"StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:serving:weights"}},
        ),
    ],
)
def test_the_least_passes(given: list[CloudRow]) -> None:
    assert check_policies(given, {}) == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (rows(allow("*")), "an action with a wildcard"),
        (rows(allow("s3:*")), "s3:*: an action with a wildcard"),
        (rows(allow("s3:Get*")), "s3:Get*: an action with a wildcard"),
        (rows(allow("s3:FetchObject")), "s3:FetchObject is no action of IAM"),
        (rows(allow("s4:GetObject")), "s4:GetObject is no action of IAM"),
        (rows(allow("s3:GetObject", on="*")), "s3:GetObject on every resource, and no reason is on record"),
        (rows(allow("s3:GetObject", "ec2:DescribeInstances", on="*")), "s3:GetObject on every resource"),
        (rows(allow("s3:GetObject", on="arn:aws:s3:::*")), "s3:GetObject on every resource"),
        (rows(allow("s3:GetObject", on="*", Principal="*"), token=ENDPOINT), "every principal of every account"),
        (rows(allow("s3:ListBucket", on="arn:aws:s3:::a/*")), "s3:ListBucket is on none of"),
        (rows(allow("logs:PutLogEvents", on="arn:aws:sqs:*:*:*a")), "logs:PutLogEvents is on none of"),
        (rows(allow("s3:GetObject", on=ARN)), "s3:GetObject is on none of arn:aws:s3:::example"),
        (rows(allow("s3:ListBucket")), "s3:ListBucket is on none of"),
        (rows(allow("ec2:DescribeInstances")), "ec2:DescribeInstances has no resources: it takes * alone"),
        (rows(allow("s3:GetObject", on=[])), "has no Resource"),
        (rows({"Effect": "Allow", "Resource": "*"}), "has no Action"),
        (rows({"Effect": "allow", "Action": "s3:GetObject", "Resource": OBJECTS}), "Effect is allow"),
        (rows({"Effect": "Allow", "NotAction": "s3:GetObject", "Resource": OBJECTS}), "NotAction: say what is meant"),
        (rows(allow("s3:GetObject", Principal="*"), token="aws:s3/bucketPolicy:BucketPolicy"), "every principal"),
        (rows(allow("s3:GetObject", Condition={"StringLike": {"s3:team": "a"}})), "s3:team is no condition that s3"),
        (rows({"Effect": "Deny", "Action": "s3:FetchObject", "Resource": "*"}), "s3:FetchObject is no action"),
        (rows(allow("s3:GetObject"), allow("s3:PutObject")), "two statements have the Sid It"),
        (rows(), "is no policy"),
        ([aws.row(aws.ROLE, "it", {"assumeRolePolicy": "trust me"})], "is no policy"),
        ([aws.row(aws.ROLE, "it", {"assumeRolePolicy": '{"Statement": {"Effect": "Deny"}}'})], "has no Version"),
        (trusting(Action="sts:AssumeRole"), "trusts nobody"),
        (trusting(Action="s3:GetObject", Principal={"Service": "ec2.amazonaws.com"}), "nothing that a trust policy"),
        (trusting(Action="sts:AssumeRole", Principal={"AWS": "*"}), "every principal of every account"),
        (
            trusting(Action="sts:AssumeRoleWithWebIdentity", Principal={"Federated": "a"}),
            "a condition on its sub is missing",
        ),
    ],
)
def test_too_much_is_found(given: list[CloudRow], says: str) -> None:
    found = check_policies(given, {})
    assert [each for each in found if says in each], found
    assert all("/it: " in each for each in found)


def test_every_resource_is_granted_with_a_reason_for_the_statement() -> None:
    given = rows(allow("s3:GetObject", on="*"))
    assert check_policies(given, {"It": "buckets are made by tenants"}) == []
    assert check_policies(given, {"Other": "why"})[-1] == "a reason for Other, and no statement has that Sid"


def test_an_endpoint_lets_everybody_read_every_bucket_with_a_reason_and_never_write() -> None:
    reads, why = allow("s3:GetObject", "s3:ListBucket", on="*", Principal="*"), {"It": "layers of any registry"}
    assert check_policies(rows(reads, token=ENDPOINT), why) == []
    writes = allow("s3:GetObject", "s3:PutObject", on="*", Principal="*")
    (found,) = check_policies(rows(writes, token=ENDPOINT), why)
    assert "every principal of every account" in found


def test_policies_in_blocks_are_found() -> None:
    inline = {"name": "a", "policy": Json({"Version": "2012-10-17", "Statement": allow("*")})}
    row = aws.row(aws.ROLE, "it", {"inlinePolicies": [inline]})
    assert "inlinePolicies[0].policy: It: *: an action" in check_policies([row], {})[0]
