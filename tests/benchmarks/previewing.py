"""Previewing a base through the real engine, beside a flat program with the same resources.

`python tests/benchmarks/previewing.py PULUMI WAY` previews the base of a site at AWS once, as a stack that isn't there
yet, with the stand-in for the provider (decision 0031), and prints a line of JSON: wall seconds, CPU seconds of this
process, the engine and the provider together, and how many resources of AWS the preview would make. `PULUMI` is the
folder of the engine. What the provider takes is the same on both sides: `registration.py --base` measures the programs
alone, where nothing dilutes the ratio.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

RUNS = 5
WAYS = ("flat", "rows")


def base() -> Any:
    """The base that is previewed: a cluster, and four nodes on EFA."""
    from aifactory.stacks.assembly.rowset import row_set
    from support.aws_sites import rented

    found = rented()
    assert not found.errors
    return row_set(found.stacks[0], "sha256:0")


def run(way: str) -> dict[str, float]:
    """Preview once in this process. The clock runs while the engine does, without opening the stack."""
    from aifactory.stacks.program.adapter import register_stack
    from aifactory.stacks.program.deployment import throwaway
    from aifactory.stacks.program.engine import Engine
    from aifactory.stacks.program.process import rest_collector
    from benchmarks.bases import flat_base

    rows = base()
    flat = flat_base(rows)
    made: set[str] = set()

    def program() -> None:
        if way == "flat":
            rest_collector()
            flat()
        else:
            register_stack(rows, Path("/project"))

    def see(event: Any) -> None:
        if _is_made(event):
            made.add(event.urn)

    with throwaway(Engine(), rows.stack) as deployment:
        before_s = _cpu_s()
        began = time.perf_counter()
        deployment.preview(program, see)
        wall_s = time.perf_counter() - began
        cpu_s = _cpu_s() - before_s
    return {"wall_s": wall_s, "cpu_s": cpu_s, "resources": len(made)}


def measure(engine: Path, runs: int = RUNS) -> dict[str, Any]:
    """Medians of both ways, run in pairs, so that a busy machine hurts both alike; and that of the pairs' ratios."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with environment(engine) as variables:
        for _ in range(runs):
            for way in WAYS:
                command = [sys.executable, __file__, str(engine), way]
                done = subprocess.run(command, check=True, capture_output=True, text=True, env=variables)
                found[way].append(json.loads(done.stdout))
    pairs = list(zip(found["rows"], found["flat"], strict=True))
    result: dict[str, Any] = {
        "resources": int(found["rows"][0]["resources"]),
        "ratio": round(median(rows["cpu_s"] / flat["cpu_s"] for rows, flat in pairs), 3),
        "wall_ratio": round(median(rows["wall_s"] / flat["wall_s"] for rows, flat in pairs), 3),
    }
    for way, all_runs in found.items():
        counts = {int(one["resources"]) for one in all_runs}
        if counts != {len(base().rows)}:
            raise RuntimeError(f"{way} would make {sorted(counts)} resources, and the base has other rows")
        result[way] = {key: round(median(one[key] for one in all_runs), 2) for key in ("wall_s", "cpu_s")}
    return result


@contextmanager
def environment(engine: Path) -> Iterator[dict[str, str]]:
    """Variables of a run: an engine with a home of its own, and an account of AWS that is an empty folder."""
    from support.proving import plugins
    from support.proving.aws_account import Account
    from support.proving.aws_provider import FOLDER

    with TemporaryDirectory(prefix="aifactory-bench-") as folder:
        plugins.write_module(Path(folder, plugins.AWS), plugins.CLOUD)
        Account(Path(folder, "account"), "eu-north-1")
        yield {
            **os.environ,
            "PATH": os.pathsep.join([folder, str(engine), os.environ["PATH"]]),
            "PULUMI_HOME": str(Path(folder, "home")),
            FOLDER: str(Path(folder, "account")),
        }


def _is_made(event: Any) -> bool:
    """Whether an event says that a resource of AWS would be made."""
    from aifactory.stacks.program.events import Step

    if not isinstance(event, Step) or event.op != "create":
        return False
    return event.urn.split("::")[2].rpartition("$")[2].startswith("aws:")


def _cpu_s() -> float:
    used = [getrusage(whose) for whose in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(json.dumps(run(sys.argv[2])))
    else:
        print(json.dumps(measure(Path(sys.argv[1]))))
