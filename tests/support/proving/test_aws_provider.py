"""What the stand-in for AWS' provider answers to the engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from support.proving import aws_samples as aws
from support.proving.aws_provider import Aws
from support.proving.wire import UNKNOWN, plain, struct


class Aborted(Exception):
    """The call ended with an error."""


class Context:
    """What a call may do beside answering."""

    def abort(self, _code: object, says: str) -> None:
        raise Aborted(says)


@pytest.fixture
def provider(tmp_path: Path) -> Aws:
    made = Aws(tmp_path)
    made.Configure(provider_pb2.ConfigureRequest(args=struct({"region": "eu-north-1"})), Context())
    return made


def urn(token: str, name: str = "main") -> str:
    return f"urn:pulumi:dev::aws::{token}::{name}"


def failures(provider: Aws, token: str, inputs: Mapping[str, Any]) -> dict[str, str]:
    request = provider_pb2.CheckRequest(urn=urn(token), news=struct(inputs))
    return {each.property: each.reason for each in provider.Check(request, Context()).failures}


@pytest.mark.parametrize(
    ("token", "inputs", "where", "says"),
    [
        (aws.VPC, {"cidr": "10.0.0.0/16"}, "cidr", "has no such input; did you mean cidrBlock?"),
        (aws.VPC, {"cidrBlock": 10}, "cidrBlock", "takes string, and this is int"),
        (aws.VPC, {"instanceTenancy": "shared"}, "instanceTenancy", '"shared" is no word of AWS'),
        (aws.SUBNET, {"cidrBlock": "10.0.0.0/24"}, "vpcId", "is required"),
        (aws.SUBNET, {"vpcId": ["vpc-1"]}, "vpcId", "takes string, and this is list"),
    ],
)
def test_inputs_that_aws_has_not_fail(provider: Aws, token: str, inputs: dict[str, Any], where: str, says: str) -> None:
    assert says in failures(provider, token, inputs)[where]


def test_what_is_not_known_yet_passes(provider: Aws) -> None:
    assert failures(provider, aws.SUBNET, {"vpcId": UNKNOWN}) == {}


def test_an_unknown_token_is_refused(provider: Aws) -> None:
    with pytest.raises(Aborted, match="unrecognized resource type"):
        failures(provider, "aws:ec2/vpc:Network", {})


def test_what_is_unknown_when_it_is_made_is_refused(provider: Aws) -> None:
    request = provider_pb2.CreateRequest(urn=urn(aws.VPC), properties=struct({"cidrBlock": UNKNOWN}))
    with pytest.raises(Aborted, match="unresolved values"):
        provider.Create(request, Context())


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({}, "region"),
        ({"region": "eu-nowhere-1"}, "region"),
        ({"region": "eu-north-1", "zone": "a"}, "zone"),
        ({"region": "eu-north-1", "allowedAccountIds": '["999999999999"]'}, "allowedAccountIds"),
    ],
)
def test_settings_that_lead_nowhere_fail(provider: Aws, settings: dict[str, str], where: str) -> None:
    answer = provider.CheckConfig(provider_pb2.CheckRequest(news=struct(settings)), Context())
    assert [each.property for each in answer.failures] == [where]


def test_settings_as_the_typed_provider_sends_them_pass(provider: Aws) -> None:
    settings = {
        "region": "eu-north-1",
        "allowedAccountIds": '["111122223333"]',
        "skipCredentialsValidation": "true",
        "defaultTags": '{"tags": {"a": "b"}}',
    }
    answer = provider.CheckConfig(provider_pb2.CheckRequest(news=struct(settings)), Context())
    assert list(answer.failures) == []


def test_what_has_no_name_is_given_one_and_keeps_it(provider: Aws) -> None:
    request = provider_pb2.CheckRequest(urn=urn(aws.BUCKET, "cluster/Weights"), news=struct({}))
    first = plain(provider.Check(request, Context()).inputs)
    assert first["bucket"].startswith("cluster-weights-")
    request.olds.CopyFrom(struct(first))
    assert plain(provider.Check(request, Context()).inputs) == first


def test_a_preview_knows_what_was_asked_and_nothing_that_aws_decides(provider: Aws) -> None:
    inputs = {"name": "a", "roleArn": "r", "vpcConfig": {"subnetIds": ["subnet-1"]}}
    request = provider_pb2.CreateRequest(urn=urn(aws.CLUSTER), properties=struct(inputs), preview=True)
    found = plain(provider.Create(request, Context()).properties)
    assert found["name"] == "a"
    assert found["vpcConfig"] == {"subnetIds": ["subnet-1"], "clusterSecurityGroupId": UNKNOWN}
    decided = ("arn", "endpoint", "identities", "certificateAuthority")
    assert [found[name] for name in decided] == [UNKNOWN] * 4


@pytest.mark.parametrize(
    ("token", "old", "new", "replaces", "first"),
    [
        (aws.VPC, {"cidrBlock": "10.0.0.0/16"}, {"cidrBlock": "10.1.0.0/16"}, ["cidrBlock"], False),
        (aws.VPC, {"tags": {"a": "b"}}, {"tags": {}}, [], False),
        (aws.CLUSTER, {"name": "a", "version": "1.34"}, {"name": "a", "version": "1.35"}, [], False),
        (aws.CLUSTER, {"name": "a", "roleArn": "a"}, {"name": "a", "roleArn": "b"}, ["roleArn"], True),
        (aws.BUCKET, {"bucket": "a"}, {"bucket": "b"}, ["bucket"], False),
    ],
)
def test_a_change_replaces_what_aws_cannot_change(
    provider: Aws, token: str, old: dict[str, Any], new: dict[str, Any], replaces: list[str], first: bool
) -> None:
    request = provider_pb2.DiffRequest(urn=urn(token), old_inputs=struct(old), news=struct(new))
    answer = provider.Diff(request, Context())
    assert answer.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert (list(answer.replaces), answer.deleteBeforeReplace) == (replaces, first)


def test_what_is_gone_is_read_as_nothing(provider: Aws) -> None:
    request = provider_pb2.ReadRequest(urn=urn(aws.VPC), id="vpc-0123456789abcdef0")
    assert provider.Read(request, Context()).id == ""
