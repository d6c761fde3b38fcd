"""What the site's one GPU Operator is told by its pools."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from aifactory.components.cluster.merge import Layer, merged
from support.planning import group, place
from support.schemas import Schemas

Run = Callable[..., Any]

HOST = {"os": "ubuntu-24.04", "kernel": "6.8", "management_nic": "intel"}
ONE: dict[str, Any] = {"nodes": 1}
SEVENTHS = {"kind": "mig", "profiles": {"1g.18gb": 7}}
TURNS = {"kind": "time-slicing", "replicas": 4}


def cluster(distribution: str = "kubeadm", version: str = "1.35.6", **fields: Any) -> dict[str, Any]:
    return {"version": version, "kubeconfig": {"context": "lab"}, "distribution": distribution, **fields}


@pytest.mark.parametrize(
    ("distribution", "version", "toolkit", "nri"),
    [
        ("kubeadm", "1.35.6", {"enabled": True}, False),
        ("rke2", "1.35.6", {"enabled": True}, True),
        ("k3s", "1.34.1", {"enabled": True}, True),
        (
            "rke2",
            "1.33.9",
            {
                "enabled": True,
                "env": [{"name": "CONTAINERD_SOCKET", "value": "/run/k3s/containerd/containerd.sock"}],
            },
            False,
        ),
        ("talos", "1.35.6", {"enabled": False}, False),
        ("openshift", "1.35.6", {"enabled": True}, False),
    ],
)
def test_the_toolkit_fits_the_distribution(
    distribution: str, version: str, toolkit: dict[str, Any], nri: bool, pools: Run
) -> None:
    host = {**HOST, "os": "talos", "driver": "580.178.04"} if distribution == "talos" else HOST
    where = place(nodes=[group(host=host)], cluster=cluster(distribution, version))
    found = pools([ONE], at=where)
    values = found.values("gpu-operator")
    assert values["toolkit"] == toolkit
    assert values["cdi"] == {"enabled": True, "nriPluginEnabled": nri}
    assert (found.decisions["train.toolkit"].value == "nri") is nri
    assert ("operator" in values) is (distribution == "openshift")


@pytest.mark.parametrize(
    ("drivers", "enabled"),
    [((None, None), True), (("580.178.04", None), True), (("580.178.04", "580.178.04"), False)],
)
def test_drivers_come_from_resources_of_the_pools_or_from_the_hosts(
    drivers: tuple[str | None, str | None], enabled: bool, pools: Run
) -> None:
    nodes = [
        group(name, 2, host={**HOST, "driver": driver} if driver else HOST)
        for name, driver in zip(("h200", "b200"), drivers, strict=True)
    ]
    found = pools([ONE, {**ONE, "name": "next", "accelerator": "b200"}], at=place(nodes=nodes))
    values = found.values("gpu-operator")
    assert values["driver"] == {
        "enabled": enabled,
        "nvidiaDriverCRD": {"enabled": enabled, "deployDefaultCR": False},
    }
    kept_off = ("nvidia.com/gpu.deploy.driver", "false")
    labels = [found.plans[name].node_labels[0].labels for name in ("train", "next")]
    assert [kept_off in each for each in labels] == [bool(driver) and enabled for driver in drivers]


def test_operands_never_take_the_root_of_the_host_for_the_driver(pools: Run) -> None:
    assert pools([ONE]).values("gpu-operator")["hostPaths"] == {"driverInstallDir": "/run/nvidia/driver"}


def test_turns_are_a_configuration_of_their_pool_alone(pools: Run) -> None:
    found = pools([{**ONE, "sharing": TURNS}, {**ONE, "name": "whole-gpus"}])
    config = found.values("gpu-operator")["devicePlugin"]["config"]
    assert (config["create"], config["default"], set(config["data"])) == (True, "whole", {"train", "whole"})
    turns = yaml.safe_load(config["data"]["train"])["sharing"]["timeSlicing"]
    assert turns == {
        "renameByDefault": True,
        "failRequestsGreaterThanOne": True,
        "resources": [{"name": "nvidia.com/gpu", "replicas": 4}],
    }
    labels = {name: dict(plan.node_labels[0].labels) for name, plan in found.plans.items()}
    assert labels["train"]["nvidia.com/device-plugin.config"] == "train"
    assert "nvidia.com/device-plugin.config" not in labels["whole-gpus"]


def test_instances_are_a_configuration_of_their_pool_alone(pools: Run) -> None:
    found = pools([{**ONE, "sharing": SEVENTHS}, {**ONE, "name": "whole-gpus"}])
    values = found.values("gpu-operator")
    assert values["mig"] == {"strategy": "single"}
    assert values["migManager"]["config"]["default"] == "all-disabled"
    configs = yaml.safe_load(values["migManager"]["config"]["data"]["config.yaml"])["mig-configs"]
    assert configs["train"] == [{"devices": "all", "mig-enabled": True, "mig-devices": {"1g.18gb": 7}}]
    assert dict(found.plans["train"].node_labels[0].labels)["nvidia.com/mig.config"] == "train"


def test_a_changed_configuration_restarts_its_reader_and_nothing_else(pools: Run) -> None:
    few = pools([{**ONE, "sharing": TURNS}]).values("gpu-operator")
    many = pools([{**ONE, "sharing": {**TURNS, "replicas": 8}}]).values("gpu-operator")
    assert few["devicePlugin"]["env"] != many["devicePlugin"]["env"]
    assert few["dcgmExporter"]["env"] == many["dcgmExporter"]["env"]


def test_without_sharing_nothing_is_configured_by_node(pools: Run) -> None:
    values = pools([ONE]).values("gpu-operator")
    assert "config" not in values["devicePlugin"]
    assert "migManager" not in values


def test_one_exporter_serves_the_shortest_interval_and_every_wish(pools: Run) -> None:
    quiet = {"interval_s": 60, "profiling": False}
    values = pools([{**ONE, "monitoring": quiet}]).values("gpu-operator")["dcgmExporter"]
    assert values["serviceMonitor"]["interval"] == "60s"
    assert "DCGM_FI_PROF" not in values["config"]["data"]
    both = pools([{**ONE, "monitoring": quiet}, {**ONE, "name": "next"}]).values("gpu-operator")["dcgmExporter"]
    assert both["serviceMonitor"]["interval"] == "30s"
    assert "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE" in both["config"]["data"]


def test_cards_without_nvlink_are_not_asked_for_it(pools: Run) -> None:
    cards = place(nodes=[group("l4", 2, nics=[], nic_model=None)])
    spec = {"accelerator": "l4", "nodes": 2, "workload": "inference"}
    text = pools([spec], at=cards).values("gpu-operator")["dcgmExporter"]["config"]["data"]
    assert "NVLINK" not in text
    assert all(line.count(",") == 2 for line in text.splitlines())


def test_dra_turns_the_device_plugin_off_and_the_driver_on(pools: Run) -> None:
    found = pools([{**ONE, "device_management": "dra"}])
    assert found.values("gpu-operator")["devicePlugin"]["enabled"] is False
    values = found.values("dra-driver-nvidia-gpu")
    assert values["nvidiaDriverRoot"] == "/run/nvidia/driver"
    assert values["gpuResourcesEnabledOverride"] is True
    assert values["resources"] == {"gpus": {"enabled": True}, "computeDomains": {"enabled": False}}
    selector = values["kubeletPlugin"]["nodeSelector"]
    assert selector.items() <= dict(found.plans["train"].node_labels[0].labels).items()
    assert values["kubeletPlugin"]["podAnnotations"] == {"aifactory.io/driver": "580.178.04"}


def test_dra_looks_for_a_driver_of_the_host_at_its_root(pools: Run) -> None:
    where = place(nodes=[group(host={**HOST, "driver": "580.178.04"})])
    values = pools([{**ONE, "device_management": "dra"}], at=where).values("dra-driver-nvidia-gpu")
    assert values["nvidiaDriverRoot"] == "/"


def test_a_given_operator_is_told_nothing(pools: Run) -> None:
    given = {"gpu-operator": {"version": "v26.7.0", "features": ["dra-only"]}}
    found = pools([{**ONE, "device_management": "dra"}], at=place(cluster=cluster(provides=given)))
    assert found.problems == []
    assert found.values("gpu-operator") == {}
    (need,) = [need for need in found.site_plan.requirements if need.capability == "gpu-operator"]
    assert need.features == ("dra-only",)
    assert found.decisions["train.toolkit"].value == "given"


def test_one_pool_speaks_for_all_and_each_is_heard(pools: Run) -> None:
    specs = [{**ONE, "sharing": SEVENTHS}, {**ONE, "name": "next", "sharing": TURNS}]
    found = pools(specs)
    needs = [need for need in found.site_plan.requirements if need.capability == "gpu-operator"]
    assert [bool(need.values) for need in needs] == [False, True]  # settled in reverse
    result = merged([Layer(need.part, need.values) for need in needs])
    assert result.conflicts == []
    assert {"devicePlugin", "migManager"} <= set(result.values)


@pytest.mark.schema
@pytest.mark.parametrize(
    ("specs", "where"),
    [
        ([{"nodes": 8, "fabric": "rdma", "gds": True}], {}),
        ([{**ONE, "sharing": SEVENTHS}, {**ONE, "name": "next", "sharing": TURNS}], {}),
        ([{**ONE, "device_management": "dra"}], {}),
        ([ONE], {"cluster": cluster("openshift")}),
        ([ONE], {"cluster": cluster("rke2")}),
        ([ONE], {"cluster": cluster("k3s", "1.33.2")}),
    ],
    ids=["gds", "shared", "dra", "openshift", "rke2", "k3s"],
)
def test_every_value_exists_in_the_chart(
    specs: list[dict[str, Any]], where: dict[str, Any], pools: Run, schemas: Schemas
) -> None:
    found = pools(specs, at=place(**where))
    assert found.problems == []
    for capability in ("gpu-operator", "node-feature-discovery", "dra-driver-nvidia-gpu"):
        assert schemas.chart_problems(capability, found.values(capability)) == []
