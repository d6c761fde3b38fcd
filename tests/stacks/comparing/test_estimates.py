"""What changed between two estimates: both ways the same, and never more than its parts."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aifactory.components.economics.figures import Figure, just
from aifactory.stacks.comparing.estimates import EstimateChanges, FigureChange, compared
from aifactory.stacks.estimate.model import Estimate, Lack, Line, Result, SiteEstimate, Term, priced, summed

NONE = Result(just(0), "none", "SUM")
AMOUNTS = st.integers(0, 10**9).map(lambda cents: Decimal(cents) / 100)


def line(item: str, price: str | None, quantity: str = "1", seen: str = "2026-11-01") -> Line:
    """A line of part `site`; without a price it lacks one."""
    if price is None:
        return Line("site", item, just(quantity), "unit", "F18", lacks=Lack(f"no price of {item}", "add one"))
    term = Term(f"price of {item}", just(price), "USD/unit", "a quote", seen)
    return priced(Line("site", item, just(quantity), "unit", "F18", term))


def site(name: str, *lines: Line) -> SiteEstimate:
    """A site that costs its lines."""
    return SiteEstimate(
        stack=f"f-{name}-platform", site=name, venue="on-prem", lines=lines, cost=summed(lines), energy=NONE,
        carbon=NONE, embodied=NONE, water=NONE, tokens_out=NONE, tokens_in=NONE, tokens_per_s=NONE, utilisation=NONE,
        usd_per_million=None, kwh_per_million=None, kg_per_million=None, gpus=0,
    )  # fmt: skip


def found(before: list[SiteEstimate] | None, after: list[SiteEstimate] | None) -> EstimateChanges:
    """Two factories of these sites, compared. None: there is none."""
    one, two = (Estimate("f", "2026-11-29", tuple(sites)) if sites is not None else None for sites in (before, after))
    return compared(one, two)


@pytest.mark.parametrize(
    ("before", "after", "direction", "share"),
    [
        (("1", "2", "3"), ("1", "2", "3"), "same", "0"),
        (("1", "2", "3"), ("2", "3", "4"), "rises", "0.5"),
        (("2", "4", "4"), ("1", "3", "4"), "falls", "-0.25"),
        (("1", "2", "3"), ("1", "2", "4"), "rises", "0"),
        (("1", "2", "3"), ("0", "2", "4"), "moves", "0"),
        (("0", "0", "0"), ("1", "1", "1"), "rises", None),
    ],
)
def test_where_a_figure_goes(
    before: tuple[str, str, str], after: tuple[str, str, str], direction: str, share: str | None
) -> None:
    one, two = (Figure(*map(Decimal, ends)) for ends in (before, after))
    change = FigureChange("usd_per_month", one, two)
    assert change.direction == direction
    assert change.share == (None if share is None else Decimal(share))


@pytest.mark.parametrize(
    ("before", "after", "items"),
    [
        ([line("a", "1")], [line("a", "1")], []),
        ([line("a", "1")], [line("a", "2")], ["a"]),
        ([line("a", "1")], [line("a", "1", quantity="2")], ["a"]),
        ([line("a", "1")], [line("a", None)], ["a"]),
        ([line("a", "1")], [line("b", "1")], ["b", "a"]),
        ([line("a", "1"), line("a", "2")], [line("a", "1"), line("a", "3")], ["a"]),
        ([line("a", "1"), line("a", "2")], [line("a", "1")], ["a"]),
        ([], [line("a", "1")], ["a"]),
    ],
)
def test_lines_that_differ(before: list[Line], after: list[Line], items: list[str]) -> None:
    assert [each.item for each in found([site("s", *before)], [site("s", *after)]).lines] == items


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (line("a", "1"), line("a", "1"), False),
        (line("a", "1"), line("a", "2"), True),
        (line("a", "1"), line("a", "1", seen="2026-11-02"), True),
        (line("a", "1"), line("a", "1", quantity="5"), False),
        (line("a", "1"), line("b", "2"), False),
        (line("a", None), line("a", "2"), False),
    ],
)
def test_prices_that_differ(before: Line, after: Line, changed: bool) -> None:
    assert bool(found([site("s", before)], [site("s", after)]).prices) == changed


def test_a_side_without_a_price_makes_a_figure_incomplete() -> None:
    assert not found([site("s", line("a", None))], [site("s", line("a", "1"))]).cost.complete
    assert not found([site("s", line("a", "1"))], [site("s", line("a", None))]).cost.complete


def test_of_a_side_that_has_nothing_everything_is_new_or_gone() -> None:
    came, went = found(None, [site("s", line("a", "2"))]), found([site("s", line("a", "2"))], None)
    two = Decimal(2)
    assert (came.cost.change, went.cost.change) == ((two,) * 3, (-two,) * 3)
    (figure, *_), (other, *_) = came.stacks["f-s-platform"], went.stacks["f-s-platform"]
    assert (figure.before, other.after) == (None, None)


@given(st.lists(AMOUNTS, max_size=4), st.lists(AMOUNTS, max_size=4))
def test_the_change_of_the_whole_is_that_of_its_lines_and_turns_with_its_sides(
    before: list[Decimal], after: list[Decimal]
) -> None:
    one, two = ([site("s", *(line(str(at), str(usd)) for at, usd in enumerate(side)))] for side in (before, after))
    forth, back = found(one, two), found(two, one)
    moved = Decimal(0)
    for each in forth.lines:
        moved += (each.after.amount.expected if each.after else 0) - (each.before.amount.expected if each.before else 0)
    assert forth.cost.change == (moved,) * 3
    assert back.cost.change == (-moved,) * 3
