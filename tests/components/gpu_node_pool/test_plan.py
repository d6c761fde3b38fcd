"""What a pool decides and offers."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Struct

from aifactory.components.base import Place
from aifactory.components.offers import QuotaDemand, Taint
from support.planning import INFINIBAND, group, place

Run = Callable[..., Any]

HOST = {"os": "ubuntu-24.04", "kernel": "6.8", "management_nic": "intel"}
IB = {"infiniband": INFINIBAND, "pod_cidr": "10.0.0.0/14", "service_cidr": "10.8.0.0/16"}
CARDS: dict[str, Any] = {"nics": [], "nic_model": None, "cpus": 64, "memory_gib": 512, "kw_per_node": 3.5}


def at(accelerator: str, nodes: int = 4, network: dict[str, Any] | None = None, **fields: Any) -> Place:
    found = {"nodes": [group(accelerator, nodes, **fields)]}
    return place(**found, network=network) if network else place(**found)


TRAINING = {"nodes": 4, "fabric": "rdma"}
SERVING = {"nodes": 2, "workload": "inference"}


@pytest.mark.parametrize(
    ("accelerator", "spec", "where", "driver", "profile"),
    [
        ("a100", TRAINING, at("a100"), "580.178.04", "training"),
        ("a100-pcie", SERVING, at("a100-pcie", **CARDS), "580.178.04", "generic"),
        ("h100", TRAINING, at("h100"), "580.178.04", "training"),
        ("h100", SERVING, at("h100"), "580.178.04", "inference"),
        ("h100-nvl", SERVING, at("h100-nvl", gpus_per_node=4, **CARDS), "580.178.04", "generic"),
        ("h200", TRAINING, at("h200", network=IB), "580.178.04", "training"),
        ("b200", TRAINING, at("b200", network=IB), "580.178.04", "training"),
        ("b200", {"nodes": 1}, at("b200"), "580.178.04", "generic"),
        ("b300", TRAINING, at("b300", nic_model="connectx-8"), "580.178.04", "training"),
        ("l40s", SERVING, at("l40s", **CARDS), "580.178.04", "generic"),
        ("l40s", {"nodes": 4, "fabric": "roce"}, at("l40s"), "580.178.04", "generic"),
        ("l4", SERVING, at("l4", **CARDS), "580.178.04", "generic"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_accelerator_gets_a_driver_and_the_host_settings_of_its_form(
    accelerator: str, spec: dict[str, Any], where: Place, driver: str, profile: str, pools: Run
) -> None:
    found = pools([{"accelerator": accelerator, **spec}], at=where)
    assert found.problems == []
    assert found.decisions["train.driver.version"].value == driver
    assert found.decisions["train.host_tuning"].value == profile
    assert found.offers["train"].nodes == spec["nodes"]


def test_what_is_offered_is_what_pods_can_use(pools: Run) -> None:
    offer = pools([{"nodes": 6, "fabric": "rdma"}]).offers["train"]
    assert (offer.gpus, offer.gpu_resource, offer.slice_resources) == (48, "nvidia.com/gpu", ())
    assert (offer.cpus_per_node, offer.memory_gib_per_node) == (186, 1987)
    assert offer.node_labels == (("aifactory.io/pool", "train"),)
    assert offer.taints == (Taint("nvidia.com/gpu", "present", "NoSchedule"),)
    assert offer.topology_levels == ("aifactory.io/block", "aifactory.io/rack", "kubernetes.io/hostname")
    assert {(rack.rack, len(rack.nodes)) for rack in offer.racks} == {("hgx-h200-r1", 4), ("hgx-h200-r2", 2)}
    assert (offer.fabric, offer.device_claim) == ("fabric", "")


def test_a_renamed_pool_is_offered_by_its_name_and_labelled_by_its_identity(pools: Run) -> None:
    offer = pools([{"name": "learn", "renamed_from": "train", "nodes": 1}]).offers["learn"]
    assert offer.node_labels == (("aifactory.io/pool", "train"),)


@pytest.mark.parametrize(
    ("sharing", "slices"),
    [
        ({"kind": "none"}, ()),
        ({"kind": "mig", "profiles": {"1g.18gb": 7}}, (("nvidia.com/gpu", 56),)),
        (
            {"kind": "mig", "profiles": {"3g.71gb": 1, "1g.18gb": 2}, "strategy": "mixed"},
            (("nvidia.com/mig-1g.18gb", 16), ("nvidia.com/mig-3g.71gb", 8)),
        ),
        ({"kind": "time-slicing", "replicas": 4}, (("nvidia.com/gpu.shared", 32),)),
    ],
    ids=str,
)
def test_slices_stand_in_for_gpus(sharing: dict[str, Any], slices: tuple[Any, ...], pools: Run) -> None:
    found = pools([{"nodes": 1, "sharing": sharing}])
    assert found.problems == []
    assert found.offers["train"].slice_resources == slices


@pytest.mark.parametrize(("gpus", "nodes"), [(8, 1), (9, 2), (40, 5), (64, 8)])
def test_quotas_make_whole_nodes(gpus: int, nodes: int, pools: Run) -> None:
    demands = [QuotaDemand("teams", "train", gpus - 1), QuotaDemand("trials", "train", 1)]
    other = QuotaDemand("teams", "other", 64)
    spec = {"nodes": "quotas", "workload": "inference"}
    found = pools([spec], offers=[*demands, other])
    assert found.offers["train"].nodes == nodes
    assert "teams, trials" in found.decisions["train.demand"].reason
    assert found.decisions["train.nodes"].because == ("train.demand", "train.group")


def test_all_takes_what_is_free_and_powered(pools: Run) -> None:
    power = {"racks": 4, "kw_per_rack": 31.0, "pue": 1.2, "usd_per_kwh": 0.1}
    found = pools(
        [{"name": "first", "nodes": 1}, {"name": "rest", "nodes": "all", "workload": "inference"}],
        at=place(power=power),
    )
    assert found.offers["rest"].nodes == 5  # three a rack, less the one of the other pool


def test_pools_of_a_site_never_share_a_node(pools: Run) -> None:
    specs = [{"name": name, "nodes": nodes, "fabric": "rdma"} for name, nodes in (("a", 3), ("b", 2), ("c", 3))]
    offers = pools(specs).offers
    nodes = [node for offer in offers.values() for rack in offer.racks for node in rack.nodes]
    assert len(nodes) == len(set(nodes)) == 8


def test_the_first_group_with_room_is_taken_and_else_the_roomiest_says_what_is_missing(pools: Run) -> None:
    small, large = group(nodes=2, group="old"), group(nodes=6, group="new")
    where = place(nodes=[small, large])
    assert pools([{"nodes": 2, "fabric": "rdma"}], at=where).decisions["train.group"].value == "old"
    assert pools([{"nodes": 5, "fabric": "rdma"}], at=where).decisions["train.group"].value == "new"
    problem = pools([{"nodes": 7, "fabric": "rdma"}], at=where).only()
    assert "group new has 6: 6 left" in problem.says


def test_a_group_without_nics_is_no_choice_for_a_fabric(pools: Run) -> None:
    bare = group(nodes=4, group="bare", nics=[], nic_model=None)
    found = pools([{"nodes": 2, "fabric": "rdma"}], at=place(nodes=[bare, group()]))
    assert found.decisions["train.group"].value == "hgx-h200"


def test_whole_blocks_are_filled_first_and_the_others_are_named(pools: Run) -> None:
    found = pools([{"nodes": 4, "fabric": "rdma"}])
    decision = found.decisions["train.racks"]
    assert decision.value == ["hgx-h200-r1 (b1): 4"]
    assert [rejected.value for rejected in decision.rejected] == ["block b2"]


@pytest.mark.parametrize(
    ("cluster", "host", "owner", "version"),
    [
        ({}, {}, "operator", "580.178.04"),
        ({}, {"driver": "595.91.07"}, "host", "595.91.07"),
        ({"gpu-operator": {"version": "v26.7.0"}}, {}, "given", ""),
        (
            {"gpu-operator": {"version": "v26.7.0", "features": ["nvidia-driver-crd"]}},
            {},
            "operator",
            "580.178.04",
        ),
        ({"gpu-operator": {"version": "v26.7.0"}}, {"driver": "580.178.04"}, "host", "580.178.04"),
    ],
    ids=["ours", "host", "given", "given with driver resources", "given on hosts with drivers"],
)
def test_the_driver_has_one_owner(
    cluster: dict[str, Any], host: dict[str, Any], owner: str, version: str, pools: Run
) -> None:
    where = place(
        nodes=[group(host={**HOST, **host})],
        cluster={"version": "1.35.6", "kubeconfig": {"context": "lab"}, "provides": cluster},
    )
    found = pools([{"nodes": 2, "fabric": "rdma"}], at=where)
    assert found.problems == []
    plan = found.plans["train"].driver
    assert (plan.owner, plan.version) == (owner, version)
    assert found.decisions["train.driver.owner"].rejected
    assert plan.rdma is (owner == "operator")


@pytest.mark.parametrize(
    ("pin", "value", "rejected"), [(None, "580.178.04", ["595.91.07"]), ("595.91.07", "595.91.07", [])]
)
def test_the_oldest_branch_that_works_is_taken_unless_the_blueprint_names_one(
    pin: str | None, value: str, rejected: list[str], pools: Run
) -> None:
    driver = {"version": pin} if pin else {}
    decision = pools([{"nodes": 1, "driver": driver}]).decisions["train.driver.version"]
    assert decision.value == value
    assert [other.value for other in decision.rejected] == rejected
    assert decision.facts[0] == f"drivers/{value}"


def test_a_pin_of_some_accelerators_is_rejected_for_being_older(pools: Run) -> None:
    decision = pools([{"nodes": 1, "accelerator": "b200"}], at=at("b200")).decisions["train.driver.version"]
    assert ("580.173.02", "an older release") in [(other.value, other.reason) for other in decision.rejected]


@pytest.mark.parametrize(
    ("fabric", "ofed", "rdma", "host_ofed"),
    [("none", None, False, False), ("rdma", None, True, False), ("rdma", "24.10.1", True, True)],
)
def test_gpudirect_rdma_follows_from_the_fabric_and_who_loads_ofed(
    fabric: str, ofed: str | None, rdma: bool, host_ofed: bool, pools: Run
) -> None:
    host = {**HOST, "ofed": ofed} if ofed else HOST
    found = pools([{"nodes": 1, "fabric": fabric}], at=place(nodes=[group(host=host)]))
    plan = found.plans["train"].driver
    assert (plan.rdma, plan.host_ofed, plan.gdrcopy is not None) == (rdma, host_ofed, rdma)


def test_storage_reads_into_gpus_only_where_it_is_asked_for(pools: Run) -> None:
    spec = {"nodes": 4, "fabric": "rdma"}
    assert pools([spec]).plans["train"].driver.gds is None
    image = pools([{**spec, "gds": True}]).plans["train"].driver.gds
    assert (image.image, image.version) == ("nvidia-fs", "2.29.4")


@pytest.mark.parametrize(
    ("features", "dedicated", "taints"),
    [(None, True, 1), (["taints"], True, 1), ([], True, 0), (None, False, 0), ([], False, 0)],
)
def test_taints_are_promised_only_where_somebody_sets_them(
    features: list[str] | None, dedicated: bool, taints: int, pools: Run
) -> None:
    provides = {} if features is None else {"node-feature-discovery": {"version": "0.19.0", "features": features}}
    cluster = {"version": "1.35.6", "kubeconfig": {"context": "lab"}, "provides": provides}
    found = pools([{"nodes": 1, "dedicated": dedicated}], at=place(cluster=cluster))
    assert len(found.offers["train"].taints) == taints
    assert found.decisions["train.taint"].reason
    needed = [need for need in found.site_plan.requirements if need.capability == "node-feature-discovery"]
    assert [need.features for need in needed] == [("taints",) if taints else ()]


def test_dra_hands_out_devices_of_the_nvidia_class(pools: Run) -> None:
    found = pools([{"nodes": 1, "device_management": "dra"}])
    assert found.offers["train"].device_claim == "gpu.nvidia.com"
    assert found.decisions["train.devices"].value == "dra"
    assert [rejected.value for rejected in found.decisions["train.devices"].rejected] == [
        "device-plugin",
        "GPUCluster",
    ]
    assert "dra-driver-nvidia-gpu" in {need.capability for need in found.site_plan.requirements}


@pytest.mark.parametrize(
    ("spec", "policy"),
    [
        ({"nodes": 1}, "best-effort"),
        ({"nodes": 1, "workload": "inference"}, "restricted"),
        ({"nodes": 1, "numa": "none"}, "none"),
    ],
)
def test_pods_of_gangs_are_not_refused_for_a_socket(spec: dict[str, Any], policy: str, pools: Run) -> None:
    assert pools([spec]).decisions["train.numa"].value == policy


def test_every_decision_has_a_reason(pools: Run) -> None:
    found = pools([{"nodes": 8, "fabric": "rdma", "gds": True}], needs=["metrics"])
    assert len(found.decisions) >= 20
    for decision in found.decisions.values():
        assert len(decision.reason) > 10
        assert all(len(rejected.reason) > 10 for rejected in decision.rejected)
        ours = {path for path in decision.because if not path.startswith("fabric.")}
        assert ours <= set(found.decisions)


def test_a_plan_is_plain_data(pools: Run) -> None:
    def plain(value: object) -> bool:
        if isinstance(value, Struct):
            return all(plain(getattr(value, name)) for name in value.__struct_fields__)
        if isinstance(value, dict):
            return all(isinstance(name, str) and plain(inner) for name, inner in value.items())
        if isinstance(value, (tuple, list)):
            return all(plain(inner) for inner in value)
        return value is None or isinstance(value, (str, int, bool))

    for plan in pools([{"nodes": 8, "fabric": "rdma"}], needs=["metrics"]).plans.values():
        assert plain(plan)


def test_the_same_pools_give_the_same_plan(pools: Run) -> None:
    specs = [{"nodes": 3, "fabric": "rdma"}, {"name": "next", "nodes": 2, "fabric": "rdma"}]
    assert pools(specs).plans == pools(specs).plans


def test_the_number_of_nodes_shows_what_it_rests_on(pools: Run) -> None:
    found = pools([{"nodes": 3, "fabric": "rdma"}]).decisions
    assert found["train.nodes"].facts == ("accelerators/nvidia-h200-sxm",)
    assert [item.value for item in found["train.nodes"].rejected] == ["autoscaling", 8]
    for key in ("group", "racks", "power", "driver.owner"):
        assert found[f"train.{key}"].document == "site"
        assert found[f"train.{key}"].source[:2] == ("nodes", 0)


def test_errors_that_applications_cause_call_nobody(pools: Run) -> None:
    alert = next(
        found for found in pools([{"nodes": 1}], needs=["metrics"]).plans["train"].alerts if found.name == "GpuXidError"
    )
    for xid in (13, 31, 43, 45, 68, 109):
        assert f"DCGM_FI_DEV_XID_ERRORS == {xid}" in alert.expression
    assert "== 79" not in alert.expression


@pytest.mark.parametrize(("workload", "deleted"), [("inference", True), ("training", False)])
def test_an_upgrade_deletes_servers_with_shared_memory_and_no_notebook(
    workload: str, deleted: bool, pools: Run
) -> None:
    found = pools([{"nodes": 1, "workload": workload}])
    policy = found.rows("train")["NVIDIADriver.nvidia.com/train"].body["spec"]["upgradePolicy"]
    assert policy["podDeletion"]["deleteEmptyDir"] is deleted
