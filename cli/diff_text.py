"""Changes as text: sentences first, rows counted or listed."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from aifactory.blueprints.shown import shown
from aifactory.cli.report import text_columns
from aifactory.cli.work import prepare
from aifactory.components.problems import Problem, Refused, nearest
from aifactory.stacks.comparing.changes import Change
from aifactory.stacks.comparing.snapshot import Snapshot, StackSnapshot, of_folder, of_stacks

_COLORS = {"added": "green", "removed": "red"}


def snapshot(path: Path) -> Snapshot:
    """A blueprint file planned now, or a folder that was generated before. Raises `Refused`."""
    return of_folder(path) if path.is_dir() else of_stacks(prepare(path).stacks.values())


def alike(paths: tuple[Path, Path], sides: tuple[Snapshot, Snapshot]) -> tuple[Snapshot, Snapshot]:
    """Both sides, as far as they speak of the same: one stack where a side is the folder of one, and the stacks of
    one factory where a side is its blueprint."""
    one, other = sides
    for path, side in zip(paths, sides, strict=True):
        if (path / "plan.json").is_file():
            one, other = ({name: stack for name, stack in each.items() if name in side} for each in (one, other))
        elif path.is_file():
            factories = {_factory(stack) for stack in side.values()}
            one, other = (
                {name: stack for name, stack in each.items() if _factory(stack) in factories} for each in (one, other)
            )
    return one, other


def _factory(stack: StackSnapshot) -> str:
    return stack.name.rpartition(f"-{stack.site}-")[0]


def at_sites(before: Snapshot, after: Snapshot, sites: Sequence[str]) -> tuple[Snapshot, Snapshot]:
    """Both sides at some sites, at all when none is named. Raises `Refused` for a site that neither has."""
    known = {stack.site for stack in (*before.values(), *after.values())}
    unknown = [site for site in sites if site not in known]
    if unknown:
        raise Refused(
            Problem(f"{shown(site)} is a site of neither side", hint=nearest(site, known)) for site in unknown
        )
    one, other = (
        {name: stack for name, stack in side.items() if not sites or stack.site in sites} for side in (before, after)
    )
    return one, other


def as_data(found: Sequence[Change]) -> dict[str, Any]:
    """Changes as `diff --format json` prints them."""
    return {
        "schema": "aifactory-diff/v1",
        "changes": [
            {
                "stack": change.stack,
                "subject": change.subject,
                "verb": change.verb,
                "target": change.target,
                "says": change.says,
                "before": change.before,
                "after": change.after,
                "fields": list(change.fields),
            }
            for change in found
        ],
    }


def print_changes(found: Sequence[Change], *, rows: bool) -> None:
    """Print changes by stack; exactly one line when there are none."""
    if not found:
        click.echo("no changes")
        return
    stacks = list(dict.fromkeys(change.stack for change in found))
    for stack in stacks:
        here = [change for change in found if change.stack == stack]
        click.echo(click.style(stack, fg="green", bold=True))
        for change in here:
            if change.subject != "row" or rows:
                says = textwrap.fill(change.says, text_columns(), initial_indent="  ", subsequent_indent="      ")
                click.echo(click.style(says, fg=_COLORS.get(change.verb)))
        count = Counter(change.verb for change in here if change.subject == "row")
        if count:
            click.echo(f"  rows: {count['added']} added, {count['changed']} changed, {count['removed']} removed")
