"""A plan as text: per site, per part, each decision on its line with its reason."""

from __future__ import annotations

import shutil
import textwrap

import click

from aifactory.cli.report import counted, rendered
from aifactory.cli.work import Work
from aifactory.components.base import Decision
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.planning.data import data_of

_VALUE_CHARS = 60


def print_plan(work: Work, *, details: bool) -> None:
    """Print the plan of the sites that were asked for."""
    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    for stack in work.shown.values():
        _print_stack(stack, width, details=details)
    warnings = [problem for problem in work.plan.findings.problems if problem.severity == "warning"]
    for text in rendered(warnings, work.loaded.root):
        click.echo(text, err=True)
    click.echo(f"plan {work.digest}")


def value_text(value: object) -> str:
    """A decided value on one line."""
    plain = data_of(value)
    if isinstance(plain, list):
        text = (
            ", ".join(str(item) for item in plain)
            if all(isinstance(item, (str, int)) for item in plain)
            else ""
        )
        return _cut(text or counted(len(plain), "item"))
    if isinstance(plain, dict):
        return _cut(", ".join(f"{key}={item}" for key, item in plain.items())) or "none"
    if isinstance(plain, bool):
        return "yes" if plain else "no"
    return _cut(str(plain)) if plain not in (None, "") else "none"


def print_decision(decision: Decision, width: int, *, indent: str = "  ", details: bool = False) -> None:
    """Print one decision: key, value, reason; alternatives and facts with `details`."""
    click.echo(f"{indent}{click.style(decision.path, bold=True)} = {value_text(decision.value)}")
    click.echo(_wrapped(decision.reason, width, indent + "    "))
    if details:
        for other in decision.rejected:
            click.echo(_wrapped(f"not {value_text(other.value)}: {other.reason}", width, indent + "    "))
        if decision.facts:
            click.echo(_wrapped(f"facts: {', '.join(decision.facts)}", width, indent + "    "))


def _print_stack(stack: Stack, width: int, *, details: bool) -> None:
    plan = stack.plan
    place = plan.place
    click.echo(click.style(f"{stack.name}", fg="green", bold=True), nl=False)
    click.echo(
        f"  {place.venue} in {place.location.city or place.location.country}, Kubernetes {place.cluster.version}"
    )
    counts = [counted(sum(row.part == part.name for row in stack.rows), "row") for part in plan.parts]
    for part, count in zip(plan.parts, counts, strict=True):
        click.echo(f"\n  {click.style(part.name, fg='cyan', bold=True)} ({part.kind}, {count})")
        for decision in plan.decisions.values():
            if decision.path.startswith(f"{part.name}."):
                print_decision(decision, width, details=details)
        for note in part.overrides:
            click.echo(_wrapped(f"overridden: {note.row}: {note.reason}", width, "  "))
    click.echo()


def _wrapped(text: str, width: int, indent: str) -> str:
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _cut(text: str) -> str:
    return text if len(text) <= _VALUE_CHARS else f"{text[: _VALUE_CHARS - 1]}…"
