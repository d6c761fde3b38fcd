"""`aifactory catalog`: facts with their sources."""

from __future__ import annotations

import json
from pathlib import Path

import click

from aifactory.cli import options


@click.command()
@click.argument("table", required=False)
@click.argument("name", required=False)
@click.option(
    "refresh",
    "--refresh",
    type=click.Choice(["price-list", "gpuhunt"]),
    help="Ask AWS or gpuhunt for the prices of TABLE (prices-aws, prices-aws-services) and write them to a new file.",
)
@click.option("regions", "--region", metavar="NAME", multiple=True, help="With --refresh: of AWS; may be repeated.")
@click.option(
    "out",
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="With --refresh: a file that doesn't exist yet. Default: TABLE.DAY.yaml in this folder.",
)
@click.option("prices", "--price-file", is_flag=True, help="With --refresh: write it as a price file of a site.")
@options.output()
def catalog(
    table: str | None,
    name: str | None,
    refresh: str | None,
    regions: tuple[str, ...],
    out: Path | None,
    prices: bool,
    form: str,
) -> int:
    """List the tables of facts, the rows of TABLE, or all that is known of one NAME with sources and dates.

    Inside a project, its private facts are among them. With --refresh, prices are asked for anew: each is printed as
    it was and is, with the difference, and a file of its own is written. What is shipped stays as it is. A site whose
    costs.prices names a price file is estimated by it.
    """
    if refresh or regions or out or prices:
        return _refresh(table, name, refresh, regions, out, form, prices=prices)
    from aifactory.cli.refusing import refusing  # noqa: PLC0415 - heavy imports are paid by the verb alone

    with refusing(Path.cwd(), reads_only=True):
        from aifactory.blueprints.load import project_catalog  # noqa: PLC0415
        from aifactory.cli.facts import listed_rows, listed_tables, one_row, print_facts  # noqa: PLC0415

        known = project_catalog(Path.cwd())
        if table is None:
            data = listed_tables(known)
        elif name is None:
            data = listed_rows(known, table)
        else:
            data = one_row(known, table, name)
        if form == "json":
            click.echo(json.dumps(data, indent=2, ensure_ascii=False))
        else:
            print_facts(data)
    return 0


def _refresh(
    table: str | None,
    name: str | None,
    refresh: str | None,
    regions: tuple[str, ...],
    out: Path | None,
    form: str,
    *,
    prices: bool,
) -> int:
    from aifactory.cli.refusing import refusing  # noqa: PLC0415 - heavy imports are paid by the verb alone

    with refusing(Path.cwd()):
        from aifactory.cli import refresh_run  # noqa: PLC0415

        asked = refresh_run.checked(table, name, refresh, regions, out, prices=prices)
        for line in refresh_run.run(asked, as_json=form == "json"):
            click.echo(line)
    return 0
