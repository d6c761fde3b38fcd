"""Figures worked out step by step: the formula in words, and with the numbers of each end put in.

What is shown is the figure of the estimate, never one that is worked out again here: a test works every step out.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal, localcontext

from msgspec import Struct

from aifactory.components.economics.figures import EXACTLY, HUNDRED, Figure, just, total
from aifactory.components.economics.powering import node_kw
from aifactory.stacks.estimate.case import Case, Pool, Served
from aifactory.stacks.estimate.energy import Burnt, made
from aifactory.stacks.estimate.model import Line, SiteEstimate, Term
from aifactory.stacks.estimate.prices import SERVICES
from aifactory.stacks.estimate.sharing import gpus_of
from aifactory.stacks.estimate.using import busy, of_pool

FINE = Decimal("0.000001")
"""Step to which numbers are shown."""
FINER = Decimal("0.0000000001")
"""The same for those less than one."""
ENDS = ("low", "expected", "high")


class Step(Struct, frozen=True):
    """One step of a sum."""

    what: str
    formula: str
    """In words."""
    worked: tuple[str, str, str]
    """With the numbers of the low, the expected and the high end."""
    figure: Figure
    unit: str


class Ends(Struct, frozen=True):
    """What each end of a result takes. Unlike a figure's, they need not rise: a long life is the cheap end."""

    low: Decimal
    expected: Decimal
    high: Decimal


Symbol = tuple[str, Figure | Ends]
"""What stands for a letter: its name, and its values."""


def step(what: str, template: str, figure: Figure, unit: str, **symbols: Symbol) -> Step:
    """A step whose letters are replaced, once by words and for each end by numbers."""
    words = template.format(**{letter: name for letter, (name, _) in symbols.items()})
    worked = [
        template.format(**{letter: written(getattr(value, end)) for letter, (_, value) in symbols.items()})
        for end in ENDS
    ]
    return Step(what, words, (worked[0], worked[1], worked[2]), figure, unit)


def written(value: Decimal) -> str:
    """A number to six decimals, to ten where it is less than one. Thousands are separated."""
    rounded = value.quantize(FINE if abs(value) >= 1 or not value else FINER, ROUND_HALF_UP)
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def turned(figure: Figure) -> Ends:
    """The ends of what helps: its high end is that of the low result."""
    return Ends(figure.high, figure.expected, figure.low)


def line_steps(line: Line, case: Case, burnt: tuple[Burnt, ...]) -> Iterator[Step]:
    """How a line came to its amount."""
    price = line.price
    if not line.known or price is None:
        return
    if line.formula == "F1":
        yield _capital(line, price)
    elif line.formula == "F2":
        yield _yearly(line, price)
    elif line.formula == "F5":
        group = next(each for each in burnt if (each.part, f"energy of {each.what}") == (line.part, line.item))
        yield from energy_steps(group)
    elif line.formula == "F7" and len(line.terms) == 2:
        nodes, hours = line.terms
        symbols = {"n": (nodes.name, nodes.value), "h": (hours.name, hours.value)}
        yield step(f"{line.unit}s", "{n} * {h}", line.quantity, line.unit, **symbols)
    elif line.formula == "F19":
        yield _support(line, price, case)
    elif line.formula == "F18" and line.terms and line.terms[0].unit == "USD/year":
        year = line.terms[0]
        yield step(f"{price.name} a month", "{Y} / 12", price.value, price.unit, Y=(f"{year.name} a year", year.value))
    symbols = {"Q": (line.unit, line.quantity), "P": (f"USD for a {line.unit}", price.value)}
    yield step(line.item, "{Q} * {P}", line.amount, "USD/month", **symbols)


def _capital(line: Line, price: Term) -> Step:
    cost, rate, life, left = line.terms
    share = rate.value.over(HUNDRED)
    rest = turned(left.value)
    with localcontext(EXACTLY):
        residual = Ends(*(getattr(cost.value, end) * getattr(rest, end) / HUNDRED for end in ENDS))
    symbols: dict[str, Symbol] = {
        "C": ("price", cost.value),
        "S": ("residual value", residual),
        "r": ("cost of capital", share),
        "n": ("life", turned(life.value)),
    }
    template = "({C} - {S}) / {n} / 12"
    if rate.value.high:
        template = "({C} - {S} / (1 + {r})^{n}) * {r} / (1 - (1 + {r})^-{n}) / 12"
    return step(price.name, template, price.value, price.unit, **symbols)


def _yearly(line: Line, price: Term) -> Step:
    """Upkeep as a share of a price, or a yearly price that is paid or not."""
    cost, *kept = line.terms
    share = kept[0].value.over(HUNDRED) if kept else just(1 if price.value.high else 0)
    name = "maintenance a year" if kept else "1 if it is paid, else 0"
    return step(price.name, "{C} * {m} / 12", price.value, price.unit, C=("price", cost.value), m=(name, share))


def _support(line: Line, price: Term, case: Case) -> Step:
    """Percent of each band of a bill, no less than the least."""
    row = case.catalog.row(f"{SERVICES}.support", line.item.removeprefix("support, "))
    bands = [(Decimal(str(above)), Decimal(str(percent))) for above, percent in row.data["percent"]]
    least = Decimal(str(row.number("least_usd")))
    bill = line.terms[0].value

    def worked(end: Decimal) -> str:
        tops = [*(above for above, _ in bands[1:]), end]
        shares = [
            f"{written(max(Decimal(0), min(end, top) - above))} * {written(percent)} / 100"
            for (above, percent), top in zip(bands, tops, strict=True)
        ]
        return f"max({written(least)}, {' + '.join(shares)})"

    words = f"percent of each band of the bill, at least {written(least)}"
    return Step(
        price.name, words, (worked(bill.low), worked(bill.expected), worked(bill.high)), price.value, price.unit
    )


def energy_steps(group: Burnt) -> Iterator[Step]:
    """Mean power of a node, then energy of a group."""
    kw = node_kw(group.nameplate, group.draw, group.use)
    yield step(
        f"mean power of one of {group.what}",
        "{K} * ({i} + ({l} - {i}) * {u})",
        kw,
        "kW",
        K=("nameplate", group.nameplate),
        i=("share drawn idle", group.draw.idle),
        l=("share drawn loaded", group.draw.loaded),
        u=("utilisation", group.use),
    )
    yield step(
        f"energy of {group.what}",
        "{N} * {P} * 730 * {E}",
        group.kwh,
        "kWh/month",
        N=("nodes", group.nodes),
        P=("kW", kw),
        E=("PUE", group.pue),
    )


def per_million(what: str, figure: Figure, tokens: Figure, result: Figure, unit: str) -> Step:
    """A month's figure over a month's tokens."""
    symbols: dict[str, Symbol] = {"X": (what, figure), "T": ("tokens a month", turned(tokens))}
    return step(unit, "{X} / ({T} / 1,000,000)", result, unit, **symbols)


def carbon_step(site: SiteEstimate) -> Step:
    """Carbon of operation."""
    grid = site.carbon.terms[0].value
    return step(
        "carbon of operation", "{E} * {g} / 1000", site.carbon.figure, site.carbon.unit,
        E=("kWh", site.energy.figure), g=("g per kWh", grid),
    )  # fmt: skip


def embodied_step(site: SiteEstimate, case: Case) -> Step:
    """A month's share of what making the machines gave off."""
    gpus, nodes = made(case)
    each_gpu, each_server, life = (term.value for term in site.embodied.terms)
    symbols: dict[str, Symbol] = {
        "G": ("GPUs", gpus),
        "a": ("kg for a GPU", each_gpu),
        "N": ("nodes", nodes),
        "b": ("kg for a server", each_server),
        "n": ("life in years", turned(life)),
    }
    template = "({G} * {a} + {N} * {b}) / (12 * {n})"
    return step("embodied carbon", template, site.embodied.figure, site.embodied.unit, **symbols)


def water_step(site: SiteEstimate) -> Step:
    """Water of cooling."""
    pue, wue = (term.value for term in site.water.terms)
    return step(
        "water", "{E} / {P} * {W}", site.water.figure, site.water.unit,
        E=("kWh", site.energy.figure), P=("PUE", pue), W=("litres per kWh", wue),
    )  # fmt: skip


def token_step(served: Served, each: int, found: Figure) -> Step:
    """Tokens of a month of one model."""
    return step(
        f"tokens of {served.part}",
        "{c} * {f} * {t} * 3600 * 730",
        found,
        "tokens/month",
        c=("mean requests/s", just(served.demand.rate[0])),
        f=("agentic factor", just(served.demand.agentic_factor)),
        t=("tokens of a call", just(each)),
    )


def speed_step(served: Served, found: Figure) -> Step:
    """What all replicas of a model write at full load."""
    each = Figure(*(Decimal(str(end)) for end in served.tokens_per_s))
    symbols = {"R": ("replicas", just(served.plan.replicas)), "v": ("tokens/s of a replica", each)}
    return step(f"{served.part} at full load", "{R} * {v}", found, "tokens/s", **symbols)


def busy_step(served: Served) -> Step:
    """Share of its replicas' time that a model is busy."""
    speed = Figure(*(Decimal(str(end)) for end in served.tokens_per_s))
    symbols: dict[str, Symbol] = {
        "c": ("mean calls/s", just(str(served.calls_per_s))),
        "t": ("tokens of a call", just(served.counted_tokens)),
        "R": ("replicas", just(served.plan.replicas)),
        "v": ("tokens/s of a replica", turned(speed)),
    }
    return step(f"use of {served.part}", "min(1, {c} * {t} / ({R} * {v}))", busy(served), "share", **symbols)


def pool_use_step(pool: Pool, case: Case) -> Step:
    """Mean use of a pool's GPUs: those of its models, and the others."""
    use, terms = of_pool(pool, case)
    counts = [each.gpus for each in case.models_of(pool.part)]
    counts += [pool.gpus - sum(counts)] * (len(terms) - len(counts))
    symbols: dict[str, Symbol] = {"n": (f"GPUs of {pool.part}", just(pool.gpus))}
    for index, (term, count) in enumerate(zip(terms, counts, strict=True)):
        symbols |= {f"u{index}": (f"use of {term.name}", term.value), f"g{index}": ("GPUs", just(count))}
    summed = " + ".join(f"{{u{index}}} * {{g{index}}}" for index in range(len(terms))) or "0"
    return step(f"use of {pool.part}", f"min(1, ({summed}) / {{n}})", use, "share", **symbols)


def use_step(pools: list[tuple[Pool, Figure]], found: Figure) -> Step:
    """Mean of pools, by their GPUs."""
    symbols: dict[str, Symbol] = {}
    for index, (pool, use) in enumerate(pools):
        symbols |= {f"u{index}": (f"use of {pool.part}", use), f"g{index}": (f"GPUs of {pool.part}", just(pool.gpus))}
    terms = " + ".join(f"{{u{index}}} * {{g{index}}}" for index in range(len(pools)))
    counts = " + ".join(f"{{g{index}}}" for index in range(len(pools)))
    return step("mean use", f"({terms}) / ({counts})", found, "share", **symbols)


def share_step(what: str, gpus: int | Decimal, pool: str, lines: tuple[Line, ...], case: Case, found: Figure) -> Step:
    """A share of all costs, by the GPUs that are reserved: what all GPUs share, and what those of a pool cost."""
    counts = gpus_of(case)
    shared = total(line.amount for line in lines if line.known and not line.pool)
    own = total(line.amount for line in lines if line.known and line.pool == pool)
    return step(
        f"cost of {what}",
        "{G} * ({a} / {n} + {b} / {m})",
        found,
        "USD/month",
        G=("GPUs", just(gpus)),
        a=("USD that all GPUs share", shared),
        n=("all GPUs", just(sum(counts.values()))),
        b=(f"USD of {pool}", own),
        m=(f"GPUs of {pool}", just(counts[pool])),
    )
