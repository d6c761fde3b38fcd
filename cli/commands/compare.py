"""`aifactory compare`: build or lease, side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from aifactory.cli import options

if TYPE_CHECKING:
    from aifactory.stacks.estimate.comparing import Comparison

MOST_YEARS = 15


def _years(ctx: click.Context, param: click.Parameter, given: str) -> tuple[int, ...]:
    """`1,3,5` as numbers that rise."""
    words = [word.strip() for word in given.split(",")]
    if not all(word.isascii() and word.isdigit() and 1 <= int(word) <= MOST_YEARS for word in words):
        says = f"{given!r} is not a list of years from 1 to {MOST_YEARS}, such as 1,3,5"
        raise click.BadParameter(says, ctx, param)
    return tuple(sorted({int(word) for word in words}))


@click.command()
@options.blueprint
@options.day
@options.warm_up
@click.option(
    "years", "--years", metavar="N,N", default="1,3,5", callback=_years, help="Years to compare over. Default 1,3,5."
)
@click.option(
    "varied",
    "--vary",
    metavar="KEY=A,B",
    multiple=True,
    help="What if: a parameter, demand, usd_per_kwh, pue, life_years, residual_percent, cost_of_capital_percent, "
    "utilisation_percent, capex, speed or an instance type, or SITE:KEY for one site. Repeated, all combinations.",
)
@click.option(
    "swing",
    "--swing",
    metavar="PERCENT",
    type=click.FloatRange(min=0, max=90, min_open=True),
    help="Move inputs that are one number by so much, to see what they change. Default: only ranges are moved.",
)
@click.option(
    "charts",
    "--charts",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write charts as SVG; needs the extra charts.",
)
@options.output("csv", "markdown")
def compare(
    blueprint: Path,
    sites: tuple[str, ...],
    values: dict[str, str],
    day: str | None,
    warm_up_h: float | None,
    years: tuple[int, ...],
    varied: tuple[str, ...],
    swing: float | None,
    charts: Path | None,
    form: str,
) -> int:
    """Put the sites of BLUEPRINT side by side: owned ones, and those of AWS in each way of buying that has a price.

    Each has its cash flow by year and its net present cost, at the cost of capital that its site states. A side is
    called cheaper only where the whole ranges lie apart and machines have a quote. Rents of others are shown beside
    that, and nobody checked where data would be there. With --vary every combination is estimated, and CSV has those.
    Exit code 1 when the blueprint can't be planned.
    """
    from aifactory.cli.refusing import refusing  # noqa: PLC0415 - heavy imports are paid by the verb alone

    with refusing(blueprint, reads_only=True):
        from aifactory.cli.pricing import as_of, hours_of, share_of  # noqa: PLC0415
        from aifactory.cli.work import prepare  # noqa: PLC0415
        from aifactory.stacks.estimate.comparing import Asked, compared  # noqa: PLC0415
        from aifactory.stacks.estimate.estimating import cases  # noqa: PLC0415

        work = prepare(blueprint, sites, values)
        asked = Asked(as_of(day), years, work.sites, share_of(swing), hours_of(warm_up_h))
        found = compared(work.plan.factory, cases(work.plan, work.loaded, work.stacks), asked)
        if varied:
            from aifactory.cli import what_if  # noqa: PLC0415

            found = replace(found, variants=what_if.varied(work, blueprint, values, varied))
        if charts is not None:
            from aifactory.cli.chart_files import write_charts  # noqa: PLC0415

            write_charts(found, charts)
    _show(found, form)
    return 0


def _show(found: Comparison, form: str) -> None:
    if form in ("json", "csv"):
        from aifactory.stacks.estimate.comparison_data import comparison_data, csv_text  # noqa: PLC0415

        text = f"{json.dumps(comparison_data(found), indent=2, ensure_ascii=False)}\n" if form == "json" else None
        click.echo(csv_text(found) if text is None else text, nl=False)
        return
    from aifactory.cli.compare_text import markdown, print_comparison  # noqa: PLC0415

    if form == "markdown":
        click.echo("\n".join(markdown(found)))
    else:
        print_comparison(found)
