"""The changes between two snapshots, each a sentence with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aifactory.stacks.comparing.snapshot import Snapshot, StackSnapshot

Subject = Literal["stack", "part", "decision", "row"]
Verb = Literal["added", "removed", "changed", "renamed"]
_DERIVED_FIELDS = ("step", "after")
_LONG = 60


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. `says` is the sentence; `fields` are the places inside a row that differ."""

    stack: str
    subject: Subject
    verb: Verb
    target: str
    says: str
    before: Any = None
    after: Any = None
    fields: tuple[str, ...] = ()


def changes(before: Snapshot, after: Snapshot) -> list[Change]:
    """Every change from `before` to `after`: stacks, then parts, decisions and rows of each."""
    found: list[Change] = []
    for name in sorted({*before, *after}):
        if name not in before:
            found.append(Change(name, "stack", "added", name, f"stack {name} is new"))
        elif name not in after:
            found.append(Change(name, "stack", "removed", name, f"stack {name} is gone"))
        else:
            found.extend(_stack_changes(before[name], after[name]))
    return found


def _stack_changes(before: StackSnapshot, after: StackSnapshot) -> Iterator[Change]:
    renamed = {
        part["renamed_from"]: name
        for name, part in after.parts.items()
        if part["renamed_from"] in before.parts and name not in before.parts
    }
    yield from _part_changes(before, after, renamed)
    yield from _decision_changes(before, after, renamed)
    yield from _row_changes(before, after)


def _part_changes(before: StackSnapshot, after: StackSnapshot, renamed: Mapping[str, str]) -> Iterator[Change]:
    for old, new in renamed.items():
        yield Change(after.name, "part", "renamed", new, f"part {old} is now called {new}; nothing is replaced")
    for name, part in after.parts.items():
        if name not in before.parts and name not in renamed.values():
            yield Change(after.name, "part", "added", name, f"part {name} ({part['kind']}) is new")
    for name, part in before.parts.items():
        if name not in after.parts and name not in renamed:
            yield Change(after.name, "part", "removed", name, f"part {name} ({part['kind']}) is gone")


def _decision_changes(before: StackSnapshot, after: StackSnapshot, renamed: Mapping[str, str]) -> Iterator[Change]:
    known = {_moved(path, renamed): decision for path, decision in before.decisions.items()}
    for path, decision in after.decisions.items():
        old = known.get(path)
        if old is not None and old["value"] != decision["value"]:
            says = f"{_subject(path, old['value'], after)} became {_shown(decision['value'])}: {decision['reason']}"
            yield Change(after.name, "decision", "changed", path, says, old["value"], decision["value"])


def _moved(path: str, renamed: Mapping[str, str]) -> str:
    part, _, key = path.partition(".")
    return f"{renamed.get(part, part)}.{key}"


def _subject(path: str, value: Any, stack: StackSnapshot) -> str:
    """`train: 8 H200 nodes` for a pool's nodes, else `train.driver: 580.178.04`."""
    part, _, key = path.partition(".")
    kind = stack.parts.get(part, {}).get("kind")
    if kind == "gpu-node-pool" and key == "nodes":
        accelerator = str(stack.decisions.get(f"{part}.accelerator", {}).get("value", "GPU"))
        model = accelerator.removeprefix("nvidia-").split("-")[0].upper()
        return f"{part}: {_shown(value)} {model} nodes"
    if kind == "training" and key == "nodes":
        return f"{part}: a gang of {_shown(value)} nodes"
    return f"{path}: {_shown(value)}"


def _row_changes(before: StackSnapshot, after: StackSnapshot) -> Iterator[Change]:
    for name, row in after.rows.items():
        if name not in before.rows:
            yield Change(after.name, "row", "added", name, f"+ {name} ({row['part']})")
        elif fields := tuple(_differing(before.rows[name], row)):
            more = f" and {len(fields) - 6} more" if len(fields) > 6 else ""
            yield Change(
                after.name, "row", "changed", name, f"~ {name} ({row['part']}): {', '.join(fields[:6])}{more}", fields=fields
            )
    for name, row in before.rows.items():
        if name not in after.rows:
            yield Change(after.name, "row", "removed", name, f"- {name} ({row['part']})")


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Paths that differ between two rows, without what merely follows from other rows."""
    pending: list[tuple[str, Any, Any]] = [
        (key, before.get(key), after.get(key)) for key in sorted({*before, *after}) if key not in _DERIVED_FIELDS
    ]
    while pending:
        path, old, new = pending.pop(0)
        if isinstance(old, dict) and isinstance(new, dict):
            keys = sorted({*old, *new})
            pending[:0] = [(f"{path}.{key}", old.get(key), new.get(key)) for key in keys]
        elif old != new:
            yield path.removeprefix("body.")


def _shown(value: Any) -> str:
    if isinstance(value, list):
        text = ", ".join(str(item) for item in value) if all(isinstance(item, (str, int)) for item in value) else ""
        return text if 0 < len(text) <= _LONG else f"{len(value)} items"
    text = "none" if value in (None, "") else str(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"
