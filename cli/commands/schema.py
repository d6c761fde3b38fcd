"""`aifactory schema`: the JSON Schema of a kind of document."""

from __future__ import annotations

import json
from pathlib import Path

import click

from aifactory.cli import options


@click.command()
@click.argument(
    "document", metavar="[DOCUMENT]", type=click.Choice(["blueprint", "site", "prices", "project"]), required=False
)
@click.option("out", "--out", metavar="DIR", type=click.Path(path_type=Path), help="Write all schemas into DIR.")
@options.output()
def schema(document: str | None, out: Path | None, form: str) -> int:
    """Print the JSON Schema of DOCUMENT: blueprint (default), site, prices or project.

    With --out, editors that know the YAML language server complete and check a file whose first line is
    # yaml-language-server: $schema=DIR/blueprint.json
    """
    from aifactory.blueprints.schema import DOCUMENTS, schema_text  # noqa: PLC0415 - paid by the verb alone
    from aifactory.cli.refusing import refusing  # noqa: PLC0415
    from aifactory.components.problems import Problem, Refused  # noqa: PLC0415

    if out is None:
        click.echo(schema_text(document or "blueprint"), nl=False)
        return 0
    if document is not None:
        raise click.UsageError("--out writes all schemas; drop DOCUMENT")
    with refusing(out):
        try:
            out.mkdir(parents=True, exist_ok=True)
            for name in DOCUMENTS:
                (out / f"{name}.json").write_text(schema_text(name), encoding="utf-8", newline="\n")
        except OSError as error:
            raise Refused([Problem(f"{out} can't be written: {error.strerror}")]) from None
    paths = [str(out / f"{name}.json") for name in DOCUMENTS]
    if form == "json":
        click.echo(json.dumps({"schema": "aifactory-schema/v1", "files": paths}, indent=2))
    else:
        click.echo("\n".join(paths))
    return 0
