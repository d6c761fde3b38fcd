"""Nodes that come and go: what is paid first, within what they may cost, by a controller on a leash."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from aifactory.components.cluster.aws import karpenter
from aifactory.components.names import tags
from aifactory.components.offers import PoolOffer
from aifactory.components.rows import CloudRow, HelmRow, KubernetesRow
from aifactory.components.values import Ref, plain
from support.aws_sites import P5EN, base_rows, planned, rented
from support.planning import Planned
from support.proving.aws_policies import check_policies
from support.proving.aws_rows import check_rows, untagged
from support.schemas import Schemas

ON_DEMAND = {name: value for name, value in P5EN.items() if name != "zone"} | {
    "group": "open",
    "instance_type": "g6e.12xlarge",
    "nodes": 6,
}
SPOT = {**ON_DEMAND, "group": "spot", "purchase": "spot", "nodes": 3}
HELD = {
    **ON_DEMAND,
    "group": "held",
    "purchase": "reserved",
    "zone": "eu-north-1a",
    "reservation": "cr-0123456789abcdef0",
    "nodes": 2,
}
POOL: dict[str, Any] = {
    "kind": "gpu-node-pool",
    "name": "burst",
    "accelerator": "l40s",
    "nodes": 8,
    "workload": "inference",
    "flex": {"usd_per_hour": 40.0},
}
PRICE = {
    "instance_type": "g6e.12xlarge",
    "purchase": "spot",
    "usd_per_hour": 5.0,
    "evidence": "made up for a test of ours",
    "seen": "2026-11-29",
}


def flexible(*groups: dict[str, Any], offers: list[dict[str, Any]] | None = None, **flex: Any) -> Planned:
    pool = {**POOL, "flex": {**POOL["flex"], **flex}}
    return rented(*(groups or (ON_DEMAND, SPOT, HELD)), pools=(pool,), offers=[PRICE] if offers is None else offers)


@cache
def burst() -> Planned:
    return flexible()


def told(found: Planned, kind: str) -> dict[str, Any]:
    rows = (row for row in found.stack.rows if isinstance(row, KubernetesRow) and row.body["kind"] == kind)
    return {row.name: row.body["spec"] for row in rows}


def karpenters(found: Planned) -> list[CloudRow]:
    return [
        row for row in base_rows(found).values() if "karpenter" in row.name and not row.token.startswith("aws:ecr/")
    ]


def test_what_is_paid_is_used_first_then_spot_then_on_demand_as_far_as_the_money_goes() -> None:
    pools = told(burst(), "NodePool")
    assert {name: (pool["weight"], pool["limits"]) for name, pool in pools.items()} == {
        "burst-held": (90, {"nodes": "2"}),
        "burst-spot": (50, {"nodes": "3"}),
        # 40 USD less 3 x 5.00 for Spot buy two at 11.13.
        "burst-open": (10, {"nodes": "2"}),
    }
    kinds = {
        name: [each["values"] for each in pool["template"]["spec"]["requirements"]][1][0]
        for name, pool in pools.items()
    }
    assert kinds == {"burst-held": "reserved", "burst-spot": "spot", "burst-open": "on-demand"}


@pytest.mark.parametrize(("money", "nodes"), [(None, 8), (40.0, 7), (15.0, 5), (4.0, 2)])
def test_all_shares_together_never_cost_more_than_they_may(money: float | None, nodes: int) -> None:
    found = flexible(usd_per_hour=money)
    assert found.errors == []
    assert sum(int(pool["limits"]["nodes"]) for pool in told(found, "NodePool").values()) == nodes
    (offer,) = (each for each in found.site_plan.offers if isinstance(each, PoolOffer))
    assert offer.nodes == nodes


def test_a_node_is_taken_when_it_is_empty_and_never_to_save_money() -> None:
    for pool in told(flexible(empty_after_s=900, expire_after_h=48), "NodePool").values():
        assert pool["disruption"]["consolidationPolicy"] == "WhenEmpty"
        assert pool["disruption"]["consolidateAfter"] == "900s"
        assert pool["template"]["spec"]["expireAfter"] == "48h"
    for pool in told(burst(), "NodePool").values():
        assert pool["template"]["spec"]["expireAfter"] == "Never"


def test_nodes_have_the_label_the_taint_and_the_disks_of_pools_of_a_fixed_size() -> None:
    for pool in told(burst(), "NodePool").values():
        assert pool["template"]["metadata"]["labels"]["aifactory.io/pool"] == "burst"
        assert pool["template"]["spec"]["taints"] == [
            {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
        ]
    for nodes in told(burst(), "EC2NodeClass").values():
        (disk,) = nodes["blockDeviceMappings"]
        assert disk["ebs"]["encrypted"] is True
        assert disk["ebs"]["kmsKeyID"].endswith(":alias/demo-sto-lab-disks")
        assert nodes["metadataOptions"]["httpPutResponseHopLimit"] == 1
        assert nodes["instanceStorePolicy"] == "RAID0"
        assert nodes["amiSelectorTerms"] == [{"alias": "al2023@v20261105"}]
    held = told(burst(), "EC2NodeClass")["burst-held"]
    assert held["capacityReservationSelectorTerms"] == [{"id": "cr-0123456789abcdef0"}]


def test_subnets_and_the_profile_that_nodes_are_found_by_are_made_in_the_base() -> None:
    rows = base_rows(burst())
    subnets = {row.properties["tags"]["Name"] for row in rows.values() if row.token.endswith(":Subnet")}  # type: ignore[index]
    profiles = {row.properties["name"] for row in rows.values() if row.token.endswith(":InstanceProfile")}
    for nodes in told(burst(), "EC2NodeClass").values():
        assert {term["tags"]["Name"] for term in nodes["subnetSelectorTerms"]} <= subnets
        assert nodes["instanceProfile"] in profiles


def test_aws_would_take_all_rows_that_karpenter_needs() -> None:
    rows = list(base_rows(burst()).values())
    assert check_rows(rows) == []
    assert untagged(rows, tags("demo", "sto-lab", "cluster")) == []
    assert len(karpenters(burst())) == 16
    assert karpenters(planned()) == [], "a site without such a pool has none of it"


def test_what_carries_no_tags_is_listed() -> None:
    lacking = {row.id for row in base_rows(burst()).values() if "tags" not in row.properties}
    assert set(burst().decisions["cluster.aws.untagged"].value) == lacking  # type: ignore[call-overload]


@cache
def with_a_way_out() -> Planned:
    """Where the site has NAT gateways."""
    return rented(ON_DEMAND, pools=({**POOL, "flex": {}},), vpc={"egress": "nat"})


def allowed(found: Planned) -> dict[str, dict[str, Any]]:
    """Statements of the policy of Karpenter's role, by Sid."""
    (policy,) = (row for row in karpenters(found) if row.token.endswith(":RolePolicy"))
    document = json.loads(str(plain(policy.properties["policy"], lambda ref: f"arn:aws:ref:::{ref.row}")))
    return {each["Sid"]: each for each in document["Statement"]}


@pytest.mark.parametrize("found", [burst, with_a_way_out], ids=lambda found: found.__name__)
def test_its_role_grants_the_least_by_what_iam_knows(found: Callable[[], Planned]) -> None:
    role = base_rows(found())["aws:iam/role:Role/node"]
    reasons = {sid: "these actions list" for sid in allowed(found()) if sid.startswith("Look")}
    assert check_policies([*karpenters(found()), role], reasons) == []


READS = {
    "ec2:DescribeCapacityReservations", "ec2:DescribeImages", "ec2:DescribeInstances", "ec2:DescribeInstanceStatus",
    "ec2:DescribeInstanceTypeOfferings", "ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplates",
    "ec2:DescribePlacementGroups", "ec2:DescribeSecurityGroups", "ec2:DescribeSpotPriceHistory", "ec2:DescribeSubnets",
    "ssm:GetParameter", "iam:GetInstanceProfile", "eks:DescribeCluster",
}  # fmt: skip
"""What upstream's policy of v1.14 lets it read (AllowRegionalReadActions and others)."""
ABROAD = {"pricing:GetProducts", "iam:ListInstanceProfiles"}
"""What upstream's lets it read of APIs that no endpoint of the region leads to."""


@pytest.mark.parametrize(("found", "wanted"), [(burst, READS), (with_a_way_out, READS | ABROAD)])
def test_it_reads_all_that_it_asks_for_and_can_reach(found: Callable[[], Planned], wanted: set[str]) -> None:
    """Without ListInstanceProfiles each pass of instanceprofile.garbagecollection ends in an error."""
    actions = {action for each in allowed(found()).values() for action in each["Action"]}
    verbs = ("Describe", "Get", "List")
    reads = {action for action in actions if action.partition(":")[2].startswith(verbs) and "sqs" not in action}
    assert reads == wanted


def test_it_ends_no_instance_of_others() -> None:
    statements = allowed(burst())
    owner = "kubernetes.io/cluster/demo-sto-lab"
    assert statements["End"]["Condition"]["StringEquals"] == {f"aws:ResourceTag/{owner}": "owned"}
    assert statements["Make"]["Condition"]["StringEquals"][f"aws:RequestTag/{owner}"] == "owned"
    assert statements["GiveRole"]["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    assert not any("iam:Create" in action for each in statements.values() for action in each["Action"])


def test_without_a_way_out_it_reaches_what_it_asks_through_endpoints() -> None:
    services = {row.name for row in base_rows(burst()).values() if row.token.endswith(":VpcEndpoint")}
    assert {"ssm", "sqs"} <= services
    without = {row.name for row in base_rows(planned()).values() if row.token.endswith(":VpcEndpoint")}
    assert services - without == {"ssm", "sqs"}
    assert {row.name for row in base_rows(with_a_way_out()).values() if row.token.endswith(":VpcEndpoint")} == {"s3"}


def test_who_uses_spot_is_told_of_the_role_that_an_account_wants_once() -> None:
    def told_of(found: Planned) -> list[str]:
        return [note.says for note in found.stack.plan.notes if "AWSServiceRoleForEC2Spot" in note.says]

    (says,) = told_of(burst())
    assert "aws iam create-service-linked-role --aws-service-name spot.amazonaws.com" in says
    assert told_of(flexible(ON_DEMAND)) == []


def test_each_event_that_takes_a_node_reaches_the_queue() -> None:
    rules = [row for row in karpenters(burst()) if row.token.endswith(":EventRule")]
    targets = [row for row in karpenters(burst()) if row.token.endswith(":EventTarget")]
    assert len(rules) == len(targets) == len(karpenter.EVENTS)
    queue = Ref("aws:sqs/queue:Queue/karpenter", "arn")
    assert all(row.properties["arn"] == queue for row in targets)


def test_the_release_is_told_the_cluster_and_the_queue_as_the_base_names_them() -> None:
    (release,) = (row for row in burst().stack.rows if isinstance(row, HelmRow) and row.chart == "karpenter")
    settings: Any = release.values["settings"]
    (queue,) = (row for row in karpenters(burst()) if row.token.endswith(":Queue"))
    assert settings["interruptionQueue"] == queue.properties["name"]
    assert settings["clusterName"] == "demo-sto-lab"
    assert settings["isolatedVPC"] is True


def test_nothing_waits_for_nodes_that_may_not_be_there() -> None:
    found = rented(ON_DEMAND, pools=(POOL, {"kind": "observability", "name": "watch", "signals": []}))
    assert not any(row.id.startswith("Job") for row in found.stack.rows)
    alerts = str(
        [row.body for row in found.stack.rows if isinstance(row, KubernetesRow) and "PrometheusRule" in row.id]
    )
    assert "GpuXidError" in alerts
    assert "GpuMetricsMissing" not in alerts
    assert "NodeWithoutGpu" not in alerts


def test_a_limit_below_the_price_of_a_node_is_refused() -> None:
    (problem,) = flexible(ON_DEMAND, usd_per_hour=2.0).errors
    assert (problem.rule, problem.path) == ("AWS-117", ("parts", 0, "flex", "usd_per_hour"))
    kept = flexible(ON_DEMAND, usd_per_hour=12.0)
    assert kept.errors == []
    assert kept.site_plan.evaluated["AWS-117"] > 0


@pytest.mark.schema
def test_an_api_server_takes_every_object(schemas: Schemas) -> None:
    rows = [row for row in burst().stack.rows if isinstance(row, KubernetesRow)]
    assert {row.id: found for row in rows if (found := schemas.problems(burst().stack.plain_tree(row)))} == {}


@pytest.mark.schema
def test_the_chart_knows_every_value(schemas: Schemas) -> None:
    (release,) = (row for row in burst().stack.rows if isinstance(row, HelmRow) and row.chart == "karpenter")
    assert schemas.chart_problems("karpenter", release.values) == []
