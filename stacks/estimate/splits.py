"""How much of a load is worth owning, and where the rest could be rented: what an estimate says of it."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from aifactory.components.economics.figures import Figure


class Renting(Struct, frozen=True):
    """GPU hours that a site of the factory could rent in the place of owned ones."""

    site: str
    what: str
    """Nodes that would be rented, and how."""
    usd_per_gpu_hour: Figure
    """For what an owned GPU does in an hour: a slower one is dearer here than by the hour."""
    sources: tuple[str, ...] = ()


class Barred(Struct, frozen=True):
    """A site that may not have the data, or can't be priced."""

    site: str
    says: str


class BreakEven(Struct, frozen=True):
    """An owned pool against the cheapest rented site where its data may go."""

    pool: str
    gpus: int
    owned: Figure
    """USD per GPU-hour."""
    rented: Renting
    share: Figure
    """F15: least utilisation at which owning costs no more. Above 1: never."""
    use: Figure
    """Mean utilisation. Between 0 and 1."""


class CoreFlex(Struct, frozen=True, kw_only=True):
    """A model's load over a day, split into what is worth owning and what is rented."""

    part: str
    model: str
    pool: str
    load: tuple[Decimal, ...] = ()
    """GPUs that are needed, hour by hour. Empty: only mean and peak are known."""
    step: int = 1
    """GPUs of a replica: fewer serve nothing."""
    owned: Figure | None = None
    """USD per GPU-hour."""
    rented: Renting | None = None
    """Cheapest place for the rest. None: there is none."""
    barred: tuple[Barred, ...] = ()
    warm_up_h: Decimal | None = None
    """Hours that a node runs, at each start, before it answers."""
    rented_with_warm_up: Figure | None = None
    """USD per GPU-hour that answers."""
    break_even: Figure | None = None
    """F15, with warm-up."""
    core: tuple[Decimal, Decimal, Decimal] | None = None
    """F13: GPUs worth owning where that is least attractive, as expected, and where it is most."""
    flex_hours: Decimal | None = None
    """F14: GPU-hours a day that are rented, as expected."""
    cost_per_hour: Decimal | None = None
    """Mean of a day, owned and rented, as expected. Unit: USD."""
    says: str = ""
    """Why it isn't split, or what was decided for it."""
