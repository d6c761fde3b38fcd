"""A base that breaks, and one that can't go: what was made is found again, and a removal ends clean or says why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aifactory.stacks.assembly.rowset import RowSet, row_set, to_data
from aifactory.stacks.program.state import state_rows
from support.lanes import STAND_IN
from support.proving import aws_samples as aws
from support.proving.aws_account import Fault
from support.proving.aws_stack import PROGRAM, ROWS
from support.proving.aws_yard import BASE, SITE, AwsYard
from support.proving.cli import project
from support.proving.tools import Missing

pytestmark = pytest.mark.engine
CLUSTER, VPC = "aws:eks/cluster:Cluster", "aws:ec2/vpc:Vpc"
BUCKET = "aws:s3/bucket:Bucket/weights"
NAME = "acme-sto-aws-weights"


@pytest.fixture
def yard(tmp_path: Path, request: pytest.FixtureRequest) -> AwsYard:
    """The site, and a cluster whose API nobody answers for: an up ends when its base is there."""
    try:
        made = AwsYard(tmp_path, None)
    except Missing as missing:
        pytest.skip(str(missing))
    request.node.user_properties.append((STAND_IN, "pulumi-resource-aws"))
    made.account.serve("https://127.0.0.1:9", "Y2E=")
    return made


def held(yard: AwsYard) -> list[str]:
    """Rows in the state, each as often as it is there."""
    return sorted(row.row for row in state_rows(yard.state(BASE)))


def there(yard: AwsYard) -> list[str]:
    """What rows made, by URN."""
    return sorted(thing.urn for thing in yard.account.things if thing.urn)


def up(yard: AwsYard) -> str:
    """Finish the base: up goes no further, since nobody answers for its cluster."""
    _, said = yard.run("up", code=3)
    assert "the base of sto-lab is there, and its cluster can't be reached" in said
    return said


def test_a_base_that_breaks_anywhere_is_finished_by_the_next_up(yard: AwsYard) -> None:
    """Killed after a role that has its name, and after a VPC that has none; refused; half made; slow; not seen yet."""
    account, rows = yard.account, sorted(row.id for row in yard.base_rows)
    account.plan(Fault("cluster/cluster", "create", "kill-engine-after", token=VPC))
    _, said = yard.run("up", code=3)
    assert "the engine was killed by signal 9" in said
    (orphan,) = account.of(VPC)
    account.plan(Fault("cluster/cluster", "create", "kill-engine-after", token=CLUSTER))
    account.hide({"cluster/node": 3})
    _, said = yard.run("up", code=3)
    assert f"cut off while {VPC}/cluster was being made; if it is there, the state lacks it" in said
    assert {name: value for name, value in orphan.inputs["tags"].items() if name.startswith("aifactory:")}
    account.remove(orphan.id)
    told = said
    account.plan(
        Fault("cluster/system", "create", "fail-after", "node group is in state CREATE_FAILED"),
        Fault("cluster/coredns", "create", "fail", "InternalFailure: injected"),
        Fault("cluster/node", "create", "delay", seconds=2),
    )
    _, said = yard.run("up", code=1)
    told += said
    assert "asking the cloud about" in said
    assert f"while {VPC}/cluster" not in said, "it was told"
    assert "node group is in state CREATE_FAILED" in said
    assert ("create", "cluster/cluster") in account.log
    assert len(account.of(CLUSTER)) == 1, "the one that the killed run made"
    _, said = yard.run("up", code=1)
    assert "InternalFailure: injected" in said
    up(yard)
    assert held(yard) == rows
    told = _remove_what_was_told(yard, told)
    assert len(there(yard)) == len(set(there(yard))) == len(rows), told
    account.plan(
        Fault("cluster/system", "delete", "kill-engine"),
        Fault("cluster/cluster", "delete", "fail", "InternalFailure: injected", token=CLUSTER),
    )
    yard.run("destroy", code=3)
    _, said = yard.run("destroy", code=1)
    assert "InternalFailure: injected" in said
    yard.run("destroy")
    assert (held(yard), account.things) == ([], [])


def _remove_what_was_told(yard: AwsYard, said: str) -> list[str]:
    """A person's part after a kill: remove what was being made beside it, had no name and was made anew."""
    known = {row.id for row in state_rows(yard.state(BASE))}
    lost = [thing for thing in yard.account.things if thing.urn and thing.id not in known]
    for thing in lost:
        assert f"cut off while {thing.token}/" in said, thing.urn
        yard.account.remove(thing.id)
    return [thing.urn for thing in lost]


def test_each_teardown_ends_clean_or_says_what_is_kept_and_how_it_goes(yard: AwsYard) -> None:
    _after_a_half_failed_up(yard)
    _with_objects_that_controllers_left(yard)
    _with_a_protected_bucket(yard)


def _after_a_half_failed_up(yard: AwsYard) -> None:
    yard.account.plan(Fault("cluster/system", "create", "fail-after", "NodeCreationFailure: no capacity"))
    _, said = yard.run("up", code=1)
    assert "NodeCreationFailure: no capacity" in said
    assert yard.account.of(VPC)
    yard.run("destroy")
    assert (held(yard), yard.account.things) == ([], [])


def _with_objects_that_controllers_left(yard: AwsYard) -> None:
    """Their controller is gone, and so is the platform: nothing in the cluster can remove them."""
    up(yard)
    (vpc,) = yard.account.of(VPC)
    subnets = [each.id for each in yard.account.of(aws.SUBNET)][:2]
    left = yard.account.place(aws.BALANCER, {"name": "k8s-serving", "subnets": subnets})
    stacks = yard.data("destroy", code=1)
    stays = {each["id"]: each for each in stacks[BASE]["stays"]}
    refused = next(each for each in subnets if each in stays)  # the engine may end before it tries the other
    shown = f"aws ec2 describe-network-interfaces --region eu-north-1 --filters Name=subnet-id,Values={refused}"
    assert stays[refused]["commands"][0].startswith(shown)
    assert any("aws elbv2 delete-load-balancer" in each for each in stays[refused]["commands"])
    assert {row["row"] for row in stacks[BASE]["remains"]} >= {f"{VPC}/cluster"}
    yard.account.remove(left.id)
    yard.run("destroy")
    assert (held(yard), yard.account.things, vpc.id) == ([], [], vpc.id)


def _with_a_protected_bucket(yard: AwsYard) -> None:
    register(yard, bucket(row_set(yard.work.stacks[BASE], yard.work.digest)))
    yard.account.fill(NAME)
    printed, said = yard.run("destroy", "--format", "json")
    (stays,) = json.loads(printed)["stacks"][BASE]["stays"]
    assert (stays["row"], stays["id"]) == (BUCKET, NAME)
    assert stays["commands"][-1] == f"aifactory destroy BLUEPRINT --site {SITE} --remove-protected {BUCKET}"
    assert held(yard) == [BUCKET]
    _, said = yard.run("destroy", "--remove-protected", BUCKET, code=1)
    assert "BucketNotEmpty" in said
    assert f"aws s3 rm s3://{NAME} --recursive --region eu-north-1" in said
    assert [one["protect"] for one in yard.state(BASE) if one["type"] == aws.BUCKET] == [True], (
        "it failed, so it is kept"
    )
    yard.account.fill(NAME, 0)
    yard.run("destroy", "--remove-protected", BUCKET)
    assert (held(yard), yard.account.things) == ([], [])


def bucket(base: RowSet) -> RowSet:
    """The base of a site that has a bucket alone, which holds data."""
    from msgspec.structs import replace

    row = replace(aws.row(aws.BUCKET, "weights", {"bucket": NAME}), protect=True)
    return replace(base, rows=(row,), steps={row.id: 0}, outputs={})


def register(yard: AwsYard, rows: RowSet) -> None:
    """Make rows by the product's own program, into the state that the verbs read."""
    folder = project(yard.root / "by-hand", PROGRAM)
    file = folder / "rows.json"
    file.write_text(json.dumps(to_data(rows)), encoding="utf-8")
    yard.pulumi(folder, "stack", "select", BASE)
    ran = yard.call(
        ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview", f"--stack={BASE}"],
        folder,
        PULUMI_BACKEND_URL=f"file://{yard.root / 'state'}",
        **{ROWS: str(file)},
    )
    assert ran.returncode == 0, ran.stdout[-3_000:] + ran.stderr[-3_000:]
