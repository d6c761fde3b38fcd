"""How many nodes others need of a pool: whole nodes for guarantees of jobs, and packed ones for replicas of models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from aifactory.components.base import PlanContext
from aifactory.components.gpu_node_pool.drafts import Resolved
from aifactory.components.offers import GpuDemand, PoolCard, QuotaDemand

FOLLOWING = ("quotas", "demand")
"""Words of `nodes` for which others decide."""


def card_offer(draft: Resolved, ctx: PlanContext) -> PoolCard:
    """What models are sized for, before the pool has a size."""
    groups = [group for group in ctx.place.nodes if group.accelerator == draft.card.key]
    joined = draft.wishes.fabric != "none" and any(group.nics for group in groups)
    return PoolCard(
        part=ctx.part,
        pool=draft.wishes.name,
        accelerator=draft.card.key,
        gpus_per_node=min(group.gpus_per_node for group in groups),
        nodes_at_most=sum(len(group.nodes) for group in groups),
        several_join=joined,
        whole_gpus=draft.sharing.kind == "none",
    )


def demanded(draft: Resolved, gpus_per_node: int, ctx: PlanContext) -> int:
    """Nodes that queues and models need, explained."""
    quotas = [each for each in ctx.offers(QuotaDemand) if each.pool == draft.wishes.name]
    models = [each for each in ctx.offers(GpuDemand) if each.pool == draft.wishes.name]
    if draft.wishes.nodes == "quotas":
        return _for_quotas(quotas, models, gpus_per_node, ctx)
    return _for_demand(quotas, models, gpus_per_node, ctx)


def is_demanded(draft: Resolved, ctx: PlanContext) -> bool:
    """Whether anybody needs a GPU of the pool, where its nodes follow from that."""
    quotas = [each for each in ctx.offers(QuotaDemand) if each.pool == draft.wishes.name]
    models = [each for each in ctx.offers(GpuDemand) if each.pool == draft.wishes.name]
    guaranteed = _guaranteed(quotas, models) > 0
    ctx.check(
        "GPU-020",
        draft.wishes.nodes != "quotas" or guaranteed,
        f"nodes: quotas, and no queue guarantees GPUs on pool {draft.wishes.name}",
        ("nodes",),
        "give a tenant of a queue GPUs of this pool, or set nodes to a number",
    )
    alone = draft.wishes.nodes == "demand" and not models and not _has_refusals(ctx)
    ctx.check(
        "GPU-029",
        not alone,
        f"nodes: demand, and no model is served on pool {draft.wishes.name}",
        ("nodes",),
        "let a serving part name this pool, or set nodes to a number",
    )
    return {"quotas": guaranteed, "demand": bool(models)}.get(str(draft.wishes.nodes), True)


def _has_refusals(ctx: PlanContext) -> bool:
    """Whether a part that might have served a model here refused: its own problem says all."""
    return bool(ctx.site_plan.refused)


def _guaranteed(quotas: Sequence[QuotaDemand], models: Sequence[GpuDemand]) -> int:
    """GPUs of all guarantees, those of tenants that follow their models too."""
    by_demand = {name for each in quotas for name in each.by_demand}
    return sum(each.gpus for each in quotas) + sum(each.gpus for each in models if each.tenant in by_demand)


def _for_models(quotas: Sequence[QuotaDemand], models: Sequence[GpuDemand]) -> int:
    """GPUs of models by tenant: what they need, or what was reserved for them where that is more."""
    reserved = Counter[str]()
    for each in quotas:
        reserved.update(dict(each.reserved))
    needed = Counter[str]()
    for model in models:
        needed[model.tenant] += model.gpus
    return (reserved | needed).total()


def _for_quotas(
    quotas: Sequence[QuotaDemand], models: Sequence[GpuDemand], gpus_per_node: int, ctx: PlanContext
) -> int:
    gpus = _guaranteed(quotas, models)
    queues = ", ".join(sorted({each.part for each in quotas}))
    return ctx.decide(
        "demand",
        -(-gpus // gpus_per_node),
        f"{gpus} GPUs guaranteed by {queues}, {gpus_per_node} a node, in whole nodes",
        source=("nodes",),
    )


def _for_demand(
    quotas: Sequence[QuotaDemand], models: Sequence[GpuDemand], gpus_per_node: int, ctx: PlanContext
) -> int:
    jobs = sum(each.gpus - sum(dict(each.reserved).values()) for each in quotas)
    for_models = max(nodes_for(models, gpus_per_node), -(-_for_models(quotas, models) // gpus_per_node))
    for_jobs = -(-jobs // gpus_per_node)
    shares = ", ".join(f"{each.part} {each.replicas} x {each.gpus_per_replica}" for each in models)
    spare = any(each.spare_node for each in models)
    return ctx.decide(
        "demand",
        for_models + for_jobs,
        f"{for_models} nodes of {gpus_per_node} GPUs for models ({shares})"
        + (", so that the rest holds what is needed when one node is lost" if spare else "")
        + (f"; {for_jobs} for {jobs} GPUs guaranteed to jobs" if jobs else ""),
        because=[f"{each.part}.gpus" for each in models],
        source=("nodes",),
    )


def nodes_for(models: Iterable[GpuDemand], gpus_per_node: int) -> int:
    """Nodes that hold all replicas and, while one node is lost, all that are needed."""
    models = list(models)
    whole = packed([(each.gpus_per_replica, each.nodes_per_replica, each.replicas) for each in models], gpus_per_node)
    if not any(each.spare_node for each in models):
        return whole
    least = [
        (each.gpus_per_replica, each.nodes_per_replica, each.replicas_needed if each.spare_node else each.replicas)
        for each in models
    ]
    return max(whole, packed(least, gpus_per_node) + 1)


def packed(replicas: Iterable[tuple[int, int, int]], gpus_per_node: int) -> int:
    """Nodes for replicas given as GPUs, nodes and number of each: the largest first, each where it fits first.

    Several whole nodes for those that span them. Sizes are mostly powers of two, for which this is the fewest.
    """
    nodes = 0
    left: list[int] = []
    for gpus, span, number in sorted(replicas, reverse=True):
        if span > 1:
            nodes += span * number
            continue
        waiting = number
        for place, free in enumerate(left):
            fitting = max(0, min(free // gpus, waiting))
            left[place] -= fitting * gpus
            waiting -= fitting
        in_one = max(1, gpus_per_node // gpus)
        left += [gpus_per_node - in_one * gpus] * (waiting // in_one)
        if waiting % in_one:
            left.append(gpus_per_node - waiting % in_one * gpus)
    return nodes + len(left)
