"""What most verbs start from: a blueprint loaded, planned and assembled, or all its problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import Struct

from aifactory.blueprints.load import Loaded, load
from aifactory.blueprints.shown import shown
from aifactory.components.problems import Problem, Refused, nearest
from aifactory.stacks.assembly.stack import Stack, assemble
from aifactory.stacks.planning.data import digest_of, factory_data
from aifactory.stacks.planning.factory import plan_factory
from aifactory.stacks.planning.model import FactoryPlan


class Work(Struct, frozen=True, dict=True):
    """A blueprint, its plan and its stacks. `sites` narrows what is shown, never what is planned."""

    loaded: Loaded
    plan: FactoryPlan
    stacks: Mapping[str, Stack]
    sites: tuple[str, ...]
    given: frozenset[str] = frozenset()
    """Names of the parameters that the command line set."""

    @property
    def shown(self) -> dict[str, Stack]:
        """The stacks of the sites that were asked for, all by default."""
        return {
            name: stack for name, stack in self.stacks.items() if not self.sites or stack.plan.place.site in self.sites
        }

    @property
    def warnings(self) -> list[Problem]:
        """What was found that refuses nothing, at the sites that were asked for."""
        found = [problem for problem in self.plan.findings.problems if problem.severity == "warning"]
        return [each for each in found if not self.sites or not each.site or each.site in self.sites]

    @cached_property
    def data(self) -> dict[str, Any]:
        """The whole plan as data."""
        return factory_data(self.plan, self.loaded.catalog)

    @cached_property
    def digest(self) -> str:
        """Digest of the whole plan."""
        return digest_of(self.data)


def prepare(blueprint: Path, sites: Sequence[str] = (), values: Mapping[str, str] | None = None) -> Work:
    """Load, plan and assemble. Raises `Refused` with every problem that keeps it from being built."""
    loaded = load(blueprint, values)
    _check_sites(loaded, sites)
    return planned(loaded, sites, values or {})


def planned(loaded: Loaded, sites: Sequence[str], values: Mapping[str, str]) -> Work:
    """Plan and assemble what is loaded. Raises `Refused` with every problem that keeps it from being built."""
    plan = plan_factory(loaded)
    problems = list(plan.findings.errors)
    stacks: dict[str, Stack] = {}
    if not problems:
        for stack in plan.stacks.values():
            try:
                stacks.update({layer.name: layer for layer in assemble(stack)})
            except Refused as refused:
                problems.extend(_located(problem, loaded) for problem in refused.problems)
    if problems:
        raise PlanRefused(problems, plan, loaded)
    return Work(loaded, plan, stacks, tuple(sites), frozenset(values or ()))


class PlanRefused(Refused):
    """A blueprint that loads, and can't be built. Carries the plan as far as it came, for its rule counts."""

    def __init__(self, problems: Sequence[Problem], plan: FactoryPlan, loaded: Loaded) -> None:
        super().__init__(problems)
        self.plan = plan
        self.loaded = loaded


def _check_sites(loaded: Loaded, sites: Sequence[str]) -> None:
    unknown = [site for site in sites if site not in loaded.sites]
    if unknown:
        raise Refused(
            [
                Problem(f"{shown(site)} is not a site of this blueprint", hint=nearest(site, loaded.sites))
                for site in unknown
            ]
        )


def _located(problem: Problem, loaded: Loaded) -> Problem:
    return problem if problem.at else problem.located(loaded.position(problem.path))
