"""The rules of a queue, evaluated where their numbers are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aifactory.components.base import PlanContext
from aifactory.components.catalog.trains import releases
from aifactory.components.counting import counted
from aifactory.components.names import HOSTNAME_LABEL
from aifactory.components.offers import FabricOffer, PoolOffer, QueueOffer, QuotaDemand
from aifactory.components.problems import Path, nearest
from aifactory.components.queue.quota import Claim, Stock
from aifactory.components.queue.spec import QueueSpec, Share, Tenant

FLAVORS_AT_MOST = 64
RESOURCES_AT_MOST = 64
TAINTS_AT_MOST = 8
LEVELS_AT_MOST = 16
LABEL_AT_MOST = 63
SYSTEM_NAMESPACES = ("default",)
SYSTEM_PREFIXES = ("kube-", "openshift-")


def check_tenants(spec: QueueSpec, identity: str, ctx: PlanContext) -> None:
    """Names, namespaces and weights: what is wrong with a tenant whatever the pools are."""
    known = {priority.name for priority in spec.priorities}
    for index, tenant in enumerate(spec.tenants):
        at: Path = ("tenants", index)
        _check_names(tenant, identity, at, ctx)
        ctx.check(
            "QUE-015",
            spec.sharing == "fair" or tenant.weight == 1,
            f"tenant {tenant.name} has weight {tenant.weight}, which sharing: priority ignores",
            (*at, "weight"),
            "set sharing to fair, or leave the weight out",
        )
        if tenant.priority and tenant.priority not in known:
            ctx.refuse(
                f'"{tenant.priority}" is not a priority of this queue',
                (*at, "priority"),
                nearest(tenant.priority, known),
            )


def _check_names(tenant: Tenant, identity: str, at: Path, ctx: PlanContext) -> None:
    name = f"{identity}-{tenant.name}"
    ctx.check(
        "QUE-013",
        len(name) <= LABEL_AT_MOST,
        f"{name} has {len(name)} characters, and a label value has at most {LABEL_AT_MOST}",
        (*at, "name"),
        f"shorten the names of queue and tenant by {len(name) - LABEL_AT_MOST} together",
    )


def _namespaces_of_the_system(ctx: PlanContext) -> dict[str, str]:
    """Namespaces that are somebody's already, and whose: releases of the train, and networks of fabrics."""
    found = {each.namespace: each.name for each in releases(ctx.catalog, ctx.place.train) if each.namespace}
    networks = [(rail.network.partition("/"), offer.part) for offer in ctx.offers(FabricOffer) for rail in offer.rails]
    found.update({namespace: f"fabric {part}" for (namespace, slash, _), part in networks if slash})
    return {**found, **dict.fromkeys(SYSTEM_NAMESPACES, "the cluster")}


def _is_nobodys(namespace: str, at: Path, system: Mapping[str, str], ctx: PlanContext) -> bool:
    owner = "the cluster" if namespace.startswith(SYSTEM_PREFIXES) else system.get(namespace)
    return ctx.check(
        "QUE-018",
        owner is None,
        f'"{namespace}" is a namespace of {owner}',
        at,
        f'set namespace to another name, such as "team-{namespace.removeprefix("kube-")}"',
    )


def check_objects_are_its_own(spec: QueueSpec, stocks: Mapping[str, Stock], ctx: PlanContext) -> bool:
    """No other queue has a cohort, queue, flavor or priority of the same name, or a LocalQueue in a tenant's
    namespace."""
    queues = ctx.offers(QueueOffer)
    taken = {name: queue.part for queue in queues for name in queue.objects}
    free = _namespaces_are_free(spec, ctx)
    shared = [name for name in objects(spec, stocks) if name in taken]
    cohort = bool(shared) and shared[0].startswith("Cohort/")
    return free & ctx.check(
        "QUE-019",
        not shared,
        lambda: f"queue {taken[shared[0]]} has a {' '.join(shared[0].split('/'))} already",
        ("cohort",) if cohort and spec.cohort else ("name",),
        "leave cohort out: queues of different pools have nothing to lend to each other"
        if cohort
        else "rename this queue",
    )


def objects(spec: QueueSpec, stocks: Mapping[str, Stock]) -> Iterator[str]:
    """Names of the queue's objects that have no namespace to tell them apart."""
    yield f"Cohort/{cohort_of(spec)}"
    jobs = [tenant for tenant in spec.tenants if tenant.workload == "training"]
    yield from (f"ClusterQueue/{spec.identity}-{tenant.name}" for tenant in jobs)
    yield from (f"ResourceFlavor/{stock.flavor}" for stock in stocks.values())
    yield from (f"WorkloadPriorityClass/{spec.identity}-{each.name}" for each in spec.priorities)


def cohort_of(spec: QueueSpec) -> str:
    """Name of the cohort of the queue's tenants."""
    return spec.cohort or spec.identity


def _namespaces_are_free(spec: QueueSpec, ctx: PlanContext) -> bool:
    taken = {offer.namespace: queue.part for queue in ctx.offers(QueueOffer) for offer in queue.tenants}
    system = _namespaces_of_the_system(ctx)
    free = True
    for index, tenant in enumerate(spec.tenants):
        namespace, at = tenant.namespace or tenant.name, ("tenants", index, "namespace")
        free &= _is_nobodys(namespace, at, system, ctx)
        free &= ctx.check(
            "QUE-014",
            namespace not in taken,
            f'namespace "{namespace}" has a LocalQueue of queue {taken.get(namespace)} already',
            at,
            "give the tenant another namespace here, or let one queue hand out the pools of both",
        )
    return free


def check_pools_are_free(spec: QueueSpec, ctx: PlanContext) -> None:
    """No other queue hands out the same pool."""
    taken = {demand.pool: demand.part for demand in ctx.offers(QuotaDemand) if demand.part != ctx.part}
    for index, pool in enumerate(spec.pools):
        ctx.check(
            "QUE-002",
            pool not in taken,
            f"pool {pool} is handed out by queue {taken.get(pool)} already",
            ("pools", index),
            "remove it from one of the queues, or make one queue of both",
        )


def check_limits(spec: QueueSpec, pools: Mapping[str, PoolOffer], resources: Sequence[str], ctx: PlanContext) -> None:
    """What the API server takes in one object."""
    ctx.check(
        "QUE-008",
        len(pools) <= FLAVORS_AT_MOST and len(resources) <= RESOURCES_AT_MOST,
        f"{len(pools)} pools with {len(resources)} kinds of resource; a queue has at most "
        f"{FLAVORS_AT_MOST} and {RESOURCES_AT_MOST}",
        ("pools",),
        "make a queue for some of the pools",
    )
    for index, name in enumerate(spec.pools):
        pool = pools[name]
        ctx.check(
            "QUE-009",
            len(pool.taints) <= TAINTS_AT_MOST,
            f"pool {name} has {len(pool.taints)} taints; a flavor has at most {TAINTS_AT_MOST}",
            ("pools", index),
            f"remove {len(pool.taints) - TAINTS_AT_MOST} of its taints",
        )
        _check_topology(name, pool, spec.topology_aware, ("pools", index), ctx)


def _check_topology(name: str, pool: PoolOffer, aware: bool, at: Path, ctx: PlanContext) -> None:
    levels = pool.topology_levels
    sound = levels[-1:] == (HOSTNAME_LABEL,) and len(levels) == len(set(levels)) <= LEVELS_AT_MOST
    ctx.check(
        "QUE-010",
        sound or not aware,
        f"pool {name} has the topology levels {', '.join(levels) or 'none'}",
        at,
        f"end them at {HOSTNAME_LABEL}, or set topology_aware to false",
    )
    ctx.check(
        "QUE-011",
        not (aware and pool.device_claim),
        f"pool {name} hands GPUs out as devices of {pool.device_claim}, which topology doesn't count",
        at,
        "set topology_aware to false, or device_management of the pool to device-plugin",
    )


def check_exclusions(excluded: Sequence[str], resources: Sequence[str], ctx: PlanContext) -> bool:
    """No resource with a quota begins with an excluded prefix."""
    hidden = [(name, prefix) for name in resources for prefix in excluded if name.startswith(prefix)]
    return ctx.check(
        "QUE-012",
        not hidden,
        lambda: f'the quota on {hidden[0][0]} would be lifted, because "{hidden[0][1]}" is excluded',
        ("pools",),
        "give the rails of the fabric resource names that no GPU resource begins with",
    )


def check_capacity(
    spec: QueueSpec, claims: Mapping[str, list[Claim]], stocks: Mapping[str, Stock], ctx: PlanContext
) -> bool:
    """Guarantees fit the pools."""
    fits = True
    for index, (name, stock) in enumerate(stocks.items()):
        given = sum(claim.gpus for claim in claims[name])
        over = given - stock.gpus
        more = counted(-(-over // stock.gpus_per_node), "node")
        fits &= ctx.check(
            "QUE-001",
            over <= 0,
            f"{len(spec.tenants)} tenants are guaranteed {given} GPUs of pool {name}, "
            f"which has {stock.gpus} ({stock.nodes} nodes of {stock.gpus_per_node})",
            ("tenants",),
            f"take {over} GPUs off the guarantees, or give the pool {more} more"
            + (f" (pools[{index}])" if len(stocks) > 1 else ""),
        )
    return fits


def check_claim(
    tenant: Tenant, pool: str, claim: Claim, stock: Stock, available: int, at: Path, ctx: PlanContext
) -> None:
    """One tenant's numbers on one pool. `available` is all that the others and the cohort can lend."""
    left = 0 if stock.sliced or claim.reserved else claim.gpus % stock.gpus_per_node
    ctx.check(
        "QUE-005",
        left == 0,
        f"tenant {tenant.name} is guaranteed {claim.gpus} GPUs of pool {pool}, whose nodes have "
        f"{stock.gpus_per_node}: gangs can use {claim.gpus - left}",
        (*at, "gpus"),
        f"use {claim.gpus - left} or {claim.gpus - left + stock.gpus_per_node}",
    )
    ctx.check(
        "QUE-006",
        claim.lend <= claim.gpus or _needs_unknown(tenant, ctx),
        f"tenant {tenant.name} lends {claim.lend} GPUs of pool {pool} but is guaranteed {claim.gpus}",
        (*at, "lend_gpus"),
        f"set lend_gpus to {claim.gpus} or less",
    )
    ctx.check(
        "QUE-007",
        tenant.borrow_gpus is None or claim.borrow <= available,
        f"tenant {tenant.name} may borrow {claim.borrow} GPUs of pool {pool}; others can lend {available}",
        (*at, "borrow_gpus"),
        f"set borrow_gpus to {available} or less",
    )


def check_something_runs(tenant: Tenant, gpus_at_most: int, at: Path, ctx: PlanContext) -> None:
    """A tenant has at least one GPU to hope for."""
    ctx.check(
        "QUE-004",
        gpus_at_most > 0,
        f"tenant {tenant.name} is guaranteed 0 GPUs and can borrow none",
        (*at, "gpus"),
        "guarantee it some GPUs, or let it borrow and another tenant lend",
    )


def check_something_is_served(tenant: Tenant, gpus: int, at: Path, ctx: PlanContext) -> None:
    """An inference tenant holds at least one GPU."""
    ctx.check(
        "QUE-020",
        gpus > 0 or _needs_unknown(tenant, ctx),
        f"tenant {tenant.name} reserves no GPUs"
        + (": no model names it as its tenant" if tenant.gpus == "demand" else ""),
        (*at, "gpus"),
        "let a serving part name it, or remove it",
    )


def _needs_unknown(tenant: Tenant, ctx: PlanContext) -> bool:
    """Whether a part was refused whose model may be the tenant's: that is told already."""
    return tenant.gpus == "demand" and bool(ctx.site_plan.refused)


def check_policy(spec: QueueSpec, pools: Mapping[str, PoolOffer], borrowing: bool, ctx: PlanContext) -> None:
    """What the chosen policies mean for those who rely on a guarantee."""
    several = [name for name, pool in pools.items() if pool.gpus_per_node > 1]
    ctx.check(
        "QUE-016",
        spec.topology_aware or not several,
        f"without topology_aware, jobs get GPUs of pool {', '.join(several)} that no single node has free",
        ("topology_aware",),
        "set topology_aware to true",
    )
    ctx.check(
        "QUE-017",
        spec.preemption.reclaim != "never" or not borrowing,
        "tenants may borrow guaranteed GPUs, and reclaim: never leaves them there until those jobs end",
        ("preemption", "reclaim"),
        "set reclaim to any, or lend_gpus of each tenant to 0",
    )


def check_share(
    tenant: Tenant, field: str, share: Share, pools: Sequence[str], at: Path, ctx: PlanContext
) -> dict[str, int] | None:
    """GPUs by pool, of a share as written; None when it names no pool, or pools that the queue doesn't
    have."""
    if isinstance(share, int):
        if len(pools) == 1:
            return {pools[0]: share}
        first, *others = pools[:3]
        ctx.refuse(
            f"tenant {tenant.name} has {field}: {share}, and the queue has {len(pools)} pools",
            (*at, field),
            f"say of which: {{{', '.join([f'{first}: {share}', *(f'{other}: 0' for other in others)])}}}",
        )
        return None
    unknown = sorted(set(share) - set(pools))
    for name in unknown:
        hint = nearest(name, pools)
        ctx.refuse(f'"{name}" is not a pool of this queue', (*at, field, name), hint)
    if unknown:
        return None
    return {pool: share.get(pool, 0) for pool in pools}
