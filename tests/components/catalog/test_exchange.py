"""Exchange rates: each of one day, worked out from two published figures of that day."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from aifactory.components.catalog import Catalog, Row

CATALOG = Catalog.shipped()
ROWS = CATALOG.rows("exchange")


def _exact(row: Row, field: str) -> Decimal:
    return Decimal(str(row.number(field)))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
def test_a_rate_is_the_quotient_of_two_figures_of_one_day(row: Row) -> None:
    worked = _exact(row, "usd_per_eur") / _exact(row, "per_eur")
    assert _exact(row, "usd") == worked.quantize(Decimal("0.00000001"))
    assert _exact(row, "usd") > 0
    day = dt.date.fromisoformat(row.text("seen"))
    assert day.weekday() < 5, "the ECB publishes on working days"
    assert day <= dt.date.fromisoformat(row.checked)


def test_rates_of_one_day_rest_on_one_price_of_the_euro() -> None:
    by_day: dict[str, set[float]] = {}
    for row in ROWS:
        by_day.setdefault(row.text("seen"), set()).add(row.number("usd_per_eur"))
    assert {day: len(prices) for day, prices in by_day.items()} == dict.fromkeys(by_day, 1)


@pytest.mark.parametrize(
    ("currency", "usd"),
    [
        ("USD", "1"),
        ("EUR", "1.1206"),
        ("GBP", "1.3220391"),
        ("CHF", "1.19944242"),
        ("SEK", "0.09942427"),
        ("NOK", "0.10363292"),
    ],
)
def test_a_rate_is_looked_up_by_its_currency(currency: str, usd: str) -> None:
    assert _exact(CATALOG.row("exchange", currency), "usd") == Decimal(usd)


def test_an_unknown_currency_has_no_rate_and_a_limit_of_age_is_stated() -> None:
    assert CATALOG.find("exchange", "PLN") is None
    assert CATALOG.about("exchange")["max_age_days"] == 30
