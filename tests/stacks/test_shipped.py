"""What we ship is what a cluster takes: every row of every stack, against the real schemas and each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from aifactory.components.gpu_node_pool.aws.model import AwsFlexPlan
from aifactory.components.gpu_node_pool.model import GpuNodePoolPlan
from aifactory.components.queue.decided import QueuePlan
from aifactory.components.rows import HelmRow, KubernetesRow, Row
from aifactory.components.serving.decided import ServingPlan
from aifactory.components.storage_tier.decided import StorageTierPlan
from aifactory.stacks.assembly.stack import Stack
from support import shipped, volumes
from support.flows import wrong_flows
from support.graph import unreached
from support.released import UNSTORED
from support.schemas import Schemas
from support.served import gpus_add_up, plans

EXCEPTIONS: dict[str, str] = {
    "Release/envoy-gateway-system/gateway-helm: config.envoyGateway.rateLimit: gateway-helm has no such value": "the "
    "same for rateLimit; envoyproxy/ai-gateway examples/token_ratelimit/envoy-gateway-values-addon.yaml sets it",
    "Release/envoy-gateway-system/gateway-helm: config.envoyGateway.extensionManager: gateway-helm has no such value; "
    'did you mean "extensionApis"?': "envoyproxy/gateway: the chart copies config.envoyGateway into the EnvoyGateway "
    "file, whose extensionManager values.yaml leaves out; envoyproxy/ai-gateway manifests/envoy-gateway-values.yaml "
    "sets it",
    "Release/envoy-gateway-system/gateway-helm: config.envoyGateway.provider.kubernetes: gateway-helm has no such "
    "value": "the same for provider.kubernetes; envoyproxy/gateway charts/gateway-helm/templates/_helpers.tpl puts "
    "rateLimitDeployment there itself",
}
"""Problems of the schema lane that are upstream's: `row id: problem` and the defect. Five at most."""

NAME_LABEL = "kubernetes.io/metadata.name"
SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


@pytest.fixture(params=shipped.PLATFORMS)
def stack(request: pytest.FixtureRequest) -> Stack:
    """A stack of what runs in a cluster. Those below them: tests/stacks/test_shipped_aws.py."""
    return shipped.stacks()[request.param]


def objects(stack: Stack) -> Iterator[KubernetesRow]:
    return (row for row in stack.rows if isinstance(row, KubernetesRow))


def releases(stack: Stack) -> Iterator[HelmRow]:
    return (row for row in stack.rows if isinstance(row, HelmRow))


def waits_for(stack: Stack, row: Row) -> set[str]:
    """Everything that a row waits for, however far away."""
    found: set[str] = set()
    pending = list(row.after)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(stack.by_id[name].after)
    return found


def group_kind(row: KubernetesRow) -> tuple[str, str]:
    return str(row.body["apiVersion"]).rpartition("/")[0], str(row.body["kind"])


def definitions(stack: Stack, schemas: Schemas) -> dict[str, str]:
    """The definition that each custom resource needs, as `plural.group`, by row."""
    native, names = schemas.native_kinds(), schemas.crd_names()
    return {row.id: names[group_kind(row)] for row in objects(stack) if group_kind(row) not in native}


def given_definitions(stack: Stack) -> set[str]:
    """What the releases that the site gives have brought, by the train's word."""
    provides = stack.plan.place.cluster.provides
    found: set[str] = set()
    for work in shipped.works().values():
        for row in work.loaded.catalog.rows("trains.releases"):
            if row.data.get("provides") in provides:
                found.update(name for part in row.data["crds"] for name in part["names"])
    return found


def test_the_stacks_are_those_we_mean_to_ship() -> None:
    assert tuple(shipped.stacks()) == shipped.STACKS


@pytest.mark.schema
def test_every_object_is_one_that_an_api_server_takes(stack: Stack, schemas: Schemas) -> None:
    found = [f"{row.id}: {problem}" for row in objects(stack) for problem in schemas.problems(stack.plain_tree(row))]
    assert [problem for problem in found if problem not in EXCEPTIONS] == []


@pytest.mark.schema
def test_every_chart_value_is_one_that_the_chart_knows(stack: Stack, schemas: Schemas) -> None:
    found = [
        f"{row.id}: {problem}"
        for row in releases(stack)
        if row.chart not in UNSTORED
        for problem in schemas.chart_problems(row.chart, stack.plain_tree(row))
    ]
    assert [problem for problem in found if problem not in EXCEPTIONS] == []


@pytest.mark.schema
def test_the_values_of_charts_that_are_left_out_are_stored_nowhere(schemas: Schemas) -> None:
    assert [name for name in UNSTORED if (schemas.folder / "chart-values" / name / "values.yaml").is_file()] == []


def test_there_are_five_exceptions_at_most_and_each_names_a_defect() -> None:
    assert len(EXCEPTIONS) <= 5
    assert all("#" in why or "/" in why for why in EXCEPTIONS.values())


@pytest.mark.schema
def test_every_kind_comes_with_a_release_of_ours_or_one_that_the_site_gives(stack: Stack, schemas: Schemas) -> None:
    ours = {name for row in releases(stack) for name in row.crds}
    assert set(definitions(stack, schemas).values()) - ours - given_definitions(stack) == set()


@pytest.mark.schema
def test_every_object_waits_for_the_release_that_brings_its_kind(stack: Stack, schemas: Schemas) -> None:
    owner = {name: row.id for row in releases(stack) for name in row.crds}
    for name, definition in definitions(stack, schemas).items():
        if definition in owner:
            assert owner[definition] in waits_for(stack, stack.by_id[name]), name


def test_every_namespaced_row_waits_for_its_namespace_and_none_is_the_clusters_own(stack: Stack) -> None:
    for row in (*objects(stack), *releases(stack)):
        if row.namespace:
            assert f"Namespace/{row.namespace}" in waits_for(stack, row), row.id
            assert row.namespace not in SYSTEM_NAMESPACES, row.id


def test_no_two_rows_are_the_same_thing(stack: Stack) -> None:
    assert len({row.id for row in stack.rows}) == len(stack.rows)
    there = Counter((group_kind(row), row.namespace, row.name) for row in objects(stack))
    assert [thing for thing, count in there.items() if count > 1] == []
    assert len({(row.namespace, row.name) for row in releases(stack)}) == len(list(releases(stack)))


def test_rows_come_after_what_they_wait_for(stack: Stack) -> None:
    place = {row.id: index for index, row in enumerate(stack.rows)}
    assert [row.id for row in stack.rows if any(place[name] > place[row.id] for name in row.after)] == []


def test_every_namespace_has_its_baseline(stack: Stack) -> None:
    ids = {row.id for row in stack.rows}
    namespaces = [row for row in objects(stack) if row.body["kind"] == "Namespace"]
    assert namespaces
    for row in namespaces:
        labels: dict[str, Any] = row.body["metadata"]["labels"]  # type: ignore[index]
        assert labels["pod-security.kubernetes.io/enforce"] in ("restricted", "baseline", "privileged")
        assert f"NetworkPolicy.networking.k8s.io/{row.name}/default-deny" in ids
        assert f"NetworkPolicy.networking.k8s.io/{row.name}/allowed" in ids
        if "aifactory.io/tenant" in labels:
            assert labels["pod-security.kubernetes.io/enforce"] != "privileged", row.name
            assert row.protect, row.name


def test_no_row_holds_a_secret(stack: Stack) -> None:
    assert [row.id for row in objects(stack) if row.body["kind"] == "Secret"] == []


def test_every_object_says_whose_it_is(stack: Stack) -> None:
    place = stack.plan.place
    for row in objects(stack):
        labels: dict[str, Any] = row.body["metadata"]["labels"]  # type: ignore[index]
        assert labels["app.kubernetes.io/managed-by"] == "aifactory", row.id
        assert labels["app.kubernetes.io/part-of"] == stack.plan.factory, row.id
        assert (labels["aifactory.io/site"], labels["aifactory.io/part"]) == (place.site, row.part), row.id


def test_every_selector_finds_its_own_pods_and_every_name_an_object(stack: Stack) -> None:
    assert unreached(stack) == []


def test_what_must_talk_may_and_what_must_not_may_not(stack: Stack) -> None:
    assert wrong_flows(stack) == []


def test_the_gpus_of_models_are_those_that_pods_ask_for_and_the_pool_has(stack: Stack) -> None:
    assert gpus_add_up(stack.plan, stack.rows) == []


def test_pools_bought_for_demand_hold_what_is_served_and_promised_and_no_node_more(stack: Stack) -> None:
    """One node more than needed at most: that of a lost one."""
    served = sum(plan.gpus for plan in plans(stack.plan, ServingPlan).values())
    if not served:
        return
    (pool,) = plans(stack.plan, GpuNodePoolPlan).values()
    if isinstance(pool, AwsFlexPlan):
        return  # its number is a limit, not what is bought
    queues = plans(stack.plan, QueuePlan).values()
    promised = sum(tenant.guaranteed_gpus for queue in queues for tenant in queue.tenants)
    needed = -(-(served + promised) // pool.gpus_per_node)
    assert pool.size - needed in (0, 1)


@pytest.mark.schema
def test_no_volume_is_without_a_tier_and_none_goes_with_a_node_where_there_is_another(
    stack: Stack, schemas: Schemas
) -> None:
    """At a site of one node what is kept there goes with it; its plan says so of the tier."""
    assert volumes.outside(stack, schemas) == []


def test_no_tier_is_without_a_stated_failure_domain_and_each_cluster_has_one_default(stack: Stack) -> None:
    tiers = plans(stack.plan, StorageTierPlan).values()
    assert tiers
    for tier in tiers:
        assert tier.failure_domain in ("none", "drive", "node", "rack", "site")
    default = [each.name for each in stack.plan.place.cluster.storage_classes if each.default]
    default += [tier.storage_class for tier in tiers if tier.made_class and tier.made_class.default]
    assert len(default) == 1


JUDGED: dict[str, list[tuple[str, int]]] = {
    "edge-slm-lys-edge1-platform": [
        ("OpenTelemetryCollector.opentelemetry.io/watch/watch-gateway", 1),
        ("Release/monitoring/kube-prometheus-stack", 2),
    ],
    "inference-l4-muc-lab1-platform": [
        ("PersistentVolumeClaim/helper/helper-weights", 1),
        ("Release/monitoring/kube-prometheus-stack", 1),
    ],
    "rag-private-fra-dc1-platform": [
        ("CephCluster.ceph.rook.io/rook-ceph/rook-ceph", 1),
        ("Cluster.postgresql.cnpg.io/vectors/vectors", 2),
        ("ObjectBucketClaim.objectbucket.io/legal/objects-contracts", 1),
        ("ObjectBucketClaim.objectbucket.io/research/objects-papers", 1),
        ("ObjectBucketClaim.objectbucket.io/vectors/rag-private-fra-dc1-vectors-backups", 1),
        ("Release/loki/loki", 1),
        ("Release/monitoring/kube-prometheus-stack", 2),
        ("Release/tempo/tempo", 1),
    ],
    "training-roce-fra-dc1-platform": [("PersistentVolumeClaim/research/pretrain-checkpoints", 1)],
}
"""Volumes of stacks, counted by hand."""


@pytest.mark.schema
@pytest.mark.parametrize("name", sorted(JUDGED))
def test_these_are_all_volumes_of_a_stack(name: str, schemas: Schemas) -> None:
    """The check above sees claims, buckets, templates, what operators make, and what charts keep by themselves."""
    found = Counter(row for row, _ in volumes.judged(shipped.stacks()[name], schemas))
    assert sorted(found.items()) == JUDGED[name]


def let_in(stack: Stack, namespace: str) -> set[str]:
    """Namespaces that may open connections to pods of another one."""
    policy = stack.by_id[f"NetworkPolicy.networking.k8s.io/{namespace}/allowed"]
    assert isinstance(policy, KubernetesRow)
    peers = [peer for rule in policy.body["spec"]["ingress"] for peer in rule.get("from", ())]
    return {peer.get("namespaceSelector", {}).get("matchLabels", {}).get(NAME_LABEL, "") for peer in peers}


def test_whoever_asks_across_namespaces_is_let_in(stack: Stack) -> None:
    """KEDA asks Prometheus, Prometheus asks engines and routers, and proxies ask both."""
    for row in objects(stack):
        kind = row.body["kind"]
        if kind == "ScaledObject":
            address = row.body["spec"]["triggers"][0]["metadata"]["serverAddress"]
            assert "keda" in let_in(stack, address.split(".")[1])
        if kind == "PodMonitor" and row.part in plans(stack.plan, ServingPlan):
            assert "monitoring" in let_in(stack, row.namespace)
        if kind == "HTTPRoute" and any("backendRefs" in rule for rule in row.body["spec"]["rules"]):
            assert "envoy-gateway-system" in let_in(stack, row.namespace)


def test_no_tenant_can_give_its_pods_the_priority_of_others(stack: Stack) -> None:
    """A class that a tenant's own servers have is not barred from its namespace; all others of ours are."""
    bodies = {row.id: stack.plain_tree(row) for row in objects(stack)}
    ours = {row.name for row in objects(stack) if bodies[row.id]["kind"] == "PriorityClass"}
    ours |= {"system-cluster-critical", "system-node-critical"}
    barred = {
        row.namespace: set(bodies[row.id]["spec"]["scopeSelector"]["matchExpressions"][0]["values"])
        for row in objects(stack)
        if row.name == "foreign-priorities"
    }
    used: dict[str, set[str]] = {}
    for row in objects(stack):
        template = bodies[row.id].get("spec", {}).get("template", {}) if row.namespace else {}
        name = template.get("spec", {}).get("priorityClassName") if isinstance(template, dict) else None
        used.setdefault(row.namespace, set()).update({name} if name else set())
    tenants = [
        row.name
        for row in objects(stack)
        if "aifactory.io/tenant" in bodies[row.id]["metadata"].get("labels", {})
        and bodies[row.id]["kind"] == "Namespace"
    ]
    for namespace in tenants:
        assert barred.get(namespace, set()) == ours - used[namespace], namespace
