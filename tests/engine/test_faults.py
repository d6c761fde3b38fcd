"""A run that breaks anywhere is finished by the next: nothing lost, nothing made twice.

Each stack goes up through twelve faults, chosen by a seed: the provider refuses a step, fails after it, the engine is
killed before or after it, the API server is killed and comes back while a step waits.
"""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from aifactory.components.rows import KubernetesRow
from aifactory.components.values import plain
from aifactory.stacks.program.inputs import provider_inputs
from support.proving.expected import expected, held
from support.proving.faults import VARIABLE, Fault, Plan
from support.proving.ground import Operators
from support.proving.yard import Yard

pytestmark = pytest.mark.engine
FAULTS = 12
KINDS: tuple[Fault, ...] = ("fail", "fail-after", "kill-engine", "kill-engine-after", "pause")
STACKS = (
    "inference-l4-muc-lab1-platform",
    "sovereign-inference-ams-colo1-platform",
    "training-infiniband-hel-dc1-platform",
    "training-roce-fra-dc1-platform",
)
"""One of each shipped blueprint."""


def plans(seed: str, steps: int) -> list[Plan]:
    """Twelve faults: each kind at least twice, none so late that the run before it would be over."""
    chance = random.Random(seed)
    kinds = [*KINDS, *KINDS, *chance.choices(KINDS, k=FAULTS - 2 * len(KINDS))]
    chance.shuffle(kinds)
    return [Plan(chance.randint(1, max(steps // (FAULTS + 2), 2)), kind) for kind in kinds]


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_goes_up_through_twelve_faults(yards: Any, tmp_path: Path, name: str) -> None:
    yard: Yard = yards(name)
    everything = expected(yard.rows, provider_inputs(yard.rows.cluster, str(yard.kubeconfig), yard.root))
    planned = tmp_path / "fault.json"
    met = []
    with Operators(yard.plane.api):
        for plan in plans(name, len(everything)):
            plan.write(planned)
            code = _up(yard, planned, plan)
            assert planned.with_suffix(".done").is_file(), f"{plan} was never met"
            assert (code == 0) == (plan.fault == "pause"), f"{plan} ended with {code}"
            met.append(plan.fault)
        yard.data("up", "--yes", "--refresh")
        assert held(yard.resources()) == everything
        assert yard.data("preview")["changes"] == {"same": len(_objects(yard)) + _releases(yard)}
    assert sorted(set(met)) == sorted(KINDS)
    _each_object_is_there_once(yard)


def _up(yard: Yard, planned: Path, plan: Plan) -> int:
    words = yard.words("up", "--yes")
    environment = yard.environment({VARIABLE: str(planned)})
    log = planned.with_suffix(".log")
    with log.open("ab") as out, subprocess.Popen(words, env=environment, cwd=yard.root, stdout=out, stderr=out) as run:
        if plan.fault == "pause":
            _wait(lambda: planned.with_suffix(".done").is_file() or run.poll() is not None)
            yard.plane.restart_api_server()
            planned.with_name("go").touch()
        return run.wait(timeout=600)


def _wait(holds: Any) -> None:
    until = time.monotonic() + 300
    while not holds() and time.monotonic() < until:
        time.sleep(0.1)


def _objects(yard: Yard) -> list[KubernetesRow]:
    return [row for row in yard.stack.rows if isinstance(row, KubernetesRow)]


def _releases(yard: Yard) -> int:
    return len(yard.helm_releases())


def _each_object_is_there_once(yard: Yard) -> None:
    missing = [row.id for row in _objects(yard) if yard.plane.api.get(plain(row.body, lambda ref: ref.row)) is None]
    assert missing == []
    assert all(one["status"] == "deployed" for one in yard.helm_releases())
