"""`aifactory preview`: what `up` would do."""

from __future__ import annotations

from pathlib import Path

import click

from aifactory.cli import engine_options, options


@click.command()
@options.blueprint
@engine_options.may_go("Let this protected row be removed or replaced, with what is in it; may be repeated.")
@engine_options.kubeconfig
@options.output()
def preview(
    blueprint: Path,
    sites: tuple[str, ...],
    values: dict[str, str],
    named: tuple[str, ...],
    kubeconfig: Path | None,
    form: str,
) -> int:
    """Show what `up` would do for BLUEPRINT at its sites.

    Writes nothing: a stack that doesn't exist yet is previewed without making it. Warns of what stands on a
    cluster already and isn't in the state. Exit code: 0 shown, 1 wrong
    input or a row that can't be built, 3 the engine is missing or failed.
    """
    from aifactory.cli.refusing import refusing  # noqa: PLC0415 - heavy imports are paid by the verb alone

    with refusing(blueprint):
        from aifactory.cli.engine_verbs import run_preview  # noqa: PLC0415

        return run_preview(blueprint, sites, values, named, kubeconfig, form)
    return 0
