"""Schedules of snapshots: who takes them, how many are kept, and the room that they hold on to."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.problems import Path
from aifactory.components.storage_tier import arithmetic, sharing
from aifactory.components.storage_tier.decided import SNAPSHOT_NAMESPACE, SchedulePlan
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_tier.found import listed
from aifactory.components.storage_tier.keeping_spec import SnapshotSchedule

MOST_OF_A_VOLUME = 100
"""Snapshots of one directory. Source: Ceph documentation, CephFS snapshots, mds_max_snaps_per_dir."""
HOURS_OF_DAY, NIGHT = 24, 2


def schedules_kept(draft: Draft, ctx: PlanContext) -> bool:
    """Whether something follows each schedule: CronJobs of ours on Ceph, a given system by what its site states."""
    wished = draft.spec.scheduled
    if wished is None:
        return True
    at: Path = ("scheduled",)
    has_volumes = ctx.check(
        "STO-026",
        bool(draft.spec.paths) and not draft.spec.buckets,
        f"tier {draft.spec.name} has no volumes of paths to take snapshots of",
        at,
        _instead(draft),
    )
    if not has_volumes:
        return False
    if draft.on_ceph:
        return _made_by_us(draft, ctx)
    held = [_followed(draft, index, each, ctx) for index, each in enumerate(wished.schedules)]
    return all(held)


def _instead(draft: Draft) -> str:
    if draft.spec.buckets:
        return "write retention of its paths: buckets keep old versions"
    if draft.spec.tier in ("block", "local-cache"):
        return f"delete scheduled: volumes of a {draft.spec.tier} tier are made by those who use them"
    return "add paths, or delete scheduled"


def _made_by_us(draft: Draft, ctx: PlanContext) -> bool:
    wished = draft.spec.scheduled
    if wished is None:
        return True
    equipped = ctx.check(
        "STO-026",
        wished.image is not None,
        f"nothing takes the snapshots of tier {draft.spec.name}: no image with kubectl is named",
        ("scheduled",),
        "set image to one with kubectl and a shell, mirrored for the site",
    )
    most = max((_kept_of(draft, path.path) for path in draft.spec.paths), default=0)
    few = ctx.check(
        "STO-026",
        most < MOST_OF_A_VOLUME,
        f"schedules of tier {draft.spec.name} keep {most} snapshots of one volume, and one more while it is made; "
        f"CephFS has {MOST_OF_A_VOLUME} at most",
        ("scheduled", "schedules"),
        f"keep {MOST_OF_A_VOLUME - 1} or fewer in all",
    )
    for each in wished.schedules:
        ctx.decide(
            f"snapshots.{each.schedule}",
            {"every_h": each.every_h, "keep": each.keep, "cron": cron(draft.spec.identity, each)},
            f"a CronJob takes them and deletes those beyond {each.keep}, which reach back {_reach(each)}",
            rejected=[
                Rejected("deletionPolicy Retain", "deleted snapshots would stay on the drives, and no object say so"),
                Rejected("snap_schedule of Ceph", "its snapshots are no objects from which a claim could be made"),
            ],
            source=("scheduled", "schedules"),
        )
    return equipped and few


def _followed(draft: Draft, index: int, wish: SnapshotSchedule, ctx: PlanContext) -> bool:
    """Whether a schedule of the given system is as dense as this one, and reaches as far back."""
    own = draft.own_snapshots
    fits = any(every <= wish.every_h and every * keep >= wish.every_h * wish.keep for every, keep in own)
    has = ", ".join(f"{keep} each {every} h" for every, keep in own) or "none that the site states"
    held = ctx.check(
        "STO-026",
        fits,
        f"schedule {wish.schedule} of tier {draft.spec.name} wants {wish.keep} snapshots each {wish.every_h} h, and "
        f"its system keeps {has}",
        ("scheduled", "schedules", index),
        f"let the system keep them, and add system.snapshots: [{{every_h: {wish.every_h}, keep: {wish.keep}}}] to the "
        "site file",
    )
    if held:
        ctx.decide(
            f"snapshots.{wish.schedule}",
            {"every_h": wish.every_h, "keep": wish.keep},
            f"the system keeps {has} by itself, as the site states: no row of ours takes or deletes any",
            rejected=[Rejected("a CronJob", "whether its class lets go of deleted snapshots is not known here")],
            source=("scheduled", "schedules", index),
        )
    return held


def _kept_of(draft: Draft, path: str) -> int:
    return sum(keep for _, keep in _of_path(draft, path))


def _of_path(draft: Draft, path: str) -> list[tuple[int, int]]:
    """Hours and number of each schedule by which snapshots of a path are kept: a given system keeps its own."""
    if not draft.on_ceph:
        return list(draft.own_snapshots)
    wished = draft.spec.scheduled.schedules if draft.spec.scheduled else ()
    return [(each.every_h, each.keep) for each in wished if not each.paths or path in each.paths]


def _reach(wish: SnapshotSchedule) -> str:
    hours = wish.every_h * wish.keep
    return f"{hours} h" if hours < 2 * HOURS_OF_DAY else f"{hours // HOURS_OF_DAY} days"


def room_tib(draft: Draft, ctx: PlanContext) -> float:
    """What snapshots that we take of paths hold on to. What isn't known is warned of, and no number stands for it."""
    wished = draft.spec.scheduled
    if wished is None or not draft.on_ceph:
        return 0.0
    rate = wished.changed_percent_a_day
    known = ctx.check(
        "STO-002",
        rate is not None,
        f"of tier {draft.spec.name} it is unknown what its snapshots take",
        ("scheduled",),
        "set changed_percent_a_day to the part of a volume that is written anew in a day, as measured",
    )
    room = None
    if known and rate is not None:
        sizes = ((path.size_gib / arithmetic.GIB_OF_TIB, _of_path(draft, path.path)) for path in draft.spec.paths)
        room = sum(arithmetic.held_by_snapshots(size, rate, schedules) for size, schedules in sizes)
    ctx.decide(
        "snapshots.room_tib",
        None if room is None else round(room, 3),
        f"{rate:g} percent of each volume change in a day, kept for as long as its longest schedule reaches back; it "
        "counts beside the paths"
        if rate is not None
        else "nobody states how much of a volume changes in a day, and it is not guessed",
        source=("scheduled",),
    )
    return room or 0.0


def of_the_system(draft: Draft, ctx: PlanContext) -> bool:
    """Say what snapshots hold on to that a given system takes of all volumes; whether it is known. For `settle`."""
    if not draft.own_snapshots:
        return True
    held = sharing.system_snapshots(sharing.stake_of(draft), ctx)
    known = ctx.check(
        "STO-002",
        not held.unknown,
        lambda: (
            f"the system of tier {draft.spec.name} snapshots all of its volumes, and of {listed(held.unknown)} it is "
            "unknown how much changes"
        ),
        ("scheduled",) if draft.spec.scheduled else ("engine",),
        "write changed_percent_a_day: {checkpoints: 300} or the like, as measured; or scheduled.changed_percent_a_day "
        "for paths",
    )
    told = ", ".join(f"{keep} each {every} h" for every, keep in draft.own_snapshots)
    ctx.decide(
        "snapshots.room_tib",
        round(held.gib / arithmetic.GIB_OF_TIB, 3) if known else None,
        f"the system keeps {told} of all volumes of its class; of each what changes in a day for as long as the "
        "longest schedule reaches back, and at most a copy for each snapshot"
        if known
        else f"nobody states how much of {listed(held.unknown)} changes in a day, and it is not guessed",
        source=("changed_percent_a_day",) if draft.spec.changed_percent_a_day else (),
    )
    return known


def cron(identity: str, wish: SnapshotSchedule) -> str:
    """When a schedule runs, UTC. Each has a minute of its own, which doesn't change: not all at the full hour."""
    minute = sum(f"{identity}-{wish.schedule}".encode()) % 60
    if wish.every_h >= HOURS_OF_DAY:
        return f"{minute} {NIGHT} * * {'*' if wish.every_h == HOURS_OF_DAY else '0'}"
    return f"{minute} {'*' if wish.every_h == 1 else f'*/{wish.every_h}'} * * *"


def ask_for_room_to_run(draft: Draft, ctx: PlanContext) -> None:
    """A namespace of its own for what takes snapshots: whoever starts pods in a tenant's can't use its account."""
    if draft.spec.scheduled and draft.on_ceph:
        purpose = "Schedules of volume snapshots"
        ctx.namespace(NamespaceRequest(SNAPSHOT_NAMESPACE, ctx.part, purpose, egress=("dns", "api")))


def schedules_of(draft: Draft) -> Iterator[SchedulePlan]:
    """The CronJobs of a tier on Ceph."""
    wished = draft.spec.scheduled
    if wished is None or wished.image is None or not draft.on_ceph:
        return
    claims = {path.path: (plan.namespace, plan.name) for path, plan in zip(draft.spec.paths, draft.paths, strict=True)}
    for each in wished.schedules:
        yield SchedulePlan(
            name=f"{draft.spec.identity}-{each.schedule}",
            cron=cron(draft.spec.identity, each),
            keep=each.keep,
            image=wished.image,
            claims=tuple(claim for path, claim in claims.items() if not each.paths or path in each.paths),
        )
