"""What others rent GPUs for, by rows of the catalog. Nobody checked where they stand, and under whose law."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from msgspec import Struct

from aifactory.components.catalog import Catalog, Row
from aifactory.components.economics.figures import Figure, NotAFigure, just
from aifactory.components.economics.powering import HOURS
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.model import Term
from aifactory.stacks.estimate.options import Option
from aifactory.stacks.estimate.prices import seen_of

TABLES = ("neoclouds", "hyperscalers_other", "bare_metal_per_year")
"""Tables of `prices-aws` with sellers beside AWS."""
UNCHECKED = "not checked for residency"
UNKNOWN = "unknown"


class Rival(Struct, frozen=True):
    """GPU hours of a site's pools, rented from somebody else."""

    site: str
    vendor: str
    accelerator: str
    gpus: int
    price: Term
    """Of a GPU and hour. Unit: USD."""
    region: str
    """As the catalog has it, else `unknown`."""
    note: str
    month: Figure
    """All these GPUs, all hours. Unit: USD."""
    break_even: Figure | None
    """F15: least utilisation of owned GPUs at which owning costs no more. None: nothing is owned, or has no price."""


def rivals(options: Iterable[Option], cases: Iterable[Case], catalog: Catalog) -> Iterator[Rival]:
    """Sellers of the accelerators of each site, the cheapest first."""
    planned = {option.site: option for option in options if option.planned}
    for case in cases:
        gpus: dict[str, int] = {}
        for pool in case.pools:
            gpus[pool.plan.accelerator] = gpus.get(pool.plan.accelerator, 0) + pool.gpus
        option = planned.get(case.site.site)
        for accelerator, number in gpus.items():
            rows = [row for row in rows_of(catalog) if row.data.get("accelerator") == accelerator]
            for row in sorted(rows, key=lambda row: (row.number("usd_per_gpu_h"), row.key)):
                yield _rival(row, case, accelerator, number, option)


def rows_of(catalog: Catalog) -> Iterator[Row]:
    """All rows of sellers beside AWS that have a price."""
    for table in TABLES:
        for row in catalog.rows(f"prices-aws.{table}"):
            if row.value("usd_per_gpu_h"):
                yield row


def _rival(row: Row, case: Case, accelerator: str, gpus: int, option: Option | None) -> Rival:
    price = Term(row.text("vendor"), just(row.number("usd_per_gpu_h")), "USD/GPU-hour", row.ref, seen_of(row))
    return Rival(
        site=case.site.site,
        vendor=row.text("vendor"),
        accelerator=accelerator,
        gpus=gpus,
        price=price,
        region=str(row.data.get("region") or UNKNOWN),
        note=str(row.data.get("note") or ""),
        month=price.value.times(Decimal(gpus) * HOURS),
        break_even=_break_even(option, price.value),
    )


def _break_even(option: Option | None, price: Figure) -> Figure | None:
    if option is None or option.life is None or option.gpu_hour is None:
        return None
    try:
        return option.gpu_hour.per(price)
    except NotAFigure:
        return None
