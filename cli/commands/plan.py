"""`aifactory plan`: what was decided, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aifactory.cli import options

if TYPE_CHECKING:
    from aifactory.cli.work import Work


@click.command()
@options.blueprint
@options.output()
@click.option("details", "--details", is_flag=True, help="Show rejected alternatives and the facts used, too.")
def plan(blueprint: Path, sites: tuple[str, ...], values: dict[str, str], form: str, details: bool) -> int:
    """Show the decisions for BLUEPRINT at its sites."""
    from aifactory.cli.remembered import Question  # noqa: PLC0415 - heavy imports are paid by the verb alone

    question = Question(blueprint, {"sites": sites, "values": values, "form": form, "details": details})
    answer = question.answer()
    if answer is None:
        from aifactory.cli.refusing import refusing  # noqa: PLC0415 - only when there is something to do

        with refusing(blueprint, reads_only=True):
            from aifactory.cli.work import prepare  # noqa: PLC0415

            work = prepare(blueprint, sites, values)
            with question.screens() as screens:
                _print(work, form, details=details)
            answer = screens.texts
            question.remember(work, *answer)
    for text, err in zip(answer, (False, True), strict=True):
        click.echo(text, nl=False, err=err, color=True)  # already without colour where there must be none
    return 0


def _print(work: Work, form: str, *, details: bool) -> None:
    if form == "json":
        sites = {stack.plan.place.site for stack in work.shown.values()}
        stacks = {name: each for name, each in work.data["stacks"].items() if each["site"] in sites}
        shown = {**work.data, "stacks": stacks}  # one plan a site: base and platform come of the same
        click.echo(json.dumps({**shown, "digest": work.digest}, indent=2, ensure_ascii=False))
    else:
        from aifactory.cli.plan_text import print_plan  # noqa: PLC0415 - only for text

        print_plan(work, details=details)
