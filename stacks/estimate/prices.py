"""What a thing costs: by contract, by what the site states, or by the catalog's snapshot; never by a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, localcontext

from msgspec import Struct

from aifactory.blueprints.price_files import LoadedPrices
from aifactory.components.aws_sold import SPOT_OF_ALL_US, sold_in
from aifactory.components.catalog import Catalog, Row
from aifactory.components.economics.figures import EXACTLY, Figure, between, just
from aifactory.components.given_aws_nodes import Purchase, StatedOffer
from aifactory.components.given_costs import CostsBase, ExchangeGiven
from aifactory.stacks.estimate.model import Lack, Term

SERVICES = "prices-aws-services"
RATES = "exchange"
_DAY = re.compile(r"20\d\d(-\d\d(-\d\d)?)?")


class NoRate(Exception):
    """A currency without a rate of exchange. Carries what is missing."""

    def __init__(self, lack: Lack) -> None:
        super().__init__(lack.says)
        self.lack = lack


class Book(Struct, frozen=True):
    """All prices of one site, the nearest to the money first."""

    catalog: Catalog
    files: tuple[LoadedPrices, ...]
    region: str = ""
    """Region of AWS, empty elsewhere."""
    offers: tuple[StatedOffer, ...] = ()
    """What the site states that the region sells."""
    instead: Mapping[str, Decimal] = {}
    """Prices of instance types that are asked about in the place of all others. Unit: USD an hour."""

    def row(self, token: str, meter: str) -> Row | None:
        """Row of what AWS counts of a resource: that of the region, or the one that holds in any."""
        places = (self.region, "any")
        rows = (self.catalog.find(SERVICES, f"{token}:{meter}:{place}") for place in places)
        return next((row for row in rows if row is not None), None)

    def service(self, token: str, meter: str, unit: str) -> Term | Lack:
        """Price of a unit of what AWS counts of a resource, such as the `hour` of `ec2/natGateway`."""
        item = f"{token}:{meter}"
        own = self._contract(item, None, unit)
        if own is not None:
            return own
        row = self.row(token, meter)
        return (
            self._missing(f"{item} in {self.region}", f"{SERVICES}/{item}:{self.region}")
            if row is None
            else (self._listed(item, row, unit))
        )

    def _listed(self, name: str, row: Row, unit: str) -> Term:
        with localcontext(EXACTLY):
            each = Decimal(str(row.number("usd"))) / Decimal(str(row.number("per")))
        return Term(name, just(each), unit, row.ref, seen_of(row))

    def instance(self, kind: str, purchase: Purchase) -> Term | Lack:
        """Price of an hour of an instance, bought in one way. Spot has a range."""
        if kind in self.instead:
            return Term(kind, just(self.instead[kind]), "USD/h", "asked about", assumed=True)
        own = self._contract(kind, purchase, "USD/h")
        if own is not None:
            return own
        if self.catalog.find("prices-aws", kind) is None and not self._states(kind, purchase):
            row = self.catalog.find(f"{SERVICES}.nodes", f"{kind}:{self.region}")
            if row is None:
                return self._missing(f"{kind} in {self.region}", f"{SERVICES}.nodes/{kind}:{self.region}")
            return self._listed(kind, row, "USD/h")
        if purchase == "spot":
            return self._spot(kind)
        # A reservation of capacity is paid as on demand, used or not (AWS, On-Demand Capacity Reservations).
        sold_as: Purchase = "on-demand" if purchase == "reserved" else purchase
        found = sold_in(self.catalog, kind, self.region, sold_as, self.offers)
        if found is None and purchase == "reserved":
            found = sold_in(self.catalog, kind, self.region, purchase, self.offers)
        if found is None or found.usd_per_hour is None:
            return self._missing(f"{kind}, {purchase}, in {self.region}", f"prices-aws/{kind}")
        seen = self._seen_of_offer(kind, purchase)
        return Term(f"{kind} {purchase}", just(found.usd_per_hour), "USD/h", found.ref or found.says, seen)

    def commits(self, kind: str) -> bool:
        """Whether a contract has a price for reserving that type."""
        return self._contract(kind, "reserved", "USD/h") is not None

    def _states(self, kind: str, purchase: Purchase) -> bool:
        return any(offer.instance_type == kind and offer.purchase == purchase for offer in self.offers)

    def _spot(self, kind: str) -> Term | Lack:
        """Lowest zone, highest zone, and on demand at worst: nobody promises Spot."""
        row = self.catalog.row("prices-aws", kind)
        bands, fixed = row.mapping("spot"), row.mapping("on_demand").get(self.region)
        band = bands.get(self.region)
        if band is None and self.region.startswith("us-"):
            band = bands.get(SPOT_OF_ALL_US)
        if not isinstance(band, tuple | list):
            return self._missing(f"{kind}, spot, in {self.region}", f"prices-aws/{kind}")
        low, high = just(str(band[0])).low, just(str(band[-1])).low
        most = just(str(fixed)).low if fixed is not None else high
        return Term(f"{kind} spot", Figure(low, high, max(high, most)), "USD/h", row.ref, seen_of(row))

    def _seen_of_offer(self, kind: str, purchase: Purchase) -> str:
        stated = next((o for o in self.offers if o.instance_type == kind and o.purchase == purchase), None)
        if stated is not None:
            return stated.seen
        if purchase == "capacity-block":
            rows = [row for row in self.catalog.rows("prices-aws.capacity_blocks") if row.text("type") == kind]
            mine = [row for row in rows if row.text("region") == self.region]
            return max((seen_of(row) for row in mine), default="")
        return seen_of(self.catalog.row("prices-aws", kind), self.region)

    def _contract(self, item: str, purchase: Purchase | None, unit: str) -> Term | Lack | None:
        """The first file that prices it, for the region before for all. A currency without a rate is no price."""
        for each in self.files:
            rows = [row for row in each.file.rows if row.item == item and row.purchase == purchase]
            for region in (self.region, None):
                row = next((row for row in rows if row.region == region), None)
                if row is None:
                    continue
                try:
                    value, rate = in_usd(just(row.price), each.file.currency, each.file.exchange, self.catalog)
                except NoRate as missing:
                    hint = "write exchange: {usd: ..., source: ..., seen: ...} in that price file"
                    return Lack(f"{each.name}: {missing.lack.says}", hint)
                source = f"{each.name}: {each.file.source}"
                return Term(item, value, unit, source, _older(each.file.seen, rate), example=each.file.example)
        return None

    def _missing(self, what: str, row: str) -> Lack:
        return Lack(f"no price of {what}", f"add the catalog row {row} with its source, or a price file of a contract")


def in_usd(amount: Figure, currency: str, given: ExchangeGiven | None, catalog: Catalog) -> tuple[Figure, Term | None]:
    """An amount in USD, and the rate that was used. Raises `NoRate`."""
    if currency == "USD":
        return amount, None
    if given is not None:
        rate = Term(f"USD for 1 {currency}", just(given.usd), "USD", given.source, given.seen)
        return amount.times(rate.value), rate
    row = catalog.find(RATES, currency)
    if row is None:
        hint = "write costs.exchange: {usd: ..., source: ..., seen: ...}"
        raise NoRate(Lack(f"no rate of exchange for {currency}", hint, ("costs", "exchange")))
    rate = Term(f"USD for 1 {currency}", just(row.number("usd")), "USD", row.ref, seen_of(row))
    return amount.times(rate.value), rate


class Stated(Struct, frozen=True):
    """Amounts that a site states, in USD."""

    costs: CostsBase
    catalog: Catalog

    def term(self, name: str, amount: Figure, unit: str) -> Term:
        """An amount as a term, in USD. Raises `NoRate`."""
        costs = self.costs
        value, rate = in_usd(amount, costs.currency, costs.exchange, self.catalog)
        source = costs.source if rate is None else f"{costs.source}; {rate.source}"
        seen = _older(costs.seen, rate)
        return Term(name, value, unit, source, seen, not amount.is_one_number, costs.example)


def _older(seen: str, rate: Term | None) -> str:
    """An amount in dollars is as old as the older of the amount and its rate."""
    return seen if rate is None else min(seen, rate.seen)


def seen_of(row: Row, region: str = "") -> str:
    """The day a row's value held, as far as anybody says: its own, or the day that its source was read."""
    confirmed = row.mapping("confirmed").get(region)
    for found in (confirmed.get("seen") if isinstance(confirmed, Mapping) else None, row.data.get("seen")):
        text = str(found or "")
        if _DAY.fullmatch(text):
            return f"{text}{'-01-01'[len(text) - 4 :]}" if len(text) < 10 else text
    return row.checked


def range_of(name: str, low: float | str, high: float | str, unit: str, row: Row) -> Term:
    """A range of the catalog."""
    return Term(name, between(str(low), str(high)), unit, row.ref, seen_of(row), assumed=True)
