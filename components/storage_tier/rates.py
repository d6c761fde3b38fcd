"""Whether a tier gives what GPUs need of it. Tiers of one system share its time, and it is judged once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from aifactory.components.base import PlanContext
from aifactory.components.storage_tier import arithmetic
from aifactory.components.storage_tier.arithmetic import Need, Share, Way
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_tier.sharing import Load, fill_needs

RULE: dict[Way, str] = {"read": "STO-007", "write": "STO-008"}
WAYS: tuple[Way, Way] = ("read", "write")
ALL = 1 + 1e-9
"""All of a system's time; sums of shares are rounded."""


def with_fills(draft: Draft, ctx: PlanContext) -> Draft:
    """The tier with what is filled from it and into it beside what GPUs need. All fills are known by `settle`."""
    return replace(draft, needs=(*draft.needs, *fill_needs(draft.spec.name, ctx)))


def judge(draft: Draft, ctx: PlanContext) -> bool:
    """Whether no GPU starves on the tier, and on all tiers of its system together, as far as figures are known."""
    judged = _node_judged if draft.on_node else _judged
    found = [judged(draft, ctx, way) for way in WAYS]
    return all(found)


def _known(draft: Draft, ctx: PlanContext, way: Way, needed: float) -> float | None:
    """What the tier gives, if it is known."""
    has = draft.speed.read if way == "read" else draft.speed.write
    ctx.check(
        "STO-009",
        has is not None,
        f"{_who(draft.needs, way)} {way} {needed:.2f} GB/s of tier {draft.spec.name}, and what it gives is unknown",
        (draft.field,),
        _state(draft, way),
    )
    return has


def _node_judged(draft: Draft, ctx: PlanContext, way: Way) -> bool:
    """Drives of a node serve the GPUs of that node alone."""
    each = draft.drives.group.gpus_per_node if draft.drives else None
    needed = arithmetic.worst_node(draft.needs, way, each) if each else arithmetic.needed(draft.needs, way)
    has = _known(draft, ctx, way, needed) if needed else None
    if has is None:
        return True
    _decide(draft, ctx, way, has, needed)
    gpus = min(each or 0, arithmetic.gpus_of(draft.needs))
    return ctx.check(
        RULE[way],
        needed <= has * ALL,
        lambda: (
            f"{_who(draft.needs, way)} {way} {needed:.2f} GB/s of the drives of one node at the worst moment, and tier "
            f"{draft.spec.name} gives {has:.2f} there: {_each(has, needed, gpus)}"
        ),
        (draft.field,),
        "; or ".join(_fixes(draft, way, needed / has, {draft.spec.name: (draft.needs, has)})),
    )


Members = dict[str, tuple[tuple[Need, ...], float]]
"""Needs and rate of each tier of a system that has both."""


def _judged(draft: Draft, ctx: PlanContext, way: Way) -> bool:
    name, needed = draft.spec.name, arithmetic.needed(draft.needs, way)
    has = _known(draft, ctx, way, needed) if needed else None
    if has is None:
        return True
    members = _members(draft, ctx, way)
    shares = {part: arithmetic.share(needs, way, rate) for part, (needs, rate) in members.items()}
    total = arithmetic.together(shares.values())
    left = max(0.0, has * (1 - (total - needed / has)))
    _decide(draft, ctx, way, left, needed)
    if next(iter(members)) != name:  # one tier speaks for all of its system
        return True
    return ctx.check(
        RULE[way],
        total <= ALL,
        lambda: _short(draft, way, members, shares) if len(members) > 1 else _alone(draft, way, has, needed),
        (draft.field,),
        "; or ".join(_fixes(draft, way, total, members)),
    )


def _members(draft: Draft, ctx: PlanContext, way: Way) -> Members:
    found: Members = {}
    for load in ctx.offers(Load):
        rate = load.read if way == "read" else load.write
        needs = (*load.needs, *fill_needs(load.part, ctx))
        if load.system == draft.system and rate and arithmetic.needed(needs, way):
            found[load.part] = needs, rate
    return found


def _alone(draft: Draft, way: Way, has: float, needed: float) -> str:
    gpus = arithmetic.gpus_of(draft.needs)
    return (
        f"{_who(draft.needs, way)} {way} {needed:.2f} GB/s at the worst moment, and tier {draft.spec.name} gives "
        f"{has:.2f}: {_each(has, needed, gpus)}"
    )


def _short(draft: Draft, way: Way, members: Members, shares: dict[str, Share]) -> str:
    told = [
        f"tier {part} {arithmetic.needed(needs, way):.2f} of {rate:.2f} ({_who(needs, way)})"
        for part, (needs, rate) in members.items()
    ]
    total = arithmetic.together(shares.values())
    return (
        f"tiers {' and '.join(members)} share {draft.system}, and {way} more of it than there is at the worst moment, "
        f"in GB/s: {', '.join(told)}; together {total:.0%} of its time"
    )


def _each(left: float, needed: float, gpus: int) -> str:
    if not gpus:
        return "no GPU waits yet, but for what they will read"
    return f"{left / gpus:.3f} GB/s for each of {gpus} GPUs, which need {needed / gpus:.3f}"


def _who(needs: Iterable[Need], way: Way) -> str:
    return ", ".join(need.part for need in needs if need.of(way))


def _decide(draft: Draft, ctx: PlanContext, way: Way, left: float, needed: float) -> None:
    limit = draft.speed.reads_by if way == "read" else draft.speed.writes_by
    gpus, where = arithmetic.gpus_of(draft.needs), ""
    if draft.on_node and draft.drives:
        gpus, where = draft.drives.group.gpus_per_node or gpus, "; of one node, and of the node that is hit hardest"
    elif any(load.system == draft.system and load.part != draft.spec.name for load in ctx.offers(Load)):
        where = f"; what other tiers of {draft.system} need is taken off"
    each = arithmetic.per_gpu(left, gpus)
    ctx.decide(
        f"{way}_gb_per_s",
        {"gives": round(left, 3), "needed": round(needed, 3), "for_each_gpu": round(each, 4) if each else None},
        f"a ceiling, set by {limit}; measure it before GPUs depend on it{where}",
        because=[f"{ctx.part}.needs.{need.part}" for need in draft.needs if need.gpus],
    )


def _fixes(draft: Draft, way: Way, total: float, members: Members) -> Iterator[str]:
    """The numbers that would end the starvation. `total`: how many times the system's time is asked for."""
    if total <= ALL:
        return
    own, has = members[draft.spec.name]
    if draft.spec.engine == "fsx-lustre" and draft.system_tib:
        more = math.ceil(total * draft.system_tib * 100) / 100
        yield f"set size_tib to {more:g}, or lustre.mbps_per_tib to more: its file servers come with its size"
    elif draft.spec.engine == "ebs":
        mib = math.ceil(total * has * 1e9 / 2**20)
        yield f"set ebs.mib_per_s to {mib}, where AWS makes such a volume; or use a tier of engine fsx-lustre"
    elif draft.drives is None:
        # Rounded up, so that who writes the figure is told nothing again.
        yield f"have a system that {way}s {math.ceil(total * has * 100 - 1e-6) / 100:.2f} GB/s"
    else:
        limit = draft.speed.reads_by if way == "read" else draft.speed.writes_by
        network = draft.drives.group.storage_gb_per_s
        mine = arithmetic.needed(own, way) / has
        if limit == "gateways" and total - mine < 1:
            yield f"write gateways: {math.ceil(draft.gateways * mine / (1 - (total - mine)))}"
        elif limit == "network" and network is not None:
            yield f"give each node {network * total:.1f} GB/s of storage network instead of {network:g}"
        elif limit == "gateways":
            yield "give the other tiers of the cluster drives of their own"
        else:
            each = draft.drives.set.count
            yield f"put {math.ceil(each * total - 1e-9)} drives into each node instead of {each}"
    if not draft.on_node:
        yield from _times(way, total, members)


def _times(way: Way, total: float, members: Members) -> Iterator[str]:
    """The time that a checkpoint would take with what is left of the system."""
    if any(not need.gpus for needs, _ in members.values() for need in needs):
        yield "give within_s of each prefetch more time"
    for needs, has in members.values():
        needed = arithmetic.needed(needs, way)
        left = max(0.0, has * (1 - (total - needed / has)))
        for need in needs:
            field = "write_within_s" if way == "write" else "restart_within_s"
            rate = need.checkpoint if way == "write" else need.restart
            free = left - (needed - rate)
            beside = 0.0 if way == "write" else max(need.dataset, need.weights)
            if need.checkpoint_gb and rate > beside and free > beside:
                yield f"set {field} of {need.part} to {math.ceil(arithmetic.seconds(need.checkpoint_gb, free))}"


def _state(draft: Draft, way: Way) -> str:
    """Which figure the site file lacks."""
    if draft.spec.engine == "instance-store":
        return "measure it: no source says what drives of instances carry"
    if draft.drives is None:
        return f"add system.{way}_gb_per_s to the site file, as measured"
    figures = draft.drives.figures
    lacking = []
    if (figures.read_gb_per_s if way == "read" else figures.write_gb_per_s) is None:
        lacking.append(f"{way}_gb_per_s of drives {draft.drives.set.drives}")
    if figures.network_gb_per_s is None and draft.on_ceph:
        lacking.append(f"storage_gb_per_s of group {draft.drives.group.group}")
    return f"add {' and '.join(lacking)} to the site file"
