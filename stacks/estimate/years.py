"""What a site costs over years: what is paid at once, each year, and what is left at the end. Decision 0045, F16."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, Decimal, localcontext

from msgspec import Struct

from aifactory.components.economics.figures import EXACTLY, HUNDRED, Figure, between, total
from aifactory.components.economics.worth import net_present_cost
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.model import Line, SiteEstimate, Term
from aifactory.stacks.estimate.prices import seen_of

MONTHS = Decimal(12)
ZERO = Decimal(0)
ENDS = ("low", "expected", "high")
CAPITAL = "F1"
USED_GPUS = "onprem-costs.residual_value"
"""What used GPUs fetch, by months: the only ages that a source knows."""


class Flow(Struct, frozen=True):
    """Money of one end of a range. Unit: USD."""

    first: Decimal
    """Paid at once."""
    yearly: tuple[Decimal, ...]
    """Paid in each year, counted at its end."""
    left: Decimal
    """Worth of what is left at the end."""

    def present(self, rate: Decimal) -> Decimal:
        """F16, at a cost of capital a year."""
        return net_present_cost(self.first, self.yearly, rate, self.left)


class Span(Struct, frozen=True):
    """So many years, from the cheap end to the dear one."""

    years: int
    flows: tuple[Flow, Flow, Flow]
    present: Figure | None
    """F16. None: the site doesn't say what money costs."""
    million_tokens: Decimal
    """Tokens of all years as they weigh today, each year's at its end. Unit: millions."""

    @property
    def per_million(self) -> Figure | None:
        """Net present cost over tokens that weigh as their money does. Unit: USD."""
        if self.present is None or not self.million_tokens:
            return None
        with localcontext(EXACTLY):
            return Figure(*(getattr(self.present, end) / self.million_tokens for end in ENDS))

    def figure(self, field: str, year: int | None = None) -> Figure:
        """`first`, `left`, or what is paid in a year from 1 on, from least to most."""
        found = [getattr(flow, field) for flow in self.flows]
        return Figure(*sorted(each if year is None else each[year - 1] for each in found))


class Owned(Struct, frozen=True):
    """Something that was bought."""

    price: Figure
    """Of all of it. Unit: USD."""
    life: Figure
    """Unit: years."""
    kept: Figure
    """Share of the price that is left after its life."""
    of_gpus: bool
    """Whether it is a server with GPUs, of which sources say what used ones fetch."""


def spans(site: SiteEstimate, case: Case, years: Iterable[int]) -> tuple[Span, ...]:
    """A site over each number of years, prices as they are today."""
    things = tuple(owned(line, case) for line in site.lines if line.known and line.formula == CAPITAL)
    rest = total(line.amount for line in site.lines if line.known and line.formula != CAPITAL).times(MONTHS)
    return tuple(_span(site, case, things, rest, number) for number in years)


def rate_of(case: Case) -> Decimal | None:
    """Cost of capital a year, as a share. None: the site doesn't say it."""
    costs = case.site.costs
    percent = costs.cost_of_capital_percent if costs is not None else None
    return None if percent is None else Decimal(str(percent)) / 100


def owned(line: Line, case: Case) -> Owned:
    """What a line of capital stands for."""
    terms = {term.name: term for term in line.terms[1:]}
    price, life, kept = line.terms[0], terms["life"], terms["residual value"]
    group = case.groups.get(line.node_group)
    server = group is not None and bool(group.accelerator) and price.name == group.server
    return Owned(line.quantity.times(price.value), life.value, kept.value.over(HUNDRED), server)


def _span(site: SiteEstimate, case: Case, things: Sequence[Owned], rest: Figure, years: int) -> Span:
    rate = rate_of(case)
    present = None
    with localcontext(EXACTLY):
        found = [_flow(end, things, rest, years, case) for end in ENDS]
        tokens = site.tokens_out.figure.expected * MONTHS / 1_000_000
        weighed = tokens * years
        if rate is not None:
            # Machines that are replaced just before the end leave much behind: ends may change places.
            present = Figure(*sorted(flow.present(rate) for flow in found))
            weighed = net_present_cost(ZERO, [tokens] * years, rate)
    return Span(years, (found[0], found[1], found[2]), present, weighed)


def _flow(end: str, things: Sequence[Owned], rest: Figure, years: int, case: Case) -> Flow:
    paid = [ZERO] * (years + 1)
    left = ZERO
    for thing in things:
        price, life = getattr(thing.price, end), getattr(thing.life, _other(end))
        for year in bought_in(life, years):
            paid[year] += price
        left += price * getattr(worth(thing, age_at(life, years), life, case), _other(end))
    yearly = getattr(rest, end)
    return Flow(paid[0], tuple(each + yearly for each in paid[1:]), left)


def _other(end: str) -> str:
    """A long life and much that is left are the cheap end."""
    return {"low": "high", "high": "low"}.get(end, end)


def bought_in(life: Decimal, years: int) -> list[int]:
    """Years at whose end machines are bought so that there are some all the time; 0 is the start."""
    found, age = [], ZERO
    while age < years:
        found.append(int(age.to_integral_value(ROUND_CEILING)))
        age += life
    return found


def age_at(life: Decimal, years: int) -> Decimal:
    """How old the newest machines are at the end. Unit: years; their whole life where they are due."""
    age = Decimal(years)
    while age > life:
        age -= life
    return age


def worth(thing: Owned, age: Decimal, life: Decimal, case: Case) -> Figure:
    """Share of the price that a thing of an age fetches: at the end of its life what is stated, before it more.

    Of servers with GPUs a source says it for some ages; else it lies between what is left at the end and what books
    still carry.
    """
    if age >= life:
        return thing.kept
    least, most = thing.kept.low, thing.kept.high
    row = case.catalog.find(USED_GPUS, str(int(age * 12))) if thing.of_gpus else None
    if row is not None:
        low, high = (Decimal(str(end)) for end in row.data["share"])
        return between(max(low, least), max(high, most))
    with localcontext(EXACTLY):
        return between(least, 1 - (1 - most) * age / life)


def sources(case: Case, years: Iterable[int]) -> tuple[Term, ...]:
    """What the worth of used machines rests on, for these years."""
    rows = (case.catalog.find(USED_GPUS, str(12 * number)) for number in years)
    shares = ((row, [Decimal(str(end)) for end in row.data["share"]]) for row in rows if row is not None)
    return tuple(
        Term(f"worth after {row.key} months", between(*found), "share", row.ref, seen_of(row), assumed=True)
        for row, found in shares
    )
