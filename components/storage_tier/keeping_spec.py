"""What a person writes about the life of data in a tier: when snapshots are taken, and how long objects are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.forms import BucketName, ImageText
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, Spec, truth, twice

Days = Annotated[int, Field(ge=1, le=36_500)]
"""A time. Unit: days."""


class SnapshotSchedule(Spec):
    """Snapshots that are taken again and again, the oldest deleted as new ones come."""

    schedule: Name
    """Name of the schedule."""

    every_h: Literal[1, 2, 3, 4, 6, 8, 12, 24, 168]
    """Time between two snapshots. Unit: hours; 168 is a week, on Sundays. From 24 on they are taken at two at night,
    UTC."""

    keep: int = Field(ge=1, le=1_000)
    """How many of each volume are kept."""

    paths: list[BucketName] = Field(default=[], max_length=500)
    """Paths of the tier. Default: all of them."""


class ScheduledSnapshots(Spec):
    """When volumes of the tier are snapshotted, and what that takes of its room."""

    schedules: list[SnapshotSchedule] = Field(min_length=1, max_length=20)
    """Schedules. On engine rook-ceph a CronJob each; a system of the site keeps its own, against which they are
    judged."""

    changed_percent_a_day: Annotated[float, Field(ge=0, le=10_000)] | None = None
    """Part of a volume that is written anew in a day: what snapshots hold on to. Unit: percent. Default: unknown, and
    then nobody knows what they take."""

    image: ImageText | None = None
    """Image with kubectl, a POSIX shell and awk, mirrored for the site, for engine rook-ceph. Default none; needed
    there."""

    @truth
    def _a_schedule_stands_once(self) -> Iterator[Misfit]:
        known = [each.schedule for each in self.schedules]
        for index in twice(known):
            yield Misfit(
                f'"{known[index]}" is listed twice', "give each its own name", ("schedules", index, "schedule")
            )


class ObjectLock(Spec):
    """Time in which nobody overwrites or deletes what was written: WORM."""

    mode: Literal["governance", "compliance"]
    """governance: who has the bucket's key may lift it, on purpose alone. compliance: no key does, until the
    time is over. Neither keeps who runs the drives from destroying them."""

    days: Days
    """How long each object is locked after it was written. Unit: days."""


class Retention(Spec):
    """How long objects of a bucket are kept. What is written here is set whole: what isn't written, is taken away."""

    image: ImageText | None = None
    """Image with the AWS CLI, version 2.13 or newer, mirrored for the site. Its entry point isn't used: the command is
    aws. Default none: needed but for engine s3, whose buckets get their rules where they are made."""

    expire_days: Days | None = None
    """Age at which an object is deleted. Unit: days. Default none: it stays."""

    old_versions_days: Days | None = None
    """How long an overwritten or deleted object can be brought back. Unit: days; they count in the bucket's size.
    Default none: not at all, or as long as the lock lasts."""

    old_versions_kept: int | None = Field(default=None, ge=1, le=100)
    """Old versions of each object that stay whatever their age. Default none."""

    lock: ObjectLock | None = None
    """Lock on what was written. It can be prolonged, never taken away. Default none."""

    @truth
    def _what_expires_is_not_locked(self) -> Iterator[Misfit]:
        for field in ("expire_days", "old_versions_days"):
            days = getattr(self, field)
            if self.lock and days is not None and days < self.lock.days:
                says = f"{field} is {days}, and objects are locked for {self.lock.days} days"
                yield Misfit(says, f"set {field} to {self.lock.days} or more, or lock for less", (field,))

    @truth
    def _versions_that_stay_have_an_age(self) -> Iterator[Misfit]:
        if self.old_versions_kept and not (self.old_versions_days or self.lock):
            says = "old_versions_kept without old_versions_days"
            yield Misfit(says, "say after which time the others go", ("old_versions_days",))

    @property
    def versioned(self) -> bool:
        """Whether old versions exist at all."""
        return self.old_versions_days is not None or self.lock is not None
