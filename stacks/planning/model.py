"""A plan: everything decided, with reasons, before anything is written or deployed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aifactory.components.base import Decision, Place
from aifactory.components.offers import PodPromise
from aifactory.components.parts import BY_KIND, Part
from aifactory.components.problems import Path, Problem
from aifactory.components.rules import Rule
from aifactory.components.spec import PartSpec


@dataclass(frozen=True, slots=True)
class OverrideNote:
    """A patch that the blueprint puts on one row, as written."""

    part: str
    row: str
    patch: Mapping[str, object]
    reason: str
    where: Path


@dataclass(frozen=True, slots=True)
class PartPlan:
    """One part at one site, decided."""

    name: str
    kind: str
    renamed_from: str
    plan: object
    """The part's own plan type, such as `GpuNodePoolPlan`."""
    overrides: tuple[OverrideNote, ...]

    @property
    def part(self) -> Part:
        """The part's row in the parts table."""
        return BY_KIND[self.kind]


@dataclass(frozen=True, slots=True)
class PlannedSpec:
    """A part as written, and where; `derived` when the planner added it."""

    spec: PartSpec
    where: Path
    derived: bool = False

    @property
    def kind(self) -> str:
        """Kind of the part."""
        return str(getattr(self.spec, "kind"))  # noqa: B009 - each member of the union has one, PartSpec has none


@dataclass(frozen=True, slots=True)
class StackPlan:
    """One stack: the parts of a factory at one site."""

    name: str
    factory: str
    place: Place
    parts: tuple[PartPlan, ...]
    decisions: Mapping[str, Decision]
    promises: tuple[PodPromise, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What the planner found: problems, and how often each rule was evaluated."""

    problems: tuple[Problem, ...]
    evaluated: Mapping[str, int]
    rules: Mapping[str, Rule]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that refuse the plan."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


@dataclass(frozen=True, slots=True)
class FactoryPlan:
    """A blueprint at all its sites, decided."""

    factory: str
    train: str
    stacks: Mapping[str, StackPlan]
    """By stack name, in the order in which the blueprint names the sites."""
    findings: Findings
