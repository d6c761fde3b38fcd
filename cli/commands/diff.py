"""`aifactory diff`: what changed between two plans, by meaning."""

from __future__ import annotations

import json
from pathlib import Path

import click

from aifactory.cli import options


@click.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("sites", "--site", metavar="NAME", multiple=True, help="Only this site; may be repeated.")
@click.option("rows", "--rows", is_flag=True, help="List rows, too; without it they are counted.")
@click.option("exit_code", "--exit-code", is_flag=True, help="Exit with 1 when there are changes.")
@options.output()
def diff(before: Path, after: Path, sites: tuple[str, ...], rows: bool, exit_code: bool, form: str) -> int:
    """Compare BEFORE with AFTER: each a blueprint file, or a folder that `generate` wrote.

    Says what the change means (8 H200 nodes became 10), and which rows it touches.
    """
    from aifactory.cli.diff_text import alike, as_data, at_sites, print_changes, snapshot  # noqa: PLC0415 - paid by the verb
    from aifactory.cli.refusing import refusing  # noqa: PLC0415
    from aifactory.stacks.comparing.changes import changes  # noqa: PLC0415

    with refusing(before, reads_only=True):
        old = snapshot(before)
    with refusing(after, reads_only=True):
        new = snapshot(after)
        found = changes(*at_sites(*alike((before, after), (old, new)), sites))
    if form == "json":
        click.echo(json.dumps(as_data(found), indent=2, ensure_ascii=False))
    else:
        print_changes(found, rows=rows)
    return 1 if exit_code and found else 0
