"""What a place costs, as its site file says: quotes, interest, space and people. Nothing of it has a default.

What isn't written is asked for where a figure needs it, and the figure is missing until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.economics.figures import Figure, between, just
from aifactory.components.forms import Folder, Line
from aifactory.components.given_aws_nodes import Day
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, Spec, truth, twice

Currency = Literal["USD", "EUR", "GBP", "CHF", "SEK", "NOK", "DKK"]
"""Currency by its ISO 4217 code."""

Amount = Annotated[float, Field(gt=0, le=1e12)]
"""Money in the currency of the table that it stands in, without tax."""
Share = Annotated[float, Field(ge=0, le=100)]
"""Unit: percent."""


class Range(Spec):
    """Two ends of a price that nobody has quoted yet. The middle is expected, and counts as assumed."""

    low: Amount
    """Cheaper end."""

    high: Amount
    """Dearer end. Gates count it."""

    @truth
    def _the_ends_rise(self) -> Iterator[Misfit]:
        if self.low > self.high:
            yield Misfit(f"{self.low:g} is above {self.high:g}", "write the cheaper end as low", ("low",))


Price = Amount | Range
"""A quote, or two ends of an estimate."""


def figure_of(price: Price) -> Figure:
    """A price as three numbers, in its own currency."""
    return between(price.low, price.high) if isinstance(price, Range) else just(price)


class ServersGiven(Spec):
    """What nodes of one group cost."""

    group: Name
    """Group of nodes of the site."""

    price: Price
    """Price of one node with its drives and network cards."""


class StorageCost(Spec):
    """What a storage system costs that stands behind a StorageClass."""

    storage_class: Name
    """Its StorageClass, as the site lists it."""

    price: Price
    """Price of the whole system."""


class PeopleGiven(Spec):
    """People who run the factory at this place."""

    fte: float = Field(gt=0, le=1_000)
    """How many, in full posts. A place that never sleeps needs about five for one on duty."""

    per_year: Price
    """What one costs a year."""


class Paper(Spec):
    """Where figures come from."""

    source: Line = Field(min_length=10, max_length=400)
    """Whose figures these are: the quote, contract or ledger. An example says that it is one."""

    seen: Day
    """Day on which they held."""

    example: bool = False
    """Whether they are made up to show the form. Every report of them says so. Default false."""

    currency: Currency
    """Currency of all amounts of this table. Energy has its own, in power.usd_per_kwh."""


class ExchangeGiven(Spec):
    """A rate of exchange that was agreed or looked up."""

    usd: float = Field(gt=0, le=1_000)
    """USD for one unit of the table's currency."""

    source: Line = Field(min_length=5, max_length=200)
    """Who says so."""

    seen: Day
    """Day of the rate."""


class CostsBase(Paper):
    """What holds for figures of any place."""

    exchange: ExchangeGiven | None = None
    """Rate to USD. Default: the newest of the catalog; USD needs none."""

    prices: list[Folder] = Field(default=[], max_length=20)
    """Price files that hold before the catalog, the first one first, by their path from the folder of this
    file. Default none."""

    cost_of_capital_percent: float | None = Field(default=None, ge=0, le=100)
    """Interest a year that money for this place must earn. 0 for money that costs nothing. Unit: percent. Default
    none: capital has no cost that anybody could name, and capital figures are missing."""


class CostsGiven(CostsBase):
    """What an owned or colocated place costs."""

    life_years: float | None = Field(default=None, gt=0, le=15)
    """Years after which machines are replaced. Unit: years. Default none: 4 to 6, as companies write theirs off."""

    residual_percent: Share | None = None
    """What machines are worth then. Unit: percent of their price. Default none: nothing."""

    maintenance_percent: Share | None = None
    """Spares and service a year. Unit: percent of prices. Default none: 5 to 10, a weak source."""

    idle_nodes: Literal["factory", "others"] | None = None
    """Who pays for GPU nodes that no pool of the factory uses. Default none: it is asked where there are any."""

    servers: list[ServersGiven] = Field(default=[], max_length=200)
    """Prices of nodes. Default none: ranges of the catalog, for the accelerators that it knows."""

    network_per_node: Price | None = None
    """Switches, optics and cables for one GPU node. Default none: no source knows it of small sites, and it is
    asked."""

    storage: list[StorageCost] = Field(default=[], max_length=50)
    """Prices of storage systems that are no nodes of the site. Default none."""

    space_per_kw_month: Price | None = None
    """Rent of a colocation, or what the own hall costs with its cooling, by kW of nameplate and month, without
    energy. Default none: asked on-prem and at the edge; at a colocation what such deployments pay."""

    people: PeopleGiven | None = None
    """People. Default none: asked."""

    ai_enterprise: bool | None = None
    """Whether NVIDIA AI Enterprise is paid for each GPU. Default none: asked of NVIDIA GPUs that don't bring it."""

    utilisation_percent: Share | None = None
    """Mean utilisation of GPUs that no demand says anything about, such as those of training. Unit: percent. Default
    none: they count as always busy."""

    @truth
    def _each_is_priced_once(self) -> Iterator[Misfit]:
        for index in twice([each.group for each in self.servers]):
            says = f"{self.servers[index].group} is priced twice"
            yield Misfit(says, "price each group once", ("servers", index, "group"))
        for index in twice([each.storage_class for each in self.storage]):
            says = f"{self.storage[index].storage_class} is priced twice"
            yield Misfit(says, "price each system once", ("storage", index, "storage_class"))


class UsageGiven(Spec):
    """What a plan can't know of a month in a region. A field that is left out is missing in the estimate, and is never
    0."""

    nat_gb: float | None = Field(default=None, ge=0, le=1e9)
    """Through NAT gateways. Unit: GB."""

    endpoint_gb: float | None = Field(default=None, ge=0, le=1e9)
    """Through interface endpoints. Unit: GB."""

    attachment_gb: float | None = Field(default=None, ge=0, le=1e9)
    """From the VPC into a transit gateway. Unit: GB."""

    log_gb: float | None = Field(default=None, ge=0, le=1e9)
    """Logs of control plane and flows that arrive. Unit: GB."""

    internet_gb: float | None = Field(default=None, ge=0, le=1e9)
    """Out to the internet. Unit: GB."""

    between_zones_gb: float | None = Field(default=None, ge=0, le=1e9)
    """Between zones, each way. Unit: GB."""

    registry_gb: float | None = Field(default=None, ge=0, le=1e9)
    """Copies of images that lie in the registry. Unit: GB."""

    volume_gb: float | None = Field(default=None, ge=0, le=1e9)
    """Volumes of claims, such as those of metrics. Unit: GB."""

    volumes: float | None = Field(default=None, ge=0, le=1e6)
    """How many volumes of claims there are. Asked where a tier gives them more operations or throughput than each
    has."""

    balancer_units: float | None = Field(default=None, ge=0, le=1e6)
    """Capacity units of all network load balancers, in the mean of a month (NLCU)."""

    objects_gb: float | None = Field(default=None, ge=0, le=1e9)
    """Objects in buckets of the factory. Unit: GB."""

    key_requests: float | None = Field(default=None, ge=0, le=1e12)
    """Requests to keys. Unit: requests."""

    queue_requests: float | None = Field(default=None, ge=0, le=1e12)
    """Requests to queues, such as those in which interruptions of nodes are told. Unit: requests."""

    object_writes: float | None = Field(default=None, ge=0, le=1e12)
    """Requests that write or list objects. Unit: requests."""

    object_requests: float | None = Field(default=None, ge=0, le=1e12)
    """Requests that read objects. Unit: requests."""


class AwsCostsGiven(CostsBase):
    """What a region costs beside what its list prices say."""

    usage: UsageGiven = UsageGiven()
    """What a plan can't know of a month. Default none."""

    support_plan: Literal["basic", "business-support-plus", "enterprise-support", "unified-operations"] | None = None
    """Support plan of the account, whose price is a share of its bill; basic has none. Default none: asked."""

    utilisation_percent: Share | None = None
    """Mean utilisation of GPUs that no demand says anything about. Unit: percent. Default none: always busy."""

    system_node_kw: float | None = Field(default=None, gt=0, le=10)
    """Mean draw of a system node. Unit: kW. Default none: AWS states none of its instances, and it is missing in the
    energy."""
