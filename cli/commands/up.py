"""`aifactory up`: deploy."""

from __future__ import annotations

from pathlib import Path

import click

from aifactory.cli import engine_options, options


@click.command()
@options.blueprint
@engine_options.may_go("Let this protected row be removed or replaced, with what is in it; may be repeated.")
@engine_options.kubeconfig
@engine_options.refresh
@engine_options.yes("Deploy")
@options.output()
def up(
    blueprint: Path,
    sites: tuple[str, ...],
    values: dict[str, str],
    named: tuple[str, ...],
    kubeconfig: Path | None,
    refresh: bool,
    yes: bool,
    form: str,
) -> int:
    """Deploy BLUEPRINT to its sites, one after the other, until one fails.

    What stands on a cluster already, and isn't in the state, is refused before anything is made, with the command
    that would adopt it. At a terminal it shows a preview and asks. Exit code: 0 deployed, 1 wrong input or a row
    that failed, 3 the engine is missing or failed, a cluster doesn't answer, or the registry of a site lacks images.
    A failed run goes on where it stopped when it is run again.
    """
    from aifactory.cli.refusing import refusing  # noqa: PLC0415 - heavy imports are paid by the verb alone

    engine_options.require_answer("up", yes=yes)
    with refusing(blueprint):
        from aifactory.cli.engine_verbs import run_up  # noqa: PLC0415

        return run_up(blueprint, sites, values, named, kubeconfig, form, refresh=refresh, yes=yes)
    return 0
