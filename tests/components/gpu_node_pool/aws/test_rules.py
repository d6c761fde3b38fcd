"""Rules of pools at AWS: each fires on what it forbids, and on nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.base import PlanContext, SitePlan
from aifactory.components.catalog import Catalog
from aifactory.components.gpu_node_pool.aws import buying
from aifactory.components.gpu_node_pool.aws.cards import facts_of
from aifactory.components.gpu_node_pool.aws.rules import RULES
from aifactory.stacks.planning import passes
from support.aws_sites import P5EN, POOL, aws_place, rented

BLOCK = {
    **P5EN,
    "instance_type": "p5e.48xlarge",
    "purchase": "capacity-block",
    "reservation": "cr-0123456789abcdef0",
    "ends": "2027-01-31T11:30Z",
}
STATED = {
    "instance_type": "p5en.48xlarge",
    "purchase": "spot",
    "usd_per_hour": 30.0,
    "evidence": "made up for a test of ours",
    "seen": "2026-11-29",
}
ANYWHERE = {name: value for name, value in P5EN.items() if name != "zone"}
SERVES = {**POOL, "workload": "inference", "fabric": "none"}
G6E = {**P5EN, "instance_type": "g6e.4xlarge"}
SPARE = {**P5EN, "group": "spare", "instance_type": "p5.48xlarge"}
Case = tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any], tuple[str | int, ...]]
AT = ("aws", "rented_nodes", 0)
CASES: list[Case] = [
    (
        "AWS-107",
        {**P5EN, "instance_type": "p6-b200.48xlarge"},
        {**POOL, "accelerator": "b200"},
        P5EN,
        POOL,
        (*AT, "instance_type"),
    ),
    ("AWS-108", ANYWHERE, POOL, ANYWHERE, SERVES, AT),
    ("AWS-109", {**BLOCK, "placement_group": "ours"}, POOL, BLOCK, POOL, (*AT, "placement_group")),
    ("AWS-109", {**P5EN, "placement_group": "ours"}, POOL, P5EN, POOL, (*AT, "placement_group")),
    ("AWS-110", G6E, {**POOL, "accelerator": "l40s"}, G6E, {**SERVES, "accelerator": "l40s"}, ("parts", 0, "fabric")),
    (
        "AWS-111",
        {name: value for name, value in P5EN.items() if name != "driver"},
        POOL,
        P5EN,
        POOL,
        AT,
    ),
    (
        "AWS-112",
        {**P5EN, "purchase": "spot"},
        POOL,
        {**P5EN, "purchase": "spot"},
        {**POOL, "workload": "inference"},
        (*AT, "purchase"),
    ),
    ("AWS-113", {**P5EN, "pods_per_node": 200}, POOL, {**P5EN, "pods_per_node": 60}, POOL, (*AT, "pods_per_node")),
    (
        "AWS-114",
        {**BLOCK, "nodes": 65},
        {**POOL, "nodes": 65},
        {**BLOCK, "nodes": 64},
        {**POOL, "nodes": 64},
        (*AT, "nodes"),
    ),
]
NEURON = ("AWS-118", "AWS-119")
FLEX = "AWS-117"
"""The rule of what nodes may cost that come and go, whose tests are theirs."""
SUPERCHIP = "AWS-115"
"""The rule of types that are never sold in some way: those are no pools yet, so it is asked by itself below."""


@pytest.mark.parametrize(("rule", "group", "pool", "kept_group", "kept_pool", "path"), CASES)
def test_a_rule_fires_on_what_it_forbids_and_on_nothing_else(
    rule: str,
    group: dict[str, Any],
    pool: dict[str, Any],
    kept_group: dict[str, Any],
    kept_pool: dict[str, Any],
    path: tuple[str | int, ...],
) -> None:
    broken = rented(group, SPARE, pools=(pool,))
    assert {problem.rule for problem in broken.errors} == {rule}
    assert [problem.path for problem in broken.errors] == [path]
    assert all(problem.hint for problem in broken.errors)
    kept = rented(kept_group, SPARE, pools=(kept_pool,))
    assert kept.errors == []
    assert kept.site_plan.evaluated[rule] > 0


def test_every_rule_has_a_case_above() -> None:
    assert {case[0] for case in CASES} | {SUPERCHIP, FLEX, *NEURON} == {rule.id for rule in RULES}


def test_what_is_sold_nowhere_on_spot_is_no_question_of_the_region() -> None:
    place = aws_place(rented_nodes=[{**P5EN, "instance_type": "p6e-gb200.36xlarge", "purchase": "spot"}])
    site_plan = SitePlan(place, Catalog.shipped(), "demo", passes.rules())
    (group,) = place.aws.rented_nodes
    facts = facts_of(site_plan.catalog, group.instance_type)
    assert not buying.is_sold(group, facts, place, PlanContext(site_plan, "train", ("parts", 0)))
    (problem,) = site_plan.problems
    assert (problem.rule, problem.path) == (SUPERCHIP, (*AT, "purchase"))


@pytest.mark.parametrize(
    ("region", "country", "letters", "says"),
    [
        ("eu-central-1", "DE", "ab", "eu-north-1 (SE), at 67.73 USD an hour, 7 percent above where it costs least"),
        ("eu-west-1", "IE", "ab", "eu-north-1 (SE), at 67.73 USD an hour, 7 percent above where it costs least"),
        ("us-east-1", "US", "ab", ""),
    ],
)
def test_a_region_that_sells_no_p5_names_the_nearest_that_does_with_the_difference(
    region: str, country: str, letters: str, says: str
) -> None:
    location = {
        "country": country,
        "operator": {"name": "Amazon Web Services", "nationality": "US"},
        "support": [country],
    }
    found = rented(
        {**P5EN, "zone": f"{region}a"},
        location=location,
        region=region,
        zones=[{"zone": f"{region}{letter}", "id": f"abc1-az{index}"} for index, letter in enumerate(letters, 1)],
    )
    if not says:
        assert found.errors == []
        return
    (problem,) = found.errors
    assert problem.rule == "AWS-107"
    assert "unknown" in problem.says
    assert says in problem.hint
    assert "aws.offers" in problem.hint


def test_a_site_states_what_its_region_sells_with_evidence() -> None:
    german = {"country": "DE", "operator": {"name": "Amazon Web Services", "nationality": "US"}, "support": ["DE"]}
    zones = [{"zone": f"eu-central-1{letter}", "id": f"euc1-az{index}"} for index, letter in enumerate("ab", 1)]
    found = rented(
        {**P5EN, "zone": "eu-central-1a"},
        location=german,
        region="eu-central-1",
        zones=zones,
        offers=[{**STATED, "purchase": "on-demand"}],
    )
    assert found.errors == []
    decision = found.decisions["train.purchase"]
    assert "made up for a test of ours (2026-11-29)" in decision.reason
    assert "30.00 USD" in decision.reason


def test_a_type_whose_addresses_no_source_has_asks_for_its_pods() -> None:
    nodes = {**P5EN, "instance_type": "p6-b300.48xlarge"}
    sold = [{**STATED, "instance_type": "p6-b300.48xlarge", "purchase": "on-demand"}]
    pool = {**POOL, "accelerator": "b300"}
    (problem,) = rented(nodes, pools=(pool,), offers=sold).errors
    assert (problem.rule, problem.path) == ("AWS-113", AT)
    assert rented({**nodes, "pods_per_node": 50}, pools=(pool,), offers=sold).errors == []


def test_pools_share_a_group_and_no_more_of_it_than_there_is() -> None:
    other = {**POOL, "name": "more", "nodes": 2}
    assert rented(pools=(POOL, other)).errors == []
    (problem,) = rented(pools=(POOL, {**other, "nodes": 3})).errors
    assert problem.rule == "GPU-012"
    assert "are left" in problem.says
