"""What a queue needs around it: the tenants' namespaces, and Kueue set up for the site."""

from __future__ import annotations

from collections.abc import Mapping

from aifactory.components import names, quantities
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.offers import FabricOffer, GpuDemand, PoolOffer, PoolShare
from aifactory.components.queue import checks, configuration
from aifactory.components.queue.spec import QueueSpec, Tenant


def ask_for_namespaces(
    spec: QueueSpec, pools: Mapping[str, PoolOffer], shares: list[tuple[PoolShare, ...]], ctx: PlanContext
) -> None:
    """Ask for a namespace of each tenant, as strict as its jobs allow."""
    used = {pool.fabric for pool in pools.values()}
    locking = [offer.part for offer in ctx.offers(FabricOffer) if offer.part in used and offer.ipc_lock]
    if locking:
        level = "privileged"
        why = f"fabric {locking[0]} needs IPC_LOCK in pods, which Pod Security baseline forbids"
    else:
        level = "baseline"
        why = "GPUs and rails come by device requests, so nothing above baseline is needed"
    rejected = [Rejected("restricted", "images that run as root, as most vendors' do, would be refused")]
    locks = [f"{part}.memory_lock" for part in sorted(used - {""})]
    ctx.decide("pod_security", level, why, rejected=rejected, because=locks)
    for tenant, each in zip(spec.tenants, shares, strict=True):
        serves = tenant.workload == "inference"
        ctx.namespace(
            NamespaceRequest(
                name=tenant.namespace or tenant.name,
                part=ctx.part,
                purpose=f"Models of tenant {tenant.name}" if serves else f"Jobs of tenant {tenant.name}",
                pod_security="restricted" if serves else "privileged" if locking else "baseline",
                labels=() if serves else ((names.MANAGED_NAMESPACE_LABEL, "true"),),
                tenant=tenant.name,
                quota=_hard_limits(pools, each, _draining(tenant, ctx) if serves else {}),
                egress=("dns", "namespace", "any") if tenant.reach == "any" else ("dns", "namespace"),
            )
        )


def _draining(tenant: Tenant, ctx: PlanContext) -> dict[str, int]:
    """GPUs by pool of the largest replica: one that drains counts until it is gone, and its successor waits already."""
    found: dict[str, int] = {}
    for need in ctx.offers(GpuDemand):
        if need.tenant == tenant.name:
            found[need.pool] = max(found.get(need.pool, 0), need.gpus_per_replica)
    return found


def _hard_limits(
    pools: Mapping[str, PoolOffer], shares: tuple[PoolShare, ...], more: Mapping[str, int]
) -> tuple[tuple[str, str], ...]:
    """ResourceQuota of a tenant's namespace: what Kueue may admit at most, for pods that go around it, and `more`."""
    found: dict[str, int] = {}
    for share in shares:
        pool = pools[share.pool]
        devices = dict(pool.slice_resources) or {pool.gpu_resource: pool.gpus_per_node}
        for resource, per_node in devices.items():
            device_class = f"{pool.device_claim}.deviceclass.resource.k8s.io/devices"
            key = device_class if pool.device_claim else f"requests.{resource}"
            most = share.gpus_at_most + more.get(share.pool, 0)
            found[key] = found.get(key, 0) + per_node * most // pool.gpus_per_node
    return tuple((key, quantities.count(number)) for key, number in found.items())


def ask_for_kueue(spec: QueueSpec, resources: tuple[str, ...], ctx: PlanContext) -> bool:
    """Require Kueue with the configuration of the site. False when that can't be."""
    decided = _configuration(spec, ctx)
    values = configuration.chart_values(decided)
    others = [
        asked
        for asked in ctx.site_plan.requirements
        if asked.capability == "kueue" and asked.values and asked.part != ctx.part
    ]
    other = next((asked for asked in others if asked.values != values), None)
    field = configuration.field_that_differs(values, other.values) if other else ""
    agreed = ctx.check(
        "QUE-003",
        other is None,
        lambda: f"queue {other.part if other else ''} sets Kueue up with another {field}",
        (field,),
        f"give both queues the same {field}: a site has one Kueue",
    )
    if not agreed or not checks.check_exclusions(decided.excluded, resources, ctx):
        return False
    features = ["jobset", "managed-namespaces", *(["fair-sharing"] if decided.fair else [])]
    features += ["excluded-rails"] if len(decided.excluded) > len(configuration.ALWAYS_EXCLUDED) else []
    ctx.require("kueue", "admits jobs by quota and topology", values, features)
    ctx.require("jobset", "Kueue admits JobSets and must find their CRD when it starts")
    return True


def _configuration(spec: QueueSpec, ctx: PlanContext) -> configuration.Configuration:
    """From the whole site, not this queue's pools: the queues of a site share one controller."""
    ready = spec.pods_ready
    return configuration.Configuration(
        excluded=_excluded(ctx),
        device_classes=_device_classes(ctx),
        gates=_gates(ctx),
        fair=spec.sharing == "fair",
        timeout_s=ready.timeout_s,
        recovery_timeout_s=ready.recovery_timeout_s,
        requeue_limit=ready.requeue_limit,
        requeue_base_s=ready.requeue_base_s,
        requeue_max_s=ready.requeue_max_s,
    )


def _excluded(ctx: PlanContext) -> tuple[str, ...]:
    fabrics = ctx.offers(FabricOffer)
    rails = {rail.resource: None for offer in fabrics for rail in offer.rails if rail.resource}
    rails |= {name: None for offer in fabrics for name in offer.resources}
    return ctx.decide(
        "excluded",
        (*rails, *configuration.ALWAYS_EXCLUDED),
        "Kueue refuses jobs that request what is neither counted nor excluded; rails come with their GPUs",
        rejected=[Rejected("a quota on each rail", "the same number once more for each rail, tenant and pool")],
        because=[f"{offer.part}.rails" for offer in fabrics],
    )


def _device_classes(ctx: PlanContext) -> tuple[tuple[str, str], ...]:
    pools = ctx.offers(PoolOffer)
    return tuple(dict.fromkeys((pool.device_claim, pool.gpu_resource) for pool in pools if pool.device_claim))


def _gates(ctx: PlanContext) -> tuple[tuple[str, bool], ...]:
    major, minor = (int(part) for part in ctx.place.cluster.version.lstrip("v").split(".")[:2])
    if (major, minor) >= configuration.DRA_KUBERNETES:
        return ()
    gates = tuple((gate, False) for gate in configuration.DRA_GATES)
    ctx.decide(
        "controller.gates",
        dict(gates),
        f"Kubernetes {major}.{minor} doesn't serve resource.k8s.io/v1, without which the controller exits",
        source=("cluster", "version"),
        document="site",
    )
    return gates
