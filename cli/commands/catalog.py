"""`aifactory catalog`: facts with their sources."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command()
@click.argument("table", required=False)
@click.argument("name", required=False)
@click.option(
    "form", "--format", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)
def catalog(table: str | None, name: str | None, form: str) -> int:
    """List the tables of facts, the rows of TABLE, or all that is known of one NAME with sources and dates."""
    from pathlib import Path  # noqa: PLC0415 - paid by the verb alone

    from aifactory.cli.refusing import refusing  # noqa: PLC0415

    with refusing(Path.cwd()):
        from aifactory.cli.facts import listed_rows, listed_tables, one_row, print_row  # noqa: PLC0415

        data: dict[str, Any]
        if table is None:
            data = listed_tables()
        elif name is None:
            data = listed_rows(table)
        else:
            data = one_row(table, name)
    if form == "json":
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    elif name is not None:
        print_row(data)
    else:
        for line in data["lines"]:
            click.echo(line)
    return 0
