"""What a site in a region of AWS gives of nodes with accelerators: which types, in which zone, bought how."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from aifactory.components.catalog.keys import AwsInstanceKey
from aifactory.components.forms import Line
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, Spec, truth

ZoneName = Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9][a-z]$", max_length=26)]
"""An Availability Zone as the account names it, such as eu-north-1a."""

AmiRelease = Annotated[str, Field(pattern=r"^1\.[0-9]{2}\.[0-9]+-[0-9]{8}$")]
"""A release of the EKS-optimized AMI, such as "1.35.3-20261105"."""

ReservationId = Annotated[str, Field(pattern=r"^cr-[0-9a-f]{8,17}$")]
"""A capacity reservation, or a Capacity Block, which is one: cr-0123456789abcdef0."""

PlacementGroupName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,253}$")]
"""A placement group that exists, by name."""

DriverRelease = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+){1,3}$", max_length=30)]
"""Release of a driver in quotes, such as "580.178.04"."""

Moment = Annotated[str, Field(pattern=r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]Z$")]
"""A moment in UTC, such as 2027-01-31T11:30Z."""


def _day(value: str) -> str:
    """The value, if the calendar has it."""
    try:
        date.fromisoformat(value)
    except ValueError:
        raise ValueError(f'"{value}" is not a day of the calendar; write the day on which it held') from None
    return value


Day = Annotated[str, Field(pattern=r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]$"), AfterValidator(_day)]
"""A day, such as 2026-11-29."""

Purchase = Literal["on-demand", "reserved", "capacity-block", "spot"]
"""How nodes are bought. on-demand: by the second, if there are any. reserved: an On-Demand Capacity Reservation.
capacity-block: a reservation with an end, paid before it begins. spot: what is left over, taken back at any time."""

RESERVING: tuple[Purchase, ...] = ("reserved", "capacity-block")
"""Purchases that have a reservation, and so a zone."""


class RentedNodesGiven(Spec):
    """Nodes with accelerators that the factory may rent: of one type, bought in one way."""

    group: Name
    """Name of the group."""

    instance_type: AwsInstanceKey
    """Instance type, such as p5en.48xlarge. Decides accelerator, network cards and drives."""

    purchase: Purchase
    """How they are bought. The catalog, or `offers`, must say that the region sells the type so."""

    nodes: int = Field(ge=1, le=4096)
    """How many there may be: what the reservation holds, or the account's quota of vCPUs allows."""

    zone: ZoneName | None = None
    """Zone that they are in. Default none: spread over all zones of the site, which EFA doesn't cross. Needed by a
    reservation, and by a pool on a fabric."""

    reservation: ReservationId | None = None
    """Reservation that they are launched into. Needed by purchase reserved and capacity-block, excluded elsewhere."""

    ends: Moment | None = None
    """End of a Capacity Block. Its nodes are taken 30 minutes before. Needed by purchase capacity-block alone."""

    placement_group: PlacementGroupName | None = None
    """Cluster placement group that the reservation was made in. Default none: the factory makes one for nodes on a
    fabric that are in no reservation."""

    ami_release: AmiRelease
    """Release of the EKS-optimized accelerated AMI (Amazon Linux 2023) that they run."""

    driver: DriverRelease | None = None
    """Release of the NVIDIA driver in that AMI, as its release notes name it. Needed by nodes with NVIDIA GPUs: the AMI
    owns the driver. Default none: nodes of Trainium or Inferentia."""

    disk_gib: int = Field(default=300, ge=50, le=16_000)
    """Root disk of each. Unit: GiB. Default 300: two serving images beside the AMI, which lie on local drives where
    the type has any."""

    pods_per_node: int | None = Field(default=None, ge=8, le=250)
    """Pods that a node takes. Default: as many as the catalog has addresses for. Needed by a type whose addresses no
    source names; aws ec2 describe-instance-types says them."""

    @truth
    def _a_purchase_has_what_it_needs(self) -> Iterator[Misfit]:
        reserving = self.purchase in RESERVING
        if reserving and (self.reservation is None or self.zone is None):
            at = ("purchase",)
            yield Misfit(f"purchase {self.purchase} without its reservation or zone", "add both: it lies in one", at)
        if not reserving and self.reservation is not None:
            says = f"purchase {self.purchase} with a reservation"
            yield Misfit(says, "write purchase: reserved or capacity-block", ("reservation",))
        if (self.purchase == "capacity-block") != (self.ends is not None):
            says = "a Capacity Block without its end" if self.ends is None else f"purchase {self.purchase} has no end"
            yield Misfit(says, "say ends of a Capacity Block, and of nothing else", ("ends",) if self.ends else ())


class StatedOffer(Spec):
    """That a type is sold in the region, where the catalog doesn't know it."""

    instance_type: AwsInstanceKey
    """Instance type."""

    purchase: Purchase
    """How it is sold."""

    usd_per_hour: float = Field(gt=0, le=10_000)
    """Price of an instance, without tax. Unit: USD per hour."""

    evidence: Line = Field(min_length=10, max_length=400)
    """What says so, such as a quote, an order or the output of a command. An example says that it is one."""

    seen: Day
    """Day on which it was read."""
