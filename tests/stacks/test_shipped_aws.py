"""What we ship at AWS: bases that the SDK takes, and a plan that says why data of a class may be there."""

from __future__ import annotations

import pytest

from aifactory.components.cluster.aws import policies
from aifactory.components.cluster.aws.model import AwsClusterPlan
from aifactory.components.rows import CloudRow
from aifactory.components.serving.decided import ServingPlan
from aifactory.stacks.assembly.stack import Stack
from support import shipped
from support.proving.aws_policies import check_policies
from support.proving.aws_rows import check_rows, untagged
from support.served import plans

TAGS = ("aifactory:factory", "aifactory:site", "aifactory:part", "aifactory:managed-by", "aifactory:cost-centre")


@pytest.fixture(params=shipped.BASES)
def base(request: pytest.FixtureRequest) -> Stack:
    return shipped.stacks()[request.param]


def test_a_base_has_rows_of_aws_alone_and_its_platform_none(base: Stack) -> None:
    assert base.rows
    assert all(isinstance(row, CloudRow) for row in base.rows)
    platform = shipped.stacks()[base.name.removesuffix("base") + "platform"]
    assert not list(platform.cloud_rows)


def test_every_row_is_one_that_the_sdk_and_the_api_take(base: Stack) -> None:
    assert check_rows(base.cloud_rows) == []


def test_everything_that_aws_tags_says_whose_it_is(base: Stack) -> None:
    assert untagged(base.cloud_rows, TAGS) == []


def test_by_what_iam_knows_every_policy_grants_the_least(base: Stack) -> None:
    """On every resource only where the endpoint to S3 narrows by account or can't, each with its reason beside it."""
    (plan,) = [part.plan.eks for part in base.plan.parts if isinstance(part.plan, AwsClusterPlan)]
    assert base.plan.cloud is not None
    reasons = {each.sid: each.why for each in policies.s3_endpoint(plan.region, nat=plan.vpc.nat) if each.why}
    assert set(reasons) <= {"OwnBuckets", "ReadAnyBucket"}
    assert check_policies(base.cloud_rows, reasons, base.plan.cloud.region) == []


def test_rows_come_after_what_they_wait_for(base: Stack) -> None:
    place = {row.id: index for index, row in enumerate(base.rows)}
    assert [row.id for row in base.rows if any(place[name] > place[row.id] for name in row.after)] == []


@pytest.mark.parametrize(
    ("site", "country", "operator"),
    [
        ("fra-dc1", "DE", "Example Rechenzentrum GmbH, of DE,"),
        ("sto-aws", "SE", "Amazon Web Services, of US,"),
        ("iad-aws", "US", "Amazon Web Services, of US,"),
        ("eusc-de", "DE", "AWS European Sovereign Cloud (German entity, US parent), of US,"),
    ],
)
def test_the_plan_says_why_public_data_may_be_served_at_each_site(site: str, country: str, operator: str) -> None:
    plan = shipped.stacks()[f"public-inference-{site}-platform"].plan
    (served,) = plans(plan, ServingPlan).values()
    assert served.data_class == "public"
    (why,) = [each.reason for path, each in plan.decisions.items() if path.endswith("ask.data_class")]
    assert why == (f"{site} stands in {country}, and {operator} runs it: both are allowed for public data")


def test_what_the_sovereign_region_sells_is_known_by_the_sites_word_alone() -> None:
    """An example: whoever copies the file must put evidence of their own there."""
    plan = shipped.stacks()["public-inference-eusc-de-platform"].plan
    reasons = [each.reason for each in plan.decisions.values() if "Example, made up" in each.reason]
    assert reasons
