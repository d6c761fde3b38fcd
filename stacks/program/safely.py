"""Runs that lose nothing when they are killed: alone on their stack, after the last one is settled, on record.

A state in files of this machine is written once, at the end of a run; what the run may make is on record beside it.
Elsewhere the engine writes the state after each resource, as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from msgspec import Struct

from aifactory.components.counting import counted
from aifactory.stacks.program.begun import Begun
from aifactory.stacks.program.claims import Resource
from aifactory.stacks.program.deployment import (
    Deployment,
    RunFailed,
    Target,
    local_folder,
    make_folder,
    refreshed,
    written_at,
)
from aifactory.stacks.program.disk import mount_of, says_full
from aifactory.stacks.program.engine import Engine, EngineError, Locked
from aifactory.stacks.program.identity import is_of_cloud, row_of
from aifactory.stacks.program.locks import sole
from aifactory.stacks.program.recovery import (
    Found,
    found,
    lost_track,
    pending,
    questions,
    rows_among,
    settled,
    unsettled,
)
from aifactory.stacks.program.state import let_go, protected_again, protection, reached_by, reaching

Say = Callable[[str], None]


class Start(Struct, frozen=True):
    """What a run starts from."""

    resources: list[dict[str, Any]]
    written_at: str
    cut_off: bool
    """Whether the run before was cut off: then this one reads every object first."""


@contextmanager
def alone(target: Target, say: Say) -> Iterator[None]:
    """Keep others of this machine off the stack. Raises `Locked` if one is at work."""
    folder = local_folder(target)
    if folder is None:
        yield
        return
    make_folder(folder, target)
    with sole(folder, target.stack, say):
        yield


def claimed(target: Target, exported: dict[str, Any]) -> list[Resource] | None:
    """Rows that a run which was cut off may have made, and that the state lacks; None if none was cut off."""
    begun = _begun(target)
    state = exported["deployment"]
    if not pending(state) and (begun is None or not begun.exists):
        return None
    return unsettled(state, begun.read() if begun is not None else [])


def settle(
    engine: Engine,
    target: Target,
    deployment: Deployment,
    say: Say,
    also: Sequence[Resource] = (),
    kubeconfig: str = "",
    *,
    asks: bool = False,
) -> Start:
    """Find out what a run that was cut off made, and put that into the state; the same for claims in `also`.

    What that run was allowed to lose, and didn't, is protected again. `kubeconfig` is a file to reach the cluster
    by, if not that of the state and of the record; `asks` says that the run to come asks by the state's.

    Raises `EngineError` if the cluster can't be asked; the record stays, and the next run asks again.
    """
    exported = _protected_again(target, deployment, deployment.exported())
    claims: Sequence[Resource] | None = claimed(target, exported)
    if kubeconfig and (asks or claims is not None or also):
        claims = reaching(claims, kubeconfig) if claims is not None else None
        there = reached_by(exported, kubeconfig)
        if there != exported:
            deployment.restore(there)
        exported = there
    if also:
        known = {one["urn"] for one in claims or ()}
        claims = [*(claims or ()), *(one for one in also if one["urn"] not in known)]
    for row in lost_track(exported["deployment"]):
        say(f"{target.stack}: the last run was cut off while {row} was being made; if it is there, the state lacks it")
        say(f"{target.stack}: find it by its tags aifactory:factory and aifactory:site, then delete or import it")
    if claims is not None and rows_among(claims):
        exported = _asked(engine, target, deployment, exported, claims, say)
    elif any(is_of_cloud(one["resource"]) for one in pending(exported["deployment"])):
        # Told once: the engine would carry these along for ever, and each run would read all there is.
        exported = {**exported, "deployment": settled(exported["deployment"], (), Found((), ()))}
        deployment.restore(exported)
    resources = exported["deployment"].get("resources") or []
    return Start(resources, written_at(exported), claims is not None)


@contextmanager
def on_record(
    target: Target,
    deployment: Deployment,
    start: Start,
    claims: Sequence[Resource] | None,
    losing: Collection[str] = (),
) -> Iterator[None]:
    """Keep what the run may make until the state is written; let the engine write that once.

    Without `claims`, as for a cloud, whose ids nobody knows before, the engine writes after each resource.
    `losing` are URNs that the run may remove or replace although they are protected. What is left of them is
    protected again afterwards, whatever became of the run.
    """
    before = protection(start.resources, losing)
    folder, begun = local_folder(target), _begun(target)
    if folder is None or begun is None or claims is None:
        with _losing(deployment, before, recorded=False):
            yield
        return
    begun.write(claims, before)
    try:
        with _losing(deployment, before, recorded=True), deployment.writing_once():
            yield
    except BaseException as error:
        if isinstance(error, Locked) and not start.cut_off and not before:
            begun.clear()
        else:
            _clear_if_written(begun, deployment, start)
        if isinstance(error, RunFailed) and says_full(error.text):
            raise _full(target, error) from None
        raise
    begun.clear()


@contextmanager
def _losing(deployment: Deployment, before: Sequence[Resource], *, recorded: bool) -> Iterator[None]:
    """Take the protection of these off, and put it back on what is left.

    A killed engine leaves its lock, and then nobody can write the state: the next run puts it back if that is
    `recorded`. Raises `EngineError` that names what stays without protection if it isn't.
    """
    if not before:
        yield
        return

    def protect() -> None:
        deployment.restore(protected_again(deployment.exported(), before))

    deployment.restore(let_go(deployment.exported(), {str(one["urn"]) for one in before}))
    try:
        yield
    except BaseException as error:
        try:
            protect()
        except EngineError as second:
            if not recorded:
                raise _left_open(error, before, second) from error
        raise
    protect()


def _left_open(error: BaseException, before: Sequence[Resource], second: EngineError) -> EngineError:
    urns = [str(one["urn"]) for one in before]
    rows = ", ".join(named[1] if (named := row_of(urn)) else urn for urn in urns)
    says = f"{error}; and the protection of {rows} could not be put back: {second}"
    return EngineError(says, "run the same again when the stack is free; `aifactory up` protects them again")


def _protected_again(target: Target, deployment: Deployment, exported: dict[str, Any]) -> dict[str, Any]:
    """Undo what a run that was cut off had let go."""
    begun = _begun(target)
    before = begun.let_go() if begun is not None else []
    if not before:
        return exported
    exported = protected_again(exported, before)
    deployment.restore(exported)
    return exported


def _asked(
    engine: Engine,
    target: Target,
    deployment: Deployment,
    exported: dict[str, Any],
    claims: Sequence[Resource],
    say: Say,
) -> dict[str, Any]:
    state = exported["deployment"]
    rows = counted(len(rows_among(claims)), "row")
    where = "the cloud" if any(is_of_cloud(one) for one in claims) else "the cluster"
    say(f"{target.stack}: the last run was cut off; asking {where} about {rows} that it may have made")
    try:
        read = refreshed(engine, target, {**exported, "deployment": questions(state, claims)})
    except RunFailed as failed:
        says = f"can't find out what the last run of stack {target.stack} made: {failed.text}"
        raise EngineError(says, f"reach {where}, and run again; nothing is forgotten until then") from None
    answer = found(claims, read)
    restored = {**exported, "deployment": settled(state, claims, answer)}
    deployment.restore(restored)
    say(f"{target.stack}: {len(answer.adopted)} of them are there and now in the state")
    for row in answer.foreign:
        marks = "tags" if where == "the cloud" else "labels"
        say(f"{target.stack}: {row} is there, without the {marks} of this factory; it is not ours and stays out")
    return restored


def _clear_if_written(begun: Begun, deployment: Deployment, start: Start) -> None:
    with suppress(EngineError):
        if deployment.written_at != start.written_at:
            begun.clear()


def _full(target: Target, error: RunFailed) -> EngineError:
    folder = local_folder(target)
    where = f"the file system at {mount_of(folder)}" if folder is not None else target.backend
    says = f"the state of stack {target.stack} can't be written, {where} is full: {error.text}"
    return EngineError(says, "make room there, and run again: it first finds out what this run made")


def _begun(target: Target) -> Begun | None:
    folder = local_folder(target)
    return Begun(folder, target.stack) if folder is not None else None
