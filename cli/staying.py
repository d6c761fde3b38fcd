"""What of a base stays when it is removed: what AWS calls it, why it stays, and the commands that find and end that."""

from __future__ import annotations

from typing import Any

import click
from msgspec import Struct

from aifactory.cli.deploying import Outcome, Removal
from aifactory.components.catalog import Catalog
from aifactory.components.counting import counted

_LISTED = 20


class Staying(Struct, frozen=True):
    """A resource of a base that is still there."""

    row: str
    part: str
    id: str
    says: str
    commands: tuple[str, ...]
    """What to run, in order: first what shows why it stays, then what ends that."""


def staying(outcome: Outcome, catalog: Catalog) -> list[Staying]:
    """What stays of a base, and can't go by itself: what is protected, and what the cloud refused to remove."""
    failed = {failure.label.row for failure in outcome.journal.failures}
    found = []
    for row in outcome.remains:
        if row.id and (row.protected or row.row in failed):
            known = catalog.find("aws-removal", row.token)
            words = {"id": row.id, "region": outcome.region}
            commands = [each.format(**words) for each in known.texts("commands")] if known is not None else []
            if row.row not in failed:
                says = "is protected, since it holds data"
                commands.append(f"aifactory destroy BLUEPRINT --site {outcome.site} --remove-protected {row.row}")
            elif known is not None:
                says = known.text("holds")
            else:
                says = "was not removed, for the reason above"
            found.append(Staying(row.row, row.part, row.id, says, tuple(commands)))
    return found


def print_staying(outcome: Outcome, stays: list[Staying], removal: Removal) -> None:
    """What stays, to stderr."""
    name = click.style(outcome.stack, bold=True)
    if outcome.result == "kept":
        rows = counted(len(outcome.kept_by), "row")
        click.echo(
            f"{name}: kept, with all its {counted(len(outcome.rows), 'row')}: {rows} of its platform stay", err=True
        )
        for row in outcome.kept_by[:_LISTED]:
            click.echo(f"  = {row}", err=True)
        click.echo("  it goes when they do: name what is protected, --remove-protected ROW", err=True)
    for one in outcome.stuck:
        click.echo(f"  {click.style('!', fg='red', bold=True)} {one.row}: {one.says}", err=True)
        if one.remove:
            click.echo(f"      {one.remove}", err=True)
    for each in stays:
        click.echo(
            f"  {click.style('=', fg='cyan', bold=True)} {each.row} of {each.part}, {each.id}: {each.says}", err=True
        )
        for command in each.commands:
            click.echo(f"      {command}", err=True)
    needed = [row for row in outcome.remains if row.id and row.row not in {each.row for each in stays}]
    if stays and needed:
        click.echo(
            f"  = {counted(len(needed), 'row')} more {'stays' if len(needed) == 1 else 'stay'} with them", err=True
        )
    if removal.clearing is not None and outcome.result == "succeeded":
        for kept in removal.clearing.stays if removal.clearing.whole else ():
            click.echo(f"  = volume {kept.handle} stays in the account: the class of {kept.row} keeps it", err=True)


def staying_data(outcome: Outcome, stays: list[Staying]) -> dict[str, Any]:
    """As `--format json` prints it; empty where nothing stays."""
    found: dict[str, Any] = {}
    if outcome.kept_by:
        found["kept_by"] = outcome.kept_by
    if outcome.stuck:
        found["stuck"] = [one.as_data() for one in outcome.stuck]
    if stays:
        found["stays"] = [
            {"row": each.row, "part": each.part, "id": each.id, "says": each.says, "commands": list(each.commands)}
            for each in stays
        ]
    return found
