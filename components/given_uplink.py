"""The way out of a site: how much passes, and how long it may be gone."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from aifactory.components.spec import Misfit, Spec, truth

HOURS_OF_A_DAY = 24


class UplinkGiven(Spec):
    """The link over which a site reaches registries, stores and whoever watches it."""

    mbit_per_s: float = Field(gt=0, le=400_000)
    """What passes upwards while it is there. Unit: Mbit per s. Measured: contracts name the peak."""

    hours_per_day: float | None = Field(default=None, gt=0, le=HOURS_OF_A_DAY)
    """Hours of a day in which it is there, in a bad week. Unit: hours. Default none: only its longest outage is
    known, and in between it is there."""

    longest_outage_hours: float | None = Field(default=None, gt=0, le=8_760)
    """Longest time without it that must cost nothing. Unit: hours. Default none: what `hours_per_day` leaves of a
    day, in one piece."""

    @property
    def outage_hours(self) -> float:
        """Longest time without it. Unit: hours."""
        if self.longest_outage_hours is not None:
            return self.longest_outage_hours
        return HOURS_OF_A_DAY - (self.hours_per_day or HOURS_OF_A_DAY)

    @property
    def outage(self) -> str:
        """Longest time without it, in words."""
        return f"{self.outage_hours:g} hours" if self.outage_hours else "as long as a repair takes"

    @property
    def megabytes_per_day(self) -> float:
        """What passes upwards in a day. Unit: MB."""
        return self.mbit_per_s / 8 * 3_600 * (self.hours_per_day or HOURS_OF_A_DAY)

    @truth
    def _an_uplink_says_how_long_it_is_gone(self) -> Iterator[Misfit]:
        if self.hours_per_day is None and self.longest_outage_hours is None:
            says = "an uplink of which nobody says how long it is gone"
            hint = "add hours_per_day or longest_outage_hours; hours_per_day: 24 for one that is always there"
            yield Misfit(says, hint, ("mbit_per_s",))
