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

    Prints the reason, the alternatives, what it follows from, and the facts with their sources. Of the estimate, such
    as `cost`, `cost.train`, `energy`, `carbon`, `utilisation`, `models.chat`: the formula with its numbers, and inputs
    with source, date and band. A decision of that name wins.
    """
    from aifactory.cli.refusing import refusing  # noqa: PLC0415 - heavy imports are paid by the verb alone
    from aifactory.cli.work import prepare  # noqa: PLC0415

    with refusing(blueprint, reads_only=True):
        from aifactory.cli.explain_cost import explained, print_figures  # noqa: PLC0415
        from aifactory.cli.explain_text import print_explained  # noqa: PLC0415

        work = prepare(blueprint, sites, values)
        found: dict[str, Any] = explained(work, path)
        if form == "json":
            click.echo(json.dumps({"schema": "aifactory-explain/v1", **found}, indent=2, ensure_ascii=False))
        elif "figures" in found:
            print_figures(found)
        else:
            print_explained(found)
    return 0
