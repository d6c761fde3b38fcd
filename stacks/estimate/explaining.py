"""Where any figure of an estimate comes from: its formula with numbers put in, its inputs with their sources."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from aifactory.components.economics.figures import Figure, just, total
from aifactory.stacks.estimate import working
from aifactory.stacks.estimate.case import Case, Served
from aifactory.stacks.estimate.energy import Burnt, burnt
from aifactory.stacks.estimate.model import (
    FIGURES,
    FORMULAS,
    Lack,
    Line,
    ModelCost,
    Result,
    SiteEstimate,
    TenantCost,
    Term,
)
from aifactory.stacks.estimate.using import of_pool
from aifactory.stacks.estimate.working import Step

ROOTS = (
    *("cost", "usd_per_million", "energy", "kwh_per_million", "carbon", "embodied", "kg_per_million", "water"),
    *("tokens", "tokens_in", "tokens_per_s", "utilisation", "models", "tenants"),
)
"""What paths begin with."""
ALIASES = {
    **{name: field for name, field in FIGURES.items() if name != field},
    **dict.fromkeys(("tokens_out", "tokens_out_per_month"), "tokens"),
    "utilization": "utilisation",
}
"""Names that the JSON of `cost` gives them, and how others spell them."""
LINES = "cost.lines"
"""Every line, each explained."""


class Summand(Struct, frozen=True):
    """A figure that another is the sum of."""

    path: str
    title: str
    figure: Figure | None
    """None: it has no price."""
    unit: str = "USD/month"


class Explained(Struct, frozen=True):
    """One figure, and all that it rests on."""

    path: str
    title: str
    figure: Figure | None
    """None: something is missing."""
    unit: str
    formula: str
    """Id in decision 0045."""
    steps: tuple[Step, ...] = ()
    inputs: tuple[Term, ...] = ()
    sums: tuple[Summand, ...] = ()
    lacks: tuple[Lack, ...] = ()
    text: str = ""
    """The formula, where it is not the one of its id as a whole."""


class Explaining(Struct, frozen=True, dict=True):
    """All figures of one site."""

    site: SiteEstimate
    case: Case

    def matching(self, path: str) -> list[Explained]:
        """What a path names: one figure, or all of a kind. Empty when there is none."""
        name = path if path in self.entries else meant(path)
        if name == LINES:
            return [self._line(each, line) for each, line in self.lines.items()]
        if name in ("models", "tenants"):
            return [make() for each, make in self.entries.items() if each.startswith(f"{name}.")]
        return [self.entries[name]()] if name in self.entries else []

    @cached_property
    def entries(self) -> dict[str, Callable[[], Explained]]:
        """How each figure is explained, by its path."""
        site, lines = self.site, self.lines
        found: dict[str, Callable[[], Explained]] = {"cost": lambda: self._cost("cost", site.lines)}
        for part in dict.fromkeys(line.part for line in site.lines):
            of_part = tuple(line for line in site.lines if line.part == part)
            found[f"cost.{part}"] = lambda part=part, of_part=of_part: self._cost(f"cost.{part}", of_part)  # type: ignore[misc]
        found |= {name: lambda name=name, line=line: self._line(name, line) for name, line in lines.items()}  # type: ignore[misc]
        found |= {
            "energy": self._energy,
            "carbon": lambda: self._worked("carbon", "carbon of operation", site.carbon, working.carbon_step),
            "embodied": self._embodied,
            "water": lambda: self._worked("water", "water of cooling", site.water, working.water_step),
            "tokens": lambda: self._tokens("tokens", site.tokens_out),
            "tokens_in": lambda: self._tokens("tokens_in", site.tokens_in),
            "tokens_per_s": self._speed,
            "utilisation": self._utilisation,
        }
        for name, result in (
            ("usd_per_million", site.usd_per_million),
            ("kwh_per_million", site.kwh_per_million),
            ("kg_per_million", site.kg_per_million),
        ):
            if result is not None:
                found[name] = lambda name=name, result=result: self._per_million(name, result)  # type: ignore[misc]
        found |= {f"models.{each.part}": lambda each=each: self._model(each) for each in site.models}  # type: ignore[misc]
        found |= {f"tenants.{each.tenant}": lambda each=each: self._tenant(each) for each in site.tenants}  # type: ignore[misc]
        return found

    @cached_property
    def lines(self) -> dict[str, Line]:
        """Lines by their paths. Those of one name are counted."""
        seen: Counter[str] = Counter()
        found = {}
        for line in self.site.lines:
            name = f"cost.{line.part}.{slug(line.item)}"
            seen[name] += 1
            found[f"{name}-{seen[name]}" if seen[name] > 1 else name] = line
        return found

    @cached_property
    def paths(self) -> list[str]:
        """All that can be asked for."""
        return [*self.entries, LINES, *(name for name in ("models", "tenants") if getattr(self.site, name))]

    @cached_property
    def _burnt(self) -> tuple[Burnt, ...]:
        return tuple(burnt(self.case))

    def _cost(self, path: str, lines: Iterable[Line]) -> Explained:
        mine = [(name, line) for name, line in self.lines.items() if any(line is each for each in lines)]
        sums = tuple(Summand(name, line.item, line.amount if line.known else None) for name, line in mine)
        lacks = tuple(dict.fromkeys(line.lacks for _, line in mine if line.lacks))
        figure = total(line.amount for _, line in mine if line.known)
        title = "all that is paid for" if path == "cost" else f"what {path.partition('.')[2]} costs"
        return Explained(path, title, figure, "USD/month", "SUM", sums=sums, lacks=lacks)

    def _line(self, path: str, line: Line) -> Explained:
        steps = tuple(working.line_steps(line, self.case, self._burnt))
        given = () if line.price is None or line.formula in ("F1", "F2") else (line.price,)
        derived = line.price is not None and any(each.figure == line.price.value for each in steps)
        inputs = (*(() if derived else given), *line.terms)
        amount = line.amount if line.known else None
        lacks = (line.lacks,) if line.lacks else ()
        return Explained(path, line.item, amount, "USD/month", line.formula, steps, inputs, lacks=lacks)

    def _energy(self) -> Explained:
        found = self.site.energy
        steps = tuple(step for group in self._burnt for step in working.energy_steps(group))
        sums = tuple(Summand("", f"energy of {each.what}", each.kwh, found.unit) for each in self._burnt)
        return self._of("energy", "energy with cooling", found, steps, sums)

    def _worked(self, path: str, title: str, found: Result, work: Callable[[SiteEstimate], Step]) -> Explained:
        return self._of(path, title, found, () if found.lacks else (work(self.site),))

    def _embodied(self) -> Explained:
        return self._of(
            "embodied", "a month's share of what making the machines gave off", self.site.embodied,
            (working.embodied_step(self.site, self.case),),
        )  # fmt: skip

    def _tokens(self, path: str, found: Result) -> Explained:
        pairs = [(self._served(term.name.partition(":")[0]), term) for term in found.terms]
        steps = tuple(
            working.token_step(
                served, served.demand.input_tokens if path == "tokens_in" else served.counted_tokens, term.value
            )
            for served, term in pairs
        )
        sums = tuple(Summand("", term.name, term.value, found.unit) for term in found.terms)
        return self._of(path, found.unit.removesuffix("/month"), found, steps, sums)

    def _speed(self) -> Explained:
        found = self.site.tokens_per_s
        steps = [working.speed_step(self._served(term.name.partition(":")[0]), term.value) for term in found.terms]
        sums = tuple(Summand("", term.name, term.value, found.unit) for term in found.terms)
        return self._of("tokens_per_s", "what all replicas write at full load", found, tuple(steps), sums)

    def _utilisation(self) -> Explained:
        pools = [(pool, of_pool(pool, self.case)[0]) for pool in self.case.pools if pool.gpus]
        steps = [working.busy_step(served) for served in self.case.served]
        steps += [working.pool_use_step(pool, self.case) for pool, _ in pools]
        if len(pools) > 1:
            steps.append(working.use_step(pools, self.site.utilisation.figure))
        found = self._of("utilisation", "mean use of all GPUs of pools", self.site.utilisation, tuple(steps))
        return replace(found, text="sum of use * GPUs / GPUs")

    def _per_million(self, path: str, found: Result) -> Explained:
        above, tokens = found.terms
        step = working.per_million(above.unit, above.value, tokens.value, found.figure, found.unit)
        wholes = {
            "usd_per_million": ("cost",),
            "kwh_per_million": ("energy",),
            "kg_per_million": ("carbon", "embodied"),
        }
        results = [(name, getattr(self.site, name)) for name in wholes[path]] + [("tokens", self.site.tokens_out)]
        sums = tuple(Summand(name, name, each.figure, each.unit) for name, each in results)
        return replace(
            self._of(path, found.unit, found, (step,), sums), text="what a month takes / million tokens a month"
        )

    def _of(
        self, path: str, title: str, found: Result, steps: tuple[Step, ...], sums: tuple[Summand, ...] = ()
    ) -> Explained:
        """A result. What is missing in all of it has no figure."""
        figure = None if found.lacks and not found.figure.high else found.figure
        sourced = tuple(term for term in found.terms if term.source)
        return Explained(path, title, figure, found.unit, found.formula, steps, sourced, sums, found.lacks)

    def _model(self, found: ModelCost) -> Explained:
        served = self._served(found.part)
        steps = [self._share(found.part, found.gpus, served.pool, found.usd_per_month)]
        share = just(Decimal(str(served.prompt_share)))
        rest = just(1 - Decimal(str(served.prompt_share)))
        for name, figure, part, tokens in (
            ("reading prompts", found.usd_per_million_in, share, found.tokens_in),
            ("writing answers", found.usd_per_million_out, rest, found.tokens_out),
        ):
            if figure is not None:
                symbols: dict[str, working.Symbol] = {
                    "X": ("USD a month", found.usd_per_month),
                    "s": (f"share of time for {name}", part),
                    "T": ("tokens a month", working.turned(tokens)),
                }
                steps.append(
                    working.step(
                        f"{name}, a million tokens",
                        "{X} * {s} / ({T} / 1,000,000)",
                        figure,
                        "USD per million",
                        **symbols,
                    )
                )
        sums = (Summand("cost", "cost", self.site.cost.figure),)
        return Explained(
            f"models.{found.part}", f"what {found.model} costs, by the GPUs that it reserves", found.usd_per_month,
            "USD/month", "F17", tuple(steps), (), sums, text=f"its share of costs, and {FORMULAS['F17']}",
        )  # fmt: skip

    def _tenant(self, found: TenantCost) -> Explained:
        steps = tuple(self._share(found.tenant, gpus, pool, usd) for pool, gpus, usd in found.shares)
        inputs: tuple[Term, ...] = ()
        if found.budget_usd_per_month is not None:
            inputs = (Term("budget", found.budget_usd_per_month, "USD/month", f"{found.part}.tenants"),)
        return Explained(
            f"tenants.{found.tenant}", f"what the GPUs that {found.tenant} is guaranteed cost", found.usd_per_month,
            "USD/month", "SUM", steps, inputs, (Summand("cost", "cost", self.site.cost.figure),),
            text="its share of costs",
        )  # fmt: skip

    def _share(self, what: str, gpus: int | Decimal, pool: str, figure: Figure) -> Step:
        return working.share_step(what, gpus, pool, self.site.lines, self.case, figure)

    def _served(self, part: str) -> Served:
        return next(each for each in self.case.served if each.part == part)


def meant(path: str) -> str:
    """The path under its own name: `cost.usd_per_month` is `cost`, and `cost.models.chat` is `models.chat`."""
    first, _, rest = path.partition(".")
    head, _, tail = rest.partition(".")
    if first == "cost" and (head in ALIASES or head in ROOTS):
        first, rest = head, tail
    if (first, rest) == ("lines", ""):
        return LINES
    first = ALIASES.get(first, first)
    return f"{first}.{rest}" if rest or path.endswith(".") else first


def slug(text: str) -> str:
    """An item as a step of a path: `energy-of-hgx-h200-nodes`."""
    return re.sub(r"[^\w]+", "-", text.casefold()).strip("-") or "line"
