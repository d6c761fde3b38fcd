"""Where a load of an owned site could be rented: sites of its factory that may have its data, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, localcontext

from aifactory.blueprints.model import Blueprint
from aifactory.blueprints.site import AwsSite
from aifactory.components.catalog import Catalog, binds
from aifactory.components.economics.figures import EXACTLY, Figure
from aifactory.components.given import Location
from aifactory.stacks.estimate.case import Case, Pool, Served
from aifactory.stacks.estimate.hours import rented_hour
from aifactory.stacks.estimate.model import Lack
from aifactory.stacks.estimate.splits import Barred, Renting

NO_CLASS = "data of no stated class"


def barrier(name: str | None, site: str, location: Location, blueprint: Blueprint, catalog: Catalog) -> str:
    """Why data of a class may not be at a site; empty: it may. What no rule allows is not allowed."""
    what = f"{name} data" if name else NO_CLASS
    flex = blueprint.placement.flex
    if flex is not None and site in flex.sites and name not in flex.data_classes:
        return f"{what} may not go to flex sites"
    if name is None:
        return ""
    rules = blueprint.residency.data_classes.get(name) if blueprint.residency else None
    if rules is None:
        return f"{what} has no rules of residency"
    if not binds(catalog, location.country, rules.jurisdictions):
        return f"{what} may not be in {location.country}"
    nationality = location.operator.nationality
    return "" if binds(catalog, nationality, rules.operators) else f"{what} may not be run by {nationality}"


def classes_of(pool: str, case: Case) -> set[str | None]:
    """Classes of data that a pool's GPUs see: of its models and trainings, None where nobody states one."""
    found: set[str | None] = {each.demand.data_class for each in case.models_of(pool)}
    trainings = (part for part in case.here.blueprint.parts if getattr(part, "kind", "") == "training")
    found |= {getattr(part, "data_class", None) for part in trainings if getattr(part, "pool", "") == pool}
    return found or {None}


def places(
    pool: Pool, models: Sequence[Served], classes: Iterable[str | None], here: Case, cases: Mapping[str, Case]
) -> tuple[tuple[Renting, ...], tuple[Barred, ...]]:
    """Sites that could rent what these models, or the whole pool, need; and those that may not or have no price."""
    found: list[Renting] = []
    barred: list[Barred] = []
    wanted = sorted(classes, key=lambda each: each or "")
    for name, there in cases.items():
        if not isinstance(there.site, AwsSite):
            continue
        why = [barrier(each, name, there.site.location, here.here.blueprint, here.catalog) for each in wanted]
        says = next((each for each in why if each), "")
        priced = [] if says else [*_served_there(models, there), *_sold_there(pool, models, there)]
        if priced:
            found.append(min(priced, key=lambda each: each.usd_per_gpu_hour.expected))
        else:
            barred.append(Barred(name, says or f"nothing prices {pool.plan.accelerator} there, nor what it serves"))
    return tuple(sorted(found, key=lambda each: (each.usd_per_gpu_hour.expected, each.site))), tuple(barred)


def _served_there(models: Sequence[Served], there: Case) -> Iterator[Renting]:
    """Pools of a site that serve all these models, by what a GPU here does: their GPUs may be slower or faster."""
    usd: list[tuple[Figure, int]] = []
    pools: list[str] = []
    for model in models:
        other = next((each for each in there.served if each.plan.model == model.plan.model), None)
        pool = next((each for each in there.pools if other is not None and each.part == other.pool), None)
        price = rented_hour([pool], there) if pool is not None else None
        if other is None or pool is None or price is None:
            return
        with localcontext(EXACTLY):
            usd.append((price.times(_gpus_per_call(other) / _gpus_per_call(model)), model.gpus))
        pools.append(f"pool {pool.part}, {pool.instance_type}")
    gpus = sum(number for _, number in usd)
    if gpus:
        with localcontext(EXACTLY):
            shares = [price.times(Decimal(number) / gpus) for price, number in usd]
            yield Renting(there.site.site, " and ".join(dict.fromkeys(pools)), _sum(shares))


def _gpus_per_call(served: Served) -> Decimal:
    """GPUs that carry a call a second, as planned."""
    return served.plan.layout.gpus * Decimal(served.counted_tokens) / Decimal(str(served.planned_per_s))


def _sum(figures: Sequence[Figure]) -> Figure:
    summed = figures[0]
    for each in figures[1:]:
        summed += each
    return summed


def _sold_there(pool: Pool, models: Sequence[Served], there: Case) -> Iterator[Renting]:
    """Instances of the region with the same accelerator, on demand, whose nodes hold a replica's pods."""
    least = max((each.plan.layout.gpus // each.plan.layout.nodes for each in models), default=pool.plan.gpus_per_node)
    for row in there.catalog.rows("prices-aws"):
        count = int(row.number("count"))
        if row.data.get("accelerator") != pool.plan.accelerator or count < least:
            continue
        price = there.book.instance(row.key, "on-demand")
        if isinstance(price, Lack):
            continue
        with localcontext(EXACTLY):
            each = Figure(*(end / count for end in (price.value.low, price.value.expected, price.value.high)))
        yield Renting(there.site.site, f"{row.key} on demand", each, (price.source,))
