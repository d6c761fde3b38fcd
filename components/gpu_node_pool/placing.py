"""Which nodes of a group become a pool: few blocks, then few racks, no more of a rack than it powers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from aifactory.components.given import NodeGroup
from aifactory.components.offers import RackShare

Within = Literal["site", "block", "rack"]


class Placing(Struct, frozen=True):
    """Nodes taken, and what else was there."""

    racks: tuple[RackShare, ...]
    """Racks with the nodes taken of each, in the site's order."""
    passed_over: tuple[str, ...]
    """Blocks, or racks of the same block, that had nodes and were not used."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """All nodes, in the site's order."""
        return tuple(node for rack in self.racks for node in rack.nodes)


def free(group: NodeGroup, taken: Collection[str], powered: Mapping[str, int]) -> tuple[RackShare, ...]:
    """Racks with the nodes that no pool has, cut to as many as the rack can power. `powered` is by rack."""
    racks = []
    for rack in group.racks:
        nodes = [node for node in rack.nodes if node not in taken][: powered.get(rack.rack, 0)]
        if nodes:
            racks.append(RackShare(rack.rack, rack.block, tuple(nodes)))
    return tuple(racks)


def size(racks: Sequence[RackShare]) -> int:
    """Nodes in racks."""
    return sum(len(rack.nodes) for rack in racks)


def largest(racks: Sequence[RackShare], within: Within) -> int:
    """The most nodes that lie together."""
    return max((size(unit) for unit in _units(racks, within).values()), default=0)


def place(racks: Sequence[RackShare], count: int, within: Within) -> Placing | None:
    """`count` nodes, at least one, that lie as close together as they can; None when they don't fit."""
    if count > size(racks) or count > largest(racks, within):
        return None
    together: Within = "block" if within == "site" else within
    units = _units(racks, together)
    chosen: list[RackShare] = []
    for unit, wanted in _fewest({name: size(unit) for name, unit in units.items()}, count):
        shares = {rack.rack: rack for rack in units[unit]}
        for rack, nodes in _fewest({name: len(share.nodes) for name, share in shares.items()}, wanted):
            chosen.append(replace(shares[rack], nodes=shares[rack].nodes[:nodes]))
    order = {rack.rack: index for index, rack in enumerate(racks)}
    chosen.sort(key=lambda rack: order[rack.rack])
    return Placing(tuple(chosen), _passed_over(racks, chosen))


def _fewest(sizes: Mapping[str, int], count: int) -> list[tuple[str, int]]:
    """Units that hold `count` together: the largest first, and the tightest that holds what is then left."""
    order = {name: index for index, name in enumerate(sizes)}
    largest_first = sorted(sizes, key=lambda name: (-sizes[name], order[name]))
    found: list[tuple[str, int]] = []
    for index, name in enumerate(largest_first):
        if sizes[name] >= count:
            enough = [other for other in largest_first[index:] if sizes[other] >= count]
            return [*found, (min(enough, key=lambda other: (sizes[other], order[other])), count)]
        found.append((name, sizes[name]))
        count -= sizes[name]
    return found


def _units(racks: Sequence[RackShare], within: Within) -> dict[str, list[RackShare]]:
    units: dict[str, list[RackShare]] = {}
    for rack in racks:
        name = {"site": "site", "block": rack.block, "rack": rack.rack}[within]
        units.setdefault(name, []).append(rack)
    return units


def _passed_over(racks: Sequence[RackShare], chosen: Sequence[RackShare]) -> tuple[str, ...]:
    blocks = {rack.block for rack in chosen}
    used = {rack.rack for rack in chosen}
    skipped: dict[str, None] = {}
    for rack in racks:
        if rack.block not in blocks:
            skipped[f"block {rack.block}"] = None
        elif rack.rack not in used:
            skipped[f"rack {rack.rack}"] = None
    return tuple(skipped)
