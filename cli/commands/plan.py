"""`aifactory plan`: what was decided, and why."""

from __future__ import annotations

import json
from pathlib import Path

import click

from aifactory.cli import options


@click.command()
@options.blueprint
@options.output()
@click.option(
    "details", "--details", is_flag=True, help="Show rejected alternatives and the facts used, too."
)
def plan(blueprint: Path, sites: tuple[str, ...], values: dict[str, str], form: str, details: bool) -> int:
    """Show the decisions for BLUEPRINT at its sites."""
    from aifactory.cli.refusing import refusing  # noqa: PLC0415 - heavy imports are paid by the verb alone
    from aifactory.cli.work import prepare  # noqa: PLC0415

    with refusing(blueprint, reads_only=True):
        work = prepare(blueprint, sites, values)
        if form == "json":
            shown = {**work.data, "stacks": {name: work.data["stacks"][name] for name in work.shown}}
            click.echo(json.dumps({**shown, "digest": work.digest}, indent=2, ensure_ascii=False))
            return 0
        from aifactory.cli.plan_text import print_plan  # noqa: PLC0415

        print_plan(work, details=details)
    return 0
