"""`aifactory catalog`: facts with their sources."""

from __future__ import annotations

import json
from pathlib import Path

import click

from aifactory.cli import options


@click.command()
@click.argument("table", required=False)
@click.argument("name", required=False)
@options.output()
def catalog(table: str | None, name: str | None, form: str) -> int:
    """List the tables of facts, the rows of TABLE, or all that is known of one NAME with sources and dates.

    Inside a project, its private facts are among them.
    """
    from aifactory.cli.refusing import refusing  # noqa: PLC0415 - heavy imports are paid by the verb alone

    with refusing(Path.cwd(), reads_only=True):
        from aifactory.blueprints.load import project_catalog  # noqa: PLC0415
        from aifactory.cli.facts import listed_rows, listed_tables, one_row, print_facts  # noqa: PLC0415

        known = project_catalog(Path.cwd())
        if table is None:
            data = listed_tables(known)
        elif name is None:
            data = listed_rows(known, table)
        else:
            data = one_row(known, table, name)
        if form == "json":
            click.echo(json.dumps(data, indent=2, ensure_ascii=False))
        else:
            print_facts(data)
    return 0
