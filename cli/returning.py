"""What AWS has of a base that no row made: a log group that EKS makes anew after a removal, and that is in the way of
the next run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
from msgspec import Struct

from aifactory.cli.deploying import Outcome
from aifactory.components.catalog import Catalog, Row
from aifactory.components.rows import CloudRow


class Returning(Struct, frozen=True):
    """Something that may be there, or is, beside what the state holds."""

    row: str
    """The row that it is about."""
    says: str
    commands: tuple[str, ...]
    """What shows it, then what removes it."""

    def as_data(self) -> dict[str, Any]:
        """As `--format json` prints it."""
        return {"row": self.row, "says": self.says, "commands": list(self.commands)}


def returning(outcome: Outcome, catalog: Catalog) -> list[Returning]:
    """What may be back after a removal, by what is gone."""
    left = {row.row for row in outcome.remains}
    gone = [row for row in outcome.rows if row.id and row.row not in left]
    known = [(row, catalog.find("aws-removal.returns", row.token)) for row in gone]
    return [_told(row.row, fact, row.id, outcome.region) for row, fact in known if fact is not None]


def taken(outcome: Outcome, rows: Iterable[CloudRow], region: str, catalog: Catalog) -> list[Returning]:
    """Rows whose name something has that the state doesn't hold, by what AWS said."""
    by_id = {row.id: row for row in rows}
    found = []
    for failure in outcome.journal.failures:
        row = by_id.get(failure.label.row)
        fact = catalog.find("aws-removal.taken", row.token) if row is not None else None
        if row is not None and fact is not None and any(fact.text("error") in text for text in failure.says):
            found.append(_told(row.id, fact, str(row.properties["name"]), region))
    return found


def print_returning(found: list[Returning]) -> list[Returning]:
    """Print each with its commands, to stderr. Returns what was printed."""
    for each in found:
        click.echo(f"  {click.style('!', fg='yellow', bold=True)} {each.row}: {each.says}", err=True)
        for command in each.commands:
            click.echo(f"      {command}", err=True)
    return found


def returning_data(found: list[Returning]) -> dict[str, Any]:
    """As `--format json` prints it; empty where nothing comes back."""
    return {"returns": [each.as_data() for each in found]} if found else {}


def _told(row: str, fact: Row, name: str, region: str) -> Returning:
    words = {"id": name, "region": region}
    return Returning(row, fact.text("holds"), tuple(each.format(**words) for each in fact.texts("commands")))
