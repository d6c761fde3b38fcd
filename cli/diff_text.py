"""Changes as text: sentences first, rows counted or listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from aifactory.cli.work import prepare
from aifactory.stacks.comparing.changes import Change
from aifactory.stacks.comparing.snapshot import Snapshot, of_folder, of_stacks

_COLORS = {"added": "green", "removed": "red"}


def snapshot(path: Path, sites: Sequence[str]) -> Snapshot:
    """A blueprint file planned now, or a folder that was generated before. Raises `Refused`."""
    if path.is_dir():
        return {name: stack for name, stack in of_folder(path).items() if not sites or stack.site in sites}
    return of_stacks(prepare(path, sites).shown.values())


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
                click.echo(f"  {click.style(change.says, fg=_COLORS.get(change.verb))}")
        count = Counter(change.verb for change in here if change.subject == "row")
        if count:
            click.echo(
                f"  rows: {count['added']} added, {count['changed']} changed, {count['removed']} removed"
            )
