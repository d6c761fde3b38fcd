"""Plans for what would be if: other values of parameters, or more requests than the blueprint asks for."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

from aifactory.blueprints.load import Loaded, LoadedSite, load
from aifactory.blueprints.parameters import declared
from aifactory.cli.work import Work, planned
from aifactory.components.demand import ModelDemand, Rate
from aifactory.components.problems import Problem, Refused
from aifactory.stacks.estimate.estimating import cases
from aifactory.stacks.estimate.varying import ALL_SITES, Demands, Planned, Variant, read, variants

MOST_PER_S = 1_000_000


def varied(work: Work, blueprint: Path, values: Mapping[str, str], texts: tuple[str, ...]) -> tuple[Variant, ...]:
    """Every combination of `--vary`, for the sites that are shown. Raises `Refused` for what nothing knows."""
    here = cases(work.plan, work.loaded, work.stacks)
    names = tuple(declared(work.loaded.document))
    found = read(texts, names, here)

    def plan(given: Mapping[str, str], demands: Demands) -> Planned:
        if not given and not demands:
            return _shown(here, work)
        loaded = demanded(load(blueprint, {**values, **given}) if given else work.loaded, demands)
        again = planned(loaded, work.sites, values)
        return _shown(cases(again.plan, again.loaded, again.stacks), work)

    return tuple(variants(found, names, plan))


def _shown(found: Planned, work: Work) -> Planned:
    return {name: case for name, case in found.items() if not work.sites or name in work.sites}


def demanded(loaded: Loaded, demands: Demands) -> Loaded:
    """The blueprint with its requests multiplied, at all sites or at one. Raises `Refused` for too many."""
    sites = dict(loaded.sites)
    for where, times in demands:
        for name, site in sites.items():
            if where in (ALL_SITES, name):
                sites[name] = _multiplied(site, times)
    return replace(loaded, sites=sites)


def _multiplied(site: LoadedSite, times: Decimal) -> LoadedSite:
    demand = site.blueprint.demand
    if demand is None:
        return site
    models = [each.model_copy(update={"requests_per_s": _rates(each, float(times))}) for each in demand.models]
    changed = demand.model_copy(update={"models": models})
    return replace(site, blueprint=site.blueprint.model_copy(update={"demand": changed}))


def _rates(model: ModelDemand, times: float) -> Rate | list[float]:
    rates = model.requests_per_s
    if max(model.rate) * times > MOST_PER_S:
        raise Refused([Problem(f"{model.name} would be asked more than {MOST_PER_S:,} times a second")])
    if isinstance(rates, Rate):
        return rates.model_copy(update={"mean": rates.mean * times, "peak": rates.peak * times})
    return [rate * times for rate in rates]
