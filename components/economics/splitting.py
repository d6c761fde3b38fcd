"""Core and flex: how much to own when the rest can be rented. Formulas F13 to F15 of decision 0045.

The newsvendor's rule: a GPU is worth owning when it is needed in more than c/f of the hours, with c what an hour of it
costs owned and f rented.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

from msgspec import Struct

from aifactory.components.economics.figures import EXACTLY, NotAFigure


class Split(Struct, frozen=True):
    """How much of a load is owned, and what rented hours remain."""

    core: Decimal
    """GPUs, or steps of them, that are owned."""
    flex_hours: Decimal
    """Unit: GPU-hours over all hours of the load."""
    break_even: Decimal
    """Share of hours in which an owned GPU must be needed, to be worth it."""
    cost_per_hour: Decimal
    """Mean cost of an hour of the whole load."""
    rented_hour: Decimal = Decimal(0)
    """What a rented GPU-hour that answers costs with all starts; 0 where no starts were counted."""


def break_even(owned: Decimal, rented: Decimal) -> Decimal:
    """F15: least utilisation at which owning costs no more. Above 1: renting is cheaper always."""
    if rented <= 0 or owned < 0:
        raise NotAFigure(f"a break-even of {owned} owned and {rented} rented")
    with localcontext(EXACTLY):
        return owned / rented


def core_and_flex(load: Sequence[Decimal], owned: Decimal, rented: Decimal, step: Decimal = Decimal(1)) -> Split:
    """F13 and F14: the least core, in whole steps, above which load lies in no more than c/f of the hours.

    `load` is GPUs needed by hour; `owned` and `rented` are USD per GPU-hour; `step` is how many GPUs are bought
    together. Raises `NotAFigure` for an empty or negative load.
    """
    if not load or min(load) < 0 or step <= 0:
        raise NotAFigure("a load without hours, or with a negative one")
    share = break_even(owned, rented)
    count = Decimal(len(load))
    core = Decimal(0)
    # Not by the share: a third, cut somewhere, of 24 hours is less than 8.
    while sum(1 for each in load if each > core) * rented > owned * count:
        core += step
    flex = sum((each - core for each in load if each > core), Decimal(0))
    with localcontext(EXACTLY):
        return Split(core, flex, share, owned * core + rented * flex / count)


def core_with_starts(load: Sequence[Decimal], owned: Decimal, rented: Decimal, warm_up_h: Decimal) -> Split:
    """F13 where a rented GPU runs some hours, at each start, before it answers: `warm_up_h` is added to its hours.

    Starts are counted hour by hour over the day, which begins again at its end. Cost rises or falls evenly between two
    loads, so the cheapest core is one of them, or none; of equal ones the least. `break_even` counts what a rented hour
    that answers really costs. Without warm-up this is `core_and_flex`. Raises `NotAFigure` for an empty or negative
    load.
    """
    if warm_up_h < 0:
        raise NotAFigure(f"a warm-up of {warm_up_h} h")
    if not load or min(load) < 0:
        raise NotAFigure("a load without hours, or with a negative one")
    break_even(owned, rented)
    found = [_started(load, core, owned, rented, warm_up_h) for core in sorted({Decimal(0), *load})]
    return min(found, key=lambda each: each[0])[1]


def _started(
    load: Sequence[Decimal], core: Decimal, owned: Decimal, rented: Decimal, warm_up_h: Decimal
) -> tuple[Decimal, Split]:
    """What all hours cost together, which no quotient has cut, and the split."""
    over = [max(Decimal(0), each - core) for each in load]
    before = [over[-1], *over[:-1]]
    starts = sum((max(Decimal(0), now - then) for then, now in zip(before, over, strict=True)), Decimal(0))
    flex = sum(over, Decimal(0))
    with localcontext(EXACTLY):
        hours = flex + warm_up_h * starts
        each = rented * hours / flex if flex else rented
        cost = owned * core * len(load) + rented * hours
        return cost, Split(core, flex, owned / each, cost / len(load), each)
