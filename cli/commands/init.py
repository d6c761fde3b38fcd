"""`aifactory init`: a first blueprint and site."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from aifactory.cli import options


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option(
    "example",
    "--from",
    metavar="NAME",
    help="Copy a shipped blueprint with its sites, such as training-roce.",
)
@click.option("--name", metavar="NAME", help="Name of the factory.")
@click.option("--site", metavar="NAME", help="Name of the site.")
@click.option("--venue", type=click.Choice(["on-prem", "colo", "edge", "aws"]), help="Kind of place.")
@click.option("--region", metavar="NAME", help="Region, for venue aws: eu-north-1.")
@click.option("--country", metavar="CODE", help="Country of the site: DE. Of a region it is known.")
@click.option("--accelerator", metavar="NAME", help="GPU of the nodes: h200.")
@click.option("--nodes", metavar="COUNT", type=click.IntRange(1, 512), help="GPU nodes of the site.")
@click.option(
    "--fabric", type=click.Choice(["roce", "infiniband", "efa", "none"]), help="Network between the GPUs of nodes."
)
@click.option(
    "--tenant", "tenants", metavar="NAME", multiple=True, help="A team that shares the GPUs; may be repeated."
)
@options.output()
def init(folder: Path, example: str | None, form: str, **answers: object) -> int:
    """Write aifactory.yaml, factory.yaml and sites/SITE.yaml into FOLDER (default: here).

    Asks for what the flags leave open when a terminal is there. Overwrites nothing.
    """
    from aifactory.cli.refusing import refusing  # noqa: PLC0415 - heavy imports are paid by the verb alone

    extra = [key for key, value in answers.items() if value not in (None, ())]
    if example is not None and extra:
        raise click.UsageError(
            f"--from copies an example as it is; drop --{'tenant' if extra[0] == 'tenants' else extra[0]}"
        )
    with refusing(folder / "factory.yaml"):
        from aifactory.cli import starting  # noqa: PLC0415

        if example is not None:
            files = starting.files_from_example(example)
        else:
            ask = sys.stdin.isatty() and sys.stderr.isatty()
            files = starting.files_from_answers(starting.completed(answers, ask=ask))
        starting.write_new(folder, files)
    paths = [str(folder / name) for name in files]
    if form == "json":
        click.echo(json.dumps({"schema": "aifactory-init/v1", "files": paths}, indent=2))
    else:
        click.echo("\n".join(paths))
        if examples := sum(text.count("# REPLACE") for text in files.values()):
            click.echo(f"{examples} values marked REPLACE are examples: put what your site has", err=True)
        click.echo(f"Next: aifactory check {folder / 'factory.yaml'}", err=True)
    return 0
