"""`aifactory check`: load, plan and judge; the command for CI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aifactory.cli import options

if TYPE_CHECKING:
    from aifactory.cli.base_judging import Against
    from aifactory.cli.judgement import Judgement


@click.command()
@options.blueprint
@options.day
@click.option("base", "--base", metavar="REF|DIR", help="Show what changed since a commit, or another folder.")
@click.option("new_only", "--new-only", is_flag=True, help="Fail for what the base doesn't have; with --base.")
@options.output("markdown")
def check(
    blueprint: Path,
    sites: tuple[str, ...],
    values: dict[str, str],
    day: str | None,
    base: str | None,
    new_only: bool,
    form: str,
) -> int:
    """Load BLUEPRINT with its sites, plan and estimate it, and judge both by rules and limits.

    With --base the same blueprint is planned as it is at a commit, branch or tag of git, or in a folder that holds a
    copy of the project, and shown is what changed: rows, cost, energy, carbon, prices, findings. A folder of that
    name wins. With --format markdown all of it is fit for a comment of a pull request.

    Exit code: 0 allowed, 1 denied or wrong input, 3 the check itself failed, 4 undecided.
    """
    if new_only and base is None:
        raise click.UsageError("--new-only needs a base to compare with: --base main.")
    from aifactory.cli.judgement import failed  # noqa: PLC0415 - heavy imports are paid by the verb alone

    if form == "text":
        from aifactory.blueprints.root import project_root  # noqa: PLC0415

        judgement, against = _judged(blueprint, sites, values, day, base, new_only=new_only)
        if against is None:
            judgement.print(project_root(blueprint))
        else:
            from aifactory.cli.base_text import print_against  # noqa: PLC0415 - only for a base

            print_against(judgement, against, project_root(blueprint))
        return judgement.verdict.exit_code
    try:
        judgement, against = _judged(blueprint, sites, values, day, base, new_only=new_only)
        text = _written(judgement, against, form)
    except Exception as error:  # noqa: BLE001 - who reads the JSON gets a verdict, whatever happens
        judgement = failed(error)
        text = _written(judgement, None, form)
    click.echo(text)
    return judgement.verdict.exit_code


def _judged(
    blueprint: Path,
    sites: tuple[str, ...],
    values: dict[str, str],
    day: str | None,
    base: str | None,
    *,
    new_only: bool,
) -> tuple[Judgement, Against | None]:
    from aifactory.cli.judgement import judged  # noqa: PLC0415 - heavy imports are paid by the verb alone

    if base is None:
        return judged(blueprint, sites, values, day), None
    from aifactory.cli.base_judging import judged_against  # noqa: PLC0415 - only for a base
    from aifactory.cli.pricing import as_of  # noqa: PLC0415

    # One day for both sides, also around midnight. One that is no day is a finding like any other.
    return judged_against(base, blueprint, sites, values, as_of() if day is None else day, new_only=new_only)


def _written(judgement: Judgement, against: Against | None, form: str) -> str:
    if form == "markdown":
        from aifactory.cli.check_markdown import against_markdown, check_markdown  # noqa: PLC0415 - only for it

        return check_markdown(judgement) if against is None else against_markdown(judgement, against)
    from aifactory.policies.verdict import as_data  # noqa: PLC0415 - only for JSON

    data = as_data(judgement.verdict, judgement.digests)
    if against is not None:
        from aifactory.cli.base_data import base_data, changed_data  # noqa: PLC0415 - only for a base

        data |= {"base": base_data(against), "changed": changed_data(against)}
    return json.dumps(data, indent=2, ensure_ascii=False)
