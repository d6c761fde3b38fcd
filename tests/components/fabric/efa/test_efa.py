"""EFA: a group that talks to itself, a device plugin for the pools on it, settings in the contract of all fabrics."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from aifactory.components import pods
from aifactory.components.offers import FabricOffer, PoolOffer
from aifactory.components.rows import HelmRow
from aifactory.components.values import Ref
from support.aws_sites import P5EN, POOL, base_rows, rented
from support.planning import Planned

G6E = {**P5EN, "group": "g6e", "instance_type": "g6e.12xlarge"}
QUEUE = {
    "kind": "queue",
    "name": "tenants",
    "engine": "kueue",
    "pools": ["train"],
    "tenants": [{"tenant": "research", "quota": {"train": 16}}],
}


@cache
def efa() -> Planned:
    return rented()


def offer(found: Planned, kind: type[Any]) -> Any:
    (each,) = (each for each in found.site_plan.offers if isinstance(each, kind))
    return each


def test_the_group_admits_all_traffic_of_itself_in_both_directions_and_nothing_else() -> None:
    rows = [row for row in base_rows(efa()).values() if row.part == "fabric"]
    assert [row.token.rpartition(":")[2] for row in rows].count("SecurityGroup") == 1
    group = Ref("aws:ec2/securityGroup:SecurityGroup/fabric-efa", "id")
    rules = {row.token.rpartition(":")[2]: row.properties for row in rows if "Rule" in row.token}
    assert set(rules) == {"SecurityGroupIngressRule", "SecurityGroupEgressRule"}
    for rule in rules.values():
        assert (rule["securityGroupId"], rule["referencedSecurityGroupId"], rule["ipProtocol"]) == (group, group, "-1")
        assert "cidrIpv4" not in rule


def test_the_device_plugin_comes_from_the_region_and_runs_on_nodes_of_the_pools_alone() -> None:
    (release,) = (row for row in efa().stack.rows if isinstance(row, HelmRow) and row.chart.startswith("aws-efa"))
    values: Any = release.values
    assert values["image"] == {
        "repository": "602401143452.dkr.ecr.eu-north-1.amazonaws.com/eks/aws-efa-k8s-device-plugin"
    }
    assert values["supportedInstanceLabels"] == {"keys": ["aifactory.io/pool"], "values": ["train"]}
    assert values["tolerations"][0]["key"] == "nvidia.com/gpu"


def test_settings_are_few_and_name_the_plugin() -> None:
    settings = dict(offer(efa(), FabricOffer).settings)
    assert settings == {"NCCL_NET_PLUGIN": "ofi", "NCCL_SOCKET_IFNAME": "eth0"}
    left_out: Any = efa().decisions["fabric.nccl.left_out"].value
    assert not set(left_out) & set(settings)


def test_a_pod_gets_the_devices_and_huge_pages_of_its_gpus_and_no_networks() -> None:
    pool, fabric = offer(efa(), PoolOffer), offer(efa(), FabricOffer)
    table = {8: ("16", "5Gi"), 4: ("8", "3Gi"), 1: ("2", "1Gi")}
    for gpus, (devices, pages) in table.items():
        found = pods.contract(pool, fabric, gpus)
        requests = dict(found.requests)
        assert (requests["vpc.amazonaws.com/efa"], requests["hugepages-2Mi"]) == (devices, pages)
        assert found.networks == ()
        assert found.settings == "fabric-nccl"
    alone = dict(pods.contract(pool, None, 8).requests)
    assert "vpc.amazonaws.com/efa" not in alone
    assert "hugepages-2Mi" not in alone


def test_huge_pages_come_out_of_what_pods_see_of_a_nodes_memory() -> None:
    with_efa = offer(efa(), PoolOffer).memory_gib_per_node
    without = offer(rented(pools=({**POOL, "fabric": "none", "nodes": 1},)), PoolOffer).memory_gib_per_node
    assert without - with_efa == 11 - 5


def test_workloads_wait_until_each_node_offers_its_devices() -> None:
    (job,) = (row for row in efa().stack.rows if "/train-efa-" in row.id and row.id.startswith("Job"))
    (container,) = job.body["spec"]["template"]["spec"]["containers"]  # type: ignore[union-attr, index]
    assert "--for=jsonpath={.status.allocatable.vpc\\.amazonaws\\.com/efa}=16" in container["args"]
    assert "--selector=aifactory.io/pool=train" in container["args"]


CASES: list[tuple[str, dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]] = [
    (
        "FAB-001",
        P5EN,
        [POOL, {"kind": "fabric", "name": "net", "type": "roce"}],
        [POOL, {"kind": "fabric", "name": "net"}],
    ),
    (
        "AWS-116",
        P5EN,
        [POOL, {"kind": "fabric", "name": "net", "nccl": {"ib_timeout": 22}}],
        [POOL, {"kind": "fabric", "name": "net", "nccl": {"socket_interface": "eth1"}}],
    ),
    ("FAB-004", {**P5EN, "instance_type": "g6.xlarge"}, [{"kind": "fabric", "name": "net"}], []),
]


@pytest.mark.parametrize(("rule", "group", "fires", "holds"), CASES)
def test_a_rule_fires_on_what_it_forbids_and_on_nothing_else(
    rule: str, group: dict[str, Any], fires: list[dict[str, Any]], holds: list[dict[str, Any]]
) -> None:
    broken = rented(group, pools=fires)
    assert rule in {problem.rule for problem in broken.errors}
    assert all(problem.hint for problem in broken.errors if problem.rule == rule)
    if holds:
        kept = rented(group, pools=holds)
        assert kept.errors == []
        assert kept.site_plan.evaluated[rule] > 0
