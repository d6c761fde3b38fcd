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

from aifactory.blueprints.load import Loaded, load
from aifactory.cli.calling import caller_problems
from aifactory.cli.colliding import Met, met, problems, refuse_unreachable
from aifactory.cli.deploy_text import print_done, print_outputs, print_preview, print_removal, print_warnings
from aifactory.cli.deploying import Known, Outcome, Removal, Runner
from aifactory.cli.engine_options import confirmed
from aifactory.cli.leaving import Left, look_for_remains, planned_for, print_left
from aifactory.cli.losing import check_names
from aifactory.cli.neighbours import neighbours
from aifactory.cli.pricing import refuse_unaffordable
from aifactory.cli.reaching import kubeconfig_problems
from aifactory.cli.redacting import redacted
from aifactory.cli.report import EXIT_FAILED, EXIT_REFUSED, rendered
from aifactory.cli.returning import Returning, print_returning, returning, returning_data, taken
from aifactory.cli.staying import print_staying, staying, staying_data
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
    refuse_unaffordable(work)
    runner = Runner(work.loaded.root, kubeconfig)
    # A preview without a cluster shows the plan, which is worth having, so this only warns.
    ways = runner.ways(work)
    unreachable = _unreachable(work, ways, kubeconfig)
    known = runner.known(work)
    found = met(work, known, ways, kubeconfig, {problem.site for problem in unreachable})
    in_the_way = [*neighbours(work, runner, known), *problems(work, found, refresh=False)]
    for text in rendered([*unreachable, *in_the_way], None):
        click.echo(f"{click.style('warning', fg='yellow')}: {text}", err=True)
    check_names(named, _protected(known))
    outcomes = []
    for outcome in runner.preview(work, named):
        outcomes.append(outcome)
        print_warnings(outcome)
        if form == "text":
            print_preview(outcome)
    if form == "json":
        _print_data("aifactory-preview/v1", work, outcomes, {name: _met_data(each) for name, each in found.items()})
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
    refuse_unaffordable(work)
    runner = Runner(work.loaded.root, kubeconfig)
    ways = runner.ways(work)
    _refuse([*caller_problems(work), *_unreachable(work, ways, kubeconfig)])
    known = runner.known(work)
    check_names(named, _protected(known))
    _refuse(neighbours(work, runner, known))
    found = met(work, known, ways, kubeconfig)
    # A base may be what mends the way to its cluster: whether that answers is asked when it is done.
    found = {name: each for name, each in found.items() if not (each.silent and work.shown[name].handed)}
    refuse_unreachable(found)
    _refuse(problems(work, found, refresh=refresh))
    leftovers = {name: [one.row for one in each.found.leftovers] for name, each in found.items()}
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
    for outcome in runner.up(work, refresh=refresh, named=named, leftovers=leftovers):
        outcomes.append(outcome)
        print_done(outcome, "up")
        print_returning(_taken(work, outcome))
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
    remove_crds: bool,
    refresh: bool,
    yes: bool,
) -> int:
    """`aifactory destroy`. What can't be built now can still be removed: a plan only helps to find what remains."""
    loaded = load(blueprint, values)
    runner = Runner(loaded.root, kubeconfig)
    removals = runner.removals(loaded, sites, unprotect)
    deployed = [removal for removal in removals if removal.rows or removal.unsettled]
    if deployed:
        given = {removal.site.site.site: removal.reached_by for removal in deployed if removal.reached_by}
        _refuse(_kubeconfig_problems(given, loaded.root, kubeconfig))
    removals = runner.cleared(removals, loaded.catalog, unprotect)
    for removal in removals:
        print_removal(removal)
    question = _question(len(deployed), len(removals), remove_crds=remove_crds)
    if question and not confirmed(question, yes=yes):
        click.echo("nothing was removed", err=True)
        return 0
    outcomes, left, stays, back = [], {}, {}, {}
    by_stack = {removal.stack: removal for removal in removals}
    for outcome in runner.destroy(removals, refresh=refresh):
        outcomes.append(outcome)
        if outcome.result != "absent":
            print_done(outcome, "destroy")
        stays[outcome.stack] = staying(outcome, loaded.catalog)
        print_staying(outcome, stays[outcome.stack], by_stack[outcome.stack])
        back[outcome.stack] = print_returning(returning(outcome, loaded.catalog))
        found = _left(loaded, blueprint, values, by_stack[outcome.stack], outcome, kubeconfig, remove_crds=remove_crds)
        if found is not None:
            left[outcome.stack] = found
    _say_untouched(by_stack, outcomes)
    if form == "json":
        told = {outcome.stack: outcome for outcome in outcomes}
        more = {name: {**staying_data(each, stays[name]), **returning_data(back[name])} for name, each in told.items()}
        scanned = {name: left[name].as_data() if name in left else {} for name in told}
        stacks = {name: {**_data(each), **scanned[name], **more[name]} for name, each in told.items()}
        _print_json("aifactory-destroy/v1", stacks)
    return _removal_code(outcomes, left.values())


def _taken(work: Work, outcome: Outcome) -> list[Returning]:
    stack = work.shown[outcome.stack]
    cloud = stack.plan.cloud
    return taken(outcome, stack.cloud_rows, cloud.region, work.loaded.catalog) if cloud is not None else []


def _question(deployed: int, asked: int, *, remove_crds: bool) -> str:
    """What the user has to agree to; empty if nothing would be removed."""
    crds = "the CRDs of their releases that nothing uses any more"
    if not deployed:
        return f"Nothing is deployed. Delete {crds} from {counted(asked, 'cluster')}?" if remove_crds else ""
    here = "" if deployed == asked else f"from {counted(asked, 'cluster')} "
    return f"Remove them from {counted(deployed, 'cluster')}{f', and {here}{crds}' if remove_crds else ''}?"


def _left(
    loaded: Loaded,
    blueprint: Path,
    values: Mapping[str, str],
    removal: Removal,
    outcome: Outcome,
    kubeconfig: Path | None,
    *,
    remove_crds: bool,
) -> Left | None:
    """What remains of a stack that was removed, or that isn't in the state; told to the user."""
    if outcome.result not in ("succeeded", "absent"):
        return None
    if removal.reached_by is None and outcome.remains:
        return None  # what of a base stays is told by itself
    planned = planned_for(loaded, blueprint, values, removal)
    found = look_for_remains(loaded, removal, outcome, planned, kubeconfig, remove_definitions=remove_crds)
    if outcome.result == "succeeded" or found.tells:
        print_left(outcome.stack, found)
    return found


def _removal_code(outcomes: Sequence[Outcome], left: Iterable[Left]) -> int:
    """1 if something remains that should not; 3 if that is not known."""
    code, found = _exit_code(outcomes), list(left)
    if code:
        return code
    if any(each.unexpected for each in found):
        return EXIT_REFUSED
    return EXIT_FAILED if any(each.unchecked for each in found) else 0


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


def _protected(known: Mapping[str, Known | None]) -> dict[str, tuple[str, ...]]:
    return {name: state.protected if state is not None else () for name, state in known.items()}


def _unreachable(work: Work, ways: Mapping[str, Kubeconfig], kubeconfig: Path | None) -> list[Problem]:
    given = {work.stacks[name].plan.place.site: way for name, way in ways.items()}
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


def _met_data(here: Met) -> dict[str, Any]:
    found = [*((one, "foreign") for one in here.found.foreign), *((one, "leftover") for one in here.found.leftovers)]
    return {
        "collisions": [
            {"row": one.row, "part": one.part, "whose": whose, "says": one.says, "adopt": one.adopt}
            for one, whose in found
        ],
        "unchecked": [{"what": one.what, "says": one.says} for one in here.found.unread],
    }


def _print_data(
    schema: str, work: Work, outcomes: Iterable[Outcome], more: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    stacks = {outcome.stack: {**_data(outcome), **(more or {}).get(outcome.stack, {})} for outcome in outcomes}
    _print_json(schema, stacks, digest=work.digest)


def _print_json(schema: str, stacks: Mapping[str, Any], **more: str) -> None:
    click.echo(json.dumps({"schema": schema, **more, "stacks": stacks}, indent=2, ensure_ascii=False))
