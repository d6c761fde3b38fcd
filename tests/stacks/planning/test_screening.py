"""What an edge site can't hold is refused in words, with the number that is missing and the nearest site that can."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.base import Place, PlanContext, SitePlan
from aifactory.components.catalog import Catalog
from aifactory.components.spec import PartSpec
from aifactory.components.venues import EDGE_NODES, RULES, VENUES
from aifactory.stacks.planning.elsewhere import nearest_first
from aifactory.stacks.planning.passes import rules
from aifactory.stacks.planning.screening import stands
from support import edges
from support.edges import CLUSTER, MODEL, POOL, demand, edge, location
from support.planning import group, place, plan_site

HALL = place(site="hall", location=location("DE"))
NEAR = place(site="near", location=location("FR"))
FAR = place(site="far", location=location("US"))
RUN: dict[str, Any] = {
    "kind": "training",
    "name": "tune",
    "pool": "edge",
    "tenant": "ml",
    "nodes": 4,
    "image": "registry.example.com/a/b:1",
}
QUEUE: dict[str, Any] = {
    "kind": "queue",
    "name": "teams",
    "pools": ["edge"],
    "tenants": [{"name": "ml", "gpus": 1}],
}
LARGE = {**MODEL, "model": "llama-3.3-70b"}


def asked(*parts: dict[str, Any], at: Place | None = None, others: Any = (), load: Any = None) -> tuple[str, str, str]:
    """The one problem of parts at an edge site: rule, words and hint."""
    result = plan_site(parts, at or edge(), demand=load or demand(), others=others)
    assert result.stack_plan is None
    (problem,) = result.errors
    assert problem.site == "depot"
    return problem.rule, problem.says, problem.hint


def test_a_small_model_on_one_node_is_planned_without_a_problem() -> None:
    result = plan_site([POOL, MODEL], edge(), demand=demand())
    assert result.errors == []
    assert {rule for rule in result.site_plan.evaluated if rule.startswith("EDG")} == {
        "EDG-003",
        "EDG-004",
        "EDG-005",
        "EDG-006",
        "EDG-007",
        "EDG-008",
        "EDG-009",
    }


HALLS = [name for name, facts in VENUES.items() if not (facts.starts_offline or facts.makes_cluster)]


@pytest.mark.parametrize("venue", HALLS)
def test_no_other_venue_is_asked_what_an_edge_site_is_asked(venue: str) -> None:
    result = plan_site([{**POOL, "dedicated": True}, MODEL], place(**edges.edge_data(venue=venue)), demand=demand())
    assert result.errors == []
    assert not any(rule.startswith("EDG") for rule in result.site_plan.evaluated)
    # Control planes that the site file doesn't name may stand beside its nodes.
    assert result.decisions["cluster.webhook_replicas"].value == 2


def test_a_gang_is_sent_to_the_nearest_site_with_its_nodes_and_a_fabric() -> None:
    rule, says, hint = asked(POOL, QUEUE, RUN, others=[FAR, HALL])
    assert rule == "EDG-001"
    assert says == "a gang of 4 nodes; depot has 1 with nvidia-l4: 3 are missing, and no fabric joins them"
    assert hint == (
        "hall (DE) is the nearest site that can, on nvidia-h200-sxm: write sites: [hall] at part tune, and give it a "
        "pool there"
    )


def test_nodes_without_a_fabric_between_them_are_no_gang() -> None:
    at = edge(nodes=[edges.nodes(2)])
    parts = [{**POOL, "nodes": 2}, QUEUE, {**RUN, "nodes": 2}]
    assert asked(*parts, at=at)[1] == "a gang of 2 nodes; depot has 2 with nvidia-l4, and no fabric joins them"


def test_a_run_on_one_node_is_no_gang() -> None:
    result = plan_site([POOL, QUEUE, {**RUN, "nodes": 1}], edge())
    assert "EDG-001" not in result.rules_broken


def test_without_another_site_the_kind_that_would_do_is_named() -> None:
    assert asked(POOL, QUEUE, RUN)[2] == (
        "no site of this blueprint can: name one in placement that has 4 GPU nodes joined by a fabric, on-prem or colo"
    )


@pytest.mark.parametrize(
    ("part", "hint"),
    [
        (
            {**POOL, "fabric": "rdma"},
            "set fabric to none, or hall (DE) is the nearest site that can, on nvidia-h200-sxm",
        ),
        (
            {"kind": "fabric", "name": "rails"},
            "delete the part, or hall (DE) is the nearest site that can, on nvidia-h200-sxm",
        ),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_a_fabric_is_refused_once(part: dict[str, Any], hint: str) -> None:
    rule, says, told = asked(part, others=[HALL])
    assert (rule, says) == ("EDG-002", "depot has 1 node, 0 NICs and no switch for a GPU fabric")
    assert told.startswith(hint)


def test_a_model_that_is_too_large_is_sent_where_the_planner_proved_that_it_fits() -> None:
    small = place(site="small", location=location("FR"), nodes=[group(accelerator="l4", gpus_per_node=1)])
    rule, says, hint = asked(POOL, LARGE, load=demand("llama-3.3-70b"), others=[small, HALL])
    assert rule == "EDG-003"
    assert says.startswith("llama-3.3-70b on 1 GPU of nvidia-l4 at depot: 82 GiB of fp8 weights on 1 GPU of 24 GB")
    assert says.endswith("82.1 GiB of 16.6 GiB a GPU; 66 GiB are missing for the weights alone")
    assert hint.startswith(
        "hall (DE) is the nearest site that can, on nvidia-h200-sxm: write sites: [hall] at part helper"
    )


def test_a_model_that_no_site_holds_is_told_what_would_hold_it() -> None:
    hint = asked(POOL, LARGE, load=demand("llama-3.3-70b"))[2]
    assert hint.startswith(
        "no site of this blueprint can: name one in placement that has GPUs that hold it: give a replica"
    )


def test_a_speed_that_no_setting_of_the_site_brings_is_refused_there() -> None:
    rule, says, hint = asked(POOL, MODEL, load=demand(itl_ms=8.0), others=[HALL])
    assert rule == "EDG-003"
    assert "a token every 8 ms" in says
    assert hint.startswith("hall (DE) is the nearest")


def test_more_replicas_than_the_site_has_gpus_are_counted() -> None:
    load = demand(requests_per_s={"mean": 9.0, "peak": 30.0})
    rule, says, _ = asked(POOL, MODEL, load=load)
    assert rule == "EDG-003"
    assert says == "qwen3-4b on 1 GPU of nvidia-l4 at depot: it takes 9, so 8 are missing"


def test_a_spare_replica_that_finds_no_gpu_may_be_done_without() -> None:
    rule, says, hint = asked(POOL, {**MODEL, "redundancy": "replica"})
    assert (rule, says) == ("EDG-003", "qwen3-4b on 1 GPU of nvidia-l4 at depot: it takes 2, so 1 is missing")
    assert hint.startswith("set redundancy to none, or no site of this blueprint can")


def test_data_that_may_not_be_at_a_site_is_not_sent_there() -> None:
    load = demand("llama-3.3-70b", data_class="customer")
    rules_of = {"customer": {"jurisdictions": ["eu"], "operators": ["eu"]}}
    american = place(site="far", location=location("US"))
    result = plan_site([POOL, LARGE], edge(), demand=load, residency=rules_of, others=[american])
    assert result.errors[0].hint.startswith("no site of this blueprint can")
    result = plan_site([POOL, LARGE], edge(), demand=load, residency=rules_of, others=[american, HALL])
    assert result.errors[0].hint.startswith("hall (DE)")


def test_redundancy_by_node_needs_a_second_node() -> None:
    rule, says, hint = asked(POOL, {**MODEL, "redundancy": "node"}, others=[HALL])
    assert rule == "EDG-004"
    assert says == "redundancy node asks for a second node with nvidia-l4, and depot has 1: 1 is missing"
    assert hint.startswith("set redundancy to none, or hall (DE) is the nearest site that can")
    two = plan_site(
        [{**POOL, "nodes": 2}, {**MODEL, "redundancy": "node"}], edge(nodes=[edges.nodes(2)]), demand=demand()
    )
    assert two.errors == []


@pytest.mark.parametrize(
    "weights",
    [
        {"kind": "fetch", "hub": "https://hub.example.com", "size_gib": 40},
        {
            "kind": "object-store",
            "uri": "s3://models/qwen3-4b",
            "endpoint": "https://s3.example.com",
            "credentials": "store",
        },
    ],
    ids=lambda weights: weights["kind"],
)
def test_weights_that_come_over_the_uplink_are_refused(weights: dict[str, Any]) -> None:
    rule, says, hint = asked(POOL, {**MODEL, "weights": weights})
    assert rule == "EDG-005"
    assert says.endswith("come over the uplink, and depot may be without it for 72 hours")
    assert hint.startswith("use kind oci, with the image in /var/lib/rancher/k3s/agent/images of the node")


def test_weights_on_a_volume_of_the_node_are_there() -> None:
    weights = {"kind": "claim", "claim": "weights"}
    assert plan_site([POOL, {**MODEL, "weights": weights}], edge(), demand=demand()).errors == []


def test_a_driver_that_is_built_at_each_boot_is_refused_at_the_group_in_the_site_file() -> None:
    bare = edges.nodes(host={"os": "ubuntu-24.04", "kernel": "6.8", "management_nic": "intel"})
    at = edge(nodes=[bare])
    result = plan_site([POOL, MODEL], at, demand=demand())
    (problem,) = result.errors
    assert (problem.rule, problem.document, problem.path) == ("EDG-006", "site", ("nodes", 0, "host"))
    assert problem.says == (
        "nodes of group l4 have no GPU driver of their own, and depot may be without its uplink for 72 hours"
    )


@pytest.mark.parametrize(
    ("part", "path", "hint"),
    [
        (
            {**MODEL, "weights": {"kind": "oci", "image": f"registry.example.com/m/q:1@sha256:{'a' * 64}"}},
            ("parts", 1, "weights", "image"),
            "name it by tag alone, such as registry.example.com/m/q:1, and write the digest as digest of the part",
        ),
        (
            {**MODEL, "weights": {"kind": "oci", "image": "registry.example.com/m/q:latest"}},
            ("parts", 1, "weights", "image"),
            "name the release by its tag",
        ),
        ({**MODEL, "image": "registry.example.com/vllm:latest"}, ("parts", 1, "image"), "name the release by its tag"),
        (
            {**MODEL, "image": f"registry.example.com/vllm@sha256:{'b' * 64}"},
            ("parts", 1, "image"),
            "name it by tag alone, such as registry.example.com/vllm:2026.11",
        ),
    ],
)
def test_an_image_that_is_not_found_on_the_node_is_refused(part: dict[str, Any], path: Any, hint: str) -> None:
    result = plan_site([POOL, part], edge(), demand=demand())
    (problem,) = result.errors
    assert (problem.rule, problem.path, problem.hint) == ("EDG-007", path, hint)


def test_a_site_whose_only_node_is_kept_for_gpu_pods_has_none_for_controllers() -> None:
    rule, says, hint = asked({**POOL, "dedicated": True}, MODEL)
    assert (rule, says) == (
        "EDG-008",
        "pool edge keeps its nodes for GPU pods, and depot has no other: 1 is missing for controllers",
    )
    assert hint.startswith("set dedicated to false")
    service = edges.nodes(group="service", accelerator=None, gpus_per_node=0, racks=[_rack("service-1")])
    both = edge(nodes=[edges.nodes(), service])
    assert plan_site([{**POOL, "dedicated": True}, MODEL], both, demand=demand()).errors == []


def _rack(*names: str) -> dict[str, Any]:
    return {"rack": "e1", "block": "e1", "nodes": [*names]}


class Replicated(PartSpec):
    """A part that keeps three copies."""

    @property
    def hosts_at_least(self) -> int:
        return 3


def test_what_is_spread_over_hosts_is_refused_where_there_are_fewer() -> None:
    site_plan = SitePlan(edge(), Catalog.shipped(), "demo", rules())
    spec = Replicated(name="copies")
    two = edge(site="two", nodes=[edges.nodes(2)])
    assert not stands(spec, PlanContext(site_plan, "copies", ("parts", 0)), [spec], [two, FAR, HALL])
    (problem,) = site_plan.problems
    assert (problem.rule, problem.path) == ("EDG-009", ("parts", 0))
    assert problem.says == "part copies is spread over 3 hosts, and depot has 1 node: 2 are missing"
    assert problem.hint == "choose a kind that lives on 1 node, or write sites: [hall]"


def test_three_nodes_of_an_edge_site_hold_what_is_spread_over_three() -> None:
    site_plan = SitePlan(edge(nodes=[edges.nodes(3)]), Catalog.shipped(), "demo", rules())
    spec = Replicated(name="copies")
    assert stands(spec, PlanContext(site_plan, "copies", ("parts", 0)), [spec], [])


def test_nearest_is_the_same_country_then_a_common_law_then_the_order_of_the_blueprint() -> None:
    others = [FAR, HALL, place(site="hall-2", location=location("NL")), NEAR]
    assert [each.site for each in nearest_first(edge(), others, Catalog.shipped())] == ["near", "hall", "hall-2", "far"]


def test_the_nearest_site_that_can_is_told_whatever_the_order_of_the_blueprint() -> None:
    for others in ([FAR, HALL, NEAR], [NEAR, FAR, HALL], [HALL, NEAR, FAR]):
        assert asked(POOL, QUEUE, RUN, others=others)[2].startswith("near (FR)")


def test_a_refused_part_is_the_only_problem_of_those_that_stand_on_it() -> None:
    door = {"kind": "endpoint", "name": "door", "callers": ["shop"]}
    assert asked(POOL, LARGE, door, load=demand("llama-3.3-70b"))[0] == "EDG-003"
    assert asked({**POOL, "dedicated": True}, MODEL, door)[0] == "EDG-008"


def test_each_rule_of_the_venue_has_an_id_of_its_own_and_is_an_error() -> None:
    assert [rule.id for rule in RULES] == [f"EDG-{number:03}" for number in range(1, len(RULES) + 1)]
    assert {rule.level for rule in RULES} == {"error"}


@pytest.mark.parametrize("count", [1, EDGE_NODES])
def test_controllers_have_as_many_replicas_as_nodes_can_lose(count: int) -> None:
    door = {"kind": "endpoint", "name": "door", "callers": ["shop"]}
    result = plan_site([POOL, MODEL, door], edge(nodes=[edges.nodes(count)]), demand=demand())
    replicas = 1 if count == 1 else 2
    assert result.decisions["cluster.webhook_replicas"].value == replicas
    assert result.decisions["door.proxies"].value == replicas
    assert not {"CLU-008", "END-006"} & set(result.rules_broken)


def test_the_only_node_keeps_room_for_controllers() -> None:
    alone = plan_site([POOL, MODEL], edge(), demand=demand())
    service = edges.nodes(group="service", accelerator=None, gpus_per_node=0, racks=[_rack("service-1")])
    beside = plan_site([POOL, MODEL], edge(nodes=[edges.nodes(), service]), demand=demand())
    elsewhere = plan_site([POOL, MODEL], place(**edges.edge_data(venue="colo")), demand=demand())
    cpus = [int(dict(result.plans["helper"].contract.requests)["cpu"]) for result in (alone, beside, elsewhere)]
    assert cpus[1] == cpus[2]
    assert cpus[1] - cpus[0] == alone.decisions["edge.controllers"].value["cpus"]  # type: ignore[index]
    assert "edge.controllers" not in beside.decisions


@pytest.mark.parametrize(("distribution", "folder"), [("k3s", "k3s"), ("rke2", "rke2")])
def test_images_come_from_the_folder_of_the_distribution(distribution: str, folder: str) -> None:
    at = edge(cluster={**CLUSTER, "distribution": distribution})
    decisions = plan_site([POOL, MODEL], at, demand=demand()).decisions
    assert decisions["cluster.images"].value == f"/var/lib/rancher/{folder}/agent/images"
    assert "72 hours" in decisions["cluster.images"].reason


@pytest.mark.parametrize(("distribution", "told"), [("rke2", True), ("k3s", False)])
def test_rke2_is_told_who_holds_its_ports_and_definitions(distribution: str, told: bool) -> None:
    door = {"kind": "endpoint", "name": "door", "callers": ["shop"]}
    at = edge(cluster={**CLUSTER, "distribution": distribution})
    stack = plan_site([POOL, MODEL, door], at, demand=demand()).stack_plan
    assert stack is not None
    before = " ".join(note.says for note in stack.notes if note.when == "before")
    assert ("rke2-ingress-nginx holds ports 80 and 443" in before, "rke2-traefik-crd" in before) == (told, told)


@pytest.mark.parametrize(
    ("distribution", "parts", "told"),
    [("k3s", "endpoint", True), ("k3s", "", False), ("rke2", "endpoint", False)],
)
def test_traefik_of_k3s_is_told_where_the_gateway_api_is_used(distribution: str, parts: str, told: bool) -> None:
    door = [{"kind": "endpoint", "name": "door", "callers": ["shop"]}] if parts else []
    at = edge(cluster={**CLUSTER, "distribution": distribution})
    stack = plan_site([POOL, MODEL, *door], at, demand=demand()).stack_plan
    assert stack is not None
    assert any("--disable=traefik" in note.says for note in stack.notes if note.when == "before") == told
