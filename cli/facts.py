"""Catalog rows as data and as text."""

from __future__ import annotations

from typing import Any

import click

from aifactory.components.catalog import Catalog
from aifactory.components.problems import Problem, Refused, nearest
from aifactory.stacks.planning.data import data_of

SCHEMA = "aifactory-catalog/v1"


def listed_tables() -> dict[str, Any]:
    """The tables, each with its number of rows."""
    catalog = Catalog.shipped()
    tables = {table: len(catalog.keys(table)) for table in catalog.tables()}
    width = max(map(len, tables))
    lines = [f"{table:{width}}  {count}" for table, count in tables.items()]
    return {"schema": SCHEMA, "tables": tables, "lines": lines}


def listed_rows(table: str) -> dict[str, Any]:
    """The rows of a table: key, what else it is called, and the day its source was read."""
    catalog = _known(table)
    rows = [
        {"key": row.key, "aliases": list(row.data.get("aliases", ())), "checked": row.checked}
        for row in catalog.rows(table)
    ]
    width = max((len(row["key"]) for row in rows), default=0)
    lines = [f"{row['key']:{width}}  {', '.join(row['aliases'])}".rstrip() for row in rows]
    return {"schema": SCHEMA, "table": table, "rows": rows, "lines": lines}


def one_row(table: str, name: str) -> dict[str, Any]:
    """All that is known of one row. Raises `Refused` with the nearest spelling."""
    row = _known(table).row(table, name)
    return {
        "schema": SCHEMA,
        "row": row.ref,
        "checked": row.checked,
        "sources": list(row.sources),
        "data": data_of(row.data),
    }


def print_row(data: dict[str, Any]) -> None:
    """Print a row: fields, then sources."""
    from aifactory.stacks.render.yaml import dump  # noqa: PLC0415 - only for text

    click.echo(click.style(data["row"], bold=True) + f", checked {data['checked']}")
    click.echo(dump(data["data"]).rstrip("\n"))
    click.echo("sources:")
    for source in data["sources"]:
        click.echo(f"- {source}")


def _known(table: str) -> Catalog:
    catalog = Catalog.shipped()
    tables = catalog.tables()
    if table not in tables:
        raise Refused(
            [Problem(f'"{table}" is not a table of the catalog', hint=nearest(table, tables, shown=20))]
        )
    return catalog
