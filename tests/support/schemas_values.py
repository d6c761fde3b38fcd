"""Checks chart values against the values.yaml of the chart: each path that we set must be known there."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from support.schemas_tables import COPIED, KNOWN

Json = Any
"""A JSON value."""

_COMMENTED = re.compile(r"( *)#( *)([A-Za-z][\w-]*):(?: (.*))?")
_PLAIN = re.compile(r"( *)(?:- )?[\"']?([\w./-]+)[\"']?:(?: .*)?")


def defaults(text: str) -> list[Json]:
    """What a values.yaml says a chart knows: its values, and beside them the keys in comments."""
    return [yaml.load(text, yaml.CSafeLoader) or {}, commented(text)]


def commented(text: str) -> dict[str, Json]:
    """The tree of keys in comments, below their parents. A scalar key is `None` (anything may be set there).

    Read by indentation: `#key:` and `# key:` stand where the mark stands, deeper ones as deep as their text.
    """
    tree: dict[str, Json] = {}
    stack: list[tuple[int, str]] = []
    for line in text.splitlines():
        found = _COMMENTED.fullmatch(line.rstrip()) or _PLAIN.fullmatch(line.rstrip())
        if not found:
            continue
        remark = found.re is _COMMENTED
        indent = len(found[1]) + (max(len(found[2]) - 1, 0) if remark else 0)
        while stack and stack[-1][0] >= indent:
            stack.pop()
        stack.append((indent, found[3] if remark else found[2]))
        if remark:
            _put(tree, [name for _, name in stack])
    return tree


def _put(tree: dict[str, Json], path: Sequence[str]) -> None:
    for name in path[:-1]:
        tree = tree[name] = tree.get(name) or {}
    tree.setdefault(path[-1], None)


def problems(
    values: Mapping[str, Json],
    known: Sequence[Json],
    chart: str,
    subs: Mapping[str, Sequence[Json]],
    path: str = "",
) -> Iterator[str]:
    """Each set value that no known tree has, or that has another form than the default.

    `known` are the trees that may name the keys here; `subs` adds trees below the alias of a sub-chart.
    """
    for key, value in values.items():
        here = f"{path}.{key}" if path else key
        found = [tree[key] for tree in known if isinstance(tree, dict) and key in tree] + list(
            subs.get(key, ())
        )
        if not found:
            if (chart, here) not in KNOWN:
                yield f"{here}: {chart} has no such value{_nearest(key, known)}"
            continue
        yield from _formed(value, found[0], here)
        if isinstance(value, Mapping) and not _free(here, found):
            yield from problems(value, found, chart, {}, here)
        elif isinstance(value, Mapping):
            yield from _copied(value, here)


def _formed(value: Json, default: Json, path: str) -> Iterator[str]:
    """Forms that break a chart quietly: Helm drops a scalar over a map, a template takes "false" for true."""
    if isinstance(default, dict) and value is not None and not isinstance(value, Mapping):
        yield f"{path}: is a map in the chart's values, set to {value!r}"
    elif isinstance(default, bool) and value is not None and not isinstance(value, bool):
        yield f"{path}: is a boolean in the chart's values, set to {value!r}"
    elif isinstance(default, list) and isinstance(value, Mapping):
        yield f"{path}: is a list in the chart's values, set to a map"
    elif isinstance(default, str | int | float) and default != "" and isinstance(value, Mapping | list):
        yield f"{path}: is {default!r} in the chart's values, set to a {type(value).__name__}"


def _free(path: str, found: Sequence[Json]) -> bool:
    """Whether the chart doesn't name the keys below: an empty map, a list, nothing, a Kubernetes field."""
    return _copied_name(path) is not None or any(not tree or not isinstance(tree, dict) for tree in found)


def _copied(value: Mapping[str, Json], path: str) -> Iterator[str]:
    allowed = COPIED.get(_copied_name(path) or "")
    for key in value if allowed else ():
        if allowed and key not in allowed:
            yield f"{path}.{key}: Kubernetes has no such field here; known: {', '.join(sorted(allowed))}"


def _copied_name(path: str) -> str | None:
    last = path.rsplit(".", 1)[-1]
    return next((name for name in COPIED if last == name or last.endswith(name[0].upper() + name[1:])), None)


def _nearest(key: str, known: Sequence[Json]) -> str:
    names = sorted({name for tree in known if isinstance(tree, dict) for name in tree})
    near = difflib.get_close_matches(key, names, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""
