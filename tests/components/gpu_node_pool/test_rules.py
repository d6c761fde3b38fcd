"""Each rule of the part: what breaks it, and what doesn't."""

from collections.abc import Callable
from typing import Any

import pytest

from aifactory.components.base import Place
from aifactory.components.gpu_node_pool import accelerators
from aifactory.components.gpu_node_pool.rules import RULES
from aifactory.components.offers import GpuDemand, PoolShare, QueueOffer, QuotaDemand, TenantOffer
from support.planning import INFINIBAND, group, place

Run = Callable[..., Any]

HOST = {"os": "ubuntu-24.04", "kernel": "6.8", "management_nic": "intel"}
NO_NETWORK = {"pod_cidr": "10.0.0.0/14", "service_cidr": "10.8.0.0/16"}
TALOS = {"version": "1.35.6", "kubeconfig": {"context": "lab"}, "distribution": "talos"}


def cluster(version: str = "1.35.6", **fields: Any) -> dict[str, Any]:
    shared = {"name": "shared", "access": ["ReadWriteMany"], "default": True}
    return {"version": version, "kubeconfig": {"context": "lab"}, "storage_classes": [shared], **fields}


def hosts(**fields: Any) -> dict[str, Any]:
    return group(host={**HOST, **fields})


def mixed_place(**second: Any) -> Place:
    """H200 nodes and L40S nodes, the latter changed by `second`."""
    other = group("l40s", 4, nics=[], nic_model=None, **second)
    return place(nodes=[group(), other], cluster=cluster())


def turns(tenants: int) -> list[object]:
    """A queue that lets tenants onto the pool."""
    share = (PoolShare("train", 4, 8),)
    offers = tuple(
        TenantOffer(f"t{number}", f"t{number}", "default", 4, 8, share, "normal") for number in range(tenants)
    )
    return [QueueOffer("teams", "teams", "kueue", ("train",), offers, ())]


ONE: dict[str, Any] = {"nodes": 1}
RDMA: dict[str, Any] = {"nodes": 8, "fabric": "rdma"}
L40S: dict[str, Any] = {"name": "serve", "accelerator": "l40s", "nodes": 2, "workload": "inference"}
SEVENTHS = {"kind": "mig", "profiles": {"1g.18gb": 7}}
TURNS = {"kind": "time-slicing", "replicas": 4}
GIVEN = {"gpu-operator": {"version": "v26.7.0"}}

Case = tuple[list[dict[str, Any]], dict[str, Any]]
"""Pools, and how the run differs."""

CASES: dict[str, tuple[Case, Case, str]] = {
    # rule: (what breaks it, the nearest thing that doesn't, the hint)
    "GPU-001": (
        ([ONE, {**L40S, "device_management": "dra"}], {"at": mixed_place()}),
        ([ONE, L40S], {"at": mixed_place()}),
        "set both to device-plugin",
    ),
    "GPU-002": (
        ([ONE], {"at": place(nodes=[hosts(os="talos")], cluster=TALOS)}),
        ([ONE], {"at": place(nodes=[hosts(os="talos", driver="580.178.04")], cluster=TALOS)}),
        "put the driver's extension into the image",
    ),
    "GPU-003": (
        (
            [{"nodes": 1, "accelerator": "b300"}],
            {"at": place(nodes=[group("b300", 2, host={**HOST, "driver": "570.133.20"})])},
        ),
        (
            [{"nodes": 1, "accelerator": "b300"}],
            {"at": place(nodes=[group("b300", 2, host={**HOST, "driver": "580.65.06"})])},
        ),
        "use 580 or newer",
    ),
    "GPU-004": (
        (
            [{**ONE, "device_management": "dra"}, {**L40S, "device_management": "dra"}],
            {"at": mixed_place(host={**HOST, "driver": "580.178.04"})},
        ),
        ([{**ONE, "device_management": "dra"}, {**L40S, "device_management": "dra"}], {"at": mixed_place()}),
        "give the hosts of both pools a driver or of neither",
    ),
    "GPU-005": (
        ([{**RDMA, "fabric": "infiniband"}], {}),
        ([{**RDMA, "fabric": "infiniband"}], {"at": place(network={**NO_NETWORK, "infiniband": INFINIBAND})}),
        "set fabric to roce or rdma",
    ),
    "GPU-006": (([{**ONE, "accelerator": "gb200"}], {}), ([ONE], {}), "use nvidia-h200-sxm"),
    "GPU-007": (
        ([{**ONE, "sharing": {"kind": "mig", "profiles": {"1g.10gb": 7}}}], {}),
        ([{**ONE, "sharing": SEVENTHS}], {}),
        'did you mean "1g.18gb"?',
    ),
    "GPU-008": (
        (
            [
                {
                    **ONE,
                    "sharing": {"kind": "mig", "profiles": {"3g.71gb": 2, "1g.18gb": 1}, "strategy": "mixed"},
                }
            ],
            {},
        ),
        (
            [
                {
                    **ONE,
                    "sharing": {"kind": "mig", "profiles": {"3g.71gb": 1, "1g.18gb": 2}, "strategy": "mixed"},
                }
            ],
            {},
        ),
        "alone, a GPU has at most 2 of 3g.71gb, 7 of 1g.18gb",
    ),
    "GPU-009": (
        (
            [
                {**ONE, "sharing": SEVENTHS},
                {**ONE, "name": "trial", "sharing": {**SEVENTHS, "strategy": "mixed"}},
            ],
            {},
        ),
        ([{**ONE, "sharing": SEVENTHS}, {**ONE, "name": "trial", "sharing": SEVENTHS}], {}),
        "set strategy of both to mixed",
    ),
    "GPU-010": (
        ([{**ONE, "device_management": "dra"}], {"at": place(cluster=cluster("1.33.4"))}),
        ([{**ONE, "device_management": "dra"}], {"at": place(cluster=cluster("1.34.2"))}),
        "upgrade the cluster to 1.34",
    ),
    "GPU-011": (
        ([{**RDMA, "gds": True}], {"at": place(cluster=cluster(storage_classes=[]))}),
        ([{**RDMA, "gds": True}], {}),
        "set gds to false",
    ),
    "GPU-012": (([{**RDMA, "nodes": 9}], {}), ([RDMA], {}), "set nodes to 8"),
    "GPU-013": (
        ([RDMA], {"at": place(power={"racks": 4, "kw_per_rack": 32.0, "pue": 1.2, "usd_per_kwh": 0.1})}),
        (
            [{**RDMA, "nodes": 6}],
            {"at": place(power={"racks": 4, "kw_per_rack": 32.0, "pue": 1.2, "usd_per_kwh": 0.1})},
        ),
        "set nodes to 6, or set power.kw_per_rack to 40.8",
    ),
    "GPU-014": (
        (
            [RDMA],
            {"at": place(power={"racks": 4, "kw_per_rack": 44.0, "kw_total": 80.0, "pue": 1.2, "usd_per_kwh": 0.1})},
        ),
        (
            [{**RDMA, "nodes": 7}],
            {"at": place(power={"racks": 4, "kw_per_rack": 44.0, "kw_total": 80.0, "pue": 1.2, "usd_per_kwh": 0.1})},
        ),
        "set nodes to 7, or set power.kw_total to 81.6",
    ),
    "GPU-015": (
        ([{**RDMA, "within": "block"}], {}),
        ([{**RDMA, "nodes": 4, "within": "rack"}], {}),
        "set nodes to 4",
    ),
    "GPU-016": (
        ([{"nodes": "all"}], {}),
        ([{"nodes": "all", "workload": "inference"}], {}),
        "set fabric to rdma, nodes to 1",
    ),
    "GPU-017": (([{**ONE, "accelerator": "mi300x"}], {}), ([ONE], {}), "use nvidia-h200-sxm"),
    "GPU-018": (
        ([{**ONE, "driver": {"version": "580.178.40"}}], {}),
        ([{**ONE, "driver": {"version": "595.91.07"}}], {}),
        'did you mean "580.178.04"?',
    ),
    "GPU-019": (
        ([{**ONE, "sharing": TURNS}], {"at": place(cluster=cluster(provides=GIVEN))}),
        ([ONE], {"at": place(cluster=cluster(provides=GIVEN))}),
        "remove gpu-operator from provides",
    ),
    "GPU-020": (
        ([{"nodes": "quotas", "fabric": "rdma"}], {}),
        ([{"nodes": "quotas"}], {"later_first": [QuotaDemand("teams", "train", 8)]}),
        "give a tenant of a queue GPUs of this pool",
    ),
    "GPU-029": (
        ([{"nodes": "demand", "fabric": "rdma"}], {}),
        (
            [{"nodes": "demand", "workload": "inference"}],
            {"later_first": [GpuDemand("chat", "train", "", 2, 1, 2, 1, spare_node=True)]},
        ),
        "let a serving part name this pool",
    ),
    "GPU-021": (
        ([{**RDMA, "numa": "single-numa-node"}], {}),
        ([{**L40S, "numa": "single-numa-node"}], {"at": mixed_place()}),
        "set numa to best-effort",
    ),
    "GPU-022": (
        ([{**ONE, "accelerator": "h20"}], {"at": place(nodes=[group("h20", 1)])}),
        ([ONE], {}),
        "measure power and memory",
    ),
    "GPU-023": (
        ([{**RDMA, "driver": {"max_parallel": 2}}], {}),
        ([{**RDMA, "driver": {"max_parallel": 2, "upgrade": "manual"}}], {}),
        "set max_parallel to 1",
    ),
    "GPU-024": (
        ([RDMA], {"at": place(nodes=[hosts(os="ubuntu-22.04", kernel="5.15.0-130-generic")])}),
        ([RDMA], {"at": place(nodes=[hosts(os="rhel-9", kernel="5.14.0-503.el9")])}),
        "install a kernel from 6.8 on",
    ),
    "GPU-025": (
        ([ONE], {"at": place(cluster=cluster(provides={"node-feature-discovery": {"version": "0.19.0"}}))}),
        (
            [ONE],
            {
                "at": place(
                    cluster=cluster(provides={"node-feature-discovery": {"version": "0.19.0", "features": ["taints"]}})
                )
            },
        ),
        "features: [taints]",
    ),
    "GPU-026": (
        ([{**ONE, "sharing": TURNS}], {"later": turns(2)}),
        ([{**ONE, "sharing": TURNS}], {"later": turns(1)}),
        "give each tenant a pool",
    ),
    "GPU-027": (
        ([ONE], {"at": place(nodes=[group(gpus_per_node=16)])}),
        (
            [{**L40S, "nodes": 1}],
            {"at": place(nodes=[group("l40s", 1, gpus_per_node=16, nics=[], nic_model=None)])},
        ),
        "set gpus_per_node to 8",
    ),
    "GPU-028": (
        ([ONE], {"at": place(nodes=[group(kw_per_node=3.1)])}),
        ([ONE], {"at": place(nodes=[group(kw_per_node=5.6)])}),
        "above 5.6",
    ),
    "GPU-030": (
        ([{**ONE, "flex": {}}], {}),
        ([ONE], {}),
        "drop flex here",
    ),
}


def planned(pools: Run, case: Case) -> Any:
    specs, how = case
    first = how.get("later_first")
    return pools(specs, offers=first, **{name: value for name, value in how.items() if name != "later_first"})


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ({"os": "talos"}, ("nodes", 0, "host")),
        ({"driver": "470.82.01"}, ("nodes", 0, "host", "driver")),
        ({"kernel": "5.15.0-130-generic"}, ("nodes", 0, "host", "kernel")),
    ],
)
def test_a_problem_of_the_hosts_is_shown_in_the_site_file(
    host: dict[str, str], path: tuple[str | int, ...], pools: Run
) -> None:
    problem = pools([RDMA], at=place(nodes=[hosts(**host)])).only()
    assert (problem.document, problem.path) == ("site", path)


def test_a_discovery_that_sets_no_taints_is_shown_in_the_site_file(pools: Run) -> None:
    problem = planned(pools, CASES["GPU-025"][0]).only()
    assert problem.path == ("cluster", "provides", "node-feature-discovery")


def test_every_rule_has_its_cases() -> None:
    assert set(CASES) == {rule.id for rule in RULES}


@pytest.mark.parametrize("rule", CASES)
def test_a_broken_rule_is_found_with_the_way_out(rule: str, pools: Run) -> None:
    found = planned(pools, CASES[rule][0])
    broken = [problem for problem in found.problems if problem.rule == rule]
    assert broken, [problem.says for problem in found.problems]
    assert CASES[rule][2] in broken[0].hint
    assert found.broken == [rule] * len(found.broken), "one cause, one rule"


@pytest.mark.parametrize("rule", CASES)
def test_the_nearest_thing_that_can_be_built_breaks_nothing(rule: str, pools: Run) -> None:
    found = planned(pools, CASES[rule][1])
    assert found.problems == []
    assert found.plans


@pytest.mark.parametrize("rule", CASES)
def test_an_error_leaves_no_plan_and_a_warning_leaves_one(rule: str, pools: Run) -> None:
    level = next(known.level for known in RULES if known.id == rule)
    specs, how = CASES[rule][0]
    found = planned(pools, (specs, how))
    assert (len(found.plans) == len(specs)) is (level == "warning")


@pytest.mark.parametrize(
    ("spec", "how", "says"),
    [
        (
            {**ONE, "driver": {"version": "580.178.04"}},
            {"at": place(nodes=[hosts(driver="595.91.07")])},
            "driver 580.178.04 is wanted, and the hosts own driver 595.91.07",
        ),
        (
            {**ONE, "driver": {"version": "580.178.04"}},
            {"at": place(cluster=cluster(provides=GIVEN))},
            "driver 580.178.04 is wanted, and the GPU Operator of lab sets its own",
        ),
    ],
)
def test_a_driver_is_not_pinned_against_its_owner(
    spec: dict[str, Any], how: dict[str, Any], says: str, pools: Run
) -> None:
    problem = pools([spec], **how).only()
    assert (problem.rule, problem.says) == ("GPU-002", says)


def test_a_pinned_driver_must_run_the_accelerator(pools: Run) -> None:
    old = {"nodes": 1, "accelerator": "b200"}
    problem = pools([old], at=place(nodes=[group("b200", 1, host={**HOST, "driver": "550.90.07"})])).only()
    assert problem.says == "driver 550.90.07 is too old for nvidia-b200-sxm, which needs 570.133.20 or newer"


def test_a_catalog_without_a_driver_for_the_accelerator_asks_for_one(
    pools: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    floors = {**accelerators.DRIVER_FLOORS, ("hopper", "baseboard"): (600,)}
    monkeypatch.setattr(accelerators, "DRIVER_FLOORS", floors)
    problem = pools([ONE]).only()
    assert problem.says == "the catalog has no driver release from 600 on for nvidia-h200-sxm"


def test_a_release_of_the_catalog_can_be_too_old_for_the_accelerator(
    pools: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    floors = {**accelerators.DRIVER_FLOORS, ("hopper", "baseboard"): (590,)}
    monkeypatch.setattr(accelerators, "DRIVER_FLOORS", floors)
    assert pools([ONE]).decisions["train.driver.version"].value == "595.91.07"
    problem = pools([{**ONE, "driver": {"version": "580.178.04"}}]).only()
    assert (problem.rule, problem.hint) == ("GPU-003", "use 590 or newer")


def test_storage_reads_alike_on_all_pools_of_a_site(pools: Run) -> None:
    second = {**RDMA, "name": "next", "nodes": 4}
    problem = pools([{**RDMA, "nodes": 4, "gds": True}, second]).only()
    assert problem.rule == "GPU-011"
    assert problem.says.startswith("gds is on for pool train and off for pool next")


def test_a_fabric_without_nics_on_the_nodes_is_not_promised(pools: Run) -> None:
    problem = pools([RDMA], at=place(nodes=[group(nics=[], nic_model=None)])).only()
    assert problem.says == "fabric rdma is wanted; the nodes with nvidia-h200-sxm have no NICs on it"
    assert "list nics and nic_model of group hgx-h200" in problem.hint
    assert (problem.document, problem.path) == ("site", ("nodes", 0))


def test_a_site_without_a_network_says_so(pools: Run) -> None:
    problem = pools([RDMA], at=place(network=NO_NETWORK)).only()
    assert problem.says == "fabric rdma is wanted; lab has no RDMA fabric"


def test_a_fabric_that_nobody_offers_is_missed(pools: Run) -> None:
    problem = pools([RDMA], offers=[]).only()
    assert problem.says == "no fabric part offers rdma at lab"


def test_a_fabric_that_was_refused_is_not_complained_of_twice(pools: Run) -> None:
    bad = {**ONE, "name": "amd", "accelerator": "mi300x"}
    assert pools([bad, RDMA], offers=[]).broken == ["GPU-017"]


@pytest.mark.parametrize(
    ("name", "maker"),
    [
        ("mi300x", "amd"),
        ("mi355x", "amd"),
        ("gaudi3", "intel"),
        ("tpu-v6e", "google"),
        ("trainium2", "aws"),
        ("inferentia2", "aws"),
        ("ascend-950dt", "huawei"),
    ],
)
def test_an_accelerator_of_another_vendor_is_refused_with_those_that_work(name: str, maker: str, pools: Run) -> None:
    problem = pools([{**ONE, "accelerator": name}], at=place(nodes=[group(name, nics=[], nic_model=None)])).only()
    assert (problem.rule, f"({maker}," in problem.says) == ("GPU-017", True)
    for supported in ("nvidia-h100-sxm", "nvidia-b300-sxm", "nvidia-l4"):
        assert supported in problem.hint


@pytest.mark.parametrize("name", ["gb200", "gb300", "gh200", "rubin"])
def test_a_superchip_is_refused_with_what_it_would_need(name: str, pools: Run) -> None:
    problem = pools([{**ONE, "accelerator": name, "sharing": {"kind": "none"}}]).only()
    assert problem.rule == "GPU-006"
    assert "ComputeDomains" in problem.says


def test_a_site_without_the_accelerator_names_the_nearest_that_it_has(pools: Run) -> None:
    problem = pools([{**ONE, "accelerator": "h100"}]).only()
    assert problem.says == "lab has no nodes with nvidia-h100-sxm"
    assert 'did you mean "nvidia-h200-sxm"?' in problem.hint


def test_nodes_of_another_pool_are_not_counted_twice(pools: Run) -> None:
    problem = pools([RDMA, {**RDMA, "name": "next", "nodes": 1}]).only()
    assert problem.says == (
        "pool next wants 1 node with nvidia-h200-sxm; group hgx-h200 has 8, and 8 belong to train: 0 left"
    )
    assert problem.hint == "add 1 node, or take nodes from the other pools"


def test_all_of_nothing_is_refused(pools: Run) -> None:
    everything = {"nodes": "all", "fabric": "rdma"}
    problem = pools([everything, {**everything, "name": "next"}]).only()
    assert (problem.rule, problem.says.startswith("pool next wants all nodes")) == ("GPU-012", True)


def test_a_rack_that_powers_no_node_is_named_with_what_it_would_need(pools: Run) -> None:
    at = place(power={"racks": 4, "kw_per_rack": 9.0, "pue": 1.2, "usd_per_kwh": 0.1})
    problem = pools([{"nodes": "all", "fabric": "rdma"}], at=at).only()
    assert (problem.rule, problem.hint) == ("GPU-013", "set power.kw_per_rack to 40.8")


def test_a_site_without_power_for_one_node_says_what_it_would_need(pools: Run) -> None:
    at = place(power={"racks": 4, "kw_per_rack": 44.0, "kw_total": 8.0, "pue": 1.2, "usd_per_kwh": 0.1})
    problem = pools([{"nodes": "all", "fabric": "rdma"}], at=at).only()
    assert (problem.rule, problem.hint) == ("GPU-014", "set power.kw_total to 10.2")
