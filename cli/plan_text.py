"""A plan as text: per site, per part, each decision on its line with its reason."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import Any

import click

from aifactory.cli.report import tell, text_columns
from aifactory.cli.work import Work
from aifactory.components.base import Decision
from aifactory.components.counting import counted
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.planning.data import data_of

_VALUE_CHARS = 160


def print_plan(work: Work, *, details: bool) -> None:
    """Print the plan of the sites that were asked for."""
    columns = text_columns()
    for stack in work.shown.values():
        _print_stack(stack, columns, details=details)
    tell(work.warnings, work.loaded.root)
    click.echo(f"plan {work.digest}")


def value_text(value: object) -> str:
    """A decided value on one line, long ones cut."""
    text = _plain_text(data_of(value))
    return text if len(text) <= _VALUE_CHARS else f"{text[: _VALUE_CHARS - 1]}…"


def assigned_text(path: str, value: object, columns: int, indent: str, before: str = "") -> str:
    """`train.nodes = 8`, the path bold, folded below itself; `before` goes in front."""
    head = f"{indent}{before}"
    text = wrapped(f"{path} = {value_text(value)}", columns, head, f"{indent}      ")
    return head + click.style(path, bold=True) + text.removeprefix(head).removeprefix(path)


def wrapped(text: str, columns: int, indent: str, following: str | None = None) -> str:
    """Text folded between words, `indent` before the first line and `following` before the others."""
    following = indent if following is None else following
    return textwrap.fill(
        text,
        columns,
        initial_indent=indent,
        subsequent_indent=following,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _plain_text(plain: Any) -> str:
    if isinstance(plain, bool):
        return "yes" if plain else "no"
    if isinstance(plain, list):
        simple = all(isinstance(item, str | int) for item in plain)
        return (", ".join(map(str, plain)) if simple else counted(len(plain), "item")) or "none"
    if isinstance(plain, dict):
        return ", ".join(f"{key}={_inner_text(item)}" for key, item in plain.items()) or "none"
    return "none" if plain in (None, "") else str(plain)


def _inner_text(plain: Any) -> str:
    if isinstance(plain, dict) and plain:
        # Numbers by name are read as they are; what lies deeper is in the plan's document.
        deep = any(isinstance(item, dict | list) for item in plain.values())
        return "{…}" if deep else f"{{{_plain_text(plain)}}}"
    return f"[{_plain_text(plain)}]" if isinstance(plain, list) else _plain_text(plain)


def _print_stack(stack: Stack, columns: int, *, details: bool) -> None:
    plan, place = stack.plan, stack.plan.place
    where = f"{place.venue} in {place.location.city or place.location.country}"
    rows = Counter(row.part for row in stack.rows)
    click.echo(click.style(stack.name, fg="green", bold=True))
    click.echo(
        wrapped(f"{where}, Kubernetes {place.cluster.version}, {counted(len(stack.rows), 'row')}", columns, "  ")
    )
    for part in plan.parts:
        count = counted(rows[part.name], "row")
        click.echo(f"\n  {click.style(part.name, fg='cyan', bold=True)} ({part.kind}, {count})")
        click.echo(wrapped(part.plan.in_short, columns, "  "))
        for decision in plan.decisions.values():
            if decision.path.startswith(f"{part.name}."):
                _print_decision(decision, columns, details=details)
        for note in part.overrides:
            click.echo(wrapped(f"overridden: {note.row}: {note.reason}", columns, "  ", "      "))
    click.echo()


def _print_decision(decision: Decision, columns: int, *, details: bool) -> None:
    """Key, value and reason of a decision; alternatives and facts with `details`."""
    click.echo(assigned_text(decision.path, decision.value, columns, "  "))
    click.echo(wrapped(decision.reason, columns, "      "))
    if not details:
        return
    for other in decision.rejected:
        click.echo(wrapped(f"not {value_text(other.value)}: {other.reason}", columns, "      "))
    if decision.facts:
        click.echo(wrapped(f"facts: {', '.join(decision.facts)}", columns, "      "))
