"""Last pass: what the site's operators are told, and everything that rows are made of."""

from __future__ import annotations

import json
from hashlib import sha256

from aifactory.components import names
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.given import NodeGroup
from aifactory.components.gpu_node_pool import accelerators, health, hosts, labels, operator
from aifactory.components.gpu_node_pool.choosing import nodes_text
from aifactory.components.gpu_node_pool.drafts import Sized
from aifactory.components.gpu_node_pool.model import (
    Acceptance,
    Check,
    GpuNodePoolPlan,
    HostFile,
    Pairs,
)
from aifactory.components.gpu_node_pool.needs import PoolNeeds, leads, of_site
from aifactory.components.offers import PoolOffer, QueueOffer

NAMESPACE = "gpu-acceptance"
"""Namespace of the Jobs that wait for GPUs, and of the alerts on them."""

KUBECTL = "registry.k8s.io/kubectl"
"""Published with each Kubernetes release, for all architectures."""

NAMED_AT_MOST = 8192
"""Node names in the arguments of one Job; beyond that its object comes near the limit of 1.5 MiB, and nodes
are
selected by the pool's label."""

BUILD_S = 1800
"""Longest build of a driver on its node: the startup probe allows 20 minutes, and images load first."""


def settled(draft: Sized, ctx: PlanContext) -> GpuNodePoolPlan:
    """The pool, with nothing left open."""
    pools = of_site(ctx)
    leader = leads(ctx.part, pools)
    group = next(group for group in ctx.place.nodes if group.group == draft.group)
    warn_of_neighbours(draft, ctx)
    require(draft, pools, leader, ctx)
    metrics = has_metrics(ctx)
    decide_operator(draft, pools, metrics, ctx)
    nodes = draft.placing.nodes
    identity = draft.wishes.identity
    return GpuNodePoolPlan(
        identity=identity,
        accelerator=draft.card.key,
        group=draft.group,
        racks=draft.placing.racks,
        gpus_per_node=draft.gpus_per_node,
        gpu_resource=draft.gpu_resource,
        device_management=draft.wishes.device_management,
        fabric=draft.fabric,
        driver=draft.driver,
        sharing=draft.sharing,
        node_labels=labels.node_labels(
            draft.placing.racks,
            common_labels(draft, pools),
            labels.leafs(ctx.place.network) if draft.fabric else {},
            draft.taints,
        ),
        idle_nodes=_idle_nodes(ctx) if leader else (),
        host_files=_host_files(draft, group, ctx),
        acceptance=acceptance(draft, ctx),
        alerts=health.alerts(identity, len(nodes), draft.gpus_per_node) if metrics else (),
        alert_nodes=health.pool_nodes(identity, nodes) if metrics else None,
    )


def warn_of_neighbours(draft: Sized, ctx: PlanContext) -> None:
    """Warn of tenants that take turns on GPUs."""
    tenants = {
        tenant.tenant
        for queue in ctx.offers(QueueOffer)
        if ctx.part in queue.pools
        for tenant in queue.tenants
        if any(share.pool == ctx.part and share.gpus_at_most for share in tenant.shares)
    }
    ctx.check(
        "GPU-026",
        draft.sharing.kind != "time-slicing" or len(tenants) < 2,
        f"{len(tenants)} tenants ({', '.join(sorted(tenants))}) take turns on the GPUs of pool {ctx.part}",
        ("sharing",),
        "cut the GPUs by MIG where the model can, or give each tenant a pool",
    )


def require(draft: Sized, pools: list[PoolNeeds], leader: bool, ctx: PlanContext, *, by_rules: bool = True) -> None:
    """The operators. One pool names the values, of all of them, so that none contradicts another.

    `by_rules`: nodes get labels and taints by rules of node-feature-discovery.
    """
    dra = draft.wishes.device_management == "dra"
    given = "gpu-operator" in ctx.place.cluster.provides
    ctx.require(
        "node-feature-discovery",
        f"labels and taints the nodes of pool {ctx.part}, and tells the GPU Operator where GPUs are"
        if by_rules
        else f"tells the GPU Operator where GPUs of pool {ctx.part} are",
        values={"master": {"enableTaints": True}} if draft.taints and by_rules else {},
        features=("taints",) if draft.taints and by_rules else (),
    )
    ctx.require(
        "gpu-operator",
        f"driver, container toolkit, devices and metrics of {draft.card.key}",
        values=operator.operator_values(pools, ctx.place) if leader and not given else {},
        features=("dra-only",) if dra else (),
    )
    if dra:
        ctx.require(
            "dra-driver-nvidia-gpu",
            f"GPUs of pool {ctx.part} as devices",
            values=operator.dra_values(pools) if leader else {},
        )
    if leader:
        ctx.namespace(acceptance_namespace(ctx))


def acceptance_namespace(ctx: PlanContext) -> NamespaceRequest:
    """Where the Jobs run that wait for GPUs."""
    return NamespaceRequest(
        NAMESPACE,
        ctx.part,
        "Jobs that wait until every node offers its GPUs",
        pod_security="restricted",
        egress=("dns", "api"),
    )


def has_metrics(ctx: PlanContext) -> bool:
    """Whether Prometheus and its kinds are there: given, or wanted by a part."""
    wanted = {requirement.capability for requirement in ctx.site_plan.requirements}
    return "metrics" in ctx.place.cluster.provides or "metrics" in wanted


def decide_operator(draft: Sized, pools: list[PoolNeeds], metrics: bool, ctx: PlanContext) -> None:
    """Record how GPUs are handed out and measured."""
    _decide_runtime(ctx)
    interval_s = min(pool.interval_s for pool in pools)
    ctx.decide(
        "metrics",
        f"every {interval_s} s" if metrics else "exporter only",
        "shortest interval of the site's pools, with alerts of this pool"
        if metrics
        else "nothing scrapes: the site gives no metrics and no part asks for them; no ServiceMonitor, no alerts",
        rejected=[Rejected("stand-alone DCGM", "the exporter's own engine serves, as nothing else reads it")],
        source=("monitoring",),
    )
    slices = ", ".join(f"{count} {name}" for name, count in draft.sharing.slices)
    ctx.decide(
        "sharing",
        draft.sharing.kind,
        f"{slices} a node" if slices else f"{draft.gpus_per_node} whole GPUs a node",
        rejected=[Rejected("MPS", "experimental, and one process's fault stops all of its GPU")],
        source=("sharing",),
    )


def _decide_runtime(ctx: PlanContext) -> None:
    if "gpu-operator" in ctx.place.cluster.provides:
        for key in ("toolkit", "confidential"):
            ctx.decide(key, "given", "the site's own GPU Operator is set by whoever runs it")
        return
    ctx.decide("toolkit", *operator.toolkit(ctx.place))
    ctx.decide(
        "confidential",
        "off",
        "no workload of this factory runs in a confidential VM; the chart would switch GPUs by default",
    )


def common_labels(draft: Sized, pools: list[PoolNeeds]) -> Pairs:
    """Labels that all nodes of the pool have."""
    identity = draft.wishes.identity
    found = [(names.POOL_LABEL, identity), (names.ACCELERATOR_LABEL, draft.card.key)]
    if draft.sharing.kind == "mig":
        found.append((labels.MIG_LABEL, identity))
    if draft.sharing.kind == "time-slicing":
        found.append((labels.DEVICE_PLUGIN_LABEL, identity))
    if draft.driver.owner == "host" and any(pool.owner == "operator" for pool in pools):
        found.append((labels.DRIVER_LABEL, "false"))
    if draft.wishes.device_management == "dra":
        found.append((labels.DRA_LABEL, "true"))
    return tuple(found)


def _idle_nodes(ctx: PlanContext) -> tuple[str, ...]:
    """GPU nodes of the site that no pool has: without a driver their operands would wait for ever. Those of
    a given operator may be in use by others."""
    if "gpu-operator" in ctx.place.cluster.provides:
        return ()
    taken = {node for offer in ctx.offers(PoolOffer) for rack in offer.racks for node in rack.nodes}
    idle = tuple(
        node
        for group in ctx.place.nodes
        if group.accelerator and accelerators.card(ctx.catalog, group.accelerator).vendor == "nvidia"
        for node in group.nodes
        if node not in taken
    )
    ctx.decide(
        "idle_nodes",
        len(idle),
        "GPU nodes of no pool get no operands: without a driver these would wait, and the operator never be ready"
        if idle
        else "each GPU node of the site belongs to a pool",
    )
    return idle


def _host_files(draft: Sized, group: NodeGroup, ctx: PlanContext) -> tuple[HostFile, ...]:
    wishes, fabric = draft.wishes, bool(draft.fabric)
    kind = hosts.profile(draft.card.form, wishes.workload, fabric=fabric)
    numa = wishes.numa or ("best-effort" if wishes.workload == "training" else "restricted")
    ctx.decide("numa", numa, hosts.NUMA[numa], source=("numa",) if wishes.numa else ())
    found = hosts.settings(
        kind,
        workload=wishes.workload,
        architecture=group.architecture,
        blackwell=draft.card.architecture.startswith("blackwell"),
        numa_policy=numa,
        cpus=group.cpus,
        reserve=draft.reserve,
    )
    files = hosts.files(found, os=group.host.os, distribution=ctx.place.cluster.distribution, name=wishes.identity)
    ctx.decide(
        "host_tuning",
        kind if wishes.host_tuning else "others",
        f"{len(files)} files for the hosts, for whoever runs them to apply before the drivers"
        if wishes.host_tuning
        else f"others own the hosts; the plan relies on NUMA policy {numa}, {found.reserved_cpus} kept from pods",
        rejected=[
            Rejected(
                "huge pages",
                "they take memory from every pod, and slowed inference down where NVIDIA/aicr measured it",
            ),
            Rejected("pci=realloc=off", "some servers need the reallocation for virtual functions of their NICs"),
        ],
        source=("host_tuning",),
    )
    return files if wishes.host_tuning else ()


def acceptance(draft: Sized, ctx: PlanContext) -> Acceptance:
    """The Job that waits until each node offers its GPUs."""
    nodes, count = draft.placing.nodes, sum(rack.size for rack in draft.placing.racks)
    if draft.wishes.device_management == "dra":
        checks: tuple[Check, ...] = (Check("{.status.state}", "ready", ("clusterpolicies.nvidia.com/cluster-policy",)),)
    else:
        offered = draft.sharing.slices or ((draft.gpu_resource, draft.gpus_per_node),)
        objects = tuple(f"node/{node}" for node in nodes)
        if not nodes or len(nodes) * len(offered) > NAMED_AT_MOST:
            objects = ("node", f"--selector={names.POOL_LABEL}={draft.wishes.identity}")
        checks = tuple(Check(_allocatable(name), str(each), objects) for name, each in offered)
    ctx.decide(
        "acceptance",
        f"{nodes_text(count)}",
        "a node offers GPUs only after the operator's validator found driver, toolkit and device plugin "
        "working, so whoever waits for this Job waits for all of them; it uses no GPU itself",
        rejected=[
            Rejected("ClusterPolicy state", "the chart makes it, and it turns notReady during each rolling upgrade"),
            Rejected("a test job on each GPU", "on a busy site it would wait for tenants' jobs to end"),
        ],
    )
    image = f"{KUBECTL}:{_kubectl_tag(ctx.place.cluster.version)}"
    timeout_s = min(28_800, 2 * BUILD_S + 300 * count)
    told: list[object] = [[check.path, check.value, *check.objects] for check in checks]
    told += [image, timeout_s, [taint.toleration() for taint in draft.taints]]
    text = json.dumps(told)
    return Acceptance(
        namespace=NAMESPACE,
        name=f"{draft.wishes.identity}-gpus-{sha256(text.encode()).hexdigest()[:8]}",
        image=image,
        checks=checks,
        tolerations=draft.taints,
        timeout_s=timeout_s,
    )


def _allocatable(resource: str) -> str:
    escaped = resource.replace(".", "\\.")
    return f"{{.status.allocatable.{escaped}}}"


def _kubectl_tag(version: str) -> str:
    """An image tag: `1.35.6` is v1.35.6, and `1.35` is its first release."""
    parts = version.removeprefix("v").split("-")[0].split(".")
    return "v" + ".".join((*parts, "0")[:3])
