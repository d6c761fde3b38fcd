"""Judges a blueprint against its base: what changed in plan and estimate, and which findings the base has, too."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace as with_fields

from aifactory.blueprints.includes import compose
from aifactory.blueprints.load import Loaded
from aifactory.blueprints.parameters import declared
from aifactory.blueprints.root import project_root
from aifactory.cli.base_place import SHORT, BasePlace, base_place
from aifactory.cli.diff_text import at_sites
from aifactory.cli.judgement import Judgement, finding_of, judged
from aifactory.components.economics.figures import total
from aifactory.components.problems import Problem, Refused, path_text
from aifactory.policies.verdict import Finding, judge
from aifactory.stacks.comparing.changes import Change, changes
from aifactory.stacks.comparing.estimates import EstimateChanges, compared
from aifactory.stacks.comparing.snapshot import Snapshot, of_stacks
from aifactory.stacks.estimate.model import Estimate

State = Literal["planned", "refused", "absent", "unreadable"]
_LINE = re.compile(r"(\.(?:ya?ml|json)):\d+(?::\d+)?")
_NAMES = ("name", "group", "switch", "rack", "model", "part")
"""Fields that tell items of a list apart, wherever they stand in it."""
_MONTH = "EST-001"
_PER_MILLION = {"EST-002": "usd_per_million", "EST-003": "kwh_per_million", "EST-004": "kg_per_million"}
"""Limits of figures, by rule. Their messages hold the figure, and it may have become better."""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, and the problem that it tells of."""

    problem: Problem
    finding: Finding


@dataclass(frozen=True, slots=True)
class Against:
    """A base, and what changed since."""

    name: str
    commit: str
    state: State
    """`refused`: it can't be planned; `absent`: the blueprint is new; `unreadable`: there is no such base."""
    problems: tuple[Problem, ...] = ()
    """Why the base can't be planned."""
    notes: tuple[str, ...] = ()
    estimates: EstimateChanges | None = None
    """None: one side has no estimate."""
    changes: tuple[Change, ...] | None = None
    """Of stacks, parts, decisions and rows. None: one side has no plan."""
    new: tuple[Found, ...] = ()
    gone: tuple[Found, ...] = ()
    same: tuple[Found, ...] = ()

    @property
    def title(self) -> str:
        """The base as a person calls it: `main (1a2b3c4d5e6f)`."""
        if not self.commit:
            return self.name
        short = self.commit[:SHORT]
        return short if self.name in (self.commit, short) else f"{self.name} ({short})"


def judged_against(
    base: str, blueprint: Path, sites: Sequence[str], values: Mapping[str, str], day: str, *, new_only: bool
) -> tuple[Judgement, Against]:
    """The verdict of a blueprint, and what changed since its base. Never raises for wrong input: that is a verdict.

    `new_only` waives what the base has, too. A base that can't be planned waives nothing.
    """
    head = judged(blueprint, sites, values, day)
    try:
        with base_place(blueprint, base) as place:
            there, notes = _judged_there(place, sites, values, day)
    except Refused as refused:
        factory = head.plan.factory if head.plan else ""
        more = tuple(finding_of(problem, factory) for problem in refused.problems)
        verdict = judge([*head.verdict.findings, *more], head.verdict.rules)
        found = tuple(map(Found, (*head.problems, *refused.problems), verdict.findings))
        against = Against(base, "", "unreadable", refused.problems, new=found)
        return replace(head, verdict=verdict, problems=(*head.problems, *refused.problems)), against
    against = _compared(head, there, place, sites, notes)
    return (_waived(head, against) if new_only and against.state in ("planned", "absent") else head), against


def _judged_there(
    place: BasePlace, sites: Sequence[str], values: Mapping[str, str], day: str
) -> tuple[Judgement | None, tuple[str, ...]]:
    """The verdict of the base at the same sites, as far as it has them, with the same values; None when it is new."""
    if place.blueprint is None:
        return None, ()
    unknown: list[str] = []
    try:
        known = declared(compose(place.blueprint, project_root(place.blueprint)))
        unknown = [name for name in values if name not in known]
    except Refused:
        pass  # the load says it, with everything else
    there = judged(place.blueprint, (), {name: text for name, text in values.items() if name not in unknown}, day)
    notes = tuple(f"parameter {name} is new, so --set doesn't reach the base" for name in unknown)
    shown = [
        (problem, finding)
        for problem, finding in zip(there.problems, there.verdict.findings, strict=True)
        if not sites or not problem.site or problem.site in sites
    ]
    verdict = judge([finding for _, finding in shown], there.verdict.rules)
    return replace(there, problems=tuple(problem for problem, _ in shown), verdict=verdict), notes


def _compared(
    head: Judgement, there: Judgement | None, place: BasePlace, sites: Sequence[str], notes: tuple[str, ...]
) -> Against:
    state: State = "absent" if there is None else "planned" if there.work is not None else "refused"
    errors = tuple(each for each in there.problems if each.severity == "error") if there and not there.work else ()
    against = Against(place.name, place.commit, state, errors, notes, **_findings(head, there))
    if head.work is None or state == "refused":
        return against
    before: Snapshot = of_stacks(there.work.stacks.values()) if there and there.work else {}
    found = changes(*at_sites(before, of_stacks(head.work.stacks.values()), sites))
    old = _at(there.estimate if there else None, sites)
    return replace(against, estimates=compared(old, head.estimate), changes=tuple(found))


def _at(found: Estimate | None, sites: Sequence[str]) -> Estimate | None:
    if found is None or not sites:
        return found
    return with_fields(found, sites=tuple(site for site in found.sites if site.site in sites))


def _findings(head: Judgement, there: Judgement | None) -> dict[str, Any]:
    """Findings sorted by who has them. Each of the base matches one of ours: a second of its kind is new."""
    known: dict[tuple[str, ...], list[Found]] = defaultdict(list)
    for found in _all(there) if there else ():
        known[_identity(found, there.loaded if there else None)].append(found)
    new, same = [], []
    for found in _all(head):
        twins = known[_identity(found, head.loaded)]
        if twins:
            same.append(found)
            twins.pop()
        else:
            new.append(found)
    # What nobody could ask of a plan that failed isn't gone.
    gone = [found for left in known.values() for found in left] if head.work is not None else []
    ours_over, was_over = (
        [found for found in each if found.finding.rule in (_MONTH, *_PER_MILLION)] for each in (new, gone)
    )
    better = [(ours, was) for ours in ours_over for was in was_over if there and _no_worse(ours, was, head, there)]
    kept, past = [id(ours) for ours, _ in better], [id(was) for _, was in better]
    return {
        "new": tuple(found for found in new if id(found) not in kept),
        "gone": tuple(found for found in gone if id(found) not in past),
        "same": (*same, *(found for found in new if id(found) in kept)),
    }


def _all(judgement: Judgement) -> list[Found]:
    return list(map(Found, judgement.problems, judgement.verdict.findings))


def _identity(found: Found, loaded: Loaded | None) -> tuple[str, ...]:
    """What makes a finding the same on both sides: neither lines, nor how many items stand before its own."""
    finding = found.finding
    target = _named_path(found.problem, loaded) if loaded else finding.target
    return finding.rule, finding.severity, finding.stack, target, _LINE.sub(r"\1", finding.message)


def _named_path(problem: Problem, loaded: Loaded) -> str:
    """A path with names in the place of numbers, where items have names."""
    of_site = problem.document == "site" and problem.site in loaded.sites
    document = loaded.sites[problem.site].document if of_site else loaded.document
    steps: list[str | int] = []
    for index, step in enumerate(problem.path):
        before = problem.path[: index + 1]
        named = (document.raw((*before, field)) for field in _NAMES) if isinstance(step, int) else ()
        steps.append(next((f"({name})" for name in named if name), step))
    return path_text(tuple(steps))


def _no_worse(ours: Found, was: Found, head: Judgement, there: Judgement) -> bool:
    """Whether a limit was passed before by as much, or by more: the message tells another figure of the same."""
    one, two = ours.finding, was.finding
    if (one.rule, one.stack, one.target) != (two.rule, two.stack, two.target):
        return False
    now, before = (_held(each.finding.rule, each.problem.site, side) for each, side in ((ours, head), (was, there)))
    return now is not None and before is not None and now <= before


def _held(rule: str, site: str, side: Judgement) -> Decimal | None:
    """The figure that a gate read, at its worse end."""
    sites = side.estimate.sites if side.estimate else ()
    if rule == _MONTH and sites:
        return total(each.cost.figure for each in sites).high
    here = next((each for each in sites if each.site == site), None)
    result = getattr(here, _PER_MILLION[rule]) if here and rule in _PER_MILLION else None
    return result.figure.high if result else None


def _waived(head: Judgement, against: Against) -> Judgement:
    """The verdict without what the base has, too."""
    known = {id(found.finding) for found in against.same}
    by = f"base {against.title}"
    findings = [with_fields(each, waived_by=by) if id(each) in known else each for each in head.verdict.findings]
    return replace(head, verdict=judge(findings, head.verdict.rules))
