"""Deploying rows through the real engine: beside a flat program, and with the state written once or after each row.

`python tests/benchmarks/deploying.py PULUMI WAY COUNT` deploys once, with a provider that has no cluster, into a state
of the moment, and prints a line of JSON: wall seconds, CPU seconds of this process and the engine together, peak memory
of each. `PULUMI` is the folder of the engine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

COUNTS = (100, 1_000)
RUNS = 3
WAYS = ("flat", "rows")
"""Both with the state written once."""
AFTER_EACH = "rows, each"
"""The engine's own way, which takes quadratic time."""


def run(way: str, count: int) -> dict[str, float]:
    """Deploy once in this process. The clock runs while the engine does, without opening the stack."""
    from aifactory.stacks.program.adapter import register_stack
    from aifactory.stacks.program.deployment import Target, opened
    from aifactory.stacks.program.engine import Engine
    from aifactory.stacks.program.process import rest_collector
    from benchmarks.registration import flat, row_set

    rows = row_set(count)

    def program() -> None:
        if way == "flat":
            rest_collector()
            flat(rows)
        else:
            register_stack(rows, Path("/project"))

    with TemporaryDirectory(prefix="aifactory-bench-") as state:
        target = Target(rows.stack, f"file://{state}", "passphrase")
        with opened(Engine(), target, create=True) as deployment:
            assert deployment is not None
            with nullcontext() if way == AFTER_EACH else deployment.writing_once():
                before_s = _cpu_s(RUSAGE_SELF) + _cpu_s(RUSAGE_CHILDREN)
                began = time.perf_counter()
                deployment.up(program, lambda _: None)
                wall_s = time.perf_counter() - began
    return {
        "wall_s": wall_s,
        "cpu_s": _cpu_s(RUSAGE_SELF) + _cpu_s(RUSAGE_CHILDREN) - before_s,
        "self_mb": _peak_mb(RUSAGE_SELF),
        "engine_mb": _peak_mb(RUSAGE_CHILDREN),
    }


def measure(engine: Path, count: int, ways: Sequence[str] = WAYS, runs: int = RUNS) -> dict[str, Any]:
    """Medians of each way, run in turn, so that a busy machine hurts all alike."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    with _environment(engine) as environment:
        for _ in range(runs):
            for way in ways:
                command = [sys.executable, __file__, str(engine), way, str(count)]
                done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
                found[way].append(json.loads(done.stdout))
    return {
        way: {
            "wall_s": round(median(one["wall_s"] for one in all_runs), 2),
            "cpu_s": round(median(one["cpu_s"] for one in all_runs), 2),
            "self_mb": round(max(one["self_mb"] for one in all_runs)),
            "engine_mb": round(max(one["engine_mb"] for one in all_runs)),
        }
        for way, all_runs in found.items()
    }


@contextmanager
def _environment(engine: Path) -> Iterator[dict[str, str]]:
    with TemporaryDirectory(prefix="aifactory-bench-") as folder:
        from support.proving import plugins

        plugins.write(Path(folder, plugins.KUBERNETES), plugins.ECHO)
        yield {
            **os.environ,
            "PATH": os.pathsep.join([folder, str(engine), os.environ["PATH"]]),
            "PULUMI_HOME": str(Path(folder, "home")),
            "PULUMI_CONFIG_PASSPHRASE": "of-a-benchmark",
        }


def _cpu_s(whose: int) -> float:
    used = getrusage(whose)
    return used.ru_utime + used.ru_stime


def _peak_mb(whose: int) -> float:
    return getrusage(whose).ru_maxrss * 1024 / 1_000_000


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[2], int(sys.argv[3]))))
