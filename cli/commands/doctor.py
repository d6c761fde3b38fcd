"""`aifactory doctor`: what this machine has of what the commands need."""

from __future__ import annotations

import json

import click

from aifactory.cli import options


@click.command()
@options.output()
def doctor(form: str) -> int:
    """Check this machine: Python, packages, facts and their cache, the Pulumi engine, kubectl and helm.

    Exit code: 0 when planning and generating work here, 1 when they don't. Tools of deployment that are
    missing are shown, and are no failure.
    """
    from aifactory.cli.machine import examined  # noqa: PLC0415 - paid by the verb alone

    checks = examined()
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
