"""Estimates a finished plan, site by site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from msgspec.structs import replace

from aifactory.blueprints.load import Loaded, LoadedSite
from aifactory.blueprints.site import AwsSite
from aifactory.components.economics.figures import NOTHING, per_million, total
from aifactory.components.rows import CloudRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.estimate import energy, flexing, owned, rented, sharing, using
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.model import Estimate, Result, SiteEstimate, Term, summed
from aifactory.stacks.estimate.prices import Book
from aifactory.stacks.planning.model import FactoryPlan, StackPlan


def estimate(
    plan: FactoryPlan, loaded: Loaded, stacks: Mapping[str, Stack], as_of: str, warm_up_h: Decimal | None = None
) -> Estimate:
    """The estimate of a plan whose rows are known. `as_of` is the day that ages count from, YYYY-MM-DD; `warm_up_h` how
    long a rented node runs, at each start, before it answers."""
    return together(plan.factory, cases(plan, loaded, stacks), as_of, warm_up_h)


def together(factory: str, found: Mapping[str, Case], as_of: str, warm_up_h: Decimal | None = None) -> Estimate:
    """Each site by itself, and then against the others."""
    alone = {name: of_site(case) for name, case in found.items()}
    sites = (
        replace(
            site,
            break_evens=tuple(flexing.break_evens(site, found[name], found)),
            core_flex=tuple(flexing.core_flexes(site, found[name], found, warm_up_h)),
        )
        for name, site in alone.items()
    )
    return Estimate(factory, as_of, tuple(sites))


def cases(plan: FactoryPlan, loaded: Loaded, stacks: Mapping[str, Stack]) -> dict[str, Case]:
    """What each site is estimated from, by its name."""
    rows: dict[str, list[CloudRow]] = {}
    for stack in stacks.values():
        rows.setdefault(stack.plan.place.site, []).extend(stack.cloud_rows)
    places = {stack.place.site: stack for stack in plan.stacks.values()}
    return {site: case_of(stack, loaded.sites[site], loaded, rows.get(site, ())) for site, stack in places.items()}


def case_of(stack: StackPlan, here: LoadedSite, loaded: Loaded, rows: Iterable[CloudRow]) -> Case:
    """What one site is estimated from."""
    aws = here.site.aws if isinstance(here.site, AwsSite) else None
    region, offers = (aws.region, tuple(aws.offers)) if aws else ("", ())
    return Case(stack, here, loaded.catalog, Book(loaded.catalog, here.prices, region, offers), tuple(rows))


def of_site(case: Case) -> SiteEstimate:
    """One site."""
    groups = list(energy.burnt(case))
    lines = (*owned.lines(case), *energy.cost(case, groups), *rented.lines(case))
    kwh, carbon, embodied, water = energy.results(case, groups)
    out, read = using.tokens(case)
    cost = summed(lines)
    return SiteEstimate(
        stack=case.plan.name,
        site=case.site.site,
        venue=case.site.venue,
        lines=lines,
        cost=cost,
        energy=kwh,
        carbon=carbon,
        embodied=embodied,
        water=water,
        tokens_out=out,
        tokens_in=read,
        tokens_per_s=using.tokens_per_s(case),
        utilisation=_utilisation(case),
        usd_per_million=over_tokens(cost, out, "USD per million tokens"),
        kwh_per_million=over_tokens(kwh, out, "kWh per million tokens"),
        kg_per_million=over_tokens(_both(carbon, embodied), out, "kg CO2e per million tokens"),
        gpus=sum(pool.gpus for pool in case.pools),
        models=tuple(sharing.models(lines, case)),
        tenants=tuple(sharing.tenants(lines, case)),
    )


def _utilisation(case: Case) -> Result:
    """Of the GPUs of all pools, weighed by their number."""
    found = [(pool, *using.of_pool(pool, case)) for pool in case.pools]
    gpus = Decimal(sum(pool.gpus for pool, _, _ in found))
    terms = tuple(dict.fromkeys(term for _, _, each in found for term in each))
    if not gpus:
        return Result(NOTHING, "share", "F3", terms)
    use = total(use.times(Decimal(pool.gpus)) for pool, use, _ in found).over(gpus)
    return Result(use, "share", "F3", terms)


def _both(one: Result, two: Result) -> Result:
    return Result(one.figure + two.figure, one.unit, "SUM", (*one.terms, *two.terms), (*one.lacks, *two.lacks))


def over_tokens(result: Result, tokens: Result, unit: str) -> Result | None:
    """A month's figure over the million tokens of a month. None where nothing is asked for."""
    figure = per_million(result.figure, tokens.figure)
    if figure is None:
        return None
    terms = (
        Term(result.unit, result.figure, result.unit),
        Term(tokens.unit, tokens.figure, tokens.unit, "demand"),
    )
    return Result(figure, unit, "F12", terms, result.lacks)
