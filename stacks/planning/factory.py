"""Plans a blueprint at all its sites."""

from __future__ import annotations

from collections import Counter

from aifactory.blueprints.load import Loaded, LoadedSite
from aifactory.components.problems import Problem
from aifactory.stacks.planning.model import FactoryPlan, Findings, PlannedSpec, StackPlan
from aifactory.stacks.planning.passes import plan_site, rules
from aifactory.stacks.planning.place import place_of


def plan_factory(loaded: Loaded) -> FactoryPlan:
    """The plan of a blueprint at all its sites. Sites whose parts refused are missing; `findings` says why."""
    stacks: dict[str, StackPlan] = {}
    problems: list[Problem] = []
    evaluated: Counter[str] = Counter()
    for here in loaded.sites.values():
        place = place_of(here.site, loaded.train)
        site_plan, stack = plan_site(loaded.name, _specs(here), place, loaded.catalog)
        problems.extend(_located(problem, loaded) for problem in site_plan.problems)
        evaluated.update(site_plan.evaluated)
        if stack is not None:
            stacks[stack.name] = stack
    findings = Findings(tuple(problems), dict(sorted(evaluated.items())), rules())
    return FactoryPlan(loaded.name, loaded.train, stacks, findings)


def _specs(here: LoadedSite) -> list[PlannedSpec]:
    return [PlannedSpec(spec, ("parts", index)) for index, spec in enumerate(here.blueprint.parts)]


def _located(problem: Problem, loaded: Loaded) -> Problem:
    return problem if problem.at else problem.located(loaded.position(problem.path, problem.document, problem.site))
