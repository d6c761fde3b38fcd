"""Exact numbers as JSON has them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from aifactory.components.economics.figures import Figure

FINE = Decimal("0.0001")
WHOLE = Decimal(1)


def ends(figure: Figure, step: Decimal) -> dict[str, float | int]:
    """low, expected and high as JSON numbers."""
    return {name: number(getattr(figure, name), step) for name in ("low", "expected", "high")}


def number(value: Decimal, step: Decimal) -> float | int:
    """A JSON number, rounded half up to a step. Whole steps are whole numbers."""
    rounded = value.quantize(step, ROUND_HALF_UP)
    return int(rounded) if step == WHOLE else float(rounded)
