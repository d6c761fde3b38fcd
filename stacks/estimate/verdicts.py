"""Which side is cheaper, where that can be said at all; with the four numbers without which nobody could check it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from aifactory.components.economics.figures import Figure
from aifactory.stacks.estimate.options import OWNED, Option
from aifactory.stacks.estimate.years import Span

PER_MILLION = "USD per million tokens"
IN_ALL = "USD in all"
ALIKE = Decimal("1e-12")
"""Rates are written in few digits: what differs less is a slip of binary numbers."""


class Verdict(Struct, frozen=True):
    """An owned site against a rented one over some years, with the four that a comparison needs: rival price, use,
    life, and whether idle is paid. Source: economics of the field, section 2.3."""

    owned: str
    rented: str
    years: int
    basis: str
    """Unit in which both are compared, net present."""
    owned_usd: Figure | None
    rented_usd: Figure | None
    cheaper: str
    """`owned` or `rented`, empty while it is undecided."""
    says: str
    rival_usd_per_gpu_hour: Figure | None
    owned_usd_per_gpu_hour: Figure | None
    owned_utilisation: Figure
    rented_utilisation: Figure
    life_years: Figure | None
    owned_idle_is_paid: bool
    rented_idle_is_paid: bool


def verdicts(options: Iterable[Option], barriers: Mapping[tuple[str, str], str]) -> Iterator[Verdict]:
    """Each owned site against each way to rent, by years. `barriers` says why data of an owned site may not be at a
    rented one."""
    found = list(options)
    for owned in found:
        for rented in found:
            if owned.how == OWNED and rented.how != OWNED:
                for one, other in zip(owned.spans, rented.spans, strict=True):
                    yield _verdict(owned, rented, one, other, barriers.get((owned.site, rented.site), ""))


def _verdict(owned: Option, rented: Option, one: Span, other: Span, barrier: str) -> Verdict:
    basis, mine, theirs = _sides(owned, rented, one, other)
    doubts = [
        *([f"{barrier}, and so not at {rented.site}"] if barrier else []),
        *_doubts(owned, rented, basis, mine, theirs),
    ]
    cheaper, says = _judged(owned, rented, mine, theirs, doubts)
    return Verdict(
        owned=owned.name,
        rented=rented.name,
        years=one.years,
        basis=basis,
        owned_usd=mine,
        rented_usd=theirs,
        cheaper=cheaper,
        says=says,
        rival_usd_per_gpu_hour=rented.gpu_hour,
        owned_usd_per_gpu_hour=owned.gpu_hour,
        owned_utilisation=owned.estimate.utilisation.figure,
        rented_utilisation=rented.estimate.utilisation.figure,
        life_years=owned.life,
        owned_idle_is_paid=owned.idle_is_paid,
        rented_idle_is_paid=rented.idle_is_paid,
    )


def _sides(owned: Option, rented: Option, one: Span, other: Span) -> tuple[str, Figure | None, Figure | None]:
    """In all where both carry the same calls, else by tokens where they carry the same mix."""
    if owned.calls == rented.calls:
        return IN_ALL, one.present, other.present
    return PER_MILLION, one.per_million, other.per_million


def _judged(
    owned: Option, rented: Option, mine: Figure | None, theirs: Figure | None, doubts: Sequence[str]
) -> tuple[str, str]:
    if mine is None or theirs is None or doubts:
        return "", f"undecided: {'; '.join(doubts)}"
    cheaper, site = ("owned", owned) if mine.high < theirs.low else ("rented", rented)
    made_up = ", by figures that are examples" if owned.example or rented.example else ""
    return cheaper, f"{site.name} is cheaper{made_up}: the whole ranges lie apart"


def _doubts(owned: Option, rented: Option, basis: str, mine: Figure | None, theirs: Figure | None) -> Iterator[str]:
    if basis == PER_MILLION and not same_mix(owned, rented):
        yield f"{owned.site} and {rented.site} carry different calls"
    elif basis == IN_ALL and not owned.calls and owned.estimate.gpus != rented.estimate.gpus:
        yield f"no calls are asked for, and {owned.site} and {rented.site} have different GPUs"
    for option, figure in ((owned, mine), (rented, theirs)):
        if not option.complete:
            yield f"figures of {option.site} are missing"
        elif figure is None:
            yield f"{option.site} doesn't say what money costs"
    if not owned.quoted:
        yield f"machines of {owned.site} have no quote"
    if mine is not None and theirs is not None and not (mine.high < theirs.low or theirs.high < mine.low):
        yield "the ranges overlap"


def same_mix(one: Option, other: Option) -> bool:
    """Whether both carry the same models with the same tokens, in the same proportion."""
    if not one.calls or one.calls.keys() != other.calls.keys():
        return False
    mine, theirs = sum(one.calls.values()), sum(other.calls.values())
    if not mine or not theirs:
        return False
    shares = ((one.calls[each] * theirs, other.calls[each] * mine) for each in one.calls)
    return all(abs(own - other_s) <= own * ALIKE for own, other_s in shares)
