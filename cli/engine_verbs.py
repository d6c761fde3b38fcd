"""The verbs that work through the engine: what each does, shows and returns as its exit code.

1: wrong input, or a row failed. 3: the engine is missing, or failed by itself. 130: stopped by the user.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import click

from aifactory.blueprints.load import load
from aifactory.cli.deploy_text import print_done, print_outputs, print_preview, print_removal, print_warnings
from aifactory.cli.deploying import Outcome, Runner
from aifactory.cli.engine_options import confirmed
from aifactory.cli.reaching import kubeconfig_problems
from aifactory.cli.redacting import redacted
from aifactory.cli.report import EXIT_FAILED, EXIT_REFUSED, rendered
from aifactory.cli.work import Work, prepare
from aifactory.components.counting import counted
from aifactory.components.given import Kubeconfig
from aifactory.components.problems import Problem, Refused
from aifactory.stacks.program.engine import Cancelled, EngineError

Arguments = ParamSpec("Arguments")
EXIT_CANCELLED = 130


def _engine_verb(verb: Callable[Arguments, int]) -> Callable[Arguments, int]:
    """Ends a verb cleanly when the engine can't work, or the user stops it."""

    @wraps(verb)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> int:
        try:
            return verb(*args, **kwargs)
        except EngineError as error:
            click.echo(f"{click.style('engine', fg='red', bold=True)}: {redacted(error.says)}", err=True)
            if error.hint:
                click.echo(f"{click.style('hint:', fg='cyan')} {error.hint}", err=True)
            return EXIT_FAILED
        except Cancelled:
            click.echo("stopped", err=True)
            return EXIT_CANCELLED

    return run


@_engine_verb
def run_preview(
    blueprint: Path,
    sites: Sequence[str],
    values: Mapping[str, str],
    named: Sequence[str],
    kubeconfig: Path | None,
    form: str,
) -> int:
    """`aifactory preview`."""
    work = prepare(blueprint, sites, values)
    runner = Runner(work.loaded.root, kubeconfig)
    # A preview without a cluster shows the plan, which is worth having, so this only warns.
    for text in rendered(_unreachable(work, kubeconfig), None):
        click.echo(f"{click.style('warning', fg='yellow')}: {text}", err=True)
    runner.check_named(work, named)
    outcomes = []
    for outcome in runner.preview(work, named):
        outcomes.append(outcome)
        print_warnings(outcome)
        if form == "text":
            print_preview(outcome)
    if form == "json":
        _print_data("aifactory-preview/v1", work, outcomes)
    return _exit_code(outcomes)


@_engine_verb
def run_up(
    blueprint: Path,
    sites: Sequence[str],
    values: Mapping[str, str],
    named: Sequence[str],
    kubeconfig: Path | None,
    form: str,
    *,
    refresh: bool,
    yes: bool,
) -> int:
    """`aifactory up`."""
    work = prepare(blueprint, sites, values)
    runner = Runner(work.loaded.root, kubeconfig)
    _refuse(_unreachable(work, kubeconfig))
    runner.check_named(work, named)
    if not yes:
        previews = list(runner.preview(work, named))
        for outcome in previews:
            print_preview(outcome, err=True)
        if _exit_code(previews):
            return _exit_code(previews)
        if not confirmed(f"Deploy {counted(len(work.shown), 'stack')}?", yes=yes):
            click.echo("nothing was deployed", err=True)
            return 0
    outcomes = []
    for outcome in runner.up(work, refresh=refresh, named=named):
        outcomes.append(outcome)
        print_done(outcome, "up")
        if form == "text" and outcome.result == "succeeded":
            print_outputs(outcome.stack, outcome.outputs)
    _say_untouched(work.shown, outcomes)
    if form == "json":
        _print_data("aifactory-up/v1", work, outcomes)
    return _exit_code(outcomes)


@_engine_verb
def run_destroy(
    blueprint: Path,
    sites: Sequence[str],
    values: Mapping[str, str],
    unprotect: Sequence[str],
    kubeconfig: Path | None,
    form: str,
    *,
    refresh: bool,
    yes: bool,
) -> int:
    """`aifactory destroy`. The blueprint is not planned: what can't be built now can still be removed."""
    loaded = load(blueprint, values)
    runner = Runner(loaded.root, kubeconfig)
    removals = runner.removals(loaded, sites, unprotect)
    for removal in removals:
        print_removal(removal)
    deployed = [removal for removal in removals if removal.rows or removal.unsettled]
    if deployed:
        given = {removal.site.site.site: removal.reached_by for removal in deployed}
        _refuse(_kubeconfig_problems(given, loaded.root, kubeconfig))
        if not confirmed(f"Remove them from {counted(len(deployed), 'cluster')}?", yes=yes):
            click.echo("nothing was removed", err=True)
            return 0
    outcomes = []
    for outcome in runner.destroy(removals, refresh=refresh):
        outcomes.append(outcome)
        if outcome.result != "absent":
            print_done(outcome, "destroy")
    _say_untouched([removal.stack for removal in removals], outcomes)
    if form == "json":
        _print_json("aifactory-destroy/v1", {outcome.stack: _data(outcome) for outcome in outcomes})
    return _exit_code(outcomes)


@_engine_verb
def run_outputs(blueprint: Path, sites: Sequence[str], values: Mapping[str, str], form: str) -> int:
    """`aifactory outputs`."""
    loaded = load(blueprint, values)
    found = Runner(loaded.root).outputs(loaded, sites)
    absent = [name for name, outputs in found.items() if outputs is None]
    for name, outputs in found.items():
        if outputs is not None and form == "text":
            print_outputs(name, outputs)
    if form == "json":
        _print_json("aifactory-outputs/v1", {name: {"outputs": outputs} for name, outputs in found.items()})
    for name in absent:
        click.echo(f"stack {name} is not deployed; deploy it with: aifactory up {blueprint}", err=True)
    return EXIT_REFUSED if absent else 0


def _unreachable(work: Work, kubeconfig: Path | None) -> list[Problem]:
    given = {stack.plan.place.site: stack.plan.place.cluster.kubeconfig for stack in work.shown.values()}
    return _kubeconfig_problems(given, work.loaded.root, kubeconfig)


def _kubeconfig_problems(given: Mapping[str, Kubeconfig], root: Path, instead: Path | None) -> list[Problem]:
    return [problem for site, one in given.items() for problem in kubeconfig_problems(one, root, instead, site)]


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise Refused(problems)


def _say_untouched(stacks: Iterable[str], outcomes: Sequence[Outcome]) -> None:
    """After a failure: which stacks were not begun."""
    begun = {outcome.stack for outcome in outcomes}
    left = [name for name in stacks if name not in begun]
    if left:
        click.echo(f"not begun: {', '.join(left)}", err=True)


def _exit_code(outcomes: Iterable[Outcome]) -> int:
    results = {outcome.result for outcome in outcomes}
    if "cancelled" in results:
        return EXIT_CANCELLED
    return EXIT_REFUSED if "failed" in results else 0


def _data(outcome: Outcome) -> dict[str, Any]:
    data: dict[str, Any] = {
        "site": outcome.site,
        "result": outcome.result,
        "exists": outcome.exists,
        "elapsed_s": round(outcome.elapsed_s, 1),
        **outcome.journal.as_data(),
    }
    if outcome.outputs:
        data["outputs"] = outcome.outputs
    if outcome.remains:
        data["remains"] = [{"row": row.row, "part": row.part, "protected": row.protected} for row in outcome.remains]
    return data


def _print_data(schema: str, work: Work, outcomes: Iterable[Outcome]) -> None:
    _print_json(schema, {outcome.stack: _data(outcome) for outcome in outcomes}, digest=work.digest)


def _print_json(schema: str, stacks: Mapping[str, Any], **more: str) -> None:
    click.echo(json.dumps({"schema": schema, **more, "stacks": stacks}, indent=2, ensure_ascii=False))
