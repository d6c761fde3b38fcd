"""`aifactory explain`: how one value came about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from aifactory.cli import options


@click.command()
@options.blueprint
@click.argument("path")
@options.output()
def explain(blueprint: Path, path: str, sites: tuple[str, ...], values: dict[str, str], form: str) -> int:
    """Show how the value at PATH came about: `train.nodes`, or `train` for all of a part.

    Prints the reason, the alternatives, what it follows from, and the facts with their sources.
    """
    from aifactory.cli.refusing import refusing  # noqa: PLC0415 - heavy imports are paid by the verb alone
    from aifactory.cli.work import prepare  # noqa: PLC0415

    with refusing(blueprint, reads_only=True):
        from aifactory.cli.explain_text import explained, print_explained  # noqa: PLC0415

        work = prepare(blueprint, sites, values)
        found: dict[str, Any] = explained(work, path)
        if form == "json":
            click.echo(json.dumps({"schema": "aifactory-explain/v1", **found}, indent=2, ensure_ascii=False))
        else:
            print_explained(found)
    return 0
