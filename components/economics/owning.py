"""What owned things cost a month: capital with interest, upkeep, space. Formulas F1, F2 and F6 of decision 0045."""

from __future__ import annotations

from decimal import Decimal, localcontext

from aifactory.components.economics.figures import EXACTLY, Figure, NotAFigure

MONTHS = Decimal(12)


def recovered(price: Decimal, residual: Decimal, rate: Decimal, years: Decimal) -> Decimal:
    """F1: what pays a price back with interest until its residual value is left. Unit: money a month.

    `rate` is the cost of capital a year (0.07), `years` the life. Paid at the end of each year, and shown by month.
    Raises `NotAFigure` for a life of 0.
    """
    if years <= 0:
        raise NotAFigure(f"a life of {years} years")
    # What a tiny rate or life leaves of 1 must not be lost in the digits that are carried.
    small = max(0, -rate.adjusted()) + max(0, -years.adjusted()) if rate else 0
    with localcontext(EXACTLY) as context:
        context.prec += 2 * small
        if not rate:
            return (price - residual) / years / MONTHS
        kept = (1 + rate) ** -years
        return (price - residual * kept) * rate / (1 - kept) / MONTHS


def capital(price: Figure, residual_share: Figure, rate: Figure, years: Figure) -> Figure:
    """F1 at each end: a long life and a high residual value are the cheap end, so `years` and `residual_share` turn."""
    ends = (
        (price.low, residual_share.high, rate.low, years.high),
        (price.expected, residual_share.expected, rate.expected, years.expected),
        (price.high, residual_share.low, rate.high, years.low),
    )
    return Figure(*(recovered(cost, cost * left, interest, life) for cost, left, interest, life in ends))


def monthly(price: Figure, share_a_year: Figure) -> Figure:
    """F2: a yearly share of a price, by month."""
    return price.times(share_a_year).over(MONTHS)
