"""The rows of a pool."""

from collections.abc import Callable
from typing import Any

import pytest

from aifactory.components.rows import Gate, HelmRow, HostRow, KubernetesRow
from support.planning import group, place, plan_site
from support.schemas import Schemas

Run = Callable[..., Any]

HOST = {"os": "ubuntu-24.04", "kernel": "6.8", "management_nic": "intel"}
ONE: dict[str, Any] = {"nodes": 1}
RDMA: dict[str, Any] = {"nodes": 8, "fabric": "rdma"}
SHARED = {"kind": "mig", "profiles": {"3g.71gb": 1, "1g.18gb": 2}, "strategy": "mixed"}


def kinds(rows: dict[str, Any]) -> list[str]:
    return [str(row.body["kind"]) for row in rows.values() if isinstance(row, KubernetesRow)]


def of_kind(rows: dict[str, Any], kind: str) -> KubernetesRow:
    """The object of a kind; of the two that name nodes, the one with the pool's own."""
    found = (row for row in rows.values() if isinstance(row, KubernetesRow) and row.body["kind"] == kind)
    (row,) = [row for row in found if not row.name.endswith("-idle-nodes")]
    return row


def spec_of(rows: dict[str, Any], kind: str) -> Any:
    return of_kind(rows, kind).body["spec"]


def test_a_pool_is_labels_a_driver_and_a_check(pools: Run) -> None:
    rows = pools([RDMA]).rows("train")
    assert kinds(rows) == [
        "NodeFeatureRule",
        "NVIDIADriver",
        "ServiceAccount",
        "ClusterRole",
        "ClusterRoleBinding",
        "Job",
    ]
    hosts = [row for row in rows.values() if isinstance(row, HostRow)]
    assert len(hosts) == 6
    assert {row.hosts for row in hosts} == {tuple(f"hgx-h200-{node:03d}" for node in range(1, 9))}


def test_each_rack_is_a_rule_that_names_its_nodes(pools: Run) -> None:
    rules = spec_of(pools([{**RDMA, "nodes": 5}]).rows("train"), "NodeFeatureRule")["rules"]
    assert [rule["name"] for rule in rules] == ["rack hgx-h200-r1", "rack hgx-h200-r2"]
    first, second = rules
    assert first["labels"] == {
        "aifactory.io/pool": "train",
        "aifactory.io/accelerator": "nvidia-h200-sxm",
        "aifactory.io/block": "b1",
        "aifactory.io/rack": "hgx-h200-r1",
        **{f"aifactory.io/rail-{rail}": f"leaf-b1-{rail}" for rail in range(8)},
    }
    assert first["taints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]
    (feature,) = second["matchFeatures"]
    assert feature["feature"] == "system.name"
    assert feature["matchExpressions"] == {"nodename": {"op": "In", "value": ["hgx-h200-005"]}}


def test_nodes_without_a_fabric_have_no_rails_and_untainted_nodes_no_taints(pools: Run) -> None:
    (rule,) = spec_of(pools([{**ONE, "dedicated": False}]).rows("train"), "NodeFeatureRule")["rules"]
    assert not any("rail" in label for label in rule["labels"])
    assert "taints" not in rule


def test_the_driver_is_the_pools_and_waits_for_what_it_needs(pools: Run) -> None:
    row = of_kind(pools([RDMA]).rows("train"), "NVIDIADriver")
    spec: Any = row.body["spec"]
    assert (row.name, spec["nodeSelector"]) == ("train", {"aifactory.io/pool": "train"})
    assert (spec["default"], spec["kernelModuleType"], spec["version"]) == (False, "open", "580.178.04")
    assert spec["rdma"] == {"enabled": True, "useHostMofed": False}
    assert row.gate == Gate(path=".status.state", value="ready", timeout_s=3600)
    assert set(row.after) == {
        "NodeFeatureRule.nfd.k8s-sigs.io/train-nodes",
        "capability:gpu-operator",
        "capability:network-operator",
    }


def test_a_driver_without_a_fabric_waits_for_no_network(pools: Run) -> None:
    row = of_kind(pools([ONE]).rows("train"), "NVIDIADriver")
    spec: Any = row.body["spec"]
    assert spec["rdma"] == {"enabled": False, "useHostMofed": False}
    assert spec["gdrcopy"] == spec["gds"] == {"enabled": False}
    assert "capability:network-operator" not in row.after
    assert row.gate is not None
    assert row.gate.timeout_s >= 1200


def test_a_driver_is_replaced_only_where_no_job_runs(pools: Run) -> None:
    policy = {"max_parallel": 1, "max_unavailable_percent": 10}
    upgrade = spec_of(pools([{**ONE, "driver": policy}]).rows("train"), "NVIDIADriver")["upgradePolicy"]
    assert upgrade["waitForCompletion"] == {
        "podSelector": "batch.kubernetes.io/job-name",
        "timeoutSeconds": 0,
    }
    assert (upgrade["autoUpgrade"], upgrade["maxUnavailable"], upgrade["drain"]) == (
        True,
        "10%",
        {"enable": False},
    )


def test_a_driver_that_others_own_is_no_row(pools: Run) -> None:
    where = place(nodes=[group(host={**HOST, "driver": "580.178.04"})])
    rows = pools([RDMA], at=where).rows("train")
    assert "NVIDIADriver" not in kinds(rows)
    assert of_kind(rows, "Job").gate is not None


def test_the_pool_is_ready_when_each_node_offers_its_gpus(pools: Run) -> None:
    rows = pools([RDMA]).rows("train")
    job = of_kind(rows, "Job")
    assert job.gate == Gate(condition="Complete", timeout_s=6000)
    assert {"NVIDIADriver.nvidia.com/train", "capability:gpu-operator"} <= set(job.after)
    pod: Any = spec_of(rows, "Job")["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "registry.k8s.io/kubectl:v1.35.6"
    assert container["args"][:2] == ["wait", "--for=jsonpath={.status.allocatable.nvidia\\.com/gpu}=8"]
    assert container["args"][3:] == [f"node/hgx-h200-{node:03d}" for node in range(1, 9)]
    assert all(name not in container["resources"]["requests"] for name in ("nvidia.com/gpu", "nvidia.com/gpu.shared"))
    assert {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present", "effect": "NoSchedule"} in pod[
        "tolerations"
    ]


@pytest.mark.parametrize(
    ("spec", "checks"),
    [
        (
            {"sharing": SHARED},
            [
                "{.status.allocatable.nvidia\\.com/mig-1g\\.18gb}=16",
                "{.status.allocatable.nvidia\\.com/mig-3g\\.71gb}=8",
            ],
        ),
        (
            {"sharing": {"kind": "time-slicing", "replicas": 4}},
            ["{.status.allocatable.nvidia\\.com/gpu\\.shared}=32"],
        ),
        ({"device_management": "dra"}, ["{.status.state}=ready"]),
    ],
    ids=["mig", "turns", "dra"],
)
def test_each_resource_is_waited_for(spec: dict[str, Any], checks: list[str], pools: Run) -> None:
    pod: Any = spec_of(pools([{**ONE, **spec}]).rows("train"), "Job")["template"]["spec"]
    found = [container["args"][1].removeprefix("--for=jsonpath=") for container in pod["containers"]]
    assert found == checks


def test_another_set_of_nodes_is_another_job(pools: Run) -> None:
    names = {of_kind(pools([{**RDMA, "nodes": count}]).rows("train"), "Job").name for count in (4, 5)}
    assert len(names) == 2
    assert all(name.startswith("train-gpus-") for name in names)


def test_thousands_of_nodes_are_selected_and_not_named(pools: Run) -> None:
    racks = [
        {"rack": f"r{rack}", "block": "b1", "nodes": [f"node-{rack}-{node}" for node in range(64)]}
        for rack in range(64)
    ]
    power = {"racks": 64, "kw_per_rack": 700.0, "pue": 1.2, "usd_per_kwh": 0.1}
    where = place(nodes=[{**group(), "racks": racks}], power=power)
    profiles = {"3g.71gb": 1, "2g.35gb": 1, "1g.18gb": 2}
    sharing = {"kind": "mig", "profiles": profiles, "strategy": "mixed"}
    rows = pools([{"nodes": 4096, "sharing": sharing}], at=where).rows("train")
    pod: Any = spec_of(rows, "Job")["template"]["spec"]
    assert [container["args"][3:] for container in pod["containers"]] == [
        ["node", "--selector=aifactory.io/pool=train"]
    ] * 3


@pytest.mark.parametrize(("version", "tag"), [("1.35.6", "v1.35.6"), ("1.36", "v1.36.0"), ("v1.34.2", "v1.34.2")])
def test_kubectl_is_of_the_clusters_release(version: str, tag: str, pools: Run) -> None:
    where = place(cluster={"version": version, "kubeconfig": {"context": "lab"}})
    pod: Any = spec_of(pools([ONE], at=where).rows("train"), "Job")["template"]["spec"]
    assert pod["containers"][0]["image"] == f"registry.k8s.io/kubectl:{tag}"


@pytest.mark.parametrize(
    ("provides", "needs", "there"),
    [({}, [], False), ({"metrics": {"version": "88.5.3"}}, [], True), ({}, ["metrics"], True)],
)
def test_alerts_exist_only_where_something_reads_them(
    provides: dict[str, Any], needs: list[str], there: bool, pools: Run
) -> None:
    where = place(cluster={"version": "1.35.6", "kubeconfig": {"context": "lab"}, "provides": provides})
    found = pools([RDMA], at=where, needs=needs)
    rows = found.rows("train")
    assert ("PrometheusRule" in kinds(rows)) is there
    if there:
        (group_of_rules,) = spec_of(rows, "PrometheusRule")["groups"]
        record, *alerts = group_of_rules["rules"]
        assert 'Hostname=~"hgx-h200-001|hgx-h200-002' in record["expr"]
        assert {alert["labels"]["pool"] for alert in alerts} == {"train"}
        assert "GpuLost" in {alert["alert"] for alert in alerts}


def test_gpu_nodes_of_no_pool_get_no_operands(pools: Run) -> None:
    other = group("l40s", 2, nics=[], nic_model=None)
    amd = group("mi300x", 1, nics=[], nic_model=None)
    found = pools([{**RDMA, "nodes": 7}], at=place(nodes=[group(), other, amd]))
    row = found.rows("train")["NodeFeatureRule.nfd.k8s-sigs.io/train-idle-nodes"]
    (rule,) = row.body["spec"]["rules"]
    assert rule["labels"] == {"nvidia.com/gpu.deploy.operands": "false"}
    nodes = rule["matchFeatures"][0]["matchExpressions"]["nodename"]["value"]
    assert nodes == ["hgx-h200-008", "hgx-l40s-001", "hgx-l40s-002"]


def test_nodes_of_a_given_operator_are_left_alone(pools: Run) -> None:
    given = {"gpu-operator": {"version": "v26.7.0"}}
    where = place(cluster={"version": "1.35.6", "kubeconfig": {"context": "lab"}, "provides": given})
    assert not any("idle" in row for row in pools([ONE], at=where).rows("train"))


def test_hosts_that_others_own_get_no_files(pools: Run) -> None:
    found = pools([{**RDMA, "host_tuning": False}])
    assert not any(isinstance(row, HostRow) for row in found.rows("train").values())
    assert "0-2,96-98 kept from pods" in found.decisions["train.host_tuning"].reason


def test_pools_of_one_site_share_no_identity(pools: Run) -> None:
    found = pools([{**RDMA, "nodes": 3}, {**RDMA, "name": "next", "nodes": 3}], needs=["metrics"])
    assert not set(found.rows("train")) & set(found.rows("next"))


def test_a_renamed_pool_keeps_its_objects(pools: Run) -> None:
    before = pools([RDMA], needs=["metrics"]).rows("train")
    after = pools([{**RDMA, "name": "learn", "renamed_from": "train"}], needs=["metrics"]).rows("learn")
    assert set(before) == set(after)


@pytest.mark.schema
@pytest.mark.parametrize(
    "specs",
    [
        [RDMA],
        [{**RDMA, "nodes": 7, "gds": True}],
        [ONE],
        [{**ONE, "sharing": SHARED}],
        [{**ONE, "sharing": {"kind": "time-slicing", "replicas": 4}}],
        [{**ONE, "device_management": "dra", "dedicated": False}],
    ],
    ids=["rdma", "gds", "one", "mig", "turns", "dra"],
)
def test_every_object_is_one_that_a_server_takes(specs: list[dict[str, Any]], pools: Run, schemas: Schemas) -> None:
    rows = pools(specs, needs=["metrics"]).rows("train")
    problems = {row.id: schemas.problems(row.body) for row in rows.values() if isinstance(row, KubernetesRow)}
    assert {name: found for name, found in problems.items() if found} == {}


def test_two_pools_of_different_gpus_make_one_stack() -> None:
    cards = group("l40s", 4, nics=[], nic_model=None, kw_per_node=3.5)
    planned = plan_site(
        [
            {"kind": "gpu-node-pool", "name": "train", "accelerator": "h200", "nodes": 8, "fabric": "rdma"},
            {
                "kind": "gpu-node-pool",
                "name": "serve",
                "accelerator": "l40s",
                "nodes": 3,
                "workload": "inference",
                "sharing": {"kind": "time-slicing", "replicas": 4},
            },
        ],
        place(nodes=[group(), cards]),
    )
    assert planned.errors == []
    rows = planned.rows
    (operator,) = [row for row in rows.values() if isinstance(row, HelmRow) and row.chart == "gpu-operator"]
    values: Any = operator.values
    assert values["nfd"]["enabled"] is False
    assert values["ccManager"]["enabled"] is False
    assert values["validator"]["plugin"]["env"]
    assert values["driver"]["nvidiaDriverCRD"]["enabled"] is True
    assert set(values["devicePlugin"]["config"]["data"]) == {"serve", "whole"}
    assert operator.id in rows["NVIDIADriver.nvidia.com/train"].after
    assert operator.id in rows["NVIDIADriver.nvidia.com/serve"].after
    assert "NodeFeatureRule.nfd.k8s-sigs.io/serve-idle-nodes" in rows
    (discovery,) = [row for row in rows.values() if isinstance(row, HelmRow) and row.chart == "node-feature-discovery"]
    assert discovery.values["master"] == {"enableTaints": True}
    assert "Namespace/gpu-acceptance" in rows
