"""A plan: everything decided, with reasons, before anything is written or deployed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from aifactory.components.base import Decision, Place
from aifactory.components.mirroring import MirrorOffer
from aifactory.components.offers import CloudOffer, ClusterAccessOffer, OperatorNote, PodPromise
from aifactory.components.parts import BY_KIND, Part
from aifactory.components.problems import Path, Problem
from aifactory.components.rules import Rule
from aifactory.components.spec import PartSpec


class DecidedPart(Protocol):
    """What every part's plan says of itself."""

    @property
    def in_short(self) -> str:
        """The plan in one line, for a person."""
        ...


class OverrideNote(Struct, frozen=True):
    """A patch that the blueprint puts on one row, as written."""

    part: str
    row: str
    patch: Mapping[str, object]
    reason: str
    where: Path


class PartPlan(Struct, frozen=True):
    """One part at one site, decided."""

    name: str
    kind: str
    renamed_from: str
    also_renamed_from: tuple[str, ...]
    plan: DecidedPart
    """The part's own plan type, such as `GpuNodePoolPlan`."""
    overrides: tuple[OverrideNote, ...]

    @property
    def part(self) -> Part:
        """The part's row in the parts table."""
        return BY_KIND[self.kind]


class PlannedSpec(Struct, frozen=True):
    """A part as written, and where; `derived` when the planner added it."""

    spec: PartSpec
    where: Path
    derived: bool = False

    @property
    def kind(self) -> str:
        """Kind of the part."""
        return str(getattr(self.spec, "kind"))  # noqa: B009 - each member of the union has one, PartSpec has none


class StackPlan(Struct, frozen=True):
    """One stack: the parts of a factory at one site."""

    name: str
    factory: str
    place: Place
    parts: tuple[PartPlan, ...]
    decisions: Mapping[str, Decision]
    promises: tuple[PodPromise, ...]
    notes: tuple[OperatorNote, ...] = ()
    """For the person who deploys it."""
    cloud: CloudOffer | None = None
    """Where the rows of a cloud go."""
    reached_by: ClusterAccessOffer | None = None
    """How a cluster that the base makes is reached."""
    mirror: MirrorOffer | None = None
    """The registry from which nodes pull copies of all images; none where they pull from where each is published."""


class Findings(Struct, frozen=True):
    """What the planner found: problems, and how often each rule was evaluated."""

    problems: tuple[Problem, ...]
    evaluated: Mapping[str, int]
    rules: Mapping[str, Rule]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that refuse the plan."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


class FactoryPlan(Struct, frozen=True):
    """A blueprint at all its sites, decided."""

    factory: str
    train: str
    stacks: Mapping[str, StackPlan]
    """By stack name, in the order in which the blueprint names the sites."""
    findings: Findings
