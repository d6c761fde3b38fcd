"""Plans a blueprint at all its sites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from aifactory.blueprints.document import Node, child_of
from aifactory.blueprints.load import Loaded, LoadedSite
from aifactory.components.base import Decision
from aifactory.components.problems import Path, Problem
from aifactory.components.serving.spec import ServingSpec
from aifactory.stacks.planning.model import FactoryPlan, Findings, PlannedSpec, StackPlan
from aifactory.stacks.planning.passes import plan_site, rules
from aifactory.stacks.planning.place import place_of

UNSERVED = "SRV-026"


def plan_factory(loaded: Loaded) -> FactoryPlan:
    """The plan of a blueprint at all its sites. Sites whose parts refused are missing; `findings` says why."""
    stacks: dict[str, StackPlan] = {}
    problems: list[Problem] = []
    evaluated: Counter[str] = Counter()
    places = {name: place_of(here.site, loaded.train) for name, here in loaded.sites.items()}
    for name, here in loaded.sites.items():
        others = [place for other, place in places.items() if other != name]
        site_plan, stack = plan_site(
            loaded.name,
            _specs(here),
            places[name],
            loaded.catalog,
            here.blueprint.demand,
            here.blueprint.residency,
            others,
            here.blueprint.placement.flex,
        )
        problems.extend(_located(problem, loaded) for problem in site_plan.problems)
        evaluated.update(site_plan.evaluated)
        site_plan.decisions.update(_with_written_sources(site_plan.decisions.values(), here, loaded))
        if stack is not None:
            stacks[stack.name] = stack
    problems.extend(_unserved(loaded, evaluated))
    findings = Findings(tuple(problems), dict(sorted(evaluated.items())), rules())
    return FactoryPlan(loaded.name, loaded.train, stacks, findings)


def _unserved(loaded: Loaded, evaluated: Counter[str]) -> Iterator[Problem]:
    """Demands that no part serves anywhere: nobody would plan, price or deploy them."""
    blueprints = [here.blueprint for here in loaded.sites.values()]
    demand = next((each.demand for each in blueprints if each.demand), None)
    served = {spec.model for each in blueprints for spec in each.parts if isinstance(spec, ServingSpec)}
    for index, asked in enumerate(demand.models if demand else ()):
        evaluated[UNSERVED] += 1
        if asked.name not in served:
            says = f"no part serves {asked.name}, so nothing is planned for it"
            hint = f"add a serving part with model: {asked.name}, or delete the demand"
            path: Path = ("demand", "models", index)
            level = rules()[UNSERVED].level
            yield _located(Problem(says, path, hint, rule=UNSERVED, severity=level), loaded)


def _specs(here: LoadedSite) -> list[PlannedSpec]:
    return [PlannedSpec(spec, ("parts", index)) for index, spec in enumerate(here.blueprint.parts)]


def _with_written_sources(decisions: Iterable[Decision], here: LoadedSite, loaded: Loaded) -> dict[str, Decision]:
    """Decisions whose source nobody wrote, without it: a default has no place in a file."""
    trees = {"blueprint": loaded.document.tree, "site": here.document.tree}
    changed = {}
    for decision in decisions:
        written = _written(trees[decision.document], decision.source)
        if written != decision.source:
            changed[decision.path] = replace(decision, source=written)
    return changed


def _written(tree: Node, path: Path) -> Path:
    """The path when a document has it, nothing otherwise."""
    node: Node | None = tree
    for step in path:
        node = None if node is None else child_of(node, step)
    return () if node is None else path


def _located(problem: Problem, loaded: Loaded) -> Problem:
    return problem if problem.at else problem.located(loaded.position(problem.path, problem.document, problem.site))
