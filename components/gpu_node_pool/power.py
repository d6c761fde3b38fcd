"""What racks and the site can power, counted over everything that is on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from msgspec import Struct

from aifactory.components.base import Place
from aifactory.components.given import NodeGroup


class Budget(Struct, frozen=True):
    """Power that is left for a group of nodes. All in kW."""

    kw_per_node: Decimal
    kw_per_rack: Decimal
    kw_total: Decimal
    kw_used: Decimal
    """What CPU nodes and the nodes of other pools draw at most."""
    used_by_rack: Mapping[str, Decimal]

    def nodes_in(self, rack: str) -> int:
        """Nodes of the group that a rack can still power."""
        return _whole(self.kw_per_rack - self.used_by_rack.get(rack, Decimal(0)), self.kw_per_node)

    @property
    def nodes(self) -> int:
        """Nodes of the group that the site can still power, whatever the racks."""
        return _whole(self.kw_total - self.kw_used, self.kw_per_node)


def budget(place: Place, group: NodeGroup, on: Collection[str]) -> Budget:
    """The budget of a group. `on` are nodes of other pools; CPU nodes are always on, all else is off."""
    power = place.power
    assert power is not None  # noqa: S101 - a site that names nodes in racks states their power
    per_rack = kw(power.kw_per_rack)
    by_rack: dict[str, Decimal] = {}
    for other in place.nodes:
        for rack in other.racks:
            active = sum(other.accelerator is None or node in on for node in rack.nodes)
            if active:
                by_rack[rack.rack] = by_rack.get(rack.rack, Decimal(0)) + active * kw(other.kw_per_node)
    return Budget(
        kw_per_node=kw(group.kw_per_node),
        kw_per_rack=per_rack,
        kw_total=kw(power.kw_total) if power.kw_total is not None else per_rack * power.racks,
        kw_used=sum(by_rack.values(), Decimal(0)),
        used_by_rack=by_rack,
    )


def kw(value: float) -> Decimal:
    """Kilowatts as they were written: 10.2 stays 10.2."""
    return Decimal(str(value))


def shown(value: Decimal) -> str:
    """Kilowatts for people: 40.8, 44."""
    return f"{value.normalize():f}"


def _whole(kw_left: Decimal, kw_per_node: Decimal) -> int:
    return max(0, int(kw_left // kw_per_node))
