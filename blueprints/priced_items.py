"""Rows of price files that no plan could use: a name that nothing is sold by, or a way of buying that doesn't fit."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.catalog import Catalog
from aifactory.components.given_prices import PriceFile, PriceGiven
from aifactory.components.problems import Path, Problem, nearest

INSTANCES = ("aws-instances", "aws-eks.instances", "prices-aws")
METERS = "prices-aws-services"
NODES = f"{METERS}.nodes"
LUSTRE = "fsx/lustreFileSystem:persistent2-{}"
LUSTRE_RATES = (125, 250, 500, 1000)
"""MB/s for each TiB that FSx for Lustre sells on SSD (AWS, FSx for Lustre performance)."""


def unusable(file: PriceFile, catalog: Catalog) -> Iterator[Problem]:
    """A problem for each row that would never be looked up, and so would leave the list price in force in silence."""
    instances = {row.key for table in INSTANCES for row in catalog.rows(table)}
    instances |= {row.key.partition(":")[0] for row in catalog.rows(NODES)}
    meters = {row.key.rpartition(":")[0] for row in catalog.rows(METERS)}
    meters |= {LUSTRE.format(rate) for rate in LUSTRE_RATES}
    for index, row in enumerate(file.rows):
        at: Path = ("rows", index, "item")
        if row.item not in instances | meters:
            kind = meters if ":" in row.item else instances
            yield Problem(f'nothing is sold as "{row.item}"', at, nearest(row.item, kind))
        else:
            yield from _bought(row, at, row.item in instances)
        if row.region is not None and catalog.find("regions", f"aws:{row.region}") is None:
            regions = (each.key.removeprefix("aws:") for each in catalog.rows("regions") if each.key.startswith("aws:"))
            says = f'"{row.region}" is not a known region'
            yield Problem(says, ("rows", index, "region"), nearest(row.region, regions))


def _bought(row: PriceGiven, at: Path, is_instance: bool) -> Iterator[Problem]:
    if is_instance and row.purchase is None:
        says = f"{row.item} without a purchase: an instance has a price for each way of buying"
        yield Problem(says, at, "add purchase: on-demand, reserved, capacity-block or spot")
    if not is_instance and row.purchase is not None:
        yield Problem(f"{row.item} is no instance, and is bought in one way", at, "delete purchase")
