"""Money over years: what is bought when, what it fetches, and that both ways to count interest agree."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from aifactory.components.economics.figures import Figure, just
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.estimating import cases, of_site
from aifactory.stacks.estimate.years import Owned, Span, age_at, bought_in, spans, worth
from support.shipped import works

ONCE = Owned(just(100), just(5), just("0.05"), of_gpus=True)


def shipped(blueprint: str, site: str) -> Case:
    """A site of a shipped blueprint."""
    work = works()[blueprint]
    return cases(work.plan, work.loaded, work.stacks)[site]


def over(case: Case, *years: int) -> tuple[Span, ...]:
    """The site over so many years."""
    return spans(of_site(case), case, years)


@pytest.mark.parametrize(
    ("life", "years", "bought", "age"),
    [
        ("5", 1, [0], "1"),
        ("5", 5, [0], "5"),
        ("5", 6, [0, 5], "1"),
        ("4", 5, [0, 4], "1"),
        ("4", 12, [0, 4, 8], "4"),
        ("4.5", 5, [0, 5], "0.5"),
        ("2.5", 5, [0, 3], "2.5"),
        ("0.5", 1, [0, 1], "0.5"),
    ],
)
def test_machines_are_bought_again_when_they_are_due_and_not_at_the_end(
    life: str, years: int, bought: list[int], age: str
) -> None:
    assert bought_in(Decimal(life), years) == bought
    assert age_at(Decimal(life), years) == Decimal(age)


@pytest.mark.parametrize(
    ("thing", "age", "low", "high"),
    [
        pytest.param(ONCE, "5", "0.05", "0.05", id="at the end of its life what the site states"),
        pytest.param(ONCE, "1", "0.6", "0.7", id="after a year what used GPUs fetch"),
        pytest.param(ONCE, "3", "0.25", "0.35", id="after three"),
        pytest.param(ONCE, "4", "0.05", "0.24", id="no source: from the end's to the books'"),
        pytest.param(replace(ONCE, of_gpus=False), "1", "0.05", "0.81", id="no GPUs: no source for any age"),
        pytest.param(replace(ONCE, kept=just("0.5")), "3", "0.5", "0.5", id="never less than at the end"),
    ],
)
def test_what_is_left_is_sourced_or_lies_between_two_ends(thing: Owned, age: str, low: str, high: str) -> None:
    found = worth(thing, Decimal(age), Decimal(5), shipped("cloud-burst", "fra-dc1"))
    assert (found.low, found.high) == (Decimal(low), Decimal(high))


@pytest.mark.parametrize("blueprint", ["cloud-burst", "sovereign-inference", "rag-private"])
def test_over_the_life_of_machines_a_million_tokens_costs_what_the_month_says(blueprint: str) -> None:
    """Capital by month with interest is the same money as capital at once: F1 and F16 have to meet."""
    case = shipped(blueprint, "fra-dc1")
    (span,) = over(case, 5)
    month = of_site(case).usd_per_million
    assert month is not None
    assert span.per_million is not None
    for end in ("low", "expected", "high"):
        assert abs(getattr(span.per_million, end) - getattr(month.figure, end)) < Decimal("1e-9")


def test_rent_is_paid_by_year_and_leaves_nothing() -> None:
    case = shipped("cloud-burst", "sto-aws")
    (span,) = over(case, 3)
    year = of_site(case).cost.figure.times(Decimal(12))
    assert span.figure("first") == span.figure("left") == just(0)
    assert [span.figure("yearly", each) for each in (1, 2, 3)] == [year] * 3


def test_without_a_cost_of_capital_nothing_is_discounted_by_a_guess() -> None:
    case = shipped("cloud-burst", "sto-aws")
    costs = case.site.costs
    assert costs is not None
    site = case.site.model_copy(update={"costs": costs.model_copy(update={"cost_of_capital_percent": None})})
    (span,) = over(replace(case, here=replace(case.here, site=site)), 3)
    assert span.present is None
    assert span.per_million is None
    assert span.figure("yearly", 3).low > 0


def test_money_that_costs_nothing_adds_up() -> None:
    case = shipped("cloud-burst", "fra-dc1")
    costs = case.site.costs
    assert costs is not None
    site = case.site.model_copy(update={"costs": costs.model_copy(update={"cost_of_capital_percent": 0.0})})
    (span,) = over(replace(case, here=replace(case.here, site=site)), 3)
    flow = span.flows[1]
    assert span.present is not None
    assert abs(span.present.expected - (flow.first + sum(flow.yearly) - flow.left)) < Decimal("1e-12")


def test_a_short_life_is_the_dear_end_and_buys_twice() -> None:
    case = shipped("cloud-burst", "fra-dc1")
    costs = case.site.costs
    assert costs is not None
    site = case.site.model_copy(update={"costs": costs.model_copy(update={"life_years": None})})
    (span,) = over(replace(case, here=replace(case.here, site=site)), 5)
    low, expected, high = (flow.yearly for flow in span.flows)
    assert high[3] > high[2]  # four years at the dear end
    assert expected[3] == expected[2]
    assert low[3] == low[2]
    assert isinstance(span.present, Figure)
    assert span.present.low < span.present.expected < span.present.high
