"""`aifactory cost`: what a plan costs, burns and gives off."""

from __future__ import annotations

import json
from pathlib import Path

import click

from aifactory.cli import options


@click.command()
@options.blueprint
@options.day
@options.warm_up
@click.option(
    "out", "--out", metavar="DIR", type=click.Path(path_type=Path), help="Write files for finance and monitoring."
)
@options.output("csv", "markdown")
def cost(
    blueprint: Path,
    sites: tuple[str, ...],
    values: dict[str, str],
    day: str | None,
    warm_up_h: float | None,
    out: Path | None,
    form: str,
) -> int:
    """Estimate BLUEPRINT at its sites: money, energy, carbon and water a month, and for a million tokens.

    Every figure is a range. What has no price is named, and counts nowhere as free. `explain` shows where one comes
    from. With --out, a folder for each site gets the estimate, rows of FOCUS, prices for OpenCost, and rules of
    Prometheus that compare it with what is measured. Exit code 1 when the blueprint can't be planned; whether it
    keeps its budget, `check` says.
    """
    from aifactory.cli.refusing import refusing  # noqa: PLC0415 - heavy imports are paid by the verb alone

    with refusing(blueprint, reads_only=True):
        from aifactory.cli.pricing import as_of, estimated, narrowed  # noqa: PLC0415
        from aifactory.cli.work import prepare  # noqa: PLC0415

        work = prepare(blueprint, sites, values)
        found = narrowed(estimated(work, as_of(day), warm_up_h), work.sites)
        if out is not None:
            from aifactory.cli.cost_files import print_written, write_files  # noqa: PLC0415

            written = write_files(work, found, out)
            if form == "text":
                print_written(out, written)
                return 0
    if form == "json":
        from aifactory.stacks.estimate.data import estimate_data  # noqa: PLC0415

        click.echo(json.dumps(estimate_data(found), indent=2, ensure_ascii=False))
    elif form == "csv":
        from aifactory.stacks.estimate.data import csv_text  # noqa: PLC0415

        click.echo(csv_text(found), nl=False)
    else:
        from aifactory.cli.cost_text import markdown, print_estimate  # noqa: PLC0415

        if form == "markdown":
            click.echo("\n".join(markdown(found)))
        else:
            print_estimate(found)
    return 0
