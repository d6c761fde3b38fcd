"""What tiers share: a class of the site, an NFS share or a Ceph cluster has its rates and its room once."""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec import Struct

from aifactory.components.base import PlanContext
from aifactory.components.offers import StorageUse
from aifactory.components.storage_tier.arithmetic import GIB, TIB, Need, gb_of_gib, held_by_snapshots, read_by_copy
from aifactory.components.storage_tier.decided import Bucket
from aifactory.components.storage_tier.draft import Draft


class Stake(Struct, frozen=True):
    """What a tier stands on, and what it wants of that."""

    part: str
    system: str
    """What it shares with every tier that names the same."""
    storage_class: str
    feeds: tuple[str, ...]
    """Parts that its feeds name."""
    size_tib: float | None
    """Size wanted. None: what lies on it."""
    usable_tib: float | None
    """What the system may hold below this tier's fill limit. None: unknown."""
    paths: tuple[tuple[str, int], ...]
    """GiB by path."""
    snapshots_gib: int
    """What snapshots that this factory takes hold on to beside that."""
    own_snapshots: tuple[tuple[int, int], ...] = ()
    """Hours between two and number kept of each schedule by which its system snapshots all volumes of the class."""
    copies: tuple[tuple[str, int], ...] = ()
    """Name of each copy that is made elsewhere, and hours between two."""
    changed: tuple[tuple[str, float], ...] = ()
    """Percent written anew in a day, by path (`path NAME`) and by what a volume keeps."""


class Load(Struct, frozen=True):
    """Who waits for a tier, and what its system would give it alone. Unit: GB per s. None: unknown."""

    part: str
    system: str
    needs: tuple[Need, ...]
    read: float | None
    write: float | None


class Fill(Struct, frozen=True):
    """A volume that is filled from a bucket of the tier below within its time."""

    source: str
    target: str
    path: str
    bucket: str
    gib: int
    """Most that it copies, as far as the tier above knows: the volume's size."""
    within_s: int


def stake_of(draft: Draft) -> Stake:
    """What the tier tells others of itself."""
    spec = draft.spec
    return Stake(
        spec.name,
        draft.system,
        draft.storage_class,
        tuple(feed.part for feed in spec.feeds),
        spec.size_tib,
        draft.system_tib,
        tuple((path.path, path.size_gib) for path in spec.paths),
        draft.snapshots_gib,
        draft.own_snapshots,
        tuple((copy.name, copy.every_h) for copy in draft.copies),
        tuple(_changed(draft)),
    )


def _changed(draft: Draft) -> Iterator[tuple[str, float]]:
    spec = draft.spec
    of_paths = spec.scheduled.changed_percent_a_day if spec.scheduled else None
    yield from spec.changed_percent_a_day.items()
    for path in spec.paths:
        rate = spec.changed_percent_a_day.get(path.keeps) if of_paths is None else of_paths
        if rate is not None:
            yield f"path {path.path}", rate


def neighbours_of(draft: Draft, ctx: PlanContext) -> list[Stake]:
    """All tiers of the same system, this one too, in order of planning."""
    return [each for each in ctx.offers(Stake) if each.system == draft.system]


def uses_of(stake: Stake, ctx: PlanContext) -> list[StorageUse]:
    """Volumes on the tier's class that are no paths. Where tiers share the class, each volume is counted by one of
    them: the first whose feeds name its part, else the first."""
    tiers = [each for each in ctx.offers(Stake) if each.storage_class == stake.storage_class]
    found = []
    for use in ctx.offers(StorageUse):
        if use.storage_class == stake.storage_class:
            naming = [each for each in tiers if use.part in each.feeds]
            found += [use] if (naming or tiers)[0].part == stake.part else []
    return found


def volumes_of(stake: Stake, ctx: PlanContext) -> dict[str, int]:
    """GiB by name of everything that lies on a tier: its paths, and volumes of other parts."""
    found = {f"path {name}": gib for name, gib in stake.paths} | {"snapshots": stake.snapshots_gib}
    for use in uses_of(stake, ctx):
        name = f"{use.what or use.keeps} of {use.part}"
        found[name] = found.get(name, 0) + use.size_gib
    found["snapshots"] += math.ceil(system_snapshots(stake, ctx).gib)
    return {name: gib for name, gib in found.items() if gib}


class SystemSnapshots(Struct, frozen=True):
    """What snapshots that a given system takes by itself hold on to."""

    gib: float
    """As far as it is known how much changes."""
    unknown: tuple[str, ...]
    """What lies in volumes of which nobody states how much changes."""


def system_snapshots(stake: Stake, ctx: PlanContext) -> SystemSnapshots:
    """A system snapshots all volumes of its class: paths, checkpoints, databases, whatever asked for one."""
    found = list(_changing(stake, ctx)) if stake.own_snapshots else []
    total = sum(held_by_snapshots(gib, rate, stake.own_snapshots) for _, gib, rate in found if rate is not None)
    return SystemSnapshots(total, tuple(dict.fromkeys(name for name, gib, rate in found if rate is None and gib)))


def _changing(stake: Stake, ctx: PlanContext) -> Iterator[tuple[str, int, float | None]]:
    """Name and GiB of each volume, and the percent of it that is written anew in a day. None: unknown."""
    known = dict(stake.changed)
    for name, gib in stake.paths:
        yield f"path {name}", gib, known.get(f"path {name}")
    for use in uses_of(stake, ctx):
        yield f"{use.what or use.keeps} of {use.part}", use.size_gib, known.get(use.keeps)


def copy_rate(stake: Stake, every_h: int, ctx: PlanContext) -> float | None:
    """Rate at which a copy reads a tier in the mean, of what was written anew since the last. Unit: GB per s. None:
    unknown."""
    found = list(_changing(stake, ctx))
    if any(rate is None and gib for _, gib, rate in found):
        return None
    return sum(read_by_copy(gb_of_gib(gib), rate or 0.0, every_h) for _, gib, rate in found)


def copy_needs(part: str, ctx: PlanContext) -> tuple[Need, ...]:
    """What copies read of a tier, as far as it is known. All volumes are known by `settle`."""
    found = []
    for stake in ctx.offers(Stake):
        for name, every_h in stake.copies if stake.part == part else ():
            rate = copy_rate(stake, every_h, ctx)
            found += [Need(f"copy {name}", 0, weights=rate)] if rate else []
    return tuple(found)


def wants_tib(stake: Stake, ctx: PlanContext) -> float:
    """What a tier takes of its system: the size that it wants, or more where more lies on it."""
    return max(stake.size_tib or 0.0, sum(volumes_of(stake, ctx).values()) * GIB / TIB)


def fills_in(draft: Draft) -> Iterator[Fill]:
    """What is copied into the tier's volumes."""
    for path in draft.spec.paths:
        if path.prefetch and draft.spec.fed_by:
            wish = path.prefetch
            gib = min(path.size_gib, wish.size_gib or path.size_gib)
            yield Fill(draft.spec.fed_by, draft.spec.name, path.path, wish.bucket, gib, wish.within_s)


def fill_needs(part: str, ctx: PlanContext) -> tuple[Need, ...]:
    """What fills read of a tier, and write to it. All fills are known by `settle`."""
    limits = {(each.part, each.path): each.size_gib for each in ctx.offers(Bucket)}
    found = []
    for fill in ctx.offers(Fill):
        gib = min(fill.gib, limits.get((fill.source, fill.bucket), fill.gib))
        rate, name = gb_of_gib(gib) / fill.within_s, f"the fill of {fill.target}/{fill.path}"
        found += [Need(name, 0, weights=rate)] if fill.source == part else []
        found += [Need(name, 0, checkpoint_rate=rate)] if fill.target == part else []
    return tuple(found)
