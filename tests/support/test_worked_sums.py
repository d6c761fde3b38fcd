"""The evaluator of hand-worked cases does sums like a spreadsheet, exactly, and nothing else."""

from __future__ import annotations

from fractions import Fraction

import pytest

from support.worked_sums import CantWorkOut, half_up, worked_out

CELLS = {
    "price": Fraction(395000),
    "rate": Fraction("0.07"),
    "load_00": Fraction(3),
    "load_01": Fraction(9),
    "load_02": Fraction(9),
    "loaded": Fraction(99),
}


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("=1 + 2 * 3", "7"),
        ("=(1 + 2) * 3", "9"),
        ("=7 - 2 - 1", "4"),
        ("=2 * 3 ^ 2", "18"),
        ("=2 ^ 3 ^ 2", "512"),
        ("=1 / 3", "1/3"),
        ("=0.1 + 0.2", "0.3"),
        ("=123456789012345678.01", "123456789012345678.01"),
        ("=price * (1 - rate)", "367350"),
        ("=(1 + rate) ^ 5", "1.4025517307"),
        ("=SUM(load)", "21"),
        ("=SUM(load, price, 1)", "395022"),
        ("=MAX(load)", "9"),
        ("=MAX(0, 3 - load_01)", "0"),
        ("=MIN(load)", "3"),
        ("=LARGE(load, 3)", "3"),
        ("=COUNTABOVE(load, 3)", "2"),
        ("=COUNTABOVE(load, 9)", "0"),
        ("=ROUND(2.675, 2)", "2.68"),
        ("=FLOOR(7.99)", "7"),
        ("=IF(load_00 > 3, 1, 2)", "2"),
        ("=IF(load_00 >= 3, 1, 1 / 0)", "1"),
        ("=IF(rate < 1, price, 0)", "395000"),
    ],
)
def test_a_formula_is_worked_out_exactly(formula: str, value: str) -> None:
    assert worked_out(formula, CELLS) == Fraction(value)


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("1 + 1", "does not start with ="),
        ("=1 +", "is no formula"),
        ("=2 ** 3", "a power is written ^"),
        ("=unknown * 2", "no earlier row is called unknown"),
        ("=SUM(loads)", "no earlier row is called loads"),
        ("=price / (rate - 0.07)", "divides by zero"),
        ("=2 ^ 0.5", "a whole exponent"),
        ("=2 ^ 401", "a whole exponent"),
        ("=7 // 2", "not allowed"),
        ("=7 % 2", "not allowed"),
        ("=-7", "not allowed"),
        ("=1e3", "not a plain number"),
        ("=1_000", "not a plain number"),
        ("=0x10", "not a plain number"),
        ('="a"', "not a plain number"),
        ("=True", "not a plain number"),
        ("=1 < 2", "not allowed"),
        ("=IF(1, 2, 3)", "one comparison"),
        ("=IF(1 < 2 < 3, 2, 3)", "one comparison"),
        ("=IF(1 == 1, 2, 3)", "no comparison by"),
        ("=LARGE(load, 4)", "no 4. of 3 rows"),
        ("=ROUND(1)", "can't be worked out"),
        ("=open(1)", "is not allowed; known"),
        ("=price.real", "not allowed"),
        ("=().__class__()", "is not allowed; known"),
        ("=[price]", "not allowed"),
    ],
)
def test_what_is_no_such_sum_is_refused_by_name(formula: str, says: str) -> None:
    with pytest.raises(CantWorkOut, match=says.replace("(", r"\(").replace("^", r"\^")):
        worked_out(formula, CELLS)


@pytest.mark.parametrize(
    ("value", "decimals", "rounded"),
    [("0.005", 2, "0.01"), ("0.015", 2, "0.02"), ("0.025", 2, "0.03"), ("0.0049999", 2, "0"), ("-0.005", 2, "-0.01")],
)
def test_a_half_goes_up_as_on_paper(value: str, decimals: int, rounded: str) -> None:
    assert half_up(Fraction(value), decimals) == Fraction(rounded)
