"""The estimate of a plan at the door: what day it is, and whether the plan may pass."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from aifactory.blueprints.shown import shown
from aifactory.components.economics.figures import NotAFigure, exact
from aifactory.components.problems import Problem, Refused
from aifactory.stacks.estimate.estimating import estimate
from aifactory.stacks.estimate.gates import Gated, errors, gated
from aifactory.stacks.estimate.model import Estimate

if TYPE_CHECKING:
    from aifactory.cli.work import Work

DATE = "SOURCE_DATE_EPOCH"
"""Variable of reproducible builds: seconds since 1970 that count as now (reproducible-builds.org)."""


def as_of(given: str | None = None) -> str:
    """The day from which ages count: as given, that of `SOURCE_DATE_EPOCH`, or today.

    Raises `Refused` for what is no day.
    """
    if given is not None:
        try:
            if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", given):
                raise ValueError
            return date.fromisoformat(given).isoformat()
        except ValueError:
            raise Refused([Problem(f"{shown(given)} is not a day", hint="write it as 2026-11-29")]) from None
    epoch = os.environ.get(DATE, "")
    if not epoch:
        return datetime.now(UTC).date().isoformat()
    if not re.fullmatch(r"[0-9]{1,11}", epoch):
        # Today instead of a day that somebody meant would make old prices young, or the other way round.
        says = f"{DATE} is {shown(epoch)}, and is no count of seconds since 1970"
        raise Refused([Problem(says, hint=f"unset {DATE}, or set it to such as 1795953600")])
    return datetime.fromtimestamp(int(epoch), UTC).date().isoformat()


def estimated(work: Work, day: str, warm_up_h: float | None = None) -> Estimate:
    """The estimate of all sites of a plan. `warm_up_h` is how long a rented node runs before it answers.

    Raises `Refused` for figures that come to more than anything could cost.
    """
    hours = hours_of(warm_up_h)
    try:
        return estimate(work.plan, work.loaded, work.stacks, day, hours)
    except NotAFigure as error:
        hint = "look for a price or a usage with too many digits, in costs of the sites and in price files"
        raise Refused([Problem(f"the estimate leaves all bounds: {error}", ("costs",), hint)]) from None


def hours_of(given: float | None) -> Decimal | None:
    """Hours as they were written. Raises `Refused` for what is no number."""
    try:
        return None if given is None else exact(given)
    except NotAFigure as error:
        raise Refused([Problem(f"--warm-up-h: {error}", hint="write hours, such as 0.2")]) from None


def share_of(percent: float | None) -> Decimal | None:
    """Percent as a share. Raises `Refused` for what is no number."""
    try:
        return None if percent is None else exact(percent) / 100
    except NotAFigure as error:
        raise Refused([Problem(f"--swing: {error}", hint="write percent, such as 20")]) from None


def narrowed(found: Estimate, sites: Sequence[str]) -> Estimate:
    """Those sites of an estimate that were asked for, all by default."""
    return Estimate(found.factory, found.as_of, tuple(site for site in found.sites if not sites or site.site in sites))


def held(work: Work, day: str) -> Gated:
    """What the estimate of a plan breaks."""
    return gated(estimated(work, day), work.loaded)


def refuse_unaffordable(work: Work) -> None:
    """Keeps a plan from being deployed that its budget doesn't pay for, or whose estimate is missing.

    Raises `Refused` with every error of the gates.
    """
    problems = list(errors(held(work, as_of())))
    if problems:
        raise Refused(problems)
