"""What one run of the engine did to each row: gathered from its events, told to people and machines later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field

from aifactory.cli.redacting import redacted
from aifactory.components.rows import Gate, ResourceRow
from aifactory.stacks.assembly.rowset import RowSet
from aifactory.stacks.program import identity
from aifactory.stacks.program.events import Event, Message, Step

Op = Literal["create", "update", "replace", "delete", "keep", "same"]
_OPS: dict[str, Op] = {
    "create": "create",
    "update": "update",
    "delete": "delete",
    "same": "same",
    "replace": "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "import": "create",
    "import-replacement": "replace",
    "discard": "keep",
    "discard-replaced": "replace",
}
"""The engine's operations as what they come to for a row. Refreshing and reading change nothing."""
_ORDER: tuple[Op, ...] = ("create", "update", "replace", "delete", "keep", "same")


_PENDING = "another operation (install/upgrade/rollback) is in progress"
_PROTECTION = ("marked for protection", "because it is protected")


class Label(Struct, frozen=True):
    """A row in blueprint terms."""

    row: str
    part: str
    wave: str = ""
    gate: Gate | None = None
    timeout_s: int = 0


class Failure(Struct, frozen=True):
    """A row that the engine could not bring about, and why."""

    label: Label
    says: tuple[str, ...]


def labels(rows: RowSet) -> dict[str, Label]:
    """The rows of a stack by URN."""
    by_id = {row.id: row for row in identity.resource_rows(rows)}
    found: dict[str, Label] = {}
    for urn, row_id in identity.urns(rows).items():
        row: ResourceRow = by_id[row_id]
        gate_s = row.gate.timeout_s if row.gate else 0
        found[urn] = Label(row.id, row.part, row.wave.value, row.gate, max(row.timeout_s, gate_s))
    return found


class Journal(Struct):
    """The events of one run, so far. Not for several threads at once: the engine tells one thing after another."""

    known: Mapping[str, Label] = field(default_factory=dict)
    ops: dict[str, Op] = field(default_factory=dict)
    changed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    running: dict[str, float] = field(default_factory=dict)
    """Rows being worked on, and since when (seconds on the caller's clock)."""
    errors: dict[str, list[str]] = field(default_factory=dict)
    """Error messages by URN; those that concern no row are under an empty one."""
    warnings: list[str] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)

    def see(self, event: Event, now_s: float = 0.0) -> tuple[Label, Op] | None:
        """Take in one event. Returns the row that it finished, and how, if it finished one."""
        if isinstance(event, Message):
            self._message(event)
        elif isinstance(event, Step):
            return self._step(event, now_s)
        return None

    def label(self, urn: str) -> Label | None:
        """The row behind a URN, also of rows that left the blueprint. None for components and providers."""
        if urn in self.known:
            return self.known[urn]
        named = identity.row_of(urn) if urn else None
        return Label(named[1], named[0]) if named else None

    @property
    def counts(self) -> dict[str, int]:
        """How many rows met each operation."""
        found = Counter(self.ops.values())
        return {op: found[op] for op in _ORDER if found[op]}

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Rows that failed, with what was said about them."""
        found = []
        for urn in sorted(self.failed | self.errors.keys()):
            label = self.label(urn)
            if label is not None:
                found.append(Failure(label, tuple(self.errors.get(urn, ()))))
        return tuple(found)

    def changes(self) -> list[tuple[Label, Op, tuple[str, ...]]]:
        """Rows that are not as they were, in order of waves, parts and rows."""
        named: list[tuple[Label, Op, tuple[str, ...]]] = []
        for urn, op in self.ops.items():
            label = self.label(urn)
            if label is not None and op != "same":
                named.append((label, op, self.changed.get(urn, ())))
        return sorted(named, key=lambda one: (one[0].wave, one[0].part, one[0].row))

    def as_data(self) -> dict[str, Any]:
        """As `--format json` prints it."""
        return {
            "changes": self.counts,
            "rows": [
                {"row": label.row, "part": label.part, "wave": label.wave, "op": op, "changed": list(paths)}
                for label, op, paths in self.changes()
            ],
            "failed": [
                {
                    "row": failure.label.row,
                    "part": failure.label.part,
                    "wave": failure.label.wave,
                    "says": "\n".join(failure.says),
                }
                for failure in self.failures
            ],
        }

    def _step(self, step: Step, now_s: float) -> tuple[Label, Op] | None:
        label, op = self.label(step.urn), _OPS.get(step.op)
        if label is None or op is None:
            return None
        if step.phase == "started":
            if op != "same":
                self.running[step.urn] = now_s
            if step.changed:
                self.changed[step.urn] = step.changed
            return None
        self.running.pop(step.urn, None)
        if step.phase == "failed":
            self.failed.add(step.urn)
            return None
        first = step.urn not in self.ops
        self.ops[step.urn] = "replace" if self.ops.get(step.urn) == "replace" else op
        return (label, op) if first else None

    def _message(self, message: Message) -> None:
        text = _explained(redacted(message.text))
        if message.severity == "error":
            said = self.errors.setdefault(message.urn if self.label(message.urn) else "", [])
        else:
            said = self.warnings
        if text not in said:
            said.append(text)


def _explained(text: str) -> str:
    """What the engine or Helm refuses, in words that lead on. Other text is as it was."""
    if any(mark in text for mark in _PROTECTION):
        return (
            "it is protected, since it holds data, and this would remove it or make a new one in its place; "
            "to allow that, with all that is in it: --remove-protected, and the row's name"
        )
    if _PENDING in text:
        return (
            f"{text}\nHelm was cut off in the middle of it. Look at: helm history NAME --namespace NAMESPACE; then: "
            "helm rollback, or helm uninstall if no revision of it was ever deployed; then: aifactory up --refresh"
        )
    return text
