"""Decides quotas: who is guaranteed which GPUs, who may borrow them, and how Kueue is set up for it."""

from __future__ import annotations

from collections.abc import Mapping

from aifactory.components.base import PlanContext
from aifactory.components.names import POOL_LABEL
from aifactory.components.offers import PoolOffer, PoolShare, QueueOffer, QuotaDemand, TenantOffer
from aifactory.components.problems import nearest
from aifactory.components.queue import checks, policies, prerequisites, quota, rules, serving
from aifactory.components.queue.decided import Flavor, PriorityPlan, QueuePlan, TenantPlan, Topology
from aifactory.components.queue.quota import Claim, Stock
from aifactory.components.queue.serving import Asked
from aifactory.components.queue.spec import QueueSpec, Tenant
from aifactory.components.rules import Rule

RULES: tuple[Rule, ...] = rules.RULES


def resolve(spec: QueueSpec, ctx: PlanContext) -> Asked | None:
    """Who is guaranteed what, so that pools whose size follows from quotas can follow."""
    checks.check_tenants(spec, spec.identity, ctx)
    checks.check_pools_are_free(spec, ctx)
    gpus, borrow, lend = [], [], []
    for index, tenant in enumerate(spec.tenants):
        at = ("tenants", index)
        written = None if tenant.gpus == "demand" else tenant.gpus
        share = None if written is None else checks.check_share(tenant, "gpus", written, spec.pools, at, ctx)
        if written is not None and share is None:
            return None
        gpus.append(share)
        borrow.append(_optional(tenant, "borrow_gpus", spec, index, ctx))
        lend.append(_optional(tenant, "lend_gpus", spec, index, ctx))
    for pool in spec.pools:
        ctx.offer(_quota_demand(spec, gpus, pool, ctx))
    return Asked(spec, tuple(gpus), tuple(borrow), tuple(lend))


def _quota_demand(spec: QueueSpec, gpus: list[dict[str, int] | None], pool: str, ctx: PlanContext) -> QuotaDemand:
    shares = list(zip(spec.tenants, gpus, strict=True))
    return QuotaDemand(
        ctx.part,
        pool,
        sum(share[pool] for _, share in shares if share),
        tuple((tenant.name, share[pool]) for tenant, share in shares if share and tenant.workload == "inference"),
        tuple(tenant.name for tenant, share in shares if share is None),
    )


def _optional(tenant: Tenant, field: str, spec: QueueSpec, index: int, ctx: PlanContext) -> Mapping[str, int] | None:
    share = tenant.borrow_gpus if field == "borrow_gpus" else tenant.lend_gpus
    if share is None:
        return None
    return checks.check_share(tenant, field, share, spec.pools, ("tenants", index), ctx)


def size(asked: Asked, ctx: PlanContext) -> QueuePlan | None:
    """Quotas, from the pools' sizes."""
    spec = asked.spec
    pools = _pools(spec, ctx)
    if pools is None:
        return None
    asked = serving.with_demand(asked, ctx)
    stocks = {name: quota.stock(f"{spec.identity}-{_identity(pool)}", pool) for name, pool in pools.items()}
    claims = {name: _claims(asked, name, stock) for name, stock in stocks.items()}
    resources = quota.covered(stocks)
    checks.check_limits(spec, pools, resources, ctx)
    own = checks.check_objects_are_its_own(spec, stocks, ctx)
    if not checks.check_capacity(spec, claims, stocks, ctx) or not own:
        return None
    shares = _shares(spec, pools, claims, stocks, ctx)
    checks.check_policy(spec, pools, any(claim.borrow for each in claims.values() for claim in each), ctx)
    ctx.offer(_offer(spec, stocks, shares))
    prerequisites.ask_for_namespaces(spec, pools, shares, ctx)
    if serving.has_jobs(spec):
        if not prerequisites.ask_for_kueue(spec, resources, ctx):
            return None
        policies.explain(spec, ctx)
        policies.explain_priorities(spec, ctx)
    _explain_spare(pools, claims, stocks, ctx)
    serving.explain(spec, claims, ctx)
    return _plan(spec, pools, stocks, claims, resources, ctx)


def settle(plan: QueuePlan, ctx: PlanContext) -> QueuePlan:  # noqa: ARG001 - every part has the pass
    """Nothing is left to settle: quotas follow from the pools alone."""
    return plan


def _pools(spec: QueueSpec, ctx: PlanContext) -> dict[str, PoolOffer] | None:
    offers = {offer.part: offer for offer in ctx.offers(PoolOffer)}
    for index, name in enumerate(spec.pools):
        if name not in offers and not ctx.has_refused(name):
            says = f'"{name}" is no GPU node pool with nodes'
            ctx.refuse(says, ("pools", index), nearest(name, offers))
    return {name: offers[name] for name in spec.pools} if set(spec.pools) <= set(offers) else None


def _identity(pool: PoolOffer) -> str:
    """The name that the pool's nodes carry for life, whatever the part is called today."""
    return dict(pool.node_labels).get(POOL_LABEL, pool.pool)


def _claims(asked: Asked, pool: str, stock: Stock) -> list[Claim]:
    """What each tenant may use of a pool. Unsaid borrowing is half of the pool, or all that others can
    lend."""
    servers = [tenant.workload == "inference" for tenant in asked.spec.tenants]
    gpus = [share[pool] if share else 0 for share in asked.gpus]
    lend = [
        (0 if server else share) if given is None else given[pool]
        for share, given, server in zip(gpus, asked.lend, servers, strict=True)
    ]
    available = _available(gpus, lend, stock)
    borrow = [
        (0 if server else min(stock.gpus // 2, most)) if given is None else given[pool]
        for most, given, server in zip(available, asked.borrow, servers, strict=True)
    ]
    return [Claim(*numbers) for numbers in zip(gpus, borrow, lend, servers, strict=True)]


def _available(gpus: list[int], lend: list[int], stock: Stock) -> list[int]:
    """What each tenant could borrow at best: what nobody is guaranteed, and all that the others lend."""
    spare = max(0, stock.gpus - sum(gpus))
    lent = sum(min(most, own) for most, own in zip(lend, gpus, strict=True))
    return [spare + lent - min(most, own) for most, own in zip(lend, gpus, strict=True)]


def _shares(
    spec: QueueSpec,
    pools: Mapping[str, PoolOffer],
    claims: Mapping[str, list[Claim]],
    stocks: Mapping[str, Stock],
    ctx: PlanContext,
) -> list[tuple[PoolShare, ...]]:
    """What each tenant can count on and hope for, checked and explained."""
    available = {
        name: _available([claim.gpus for claim in each], [claim.lend for claim in each], stocks[name])
        for name, each in claims.items()
    }
    found = []
    for index, tenant in enumerate(spec.tenants):
        at = ("tenants", index)
        shares = []
        for name, stock in stocks.items():
            claim, most = claims[name][index], available[name][index]
            checks.check_claim(tenant, name, claim, stock, most, at, ctx)
            shares.append(PoolShare(name, claim.gpus, claim.gpus + min(claim.borrow, most)))
        if tenant.workload == "inference":
            checks.check_something_is_served(tenant, sum(share.gpus for share in shares), at, ctx)
        else:
            checks.check_something_runs(tenant, sum(share.gpus_at_most for share in shares), at, ctx)
        _explain_tenant(tenant, pools, {name: each[index] for name, each in claims.items()}, at, ctx)
        found.append(tuple(shares))
    return found


def _explain_tenant(
    tenant: Tenant,
    pools: Mapping[str, PoolOffer],
    claims: Mapping[str, Claim],
    at: tuple[str | int, ...],
    ctx: PlanContext,
) -> None:
    if tenant.workload == "inference":
        return
    unsaid = [
        text
        for given, text in (
            (tenant.borrow_gpus, "it may borrow half of the pool, or all that others can lend"),
            (tenant.lend_gpus, "it lends all it leaves idle"),
        )
        if given is None
    ]
    reason = "; ".join(["guaranteed as written", *(f"by default {text}" for text in unsaid)])
    for pool, claim in claims.items():
        value = {"guaranteed": claim.gpus, "may_borrow": claim.borrow, "lends": claim.lend}
        because = [f"{pools[pool].part}.nodes"] if tenant.borrow_gpus is None else []
        ctx.decide(f"tenants.{tenant.name}.{pool}", value, reason, because=because, source=(*at, "gpus"))


def _explain_spare(
    pools: Mapping[str, PoolOffer],
    claims: Mapping[str, list[Claim]],
    stocks: Mapping[str, Stock],
    ctx: PlanContext,
) -> None:
    for pool, stock in stocks.items():
        given = sum(claim.gpus for claim in claims[pool])
        rest = "; the rest belongs to the cohort, for who borrows" if given < stock.gpus else ""
        held = sum(claim.gpus for claim in claims[pool] if claim.reserved)
        reason = f"{given} of {stock.gpus} GPUs are guaranteed{f', {held} of them to models' if held else ''}{rest}"
        ctx.decide(
            f"spare.{pool}", stock.gpus - given, reason, because=[f"{pools[pool].part}.nodes"], source=("tenants",)
        )


def _offer(spec: QueueSpec, stocks: Mapping[str, Stock], shares: list[tuple[PoolShare, ...]]) -> QueueOffer:
    tenants = tuple(
        TenantOffer(
            tenant=tenant.name,
            namespace=tenant.namespace or tenant.name,
            queue="" if tenant.workload == "inference" else policies.LOCAL_QUEUE,
            gpus=sum(share.gpus for share in each),
            gpus_at_most=sum(share.gpus_at_most for share in each),
            shares=each,
            priority="" if tenant.workload == "inference" else policies.priority_of(tenant, spec),
            workload=tenant.workload,
        )
        for tenant, each in zip(spec.tenants, shares, strict=True)
    )
    return QueueOffer(
        part=spec.name,
        queue=spec.identity,
        engine=spec.engine,
        pools=tuple(spec.pools),
        tenants=tenants,
        priorities=tuple((priority.name, priority.value) for priority in spec.priorities),
        topology_aware=spec.topology_aware,
        objects=tuple(checks.objects(spec, stocks)),
        serving_priority=serving.priority_class(spec),
    )


def _plan(
    spec: QueueSpec,
    pools: Mapping[str, PoolOffer],
    stocks: Mapping[str, Stock],
    claims: Mapping[str, list[Claim]],
    resources: tuple[str, ...],
    ctx: PlanContext,
) -> QueuePlan:
    topologies = _topologies(spec, pools)
    flavors = tuple(_flavor(pool, stocks[name], topologies) for name, pool in pools.items())
    ctx.decide(
        "flavors",
        {name: flavor.name for name, flavor in zip(pools, flavors, strict=True)},
        "one a pool, which selects its nodes by label; the first with room is taken",
        because=[f"{pool.part}.topology" for pool in pools.values()],
        source=("pools",),
    )
    return QueuePlan(
        cohort=ctx.decide(
            "cohort",
            checks.cohort_of(spec),
            "tenants of one queue lend to each other, and to nobody else"
            + ("" if spec.cohort else "; by default it has the queue's name"),
            source=("cohort",),
        ),
        covered=ctx.decide(
            "covered",
            resources,
            "in one group, so that CPU, memory and GPUs come from one pool",
            because=[f"{pool.part}.devices" for pool in pools.values()],
        ),
        spare=quota.spare_quotas(stocks, resources, claims),
        flavors=flavors,
        topologies=tuple(Topology(name, levels) for levels, name in topologies.items()),
        priorities=tuple(
            PriorityPlan(f"{spec.identity}-{priority.name}", priority.value, priority.description)
            for priority in spec.priorities
        ),
        tenants=_tenants(spec, stocks, claims, resources),
        local_queue=policies.LOCAL_QUEUE,
        strategy=policies.STRATEGIES[spec.queueing].value,
        reclaim=policies.RECLAIM[spec.preemption.reclaim].value,
        within=policies.WITHIN[spec.preemption.within_tenant].value,
        servers=serving.servers(spec, claims),
        serving_priority=serving.priority_class(spec),
    )


def _tenants(
    spec: QueueSpec, stocks: Mapping[str, Stock], claims: Mapping[str, list[Claim]], resources: tuple[str, ...]
) -> tuple[TenantPlan, ...]:
    return tuple(
        TenantPlan(
            tenant=tenant.name,
            namespace=tenant.namespace or tenant.name,
            cluster_queue=f"{spec.identity}-{tenant.name}",
            weight=tenant.weight,
            quotas=quota.tenant_quotas(stocks, resources, {name: each[index] for name, each in claims.items()}),
        )
        for index, tenant in enumerate(spec.tenants)
        if tenant.workload != "inference"
    )


def _topologies(spec: QueueSpec, pools: Mapping[str, PoolOffer]) -> dict[tuple[str, ...], str]:
    """A topology for each list of levels, named by it: levels can't be changed in place."""
    if not spec.topology_aware:
        return {}
    levels = dict.fromkeys(pool.topology_levels for pool in pools.values())
    return {each: "-".join([spec.identity, *(label.rpartition("/")[2].lower() for label in each)]) for each in levels}


def _flavor(pool: PoolOffer, stock: Stock, topologies: Mapping[tuple[str, ...], str]) -> Flavor:
    return Flavor(
        stock.flavor, _identity(pool), pool.node_labels, pool.taints, topologies.get(pool.topology_levels, "")
    )
