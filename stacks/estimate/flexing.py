"""Core and flex: how much of a load is worth owning, by its hours and both prices. Decision 0045, F13 to F15."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, Decimal, localcontext

from msgspec.structs import replace

from aifactory.blueprints.site import AwsSite
from aifactory.components.economics.figures import EXACTLY, Figure, NotAFigure
from aifactory.components.economics.splitting import Split, core_with_starts
from aifactory.stacks.estimate.case import Case, Served
from aifactory.stacks.estimate.hours import owned_hour
from aifactory.stacks.estimate.model import SiteEstimate
from aifactory.stacks.estimate.renting import classes_of, places
from aifactory.stacks.estimate.splits import BreakEven, CoreFlex, Renting
from aifactory.stacks.estimate.using import of_pool

ASK_HOURS = "only mean and peak are known; write the 24 hours of a day as requests_per_s, and it is split"
ASK_WARM_UP = "say with --warm-up-h how many hours a rented node runs, at each start, before it answers"


def break_evens(site: SiteEstimate, here: Case, cases: Mapping[str, Case]) -> Iterator[BreakEven]:
    """Owned pools against the cheapest rented site of the factory where their data may go."""
    if isinstance(here.site, AwsSite):
        return
    for pool in here.pools:
        owned = owned_hour(site, {pool.part}, pool.gpus)
        found, _ = places(pool, here.models_of(pool.part), classes_of(pool.part, here), here, cases)
        if owned is None or not found or not found[0].usd_per_gpu_hour.low:
            continue
        use, _ = of_pool(pool, here)
        share = owned.per(found[0].usd_per_gpu_hour)
        yield BreakEven(pool.part, pool.gpus, owned, found[0], share, use)


def core_flexes(
    site: SiteEstimate, here: Case, cases: Mapping[str, Case], warm_up_h: Decimal | None
) -> Iterator[CoreFlex]:
    """Each model of an owned site, split as far as what is known allows."""
    if isinstance(here.site, AwsSite):
        return
    pools = {pool.part: pool for pool in here.pools}
    for served in here.served:
        pool = pools[served.pool]
        found, barred = places(pool, [served], {served.demand.data_class}, here, cases)
        known = CoreFlex(
            part=served.part,
            model=served.plan.model,
            pool=served.pool,
            load=load_of(served),
            step=served.plan.layout.gpus,
            owned=owned_hour(site, {pool.part}, pool.gpus),
            rented=found[0] if found else None,
            barred=barred,
            warm_up_h=warm_up_h,
        )
        yield _split(known)


def load_of(served: Served) -> tuple[Decimal, ...]:
    """GPUs that each hour needs: whole replicas at the planned speed, growth included, without the spare one."""
    hours = served.demand.requests_per_s
    if not isinstance(hours, list):
        return ()
    grown = 1 + Decimal(str(served.demand.growth_percent)) / 100
    each = Decimal(str(served.demand.agentic_factor)) * grown
    carried = Decimal(str(served.planned_per_s)) / served.counted_tokens
    with localcontext(EXACTLY):
        replicas = [(Decimal(str(rate)) * each / carried).to_integral_value(ROUND_CEILING) for rate in hours]
    return tuple(number * served.plan.layout.gpus for number in replicas)


def _split(known: CoreFlex) -> CoreFlex:
    if not known.load:
        return replace(known, says=ASK_HOURS)
    if known.rented is None:
        why = "; ".join(f"{each.site}: {each.says}" for each in known.barred) or "the factory has no rented site"
        most = max(known.load)
        says = f"nothing may be rented for it, so all of it is owned ({why})"
        return replace(known, core=(most, most, most), flex_hours=Decimal(0), says=says)
    if known.owned is None:
        return replace(known, says="something of its pool has no price, so nobody can say what a GPU costs owned")
    if known.warm_up_h is None:
        return replace(known, says=ASK_WARM_UP)
    rent = known.rented.usd_per_gpu_hour
    try:
        ends = [
            core_with_starts(known.load, own, hour, known.warm_up_h)
            for own, hour in (
                (known.owned.high, rent.low),
                (known.owned.expected, rent.expected),
                (known.owned.low, rent.high),
            )
        ]
    except NotAFigure as error:
        return replace(known, says=f"not split: {error}")
    dear, split, cheap = ends
    even = Figure(*sorted(each.break_even for each in ends))
    return replace(
        known,
        rented_with_warm_up=Figure(*sorted(each.rented_hour for each in ends)),
        break_even=even,
        core=(dear.core, split.core, cheap.core),
        flex_hours=split.flex_hours,
        cost_per_hour=split.cost_per_hour,
        says=_words(split, known.rented),
    )


def _words(split: Split, rented: Renting) -> str:
    if not split.flex_hours:
        return f"all of it is worth owning: every GPU is needed more than {split.break_even:.0%} of the hours"
    if not split.core:
        return f"none of it is worth owning: {rented.site} is cheaper in every hour"
    return f"the rest goes to {rented.site}, {rented.what}"
