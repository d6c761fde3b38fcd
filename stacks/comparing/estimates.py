"""What changed between two estimates: figures of each stack and of all, lines of money, and prices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, localcontext
from typing import Literal

from msgspec import Struct

from aifactory.components.economics.figures import EXACTLY, NOTHING, Figure, per_million, total
from aifactory.stacks.estimate.model import FIGURES, Estimate, Line, Result, SiteEstimate, Term

SUMMED = ("cost", "energy", "carbon", "embodied", "water", "tokens_out", "tokens_in", "tokens_per_s")
"""Fields that add up over sites."""

Direction = Literal["rises", "falls", "same", "moves"]


class FigureChange(Struct, frozen=True):
    """One figure on both sides. None: that side has none."""

    name: str
    before: Figure | None
    after: Figure | None
    complete: bool = True
    """Whether nothing is missing in either."""

    @property
    def change(self) -> tuple[Decimal, Decimal, Decimal] | None:
        """What each end changes by. None where a side has no figure."""
        if self.before is None or self.after is None:
            return None
        one, two = self.before, self.after
        return two.low - one.low, two.expected - one.expected, two.high - one.high

    @property
    def share(self) -> Decimal | None:
        """Change of the expected end as a share of what it was. None where it was nothing."""
        if self.before is None or self.after is None or not self.before.expected:
            return None
        with localcontext(EXACTLY):
            return (self.after.expected - self.before.expected) / self.before.expected

    @property
    def direction(self) -> Direction:
        """Where it goes. It `moves` when its ends go apart or together, so that nobody can say rises or falls."""
        ends = self.change or (Decimal(0),) * 3
        if not any(ends):
            return "same"
        if min(ends) >= 0:
            return "rises"
        return "falls" if max(ends) <= 0 else "moves"


class LineChange(Struct, frozen=True):
    """Something that is paid for and that differs. None: that side doesn't have it."""

    stack: str
    part: str
    item: str
    before: Line | None
    after: Line | None


class PriceChange(Struct, frozen=True):
    """A price that both sides use, and that differs in value, date or source."""

    stack: str
    name: str
    items: tuple[str, ...]
    """Lines that take it."""
    before: Term
    after: Term


class EstimateChanges(Struct, frozen=True):
    """All that differs between two estimates. Figures are those of every stack, changed or not."""

    stacks: Mapping[str, tuple[FigureChange, ...]]
    total: tuple[FigureChange, ...]
    lines: tuple[LineChange, ...]
    prices: tuple[PriceChange, ...]

    @property
    def cost(self) -> FigureChange:
        """Money a month of all stacks."""
        return next(each for each in self.total if each.name == "usd_per_month")


def compared(before: Estimate | None, after: Estimate | None) -> EstimateChanges:
    """Two estimates. None stands for a side that has nothing: everything is new then, or gone."""
    old = {site.stack: site for site in before.sites} if before else {}
    new = {site.stack: site for site in after.sites} if after else {}
    names = list(dict.fromkeys((*new, *old)))
    return EstimateChanges(
        {name: tuple(_figures(old.get(name), new.get(name))) for name in names},
        tuple(_totals(tuple(old.values()), tuple(new.values()))),
        tuple(change for name in names for change in _lines(name, old.get(name), new.get(name))),
        tuple(change for name in names for change in _prices(name, old.get(name), new.get(name))),
    )


def _figures(before: SiteEstimate | None, after: SiteEstimate | None) -> Iterator[FigureChange]:
    for name, field in FIGURES.items():
        one: Result | None = getattr(before, field) if before else None
        two: Result | None = getattr(after, field) if after else None
        lacks = any(result is not None and result.lacks for result in (one, two))
        yield FigureChange(name, one.figure if one else None, two.figure if two else None, not lacks)


def _totals(before: tuple[SiteEstimate, ...], after: tuple[SiteEstimate, ...]) -> Iterator[FigureChange]:
    """Sums, and what a million tokens takes of them. A side without a site comes to nothing."""
    for name, field in FIGURES.items():
        if field in SUMMED:
            results: list[Result] = [getattr(site, field) for site in (*before, *after)]
            complete = not any(result.lacks for result in results)
            yield FigureChange(name, _sum(before, field), _sum(after, field), complete)
        elif name == "usd_per_million_output_tokens":
            complete = not any(site.cost.lacks for site in (*before, *after))
            yield FigureChange(name, _unit_cost(before), _unit_cost(after), complete)


def _sum(sites: tuple[SiteEstimate, ...], field: str) -> Figure:
    return total(getattr(site, field).figure for site in sites) if sites else NOTHING


def _unit_cost(sites: tuple[SiteEstimate, ...]) -> Figure | None:
    return per_million(_sum(sites, "cost"), _sum(sites, "tokens_out"))


def _lines(stack: str, before: SiteEstimate | None, after: SiteEstimate | None) -> Iterator[LineChange]:
    """Lines by part and item; several of one name are matched in their order."""
    old, new = _by_name(before.lines if before else ()), _by_name(after.lines if after else ())
    for key in dict.fromkeys((*new, *old)):
        one, two = old.get(key), new.get(key)
        if one is None or two is None or _paid(one) != _paid(two):
            yield LineChange(stack, key[0], key[1], one, two)


def _by_name(lines: Iterable[Line]) -> dict[tuple[str, str, int], Line]:
    seen: Counter[tuple[str, str]] = Counter()
    found = {}
    for line in lines:
        name = (line.part, line.item)
        found[(*name, seen[name])] = line
        seen[name] += 1
    return found


def _paid(line: Line) -> tuple[object, ...]:
    return line.quantity, line.unit, line.amount, line.known


def _prices(stack: str, before: SiteEstimate | None, after: SiteEstimate | None) -> Iterator[PriceChange]:
    """Prices of lines that both sides have. One that several lines take is told once."""
    old, new = (_by_name(side.lines if side else ()) for side in (before, after))
    found: dict[tuple[Term, Term], list[str]] = {}
    for key, line in new.items():
        one, two = old[key].price if key in old else None, line.price
        if one is not None and two is not None and _says(one) != _says(two):
            found.setdefault((one, two), []).append(line.item)
    for (one, two), items in found.items():
        yield PriceChange(stack, two.name, tuple(items), one, two)


def _says(price: Term) -> tuple[object, ...]:
    return price.value, price.unit, price.seen, price.source
