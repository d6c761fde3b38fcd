"""Catalog rows as data and as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import click

from aifactory.blueprints.shown import shown
from aifactory.cli.report import text_columns
from aifactory.components.catalog import Catalog
from aifactory.components.problems import Problem, Refused, nearest
from aifactory.stacks.planning.data import data_of

SCHEMA = "aifactory-catalog/v1"


def listed_tables(catalog: Catalog) -> dict[str, Any]:
    """The tables, each with its number of rows."""
    return {"schema": SCHEMA, "tables": {table: len(catalog.keys(table)) for table in catalog.tables()}}


def listed_rows(catalog: Catalog, table: str) -> dict[str, Any]:
    """The rows of a table: key, what else it is called, and the day its source was read."""
    _refuse_unknown(catalog, table)
    rows = [
        {"key": row.key, "aliases": list(row.data.get("aliases", ())), "checked": row.checked}
        for row in catalog.rows(table)
    ]
    return {"schema": SCHEMA, "table": table, "rows": rows}


def one_row(catalog: Catalog, table: str, name: str) -> dict[str, Any]:
    """All that is known of one row. Raises `Refused` with the nearest spelling."""
    _refuse_unknown(catalog, table)
    row = catalog.row(table, name)
    return {
        "schema": SCHEMA,
        "row": row.ref,
        "checked": row.checked,
        "sources": list(row.sources),
        "data": data_of(row.data),
    }


def print_facts(data: dict[str, Any]) -> None:
    """Print tables with their sizes, rows with their aliases, or one row with its sources."""
    if "tables" in data:
        lines = _aligned([(table, str(count)) for table, count in data["tables"].items()])
    elif "rows" in data:
        lines = _aligned([(row["key"], ", ".join(row["aliases"])) for row in data["rows"]])
    else:
        lines = _row_lines(data)
    for line in lines:
        click.echo(line)


def _aligned(pairs: list[tuple[str, str]]) -> Iterator[str]:
    width = max((len(first) for first, _ in pairs), default=0)
    return (f"{first:{width}}  {second}".rstrip() for first, second in pairs)


def _row_lines(data: dict[str, Any]) -> Iterator[str]:
    from aifactory.stacks.render.yaml import dump  # noqa: PLC0415 - only for text

    yield click.style(data["row"], bold=True) + f", checked {data['checked']}"
    yield dump(data["data"]).rstrip("\n")
    yield "sources:"
    for source in data["sources"]:
        yield textwrap.fill(source, text_columns(), initial_indent="- ", subsequent_indent="  ")


def _refuse_unknown(catalog: Catalog, table: str) -> None:
    tables = catalog.tables()
    if table not in tables:
        hint = nearest(table, tables, shown=20)
        raise Refused([Problem(f"{shown(table)} is not a table of the catalog", hint=hint)])
