"""`aifactory diff`: what changed between two plans, by meaning."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("before", type=click.Path(path_type=Path, exists=True))
@click.argument("after", type=click.Path(path_type=Path, exists=True))
@click.option("sites", "--site", metavar="NAME", multiple=True, help="Show this site alone; may be repeated.")
@click.option("rows", "--rows", is_flag=True, help="List rows, too; without it they are counted.")
@click.option("exit_code", "--exit-code", is_flag=True, help="Exit with 1 when there are changes.")
@click.option(
    "form", "--format", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)
def diff(before: Path, after: Path, sites: tuple[str, ...], rows: bool, exit_code: bool, form: str) -> int:
    """Compare BEFORE with AFTER: each a blueprint file, or a folder that `generate` wrote.

    Says what the change means (8 H200 nodes became 10), and which rows it touches.
    """
    from aifactory.cli.diff_text import print_changes, snapshot  # noqa: PLC0415 - paid by the verb alone
    from aifactory.cli.refusing import refusing  # noqa: PLC0415

    with refusing(after):
        from aifactory.stacks.comparing.changes import changes  # noqa: PLC0415

        found = changes(snapshot(before, sites), snapshot(after, sites))
    if form == "json":
        listed = [
            {
                "stack": change.stack,
                "subject": change.subject,
                "verb": change.verb,
                "target": change.target,
                "says": change.says,
                "before": change.before,
                "after": change.after,
                "fields": list(change.fields),
            }
            for change in found
        ]
        click.echo(
            json.dumps({"schema": "aifactory-diff/v1", "changes": listed}, indent=2, ensure_ascii=False)
        )
    else:
        print_changes(found, rows=rows)
    return 1 if exit_code and found else 0
