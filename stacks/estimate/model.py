"""An estimate: lines of money, figures of energy and carbon, each with formula, terms, sources and dates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from aifactory.components.economics.figures import NOTHING, Figure, total
from aifactory.stacks.estimate.splits import BreakEven, CoreFlex

FORMULAS: Mapping[str, str] = {
    "F1": "(C - S/(1+r)^n) * r / (1 - (1+r)^-n) / 12, and (C - S)/n/12 with r = 0",
    "F2": "C * m / 12",
    "F3": "K * (i + (l - i) * u)",
    "F4": "sum of nodes * kW * 730 h * PUE",
    "F5": "kWh * USD per kWh",
    "F6": "kW of nameplate * USD per kW and month",
    "F7": "units * hours * USD per unit and hour",
    "F8": "kWh * g per kWh / 1000",
    "F9": "(GPUs * kg each + nodes * kg each) / (12 * life)",
    "F10": "kWh / PUE * litres per kWh",
    "F11": "mean requests per s * agentic factor * tokens * 3600 * 730",
    "F12": "USD a month / million tokens a month",
    "F13": "least core so that load is above it in no more than c/f of the hours",
    "F14": "sum over hours of what load is above the core",
    "F15": "c/f",
    "F16": "what is paid at once + each year's cost / (1+r)^t - residual value / (1+r)^T",
    "F17": "input bears P/(P + D) of the cost, output D/(P + D)",
    "F18": "units * USD per unit and month",
    "F19": "share of the sum of other lines",
    "SUM": "sum of its lines",
}
"""Formulas by id, as decision 0045 has them."""

FIGURES: Mapping[str, str] = {
    "usd_per_month": "cost",
    "usd_per_million_output_tokens": "usd_per_million",
    "energy_kwh_per_month": "energy",
    "kwh_per_million_output_tokens": "kwh_per_million",
    "kg_co2e_per_month": "carbon",
    "kg_co2e_embodied_per_month": "embodied",
    "kg_co2e_per_million_output_tokens": "kg_per_million",
    "water_l_per_month": "water",
    "tokens_out_per_month": "tokens_out",
    "tokens_in_per_month": "tokens_in",
    "tokens_per_s": "tokens_per_s",
    "utilisation": "utilisation",
}
"""Figures of a site by their names in the JSON of `cost`, with the field of `SiteEstimate` that holds each."""


class Term(Struct, frozen=True):
    """A value that a formula takes, and where it comes from."""

    name: str
    """As the formula calls it, in words."""
    value: Figure
    unit: str
    source: str = ""
    """Catalog row, or who says so."""
    seen: str = ""
    """Day on which that held, YYYY-MM-DD."""
    assumed: bool = False
    """Whether nobody stated it: the middle of a range, or the worst that is possible."""
    example: bool = False
    """Whether it was made up to show the form."""


class Lack(Struct, frozen=True):
    """What keeps a line from having an amount."""

    says: str
    hint: str
    """What to add, and where."""
    path: tuple[str | int, ...] = ()
    """Field of the site file that would say it, empty where it is a catalog row."""


class Line(Struct, frozen=True):
    """Something that is paid for each month."""

    part: str
    """Part of the factory, `site` for what no part asked for."""
    item: str
    quantity: Figure
    unit: str
    formula: str
    """Id in `FORMULAS`."""
    price: Term | None = None
    """Unit price. None: nothing says it."""
    amount: Figure = NOTHING
    """Unit: USD a month."""
    terms: tuple[Term, ...] = ()
    lacks: Lack | None = None
    """Why it has no amount. None: it has."""
    node_group: str = ""
    """Group of nodes that it is for, empty for none."""
    pool: str = ""
    """Pool whose GPUs it pays for, empty for what all share."""

    @property
    def known(self) -> bool:
        """Whether it has an amount."""
        return self.lacks is None

    @property
    def all_terms(self) -> tuple[Term, ...]:
        """Everything that it rests on."""
        return (*((self.price,) if self.price else ()), *self.terms)


class Result(Struct, frozen=True):
    """A figure with all that it rests on."""

    figure: Figure
    unit: str
    formula: str
    terms: tuple[Term, ...] = ()
    lacks: tuple[Lack, ...] = ()
    """What is missing in it. Its figure is the least there is then."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Where its terms come from, each once."""
        return tuple(dict.fromkeys(term.source for term in self.terms if term.source))


class ModelCost(Struct, frozen=True):
    """What a model costs at a site."""

    part: str
    model: str
    usd_per_month: Figure
    """Its share of all costs, by the GPUs that it reserves."""
    gpus: int
    tokens_in: Figure
    """Prompt tokens a month."""
    tokens_out: Figure
    """Tokens of answers a month; 0 of an embedding model."""
    utilisation: Figure
    """Of its GPUs, over a day. Between 0 and 1."""
    usd_per_million_in: Figure | None
    """What reading a million prompt tokens costs, by the time that it takes. None: nothing is asked of it."""
    usd_per_million_out: Figure | None
    usd_per_million: Figure | None
    """All its costs over tokens of answers, or of texts where it writes none."""
    price_in: Figure | None = None
    """What the gateway charges for a million prompt tokens. None: no price."""
    price_out: Figure | None = None
    margin_per_month: tuple[Figure, Figure] | None = None
    """Income and cost a month, where it has prices."""


class TenantCost(Struct, frozen=True):
    """What a tenant's guaranteed GPUs cost, and what its budget buys."""

    part: str
    tenant: str
    pool: str
    """Pools that they are of, joined by `and`."""
    gpus: Decimal
    """Whole GPUs, and parts of those that are cut into slices."""
    usd_per_month: Figure
    budget_usd_per_month: Figure | None = None
    shares: tuple[tuple[str, Decimal, Figure], ...] = ()
    """GPUs by pool, and what they cost a month."""
    gpus_of_budget: int | None = None
    """Whole GPUs that the budget pays for at the dearer end."""


class SiteEstimate(Struct, frozen=True, kw_only=True):
    """One site of a factory, estimated."""

    stack: str
    site: str
    venue: str
    lines: tuple[Line, ...]
    cost: Result
    energy: Result
    carbon: Result
    embodied: Result
    water: Result
    tokens_out: Result
    """Tokens of answers a month, or of texts where none are written."""
    tokens_in: Result
    tokens_per_s: Result
    """What all replicas write together at full load."""
    utilisation: Result
    """Of all GPUs that are paid for. Between 0 and 1."""
    usd_per_million: Result | None
    kwh_per_million: Result | None
    kg_per_million: Result | None
    gpus: int
    """GPUs of pools."""
    models: tuple[ModelCost, ...] = ()
    tenants: tuple[TenantCost, ...] = ()
    break_evens: tuple[BreakEven, ...] = ()
    """Owned pools against rented sites of the same factory."""
    core_flex: tuple[CoreFlex, ...] = ()
    """Loads of models, split into what is worth owning and what is rented."""

    @property
    def lacks(self) -> tuple[Lack, ...]:
        """Everything that is missing, each once."""
        results = (self.cost, self.energy, self.carbon, self.embodied, self.water)
        return tuple(dict.fromkeys(lack for result in results for lack in result.lacks))

    @property
    def terms(self) -> Iterator[Term]:
        """Everything that is known of it."""
        for line in self.lines:
            yield from line.all_terms
        for result in (self.energy, self.carbon, self.embodied, self.water):
            yield from result.terms


class Estimate(Struct, frozen=True):
    """A factory, estimated."""

    factory: str
    as_of: str
    """Day that ages are counted from, YYYY-MM-DD."""
    sites: tuple[SiteEstimate, ...]


def summed(lines: Iterable[Line]) -> Result:
    """What lines cost together: the sum of their amounts."""
    found = tuple(lines)
    missing = tuple(dict.fromkeys(line.lacks for line in found if line.lacks))
    amounts = total(line.amount for line in found if line.known)
    terms = tuple(Term(f"{line.part}: {line.item}", line.amount, "USD/month") for line in found if line.known)
    return Result(amounts, "USD/month", "SUM", terms, missing)


def priced(line: Line) -> Line:
    """The line with its amount, exact."""
    if line.price is None:
        raise ValueError(f"{line.item} has no price to multiply")
    return replace(line, amount=line.quantity.times(line.price.value))
