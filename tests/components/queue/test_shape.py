"""The rows of a queue: what Kueue is told, with fields that it has had for long."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from aifactory.components.offers import Taint
from support.offered import Outcome, fabric, outcome, pool, queue
from support.schemas import Schemas

LONG_STANDING = {
    "ClusterQueue": {
        "cohortName",
        "fairSharing.weight",
        "flavorFungibility.whenCanBorrow",
        "flavorFungibility.whenCanPreempt",
        "namespaceSelector.matchLabels.aifactory.io/tenant",
        "preemption.reclaimWithinCohort",
        "preemption.withinClusterQueue",
        "queueingStrategy",
        "resourceGroups.coveredResources",
        "resourceGroups.flavors.name",
        "resourceGroups.flavors.resources.borrowingLimit",
        "resourceGroups.flavors.resources.lendingLimit",
        "resourceGroups.flavors.resources.name",
        "resourceGroups.flavors.resources.nominalQuota",
    },
    "Cohort": {
        "resourceGroups.coveredResources",
        "resourceGroups.flavors.name",
        "resourceGroups.flavors.resources.name",
        "resourceGroups.flavors.resources.nominalQuota",
    },
    "LocalQueue": {"clusterQueue"},
    "ResourceFlavor": {
        "nodeLabels.aifactory.io/pool",
        "nodeTaints.effect",
        "nodeTaints.key",
        "nodeTaints.value",
        "tolerations.effect",
        "tolerations.key",
        "tolerations.operator",
        "tolerations.value",
        "topologyName",
    },
    "Topology": {"levels.nodeLabel"},
}
"""Every field of Kueue's v1beta2 that we set. All are in 0.18 and 0.19: a new one here needs the same."""


def rows(found: Outcome) -> list[dict[str, Any]]:
    """The objects of the queue."""
    return [row.body for row in found.rows("teams").values()]


def of_kind(found: Outcome, kind: str) -> list[dict[str, Any]]:
    """The queue's objects of one kind."""
    return [body for body in rows(found) if body["kind"] == kind]


def fields(tree: object, path: str = "") -> Iterator[str]:
    """Paths of the leaves of a tree; items of a list are alike."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from fields(value, f"{path}.{key}" if path else key)
    elif isinstance(tree, list) and tree and isinstance(tree[0], Mapping):
        for item in tree:
            yield from fields(item, path)
    else:
        yield path


SEVERAL = outcome(
    [
        queue(
            pools=["train", "more"],
            tenants=[{"name": "a", "gpus": {"train": 8}}, {"name": "b", "gpus": {"more": 16}}],
        )
    ],
    (fabric(), pool(), pool("more", topology_levels=("kubernetes.io/hostname",))),
)
DRA = outcome([queue(topology_aware=False)], (pool(device_claim="gpu.nvidia.com", fabric=""),))


def test_only_fields_of_long_standing_are_set() -> None:
    found: dict[str, set[str]] = {}
    for body in [*rows(outcome([queue()])), *rows(SEVERAL)]:
        if "spec" in body:
            found.setdefault(body["kind"], set()).update(fields(body["spec"]))
    assert found == LONG_STANDING


@pytest.mark.schema
@pytest.mark.parametrize("found", [outcome([queue()]), SEVERAL, DRA])
def test_kueue_takes_every_object(schemas: Schemas, found: Outcome) -> None:
    assert {body["metadata"]["name"]: schemas.problems(body) for body in rows(found)} == {
        body["metadata"]["name"]: [] for body in rows(found)
    }


@pytest.mark.schema
def test_the_chart_knows_every_value(schemas: Schemas) -> None:
    asked = outcome([queue()]).site_plan.requirements
    problems = [
        schemas.chart_problems(each.capability, {"managerConfig": {"controllerManagerConfigYaml": "text"}})
        for each in asked
        if each.capability == "kueue"
    ]
    assert problems == [[]]
    assert [set(each.values) for each in asked if each.capability == "kueue"] == [{"managerConfig"}]


def test_a_flavor_selects_its_pool_and_tolerates_its_taints() -> None:
    taint = Taint("maintenance", "", "NoExecute")
    (flavor,) = of_kind(outcome([queue()], (fabric(), pool(taints=(taint,)))), "ResourceFlavor")
    assert flavor["spec"] == {
        "nodeLabels": {"aifactory.io/pool": "train"},
        "nodeTaints": [{"key": "maintenance", "value": "", "effect": "NoExecute"}],
        "tolerations": [{"key": "maintenance", "operator": "Exists", "effect": "NoExecute"}],
        "topologyName": "teams-block-rack-hostname",
    }


def test_pools_with_other_levels_have_a_topology_of_their_own() -> None:
    names = [body["metadata"]["name"] for body in of_kind(SEVERAL, "Topology")]
    assert names == ["teams-block-rack-hostname", "teams-hostname"]
    assert [body["spec"]["topologyName"] for body in of_kind(SEVERAL, "ResourceFlavor")] == names


def test_without_topology_there_is_none() -> None:
    assert of_kind(DRA, "Topology") == []
    assert "topologyName" not in of_kind(DRA, "ResourceFlavor")[0]["spec"]


def test_all_resources_stand_in_one_group_so_that_they_come_from_one_pool() -> None:
    for body in of_kind(SEVERAL, "ClusterQueue"):
        (group,) = body["spec"]["resourceGroups"]
        assert [flavor["name"] for flavor in group["flavors"]] == ["teams-train", "teams-more"]
        for flavor in group["flavors"]:
            assert [each["name"] for each in flavor["resources"]] == group["coveredResources"]


def test_a_tenant_has_a_queue_in_its_namespace_that_leads_to_its_quota() -> None:
    found = outcome([queue()])
    assert [
        (body["metadata"]["namespace"], body["metadata"]["name"], body["spec"]["clusterQueue"])
        for body in of_kind(found, "LocalQueue")
    ] == [("research", "default", "teams-research"), ("product", "default", "teams-product")]
    assert [body["spec"]["namespaceSelector"] for body in of_kind(found, "ClusterQueue")] == [
        {"matchLabels": {"aifactory.io/tenant": "research"}},
        {"matchLabels": {"aifactory.io/tenant": "product"}},
    ]


def test_policies_are_written_in_kueues_words() -> None:
    written = {"reclaim": "lower-priority", "within_tenant": "lower-or-newer-equal-priority"}
    (body, _) = of_kind(outcome([queue(queueing="strict-fifo", preemption=written, cohort="site")]), "ClusterQueue")
    assert body["spec"]["queueingStrategy"] == "StrictFIFO"
    assert body["spec"]["preemption"] == {
        "reclaimWithinCohort": "LowerPriority",
        "withinClusterQueue": "LowerOrNewerEqualPriority",
    }
    assert body["spec"]["cohortName"] == "site"


def test_weights_are_those_of_the_tenants() -> None:
    tenants = [{"name": "a", "gpus": 8, "weight": 3}, {"name": "b", "gpus": 8, "weight": 0}]
    bodies = of_kind(outcome([queue(tenants=tenants)]), "ClusterQueue")
    assert [body["spec"]["fairSharing"] for body in bodies] == [{"weight": "3"}, {"weight": "0"}]


def test_priorities_carry_the_name_of_the_queue() -> None:
    assert [
        (body["metadata"]["name"], body["value"]) for body in of_kind(outcome([queue()]), "WorkloadPriorityClass")
    ] == [("teams-low", 100), ("teams-normal", 1_000), ("teams-high", 10_000)]


def test_a_renamed_queue_keeps_the_names_of_its_objects() -> None:
    before = outcome([queue()]).rows("teams")
    after = outcome([queue(name="new", renamed_from="teams")]).rows("new")
    assert list(before) == list(after)


def test_rows_wait_for_what_they_name() -> None:
    found = outcome([queue()]).rows("teams")
    flavor = found["ResourceFlavor.kueue.x-k8s.io/teams-train"]
    cluster_queue = found["ClusterQueue.kueue.x-k8s.io/teams-research"]
    assert flavor.after == ("Topology.kueue.x-k8s.io/teams-block-rack-hostname",)
    assert set(cluster_queue.after) == {flavor.id, "Cohort.kueue.x-k8s.io/teams"}
    assert found["LocalQueue.kueue.x-k8s.io/research/default"].after == (cluster_queue.id,)
    assert cluster_queue.gate is not None
    assert cluster_queue.gate.condition == "Active"
    assert all(name in found for row in found.values() for name in row.after)


def test_quotas_are_text_that_kueue_writes_the_same_way() -> None:
    for body in [*of_kind(SEVERAL, "ClusterQueue"), *of_kind(SEVERAL, "Cohort")]:
        for flavor in body["spec"]["resourceGroups"][0]["flavors"]:
            assert all(isinstance(value, str) for each in flavor["resources"] for value in each.values())
