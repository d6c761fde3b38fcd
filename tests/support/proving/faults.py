"""Faults that a test plans: at the k-th step that changes the cluster, something breaks.

A plan is a file of JSON; the stand-in provider reads it and counts its steps. `fail`: the step is refused, nothing
happened. `fail-after`: it happened, and the answer is an error. `kill-engine`, `kill-engine-after`: the engine is
killed before or after the step. `pause`: the step waits until the file `go` is beside the plan.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

Fault = Literal["fail", "fail-after", "kill-engine", "kill-engine-after", "pause"]
VARIABLE = "PROVING_FAULTS"
_PAUSE_S = 300


class Injected(Exception):
    """The fault that was planned."""


class Plan(Struct, frozen=True):
    """Where something breaks. `step` counts from 1."""

    step: int
    fault: Fault

    def write(self, path: Path) -> None:
        """For the provider to read. What another plan left is forgotten."""
        for left in (path.with_suffix(".done"), path.with_name("go")):
            left.unlink(missing_ok=True)
        path.write_text(json.dumps({"step": self.step, "fault": self.fault}), encoding="utf-8")


class Faults:
    """Counts the steps of one provider process, and breaks at one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """A plan counts once: its file is marked when it was carried out."""
        path = environment.get(VARIABLE)
        self._path = Path(path) if path else None
        self._plan = self._read()
        self._steps = 0
        self._lock = threading.Lock()

    def before(self, urn: str) -> bool:
        """Count a step that is about to change the cluster. Returns whether `after` has to break."""
        with self._lock:
            self._steps += 1
            at = self._plan is not None and self._steps == self._plan.step
        if not at or self._plan is None or self._path is None:
            return False
        self._path.with_suffix(".done").write_text(urn, encoding="utf-8")
        if self._plan.fault == "kill-engine":
            kill_engine()
        if self._plan.fault == "fail":
            raise Injected(f"injected before step {self._steps}")
        if self._plan.fault == "pause":
            _wait_for(self._path.with_name("go"))
        return self._plan.fault.endswith("-after")

    def after(self) -> None:
        """Break after the step was done."""
        if self._plan is not None and self._plan.fault == "kill-engine-after":
            kill_engine()
        raise Injected("injected after the step")

    def _read(self) -> Plan | None:
        if self._path is None or not self._path.is_file() or self._path.with_suffix(".done").exists():
            return None
        found: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        return Plan(found["step"], found["fault"])


def kill_engine() -> None:
    """End the process that started this one, as a crash would, and this one too."""
    os.kill(os.getppid(), signal.SIGKILL)
    os._exit(1)


def _wait_for(path: Path) -> None:
    until = time.monotonic() + _PAUSE_S
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)
