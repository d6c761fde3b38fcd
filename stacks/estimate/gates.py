"""Holds an estimate against what the blueprint allows, at its worse end and before anything is rounded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

from msgspec import Struct, field

from aifactory.blueprints.load import Loaded
from aifactory.blueprints.model import Blueprint
from aifactory.components.budgets import Budget
from aifactory.components.counting import counted
from aifactory.components.economics.figures import total
from aifactory.components.problems import Path, Problem
from aifactory.components.queue.spec import QueueSpec
from aifactory.components.rules import Rule
from aifactory.components.rules import table as rule_table
from aifactory.stacks.estimate.model import Estimate, Lack, Result, SiteEstimate, Term

ECONOMICS = "Decision 0045; economics of the field, 2026-11"
WARNED_DAYS = 30
"""Age of a price from which it is worth a look: rents of GPUs moved by half within months."""
AHEAD_DAYS = 1
"""A price of tomorrow is one of today in another zone of time. A later one is of no age that anybody knows."""
OLDEST_GRID_DAYS = 3 * 366
"""Grids are published by year, and late: two reporting years, and the one that runs."""
NAMED = 3
"""Lines that a message names."""

_OVER = "The end that counts is the dearer one: a budget that only the middle of a range meets is not met."
RULES: tuple[Rule, ...] = (
    Rule("EST-001", "error", "All sites together cost no more a month than the budget allows", _OVER, ECONOMICS),
    Rule("EST-002", "error", "A million tokens cost no more than the budget allows", _OVER, ECONOMICS),
    Rule("EST-003", "error", "A million tokens take no more energy than is allowed", _OVER, ECONOMICS),
    Rule("EST-004", "error", "A million tokens give off no more carbon than is allowed", _OVER, ECONOMICS),
    Rule(
        "EST-005",
        "error",
        "Under a budget no price is older than it allows, nor from a day that is yet to come",
        "Prices of GPUs rose by half and fell by 44 % within a year: an old one says little.",
        ECONOMICS,
    ),
    Rule(
        "EST-006",
        "warning",
        "Prices are younger than 30 days",
        "An estimate is as good as its prices; one that is not held against a budget still misleads.",
        ECONOMICS,
    ),
    Rule(
        "EST-007",
        "error",
        "Under a budget, or a limit of energy, nothing is missing in the estimate",
        "What nobody priced is not free, and no estimate means no deployment.",
        ECONOMICS,
    ),
    Rule("EST-008", "warning", "Nothing is missing in the estimate", "What nobody priced is not free.", ECONOMICS),
    Rule(
        "EST-009",
        "error",
        "An estimate counts on no more utilisation than is allowed",
        "Utilisation divides all costs, and measured clusters reach 5 %.",
        ECONOMICS,
    ),
    Rule(
        "EST-010",
        "error",
        "No training is as large as that of a foundation model, unless it is exempt by name",
        "From 1e25 FLOP the law of the EU presumes systemic risk.",
        "Regulation (EU) 2024/1689, article 51",
    ),
    Rule(
        "EST-011",
        "error",
        "A tenant's budget pays for the GPUs that it is guaranteed",
        "A quota that nobody can pay for is one that somebody else pays for.",
        ECONOMICS,
    ),
    Rule(
        "EST-012",
        "warning",
        "A budget is held against figures of the place, not against examples",
        "Figures that show a form say nothing of a place.",
        ECONOMICS,
    ),
    Rule(
        "EST-015",
        "warning",
        "An owned pool is used enough to be worth owning",
        "A GPU that is needed in less than c/f of the hours is cheaper rented, where its data may go.",
        ECONOMICS,
    ),
    Rule(
        "EST-014",
        "error",
        "Every site has an estimate",
        "No estimate, no deployment: of a site that nothing is known of, nobody can say what it costs or burns.",
        ECONOMICS,
    ),
    Rule(
        "EST-013",
        "warning",
        "Carbon of the grid is that of one of the last years",
        "Grids change by the year, and so does what counts as clean.",
        ECONOMICS,
    ),
)


def rules() -> Mapping[str, Rule]:
    """All of them by id."""
    return rule_table(*RULES)


class Gated(Struct):
    """What the gates found, and how often each was asked."""

    problems: list[Problem] = field(default_factory=list)
    evaluated: Counter[str] = field(default_factory=Counter)

    def check(self, rule: str, holds: bool, says: str, at: Path = (), hint: str = "", **place: str) -> None:
        """Count a rule, and record a problem when it doesn't hold."""
        self.evaluated[rule] += 1
        if holds:
            return
        document: Literal["blueprint", "site"] = "site" if place.get("document") == "site" else "blueprint"
        level = rules()[rule].level
        self.problems.append(
            Problem(says, at, hint, rule=rule, severity=level, site=place.get("site", ""), document=document)
        )


def gated(found: Estimate, loaded: Loaded) -> Gated:
    """Everything that an estimate breaks, each at the line to change."""
    here = Gated()
    blueprint = next(iter(loaded.sites.values())).blueprint
    _month(found, blueprint, here)
    for site in found.sites:
        known = any(line.known for line in site.lines)
        says = f"nothing is known of what {site.site} costs"
        here.check("EST-014", known, says, ("site",), "write costs in its site file", site=site.site, document="site")
        _unit_costs(site, blueprint, here)
        _missing(site, loaded, here)
        _ages(site, found.as_of, blueprint.budget, here)
        _use(site, blueprint.budget, here)
        _worth_owning(site, blueprint, here)
        _tenants(site, loaded, here)
        if blueprint.budget is not None:
            _examples(site, here)
    _trainings(blueprint, here)
    here.problems = [_located(each, loaded) for each in here.problems]
    return here


def _month(found: Estimate, blueprint: Blueprint, here: Gated) -> None:
    most = blueprint.budget.usd_per_month if blueprint.budget else None
    if most is None:
        return
    cost = total(site.cost.figure for site in found.sites)
    high, budget = _apart(cost.high, Decimal(str(most)))
    says = f"{high} USD a month at the dearer end, {_usd(cost.expected)} expected; the budget is {budget}"
    hint = "aifactory cost shows what it is made of; make it smaller, or raise the budget"
    here.check("EST-001", cost.high <= Decimal(str(most)), says, ("budget", "usd_per_month"), hint)


def _unit_costs(site: SiteEstimate, blueprint: Blueprint, here: Gated) -> None:
    budget, energy = blueprint.budget, blueprint.energy
    limits: tuple[tuple[str, float | None, Result | None, Path, str], ...] = (
        (
            "EST-002",
            budget.usd_per_million_output_tokens if budget else None,
            site.usd_per_million,
            ("budget", "usd_per_million_output_tokens"),
            "USD",
        ),
        (
            "EST-003",
            energy.kwh_per_million_tokens if energy else None,
            site.kwh_per_million,
            ("energy", "kwh_per_million_tokens"),
            "kWh",
        ),
        (
            "EST-004",
            energy.kg_co2e_per_million_tokens if energy else None,
            site.kg_per_million,
            ("energy", "kg_co2e_per_million_tokens"),
            "kg CO2e",
        ),
    )
    for rule, most, result, at, unit in limits:
        if most is None:
            continue
        if result is None:
            says = (
                f"no tokens are asked for at {site.site}, so nothing can be held against a limit for a million of them"
            )
            here.check(rule, False, says, at, "add demand.models, or delete the limit", site=site.site)
            continue
        says = (
            f"{result.figure.high:.4f} {unit} for a million tokens at the worse end, {result.figure.expected:.4f} "
            f"expected; the limit is {most:g}"
        )
        hint = f"aifactory explain shows it; GPUs are used to {_percent(site.utilisation.figure.expected)} %"
        here.check(rule, result.figure.high <= Decimal(str(most)), says, at, hint, site=site.site)


def _missing(site: SiteEstimate, loaded: Loaded, here: Gated) -> None:
    """Under a limit, everything; else what a place leaves open that says anything of its costs."""
    blueprint = loaded.sites[site.site].blueprint
    budget, energy = blueprint.budget, blueprint.energy
    held = [*(site.cost.lacks if budget and not budget.unpriced else ())]
    if energy and (energy.kwh_per_million_tokens or energy.kg_co2e_per_million_tokens):
        held += site.energy.lacks
    if energy and energy.kg_co2e_per_million_tokens:
        held += [*site.carbon.lacks, *site.embodied.lacks]
    for lack in dict.fromkeys(held):
        _lack("EST-007", lack, site, here)
    if budget or energy:
        here.evaluated["EST-007"] += not held
    if budget is None and loaded.sites[site.site].site.costs is None:
        return
    left = [lack for lack in dict.fromkeys(site.cost.lacks) if lack not in held]
    first = "; ".join(lack.says for lack in left[:NAMED])
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    says = f"the estimate of {site.site} is incomplete: {first}{more}"
    here.check("EST-008", not left, says, ("site",), "aifactory cost names each", site=site.site, document="site")


def _lack(rule: str, lack: Lack, site: SiteEstimate, here: Gated) -> None:
    at: Path = lack.path or ("site",)
    here.check(rule, False, lack.says, at, lack.hint, site=site.site, document="site")


def _ages(site: SiteEstimate, as_of: str, budget: Budget | None, here: Gated) -> None:
    seen: dict[tuple[str, str], Term] = {}
    for line in site.lines:
        if line.known and line.price is not None and line.price.seen:
            seen.setdefault((line.price.source, line.price.seen), line.price)
    old: list[tuple[int, Term]] = []
    for term in seen.values():
        age = _days(term.seen, as_of)
        if budget is not None:
            says = f"{term.name} was read {counted(age, 'day')} ago, on {term.seen}, in {term.source}"
            hint = "ask again; or accept its age with budget.oldest_price_days"
            if age < -AHEAD_DAYS:
                says = f"{term.name} was read on {term.seen}, after {as_of} from which ages count, in {term.source}"
                hint = "correct the day of the price, or count from a later one"
            at: Path = ("budget",)
            holds = -AHEAD_DAYS <= age <= budget.oldest_price_days
            here.check("EST-005", holds, says, at, hint, site=site.site)
        if age > WARNED_DAYS:
            old.append((age, term))
    worst = max(old, key=lambda each: each[0], default=None)
    says = ""
    if worst is not None:
        days, oldest = worst
        says = f"{counted(len(old), 'price')} older than {WARNED_DAYS} days; the oldest is {days} days: {oldest.source}"
    here.check("EST-006", worst is None, says, ("site",), "aifactory cost shows dates", site=site.site, document="site")
    for term in site.carbon.terms:
        if term.seen:
            says = f"{term.source} is of {term.seen[:4]}"
            hint = "add a row of a later year to a private catalog"
            fresh = _days(term.seen, as_of) <= OLDEST_GRID_DAYS
            here.check("EST-013", fresh, says, ("location",), hint, site=site.site, document="site")


def _use(site: SiteEstimate, budget: Budget | None, here: Gated) -> None:
    if budget is None or not site.gpus:
        return
    most, use = Decimal(str(budget.most_utilisation_percent)) / 100, site.utilisation.figure.expected
    allowed = f"{budget.most_utilisation_percent:g} are allowed"
    says = f"the estimate counts on GPUs that are used to {_percent(use)} %; {allowed}"
    at = ("budget", "most_utilisation_percent")
    here.check("EST-009", use <= most, says, at, "count on less, or measure it and raise the limit", site=site.site)


def _worth_owning(site: SiteEstimate, blueprint: Blueprint, here: Gated) -> None:
    if blueprint.budget is None or blueprint.budget.owned_below_break_even:
        return
    places = {part.name: index for index, part in enumerate(blueprint.parts)}
    for each in site.break_evens:
        rented, use, share = each.rented, each.use.low, each.share.high
        least = f"{_percent(share)} %" if share <= 1 else "no use at all"
        says = (
            f"pool {each.pool} is used to {_percent(use)} % at the worse end, and owning pays from {least}: "
            f"{each.owned.high:,.2f} USD per GPU-hour owned, {rented.usd_per_gpu_hour.low:,.2f} at {rented.site} "
            f"({rented.what})"
        )
        hint = "own less and rent the rest, or accept it with budget.owned_below_break_even: true"
        here.check("EST-015", use >= share, says, ("parts", places[each.pool]), hint, site=site.site)


def _tenants(site: SiteEstimate, loaded: Loaded, here: Gated) -> None:
    parts = loaded.sites[site.site].blueprint.parts
    places = {part.name: index for index, part in enumerate(parts)}
    for tenant in site.tenants:
        if tenant.budget_usd_per_month is None or not tenant.gpus:
            continue
        index = places[tenant.part]
        spec = parts[index]
        assert isinstance(spec, QueueSpec)  # noqa: S101 - queues alone have tenants
        names = [each.name for each in spec.tenants]
        most, budget = _usd(tenant.usd_per_month.high), _usd(tenant.budget_usd_per_month.high)
        says = (
            f"{tenant.tenant} is guaranteed {tenant.gpus:.4g} GPUs, {most} USD a month at the dearer end; its budget "
            f"of {budget} pays for {tenant.gpus_of_budget}"
        )
        at = ("parts", index, "tenants", names.index(tenant.tenant), "usd_per_month")
        hint = f"set gpus to {tenant.gpus_of_budget}, or raise its budget"
        if tenant.gpus_of_budget is None:
            says = f"nobody can say what GPUs of {tenant.tenant} cost: {site.cost.lacks[0].says}"
            hint = "aifactory cost names all that is missing"
        pays = tenant.gpus_of_budget is not None and tenant.gpus <= tenant.gpus_of_budget
        here.check("EST-011", pays, says, at, hint, site=site.site)


def _examples(site: SiteEstimate, here: Gated) -> None:
    made_up = sorted({term.source for term in site.terms if term.example})
    says = f"figures of {site.site} are examples: {'; '.join(made_up[:NAMED])}"
    here.check(
        "EST-012", not made_up, says, ("costs", "example"), "write your own quotes", site=site.site, document="site"
    )


def _trainings(blueprint: Blueprint, here: Gated) -> None:
    limit = blueprint.training_limit
    if limit is None:
        return
    for index, part in enumerate(blueprint.parts):
        if getattr(part, "kind", "") != "training" or part.name in limit.exempt:
            continue
        computes = getattr(part, "computes", None)
        at: Path = ("parts", index, "computes") if computes else ("parts", index)
        says = f"nothing says how much {part.name} computes, and trainings have a limit"
        hint = "write computes: {parameters_b: ..., tokens_b: ...}"
        if computes is not None:
            says = (
                f"{part.name} computes {computes.flop:.2e} FLOP; from {limit.flop:.2e} it is that of a foundation model"
            )
            hint = f"add {part.name} to training_limit.exempt, with the approval that your house asks for"
        here.check("EST-010", computes is not None and computes.flop < limit.flop, says, at, hint)


def _days(seen: str, as_of: str) -> int:
    return (date.fromisoformat(as_of) - date.fromisoformat(seen)).days


def _usd(value: Decimal) -> str:
    return f"{value:,.2f}"


def _apart(one: Decimal, two: Decimal) -> tuple[str, str]:
    """Two amounts in cents, and in as many digits more as tell them apart."""
    digits = next((digits for digits in range(2, 20) if f"{one:.{digits}f}" != f"{two:.{digits}f}"), 2)
    return f"{one:,.{digits}f}", f"{two:,.{digits}f}"


def _percent(share: Decimal) -> str:
    return f"{share * 100:.0f}"


def _located(problem: Problem, loaded: Loaded) -> Problem:
    return problem.located(loaded.position(problem.path, problem.document, problem.site))


def errors(found: Gated) -> Iterator[Problem]:
    """What refuses the plan."""
    return (problem for problem in found.problems if problem.severity == "error")
