"""`aifactory diff --live`: where clusters differ from a blueprint, in its terms."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from aifactory.blueprints.shown import shown
from aifactory.cli import clusters
from aifactory.cli.handing import way_to
from aifactory.cli.reaching import kubeconfig_problems
from aifactory.cli.redacting import redacted
from aifactory.cli.report import EXIT_FAILED, text_columns
from aifactory.cli.work import Work, prepare
from aifactory.components.counting import counted
from aifactory.components.given import Kubeconfig
from aifactory.components.masking import MASK, is_secret_name, masked
from aifactory.components.problems import Position, Refused
from aifactory.stacks.assembly.rowset import row_set
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.live.cluster import Cluster
from aifactory.stacks.live.connection import Declined, Unreachable
from aifactory.stacks.live.drift import Drift, Drifts, drifts

_VALUE_CHARS = 120
_NAMES = re.compile(r"[\w-]+")
SCHEMA = "aifactory-diff-live/v1"
_SIGNS = {"changed": ("~", "yellow"), "missing": ("-", "red"), "extra": ("+", "green")}


class _Looked(Struct, frozen=True):
    """What became of one stack."""

    found: Drifts
    unreachable: str = ""


def run_live(
    blueprint: Path,
    sites: Sequence[str],
    values: Mapping[str, str],
    kubeconfig: Path | None,
    form: str,
    *,
    exit_code: bool,
) -> int:
    """Compare, and print. 3 if a cluster can't be reached: then nothing is said of it."""
    work = prepare(blueprint, sites, values)
    file = kubeconfig.absolute() if kubeconfig is not None else None
    ways = _ways(work, file)
    problems = [
        problem
        for name, way in ways.items()
        for problem in kubeconfig_problems(way, work.loaded.root, file, work.stacks[name].plan.place.site)
    ]
    if problems:
        raise Refused(problems)
    looked = {name: _look(work, work.stacks[name], way, file) for name, way in ways.items()}
    if form == "json":
        click.echo(json.dumps(_as_data(work, looked), indent=2, ensure_ascii=False))
    else:
        for name, one in looked.items():
            _print(work, name, one)
    for name, one in looked.items():
        if one.unreachable:
            click.echo(f"{name}: {click.style('not compared', fg='red')}: {one.unreachable}", err=True)
        for each in one.found.unread:
            click.echo(f"{click.style('warning', fg='yellow')}: not looked at: {each.what}: {each.says}", err=True)
    if any(one.unreachable for one in looked.values()):
        return EXIT_FAILED
    return 1 if exit_code and any(one.found.found for one in looked.values()) else 0


def _ways(work: Work, kubeconfig: Path | None) -> Mapping[str, Kubeconfig]:
    """How clusters are reached. The engine is asked only where a base has made one."""
    if any(stack.handed for stack in work.shown.values()):
        from aifactory.cli.deploying import Runner  # noqa: PLC0415 - imports Pulumi

        return Runner(work.loaded.root, kubeconfig).ways(work)
    found = {name: way_to(row_set(stack, work.digest)) for name, stack in work.shown.items()}
    return {name: way for name, way in found.items() if way is not None}


def _look(work: Work, stack: Stack, given: Kubeconfig, kubeconfig: Path | None) -> _Looked:
    try:
        return _Looked(drifts(Cluster(clusters.connect(given, work.loaded.root, kubeconfig)), stack))
    except (Unreachable, Declined) as error:
        return _Looked(Drifts((), 0, ()), redacted(error.says))


def _as_data(work: Work, looked: Mapping[str, _Looked]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "digest": work.digest,
        "stacks": {
            name: {
                "site": work.stacks[name].plan.place.site,
                "compared": one.found.compared,
                "drift": [_drift_data(work, name, drift) for drift in one.found.found],
                "unchecked": [
                    *([{"what": "the cluster", "says": one.unreachable}] if one.unreachable else []),
                    *({"what": each.what, "says": each.says} for each in one.found.unread),
                ],
            }
            for name, one in looked.items()
        },
    }


def _drift_data(work: Work, stack: str, drift: Drift) -> dict[str, Any]:
    at = _position(work, stack, drift)
    return {
        "verb": drift.verb,
        "part": drift.part,
        "row": drift.row,
        "says": drift.says,
        "path": drift.path,
        "live": _without_secrets(drift.path, drift.live),
        "planned": _without_secrets(drift.path, drift.planned),
        "file": at.file if at else "",
        "line": at.line if at else 0,
        "column": at.column if at else 0,
        "manager": drift.by.manager if drift.by else "",
        "changed_at": drift.by.at if drift.by else "",
    }


def _position(work: Work, stack: str, drift: Drift) -> Position | None:
    """Where what the plan says was written; nowhere, for an object that no part makes."""
    known = {part.name for part in work.stacks[stack].plan.parts}
    return clusters.part_position(work, stack, drift.part, drift.row) if drift.part in known else None


def _print(work: Work, name: str, one: _Looked) -> None:
    """A line for each row that drifted, and below it each path with both values."""
    if one.unreachable:
        return
    head = click.style(name, fg="green", bold=True)
    if not one.found.found:
        click.echo(f"{head}: no drift in {counted(one.found.compared, 'row')}")
        return
    click.echo(head)
    last = ""
    for drift in one.found.found:
        if drift.row != last:
            last = drift.row
            sign, color = _SIGNS[drift.verb]
            at = _position(work, name, drift)
            where = f" ({at.file}:{at.line})" if at else ""
            of = f" of {drift.part}" if drift.part else ""
            says = "" if drift.verb == "changed" else f": {drift.says}{_by(drift)}"
            click.echo(f"  {click.style(sign, fg=color, bold=True)} {drift.row}{of}{where}{says}")
        if drift.verb == "changed":
            _print_change(drift)


def _print_change(drift: Drift) -> None:
    live, planned = (_value(_without_secrets(drift.path, value)) for value in (drift.live, drift.planned))
    text = f"{drift.says}: {live} on the cluster, {planned} in the plan{_by(drift)}"
    click.echo(textwrap.fill(text, text_columns(), initial_indent="      ", subsequent_indent="        "))


def _by(drift: Drift) -> str:
    if drift.by is None or drift.verb == "missing":
        return ""
    at = f", {drift.by.at}" if drift.by.at else ""
    return f" (by {drift.by.manager}{at})"


def _value(value: object) -> str:
    if isinstance(value, dict | list):
        text = json.dumps(value)
        return text if len(text) <= _VALUE_CHARS else f"{text[:_VALUE_CHARS]}… ({len(text)} characters)"
    return "nothing" if value is None else shown(value)


def _without_secrets(path: str, value: Any) -> Any:
    """A value as it may be shown: what is called like a secret, or looks like one, is masked."""
    return MASK if any(is_secret_name(name) for name in _NAMES.findall(path)) else _masked(value)


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        private = isinstance(value.get("name"), str) and is_secret_name(value["name"])
        return {
            key: MASK if is_secret_name(str(key)) or (private and key == "value") else _masked(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return masked(value) if isinstance(value, str) else value
