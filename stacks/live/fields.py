"""Fields of objects: where two trees differ, and who set a field, as managedFields say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

IGNORED = (
    ("status",),
    ("metadata", "managedFields"),
    ("metadata", "resourceVersion"),
    ("metadata", "generation"),
    ("metadata", "uid"),
    ("metadata", "creationTimestamp"),
)
"""What the server keeps for itself."""
OF_THE_ENGINE = "pulumi.com/"
"""Annotations that the engine adds begin so; the plan knows nothing of them."""
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
BY_HAND = ("kubectl", "k9s", "Lens", "OpenLens", "Freelens", "Headlamp", "dashboard")
"""Managers that are tools in somebody's hand: what they set and the plan doesn't is drift, too."""
ABSENT = type("Absent", (), {"__repr__": lambda _: "nothing"})()
"""Stands for a value that isn't there."""

Item = Mapping[str, Any]
Step = str | int | tuple[tuple[str, Any], ...]
"""A key, an index, or the keys by which an item of a list is known."""
FieldPath = tuple[Step, ...]
_KEYS = ("name", "key", "type", "containerPort", "port", "mountPath", "ip", "devicePath", "topologyKey")


class Author(Struct, frozen=True):
    """Who set a field last, and when."""

    manager: str
    at: str


def differences(live: Any, wanted: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Any, Any]]:
    """Paths at which two trees differ, each with the live and the wanted value."""
    if path in IGNORED or live == wanted or _is_of_the_engine(path):
        return
    if isinstance(live, dict) and isinstance(wanted, dict):
        for key in dict.fromkeys((*live, *wanted)):
            yield from differences(live.get(key, ABSENT), wanted.get(key, ABSENT), (*path, key))
    elif isinstance(live, list) and isinstance(wanted, list):
        yield from _in_lists(live, wanted, path)
    else:
        yield path, live, wanted


def _is_of_the_engine(path: FieldPath) -> bool:
    if path[:2] != ("metadata", "annotations") or len(path) < 3:
        return False
    return str(path[2]).startswith(OF_THE_ENGINE) or path[2] == LAST_APPLIED


def _in_lists(live: list[Any], wanted: list[Any], path: FieldPath) -> Iterator[tuple[FieldPath, Any, Any]]:
    key = next((key for key in _KEYS if _known_by(key, live) and _known_by(key, wanted)), None)
    if key is not None:
        one, other = ({each[key]: each for each in side} for side in (live, wanted))
        for name in dict.fromkeys((*one, *other)):
            yield from differences(one.get(name, ABSENT), other.get(name, ABSENT), (*path, ((key, name),)))
    elif len(live) == len(wanted):
        for index, (first, second) in enumerate(zip(live, wanted, strict=True)):
            yield from differences(first, second, (*path, index))
    else:
        yield path, live, wanted


def _known_by(key: str, items: list[Any]) -> bool:
    """Whether each item of a list has the key, and none has another's value."""
    values = [item.get(key) for item in items if isinstance(item, dict)]
    known = len(values) == len(items) and all(isinstance(value, (str, int)) for value in values)
    return known and len(set(values)) == len(values)


def path_text(path: FieldPath) -> str:
    """A path as a person reads it: `spec.containers[name=main].image`."""
    text = ""
    for step in path:
        if isinstance(step, tuple):
            text += "[" + ",".join(f"{key}={value}" for key, value in step) + "]"
        elif isinstance(step, int):
            text += f"[{step}]"
        elif any(char in step for char in "./"):
            text += f'["{step}"]'
        else:
            text += f".{step}" if text else step
    return text


def author(managed: Sequence[Item], path: FieldPath) -> Author | None:
    """Who set a field last; None if nobody says. The deepest field that somebody names counts."""
    best: tuple[int, str, str] | None = None
    for entry in managed:
        depth = _depth(entry.get("fieldsV1") or {}, path)
        found = (depth, str(entry.get("time", "")), str(entry.get("manager", "")))
        if depth and (best is None or found > best):
            best = found
    return Author(best[2], best[1]) if best else None


def _depth(fields: Item, path: FieldPath) -> int:
    """How many steps of a path a set of fields has."""
    for count, step in enumerate(path):
        inner = next((value for name, value in fields.items() if _is_step(name, step)), None)
        if inner is None:
            # A value of a set, or of a list that is set as one, is set by who set what holds it.
            return count if not fields or fields == {".": {}} else 0
        fields = inner
    return len(path)


def _is_step(name: str, step: Step) -> bool:
    form, _, text = name.partition(":")
    if form == "f":
        return text == step
    if form == "k" and isinstance(step, tuple):
        keys = json.loads(text)
        return all(keys.get(key) == value for key, value in step)
    return False


def set_by_hand(live: Item) -> Iterator[tuple[FieldPath, Any, Author]]:
    """Fields that a tool in somebody's hand set, each with its value and who that was."""
    for entry in (live.get("metadata") or {}).get("managedFields") or ():
        manager = str(entry.get("manager", ""))
        if manager.startswith(BY_HAND) and entry.get("subresource") != "status":
            by = Author(manager, str(entry.get("time", "")))
            for path, value in _leaves(entry.get("fieldsV1") or {}, live, ()):
                if path not in IGNORED and not _is_of_the_engine(path):
                    yield path, value, by


def _leaves(fields: Item, value: Any, path: FieldPath) -> Iterator[tuple[FieldPath, Any]]:
    named = [(name, inner) for name, inner in fields.items() if name != "."]
    if not named:
        if path and value is not ABSENT:
            yield path, value
        return
    for name, inner in named:
        form, _, text = name.partition(":")
        if form == "f":
            below = value.get(text, ABSENT) if isinstance(value, dict) else ABSENT
            yield from _leaves(inner, below, (*path, text))
        elif form == "k" and isinstance(value, list):
            keys = json.loads(text)
            item = next((each for each in value if all(each.get(key) == of for key, of in keys.items())), ABSENT)
            yield from _leaves(inner, item, (*path, tuple(keys.items())))
        elif form == "v" and isinstance(value, list) and json.loads(text) in value:
            yield (*path, (("", json.loads(text)),)), json.loads(text)


def at(tree: Any, path: FieldPath) -> Any:
    """The value at a path; `ABSENT` if there is none."""
    for step in path:
        if isinstance(step, tuple):
            items = tree if isinstance(tree, list) else []
            if step[0][0] == "":
                return step[0][1] if step[0][1] in items else ABSENT
            tree = next(
                (each for each in items if isinstance(each, dict) and all(each.get(key) == of for key, of in step)),
                ABSENT,
            )
        elif isinstance(tree, dict) and isinstance(step, str):
            tree = tree.get(step, ABSENT)
        elif isinstance(tree, list) and isinstance(step, int) and step < len(tree):
            tree = tree[step]
        else:
            return ABSENT
    return tree
