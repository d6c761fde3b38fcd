"""What is measured as whole processes, and the budget of each."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct

from benchmarks.factories import write_factory
from benchmarks.whole_process import Timing, measure

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("aifactory")
REFERENCE = "blueprints/library/training-roce.yaml"
SERVING = "blueprints/library/sovereign-inference.yaml"
ONE_SITE = "blueprints/library/training-infiniband.yaml"
SCALE = (100, 1_000, 10_000, 100_000)
"""Objects of the scale curve."""
FEWER_RUNS_FROM_OBJECTS = 10_000


class Job(Struct, frozen=True):
    """One command and what it may take."""

    name: str
    arguments: tuple[str, ...]
    budget_s: float | None = None
    budget_mb: float | None = None
    forgets: str = "answers"
    """Folder of our caches that is emptied before each run: `answers` makes every run decide anew; empty: none."""


JOBS = (
    Job("help", ("--help",), budget_s=0.12),
    Job("plan, 2 sites", ("plan", REFERENCE), budget_s=0.35, budget_mb=90),
    Job("plan, 2 sites, JSON", ("plan", REFERENCE, "--format", "json"), budget_s=0.35, budget_mb=90),
    Job("plan, 2 sites, unchanged input", ("plan", REFERENCE), budget_s=0.1, budget_mb=90, forgets=""),
    Job("plan, 2 sites, all caches empty", ("plan", REFERENCE), forgets="."),
    Job("plan, 2 sites, models served", ("plan", SERVING), budget_s=0.35, budget_mb=90),
    Job("check, 1 site", ("check", ONE_SITE), budget_s=0.3),
    Job("check, 2 sites", ("check", REFERENCE), budget_s=0.6),
    Job("generate, 2 sites", ("generate", REFERENCE, "--out", "{out}")),
)
SCALE_BUDGETS = {1_000: (0.6, None), 100_000: (30.0, 1000.0)}
"""Seconds and MB, by wanted objects."""


class Result(Struct, frozen=True):
    """A job that was measured."""

    job: Job
    timing: Timing
    objects: int = 0
    """Objects that it wrote; 0 where that is not the question."""

    @property
    def breaches(self) -> list[str]:
        """Which budgets were not kept."""
        found = []
        if self.job.budget_s is not None and self.timing.median_s > self.job.budget_s:
            found.append(f"{self.job.name}: {self.timing.median_s:.2f} s, budget {self.job.budget_s} s")
        if self.job.budget_mb is not None and self.timing.peak_mb > self.job.budget_mb:
            found.append(f"{self.job.name}: {self.timing.peak_mb:.0f} MB, budget {self.job.budget_mb:.0f} MB")
        return found


def commands(folder: Path, runs: int) -> Iterator[Result]:
    """Measure each job in the repository, writing below `folder`, with caches of its own."""
    for job in JOBS:
        arguments = [text.replace("{out}", str(folder / "out")) for text in job.arguments]
        caches = folder / "caches"
        forget = partial(_empty, caches / "aifactory" / job.forgets) if job.forgets else lambda: None
        yield Result(
            job,
            measure(
                [str(COMMAND), *arguments],
                runs=runs,
                folder=ROOT,
                environment={"XDG_CACHE_HOME": str(caches)},
                before=forget,
            ),
        )


def scale(folder: Path, runs: int, sizes: Sequence[int] = SCALE) -> Iterator[Result]:
    """Measure `generate` into an empty folder for each size."""
    for size in sizes:
        project = folder / str(size)
        write_factory(project, size)
        budget_s, budget_mb = SCALE_BUDGETS.get(size, (None, None))
        times = runs if size < FEWER_RUNS_FROM_OBJECTS else max(1, runs // 5)
        command = [str(COMMAND), "generate", "factory.yaml", "--out", "out"]
        timing = measure(command, runs=times, folder=project, before=partial(_empty, project / "out"))
        yield Result(Job(f"generate {size:,}", (), budget_s, budget_mb), timing, _written(project))
        shutil.rmtree(project)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _written(project: Path) -> int:
    arguments = [str(COMMAND), "generate", "factory.yaml", "--out", "out", "--format", "json"]
    said = subprocess.run(arguments, cwd=project, capture_output=True, text=True, check=True)
    return sum(int(stack["rows"]) for stack in json.loads(said.stdout)["stacks"].values())


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """Least-squares slope of log(y) over log(x): 1 is linear, 2 quadratic."""
    logs = [(math.log(x), math.log(y)) for x, y in points]
    mean_x = sum(x for x, _ in logs) / len(logs)
    mean_y = sum(y for _, y in logs) / len(logs)
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)
