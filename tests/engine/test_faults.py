"""A run that breaks anywhere is finished by the next: nothing lost, nothing made twice.

Each stack goes up through twelve faults, chosen by a seed: the provider refuses a step, fails after it, the engine is
killed before or after it, the API server is killed and comes back while a step waits.
"""

from __future__ import annotations

import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from aifactory.components.rows import KubernetesRow
from aifactory.components.values import plain
from aifactory.stacks.program.inputs import provider_inputs
from aifactory.stacks.program.state import state_rows
from support import shipped
from support.proving.api import Refused
from support.proving.expected import expected, held
from support.proving.faults import VARIABLE, Fault, Plan
from support.proving.ground import Operators
from support.proving.yard import Yard

pytestmark = pytest.mark.engine
FAULTS = 12
PATIENCE_S = 600
TRIES = 3
"""A run may end before it meets its fault: of what the last fault left behind, which is no other fault."""
KINDS: tuple[Fault, ...] = ("fail", "fail-after", "kill-engine", "kill-engine-after", "pause")
SPARED = ("edge-slm", "gpu-as-a-service", "rag-private")
"""Rows of the same kinds as those of others: their faults would show nothing new, and take minutes."""
STACKS = [f"{blueprint}-{site}-platform" for blueprint, site in shipped.ONE_OF_EACH if blueprint not in SPARED]


def kinds(seed: str) -> list[Fault]:
    """Twelve faults, each kind at least twice."""
    chance = random.Random(seed)
    found = [*KINDS, *KINDS, *chance.choices(KINDS, k=FAULTS - 2 * len(KINDS))]
    chance.shuffle(found)
    return found


@pytest.mark.parametrize("name", STACKS)
def test_twelve_faults_lose_and_double_nothing(yards: Any, tmp_path: Path, name: str) -> None:
    """The stack goes up until it is there, then down until it is gone, and up again; each run breaks once."""
    yard: Yard = yards(name)
    everything = expected(yard.rows, provider_inputs(yard.rows.cluster, str(yard.kubeconfig), yard.root))
    planned = tmp_path / "fault.json"
    chance = random.Random(name)
    verb, last, met = "up", "", set[str]()
    with Operators(yard.plane.api):
        for number, fault in enumerate(kinds(name)):
            for attempt in range(TRIES):
                verb, left, refreshes = _next(yard, verb, turn=number == FAULTS // 2)
                plan = Plan(chance.randint(1, max(1, left // 2)), fault)
                plan.write(planned)
                # Whether a step that ended in an error was done, the cluster alone knows: up says so, and asks for it.
                refresh = ["--refresh"] if attempt or refreshes or last in ("fail-after", "pause") else []
                code = _run(yard, verb, planned, plan, *refresh)
                if planned.with_suffix(".done").is_file():
                    break
            last, met = fault, {*met, verb}
            assert planned.with_suffix(".done").is_file(), f"{plan} of {verb} was never met: {told(planned)}"
            assert code in ((0, 1) if fault == "pause" else (1, 3)), f"{plan} of {verb}: {code}, {told(planned)}"
        _finish_what_helm_left(yard)
        converged = [yard.run("up", "--yes", "--refresh").returncode for _ in range(2)]
        assert 0 in converged, told(planned)
        assert met == {"up", "destroy"}
        assert held(yard.resources()) == everything
        assert yard.data("preview")["changes"] == {"same": len(yard.cluster_rows())}
    assert _there(yard) == len(yard.cluster_rows())
    # A release whose install was answered with an error is there and called failed; `diff --live` tells that.
    assert {one["status"] for one in yard.helm_releases()} <= {"deployed", "failed"}
    assert {(one["namespace"], one["name"]) for one in yard.helm_releases()} == {
        (row.namespace, row.name) for row in yard.releases()
    }


def _next(yard: Yard, verb: str, *, turn: bool) -> tuple[str, int, bool]:
    """The next verb, how many rows it has to do with, and whether the cluster has more than the state.

    A run down goes on until the state has nothing. What a failed step made, and the state doesn't know, is then named
    by destroy, and taken in by the next `up --refresh`.
    """
    _finish_what_helm_left(yard)
    there, known, total = _there(yard), len(state_rows(yard.resources())), len(yard.cluster_rows())
    down = turn or verb == "destroy"
    verb = "destroy" if there == total or (down and known) else "up"
    return verb, total - there if verb == "up" else min(there, known), there > known


def _finish_what_helm_left(yard: Yard) -> None:
    """A release that was cut off in the middle is pending, and Helm refuses it: up says that a person has to look."""
    for one in yard.helm_releases("--pending", "--uninstalling"):
        ran = yard.call([str(yard.helm), "uninstall", one["name"], *yard.helm_words(one["namespace"])])
        assert ran.returncode == 0, ran.stderr


def _there(yard: Yard) -> int:
    """How many of the rows exist in the cluster."""
    rows = [row for row in yard.stack.rows if isinstance(row, KubernetesRow)]
    found = [row for row in rows if _exists(yard, row)]
    return len(found) + len(yard.helm_releases())


def _exists(yard: Yard, row: KubernetesRow) -> bool:
    try:
        return yard.plane.api.get(plain(row.body, lambda ref: ref.row)) is not None
    except Refused:
        return False  # its kind isn't there yet


def _run(yard: Yard, verb: str, planned: Path, plan: Plan, *options: str) -> int:
    protected = [row.row for row in state_rows(yard.resources()) if row.protected]
    named = [word for row in protected for word in ("--remove-protected", row)] if verb == "destroy" else []
    words = yard.words(verb, "--yes", *named, *options)
    environment = yard.environment({VARIABLE: str(planned)})
    log = planned.with_suffix(".log")
    with log.open("ab") as out, subprocess.Popen(words, env=environment, cwd=yard.root, stdout=out, stderr=out) as run:
        try:
            if plan.fault == "pause":
                met = planned.with_suffix(".done").is_file
                yard.plane.wait(lambda: met() or run.poll() is not None, "the run comes to its fault", PATIENCE_S)
                yard.plane.restart_api_server()
                planned.with_name("go").touch()
            return run.wait(timeout=PATIENCE_S)
        except BaseException:
            planned.with_name("go").touch()
            run.terminate()  # it passes that on to the engine, and ends with it
            run.wait(timeout=60)
            raise


def told(planned: Path) -> str:
    """The end of what the runs said."""
    return planned.with_suffix(".log").read_text(encoding="utf-8", errors="replace")[-3_000:]
