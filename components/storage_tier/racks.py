"""Racks under Ceph: who stands where, and what racks of unequal size leave when no two copies share one.

CRUSH draws the racks of an object one after the other, each by its weight among those not drawn yet. A rack with half
of the drives is drawn more often than half as often: it is full before the others are. Source: Ceph documentation,
CRUSH maps, straw2 buckets; S. Weil et al., CRUSH: Controlled, Scalable, Decentralized Placement of Replicated Data.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from aifactory.components.base import PlanContext
from aifactory.components.counting import counted
from aifactory.components.problems import Path
from aifactory.components.storage_tier.arithmetic import TB, TIB, Redundancy
from aifactory.components.storage_tier.found import DrivesFound, listed

ROOT = "default"
"""Name of the top of Ceph's map, which no rack may have. Source: Rook documentation, CephCluster CRD, crushRoot."""
MONITORS = 3


def sizes_tib(found: DrivesFound) -> dict[str, float]:
    """Raw capacity of each rack. Unit: TiB."""
    node = found.set.count * found.set.tb * TB / TIB
    return {rack.rack: len(rack.nodes) * node for rack in found.group.racks}


def fillable_tib(sizes: Sequence[float], width: int) -> float:
    """Raw capacity that can be filled when each object takes so many racks, until the first rack is full.

    Units: TiB. 0 with fewer racks than an object takes. Racks of one size fill evenly, and nothing is left over.
    """
    if len(sizes) < width:
        return 0.0
    kinds = tuple(sorted(set(sizes)))
    counts = tuple(list(sizes).count(size) for size in kinds)
    drawn = _drawn(kinds, counts, width)
    return min(width * size * count / often for size, count, often in zip(kinds, counts, drawn, strict=True))


@lru_cache(maxsize=4_096)
def _drawn(kinds: tuple[float, ...], counts: tuple[int, ...], width: int) -> tuple[float, ...]:
    """How many racks of each size an object takes in the mean, of so many of each."""
    if not width:
        return (0.0,) * len(kinds)
    weight = sum(size * count for size, count in zip(kinds, counts, strict=True))
    mean = [0.0] * len(kinds)
    for index, (size, count) in enumerate(zip(kinds, counts, strict=True)):
        if not count:
            continue
        chance = size * count / weight
        left = tuple(each - (place == index) for place, each in enumerate(counts))
        rest = _drawn(kinds, left, width - 1)
        mean = [
            known + chance * (more + (place == index))
            for place, (known, more) in enumerate(zip(mean, rest, strict=True))
        ]
    return tuple(mean)


def share(found: DrivesFound, redundancy: Redundancy, domain: str) -> float:
    """Share of the raw capacity that can be filled: all of it, but for racks of unequal size."""
    if domain != "rack":
        return 1.0
    sizes = list(sizes_tib(found).values())
    return fillable_tib(sizes, redundancy.width) / sum(sizes)


def fill_after_loss(sizes: Sequence[float], width: int, fill_percent: int) -> float:
    """How full the fullest rack is when the worst one is lost and its data is made again. Unit: percent."""
    before = fillable_tib(sizes, width) * fill_percent
    left = min((fillable_tib([*sizes[:index], *sizes[index + 1 :]], width) for index in range(len(sizes))), default=0.0)
    return before / left if left else float("inf")


def suffice(found: DrivesFound, redundancy: Redundancy, name: str, at: Path, ctx: PlanContext) -> bool:
    """Whether there is a rack for each copy or chunk, and for each monitor, and Ceph can tell them apart."""
    names = [rack.rack for rack in found.group.racks]
    needed = max(MONITORS, redundancy.width)
    enough = ctx.check(
        "STO-030",
        len(names) >= needed,
        f"tier {name} keeps {redundancy} in {counted(len(names), 'rack')} of group {found.group.group}, and needs "
        f"{needed}: one for each copy or chunk, and for each of {MONITORS} monitors",
        at,
        f"put its nodes into {needed} racks, or set failure_domain to node",
    )
    taken = sorted({*names} & {ROOT, *found.nodes})
    apart = ctx.check(
        "STO-030",
        not taken,
        f"rack {listed(taken)} has the name of a node, or of the top of Ceph's map, which knows each name once",
        at,
        "give the rack another name in the site file",
    )
    return enough and apart


def size_fits(
    found: DrivesFound, redundancy: Redundancy, wanted_tib: float | None, fill_percent: int, ctx: PlanContext
) -> bool:
    """Whether racks of unequal size hold what is wanted, where racks of one size would."""
    sizes = sizes_tib(found)
    raw, even = sum(sizes.values()), fillable_tib(list(sizes.values()), redundancy.width)
    part = float(redundancy.left) * fill_percent / 100
    return ctx.check(
        "STO-030",
        wanted_tib is None or not even * part < wanted_tib <= raw * part,
        lambda: (
            f"{wanted_tib:g} TiB wanted, and racks of {_told(sizes)} TiB hold {even * part:.2f}: the smaller are full "
            f"when {even:.1f} of {raw:.1f} TiB are"
        ),
        ("size_tib",),
        f"put as many nodes into each rack, or set size_tib to {even * part:.1f}",
    )


def _told(sizes: dict[str, float]) -> str:
    return listed(f"{size:.1f}" for size in sizes.values())


def in_words(found: DrivesFound, redundancy: Redundancy, domain: str) -> str:
    """What unequal racks leave, for the reason of a capacity; empty where they leave all."""
    left = share(found, redundancy, domain)
    if left > 0.999_999:
        return ""
    return f", of which racks of {_told(sizes_tib(found))} TiB can be filled to {left:.1%}: the smallest is full first"
