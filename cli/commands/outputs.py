"""`aifactory outputs`: what a deployed stack tells."""

from __future__ import annotations

from pathlib import Path

import click

from aifactory.cli import options


@click.command()
@options.blueprint
@options.output()
def outputs(blueprint: Path, sites: tuple[str, ...], values: dict[str, str], form: str) -> int:
    """Print the outputs of what is deployed of BLUEPRINT at its sites.

    Namespaces, queues, training runs, versions of releases, and the digest of the plan. No secrets. Exit
    code: 0 printed, 1 wrong input or a stack that is not deployed, 3 the engine is missing or failed.
    """
    from aifactory.cli.refusing import refusing  # noqa: PLC0415 - heavy imports are paid by the verb alone

    with refusing(blueprint):
        from aifactory.cli.engine_verbs import run_outputs  # noqa: PLC0415

        return run_outputs(blueprint, sites, values, form)
    return 0
