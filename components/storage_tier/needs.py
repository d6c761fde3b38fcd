"""What GPUs need of a tier: what its feeds say, and what lies on it without being named."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from aifactory.components.base import PlanContext
from aifactory.components.offers import PoolOffer, StorageUse
from aifactory.components.problems import nearest
from aifactory.components.storage_tier import arithmetic
from aifactory.components.storage_tier.arithmetic import NODE_GPUS, PER_GPU, PER_NODE, Need
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_tier.sharing import Load, stake_of, uses_of
from aifactory.components.storage_tier.spec import Feed
from aifactory.components.storage_uses import KvOffloadUse

USUAL = "better"
"""Level of the rule of thumb where nobody measured: the middle of three."""


def needs_of(draft: Draft, ctx: PlanContext) -> tuple[Need, ...] | None:
    """By part: what the tier's feeds say, then what lies on it and no feed names. None after a problem."""
    pools = {offer.part: offer.gpus for offer in ctx.offers(PoolOffer)}
    uses = {use.part: use for use in ctx.offers(StorageUse) if use.gpus}
    gpus = pools | {part: use.gpus for part, use in uses.items()}
    spec, found, sound = draft.spec, [], True
    cached = {use.part: use for use in ctx.offers(KvOffloadUse) if use.tier == spec.name}
    own = {(path.namespace, path.name) for path in draft.paths}
    readers = {use.part for use in ctx.offers(StorageUse) if use.keeps == "dataset"}
    here = _lying_here(draft, own, ctx)
    for index, feed in enumerate(spec.feeds):
        if feed.part not in gpus:
            if not ctx.has_refused(feed.part):
                says = f'"{feed.part}" is no pool, training run or served model at {ctx.place.site}'
                ctx.refuse(says, ("feeds", index, "part"), nearest(feed.part, gpus))
            sound = False
            continue
        pool = feed.part if feed.part in pools else uses[feed.part].pool
        known = here.get(feed.part, []), cached.get(feed.part)
        found.append(_of_feed(feed, feed.gpus or gpus[feed.part], pool, *known))
    if not sound:
        return None
    named = {feed.part for feed in spec.feeds}
    found += _unnamed({part: lying for part, lying in here.items() if part not in named}, found, readers)
    kept = (use for part, use in cached.items() if part not in named)
    found += [Need(use.part, use.gpus, kv_offload=use.gb_per_s, pool=use.pool) for use in kept]
    _explain(draft, found, ctx)
    return tuple(found)


def _lying_here(draft: Draft, own: Container[tuple[str, str]], ctx: PlanContext) -> dict[str, list[StorageUse]]:
    """Volumes on the tier that somebody reads or writes, by part: its paths, and what its class gives."""
    claimed = [use for use in ctx.offers(StorageUse) if use.claim and (use.namespace, use.claim) in own]
    made = [use for use in uses_of(stake_of(draft), ctx) if use.keeps in ("checkpoints", "weights")]
    found: dict[str, list[StorageUse]] = {}
    for use in (*claimed, *made):
        found.setdefault(use.part, []).append(use)
    return found


def _unnamed(here: Mapping[str, list[StorageUse]], named: Iterable[Need], readers: Container[str]) -> list[Need]:
    """Needs of parts that no feed names. GPUs of a pool whose feed counts checkpoints are counted by it already."""
    counted = {need.pool: need.gpus for need in named if need.part == need.pool and need.checkpoint}
    found = []
    for part, uses in here.items():
        first, kept = uses[0], {use.keeps for use in uses}
        if weights := sum(use.read_gb_per_s for use in uses if use.keeps == "weights"):
            found.append(Need(part, first.gpus, weights=weights, pool=first.pool))
        if not kept & {"checkpoints", "dataset"}:
            continue
        gpus = max(use.gpus for use in uses)
        covered = min(gpus, counted.get(first.pool, 0))
        if first.pool in counted:
            counted[first.pool] -= covered
        if gpus > covered:
            thumb = arithmetic.rule_of_thumb(part, gpus - covered, USUAL, first.pool)
            found.append(thumb.only(reads=_reads_datasets(uses, readers), writes="checkpoints" in kept))
    return found


def _reads_datasets(uses: Iterable[StorageUse], readers: Container[str]) -> bool:
    """Whether a run reads its datasets of the tier: where it says that they lie, and else where its checkpoints are."""
    return any(use.keeps == "dataset" or (use.keeps == "checkpoints" and use.part not in readers) for use in uses)


def _of_feed(feed: Feed, gpus: int, pool: str, uses: Iterable[StorageUse], cached: KvOffloadUse | None) -> Need:
    checkpoint, weights = feed.checkpoint, feed.weights
    measured = feed.dataset_gb_per_s_per_gpu or feed.kv_offload_gb_per_s_per_gpu or checkpoint or weights or cached
    loads = sum(use.read_gb_per_s for use in uses if use.keeps == "weights")
    level = feed.level or ("" if measured or loads else USUAL)
    thumb = arithmetic.rule_of_thumb(feed.part, gpus, level) if level else Need(feed.part, gpus)
    return Need(
        feed.part,
        gpus,
        dataset=gpus * (feed.dataset_gb_per_s_per_gpu or 0.0) or thumb.dataset,
        checkpoint_gb=checkpoint.gb if checkpoint else 0.0,
        checkpoint_s=checkpoint.write_within_s if checkpoint else 0,
        restart_s=checkpoint.restart_within_s if checkpoint else 0,
        checkpoint_rate=thumb.checkpoint_rate,
        weights=arithmetic.loading(weights.gb, weights.at_once, weights.load_within_s) if weights else loads,
        kv_offload=gpus * (feed.kv_offload_gb_per_s_per_gpu or 0.0) or (cached.gb_per_s if cached else 0.0),
        level=level,
        pool=pool,
    )


def _explain(draft: Draft, needs: Iterable[Need], ctx: PlanContext) -> None:
    for need in needs:
        parts = {
            "gpus": need.gpus,
            "dataset": round(max(need.dataset, need.node[0]), 3),
            "restart": round(need.restart, 3),
            "weights": round(need.weights, 3),
            "kv_offload": round(need.kv_offload, 3),
            "checkpoint": round(max(need.checkpoint, need.node[1]), 3),
        }
        ctx.decide(
            f"needs.{need.part}",
            {"read_gb_per_s": round(need.read_alone, 3), "write_gb_per_s": round(need.write_alone, 3), **parts},
            "reads the most of dataset, restart and weights, with cached keys beside it; writes checkpoints"
            + (_by_thumb(need) if need.level else ""),
            source=("feeds",) if draft.spec.feeds else (),
        )


def _by_thumb(need: Need) -> str:
    """How the rule of thumb made its figures, with its source."""
    read, write = PER_GPU[need.level]
    node_read, node_write = PER_NODE[need.level]
    share = min(need.gpus, NODE_GPUS)
    part = "" if share == NODE_GPUS else f", of which {share} GPUs ask for {share} parts in {NODE_GPUS}"
    return (
        f". By rule of thumb, level {need.level}: the larger of {need.gpus} GPUs x {read:g} / {write:g} GB/s, and what "
        f"one node of {NODE_GPUS} GPUs alone reads / writes, {node_read:g} / {node_write:g}{part} (NVIDIA DGX SuperPOD "
        "RA-11333, table 6). One node at a time does"
    )


def load_of(draft: Draft) -> Load:
    """What waits for the tier, for whoever judges its system."""
    return Load(draft.spec.name, draft.system, draft.needs, draft.speed.read, draft.speed.write)
