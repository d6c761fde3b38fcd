"""The rows of a queue: topology, flavors, cohort, priorities, and two queues a tenant."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components import names
from aifactory.components.queue.decided import Flavor, QueuePlan, TenantPlan, Topology
from aifactory.components.queue.quota import FlavorQuota, Quota
from aifactory.components.queue.serving import PRIORITY
from aifactory.components.rows import Gate, KubernetesRow, Maker, Row, Tree, Wave

API = "kueue.x-k8s.io/v1beta2"
ACTIVE = Gate(condition="Active", timeout_s=300)
"""A ClusterQueue is active once Kueue has found its flavors and their topology."""


def rows(plan: QueuePlan, maker: Maker) -> Iterator[Row]:
    """Everything Kueue is told about the pools and their tenants, and the priority of servers."""
    if plan.serving_priority:
        yield _serving_priority(plan.serving_priority, maker)
    if plan.tenants:
        yield from _admission(plan, maker)


def _serving_priority(name: str, maker: Maker) -> KubernetesRow:
    """Pods of models stop pods of jobs, never the other way round."""
    body: Tree = {
        "value": PRIORITY,
        "globalDefault": False,
        "preemptionPolicy": "PreemptLowerPriority",
        "description": "Model servers: they take GPUs back that they lent to jobs.",
    }
    return maker.kubernetes("scheduling.k8s.io/v1", "PriorityClass", name, body=body, wave=Wave.FOUNDATION)


def _admission(plan: QueuePlan, maker: Maker) -> Iterator[Row]:
    for topology in plan.topologies:
        yield _topology(topology, maker)
    for flavor in plan.flavors:
        yield _flavor(flavor, maker)
    for priority in plan.priorities:
        body: Tree = {"value": priority.value, "description": priority.description}
        yield maker.kubernetes(API, "WorkloadPriorityClass", priority.name, body=body)
    cohort = {"resourceGroups": [_group(plan.covered, plan.spare)]}
    flavors = tuple(names.object_id(API, "ResourceFlavor", "", flavor.name) for flavor in plan.flavors)
    yield maker.kubernetes(API, "Cohort", plan.cohort, spec=cohort, after=flavors)
    for tenant in plan.tenants:
        queue = _cluster_queue(plan, tenant, maker)
        yield queue
        yield maker.kubernetes(
            API,
            "LocalQueue",
            plan.local_queue,
            tenant.namespace,
            labels={names.TENANT_LABEL: tenant.tenant},
            spec={"clusterQueue": tenant.cluster_queue},
            after=[queue.id],
        )


def _topology(topology: Topology, maker: Maker) -> KubernetesRow:
    levels = [{"nodeLabel": label} for label in topology.levels]
    return maker.kubernetes(API, "Topology", topology.name, spec={"levels": levels})


def _flavor(flavor: Flavor, maker: Maker) -> KubernetesRow:
    """Nodes of a pool. The toleration is the flavor's own, because Kueue looks for free nodes before any
    webhook has added one to the pods."""
    spec: Tree = {
        "nodeLabels": dict(flavor.labels),
        "nodeTaints": [{"key": t.key, "value": t.value, "effect": t.effect} for t in flavor.taints],
        "tolerations": [taint.toleration() for taint in flavor.taints],
    }
    after = []
    if flavor.topology:
        spec["topologyName"] = flavor.topology
        after.append(names.object_id(API, "Topology", "", flavor.topology))
    return maker.kubernetes(
        API, "ResourceFlavor", flavor.name, labels={names.POOL_LABEL: flavor.pool}, spec=spec, after=after
    )


def _cluster_queue(plan: QueuePlan, tenant: TenantPlan, maker: Maker) -> KubernetesRow:
    spec: Tree = {
        "cohortName": plan.cohort,
        "namespaceSelector": {"matchLabels": {names.TENANT_LABEL: tenant.tenant}},
        "queueingStrategy": plan.strategy,
        "resourceGroups": [_group(plan.covered, tenant.quotas)],
        "flavorFungibility": {"whenCanBorrow": "MayStopSearch", "whenCanPreempt": "TryNextFlavor"},
        "preemption": {"reclaimWithinCohort": plan.reclaim, "withinClusterQueue": plan.within},
        "fairSharing": {"weight": str(tenant.weight)},
    }
    return maker.kubernetes(
        API,
        "ClusterQueue",
        tenant.cluster_queue,
        labels={names.TENANT_LABEL: tenant.tenant},
        spec=spec,
        after=[
            names.object_id(API, "Cohort", "", plan.cohort),
            *(names.object_id(API, "ResourceFlavor", "", flavor.name) for flavor in plan.flavors),
        ],
        gate=ACTIVE,
    )


def _group(covered: tuple[str, ...], quotas: tuple[FlavorQuota, ...]) -> Tree:
    flavors = [{"name": each.flavor, "resources": [_resource(quota) for quota in each.quotas]} for each in quotas]
    return {"coveredResources": list(covered), "flavors": flavors}


def _resource(quota: Quota) -> Tree:
    limits = {"borrowingLimit": quota.borrowing, "lendingLimit": quota.lending}
    return {
        "name": quota.resource,
        "nominalQuota": quota.nominal,
        **{key: text for key, text in limits.items() if text},
    }
