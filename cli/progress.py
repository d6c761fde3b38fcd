"""Progress of a run on stderr: a line when something is finished, one now and then about what is awaited.

Plain lines, with the time since the start: they read the same at a terminal, in a CI log and in a file.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType

import click

from aifactory.cli.journal import Journal, Label, Op
from aifactory.components.rows import Gate
from aifactory.stacks.program.events import Event

_QUIET_S = 10.0
_SHOWN = 3
DONE = {
    "create": "created",
    "update": "changed",
    "replace": "replaced",
    "delete": "removed",
    "keep": "kept",
    "same": "unchanged",
}


def to_stderr(line: str) -> None:
    """Where progress goes."""
    click.echo(line, err=True)


class Progress:
    """Shows one run of one stack, and keeps its journal."""

    def __init__(
        self,
        known: Mapping[str, Label],
        write: Callable[[str], None] = to_stderr,
        clock: Callable[[], float] = time.monotonic,
        *,
        acting: bool = True,
    ) -> None:
        """`known` are the rows by URN; `clock` gives seconds. A run that is not `acting` finishes nothing."""
        self.journal = Journal(known)
        self._write = write
        self._clock = clock
        self._acting = acting
        self._started_s = self._spoken_s = clock()
        self._left = Counter((label.wave, label.part) for label in known.values())
        self._done: dict[tuple[str, str], Counter[str]] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._pulse = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Progress:
        """Begin to tell what is awaited."""
        self._pulse.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop telling."""
        self._over.set()
        self._pulse.join()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._started_s

    def see(self, event: Event) -> None:
        """Take in an event; write a line if it finishes a part's share of a wave, or fails a row."""
        with self._lock:
            failed = len(self.journal.failed)
            finished = self.journal.see(event, self._clock())
            if finished is not None and self._acting:
                self._finished(*finished)
            if len(self.journal.failed) > failed:
                self._failed(event)

    def pulse(self) -> None:
        """Write what is awaited, if nothing was written for ten seconds."""
        with self._lock:
            if self._clock() - self._spoken_s >= _QUIET_S and self.journal.running:
                self._say(f"waiting for {self._awaited()}")

    def say(self, text: str) -> None:
        """Write a line of one's own."""
        with self._lock:
            self._say(text)

    def _finished(self, label: Label, op: Op) -> None:
        group = (label.wave, label.part)
        done = self._done.setdefault(group, Counter())
        done[op] += 1
        if done.total() == self._left[group]:
            counts = ", ".join(f"{count} {DONE[op]}" for op, count in sorted(done.items()))
            self._say(f"{label.wave:<15} {label.part:<20} {counts}")

    def _failed(self, event: Event) -> None:
        label = self.journal.label(getattr(event, "urn", ""))
        if label is not None:
            self._say(f"{label.wave:<15} {label.part:<20} failed: {label.row}")

    def _awaited(self) -> str:
        now_s = self._clock()
        running = sorted(self.journal.running.items(), key=lambda one: one[1])
        shown = [self._waiting(urn, now_s - since_s) for urn, since_s in running[:_SHOWN]]
        more = len(running) - len(shown)
        return "; ".join(shown) + (f"; {more} more" if more else "")

    def _waiting(self, urn: str, since_s: float) -> str:
        label = self.journal.label(urn)
        if label is None:
            return ""
        until = f" until {gate_text(label.gate)}" if label.gate else ""
        limit = f" of at most {label.timeout_s} s" if label.timeout_s else ""
        return f"{label.row} of {label.part}{until}, {since_s:.0f} s{limit}"

    def _say(self, text: str) -> None:
        self._spoken_s = self._clock()
        self._write(f"[{clock_text(self.elapsed_s)}] {text}")

    def _beat(self) -> None:
        while not self._over.wait(1.0):
            self.pulse()


def gate_text(gate: Gate) -> str:
    """A gate in words."""
    return f"{gate.condition} is true" if gate.condition else f"{gate.path} is {gate.value}"


def clock_text(seconds: float) -> str:
    """`1:02:03` for 3723 seconds, `2:03` for 123."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
