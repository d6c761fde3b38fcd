"""What runs of the engine came to, as text."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import click

from aifactory.cli.clearing import Clearing
from aifactory.cli.deploying import Outcome, Removal
from aifactory.cli.journal import Label, Op
from aifactory.cli.progress import DONE, clock_text
from aifactory.components.counting import counted

_TO_DO = {
    "create": "to create",
    "update": "to change",
    "replace": "to replace",
    "delete": "to remove",
    "keep": "to leave behind",
    "same": "unchanged",
}
_SIGNS: dict[str, tuple[str, str]] = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "replace": ("±", "magenta"),
    "delete": ("-", "red"),
    "keep": ("=", "cyan"),
}
_LISTED_ROWS = 20
_SHOWN_PATHS = 4
_SHOWN_LINES = 8


def print_preview(outcome: Outcome, *, err: bool = False) -> None:
    """What `up` would do: counts, then a line for each row, or for each part if there are many new ones."""
    counts = outcome.journal.counts
    nothing = set(counts) <= {"same"}
    says = "no changes" if nothing and outcome.exists else _counts(counts, _TO_DO)
    new = "" if outcome.exists else " (a new stack)"
    click.echo(f"{click.style(outcome.stack, bold=True)}{new}: {says}", err=err)
    if outcome.cut_off:
        click.echo("  the last run was cut off: up first finds out what it made, so less may be to do", err=err)
    print_changes(outcome, err=err)
    print_failures(outcome)


def print_changes(outcome: Outcome, *, err: bool = False) -> None:
    """A line for each changed row; new and removed ones by part if there are more than twenty."""
    changes = outcome.journal.changes()
    counts = Counter(op for _, op, _ in changes)
    grouped: Counter[tuple[str, str, Op]] = Counter()
    for label, op, paths in changes:
        if op in ("create", "delete") and counts[op] > _LISTED_ROWS:
            grouped[label.wave, label.part, op] += 1
        else:
            click.echo(_row(label, op, paths), err=err)
    for (wave, part, op), count in grouped.items():
        click.echo(f"  {_sign(op)} {wave:<15} {part:<20} {counted(count, 'row')}", err=err)


def print_warnings(outcome: Outcome) -> None:
    """What the engine and the cluster warned of, once each, to stderr."""
    for warning in outcome.journal.warnings:
        click.echo(f"{click.style('warning', fg='yellow')}: {warning}", err=True)


def print_failures(outcome: Outcome) -> None:
    """The rows that failed, in blueprint terms, with what the cluster said, to stderr."""
    for failure in outcome.journal.failures:
        label = failure.label
        where = f" of wave {label.wave}" if label.wave else ""
        failed = click.style("failed", fg="red", bold=True)
        click.echo(f"{failed}: {label.row}, part {label.part}{where}", err=True)
        for text in failure.says:
            lines = text.splitlines()
            shown = lines[:_SHOWN_LINES] + (["…"] if len(lines) > _SHOWN_LINES else [])
            click.echo(textwrap.indent("\n".join(shown), "    "), err=True)


def print_done(outcome: Outcome, verb: str) -> None:
    """How a run ended, and what to do next if it failed: to stderr."""
    took = f" after {clock_text(outcome.elapsed_s)}"
    counts = _counts(outcome.journal.counts, DONE)
    print_warnings(outcome)
    print_failures(outcome)
    if outcome.result == "kept":
        return  # what keeps it is told with what is kept
    color = {"succeeded": "green", "failed": "red"}.get(outcome.result, "yellow")
    result = click.style(outcome.result, fg=color, bold=True)
    click.echo(f"{click.style(outcome.stack, bold=True)}: {result}{took}: {counts}", err=True)
    if outcome.result != "succeeded":
        click.echo(f"{click.style('hint:', fg='cyan')} {_advice(verb, outcome.result)}", err=True)


def print_outputs(stack: str, outputs: Mapping[str, Any]) -> None:
    """The outputs of a stack, a line each, to stdout."""
    click.echo(click.style(stack, fg="green", bold=True))
    for name, value in outputs.items():
        if isinstance(value, dict):
            click.echo(f"  {name}:" + ("" if value else " none"))
            for key, inner in value.items():
                click.echo(f"    {key}: {inner}")
        else:
            click.echo(f"  {name}: {value}")


def print_removal(removal: Removal) -> None:
    """What a removal would come to, to stderr."""
    name = click.style(removal.stack, bold=True)
    if removal.unsettled:
        maybe = counted(removal.unsettled, "row")
        click.echo(
            f"{name}: the last run was cut off; {maybe} that it may have made go too, if they are there", err=True
        )
    if not removal.rows:
        if not removal.unsettled:
            click.echo(f"{name}: nothing is deployed", err=True)
        return
    protected = removal.protected
    kept = [row for row in removal.rows if row.kept and row not in protected and row.urn not in removal.unprotect]
    click.echo(f"{name}: {counted(removal.going, 'row')} to remove", err=True)
    for row in protected:
        click.echo(f"  = {row.row} of {row.part} is protected and stays, with what it needs", err=True)
    going = {row.row for row in removal.rows} - {row.row for row in protected}
    for row in kept:
        # An object that Pulumi leaves alone goes all the same when its namespace goes.
        lost = row.row.count("/") > 1 and f"Namespace/{row.row.split('/')[1]}" in going
        fate = "goes with its namespace" if lost else "leaves the stack and stays in the cluster"
        click.echo(f"  = {row.row} of {row.part} {fate}", err=True)
    if removal.clearing is not None:
        _print_clearing(removal.clearing)
    if protected:
        click.echo("  to remove protected rows too, name each: --remove-protected ROW", err=True)


def _print_clearing(clearing: Clearing) -> None:
    """What goes, or stays, with a cluster that goes."""
    if not clearing.whole:
        click.echo("  its cluster, and so its base, stays with them", err=True)
        return
    for claim in sorted(clearing.claims):
        click.echo(f"  - {claim} of others goes with all that is in it", err=True)
    for one in clearing.stays:
        click.echo(f"  = volume {one.handle} of {one.row} stays in the account: its class keeps it", err=True)
    click.echo("  - every Service of type LoadBalancer goes first, with its load balancer", err=True)


def _row(label: Label, op: Op, paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:_SHOWN_PATHS])
    if len(paths) > _SHOWN_PATHS:
        shown += f" and {len(paths) - _SHOWN_PATHS} more"
    return f"  {_sign(op)} {label.row} of {label.part}" + (f": {shown}" if shown else "")


def _sign(op: Op) -> str:
    sign, color = _SIGNS[op]
    return click.style(sign, fg=color, bold=True)


def _counts(counts: dict[str, int], words: dict[str, str]) -> str:
    return ", ".join(f"{count} {words[op]}" for op, count in counts.items()) or "nothing was done"


def _advice(verb: str, result: str) -> str:
    if result == "cancelled":
        return f"what was begun is finished and in the state; run {verb} again to go on"
    if verb == "destroy":
        return "what is gone is gone, the rest is in the state; mend the cause and destroy again"
    return (
        "what was made is in the state; mend the cause and run up again, it goes on from there "
        "(with --refresh if objects were changed by hand meanwhile)"
    )
