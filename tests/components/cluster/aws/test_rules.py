"""Rules of a cluster at AWS: each fires on what it forbids, and on nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.base import PlanContext, SitePlan
from aifactory.components.catalog import Catalog
from aifactory.components.cluster.aws import planning
from aifactory.components.cluster.aws.rules import RULES
from aifactory.components.offers import AddressDemand
from aifactory.stacks.planning.passes import rules
from support.aws_sites import ZONES, aws_place, planned

US = {"country": "US", "operator": {"name": "Amazon Web Services", "nationality": "US"}, "support": ["US"]}
EUSC = {"country": "DE", "operator": {"name": "AWS European Sovereign Cloud", "nationality": "US"}, "support": ["DE"]}
GERMAN = {"country": "SE", "operator": {"name": "Example AG", "nationality": "DE"}, "support": ["SE"]}
IN_EUSC: dict[str, Any] = {
    "location": EUSC,
    "region": "eusc-de-east-1",
    "zones": [{"zone": f"eusc-de-east-1{letter}", "id": f"eusc1-az{index}"} for index, letter in enumerate("ab", 1)],
    "admins": ["arn:aws-eusc:iam::111122223333:role/platform"],
}
GOV: dict[str, Any] = {
    "location": US,
    "region": "us-gov-west-1",
    "zones": [{"zone": f"us-gov-west-1{letter}", "id": f"usgw1-az{index}"} for index, letter in enumerate("ab", 1)],
}
CASES: list[tuple[str, dict[str, Any], dict[str, Any], tuple[str | int, ...]]] = [
    ("AWS-170", {"image_registry": None}, {"image_registry": None, "vpc": {"egress": "nat"}}, ("aws",)),
    (
        "AWS-140",
        {"definitions": {"cert-manager": "v1.21.1"}},
        {"definitions": {"inference-extension": "v1.6.0"}},
        ("aws", "definitions", "cert-manager"),
    ),
    ("AWS-101", {"vpc": {"cidr": "10.80.0.0/22"}}, {"vpc": {"cidr": "10.80.0.0/21"}}, ("aws", "vpc", "cidr")),
    ("AWS-102", {"vpc": {"cidr": "10.80.0.0/23"}}, {}, ("aws", "vpc", "cidr")),
    ("AWS-103", {"reached_from": []}, {}, ("aws",)),
    ("AWS-104", {"location": US}, {}, ("location", "country")),
    ("AWS-104", {"location": GERMAN}, {}, ("location", "operator", "nationality")),
    ("AWS-104", GOV, {}, ("aws", "region")),
    ("AWS-105", IN_EUSC, {**IN_EUSC, "registry_account": "444455556666"}, ("aws",)),
    (
        "AWS-106",
        {"kubernetes": "1.34", "system_nodes": {"ami_release": "1.34.6-20261105"}},
        {
            "kubernetes": "1.34",
            "system_nodes": {"ami_release": "1.34.6-20261105"},
            "addons": {
                "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
                "aws-ebs-csi-driver": "v1.66.0-eksbuild.1",
                "metrics-server": "v0.9.0-eksbuild.11",
            },
        },
        ("aws",),
    ),
]


@pytest.mark.parametrize(("rule", "fires", "holds", "path"), CASES)
def test_a_rule_fires_on_what_it_forbids_and_on_nothing_else(
    rule: str, fires: dict[str, Any], holds: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    broken = planned(**fires)
    assert {problem.rule for problem in broken.errors} == {rule}
    assert broken.stack_plan is None
    for problem in broken.errors:
        assert (problem.path, problem.document) == (path, "site")
        assert problem.hint
    kept = planned(**holds)
    assert kept.errors == []
    assert kept.site_plan.evaluated[rule] > 0


def test_every_rule_has_a_case_above() -> None:
    elsewhere = {"AWS-171"}  # of what is in the cluster: tests/components/cluster/test_images.py
    assert {case[0] for case in CASES} | elsewhere == {rule.id for rule in RULES}
    for rule in RULES:
        assert rule.why.endswith(".")
        assert len(rule.source) > 10


def test_addresses_that_lack_are_told_with_the_vpc_that_would_do() -> None:
    broken = planned(vpc={"cidr": "10.80.0.0/22"})
    problem = next(each for each in broken.errors if "eu-north-1a" in each.says)
    assert problem.says == (
        "4 system nodes of cluster with 119 addresses each want 484 addresses in eu-north-1a, and its subnet "
        "10.80.0.0/24 has 251"
    )
    assert problem.hint == "choose a /21 or larger as aws.vpc.cidr"


@pytest.mark.parametrize(("interfaces", "fits"), [(0, True), (31, False)])
def test_interfaces_with_addresses_of_their_own_count(interfaces: int, fits: bool) -> None:
    """16 nodes of 20 pods take 26 addresses each with interfaces of type efa-only, and 57 with 31 of type efa. The
    subnet of a /20 has 1019, of which system nodes and a load balancer take 484."""
    place = aws_place(vpc={"cidr": "10.80.0.0/20"})
    site_plan = SitePlan(place, Catalog.shipped(), "demo", rules())
    ctx = PlanContext(site_plan, "cluster", ())
    plan = planning.decide(place, ctx)
    assert plan is not None
    ctx.offer(
        AddressDemand(
            part="train",
            nodes="GPU nodes",
            zones=(ZONES[0]["zone"],),
            nodes_per_zone=16,
            pods_per_node=20,
            addresses_per_interface=50,
            interfaces=interfaces,
        )
    )
    assert (planning.settle(plan, ctx) is not None) is fits
    assert [problem.rule for problem in site_plan.problems] == ([] if fits else ["AWS-101"])


def test_an_add_on_that_the_cluster_has_not_is_refused_with_the_nearest_name() -> None:
    broken = planned(addons={"cordens": "v1.14.3-eksbuild.3"})
    (problem,) = broken.errors
    assert problem.path == ("aws", "addons", "cordens")
    assert "coredns" in problem.hint
