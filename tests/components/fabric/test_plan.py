"""What is decided about a fabric, from its site and its pools."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct
from pydantic import BaseModel

from aifactory.components.capabilities import CAPABILITIES
from aifactory.components.fabric.nics import policy_name
from support.fabrics import UFM, Fabrics, group, infiniband, place, plan_fabrics, pool, roce
from support.planning import HOST, nics, plan_site

NETWORKS: dict[str, dict[str, Any]] = {
    "sriov-ethernet": roce(),
    "macvlan-rdma-shared": roce(mode="macvlan-shared"),
    "sriov-ib": infiniband(),
    "ipoib-rdma-shared": infiniband(mode="ipoib-shared"),
}
DEVICE_IDS = {"connectx-6": "101b", "connectx-7": "1021", "connectx-8": "1023", "bluefield-3": "a2dc"}


@pytest.mark.parametrize("mode", NETWORKS)
def test_the_mode_follows_from_the_site(mode: str) -> None:
    found = plan_fabrics(at=place(network=NETWORKS[mode]))
    assert found.plan.mode == found.decided("mode") == found.offers[0].mode == mode


@pytest.mark.parametrize("network", [roce(mode="host-device"), infiniband(mode="host-device")])
def test_whole_devices_work_on_both_kinds_of_fabric(network: dict[str, Any]) -> None:
    found = plan_fabrics(at=place(network=network))
    assert found.plan.mode == "host-device"
    assert found.plan.function_policies == ()


@pytest.mark.parametrize("routed", [True, False])
@pytest.mark.parametrize("rails", [1, 2, 4, 8, 12])
@pytest.mark.parametrize("model", DEVICE_IDS)
@pytest.mark.parametrize("mode", ["sriov", "host-device", "macvlan-shared"])
def test_every_ethernet_fabric_is_planned_rail_by_rail(mode: str, model: str, rails: int, routed: bool) -> None:
    network = roce(mode=mode, rails=rails, routed=routed)
    found = plan_fabrics(at=place(network=network, nodes=[group(nic_model=model, nics=nics(rails))]))
    plan = found.plan
    assert found.broken == []
    assert len(plan.networks) == len(plan.address_pools) == len(found.offers[0].rails) == rails
    assert {template.nic_type for template in plan.nic_templates} == {DEVICE_IDS[model]}
    assert all(bool(addresses.node_prefix) is routed for addresses in plan.address_pools)
    assert len(plan.function_policies) == (rails if mode == "sriov" else 0)


@pytest.mark.parametrize("rails", [1, 4, 8])
@pytest.mark.parametrize("model", DEVICE_IDS)
@pytest.mark.parametrize("mode", ["sriov", "host-device", "ipoib-shared"])
def test_every_infiniband_fabric_is_planned_rail_by_rail(mode: str, model: str, rails: int) -> None:
    network = infiniband(mode=mode, rails=rails, gbps=200)
    found = plan_fabrics(at=place(network=network, nodes=[group("b200", nic_model=model, nics=nics(rails))]))
    assert found.broken == []
    assert len(found.plan.networks) == rails
    assert {(template.link_type, template.roce) for template in found.plan.nic_templates} == {("Infiniband", None)}
    assert found.plan.switches == ()


def test_the_rate_is_that_of_the_slowest_nic_unless_the_site_says_less() -> None:
    mixed = [group(nodes=4, nic_model="connectx-6"), group("b300", nodes=4, nic_model="connectx-8")]
    assert plan_fabrics(at=place(nodes=mixed)).offers[0].gbps_per_rail == 200
    assert plan_fabrics(at=place(network=roce(gbps=100))).offers[0].gbps_per_rail == 100


def test_workloads_are_offered_a_network_and_a_resource_for_each_rail() -> None:
    (offer,) = plan_fabrics([{"name": "rdma"}]).offers
    assert (offer.part, offer.fabric) == ("rdma", "rdma")
    assert (offer.settings_name, offer.ipc_lock) == ("rdma-nccl", False)
    assert [(rail.network, rail.resource) for rail in offer.rails][:2] == [
        ("rdma-networks/rdma-rail-0", "nvidia.com/rail_0"),
        ("rdma-networks/rdma-rail-1", "nvidia.com/rail_1"),
    ]


@pytest.mark.parametrize(
    ("network", "resource"),
    [
        (infiniband(), "nvidia.com/ib_rail_0"),
        (infiniband(mode="host-device"), "nvidia.com/ib_rail_0"),
        (roce(mode="macvlan-shared"), "rdma/rail_0"),
        (infiniband(mode="ipoib-shared"), "rdma/ib_rail_0"),
    ],
)
def test_a_resource_says_its_kind_and_whether_it_is_shared(network: dict[str, Any], resource: str) -> None:
    assert plan_fabrics(at=place(network=network)).offers[0].rails[0].resource == resource


def test_a_rename_keeps_the_names_of_objects() -> None:
    before = plan_fabrics([{"name": "old"}])
    after = plan_fabrics([{"name": "new", "renamed_from": "old"}])
    assert list(after.rows) == list(before.rows)
    assert after.offers[0].part == "new"


def test_pods_get_ipc_lock_where_the_blueprint_says_so() -> None:
    found = plan_fabrics([{"memory_lock": "capability"}])
    assert found.offers[0].ipc_lock
    assert not [path for path in found.hosts if "memlock" in path]


def test_ofed_of_the_host_is_left_alone() -> None:
    found = plan_fabrics(at=place(nodes=[group(host={**HOST, "ofed": "26.04.1"})]))
    assert found.plan.node_policies == ()
    assert found.decided("driver.hgx-h200") == "host, DOCA-OFED 26.04.1"


def test_the_operator_loads_ofed_where_the_host_has_none_and_says_which_images() -> None:
    found = plan_fabrics()
    decision = found.site_plan.decisions["fabric.driver.hgx-h200"]
    assert decision.facts == ("images/network-operator:doca-driver", "images.doca_driver/ubuntu24.04:amd64")
    (policy,) = found.plan.node_policies
    assert policy.driver is not None
    assert policy.driver.image.version == "doca3.4.1-26.04-1.1.0.0-1"


@pytest.mark.parametrize(("accelerator", "resets"), [("b200", True), ("b300", True), ("h200", False)])
def test_platforms_with_an_external_bmc_reset_the_nic(accelerator: str, resets: bool) -> None:
    operators = plan_fabrics(at=place(nodes=[group(accelerator)])).plan.operators
    assert operators is not None
    assert operators.nic_operator is not None
    assert operators.sriov is not None
    assert (operators.nic_operator.reset_after_update, operators.sriov.resets_firmware) == (resets, resets)


def test_without_nic_configuration_the_sriov_operator_sets_the_firmware() -> None:
    found = plan_fabrics([{"nic_configuration": False}])
    operators = found.plan.operators
    assert operators is not None
    assert operators.nic_operator is None
    assert operators.sriov is not None
    assert not operators.sriov.leaves_firmware_alone
    assert found.plan.nic_templates == ()
    assert "PFC 0,0,0,1,0,0,0,0" in found.site_plan.decisions["fabric.nic_configuration"].reason


def test_interfaces_keep_their_names_where_all_end_in_their_rail() -> None:
    found = plan_fabrics(at=place(network=roce(mode="host-device")))
    (names,) = found.plan.interface_names
    assert (names.net_prefix, names.rdma_prefix) == ("eth_rail", "rdma_rail")


@pytest.mark.parametrize("interface", ["ens4", "rail13"])
def test_other_interface_names_are_the_host_s(interface: str) -> None:
    other = nics()
    other[3] = {**other[3], "interface": interface}
    found = plan_fabrics(at=place(network=roce(mode="host-device"), nodes=[group(nics=other)]))
    assert found.plan.interface_names == ()
    assert found.decided("interface_names") == "host"


def test_addresses_of_nodes_follow_the_inventory_and_not_the_pool() -> None:
    at = place(nodes=[group(nodes=8)])
    whole = plan_fabrics(at=at).plan.address_pools[0]
    half = plan_fabrics(at=at, pools=[pool(at.nodes[0], nodes=at.nodes[0].nodes[4:])]).plan.address_pools[0]
    assert whole.nodes == half.nodes
    assert [node.gateway for node in whole.nodes][:2] == ["172.16.0.1", "172.16.0.17"]


def test_a_single_interface_gets_a_point_to_point_prefix() -> None:
    pools = plan_fabrics(at=place(network=roce(mode="host-device"))).plan.address_pools
    assert (pools[0].node_prefix, pools[0].gateway_index) == (31, 0)


def test_source_routing_reaches_the_whole_fabric_and_other_networks_their_rail() -> None:
    chained = plan_fabrics(at=place(network=roce())).plan
    plain = plan_fabrics(at=place(network=roce(mode="host-device"))).plan
    assert {addresses.route for addresses in chained.address_pools} == {"172.16.0.0/12"}
    assert [addresses.route for addresses in plain.address_pools] == [
        addresses.cidr for addresses in plain.address_pools
    ]
    assert chained.networks[0].source_routing
    assert not plain.networks[0].source_routing


def test_pools_of_different_groups_get_policies_with_their_own_nics() -> None:
    other = [{**nic, "pci": nic["pci"].replace(":00.0", ":00.1")} for nic in nics()]
    at = place(nodes=[group(nodes=4), group("b200", nodes=4, nics=other)])
    policies = {policy.name: policy.pci for policy in plan_fabrics(at=at).plan.function_policies}
    assert policies["fabric-hgx-h200-rail-0"] == "0000:18:00.0"
    assert policies["fabric-hgx-b200-rail-0"] == "0000:18:00.1"


def two_fabrics(**changes: Any) -> Fabrics:
    """H200 nodes on RoCE and B200 nodes on InfiniBand."""
    network = {**roce(), "infiniband": infiniband(mode="ipoib-shared")["infiniband"]}
    at = place(network=network, nodes=[group(nodes=4), group("b200", nodes=4)])
    specs = [{"name": "ether", "type": "roce", **changes}, {"name": "ib", "type": "infiniband"}]
    return plan_fabrics(specs, at, [pool(at.nodes[0], "one", "ether"), pool(at.nodes[1], "two", "ib")])


def test_the_first_fabric_makes_the_singletons_for_all() -> None:
    found = two_fabrics()
    first, second = found.plans["ether"], found.plans["ib"]
    assert first is not None
    assert second is not None
    assert first.operators is not None
    assert set(first.operators.pools) == {"one", "two"}
    assert first.operators.ipoib_cni is not None
    assert second.operators is None
    assert len(found.objects("NicClusterPolicy")) == 1


def test_the_smallest_budget_of_nodes_holds_for_all_fabrics() -> None:
    found = two_fabrics(nodes_at_a_time=4).plans["ether"]
    assert found is not None
    assert found.operators is not None
    assert found.operators.nodes_at_a_time == 1


def test_the_first_fabric_makes_the_singletons_even_without_pools_of_its_own() -> None:
    network = {**roce(), "infiniband": infiniband()["infiniband"]}
    at = place(network=network)
    specs = [{"name": "ether", "type": "roce"}, {"name": "ib", "type": "infiniband"}]
    found = plan_fabrics(specs, at, [pool(at.nodes[0], "two", "ib")])
    assert found.broken == ["FAB-003"]
    first = found.plans["ether"]
    assert first is not None
    assert first.operators is not None
    assert first.operators.pools == ("two",)


def test_a_fabric_without_pools_asks_for_nothing() -> None:
    found = plan_fabrics(pools=[])
    assert found.site_plan.requirements == []
    assert found.rows == {}


def test_a_given_network_operator_keeps_its_singletons_and_its_driver() -> None:
    provides = {"network-operator": {"version": "26.4.1", "features": ["nv-ipam"]}}
    cluster = {"version": "1.35.6", "kubeconfig": {"context": "lab"}, "provides": provides}
    found = plan_fabrics(at=place(cluster=cluster))
    kinds = {row.id.partition(".")[0].partition("/")[0] for row in found.rows.values()}
    assert not kinds & {
        "NicClusterPolicy",
        "SriovOperatorConfig",
        "MaintenanceOperatorConfig",
        "NicNodePolicy",
    }
    assert {"SriovNetworkNodePolicy", "NicConfigurationTemplate", "CIDRPool"} <= kinds
    (need,) = [need for need in found.site_plan.requirements if need.capability == "network-operator"]
    assert {"ofed", "nv-ipam", "multus", "sriov", "nic-configuration"} == set(need.features)


def test_what_is_required_is_known_and_its_values_switch_the_operators_on() -> None:
    found = plan_fabrics()
    assert {need.capability for need in found.site_plan.requirements} <= set(CAPABILITIES)
    values = found.values("network-operator")
    assert values["nfd"]["enabled"] is False
    assert values["sriovNetworkOperator"] == values["maintenanceOperator"] == {"enabled": True}
    assert values["sriov-network-operator"]["sriovOperatorConfig"] == {"deploy": False}
    pci = found.values("node-feature-discovery")["worker"]["config"]["sources"]["pci"]
    assert {"0200", "0207"} <= set(pci["deviceClassWhitelist"])


def test_without_virtual_functions_there_is_no_sriov_operator() -> None:
    values = plan_fabrics(at=place(network=roce(mode="macvlan-shared"))).values("network-operator")
    assert "sriovNetworkOperator" not in values


@pytest.mark.parametrize("mode", ["sriov", "host-device"])
def test_k3s_has_its_own_places_for_network_plugins(mode: str) -> None:
    cluster = {"version": "1.35.6", "kubeconfig": {"context": "lab"}, "distribution": "k3s"}
    values = plan_fabrics(at=place(cluster=cluster, network=roce(mode=mode))).values("network-operator")
    assert values["operator"]["cniBinDirectory"] == "/var/lib/rancher/k3s/data/cni"
    assert ("sriov-network-operator" in values) is (mode == "sriov")


def test_tenants_with_partitions_have_networks_of_their_own() -> None:
    at = place(network=infiniband(pkey_policy="per-tenant", ufm=UFM))
    found = plan_fabrics(at=at, readers={"team-red": "red", "team-blue": "blue"})
    plan = found.plan
    assert found.offers[0].rails[0].network == "fabric-rail-0"
    assert plan.networks == ()
    assert {(entry.namespace, entry.pkey) for entry in plan.partitions} == {
        ("team-red", "0x11"),
        ("team-blue", "0x12"),
    }
    assert len(plan.partitions) == 2 * 8
    assert plan.guard is not None
    assert plan.guard.namespaces == ("team-red", "team-blue")
    assert plan.operators is not None
    assert plan.operators.ib_kubernetes is not None
    assert plan.operators.ib_kubernetes.secret == "ufm"


def test_without_readers_a_partitioned_fabric_has_no_networks() -> None:
    plan = plan_fabrics(at=place(network=infiniband(pkey_policy="per-tenant", ufm=UFM))).plan
    assert (plan.networks, plan.partitions, plan.guard) == ((), (), None)


def test_firmware_is_compared_for_the_pools_that_have_the_model() -> None:
    entry = {"nic_model": "connectx-7", "archives": ["https://fw.example.com/cx7.zip"]}
    other = {"nic_model": "connectx-8", "archives": ["https://fw.example.com/cx8.zip"]}
    plan = plan_fabrics([{"firmware": [entry, other]}]).plan
    assert [source.name for source in plan.firmware_sources] == ["fabric-connectx-7", "fabric-connectx-8"]
    assert [check.source for check in plan.firmware_checks] == ["fabric-connectx-7"]
    assert plan.operators is not None
    assert plan.operators.nic_operator is not None
    storage = plan.operators.nic_operator.storage
    assert storage is not None
    assert (storage.storage_class, storage.size_gib) == ("shared", 2)


def test_a_policy_name_is_short_and_different_labels_stay_different() -> None:
    long = "a-pool-with-a-name-of-forty-characters-a"
    names = {policy_name(label) for label in (long, long[:-1] + "b", "train")}
    assert len(names) == 3
    assert all(len(name) <= 30 for name in names)
    assert "train" in names


def _plain(value: object) -> bool:
    if isinstance(value, Struct):
        return all(_plain(getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, tuple):
        return all(map(_plain, value))
    return value is None or (isinstance(value, (str, int, bool)) and not isinstance(value, BaseModel))


@pytest.mark.parametrize("mode", NETWORKS)
def test_a_plan_is_plain_data(mode: str) -> None:
    assert _plain(plan_fabrics(at=place(network=NETWORKS[mode]), readers={"red": "red"}).plan)


@pytest.mark.parametrize("mode", NETWORKS)
def test_every_decision_has_a_reason_and_names_rows_that_exist(mode: str) -> None:
    found = plan_fabrics(at=place(network=NETWORKS[mode], nodes=[group("b200")]))
    catalog = found.site_plan.catalog
    for decision in found.site_plan.decisions.values():
        assert len(decision.reason) > 15, decision.path
        for fact in decision.facts:
            assert catalog.find(*fact.split("/", 1)), fact


def test_the_same_site_gives_the_same_plan() -> None:
    assert plan_fabrics(readers={"red": "red"}).plan == plan_fabrics(readers={"red": "red"}).plan


def test_a_pool_with_rdma_derives_its_fabric_in_a_blueprint() -> None:
    wanted = {
        "kind": "gpu-node-pool",
        "name": "train",
        "accelerator": "h200",
        "nodes": "all",
        "fabric": "rdma",
    }
    planned = plan_site([wanted])
    assert planned.errors == []
    assert planned.plans["fabric"].mode == "sriov-ethernet"
    rows = planned.stack.steps
    order = [
        "NicNodePolicy.mellanox.com/train",
        "NicClusterPolicy.mellanox.com/nic-cluster-policy",
        "NicConfigurationTemplate.configuration.net.nvidia.com/nvidia-network-operator/fabric-train",
        "SriovNetworkNodePolicy.sriovnetwork.openshift.io/nvidia-network-operator/fabric-train-rail-0",
        "SriovNetwork.sriovnetwork.openshift.io/nvidia-network-operator/fabric-rail-0",
    ]
    assert [rows[name] for name in order] == sorted({rows[name] for name in order})
