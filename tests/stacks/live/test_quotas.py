"""Nodes that Karpenter may start are held against the account as those of node groups are."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.catalog import Catalog
from aifactory.stacks.live.account import Account, Declined
from aifactory.stacks.live.finding import Finding
from aifactory.stacks.live.nodes import flexing
from aifactory.stacks.live.region import examined
from support import shipped
from support.accounts import INSIDE, REGION, RESERVED, SITE, STANDARD, reservations
from support.aws_sites import aws_place
from support.planning import plan_site

G_ON_DEMAND, G_SPOT = "L-DB2E81BA", "L-3819A6DF"
SPOT_G6E = {
    "instance_type": "g6e.12xlarge",
    "purchase": "spot",
    "usd_per_hour": 4.0,
    "evidence": "aws ec2 describe-spot-price-history",
    "seen": "2026-11-20",
}
G6E: dict[str, Any] = {
    "instance_type": "g6e.12xlarge",
    "nodes": 3,
    "ami_release": "1.35.3-20261105",
    "driver": "580.178.04",
}


def burst(account: Account, *purchases: str, **group: Any) -> dict[str, Finding]:
    """What is found where Karpenter may start three nodes of G6e a purchase, beside the system's three."""
    flex = {"kind": "gpu-node-pool", "name": "flex", "accelerator": "l40s", "nodes": 3 * len(purchases)}
    rented = [{**G6E, "group": each, "purchase": each, **group} for each in purchases]
    asked = {**SITE, "rented_nodes": rented, "vpc": {"egress": "nat"}, "offers": [SPOT_G6E]}
    pool = {**flex, "fabric": "none", "workload": "inference", "flex": {"usd_per_hour": 1000}}
    found = plan_site([{"kind": "cluster", "name": "cluster"}, pool], aws_place(**asked))
    assert not found.errors
    base, platform = found.stacks
    rows = {row.id: row for row in base.cloud_rows}
    looked = examined(aws_place(**asked), rows, Catalog.shipped(), account, INSIDE, platform.cluster_rows)
    return {each.name: each for each in looked}


def test_nodes_that_karpenter_may_start_are_held_against_quotas_and_zones(
    account: Account, quotas: dict[str, float]
) -> None:
    quotas |= {G_ON_DEMAND: 144, G_SPOT: 143}
    found = burst(account, "on-demand", "spot")
    assert found["Running On-Demand G and VT instances"].state == "ok"
    spot = found["All G and VT Spot Instance Requests"]
    assert (spot.state, spot.found) == (
        "broken",
        "143 vCPU, and these nodes take 144 at the most; what else runs there counts too",
    )
    assert f"--quota-code {G_SPOT} --desired-value 144" in spot.advice
    assert found["role of Spot"].state == "broken", "Karpenter can't make that role"
    image = found["AMI amazon-eks-node-al2023-x86_64-nvidia-1.35-v20261105"]
    assert (image.state, image.found) == ("broken", "no such release is there for this region")
    assert {name for name in found if name.startswith("g6e.12xlarge for")} == {
        "g6e.12xlarge for flex-on-demand",
        "g6e.12xlarge for flex-spot",
    }


@pytest.mark.parametrize(("kind", "counts"), [("default", True), ("capacity-block", False)])
def test_a_reservation_of_karpenter_counts_unless_it_is_a_capacity_block(
    account: Account, quotas: dict[str, float], kind: str, counts: bool
) -> None:
    quotas[G_ON_DEMAND] = 143
    answer = {
        "State": "active",
        "ReservationType": kind,
        "InstanceType": "g6e.12xlarge",
        "AvailabilityZone": f"{REGION}a",
        "TotalInstanceCount": 3,
        "AvailableInstanceCount": 3,
    }
    reservations(account, answer)
    found = burst(account, "reserved", reservation=RESERVED, zone=f"{REGION}a")
    assert found["reservation of flex-reserved"].state == "ok"
    named = found.get("Running On-Demand G and VT instances")
    assert (named is not None and named.state == "broken") is counts


def test_a_reservation_that_is_not_shown_leaves_the_other_quotas_seen(account: Account) -> None:
    account_of_moto = account.ask

    def ask(service: str, operation: str, **arguments: Any) -> Any:
        if operation == "describe_capacity_reservations":
            raise Declined("UnauthorizedOperation", "AWS answers UnauthorizedOperation", "let these credentials do it")
        return account_of_moto(service, operation, **arguments)

    account.ask = ask  # type: ignore[method-assign]
    found = burst(account, "reserved", reservation=RESERVED, zone=f"{REGION}a")
    assert found["quota of flex-reserved"].state == "missing"
    assert found[STANDARD].state == "ok"


def test_node_pools_are_read_from_rows_of_the_platform() -> None:
    platform = shipped.stacks()["cloud-burst-sto-aws-platform"]
    (group,) = flexing(platform.cluster_rows, "1.35", Catalog.shipped())
    assert (group.name, group.types, group.nodes, group.purchase) == ("flex-g6e", ("g6e.12xlarge",), 3, "on-demand")
    assert group.image == "amazon-eks-node-al2023-x86_64-nvidia-1.35-v20261105"
    assert group.reservation == ""
