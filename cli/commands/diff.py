"""`aifactory diff`: what changed between two plans, by meaning, and where a cluster differs from a plan."""

from __future__ import annotations

import json
from pathlib import Path

import click

from aifactory.cli import engine_options, options


@click.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path), required=False)
@click.option("sites", "--site", metavar="NAME", multiple=True, help="Only this site; may be repeated.")
@click.option("rows", "--rows", is_flag=True, help="List rows, too; without it they are counted.")
@click.option("live", "--live", is_flag=True, help="Compare one blueprint with the clusters of its sites.")
@options.parameters("Set a parameter, for all sites; with --live.")
@engine_options.kubeconfig
@click.option("exit_code", "--exit-code", is_flag=True, help="Exit with 1 when there are changes.")
@options.output()
def diff(
    before: Path,
    after: Path | None,
    sites: tuple[str, ...],
    rows: bool,
    live: bool,
    values: dict[str, str],
    kubeconfig: Path | None,
    exit_code: bool,
    form: str,
) -> int:
    """Compare BEFORE with AFTER: each a blueprint file, or a folder that `generate` wrote.

    Says what the change means (8 H200 nodes became 10), and which rows it touches. With --live, BEFORE is a
    blueprint and there is no AFTER: says where the clusters of its sites differ from it, and who changed what.
    Nothing is changed there. Exit code 3 if a cluster can't be reached.
    """
    _check_sides(after, values, kubeconfig, live=live)
    from aifactory.cli.refusing import refusing  # noqa: PLC0415 - paid by the verb

    if after is None:
        from aifactory.cli.drifting import run_live  # noqa: PLC0415

        with refusing(before, reads_only=True):
            return run_live(before, sites, values, kubeconfig, form, exit_code=exit_code)
    from aifactory.cli.diff_text import alike, as_data, at_sites, print_changes, snapshot  # noqa: PLC0415
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


def _check_sides(after: Path | None, values: dict[str, str], kubeconfig: Path | None, *, live: bool) -> None:
    if after is None and not live:
        raise click.UsageError("Missing argument 'AFTER'; or compare BEFORE with its clusters: --live.")
    if after is not None and live:
        raise click.UsageError("--live compares one blueprint with its clusters; leave AFTER out.")
    if not live and (values or kubeconfig):
        raise click.UsageError("--set and --kubeconfig are for --live.")
