"""Whether all that lies on a tier fits, and all tiers of one system in it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from aifactory.components.base import PlanContext
from aifactory.components.counting import counted
from aifactory.components.storage_tier import racks
from aifactory.components.storage_tier.arithmetic import GIB, TIB
from aifactory.components.storage_tier.decided import Bucket
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_tier.found import listed
from aifactory.components.storage_tier.sharing import neighbours_of, stake_of, volumes_of, wants_tib

PER_TIB = TIB // GIB


def fits(draft: Draft, ctx: PlanContext) -> bool:
    """Judge the room of a tier, and of its system once. All volumes are known by `settle`."""
    _explain(draft, ctx)
    return all([_volumes_fit(draft, ctx), _tiers_fit(draft, ctx), _fills_fit(draft, ctx)])


def _explain(draft: Draft, ctx: PlanContext) -> None:
    spec, usable = draft.spec, draft.figures.usable_tib
    volumes = volumes_of(stake_of(draft), ctx)
    wanted = sum(volumes.values()) / PER_TIB
    others = {each.part: round(wants_tib(each, ctx), 2) for each in neighbours_of(draft, ctx)}
    others.pop(spec.name)
    ctx.decide(
        "capacity",
        {
            "usable_tib": None if usable is None else round(usable, 2),
            "volumes_tib": round(wanted, 2),
            "left_tib": None if usable is None else round(usable - wanted, 2),
            "volumes_gib": volumes,
            **({"tiers_beside_tib": others} if others else {}),
        },
        (f"as wanted: {spec.size_tib:g} TiB" if spec.size_tib else _holds(draft))
        + (f". {draft.system} also holds {_sized(others, 'TiB')}" if others else "")
        + (f". On it, each with the size that it may grow to: {_sized(volumes, 'GiB')}" if volumes else ""),
        source=("size_tib",) if spec.size_tib else ("fill_percent",),
    )


def _holds(draft: Draft) -> str:
    percent = draft.spec.fill_percent
    if draft.unbounded:
        return "as much as is put there: AWS has no limit that is reached"
    if draft.drives is None:
        return f"what its system holds, filled to {percent} percent"
    drives = draft.drives.figures
    uneven = racks.in_words(draft.drives, draft.redundancy, draft.failure_domain)
    return (
        f"{counted(drives.count, 'drive')} of {drives.tb:g} TB hold {drives.raw_tib:.1f} TiB raw{uneven}, "
        f"{draft.redundancy} "
        f"leave {float(draft.redundancy.left):.3f} of it, filled to {percent} percent"
    )


def _volumes_fit(draft: Draft, ctx: PlanContext) -> bool:
    spec, usable = draft.spec, draft.figures.usable_tib
    volumes = volumes_of(stake_of(draft), ctx)
    wanted = sum(volumes.values()) / PER_TIB
    return ctx.check(
        "STO-031",
        usable is None or wanted <= usable,
        lambda: f"{_sized(volumes, 'GiB')} want {wanted:.2f} TiB of tier {spec.name}, which holds {usable or 0:.2f}",
        ("paths",) if spec.paths else ("size_tib",) if spec.size_tib else ("engine",),
        f"make them {math.ceil((wanted - (usable or 0)) * PER_TIB)} GiB smaller, or {_larger(draft, wanted)}",
    )


def _sized(sizes: Mapping[str, float], unit: str) -> str:
    return listed(f"{name} ({size} {unit})" for name, size in sizes.items())


def _larger(draft: Draft, wanted: float) -> str:
    """What would hold so much."""
    if draft.spec.size_tib:
        return f"set size_tib to {math.ceil(wanted * 100) / 100:g}"
    if draft.drives:
        return "give it more drives"
    return f"have a system of {math.ceil(wanted * 100 / draft.spec.fill_percent)} TiB"


def _tiers_fit(draft: Draft, ctx: PlanContext) -> bool:
    """Sizes of tiers on one class or share; on Ceph, STO-006 sums what their copies take."""
    tiers = neighbours_of(draft, ctx)
    if draft.on_ceph or tiers[0].part != draft.spec.name:
        return True
    wants = {each.part: wants_tib(each, ctx) for each in tiers}
    total, room = sum(wants.values()), min((each.usable_tib for each in tiers if each.usable_tib), default=math.inf)
    return ctx.check(
        "STO-032",
        len(tiers) < 2 or total <= room,
        lambda: (
            f"tiers {' and '.join(f'{part} ({tib:.2f} TiB)' for part, tib in wants.items())} share {draft.system}, and "
            f"want {total:.2f} TiB of it; it holds {room:.2f} at the lower fill limit of them"
        ),
        ("size_tib",) if draft.spec.size_tib else ("paths",) if draft.spec.paths else ("engine",),
        f"make them {math.ceil((total - room) * 100) / 100:g} TiB smaller together" if math.isfinite(room) else "",
    )


def _fills_fit(draft: Draft, ctx: PlanContext) -> bool:
    """What a prefetch may copy against the bucket that it comes from and the volume that it goes to."""
    buckets = {each.path: each for each in ctx.offers(Bucket) if each.part == draft.spec.fed_by}
    found = [_fill_fits(draft, index, buckets, ctx) for index in range(len(draft.spec.paths))]
    return all(found)


def _fill_fits(draft: Draft, index: int, buckets: dict[str, Bucket], ctx: PlanContext) -> bool:
    path = draft.spec.paths[index]
    wish, bucket = path.prefetch, buckets.get(path.prefetch.bucket) if path.prefetch else None
    if wish is None or bucket is None:
        return True
    copied = wish.size_gib or bucket.size_gib
    held = ctx.check(
        "STO-033",
        copied <= path.size_gib,
        f"up to {copied} GiB of bucket {wish.bucket} are copied to path {path.path} of tier {draft.spec.name}, which "
        f"has {path.size_gib}",
        ("paths", index, "prefetch"),
        f"set size_gib of the path to {copied}, or copy a folder and write its size_gib",
    )
    return held and ctx.check(
        "STO-033",
        copied <= bucket.size_gib,
        f"{copied} GiB are copied of bucket {wish.bucket}, which may hold {bucket.size_gib}",
        ("paths", index, "prefetch", "size_gib"),
        f"set it to {bucket.size_gib} or less, or delete it",
    )
