"""`aifactory generate`: the stacks as files."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import click

from aifactory.cli import options

_RARE = (50_000, 20, 50)
"""When garbage is looked for. Rows are none: looking takes a third of the time for 100,000 of them."""


@click.command()
@options.blueprint
@click.option(
    "out",
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder to write stacks into.",
)
@options.output()
def generate(blueprint: Path, out: Path, sites: tuple[str, ...], values: dict[str, str], form: str) -> int:
    """Write a folder for each stack of BLUEPRINT below DIR.

    Each is a Pulumi project, and holds the same stack as manifests, chart values, an apply script and Argo CD
    applications. Nothing is half written, and files of others are never touched.
    """
    from aifactory.cli.refusing import refusing  # noqa: PLC0415 - heavy imports are paid by the verb alone
    from aifactory.cli.work import prepare  # noqa: PLC0415

    with refusing(blueprint):
        from aifactory.cli.generating import generate_all, print_generated  # noqa: PLC0415

        gc.set_threshold(*_RARE)
        generated = generate_all(prepare(blueprint, sites, values), out)
        if form == "json":
            click.echo(json.dumps(generated.as_data(), indent=2))
        else:
            print_generated(generated)
    return 0
