"""What holds of money and energy whatever the numbers are."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from aifactory.components.economics.figures import LARGEST, Figure, NotAFigure, between, exact, just, total
from aifactory.components.economics.owning import capital, monthly, recovered
from aifactory.components.economics.powering import Draw, energy_kwh, node_kw, water_litres
from aifactory.components.economics.splitting import break_even, core_and_flex
from aifactory.components.economics.worth import net_present_cost

CENT = Decimal("0.01")


def amounts(most: str = "1e9", least: str = "0") -> some.SearchStrategy[Decimal]:
    """Amounts of money, in cents."""
    return some.decimals(least, most, places=2)


SHARES = some.decimals("0", "1", places=4)
RATES = some.decimals("0", "0.5", places=5)
YEARS = some.decimals("0.5", "15", places=2)


@some.composite
def figures(draw: some.DrawFn, most: str = "1e9", least: str = "0") -> Figure:
    """Three amounts that rise."""
    return Figure(*sorted(draw(some.tuples(*[amounts(most, least)] * 3))))


def rises(figure: Figure) -> bool:
    """Whether it is what it promises."""
    return Decimal(0) <= figure.low <= figure.expected <= figure.high <= LARGEST


@given(some.lists(figures(), max_size=20), some.lists(figures(), max_size=20))
def test_a_sum_of_parts_is_the_sum_of_all(one: list[Figure], two: list[Figure]) -> None:
    assert total([total(one), total(two)]) == total([*one, *two]) == total([*two, *one])


@given(figures(), figures("1e6"), figures("1e6", "0.01"))
def test_figures_rise_through_all_that_is_done_with_them(one: Figure, two: Figure, three: Figure) -> None:
    assert rises(one + two)
    assert rises(one.times(two))
    assert rises(one.per(three))
    assert rises(one.cents)


@given(figures("1e6"), figures("1e6"), figures("1e6"))
def test_products_are_spread_over_sums(one: Figure, two: Figure, three: Figure) -> None:
    assert (one + two).times(three) == one.times(three) + two.times(three)


@given(amounts(), amounts("1e6", "0.01"))
def test_units_convert_both_ways(amount: Decimal, factor: Decimal) -> None:
    back = just(amount).per(just(factor)).times(factor).expected
    assert abs(back - amount) <= amount * Decimal("1e-38")


@given(amounts(), amounts())
def test_the_middle_of_a_range_lies_between_its_ends(one: Decimal, two: Decimal) -> None:
    low, high = sorted((one, two))
    found = between(low, high)
    assert (found.low, found.high) == (low, high)
    assert found.expected * 2 == low + high


@pytest.mark.parametrize(
    "value",
    ["NaN", "sNaN", "Infinity", "-Infinity", "-1", "-1e-30", "1e19", float("nan"), float("inf"), -0.01],
)
def test_what_is_no_amount_gets_nowhere(value: float | str) -> None:
    with pytest.raises(NotAFigure):
        just(value)


@pytest.mark.parametrize(
    "text", ["1,000", "1 000", "1_000", "1'000", "\u0663", "\uff11\uff12", "1.000,50", "", "x", "0x10", "1e", "\u00bd"]
)
def test_what_is_no_number_is_none(text: str) -> None:
    with pytest.raises(NotAFigure):
        exact(text)


@pytest.mark.parametrize(("low", "expected", "high"), [(2, 1, 3), (1, 3, 2), (3, 2, 1)])
def test_ends_that_do_not_rise_are_no_figure(low: int, expected: int, high: int) -> None:
    with pytest.raises(NotAFigure):
        Figure(Decimal(low), Decimal(expected), Decimal(high))


def test_nothing_is_not_negative() -> None:
    assert str(exact(-0.0)) == str(exact("-0.00")) == "0"


def test_a_share_of_nothing_is_no_figure() -> None:
    with pytest.raises(NotAFigure):
        just(1).per(Figure(Decimal(0), Decimal(1), Decimal(1)))


@given(some.floats(min_value=0, max_value=1e12, allow_subnormal=False))
def test_a_number_is_what_is_written(value: float) -> None:
    assert float(exact(value)) == value
    assert exact(0.1) == Decimal("0.1")


@given(amounts("1e7", "1"), SHARES, RATES, some.integers(1, 15))
def test_what_is_recovered_is_worth_the_price(price: Decimal, left: Decimal, rate: Decimal, years: int) -> None:
    """Paid by the year until the residual value is left, nothing is owed: by a schedule in exact fractions."""
    residual = price * left
    yearly = Fraction(recovered(price, residual, rate, Decimal(years)) * 12)
    owed = Fraction(price)
    for _ in range(years):
        owed = owed * (1 + Fraction(rate)) - yearly
    assert abs(owed - Fraction(residual)) < Fraction(1, 10**15)


@given(amounts("1e7", "1"), SHARES, RATES, some.integers(1, 15))
def test_net_present_cost_of_the_recovery_is_the_price(
    price: Decimal, left: Decimal, rate: Decimal, years: int
) -> None:
    yearly = recovered(price, price * left, rate, Decimal(years)) * 12
    worth = net_present_cost(Decimal(0), [yearly] * years, rate) + price * left / (1 + rate) ** years
    assert abs(worth - price) < Decimal("1e-15")


@given(amounts("1e7", "1"), SHARES, RATES, RATES, YEARS, YEARS)
def test_dearer_money_and_a_shorter_life_cost_more(
    price: Decimal, left: Decimal, one: Decimal, two: Decimal, short: Decimal, long: Decimal
) -> None:
    (cheap, dear), (short, long) = sorted((one, two)), sorted((short, long))
    ends = ((cheap, long), (dear, long), (cheap, short))
    least, dearer, shorter = (Fraction(recovered(price, price * left, rate, years)) for rate, years in ends)
    slack = Fraction(1, 10**25)
    assert least <= dearer + slack
    assert least <= shorter + slack


@given(figures("1e7", "1"), figures("0.9"), figures("0.5"), figures("15", "0.5"))
def test_capital_and_upkeep_of_bands_are_bands(price: Figure, left: Figure, rate: Figure, years: Figure) -> None:
    assert rises(capital(price, left, rate, years))
    assert rises(monthly(price, rate))


@pytest.mark.parametrize("rate", ["1e-300", "1e-40", "1e-20", "1e-9"])
def test_interest_of_nearly_nothing_is_nearly_none(rate: str) -> None:
    price, years = Decimal(395000), Decimal(5)
    none = recovered(price, Decimal(0), Decimal(0), years)
    found = recovered(price, Decimal(0), Decimal(rate), years)
    assert 0 <= found - none <= price * Decimal(rate) + Decimal("1e-30")


@given(figures("20"), figures("1"), figures("1"), figures("1"), figures("2", "1"))
def test_power_lies_between_nothing_and_the_nameplate(
    kw: Figure, idle: Figure, loaded: Figure, use: Figure, pue: Figure
) -> None:
    found = node_kw(kw, Draw(idle, loaded), use)
    assert rises(found)
    assert found.high <= kw.high
    kwh = energy_kwh(just(3), found, pue)
    assert rises(kwh)
    assert rises(water_litres(kwh, just(pue.expected), just(1)))


LOADS = some.lists(some.integers(0, 40).map(Decimal), min_size=1, max_size=24)
PRICES = some.decimals("0.01", "10", places=2)


@settings(max_examples=300, deadline=None)
@given(LOADS, PRICES, PRICES)
def test_no_other_core_costs_less(load: list[Decimal], owned: Decimal, rented: Decimal) -> None:
    found = core_and_flex(load, owned, rented)

    def cost(core: Decimal) -> Fraction:
        flex = sum((max(Decimal(0), each - core) for each in load), Decimal(0))
        return Fraction(owned) * Fraction(core) + Fraction(rented) * Fraction(flex) / len(load)

    least = min(cost(Decimal(core)) for core in range(int(max(load)) + 2))
    assert cost(found.core) == least
    assert found.core == min(core for core in map(Decimal, range(int(max(load)) + 2)) if cost(core) == least)
    assert abs(Fraction(found.cost_per_hour) - least) < Fraction(1, 10**20)
    assert found.break_even == break_even(owned, rented)


@given(LOADS, PRICES, PRICES, some.integers(2, 8).map(Decimal))
def test_what_is_bought_together_is_bought_whole(
    load: list[Decimal], owned: Decimal, rented: Decimal, step: Decimal
) -> None:
    found = core_and_flex(load, owned, rented, step)
    assert found.core % step == 0
    assert found.flex_hours >= 0


@pytest.mark.parametrize(
    ("load", "owned", "rented", "step"),
    [([], 1, 1, 1), ([-1], 1, 1, 1), ([1], 1, 0, 1), ([1], -1, 1, 1), ([1], 1, 1, 0), ([1], 1, -1, 1)],
)
def test_a_load_or_a_price_that_is_none_is_refused(load: list[int], owned: int, rented: int, step: int) -> None:
    with pytest.raises(NotAFigure):
        core_and_flex([Decimal(each) for each in load], Decimal(owned), Decimal(rented), Decimal(step))
