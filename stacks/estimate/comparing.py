"""Everything that `compare` says of a plan."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct

from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.options import LeftOut, Option, options
from aifactory.stacks.estimate.rivals import Rival, rivals
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


def compared(
    factory: str, as_of: str, cases: Mapping[str, Case], years: tuple[int, ...] = YEARS, sites: Collection[str] = ()
) -> Comparison:
    """Sites of a factory by all ways to have them; only some of the sites where they are named."""
    chosen = [case for site, case in cases.items() if not sites or site in sites]
    found, missing = options(chosen, years)
    catalog = chosen[0].catalog
    return Comparison(
        factory=factory,
        as_of=as_of,
        years=years,
        options=found,
        left_out=missing,
        rivals=tuple(rivals(found, chosen, catalog)),
        verdicts=tuple(verdicts(found)),
    )
