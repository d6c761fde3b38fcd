"""A price file: what a contract says, before the catalog's list prices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from aifactory.components.forms import Folder, Line
from aifactory.components.given_aws_nodes import Purchase
from aifactory.components.given_costs import Amount, ExchangeGiven, Paper
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, Spec, truth


class PriceGiven(Spec):
    """A price by contract."""

    item: Line = Field(min_length=2, max_length=80)
    """An instance type, such as p5en.48xlarge, or a meter of the catalog's prices-aws-services, such as
    ec2/natGateway:hour."""

    region: Name | None = None
    """Region that it holds in. Default none: all of them."""

    purchase: Purchase | None = None
    """Way of buying that it holds for. Needed by instance types alone. Default none."""

    price: Amount
    """Price of one unit, as the catalog counts that item: an hour of an instance, a GB, a month of a key. Without
    tax."""


class PriceFile(Paper):
    """Prices of one contract or quote."""

    aifactory: Literal["v1"]
    """Version of the language."""

    prices: Name
    """Name of the price file. The file has the same name."""

    exchange: ExchangeGiven | None = None
    """Rate to USD. Default: the newest of the catalog; USD needs none."""

    extends: list[Folder] = Field(default=[], max_length=20)
    """Price files that hold where this one says nothing, by their path from the folder of this file. Default
    none."""

    rows: list[PriceGiven] = Field(min_length=1, max_length=5_000)
    """Prices."""

    @truth
    def _an_item_is_priced_once(self) -> Iterator[Misfit]:
        seen: set[tuple[object, ...]] = set()
        for index, row in enumerate(self.rows):
            key = (row.item, row.region, row.purchase)
            if key in seen:
                yield Misfit(f"{row.item} is priced twice", "keep the price that holds", ("rows", index, "item"))
            seen.add(key)
