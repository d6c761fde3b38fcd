"""`aifactory check`: load, plan and judge; the command for CI."""

from __future__ import annotations

import json
from pathlib import Path

import click

from aifactory.cli import options


@click.command()
@options.blueprint
@options.output()
def check(blueprint: Path, sites: tuple[str, ...], values: dict[str, str], form: str) -> int:
    """Load BLUEPRINT with its sites, plan it, and judge the plan by the planner's rules.

    Exit code: 0 allowed, 1 denied or wrong input, 3 the check itself failed, 4 undecided.
    """
    from aifactory.blueprints.root import project_root  # noqa: PLC0415 - heavy imports are paid by the verb alone
    from aifactory.cli.judgement import judged  # noqa: PLC0415
    from aifactory.policies.verdict import as_data  # noqa: PLC0415

    judgement = judged(blueprint, sites, values)
    if form == "json":
        data = as_data(judgement.verdict, judgement.digests)
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        judgement.print(project_root(blueprint))
    return judgement.verdict.exit_code
