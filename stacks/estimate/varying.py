"""What would be if: every combination of values that somebody asks about, each estimated by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import product
from math import prod

from msgspec import Struct

from aifactory.blueprints.shown import shown
from aifactory.components.economics.figures import NOTHING, Figure, NotAFigure, exact, total
from aifactory.components.problems import Problem, Refused, nearest
from aifactory.stacks.estimate.altering import KEYS, OF_INSTANCE, altered, reason, types_of
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.estimating import of_site
from aifactory.stacks.estimate.model import SiteEstimate

MOST_VARIANTS = 10_000
DEMAND = "demand"
"""Key that multiplies what is asked of models. The plan is made again for it."""
ALL_SITES = ""

Demands = tuple[tuple[str, Decimal], ...]
"""Multipliers of demand, by site; an empty name stands for all."""
Planned = Mapping[str, Case]
Plan = Callable[[Mapping[str, str], Demands], Planned]
"""Makes the plan for values of parameters and multipliers of demand, and says what its sites are estimated from."""


class Vary(Struct, frozen=True):
    """One key and its values, as they were written."""

    key: str
    site: str
    """Site that it holds for. Empty: all that it means something for."""
    values: tuple[str, ...]

    @property
    def name(self) -> str:
        """As it was written."""
        return f"{self.site}:{self.key}" if self.site else self.key


class Variant(Struct, frozen=True):
    """One combination."""

    values: tuple[tuple[str, str], ...]
    """Key and value, as they were written."""
    sites: tuple[SiteEstimate, ...] = ()
    refused: str = ""
    """Why it can't be planned. Empty: it can."""

    @property
    def cost(self) -> Figure:
        """All sites. Unit: USD a month."""
        return total(site.cost.figure for site in self.sites)

    @property
    def per_million(self) -> Figure | None:
        """All sites, over all tokens of answers. Unit: USD."""
        tokens = total(site.tokens_out.figure for site in self.sites)
        if not tokens.low:
            return None
        return self.cost.per(tokens.times(Decimal("0.000001")))

    def summed(self, field: str) -> Figure:
        """A result of all sites, such as `energy`."""
        return total(getattr(site, field).figure for site in self.sites) if self.sites else NOTHING


def read(texts: Iterable[str], parameters: Iterable[str], cases: Mapping[str, Case]) -> tuple[Vary, ...]:
    """`KEY=a,b,c` and `SITE:KEY=a,b,c`. Raises `Refused` for each that nothing knows, or whose values are none."""
    declared, found, problems = set(parameters), [], []
    for text in texts:
        head, _, tail = text.partition("=")
        site, colon, key = head.rpartition(":")
        vary = Vary(key, site if colon else ALL_SITES, tuple(each.strip() for each in tail.split(",")))
        found.append(vary)
        problems += list(_problems(vary, declared, cases))
    names = [each.name for each in found]
    problems += [Problem(f"--vary: {shown(name)} is given twice") for name in sorted({*names}) if names.count(name) > 1]
    number = prod(len(each.values) for each in found)
    if number > MOST_VARIANTS:
        says = f"--vary: {number:,} combinations; {MOST_VARIANTS:,} are the most"
        problems.append(Problem(says, hint="give fewer values, or ask in several runs"))
    if problems:
        raise Refused(problems)
    return tuple(found)


def _problems(vary: Vary, parameters: set[str], cases: Mapping[str, Case]) -> Iterator[Problem]:
    if vary.site and vary.site not in cases:
        yield Problem(f"--vary: {shown(vary.site)} is not a site of this blueprint", hint=nearest(vary.site, cases))
        return
    if not all(vary.values):
        yield Problem(f"--vary: {shown(vary.name)} has an empty value", hint="write KEY=a,b,c")
        return
    if vary.key in parameters:
        if vary.site:
            says = f"--vary: {shown(vary.key)} is a parameter of the blueprint, and is varied for all sites"
            yield Problem(says, hint=f"write {vary.key}=..., or placement.parameters.{vary.site} in the blueprint")
        return
    chosen = [case for name, case in cases.items() if vary.site in (ALL_SITES, name)]
    instances = {kind for case in chosen for kind in types_of(case)}
    if vary.key not in KEYS and vary.key not in instances:
        known = sorted({*KEYS, *parameters, *instances})
        yield Problem(f"--vary: nothing knows {shown(vary.key)}", hint=nearest(vary.key, known, shown=20))
        return
    why = [reason(case, vary.key) for case in chosen]
    if all(why):
        yield Problem(f"--vary: {vary.name} changes nothing: {'; '.join(dict.fromkeys(why))}")
        return
    for value in vary.values:
        yield from _wrong(vary, value)


def _wrong(vary: Vary, value: str) -> Iterator[Problem]:
    bounds = KEYS.get(vary.key, OF_INSTANCE)
    try:
        number = exact(value)
    except NotAFigure as error:
        yield Problem(f"--vary: {vary.name}: {error}", hint=bounds.hint)
        return
    if not bounds.least <= number <= bounds.most or (bounds.above and number == bounds.least):
        yield Problem(f"--vary: {vary.name}: {shown(value)} is out of its range", hint=bounds.hint)


def variants(varied: Sequence[Vary], parameters: Iterable[str], plan: Plan) -> Iterator[Variant]:
    """Every combination, the last key fastest. A plan is made once for all that differ in prices alone."""
    declared = set(parameters)
    plans: dict[tuple[object, ...], Planned | str] = {}
    known: dict[tuple[object, ...], SiteEstimate] = {}
    for values in product(*(each.values for each in varied)):
        chosen = list(zip(varied, values, strict=True))
        given = {each.key: value for each, value in chosen if each.key in declared}
        demands = tuple((each.site, Decimal(value)) for each, value in chosen if _is_demand(each, declared))
        names = tuple((each.name, value) for each, value in chosen)
        key = (tuple(given.items()), demands)
        if key not in plans:
            plans[key] = _planned(plan, given, demands)
        found = plans[key]
        if isinstance(found, str):
            yield Variant(names, refused=found)
            continue
        rest = [(each, value) for each, value in chosen if each.key not in declared and each.key != DEMAND]
        yield Variant(names, tuple(_estimated(name, case, rest, key, known) for name, case in found.items()))


def _is_demand(vary: Vary, declared: set[str]) -> bool:
    return vary.key == DEMAND and vary.key not in declared


def _planned(plan: Plan, given: Mapping[str, str], demands: Demands) -> Planned | str:
    try:
        return plan(given, demands)
    except Refused as refused:
        first = refused.problems[0]
        return f"{first.rule}: {first.says}" if first.rule else first.says


def _estimated(
    name: str,
    case: Case,
    chosen: Sequence[tuple[Vary, str]],
    key: tuple[object, ...],
    known: dict[tuple[object, ...], SiteEstimate],
) -> SiteEstimate:
    """A site with what was chosen for it, once for each choice."""
    own = tuple((each.key, Decimal(value)) for each, value in chosen if each.site in (ALL_SITES, name))
    own = tuple(pair for pair in own if not reason(case, pair[0]))
    at = (key, name, own)
    if at not in known:
        for each, value in own:
            case = altered(case, each, value)
        known[at] = of_site(case)
    return known[at]
