"""The `aifactory` command. A verb's module is imported when it is called, so that `--help` stays quick."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click

COMMANDS: dict[str, str] = {
    "init": "Write a first blueprint and site, from flags or questions.",
    "check": "Load, plan and judge a blueprint; the command for CI.",
    "plan": "Show what was decided, and why.",
    "explain": "Show how one value came about.",
    "generate": "Write the stacks: Pulumi projects, manifests, charts, scripts.",
    "diff": "Compare two plans by meaning.",
    "cost": "Estimate what a plan costs, burns and gives off.",
    "compare": "Put owning and renting side by side, over years.",
    "preview": "Show what `up` would do, through Pulumi.",
    "up": "Deploy a stack, through Pulumi.",
    "destroy": "Remove a stack, through Pulumi.",
    "outputs": "Print the outputs of a deployed stack.",
    "catalog": "Look up facts: accelerators, regions, charts and their sources.",
    "schema": "Print the JSON Schema of a blueprint, site, price or project file.",
    "doctor": "Check this machine for what the commands need.",
}
"""Verbs in the order of work, each with its line in `--help`."""

EXIT_INTERRUPTED = 130
EXIT_NOBODY_READS = 141
"""As a shell counts a process that a signal ended: SIGINT, SIGPIPE."""


class Verbs(click.Group):
    """A group that imports a verb only when it is called, and lists verbs in the order of work."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All verbs."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The verb, imported."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(f"aifactory.cli.commands.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 - each module holds its verb
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that the words name; a misspelled one gets the nearest."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            from aifactory.blueprints.shown import shown  # noqa: PLC0415 - only on this path
            from aifactory.components.problems import nearest  # noqa: PLC0415

            says = f"No such command {shown(args[0])}: {nearest(args[0], COMMANDS, shown=20)}."
            raise click.UsageError(says, ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The verbs with their lines, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb. When the reader of our output is gone, as with `| head`, there is nothing to say."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # Python would flush once more at exit, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(EXIT_NOBODY_READS)
        return result


@click.command(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 allowed, 1 findings or wrong input, 2 wrong command line, 3 our own failure, 4 undecided.",
)
@click.version_option(package_name="ai-factory-blueprints", prog_name="aifactory")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """One blueprint of an AI factory becomes complete, explained stacks for every site it runs at."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    0 allowed, 1 findings or wrong input, 2 wrong command line, 3 our own failure, 4 undecided.
    """
    _speak_utf8()
    try:
        code = cli.main(list(sys.argv[1:] if argv is None else argv), "aifactory", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("aborted", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        from aifactory.cli.report import failure  # noqa: PLC0415 - only on this path

        sys.exit(failure(error))


def _speak_utf8() -> None:
    """Write the same bytes whatever the locale says; a name that is not text is shown escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
