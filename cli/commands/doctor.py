"""`aifactory doctor`: what this machine, and the account of a site, have of what the commands need."""

from __future__ import annotations

import json
from pathlib import Path

import click

from aifactory.cli import options


@click.command()
@click.option("--live", is_flag=True, help="Ask the accounts of BLUEPRINT's sites at AWS whether they are as stated.")
@options.parameters("Set a parameter of BLUEPRINT, for all sites.")
@click.option("sites", "--site", metavar="NAME", multiple=True, help="Only this site; may be repeated.")
@click.argument("blueprint", type=click.Path(path_type=Path), required=False)
@options.output()
def doctor(blueprint: Path | None, sites: tuple[str, ...], values: dict[str, str], form: str, *, live: bool) -> int:
    """Check this machine: Python, packages, facts and their cache, the Pulumi engine, kubectl and helm.

    With --live, the accounts too: who asks and whether the cluster would let them in, zones, AMI releases, offers,
    quotas, reservations, copies of images and models of the sites of BLUEPRINT at AWS, with the credentials of this
    machine. Nothing is changed there, and no credential is shown.

    Exit code: 0 when planning and generating work here, 1 when they don't, or when an account is other than
    its site says. Tools of deployment that are missing are shown, and are no failure.
    """
    from aifactory.cli.machine import examined  # noqa: PLC0415 - paid by the verb alone

    if live != (blueprint is not None):
        raise click.UsageError("--live asks about a BLUEPRINT: write both, or neither")
    if blueprint is None and (sites or values):
        raise click.UsageError("--site and --set are of a BLUEPRINT: write --live BLUEPRINT")
    checks = examined()
    if blueprint is not None:
        from aifactory.cli.refusing import refusing  # noqa: PLC0415

        with refusing(blueprint):
            from aifactory.cli.accounts import examined_accounts  # noqa: PLC0415

            checks += examined_accounts(blueprint, sites, values)
    if form == "json":
        listed = [
            {"name": each.name, "state": each.state, "found": each.found, "advice": each.advice} for each in checks
        ]
        click.echo(json.dumps({"schema": "aifactory-doctor/v1", "checks": listed}, indent=2))
    else:
        colors = {"ok": "green", "missing": "yellow", "broken": "red"}
        for each in checks:
            click.echo(f"{click.style(f'{each.state:8}', fg=colors[each.state])} {each.name}: {each.found}")
            if each.advice:
                click.echo(f"         {each.advice}")
    return 1 if any(each.state == "broken" for each in checks) else 0
