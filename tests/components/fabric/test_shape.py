"""The rows of a fabric: what the API server takes, and in which order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aifactory.components.offers import StorageUse
from aifactory.components.rows import KubernetesRow, Wave
from aifactory.components.values import plain
from support.fabrics import UFM, Fabrics, group, infiniband, place, plan_fabrics, pool, roce
from support.planning import HOST, nics
from support.schemas import Schemas

OWNED_ONCE = {"ofedDriver", "rdmaSharedDevicePlugin", "sriovDevicePlugin"}
FIRMWARE = [{"nic_model": "connectx-7", "archives": ["https://fw.example.com/cx7.zip"]}]
SITES: dict[str, dict[str, Any]] = {
    "roce, routed": {"network": roce()},
    "roce, flat": {"network": roce(routed=False)},
    "roce, whole devices": {"network": roce(mode="host-device")},
    "roce, shared": {"network": roce(mode="macvlan-shared")},
    "roce, host driver": {"nodes": [group(host={**HOST, "ofed": "26.04.1"})]},
    "infiniband": {"network": infiniband(), "nodes": [group("b200")]},
    "infiniband, whole devices": {"network": infiniband(mode="host-device")},
    "infiniband, shared": {"network": infiniband(mode="ipoib-shared")},
    "infiniband, partitions": {"network": infiniband(pkey_policy="per-tenant", ufm=UFM)},
}


def fabric(site: str) -> Fabrics:
    """One of the sites, with two tenants and firmware to compare."""
    return plan_fabrics([{"firmware": FIRMWARE}], place(**SITES[site]), readers={"red": "red", "blue": "blue"})


def test_the_volume_of_firmware_is_said_to_whoever_has_its_class() -> None:
    found = fabric("infiniband, whole devices")
    (use,) = [each for each in found.site_plan.offers if isinstance(each, StorageUse)]
    assert found.plan.operators is not None
    assert found.plan.operators.nic_operator is not None
    kept = found.plan.operators.nic_operator.storage
    assert kept is not None
    assert (use.storage_class, use.keeps, use.size_gib) == (kept.storage_class, "firmware", kept.size_gib)


@pytest.mark.schema
@pytest.mark.parametrize("site", SITES)
def test_an_api_server_takes_every_object(schemas: Schemas, site: str) -> None:
    rows = [row for row in fabric(site).rows.values() if isinstance(row, KubernetesRow)]
    assert rows
    found = {row.id: schemas.problems(plain(row.body, str)) for row in rows}  # type: ignore[arg-type]  # objects
    assert {name: problems for name, problems in found.items() if problems} == {}


@pytest.mark.schema
@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("distribution", ["kubeadm", "k3s"])
def test_the_charts_know_every_value(schemas: Schemas, site: str, distribution: str) -> None:
    cluster = {"version": "1.35.6", "kubeconfig": {"context": "lab"}, "distribution": distribution}
    found = plan_fabrics(at=place(cluster=cluster, **SITES[site]), readers={"red": "red"})
    for need in found.site_plan.requirements:
        assert schemas.chart_problems(need.capability, need.values) == []


@pytest.mark.parametrize("site", SITES)
def test_rows_wait_only_for_rows_and_capabilities_that_exist(site: str) -> None:
    rows = fabric(site).rows
    outside = {"Namespace/fabric-networks"}
    for row in rows.values():
        assert row.wave is Wave.HARDWARE
        for name in row.after:
            assert name in rows or name.startswith("capability:") or name in outside, (row.id, name)


def before(found: Fabrics, row_id: str) -> set[str]:
    """Everything that a row waits for, directly or not."""
    rows, seen, waiting = found.rows, set[str](), [row_id]
    while waiting:
        for name in rows[waiting.pop()].after:
            if name in rows and name not in seen:
                seen.add(name)
                waiting.append(name)
    return seen


def test_networks_wait_for_drivers_operators_nics_and_functions() -> None:
    found = fabric("roce, routed")
    network = "SriovNetwork.sriovnetwork.openshift.io/nvidia-network-operator/fabric-rail-0"
    kinds = {name.partition(".")[0] for name in before(found, network)}
    assert kinds == {
        "NicNodePolicy",
        "NicClusterPolicy",
        "NicConfigurationTemplate",
        "NicFirmwareSource",
        "NicFirmwareTemplate",
        "SriovOperatorConfig",
        "SriovNetworkPoolConfig",
        "SriovNetworkNodePolicy",
        "CIDRPool",
    }


def test_the_cluster_policy_waits_for_drivers_and_no_driver_for_it() -> None:
    found = fabric("roce, routed")
    policy = "NicClusterPolicy.mellanox.com/nic-cluster-policy"
    assert before(found, policy) == {"NicNodePolicy.mellanox.com/hgx-h200"}
    assert before(found, "NicNodePolicy.mellanox.com/hgx-h200") == set()


def test_policies_are_gates_and_builds_get_their_time() -> None:
    rows = fabric("roce, routed").rows
    for name, seconds in (
        ("NicNodePolicy.mellanox.com/hgx-h200", 3600),
        ("NicClusterPolicy.mellanox.com/nic-cluster-policy", 1800),
    ):
        gate = rows[name].gate  # type: ignore[union-attr]  # both are Kubernetes rows
        assert gate is not None
        assert (gate.path, gate.value, gate.timeout_s) == (".status.state", "ready", seconds)
        assert seconds >= 1200


def test_no_component_stands_in_both_policies() -> None:
    for site in SITES:
        found = fabric(site)
        cluster = found.objects("NicClusterPolicy")["nic-cluster-policy"]["spec"]
        for policy in found.objects("NicNodePolicy").values():
            assert not OWNED_ONCE & set(policy["spec"]) & set(cluster)


def test_daemons_run_on_nodes_of_pools_alone_and_tolerate_their_taints() -> None:
    spec = fabric("roce, routed").objects("NicClusterPolicy")["nic-cluster-policy"]["spec"]
    (term,) = spec["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [{"key": "aifactory.io/pool", "operator": "In", "values": ["hgx-h200"]}]
    assert {toleration["key"] for toleration in spec["tolerations"]} == {
        "nvidia.com/gpu",
        "aifactory.io/pool",
    }


def test_congestion_notifications_get_the_dscp_of_the_site() -> None:
    found = plan_fabrics(at=place(network=roce(cnp_dscp=40)))
    template = found.objects("NicConfigurationTemplate")["fabric-hgx-h200"]
    assert template["spec"]["template"]["rawNvConfig"][0] == {"name": "CNP_DSCP_P1", "value": "40"}
    assert template["spec"]["template"]["roceOptimized"]["qos"] == {
        "trust": "dscp",
        "pfc": "0,0,0,1,0,0,0,0",
        "tos": 106,
    }


@pytest.mark.parametrize(
    ("network", "rails", "types"),
    [
        (roce(), 8, ["tuning", "sbr", "rdma"]),
        (roce(routed=False), 8, ["tuning", "rdma"]),
        (roce(rails=1), 1, ["sbr", "rdma"]),
        (roce(rails=1, routed=False), 1, ["rdma"]),
        (infiniband(), 8, ["tuning"]),
        (infiniband(rails=1), 1, []),
    ],
)
def test_a_network_chains_what_its_rail_needs(network: dict[str, Any], rails: int, types: list[str]) -> None:
    found = plan_fabrics(at=place(network=network, nodes=[group(nics=nics(rails))]))
    kind = "SriovNetwork" if "roce" in network else "SriovIBNetwork"
    chain = found.objects(kind)["fabric-rail-0"]["spec"].get("metaPlugins", "")
    assert [plugin["type"] for plugin in json.loads(f"[{chain}]")] == types


@pytest.mark.parametrize(
    ("site", "kind", "pool"),
    [
        ("roce, routed", "SriovNetwork", "cidrpool"),
        ("roce, whole devices", "HostDeviceNetwork", "cidrpool"),
        ("roce, shared", "MacvlanNetwork", "cidrpool"),
        ("roce, flat", "SriovNetwork", None),
        ("infiniband", "SriovIBNetwork", None),
        ("infiniband, whole devices", "HostDeviceNetwork", None),
        ("infiniband, shared", "IPoIBNetwork", None),
    ],
)
def test_a_network_takes_addresses_from_the_pool_of_its_rail(site: str, kind: str, pool: str | None) -> None:
    found = fabric(site)
    for rail in range(8):
        ipam = json.loads(found.objects(kind)[f"fabric-rail-{rail}"]["spec"]["ipam"])
        assert (ipam["type"], ipam["poolName"]) == ("nv-ipam", f"fabric-rail-{rail}")
        assert ipam.get("poolType") == pool
    assert len(found.objects("CIDRPool" if pool else "IPPool")) == 8


def test_macvlan_takes_the_mtu_of_the_host() -> None:
    spec = fabric("roce, shared").objects("MacvlanNetwork")["fabric-rail-2"]["spec"]
    assert (spec["master"], spec["mtu"]) == ("eth_rail2", 0)


@pytest.mark.parametrize(
    ("site", "section", "resource"),
    [
        ("roce, whole devices", "sriovDevicePlugin", "rail_0"),
        ("roce, shared", "rdmaSharedDevicePlugin", "rail_0"),
        ("infiniband, shared", "rdmaSharedDevicePlugin", "ib_rail_0"),
    ],
)
def test_a_device_plugin_hands_out_a_resource_for_each_rail(site: str, section: str, resource: str) -> None:
    found = fabric(site)
    config = json.loads(found.objects("NicNodePolicy")["hgx-h200"]["spec"][section]["config"])
    (resources,) = config.values()
    assert len(resources) == 8
    assert resources[0]["resourceName"] == resource
    assert found.offers[0].rails[0].resource.endswith(f"/{resource}")


def test_tenants_get_their_partition_and_no_other() -> None:
    found = fabric("infiniband, partitions")
    rows = [row for row in found.rows.values() if row.id.startswith("NetworkAttachmentDefinition")]
    keys = set()
    for row in rows:
        assert isinstance(row, KubernetesRow)
        config = json.loads(plain(row.body["spec"], str)["config"])  # type: ignore[index]  # an object
        keys.add((row.namespace, config["plugins"][0]["pkey"]))
        assert config["plugins"][0]["ibKubernetesEnabled"] is True
    assert keys == {("red", "0x11"), ("blue", "0x12")}
    binding = found.objects("ValidatingAdmissionPolicyBinding")["fabric-own-networks"]["spec"]
    (expression,) = binding["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert expression["values"] == ["red", "blue"]
    policy = found.objects("NicClusterPolicy")["nic-cluster-policy"]["spec"]["ibKubernetes"]
    assert policy["ufmSecret"] == "ufm"


def test_external_bmc_platforms_reset_nics_in_both_operators() -> None:
    found = fabric("infiniband")
    nics_spec = found.objects("NicClusterPolicy")["nic-cluster-policy"]["spec"]["nicConfigurationOperator"]
    assert nics_spec["env"] == [{"name": "FW_RESET_AFTER_CONFIG_UPDATE", "value": "true"}]
    sriov = found.objects("SriovOperatorConfig")["default"]["spec"]
    assert sriov["featureGates"] == {"mellanoxFirmwareReset": True}
    assert sriov["disablePlugins"] == ["mellanox"]


def test_firmware_is_never_written() -> None:
    templates = fabric("roce, routed").objects("NicFirmwareTemplate")
    assert {template["spec"]["template"]["updatePolicy"] for template in templates.values()} == {"Validate"}


def test_two_fabrics_of_a_site_share_no_row() -> None:
    network = {**roce(), "infiniband": infiniband()["infiniband"]}
    at = place(network=network, nodes=[group(nodes=4), group("b200", nodes=4)])
    specs = [{"name": "ether", "type": "roce"}, {"name": "ib", "type": "infiniband"}]
    found = plan_fabrics(specs, at, [pool(at.nodes[0], "one", "ether"), pool(at.nodes[1], "two", "ib")])
    assert len(found.rows) > 60
