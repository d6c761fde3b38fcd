"""What a region of AWS sells: an instance type in one way of buying, by a sourced row of the catalog or of the site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from aifactory.components.catalog import Catalog, jurisdictions_of
from aifactory.components.given_aws_nodes import Purchase, StatedOffer

SPOT_OF_ALL_US = "us"
"""Key of spot prices that hold for all regions of the US together, and so for none of them."""


class Sold(Struct, frozen=True):
    """A type that a region sells."""

    region: str
    usd_per_hour: float | None
    """Price of an instance. Unit: USD per hour. None: that it is sold is known, and its price isn't."""
    ref: str
    """Catalog row, empty where the site states it."""
    says: str
    """What says so, for people."""


class Nearest(Struct, frozen=True):
    """The region that sells a type, in the same country if there is one, then under the same law."""

    sold: Sold
    country: str
    usd_least: float | None
    """Least price of all regions. None: no price is known."""

    @property
    def more_percent(self) -> int | None:
        """How much more it costs than where it costs least. Unit: percent."""
        price, least = self.sold.usd_per_hour, self.usd_least
        return None if price is None or not least else round((price / least - 1) * 100)


def sold_in(
    catalog: Catalog, instance_type: str, region: str, purchase: Purchase, stated: Iterable[StatedOffer] = ()
) -> Sold | None:
    """What says that a region sells a type in this way. None: no source does, which is no proof that it doesn't."""
    for offer in stated:
        if offer.instance_type == instance_type and offer.purchase == purchase:
            return Sold(region, offer.usd_per_hour, "", f"{offer.evidence} ({offer.seen})")
    return next((each for each in sold(catalog, instance_type, purchase) if each.region == region), None)


def sold(catalog: Catalog, instance_type: str, purchase: Purchase) -> Iterator[Sold]:
    """Regions that sell a type in one way, by rows of the catalog."""
    if purchase == "capacity-block":
        yield from _blocks(catalog, instance_type)
        return
    row = catalog.find("prices-aws", instance_type)
    if row is None:
        return
    if purchase == "spot":
        for region, band in row.mapping("spot").items():
            if region != SPOT_OF_ALL_US and isinstance(band, tuple | list):
                yield Sold(region, float(band[-1]), row.ref, f"{row.ref}: spot, highest of its zones")
        return
    for region, usd in row.mapping("on_demand").items():
        yield Sold(region, float(str(usd)), row.ref, f"{row.ref}: on demand")


def nearest(catalog: Catalog, instance_type: str, country: str, purchase: Purchase) -> Nearest | None:
    """The region nearest to a country that sells a type. None where no source names one."""
    found = [(each, _country(catalog, each.region)) for each in sold(catalog, instance_type, purchase)]
    laws = set(jurisdictions_of(catalog, country))

    def order(entry: tuple[Sold, str]) -> tuple[int, float, str]:
        each, where = entry
        shared = laws.intersection(jurisdictions_of(catalog, where)) if where else set()
        distance = 0 if where == country else 1 if shared else 2
        return distance, each.usd_per_hour or 0.0, each.region

    known = sorted((entry for entry in found if entry[1]), key=order)
    if not known:
        return None
    prices = [each.usd_per_hour for each, _ in found if each.usd_per_hour is not None]
    return Nearest(known[0][0], known[0][1], min(prices, default=None))


def _blocks(catalog: Catalog, instance_type: str) -> Iterator[Sold]:
    """Capacity Blocks: rows with a price, newest first, then regions in which the type is listed and sold so alone."""
    rows = [row for row in catalog.rows("prices-aws.capacity_blocks") if row.text("type") == instance_type]
    seen: set[str] = set()
    for row in sorted(rows, key=lambda row: row.text("seen"), reverse=True):
        region = row.text("region")
        if region not in seen and catalog.find("regions", f"aws:{region}") is not None:
            seen.add(region)
            yield Sold(region, row.number("usd"), row.ref, f"{row.ref}: Capacity Block")
    listed = catalog.find("prices-aws", instance_type)
    for region in listed.data.get("listed_in", ()) if listed is not None else ():
        if region not in seen:
            yield Sold(
                str(region), None, listed.ref if listed else "", "listed there, and sold by Capacity Block alone"
            )


def _country(catalog: Catalog, region: str) -> str:
    row = catalog.find("regions", f"aws:{region}")
    return row.text("country") if row is not None else ""
