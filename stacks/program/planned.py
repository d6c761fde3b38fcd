"""Plans a blueprint in the process that deploys it: the rows of one site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from aifactory.blueprints.load import Loaded, load
from aifactory.components.names import Layer
from aifactory.components.problems import Problem, Refused, nearest, path_text
from aifactory.stacks.assembly.rowset import RowSet, row_set
from aifactory.stacks.assembly.stack import assemble
from aifactory.stacks.planning.data import digest_of, factory_data
from aifactory.stacks.planning.factory import plan_factory

Scalar = str | int | float | bool


class PlannedRows(Struct, frozen=True):
    """The rows of one site, and the project root that relative paths of the site count from."""

    rows: RowSet
    root: Path


def planned_rows(
    blueprint: Path, site: str, parameters: Mapping[str, Scalar] | None = None, layer: Layer = "platform"
) -> PlannedRows:
    """Load, plan and assemble. Every site is planned, since sites decide for each other; one is assembled.

    Raises `Refused` with every problem that keeps the blueprint from being built.
    """
    loaded = load(blueprint, {name: _text(value) for name, value in (parameters or {}).items()})
    if site not in loaded.sites:
        raise Refused([Problem(f'"{site}" is not a site of this blueprint', hint=nearest(site, loaded.sites))])
    plan = plan_factory(loaded)
    if plan.findings.errors:
        raise Refused(plan.findings.errors)
    stack = next(stack for stack in plan.stacks.values() if stack.place.site == site)
    try:
        assembled = assemble(stack)
    except Refused as refused:
        raise Refused(_located(problem, loaded) for problem in refused.problems) from None
    found = next((each for each in assembled if each.layer == layer), None)
    if found is None:
        raise Refused([Problem(f"{site} has no stack of layer {layer}", hint="its cluster is given: leave layer out")])
    return PlannedRows(row_set(found, digest_of(factory_data(plan, loaded.catalog))), loaded.root)


def problems_text(what: str, problems: Iterable[Problem]) -> str:
    """Problems as one message for the engine to show: a line for each, with its hint below."""
    lines = [what]
    for problem in problems:
        at = f"{problem.at.file}:{problem.at.line}:{problem.at.column}: " if problem.at else ""
        path = f"{path_text(problem.path)}: " if problem.path else ""
        rule = f" [{problem.rule}]" if problem.rule else ""
        site = f" (at {problem.site})" if problem.site else ""
        lines.append(f"  {at}{path}{problem.says}{rule}{site}")
        if problem.hint:
            lines.append(f"    hint: {problem.hint}")
    return "\n".join(lines)


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _located(problem: Problem, loaded: Loaded) -> Problem:
    return problem if problem.at else problem.located(loaded.position(problem.path))
