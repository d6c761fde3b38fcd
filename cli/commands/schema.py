"""`aifactory schema`: the JSON Schema of a kind of document."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("document", type=click.Choice(["blueprint", "site", "project"]), required=False)
@click.option(
    "out", "--out", metavar="DIR", type=click.Path(path_type=Path), help="Write all schemas into DIR."
)
@click.option(
    "form", "--format", type=click.Choice(["json"]), default="json", help="Form of the output: json."
)
def schema(document: str | None, out: Path | None, form: str) -> int:  # noqa: ARG001 - every verb has --format
    """Print the JSON Schema of DOCUMENT: blueprint (default), site or project.

    Editors with a YAML language server read it from the first line of a file:
    # yaml-language-server: $schema=schema/blueprint.json
    """
    from aifactory.blueprints.schema import DOCUMENTS, schema_text  # noqa: PLC0415 - paid by the verb alone

    if out is None:
        click.echo(schema_text(document or "blueprint"), nl=False)
        return 0
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in DOCUMENTS:
            (out / f"{name}.json").write_text(schema_text(name), encoding="utf-8")
            click.echo(f"{out / name}.json")
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror}") from None
    return 0
