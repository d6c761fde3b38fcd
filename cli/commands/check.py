"""`aifactory check`: load, plan and judge; the command for CI."""

from __future__ import annotations

import json
from pathlib import Path

import click

from aifactory.cli import options


@click.command()
@options.blueprint
@options.day
@options.output()
def check(blueprint: Path, sites: tuple[str, ...], values: dict[str, str], day: str | None, form: str) -> int:
    """Load BLUEPRINT with its sites, plan and estimate it, and judge both by rules and limits.

    Exit code: 0 allowed, 1 denied or wrong input, 3 the check itself failed, 4 undecided.
    """
    from aifactory.blueprints.root import project_root  # noqa: PLC0415 - heavy imports are paid by the verb alone
    from aifactory.cli.judgement import failed, judged  # noqa: PLC0415
    from aifactory.policies.verdict import as_data  # noqa: PLC0415

    if form == "text":
        judgement = judged(blueprint, sites, values, day)
        judgement.print(project_root(blueprint))
        return judgement.verdict.exit_code
    try:
        judgement = judged(blueprint, sites, values, day)
    except Exception as error:  # noqa: BLE001 - who reads the JSON gets a verdict, whatever happens
        judgement = failed(error)
    click.echo(json.dumps(as_data(judgement.verdict, judgement.digests), indent=2, ensure_ascii=False))
    return judgement.verdict.exit_code
