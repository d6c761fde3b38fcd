"""`aifactory destroy`: remove what is deployed."""

from __future__ import annotations

from pathlib import Path

import click

from aifactory.cli import engine_options, options


@click.command()
@options.blueprint
@engine_options.may_go("Remove this protected row too; may be repeated.")
@click.option(
    "remove_crds",
    "--remove-crds",
    is_flag=True,
    help="Delete the CRDs of removed releases, too, once no object of theirs exists.",
)
@engine_options.kubeconfig
@engine_options.refresh
@engine_options.yes("Remove")
@options.output()
def destroy(
    blueprint: Path,
    sites: tuple[str, ...],
    values: dict[str, str],
    named: tuple[str, ...],
    remove_crds: bool,
    kubeconfig: Path | None,
    refresh: bool,
    yes: bool,
    form: str,
) -> int:
    """Remove what is deployed of BLUEPRINT at its sites, by what the state says.

    Protected rows stay, with what they need, unless each is named; CRDs stay unless --remove-crds asks. Then it
    looks at the cluster for what remains, and says why. At a terminal it asks. Exit code: 0 removed, 1 wrong
    input, a row that failed, or something that remains and should not, 3 the engine is missing or failed, or the
    cluster can't be looked at.
    """
    from aifactory.cli.refusing import refusing  # noqa: PLC0415 - heavy imports are paid by the verb alone

    engine_options.require_answer("destroy", yes=yes)
    with refusing(blueprint):
        from aifactory.cli.engine_verbs import run_destroy  # noqa: PLC0415

        return run_destroy(
            *(blueprint, sites, values, named, kubeconfig, form),
            remove_crds=remove_crds,
            refresh=refresh,
            yes=yes,
        )
    return 0
