"""A figure: three exact numbers, of which gates read the worst. Nothing negative or endless gets in or out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation, localcontext

from msgspec import Struct

CENT = Decimal("0.01")
DIGITS = 40
"""Digits that are carried: quotients are cut there, far below a cent of any budget."""
LARGEST = Decimal(10) ** 18
"""Beyond it a number is a slip of the pen: more money than there is, or more joules than a country burns in a year."""


class NotAFigure(ValueError):
    """A number that no figure holds, in words."""


class Figure(Struct, frozen=True):
    """low ≤ expected ≤ high, each finite and not negative. The unit is that of the field that holds it."""

    low: Decimal
    expected: Decimal
    high: Decimal

    def __post_init__(self) -> None:
        """Raises `NotAFigure`."""
        for value in (self.low, self.expected, self.high):
            if not value.is_finite() or value < 0 or value > LARGEST:
                raise NotAFigure(f"{value:.6g} is not a number between 0 and 10^18")
        if not self.low <= self.expected <= self.high:
            raise NotAFigure(f"{self.low:.6g}, {self.expected:.6g} and {self.high:.6g} don't rise")

    def __add__(self, other: Figure) -> Figure:
        """End by end."""
        return both(self, other, lambda one, two: one + two)

    def times(self, other: Figure | Decimal) -> Figure:
        """End by end: each end is as bad as both are."""
        factor = other if isinstance(other, Figure) else just(other)
        return both(self, factor, lambda one, two: one * two)

    def per(self, other: Figure) -> Figure:
        """Least of the least over the most: what is divided by helps, so its ends change places.

        Raises `NotAFigure` when it may be 0.
        """
        if not other.low:
            raise NotAFigure("a share of nothing")
        with localcontext(EXACTLY):
            return Figure(self.low / other.high, self.expected / other.expected, self.high / other.low)

    def over(self, divisor: Decimal | int) -> Figure:
        """End by end over a number, which is above 0."""
        with localcontext(EXACTLY):
            return Figure(self.low / divisor, self.expected / divisor, self.high / divisor)

    @property
    def cents(self) -> Figure:
        """The figure as it is billed: whole cents, half up."""
        return self.rounded(CENT)

    def rounded(self, step: Decimal) -> Figure:
        """To whole steps, half up."""
        return Figure(*(value.quantize(step, ROUND_HALF_UP) for value in (self.low, self.expected, self.high)))

    @property
    def is_one_number(self) -> bool:
        """Whether there is no doubt in it."""
        return self.low == self.high


EXACTLY = Context(prec=DIGITS)
"""How quotients are taken."""
ZERO = Decimal(0)
HUNDRED = Decimal(100)
MILLION = Decimal(1_000_000)
NOTHING = Figure(ZERO, ZERO, ZERO)


def both(one: Figure, two: Figure, how: Callable[[Decimal, Decimal], Decimal]) -> Figure:
    """Two figures, end by end."""
    with localcontext(EXACTLY):
        return Figure(how(one.low, two.low), how(one.expected, two.expected), how(one.high, two.high))


def exact(value: float | str | Decimal) -> Decimal:
    """A number as it is written: 0.1 is a tenth.

    Raises `NotAFigure` for what is no number, such as one with thousands separators.
    """
    text = str(value).strip()
    # Decimal takes 1_000 and digits of any script.
    if "_" in text or not text.isascii():
        raise NotAFigure(f"{value!r} is not a number")
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise NotAFigure(f"{value!r} is not a number") from None
    if not found.is_finite():
        raise NotAFigure(f"{value!r} is not a finite number")
    return found or ZERO  # -0.0 is printed as a negative amount


def just(value: float | str | Decimal) -> Figure:
    """A number without doubt."""
    found = exact(value)
    return Figure(found, found, found)


def between(low: float | str | Decimal, high: float | str | Decimal) -> Figure:
    """A range of which nobody says more: the middle is expected, and that is an assumption."""
    least, most = exact(low), exact(high)
    return Figure(least, (least + most) / 2, most)


def per_million(figure: Figure, count: Figure) -> Figure | None:
    """What a million of something takes, such as tokens of a month. None where there is nothing of it."""
    return figure.per(count.over(MILLION)) if count.low else None


def total(figures: Iterable[Figure]) -> Figure:
    """The sum. Of cents it is exact."""
    low = expected = high = ZERO
    with localcontext(EXACTLY):
        for each in figures:
            low, expected, high = low + each.low, expected + each.expected, high + each.high
    return Figure(low, expected, high)
