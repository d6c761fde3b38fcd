"""The changes between two snapshots, each a sentence with its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from aifactory.stacks.comparing.snapshot import Snapshot, StackSnapshot

Subject = Literal["stack", "part", "decision", "row"]
Verb = Literal["added", "removed", "changed", "renamed"]
_DERIVED_FIELDS = ("step", "after", "part")
_LONG = 60
_LISTED = 6


class Change(Struct, frozen=True):
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
    renamed = _renamed(before, after)
    yield from _part_changes(before, after, renamed)
    yield from _decision_changes(before, after, renamed)
    yield from _row_changes(before, after)


def _renamed(before: StackSnapshot, after: StackSnapshot) -> dict[str, str]:
    """New names of parts by old ones. A part is known by the name it had first, however often it changed."""
    first = {_identity(name, part): name for name, part in before.parts.items() if name not in after.parts}
    return {
        first[_identity(name, part)]: name
        for name, part in after.parts.items()
        if name not in before.parts and _identity(name, part) in first
    }


def _identity(name: str, part: Mapping[str, Any]) -> str:
    return part["renamed_from"] or name


def _part_changes(before: StackSnapshot, after: StackSnapshot, renamed: Mapping[str, str]) -> Iterator[Change]:
    for old, new in renamed.items():
        yield Change(after.name, "part", "renamed", new, f"part {old} is now called {new}; nothing is replaced")
    for name, part in after.parts.items():
        if name not in before.parts and name not in renamed.values():
            yield Change(after.name, "part", "added", name, f"part {name} ({part['kind']}) is new")
    for name, part in before.parts.items():
        if name not in after.parts and name not in renamed:
            yield Change(after.name, "part", "removed", name, f"part {name} ({part['kind']}) is gone")
    for old, part in before.parts.items():
        name = renamed.get(old, old)
        if name in after.parts:
            yield from _override_changes(after.name, name, part["overrides"], after.parts[name]["overrides"])


def _override_changes(
    stack: str, part: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[Change]:
    for note in after:
        if note not in before:
            says = f"{part}: {note['row']} is overridden: {note['reason']}"
            yield Change(stack, "part", "changed", part, says, after=note)
    for note in before:
        if note not in after:
            says = f"{part}: {note['row']} is no longer overridden as before: {note['reason']}"
            yield Change(stack, "part", "changed", part, says, before=note)


def _decision_changes(before: StackSnapshot, after: StackSnapshot, renamed: Mapping[str, str]) -> Iterator[Change]:
    known = {
        _moved(path, renamed, after.decisions): {**decision, "value": _with_new_names(decision["value"], renamed)}
        for path, decision in before.decisions.items()
    }
    changed = [
        (path, known[path]["value"], decision)
        for path, decision in after.decisions.items()
        if path in known and known[path]["value"] != decision["value"]
    ]
    for path, old, decision in sorted(changed, key=lambda each: not _counted_nodes(each[0], after)):
        says = f"{_sentence(path, old, decision['value'], after)}: {decision['reason']}"
        yield Change(after.name, "decision", "changed", path, says, old, decision["value"])
    same = {part for part in after.parts if part in before.parts or part in renamed.values()}
    yield from _come_and_gone(known, after, same)


def _come_and_gone(
    known: Mapping[str, Mapping[str, Any]], after: StackSnapshot, parts: Collection[str]
) -> Iterator[Change]:
    """Decisions that only one side has, of parts that both sides have: a tenant that came, say."""
    for path, decision in after.decisions.items():
        if path not in known and path.partition(".")[0] in parts:
            says = f"{path} is new: {_shown(decision['value'])}: {decision['reason']}"
            yield Change(after.name, "decision", "added", path, says, after=decision["value"])
    for path, decision in known.items():
        if path not in after.decisions and path.partition(".")[0] in parts:
            says = f"{path} is gone: it was {_shown(decision['value'])}"
            yield Change(after.name, "decision", "removed", path, says, before=decision["value"])


def _moved(path: str, renamed: Mapping[str, str], known: Collection[str]) -> str:
    """A path under the new names: of its part, and of other parts that it goes on to name."""
    part, *steps = path.split(".")
    own = ".".join([renamed.get(part, part), *steps])
    whole = ".".join([renamed.get(part, part), *(renamed.get(step, step) for step in steps)])
    return whole if own not in known and whole in known else own


def _with_new_names(value: Any, renamed: Mapping[str, str]) -> Any:
    """A value that is told by parts, such as flavors by pool, under their new names."""
    return {renamed.get(key, key): inner for key, inner in value.items()} if isinstance(value, dict) else value


def _counted_nodes(path: str, stack: StackSnapshot) -> str:
    """What the nodes at `PART.nodes` are: `H200 nodes`, `nodes in the gang`; empty for every other decision."""
    part, _, key = path.partition(".")
    entry = stack.parts.get(part)
    if key != "nodes" or entry is None:
        return ""
    if entry["kind"] == "training":
        return "nodes in the gang"
    model = str(entry["plan"].get("accelerator", "")).removeprefix("nvidia-").split("-")[0].upper()
    return f"{model} nodes" if entry["kind"] == "gpu-node-pool" and model else ""


def _sentence(path: str, old: Any, new: Any, stack: StackSnapshot) -> str:
    """`train: 8 H200 nodes became 10`, or `train.driver: 580.178.04 became 580.182.01`."""
    if what := _counted_nodes(path, stack):
        return f"{path.partition('.')[0]}: {_shown(old)} {what} became {_shown(new)}"
    if isinstance(old, dict) and isinstance(new, dict):
        inner = [f"{name} {_shown(first)} became {_shown(second)}" for name, first, second in _leaves("", old, new)]
        return f"{path}: {', '.join(inner[:_LISTED])}" + (
            f" and {len(inner) - _LISTED} more" if inner[_LISTED:] else ""
        )
    return f"{path}: {_shown(old)} became {_shown(new)}"


def _row_changes(before: StackSnapshot, after: StackSnapshot) -> Iterator[Change]:
    for name, row in after.rows.items():
        if name not in before.rows:
            yield Change(after.name, "row", "added", name, f"+ {name} ({row['part']})")
        elif fields := tuple(_differing(before.rows[name], row)):
            more = f" and {len(fields) - _LISTED} more" if len(fields) > _LISTED else ""
            yield Change(
                after.name,
                "row",
                "changed",
                name,
                f"~ {name} ({row['part']}): {', '.join(fields[:_LISTED])}{more}",
                fields=fields,
            )
    for name, row in before.rows.items():
        if name not in after.rows:
            yield Change(after.name, "row", "removed", name, f"- {name} ({row['part']}){_what_stays(row)}")


def _what_stays(row: Mapping[str, Any]) -> str:
    if row.get("protect"):
        return ": protected, so nothing removes it until somebody lifts that"
    return ": it stays in the cluster" if row.get("retain_on_delete") else ""


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Paths that differ between two rows, without what merely follows from other rows."""
    for path, _, _ in _leaves("", before, after):
        if path.partition(".")[0] not in _DERIVED_FIELDS:
            yield path.removeprefix("body.")


def _leaves(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The innermost values that differ: path, before, after."""
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        inner = f"{path}.{key}" if path else key
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _leaves(inner, old, new)
        elif old != new:
            yield inner, old, new


def _shown(value: Any) -> str:
    if isinstance(value, list):
        text = ", ".join(str(item) for item in value) if all(isinstance(item, (str, int)) for item in value) else ""
        return text if 0 < len(text) <= _LONG else f"{len(value)} items"
    if isinstance(value, dict):
        text = ", ".join(f"{key} {_shown(inner)}" for key, inner in value.items())
    else:
        text = "none" if value in (None, "") else str(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"
