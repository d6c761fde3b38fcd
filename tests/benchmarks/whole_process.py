"""Times commands as a person waits for them: whole processes, from the start of Python to its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from msgspec import Struct

LAUNCHER = Path(__file__).with_name("launch.py")


class Timing(Struct, frozen=True):
    """What the runs of one command took."""

    seconds: tuple[float, ...]
    """Wall time of each run."""
    peak_mb: float
    """Largest resident memory of any run. Unit: MB (10^6 bytes)."""

    @property
    def median_s(self) -> float:
        """The run in the middle: half were slower."""
        return median(self.seconds)


def measure(
    command: Sequence[str],
    *,
    runs: int,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    before: Callable[[], None] = lambda: None,
) -> Timing:
    """Run a command `runs` times after one run that warms the caches; `before` comes before each, not timed.

    Raises RuntimeError with the command's own words when it fails: a failure that is quick is no result.
    """
    variables = {**os.environ, **(environment or {})}
    results = []
    for _ in range(runs + 1):
        before()
        results.append(_run(command, folder, variables))
    return Timing(tuple(wall_s for wall_s, _ in results[1:]), max(peak_mb for _, peak_mb in results[1:]))


def _run(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> tuple[float, float]:
    launch = [sys.executable, "-I", "-S", str(LAUNCHER), *command]
    done = subprocess.run(
        launch,
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(done.stdout)
    if result["exit_code"]:
        raise RuntimeError(f"{' '.join(command)} failed with {result['exit_code']}:\n{done.stderr}")
    return float(result["wall_s"]), result["peak_bytes"] / 1_000_000
