"""Build or lease: the same blueprint at its sites, and at AWS once for each way of buying that has a sourced price."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import get_args

from msgspec import Struct
from msgspec.structs import replace

from aifactory.blueprints.site import AwsSite
from aifactory.components.economics.figures import Figure
from aifactory.components.economics.powering import HOURS
from aifactory.components.given_aws_nodes import RESERVING, Purchase
from aifactory.components.gpu_node_pool.aws.model import AwsFlexPlan
from aifactory.stacks.estimate.case import Case, Pool
from aifactory.stacks.estimate.estimating import of_site
from aifactory.stacks.estimate.hours import owned_hour, rented_hour
from aifactory.stacks.estimate.model import Lack, SiteEstimate
from aifactory.stacks.estimate.owned import life_of
from aifactory.stacks.estimate.rented import hires
from aifactory.stacks.estimate.what_if import WhatIf
from aifactory.stacks.estimate.years import CAPITAL, Span, spans

OWNED = "owned"
Shape = tuple[str, int, int]
"""A model and its tokens in and out."""


class Option(Struct, frozen=True, kw_only=True):
    """One way to have a site."""

    site: str
    how: str
    """owned, or how nodes with GPUs are bought."""
    planned: bool
    """Whether the plan has it so."""
    estimate: SiteEstimate
    spans: tuple[Span, ...]
    gpu_hour: Figure | None
    """What an hour of a GPU costs, by what its pool alone is paid for. Unit: USD. None: no GPU, or no price."""
    life: Figure | None
    """Years until machines are replaced. None: nothing is owned."""
    idle_is_paid: bool
    """Whether GPUs cost as much when nobody uses them."""
    quoted: bool
    """Whether everything owned has a quote. Of what is rented it says nothing."""
    example: bool
    """Whether a figure was made up to show the form."""
    calls: Mapping[Shape, Decimal]
    """Calls a month, by model and their tokens."""

    @property
    def name(self) -> str:
        """As tables call it."""
        return f"{self.site}, {self.how}"

    @property
    def complete(self) -> bool:
        """Whether nothing is missing in what it costs."""
        return not self.estimate.cost.lacks


class LeftOut(Struct, frozen=True):
    """A way of buying that has no price."""

    site: str
    how: str
    says: str
    hint: str


def options(cases: Iterable[Case], years: tuple[int, ...]) -> tuple[tuple[Option, ...], tuple[LeftOut, ...]]:
    """Ways to have each site, and those that nobody prices."""
    found: list[Option] = []
    missing: list[LeftOut] = []
    for case in cases:
        if not isinstance(case.site, AwsSite):
            found.append(_option(case, years, OWNED, planned=True))
            continue
        planned = bought(case)
        found.append(_option(case, years, " and ".join(planned) or "rented", planned=True))
        for how in get_args(Purchase) if case.pools else ():
            lack = None if planned == (how,) else _unsold(case, how)
            if lack is not None:
                missing.append(LeftOut(case.site.site, how, lack.says, lack.hint))
            elif planned != (how,):
                instead = replace(case, what_if=replace(case.what_if, purchase=how))
                found.append(_option(instead, years, how, planned=False))
    return tuple(found), tuple(missing)


def bought(case: Case) -> tuple[Purchase, ...]:
    """Ways in which the plan buys nodes with GPUs, each once."""
    return tuple(dict.fromkeys(hire.purchase for pool in case.pools for hire in hires(pool, case)))


def _unsold(case: Case, how: Purchase) -> Lack | None:
    """Why nodes of the site can't be priced in that way; None: they can."""
    for pool in case.pools:
        for hire in hires(pool, replace(case, what_if=WhatIf(purchase=how))):
            if how == "reserved" and not case.book.commits(hire.instance_type):
                says = f"no price file states what a commitment for {hire.instance_type} costs"
                return Lack(says, "add a row with purchase: reserved to a price file of the site")
            price = case.book.instance(hire.instance_type, how)
            if isinstance(price, Lack):
                return price
    return None


def _option(case: Case, years: tuple[int, ...], how: str, *, planned: bool) -> Option:
    site = of_site(case)
    owned = how == OWNED
    capital = [line for line in site.lines if line.formula == CAPITAL]
    return Option(
        site=site.site,
        how=how,
        planned=planned,
        estimate=site,
        spans=spans(site, case, years),
        gpu_hour=gpu_hour(site, case),
        life=life_of(case).value if owned else None,
        idle_is_paid=owned or not all(_comes_and_goes(pool, case) for pool in case.pools),
        quoted=owned and all(line.known and not line.terms[0].assumed for line in capital),
        example=any(term.example for term in site.terms),
        calls=asked(case),
    )


def _comes_and_goes(pool: Pool, case: Case) -> bool:
    return isinstance(pool.plan, AwsFlexPlan) and case.what_if.purchase not in RESERVING


def asked(case: Case) -> dict[Shape, Decimal]:
    """Calls a month, by model and tokens."""
    found: dict[Shape, Decimal] = {}
    for each in case.served:
        shape = (each.plan.model, each.demand.input_tokens, each.demand.output_tokens)
        calls = Decimal(str(each.calls_per_s)) * 3600 * HOURS
        found[shape] = found.get(shape, Decimal(0)) + calls
    return found


def gpu_hour(site: SiteEstimate, case: Case) -> Figure | None:
    """What an hour of a GPU costs over all pools: lines of pools over GPUs and hours."""
    if isinstance(case.site, AwsSite):
        return rented_hour(case.pools, case)
    pools = {pool.part for pool in case.pools}
    return owned_hour(site, pools, sum(pool.gpus for pool in case.pools))
