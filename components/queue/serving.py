"""Tenants that serve models: their GPUs are reserved, not admitted, and what they lend comes back by preemption.

Why Kueue doesn't admit servers stands in docs/decisions/0012-serving-and-training-share-gpus.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.offers import GpuDemand
from aifactory.components.queue.decided import ServerTenant
from aifactory.components.queue.quota import Claim
from aifactory.components.queue.spec import QueueSpec, Tenant

PRIORITY = 100_000
"""Pod priority of servers: above that of jobs, which is 0, and below controllers that answer webhooks."""


class Asked(Struct, frozen=True):
    """What the specification asks, by tenant and pool, before pools have their size."""

    spec: QueueSpec
    gpus: tuple[Mapping[str, int] | None, ...]
    """None: as many as the tenant's models need."""
    borrow: tuple[Mapping[str, int] | None, ...]
    lend: tuple[Mapping[str, int] | None, ...]


def with_demand(asked: Asked, ctx: PlanContext) -> Asked:
    """The same, with the GPUs that models need where a tenant asked for those."""
    needs = ctx.offers(GpuDemand)
    filled = [
        share if share is not None else _needed(tenant, asked.spec.pools, needs)
        for tenant, share in zip(asked.spec.tenants, asked.gpus, strict=True)
    ]
    return replace(asked, gpus=tuple(filled))


def _needed(tenant: Tenant, pools: list[str], needs: list[GpuDemand]) -> dict[str, int]:
    return {
        pool: sum(need.gpus for need in needs if need.tenant == tenant.name and need.pool == pool) for pool in pools
    }


def has_jobs(spec: QueueSpec) -> bool:
    """Whether anybody's jobs are admitted."""
    return any(tenant.workload == "training" for tenant in spec.tenants)


def priority_class(spec: QueueSpec) -> str:
    """PriorityClass of servers, empty without inference tenants."""
    serve = any(tenant.workload == "inference" for tenant in spec.tenants)
    return f"{spec.identity}-serving" if serve else ""


def servers(spec: QueueSpec, claims: Mapping[str, list[Claim]]) -> tuple[ServerTenant, ...]:
    """Who reserves how many GPUs of all pools."""
    return tuple(
        ServerTenant(
            tenant=tenant.name,
            namespace=tenant.namespace or tenant.name,
            gpus=sum(each[index].gpus for each in claims.values()),
            lends=sum(each[index].lend for each in claims.values()),
        )
        for index, tenant in enumerate(spec.tenants)
        if tenant.workload == "inference"
    )


def explain(spec: QueueSpec, claims: Mapping[str, list[Claim]], ctx: PlanContext) -> None:
    """Decisions on what is reserved, what is lent, and what stops for what."""
    needs = ctx.offers(GpuDemand)
    for index, tenant in enumerate(spec.tenants):
        if tenant.workload != "inference":
            continue
        models = [need.part for need in needs if need.tenant == tenant.name and need.pool in spec.pools]
        for pool, each in claims.items():
            claim = each[index]
            ctx.decide(
                f"tenants.{tenant.name}.{pool}",
                {"reserved": claim.gpus, "lends": claim.lend},
                ("what its models need" if tenant.gpus == "demand" else "as written")
                + "; a ResourceQuota of its namespace caps it, with room for one replica that drains while the next "
                "one waits, and no job is ever guaranteed them",
                because=[f"{part}.gpus" for part in models],
                source=("tenants", index, "gpus"),
            )
    if priority_class(spec):
        _explain_preemption(spec, claims, ctx)


def _explain_preemption(spec: QueueSpec, claims: Mapping[str, list[Claim]], ctx: PlanContext) -> None:
    lent = {each.tenant: each.lends for each in servers(spec, claims)}
    takers = ", ".join(f"{name} {count}" for name, count in lent.items() if count)
    ctx.decide(
        "preemption.serving",
        {"priority": PRIORITY, "jobs": 0, "lent": lent},
        f"jobs may run on GPUs that models leave idle ({takers}); when replicas come back, the scheduler stops pods of "
        "jobs for them, JobSet ends the gang, and Kueue lets it wait again as a whole"
        if takers
        else "models lend nothing: no job runs on their GPUs, and none is stopped for them",
        rejected=[
            Rejected(
                "admission by Kueue",
                "it gates each pod of a managed namespace, and its topology packs replicas onto one node",
            )
        ],
        because=[f"{ctx.part}.tenants.{name}.{pool}" for name in lent for pool in claims],
        source=("tenants",),
    )
