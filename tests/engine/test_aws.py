"""Rows of AWS, the real engine and an account that is a folder: made, unchanged, broken, gone on with, and removed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import pytest

from aifactory.components.rows import CloudRow
from aifactory.components.values import refs
from support.lanes import STAND_IN
from support.proving import aws_samples as aws
from support.proving.aws_account import Fault
from support.proving.aws_samples import base
from support.proving.aws_stack import ABOVE, AwsStack
from support.proving.cli import Cli

pytestmark = pytest.mark.engine
MakeStack = Callable[[Iterable[CloudRow]], AwsStack]
INTERFACE = "aws:ec2/networkInterface:NetworkInterface"


@pytest.fixture
def stack_of(cli: Cli, tmp_path: Path, request: pytest.FixtureRequest) -> MakeStack:
    request.node.user_properties.append((STAND_IN, "pulumi-resource-aws"))
    return lambda rows: AwsStack(cli, tmp_path, rows)


def network() -> list[CloudRow]:
    return [row for row in base() if row.token in (aws.VPC, aws.SUBNET, aws.GROUP)]


def done(stack: AwsStack, what: str) -> list[str]:
    return [name.removeprefix("cluster/") for did, name in stack.account.log if did == what]


def changed(rows: list[CloudRow], token: str, name: str, **properties: object) -> list[CloudRow]:
    return [
        msgspec.structs.replace(row, properties={**row.properties, **properties})
        if (row.token, row.name) == (token, name)
        else row
        for row in rows
    ]


def test_a_base_is_made_once_and_removed_in_reverse(stack_of: MakeStack) -> None:
    stack = stack_of(base())
    assert f"+ {len(base()) + ABOVE} to create" in stack.run("preview --non-interactive")
    assert not stack.account.things, "a preview makes nothing"
    stack.up()
    cluster = stack.account.of(aws.CLUSTER)[0].outputs
    template = next(one for one in stack.resources if one["type"] == aws.TEMPLATE)
    nodes = next(one for one in stack.resources if one["type"] == aws.NODES)
    assert (
        template["outputs"]["networkInterfaces"][0]["securityGroups"][1]
        == (cluster["vpcConfig"]["clusterSecurityGroupId"])
    )
    assert nodes["inputs"]["launchTemplate"] == {"id": template["id"], "version": "1"}
    assert cluster["identities"][0]["oidcs"][0]["issuer"].startswith("https://oidc.eks.eu-north-1.amazonaws.com/id/")
    made = done(stack, "create")
    assert len(made) == len(base())
    stack.run("preview --non-interactive --expect-no-changes")
    stack.run("refresh --yes --non-interactive --expect-no-changes")
    stack.up()
    assert done(stack, "create") == made
    stack.run("destroy --yes --non-interactive")
    assert stack.account.things == []
    removed = done(stack, "delete")
    for row in base():
        for read in {ref.row.rpartition("/")[2] for ref in refs(row.properties)} - {row.name}:
            assert removed.index(row.name) < len(removed) - 1 - removed[::-1].index(read), (row.id, read, removed)


def test_a_run_that_fails_in_the_middle_goes_on(stack_of: MakeStack) -> None:
    stack = stack_of(base())
    stack.account.plan(Fault("cluster/gpu", "create", "fail", "NodeCreationFailure: no capacity"))
    assert "NodeCreationFailure: no capacity" in stack.up(code=1)
    before = done(stack, "create")
    assert 0 < len(before) < len(base())
    stack.up()
    assert sorted(done(stack, "create")) == sorted(row.name for row in base())


def test_what_was_half_made_is_kept_and_finished(stack_of: MakeStack) -> None:
    stack = stack_of(base())
    stack.account.plan(Fault("cluster/main", "create", "fail-after", "cluster is in state FAILED"))
    assert "cluster is in state FAILED" in stack.up(code=1)
    assert not stack.account.of(aws.NODES)
    stack.up()
    assert len(stack.account.of(aws.VPC)) == 1
    assert len(stack.account.of(aws.CLUSTER)) == 1
    assert len(stack.account.of(aws.NODES)) == 1


def test_a_slow_resource_holds_up_its_readers_alone(stack_of: MakeStack) -> None:
    stack = stack_of(base())
    stack.account.plan(Fault("cluster/secrets", "create", "delay", seconds=3))
    start = time.monotonic()
    stack.up()
    assert time.monotonic() - start > 3
    made = done(stack, "create")
    assert made.index("efa") < made.index("secrets")
    assert len(made) == len(base())


def test_a_role_that_is_not_seen_yet_is_waited_for(stack_of: MakeStack) -> None:
    stack = stack_of(base())
    stack.account.hide({"cluster/control-plane": 3})
    stack.up()
    assert done(stack, "not found yet").count("control-plane") == 3


def test_what_controllers_left_keeps_the_network(stack_of: MakeStack) -> None:
    stack = stack_of(network())
    stack.up()
    subnets = [thing.id for thing in stack.account.of(aws.SUBNET)]
    left = stack.account.place(aws.BALANCER, {"name": "k8s-serving", "subnets": subnets})
    said = stack.run("destroy --yes --non-interactive", code=1)
    assert "DependencyViolation" in said
    assert left.id in said
    assert len(stack.account.of(aws.VPC)) == 1
    stack.account.remove(left.id)
    stack.run("destroy --yes --non-interactive")
    assert stack.account.things == []


def test_the_group_that_eks_makes_outlives_a_cluster_whose_interfaces_stay(stack_of: MakeStack) -> None:
    stack = stack_of(base())
    stack.up()
    group = stack.account.of(aws.CLUSTER)[0].outputs["vpcConfig"]["clusterSecurityGroupId"]
    subnet = stack.account.of(aws.SUBNET)[0].id
    left = stack.account.place(INTERFACE, {"subnetId": subnet, "securityGroups": [group]})
    assert "DependencyViolation" in stack.run("destroy --yes --non-interactive", code=1)
    assert [thing.id for thing in stack.account.of(aws.GROUP) if thing.outputs["name"] == "eks-cluster-sg-acme"] == [
        group
    ]
    stack.account.remove(left.id)
    stack.account.remove(group)
    stack.run("destroy --yes --non-interactive")
    assert stack.account.things == []


def test_a_bucket_with_objects_stays_until_it_is_emptied(stack_of: MakeStack) -> None:
    rows = [row for row in base() if row.token in (aws.BUCKET, aws.VERSIONING)]
    stack = stack_of(rows)
    stack.up()
    stack.account.fill("acme-sto-aws-weights")
    assert "BucketNotEmpty" in stack.run("destroy --yes --non-interactive", code=1)
    stack.account.fill("acme-sto-aws-weights", 0)
    stack.run("destroy --yes --non-interactive")
    assert stack.account.things == []


@pytest.mark.parametrize(
    ("name", "properties", "says"),
    [
        ("main", {"cidr": "10.0.0.0/16"}, "did you mean cidrBlock?"),
        ("nodes-a", {"vpcId": "vpc-0123456789abcdef0"}, "InvalidVpcID.NotFound"),
    ],
)
def test_what_aws_would_refuse_is_refused(
    stack_of: MakeStack, name: str, properties: dict[str, object], says: str
) -> None:
    token = aws.VPC if name == "main" else aws.SUBNET
    assert says in stack_of(changed(network(), token, name, **properties)).up(code=1)


def test_an_unknown_token_and_an_unknown_region_are_refused(stack_of: MakeStack) -> None:
    stack = stack_of([aws.row("aws:ec2/vpc:Network", "main", {})])
    assert "unrecognized resource type" in stack.up(code=1)
    stack.write(network(), region="eu-nowhere-1")
    assert '"eu-nowhere-1" is no region of AWS' in stack.up(code=1)


def test_a_change_is_an_update_or_a_replacement_as_aws_takes_it(stack_of: MakeStack) -> None:
    stack = stack_of(base())
    stack.up()
    stack.write(changed(base(), aws.NODES, "gpu", scalingConfig={"desiredSize": 3, "maxSize": 3, "minSize": 3}))
    stack.up()
    assert done(stack, "update") == ["gpu"]
    stack.write(changed(base(), aws.NODES, "gpu", instanceTypes=["p5en.48xlarge"]))
    stack.up()
    assert done(stack, "delete") == ["gpu"], "of one name there can't be two"
    assert done(stack, "create")[-1] == "gpu"
