"""Everything that `compare` says of a plan."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.estimating import together
from aifactory.stacks.estimate.model import Estimate
from aifactory.stacks.estimate.options import LeftOut, Option, options
from aifactory.stacks.estimate.renting import barrier, classes_of
from aifactory.stacks.estimate.rivals import Rival, rivals
from aifactory.stacks.estimate.tornado import OneNumber, Swing, tornado
from aifactory.stacks.estimate.varying import Variant
from aifactory.stacks.estimate.verdicts import Verdict, verdicts

YEARS = (1, 3, 5)


class Comparison(Struct, frozen=True, kw_only=True):
    """Ways to have a factory, side by side."""

    factory: str
    as_of: str
    """Day of the comparison, YYYY-MM-DD."""
    years: tuple[int, ...]
    options: tuple[Option, ...]
    left_out: tuple[LeftOut, ...]
    rivals: tuple[Rival, ...]
    verdicts: tuple[Verdict, ...]
    estimate: Estimate
    """Sites as planned, with their break-even, core and flex."""
    swings: tuple[Swing, ...] = ()
    """What moves the answer, site by site, the most first."""
    still: tuple[OneNumber, ...] = ()
    """Inputs of one number that nobody asked to move."""
    variants: tuple[Variant, ...] = ()
    """What would be if. Empty: nobody asked."""


class Asked(Struct, frozen=True):
    """What a comparison is about."""

    as_of: str
    """Day of the comparison, YYYY-MM-DD."""
    years: tuple[int, ...] = YEARS
    sites: Collection[str] = ()
    """Sites that are shown. Empty: all."""
    swing: Decimal | None = None
    """How far inputs of one number are moved, as a share. None: they stay."""
    warm_up_h: Decimal | None = None
    """Hours that a rented node runs before it answers. None: nobody said."""


def compared(factory: str, cases: Mapping[str, Case], asked: Asked) -> Comparison:
    """Sites of a factory by all ways to have them."""
    years = asked.years
    chosen = [case for site, case in cases.items() if not asked.sites or site in asked.sites]
    whole = together(factory, cases, asked.as_of, asked.warm_up_h)
    shown = tuple(site for site in whole.sites if not asked.sites or site.site in asked.sites)
    found, missing = options(chosen, years)
    catalog = chosen[0].catalog
    swings, still = tornado(chosen, asked.swing)
    return Comparison(
        factory=factory,
        as_of=asked.as_of,
        estimate=replace(whole, sites=shown),
        swings=swings,
        still=still,
        years=years,
        options=found,
        left_out=missing,
        rivals=tuple(rivals(found, chosen, catalog)),
        verdicts=tuple(verdicts(found, dict(_barriers(chosen)))),
    )


def _barriers(cases: Iterable[Case]) -> Iterator[tuple[tuple[str, str], str]]:
    """Why data of one site may not be at another, by their names."""
    found = list(cases)
    for one in found:
        classes = {each for pool in one.pools for each in classes_of(pool.part, one)}
        for other in found:
            for name in sorted(classes, key=lambda each: each or ""):
                says = barrier(name, other.site.site, other.site.location, one.here.blueprint, one.catalog)
                if says and one is not other:
                    yield (one.site.site, other.site.site), says
