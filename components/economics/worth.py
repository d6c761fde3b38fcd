"""Money over years: formula F16 of decision 0045."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

from aifactory.components.economics.figures import EXACTLY


def net_present_cost(
    first: Decimal, yearly: Sequence[Decimal], rate: Decimal, residual: Decimal = Decimal(0)
) -> Decimal:
    """F16: what is paid at once, and each year's costs at its end, in money of today, less what is left at the end."""
    with localcontext(EXACTLY):
        factor, worth = Decimal(1), first
        for each in yearly:
            factor /= 1 + rate
            worth += each * factor
        return worth - residual * factor
