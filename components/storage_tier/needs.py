"""What GPUs need of a tier, and whether it gives that."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from aifactory.components.base import PlanContext
from aifactory.components.offers import PoolOffer, StorageUse
from aifactory.components.problems import nearest
from aifactory.components.storage_tier import arithmetic
from aifactory.components.storage_tier.arithmetic import Need
from aifactory.components.storage_tier.decided import CephTier
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_tier.spec import Feed

USUAL = "better"
"""Level of the rule of thumb where nobody measured: the middle of three."""
Way = Literal["read", "write"]
RULE: dict[Way, str] = {"read": "STO-007", "write": "STO-008"}


class Load(Struct, frozen=True):
    """Share of a Ceph cluster's rates that one of its tiers needs."""

    part: str
    owner: str
    read: float
    write: float


class Fill(Struct, frozen=True):
    """A volume that is filled from the tier below within its time."""

    source: str
    target: str
    path: str
    gb_per_s: float


def fills_in(draft: Draft) -> Iterator[Fill]:
    """What filling the tier's volumes takes of it and of the tier below."""
    for path in draft.spec.paths:
        if path.prefetch and draft.spec.fed_by:
            rate = arithmetic.gb_of_gib(path.size_gib) / path.prefetch.within_s
            yield Fill(draft.spec.fed_by, draft.spec.name, path.path, rate)


def with_fills(draft: Draft, ctx: PlanContext) -> Draft:
    """The tier with what is filled from it and into it beside what GPUs need. All fills are known by `settle`."""
    name = draft.spec.name
    fills = ctx.offers(Fill)
    out = [Need(_named(each), 0, weights=each.gb_per_s) for each in fills if each.source == name]
    into = [Need(_named(each), 0, checkpoint_rate=each.gb_per_s) for each in fills if each.target == name]
    return replace(draft, needs=(*draft.needs, *out, *into))


def _named(fill: Fill) -> str:
    return f"the fill of {fill.target}/{fill.path}"


def needs_of(draft: Draft, ctx: PlanContext) -> tuple[Need, ...] | None:
    """By part: what the tier's feeds say, then what lies on its class and no feed names. None after a problem."""
    uses = ctx.offers(StorageUse)
    gpus = {pool.part: pool.gpus for pool in ctx.offers(PoolOffer)} | {use.part: use.gpus for use in uses}
    spec, found, sound = draft.spec, [], True
    own = {(path.namespace, path.name) for path in draft.paths}
    readers = {use.part for use in uses if use.keeps == "dataset"}
    here: dict[str, list[StorageUse]] = {}
    for use in uses:
        if _lies_here(use, draft.storage_class, own):
            here.setdefault(use.part, []).append(use)
    for index, feed in enumerate(spec.feeds):
        if feed.part not in gpus:
            if not ctx.has_refused(feed.part):
                says = f'"{feed.part}" is no pool, training run or served model at {ctx.place.site}'
                ctx.refuse(says, ("feeds", index, "part"), nearest(feed.part, gpus))
            sound = False
            continue
        found.append(_of_feed(feed, feed.gpus or gpus[feed.part], here.get(feed.part, [])))
    named = {feed.part for feed in spec.feeds}
    found += [_of_uses(part, lying, part in readers) for part, lying in here.items() if part not in named]
    if not sound:
        return None
    _explain(draft, found, ctx)
    return tuple(found)


def _lies_here(use: StorageUse, storage_class: str, paths: Container[tuple[str, str]]) -> bool:
    """Whether a volume is of the tier's class, or is one of its paths."""
    return (use.namespace, use.claim) in paths if use.claim else use.storage_class == storage_class


def _of_uses(part: str, uses: list[StorageUse], reads_datasets: bool) -> Need:
    """What one part needs of the tier for all that it has there. A run that says where its datasets lie reads them
    there, and else from where its checkpoints are."""
    kept, gpus = {use.keeps for use in uses}, max(use.gpus for use in uses)
    thumb = arithmetic.rule_of_thumb(part, gpus, USUAL)
    saves = "checkpoints" in kept
    reads = "dataset" in kept or (saves and not reads_datasets)
    return Need(
        part,
        gpus,
        dataset=thumb.dataset if reads else 0.0,
        checkpoint_rate=thumb.checkpoint_rate if saves else 0.0,
        weights=sum(use.read_gb_per_s for use in uses),
    )


def _of_feed(feed: Feed, gpus: int, uses: list[StorageUse]) -> Need:
    checkpoint, weights = feed.checkpoint, feed.weights
    measured = feed.dataset_gb_per_s_per_gpu or feed.kv_offload_gb_per_s_per_gpu or checkpoint or weights
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
        kv_offload=gpus * (feed.kv_offload_gb_per_s_per_gpu or 0.0),
    )


def _explain(draft: Draft, needs: Iterable[Need], ctx: PlanContext) -> None:
    for need in needs:
        parts = {
            "gpus": need.gpus,
            "dataset": round(need.dataset, 3),
            "restart": round(need.restart, 3),
            "weights": round(need.weights, 3),
            "kv_offload": round(need.kv_offload, 3),
            "checkpoint": round(need.checkpoint, 3),
        }
        ctx.decide(
            f"needs.{need.part}",
            {"read_gb_per_s": round(need.read, 3), "write_gb_per_s": round(need.write, 3), **parts},
            "reads the most of dataset, restart and weights, with cached keys beside it; writes checkpoints",
            source=("feeds",) if draft.spec.feeds else (),
        )


def available(draft: Draft, gpus: int) -> tuple[float | None, float | None]:
    """What the tier gives to so many GPUs: of drives of a node each GPU has its share, of others all share all."""
    rates = (draft.speed.read, draft.speed.write)
    if draft.spec.engine != "topolvm" or draft.drives is None or not draft.drives.group.gpus_per_node:
        return rates
    each = draft.drives.group.gpus_per_node
    return (_share(rates[0], gpus, each), _share(rates[1], gpus, each))


def _share(rate: float | None, gpus: int, each: int) -> float | None:
    return None if rate is None else rate * gpus / each


def load_of(draft: Draft, needs: Iterable[Need]) -> Load:
    """The share of the Ceph cluster's time that the tier needs."""
    listed = tuple(needs)
    needed = arithmetic.read_needed(listed), arithmetic.write_needed(listed)
    read, write = (want / has if has else 0.0 for want, has in zip(needed, available(draft, 0), strict=True))
    return Load(draft.spec.name, draft.owner, read, write)


def judge(draft: Draft, ctx: PlanContext) -> bool:
    """Whether no GPU starves on the tier, as far as figures are known."""
    gpus = sum(need.gpus for need in draft.needs)
    others = [
        load
        for load in ctx.offers(Load)
        if draft.on_ceph and load.owner == draft.owner and load.part != draft.spec.name
    ]
    read, write = available(draft, gpus)
    members = {each.part for each in ctx.offers(CephTier) if draft.owner in (each.part, each.owner)} - {draft.spec.name}
    fills = ctx.offers(Fill) if draft.on_ceph else []
    out = sum(each.gb_per_s for each in fills if each.source in members) / (read or math.inf)
    into = sum(each.gb_per_s for each in fills if each.target in members) / (write or math.inf)
    return all(
        [
            _judged(draft, ctx, "read", read, sum(load.read for load in others) + out, gpus),
            _judged(draft, ctx, "write", write, sum(load.write for load in others) + into, gpus),
        ]
    )


def _judged(draft: Draft, ctx: PlanContext, way: Way, has: float | None, taken: float, gpus: int) -> bool:
    needs, spec = draft.needs, draft.spec
    needed = arithmetic.read_needed(needs) if way == "read" else arithmetic.write_needed(needs)
    if not needed:
        return True
    known = ctx.check(
        "STO-009",
        has is not None,
        f"{_who(needs, way)} {way} {needed:.2f} GB/s of tier {spec.name}, and what it gives is unknown",
        ("feeds",) if spec.feeds else ("engine",),
        _state(draft, way),
    )
    if not known or has is None:
        return True
    left = max(0.0, has * (1 - taken))
    _decide(draft, ctx, way, left, needed, gpus)
    return ctx.check(
        RULE[way],
        needed <= left,
        lambda: (
            f"{_who(needs, way)} {way} {needed:.2f} GB/s at the worst moment, and tier {spec.name} gives {left:.2f}: "
            f"{_each(left, needed, gpus)}" + (f"; other tiers of its cluster take {taken:.0%}" if taken else "")
        ),
        ("feeds",) if spec.feeds else ("engine",),
        "; or ".join(_fixes(draft, way, left, needed, taken)),
    )


def _each(left: float, needed: float, gpus: int) -> str:
    if not gpus:
        return "no GPU waits yet, but for what they will read"
    return f"{left / gpus:.3f} GB/s for each of {gpus} GPUs, which need {needed / gpus:.3f}"


def _who(needs: Iterable[Need], way: Way) -> str:
    return ", ".join(need.part for need in needs if (need.read if way == "read" else need.write))


def _decide(draft: Draft, ctx: PlanContext, way: Way, left: float, needed: float, gpus: int) -> None:
    limit = draft.speed.reads_by if way == "read" else draft.speed.writes_by
    each = arithmetic.per_gpu(left, gpus)
    ctx.decide(
        f"{way}_gb_per_s",
        {"gives": round(left, 3), "needed": round(needed, 3), "for_each_gpu": round(each, 4) if each else None},
        f"a ceiling, set by {limit}; measure it before GPUs depend on it",
        because=[f"{ctx.part}.needs.{need.part}" for need in draft.needs if need.gpus],
    )


def _fixes(draft: Draft, way: Way, left: float, needed: float, taken: float) -> Iterator[str]:
    """The numbers that would end the starvation."""
    if draft.drives is None:
        yield f"have a system that {way}s {needed:.2f} GB/s"
    else:
        factor = arithmetic.factor_short(left, needed) if left else math.inf
        limit = draft.speed.reads_by if way == "read" else draft.speed.writes_by
        network = draft.drives.group.storage_gb_per_s
        if taken >= 1:
            yield "give the other tiers of the cluster drives of their own"
        elif limit == "gateways":
            yield f"write gateways: {math.ceil(draft.gateways * factor)}"
        elif limit == "network" and network is not None:
            yield f"give each node {network * factor:.1f} GB/s of storage network instead of {network:g}"
        else:
            each = draft.drives.set.count
            yield f"put {math.ceil(each * factor)} drives into each node instead of {each}"
    yield from _times(draft, way, left, needed)


def _times(draft: Draft, way: Way, left: float, needed: float) -> Iterator[str]:
    """The time that a checkpoint would take with what is left of the tier."""
    if any(not need.gpus for need in draft.needs):
        yield "give within_s of each prefetch more time"
    for need in draft.needs:
        field = "write_within_s" if way == "write" else "restart_within_s"
        rate = need.checkpoint if way == "write" else need.restart
        free = left - (needed - rate)
        beside = 0.0 if way == "write" else max(need.dataset, need.weights)
        if need.checkpoint_gb and rate > beside and free > beside:
            yield f"set {field} of {need.part} to {math.ceil(arithmetic.seconds(need.checkpoint_gb, free))}"


def _state(draft: Draft, way: Way) -> str:
    """Which figure the site file lacks."""
    if draft.drives is None:
        return f"add system.{way}_gb_per_s to the site file, as measured"
    figures = draft.drives.figures
    lacking = []
    if (figures.read_gb_per_s if way == "read" else figures.write_gb_per_s) is None:
        lacking.append(f"{way}_gb_per_s of drives {draft.drives.set.drives}")
    if figures.network_gb_per_s is None and draft.on_ceph:
        lacking.append(f"storage_gb_per_s of group {draft.drives.group.group}")
    return f"add {' and '.join(lacking)} to the site file"
