"""What moves the answer: each input at either end of its range, all others as expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext

from msgspec import Struct

from aifactory.blueprints.site import AwsSite
from aifactory.components.economics.figures import EXACTLY, HUNDRED, Figure, just, total
from aifactory.components.given_aws_nodes import Purchase
from aifactory.stacks.estimate.altering import KEYS, altered, reason, types_of
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.estimating import of_site
from aifactory.stacks.estimate.model import Lack, Line, SiteEstimate
from aifactory.stacks.estimate.rented import hires
from aifactory.stacks.estimate.using import busy
from aifactory.stacks.estimate.years import CAPITAL

ONE = Decimal(1)


class Swing(Struct, frozen=True, kw_only=True):
    """One input of a site, and what a month and a million tokens cost at either end of it."""

    site: str
    key: str
    """As `--vary` takes it."""
    range: Figure
    """Its values, in the unit of the key."""
    stated: bool
    """Whether somebody states the range. Else the input is one number, and was moved by what was asked."""
    base_usd: Decimal
    """A month with all inputs as expected. Unit: USD."""
    low_usd: Decimal
    """The same with the input at the low end of its range."""
    high_usd: Decimal
    base_per_million: Decimal | None
    """Unit: USD per million tokens. None: no tokens are asked for."""
    low_per_million: Decimal | None
    high_per_million: Decimal | None

    @property
    def shown(self) -> tuple[Decimal, Decimal, Decimal]:
        """What it costs as expected and at either end: a million tokens, or a month where none are asked for."""
        if self.base_per_million is None or self.low_per_million is None or self.high_per_million is None:
            return self.base_usd, self.low_usd, self.high_usd
        return self.base_per_million, self.low_per_million, self.high_per_million

    @property
    def width(self) -> Decimal:
        """How far the ends lie apart."""
        return abs(self.shown[2] - self.shown[1])


class OneNumber(Struct, frozen=True):
    """An input that nobody gives a range."""

    site: str
    key: str
    value: Decimal


def tornado(cases: Iterable[Case], swing: Decimal | None) -> tuple[tuple[Swing, ...], tuple[OneNumber, ...]]:
    """Inputs of each site, the one that moves most first, and those that stand still.

    `swing` is how far inputs of one number are moved, as a share; None leaves them where they are.
    """
    moved: list[Swing] = []
    still: list[OneNumber] = []
    for case in cases:
        base = of_site(case)
        found: list[Swing] = []
        for key, band in inputs(base, case):
            if not band.is_one_number:
                found.append(_swing(case, base, key, band, stated=True))
            elif swing is None or not band.expected:
                still.append(OneNumber(case.site.site, key, band.expected))
            else:
                found.append(_swing(case, base, key, _around(key, band.expected, swing), stated=False))
        moved += sorted(found, key=lambda each: (-each.width, each.key))
    return tuple(moved), tuple(still)


def inputs(site: SiteEstimate, case: Case) -> Iterator[tuple[str, Figure]]:
    """Inputs of a site by their keys, each with what is known of it."""
    if case.served:
        yield "utilisation_percent", just(_use(case).expected)  # demand is one number: its doubt is that of speed
        served = case.served[0]
        low, expected, high = (Decimal(str(end)) for end in served.tokens_per_s)
        with localcontext(EXACTLY):
            yield "speed", Figure(low / expected, ONE, high / expected)
    capital = [line for line in site.lines if line.known and line.formula == CAPITAL]
    if capital:
        yield "capex", _capex(capital)
        yield "life_years", next(term.value for term in capital[0].terms if term.name == "life")
        yield "residual_percent", next(term.value for term in capital[0].terms if term.name == "residual value")
        yield "cost_of_capital_percent", next(term.value for term in capital[0].terms if term.name == "cost of capital")
    if not isinstance(case.site, AwsSite):
        yield "usd_per_kwh", just(case.site.power.usd_per_kwh)
        yield "pue", just(case.site.power.pue)
    ways: dict[str, Purchase] = dict.fromkeys(types_of(case), "on-demand")
    ways |= {hire.instance_type: hire.purchase for pool in case.pools for hire in hires(pool, case)}
    for kind, how in sorted(ways.items()):
        price = case.book.instance(kind, how)
        if not isinstance(price, Lack):
            yield kind, price.value


def _use(case: Case) -> Figure:
    """Of GPUs that models reserve. Unit: percent."""
    gpus = Decimal(sum(each.gpus for each in case.served))
    return total(busy(each).times(each.gpus * HUNDRED) for each in case.served).over(gpus)


def _capex(lines: Iterable[Line]) -> Figure:
    """Prices of all that is owned, over what they are expected to be."""
    found = total(line.quantity.times(line.terms[0].value) for line in lines)
    with localcontext(EXACTLY):
        return Figure(found.low / found.expected, ONE, found.high / found.expected)


def _around(key: str, value: Decimal, swing: Decimal) -> Figure:
    """A number, and so much less and more, as far as the key goes."""
    bounds = KEYS.get(key)
    low, high = value * (1 - swing), value * (1 + swing)
    if bounds is not None:
        low, high = max(low, bounds.least), min(high, bounds.most)
    return Figure(low, value, high)


def _swing(case: Case, base: SiteEstimate, key: str, band: Figure, *, stated: bool) -> Swing:
    ends = [of_site(altered(case, key, value)) if not reason(case, key) else base for value in (band.low, band.high)]
    rates = [_rate(each) for each in (base, *ends)]
    return Swing(
        site=base.site,
        key=key,
        range=band,
        stated=stated,
        base_usd=base.cost.figure.expected,
        low_usd=ends[0].cost.figure.expected,
        high_usd=ends[1].cost.figure.expected,
        base_per_million=rates[0],
        low_per_million=rates[1],
        high_per_million=rates[2],
    )


def _rate(site: SiteEstimate) -> Decimal | None:
    return site.usd_per_million.figure.expected if site.usd_per_million else None
