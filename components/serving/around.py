"""What a served model finds at its site: the pool, who reserves GPUs of it, and where its data may go."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from aifactory.components.base import PlanContext
from aifactory.components.catalog import binds
from aifactory.components.counting import counted
from aifactory.components.demand import DataClassRules, ModelDemand
from aifactory.components.given import Location
from aifactory.components.offers import FabricOffer, GpuDemand, PoolCard, PoolOffer, QueueOffer, TenantOffer
from aifactory.components.problems import nearest
from aifactory.components.serving.spec import ServingSpec


class Host(Struct, frozen=True):
    """Who reserves the GPUs: a tenant of a queue, or nobody where no queue hands out the pool."""

    namespace: str
    tenant: str
    priority_class: str
    reserved_gpus: int | None
    """GPUs of the pool reserved for the tenant, None without a queue."""


def card_of(spec: ServingSpec, ctx: PlanContext) -> PoolCard | None:
    """The nodes of the pool, before it is known how many."""
    cards = {offer.part: offer for offer in ctx.offers(PoolCard)}
    card = cards.get(spec.pool)
    if card is None:
        if not ctx.has_refused(spec.pool):
            ctx.refuse(f'"{spec.pool}" is no GPU node pool', ("pool",), nearest(spec.pool, cards))
        return None
    whole = ctx.check(
        "SRV-012",
        card.whole_gpus,
        f"pool {spec.pool} shares its GPUs between pods",
        ("pool",),
        "use a pool with sharing none",
    )
    return card if whole else None


def allowed_here(model: int, demand: ModelDemand, ctx: PlanContext) -> bool:
    """Whether data of the demand's class may be at the site, under its laws and its operator's."""
    name = demand.data_class
    if name is None:
        return True
    at = ("demand", "models", model, "data_class")
    residency = ctx.site_plan.residency
    rules = residency.data_classes.get(name) if residency else None
    if rules is None:
        known = residency.data_classes if residency else {}
        return ctx.check(
            "SRV-013",
            False,
            f'data class "{name}" has no rules, and unknown rules allow nothing',
            at,
            nearest(name, known) if known else f"add residency.data_classes.{name} with jurisdictions and operators",
            "factory",
        )
    location = ctx.place.location
    placed, run = _binds(location, rules, ctx)
    able = [other.site for other in ctx.site_plan.others if all(_binds(other.location, rules, ctx))]
    instead = f": {' and '.join(able)} may have it" if able else ""
    where = f"{ctx.place.site} stands in {location.country}"
    who = f"{location.operator.name}, of {location.operator.nationality}, runs it"
    held = ctx.check(
        "SRV-013",
        placed and run,
        f"{name} data of {demand.name} may be in {_listed(rules.jurisdictions)} under operators of "
        f"{_listed(rules.operators)}; {where if not placed else who}",
        at,
        f"take {ctx.place.site} out of placement{instead}; or serve another data class there",
        "factory",
    )
    if held:
        ctx.decide(
            "data_class",
            name,
            f"{where}, and {who}: both are allowed for {name} data",
            source=at,
            document="factory",
            facts=[f"jurisdictions/{location.country.lower()}"],
        )
    return held


def _binds(location: Location, rules: DataClassRules, ctx: PlanContext) -> tuple[bool, bool]:
    """Whether a place, and whoever runs it, are allowed for data of a class."""
    return (
        binds(ctx.catalog, location.country, rules.jurisdictions),
        binds(ctx.catalog, location.operator.nationality, rules.operators),
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def host_of(spec: ServingSpec, ctx: PlanContext) -> Host | None:
    """Who reserves the GPUs of the replicas."""
    serving = [queue for queue in ctx.offers(QueueOffer) if spec.pool in queue.pools]
    tenants = {tenant.tenant: (queue, tenant) for queue in serving for tenant in queue.tenants}
    inference = [name for name, (_, tenant) in tenants.items() if tenant.workload == "inference"]
    if spec.tenant is None:
        if not serving:
            return Host(spec.identity, "", "", None)
        ctx.refuse(
            f"queue {serving[0].part} hands out pool {spec.pool}, and {spec.name} names no tenant",
            (),
            f"set tenant to {' or '.join(inference)}"
            if inference
            else "add a tenant with workload: inference to the queue",
        )
        return None
    if spec.tenant not in tenants:
        if not ctx.site_plan.refused:
            hint = (
                nearest(spec.tenant, inference) if tenants else f"no queue hands out pool {spec.pool}: leave tenant out"
            )
            ctx.refuse(f'"{spec.tenant}" is not a tenant of pool {spec.pool}', ("tenant",), hint)
        return None
    queue, tenant = tenants[spec.tenant]
    if tenant.workload != "inference":
        hint = f"use {' or '.join(inference)}" if inference else "set workload of the tenant to inference"
        ctx.refuse(f"tenant {spec.tenant} runs jobs, which a queue admits and stops", ("tenant",), hint)
        return None
    return Host(tenant.namespace, tenant.tenant, queue.serving_priority, _reserved(tenant, spec.pool))


def _reserved(tenant: TenantOffer, pool: str) -> int:
    return sum(share.gpus for share in tenant.shares if share.pool == pool)


def pool_of(spec: ServingSpec, nodes: int, ctx: PlanContext) -> tuple[PoolOffer, FabricOffer | None] | None:
    """The pool with its nodes, and the fabric where a replica spans several."""
    pool = next((offer for offer in ctx.offers(PoolOffer) if offer.part == spec.pool), None)
    if pool is None:
        return None
    if nodes == 1:
        return pool, None
    fabric = ctx.named(FabricOffer, "part", pool.fabric, ("pool",))
    return None if fabric is None else (pool, fabric)


def fits(own: GpuDemand, host: Host, pool: PoolOffer, ctx: PlanContext) -> bool:
    """Whether this model has room, after those that were planned before it."""
    before = _before(own, ctx)
    if host.reserved_gpus is not None:
        of_tenant = sum(each.gpus for each in before if each.tenant == host.tenant) + own.gpus
        short = of_tenant - host.reserved_gpus
        if not ctx.check(
            "SRV-007",
            short <= 0,
            f"{own.replicas} replicas of {own.gpus_per_replica} GPUs make {of_tenant} GPUs of tenant {host.tenant}, "
            f"which reserves {host.reserved_gpus} of pool {pool.pool}",
            ("tenant",),
            f"reserve {of_tenant}, or write gpus: demand for the tenant",
        ):
            return False
    room = _room(own, before, pool, ctx)
    return ctx.check(
        "SRV-008",
        own.replicas <= room,
        f"{counted(own.replicas, 'replica')} of {counted(own.gpus_per_replica, 'GPU')}"
        + (f" over {own.nodes_per_replica} nodes" if own.nodes_per_replica > 1 else "")
        + f" on pool {pool.pool} with {counted(pool.nodes, 'node')} of {counted(pool.gpus_per_node, 'GPU')}: "
        f"room for {room}",
        ("pool",),
        f"give the pool {counted(_more(own, room, pool), 'node')} more, or write nodes: demand",
    )


def _before(own: GpuDemand, ctx: PlanContext) -> list[GpuDemand]:
    """Demands on the same pool that come earlier, so that one overflow is told once."""
    found = []
    for each in ctx.offers(GpuDemand):
        if each.part == own.part:
            break
        if each.pool == own.pool:
            found.append(each)
    return found


def _room(own: GpuDemand, before: list[GpuDemand], pool: PoolOffer, ctx: PlanContext) -> int:
    """Replicas that fit what other models and the guarantees of jobs leave."""
    jobs = sum(
        share.gpus
        for queue in ctx.offers(QueueOffer)
        for tenant in queue.tenants
        if tenant.workload == "training"
        for share in tenant.shares
        if share.pool == pool.part
    )
    left = pool.gpus - jobs - sum(each.gpus for each in before)
    if own.nodes_per_replica > 1:
        return max(0, left // pool.gpus_per_node) // own.nodes_per_replica
    whole = pool.gpus_per_node // own.gpus_per_replica * own.gpus_per_replica
    return max(0, left * whole // pool.gpus_per_node) // own.gpus_per_replica


def _more(own: GpuDemand, room: int, pool: PoolOffer) -> int:
    missing = own.replicas - room
    if own.nodes_per_replica > 1:
        return missing * own.nodes_per_replica
    return -(-missing // max(1, pool.gpus_per_node // own.gpus_per_replica))
