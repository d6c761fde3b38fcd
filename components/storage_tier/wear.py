"""How long drives of a node last under what is cached there."""

from __future__ import annotations

from aifactory.components.base import PlanContext
from aifactory.components.counting import counted
from aifactory.components.storage_tier import arithmetic
from aifactory.components.storage_tier.arithmetic import Need
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_uses import KvOffloadUse


def judge(draft: Draft, ctx: PlanContext) -> None:
    """Whether keys and values wear out the drives of the node that is hit hardest before their warranty ends."""
    found = draft.drives
    uses = [use for use in ctx.offers(KvOffloadUse) if use.tier == draft.spec.name]
    if found is None or not uses or not found.group.gpus_per_node:
        return
    means = [Need(use.part, use.mean_gpus, kv_offload=_mean(use, draft), pool=use.pool) for use in uses]
    rate = arithmetic.worst_node(means, "write", found.group.gpus_per_node)
    writes, promised = arithmetic.drive_writes_a_day(rate, found.set.count, found.set.tb), found.set.dwpd
    ctx.decide(
        "drive_writes_a_day",
        {"mean_gb_per_s": round(rate, 3), "writes": round(writes, 2), "promised": promised},
        f"of the {found.set.count} drives of {found.set.tb:g} TB in the node that is hit hardest, in the mean of a "
        f"day, as if {_carriers(uses)}, which always run, carried all of it; each token is written once, or read and "
        "not computed, so it is no more than that where requests are spread evenly",
        because=[f"{ctx.part}.needs.{use.part}" for use in uses],
    )
    ctx.check(
        "STO-053",
        promised is not None and writes <= promised,
        f"keys and values of {', '.join(use.part for use in uses)} write drives {found.set.drives} of group "
        f"{found.group.group} in full up to {writes:.2f} times a day, and "
        + ("nobody states how often they may be" if promised is None else f"their warranty allows {promised:g}"),
        ("engine",),
        "add dwpd to the drives in the site file, as their vendor guarantees it"
        if promised is None
        else f"have drives for {writes:.1f} writes a day, offload to memory (cpu_gib), or plan to replace them",
    )


def _mean(use: KvOffloadUse, draft: Draft) -> float:
    """What is written in the mean of a day. A rate that a feed states is that of the peak, in place of the demand's.

    Unit: GB per s.
    """
    peak = sum(need.kv_offload for need in draft.needs if need.part == use.part)
    return peak * use.mean_gb_per_s / use.gb_per_s if use.gb_per_s else 0.0


def _carriers(uses: list[KvOffloadUse]) -> str:
    return " and ".join(f"{counted(use.mean_gpus, 'GPU')} of {use.part}" for use in uses)
