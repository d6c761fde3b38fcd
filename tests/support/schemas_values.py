"""Checks chart values against the values.yaml of the chart: each path that we set must be known there."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from support.schemas_tables import FIELDS, KNOWN, OPEN_ENDS, PASSED_ON

Json = Any
"""A JSON value."""

REMARK: Json = ()
"""Value of a key in comments that has no keys below."""


class Remarks(dict[str, Json]):
    """Keys in comments below one parent."""


_COMMENTED = re.compile(r"( *)#( *)([A-Za-z][\w-]*):(?: (.*))?")
_PLAIN = re.compile(r"( *)(?:- )?[\"']?([\w./-]+)[\"']?:(?: .*)?")


def defaults(text: str) -> list[Json]:
    """What a values.yaml says a chart knows: its values, and beside them the keys in comments."""
    documents = yaml.load_all(text, yaml.CSafeLoader)  # one chart has two; Helm reads the first
    remarks = commented(text)
    return [next(documents, None) or {}, *([remarks] if remarks else [])]


def commented(text: str) -> Remarks:
    """The tree of keys in comments, below their parents. A key without keys below is `REMARK`.

    Read by indentation: `#key:` and `# key:` stand where the mark stands, deeper ones as deep as their text.
    """
    tree = Remarks()
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


def _put(tree: Remarks, path: Sequence[str]) -> None:
    for name in path[:-1]:
        tree[name] = tree.get(name) or Remarks()
        tree = tree[name]
    tree.setdefault(path[-1], REMARK)


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
        found = _found(key, known, subs)
        if not found:
            if (chart, here) not in KNOWN:
                yield f"{here}: {chart} has no such value{_nearest(key, known)}"
            continue
        yield from _formed(value, found[0], here)
        if isinstance(value, Mapping) and (chart, here) not in PASSED_ON and not _is_open(key, found):
            yield from problems(value, [*found, FIELDS.get(key, {})], chart, {}, here)


def _found(key: str, known: Sequence[Json], subs: Mapping[str, Sequence[Json]]) -> list[Json]:
    """What the trees hold under a key; what tells nothing counts only where nothing else does."""
    found = [tree[key] for tree in known if isinstance(tree, dict) and key in tree]
    if key in subs:
        return [value for value in found if value] + list(subs[key])
    return [value for value in found if value is not REMARK] or found


def _is_open(key: str, found: Sequence[Json]) -> bool:
    """Whether nothing names the keys below: a Kubernetes map, or no map, or an empty one."""
    if key.lower().endswith(OPEN_ENDS):
        return True
    return key not in FIELDS and any(not tree or not isinstance(tree, dict) for tree in found)


def _formed(value: Json, default: Json, path: str) -> Iterator[str]:
    """Forms that break a chart quietly: Helm drops a scalar over a map, a template takes "false" for true."""
    if isinstance(default, Remarks) or default is REMARK:
        return
    if isinstance(default, dict) and value is not None and not isinstance(value, Mapping):
        yield f"{path}: is a map in the chart's values, set to {value!r}"
    elif isinstance(default, bool) and value is not None and not isinstance(value, bool):
        yield f"{path}: is a boolean in the chart's values, set to {value!r}"
    elif isinstance(default, list) and isinstance(value, Mapping):
        yield f"{path}: is a list in the chart's values, set to a map"
    elif isinstance(default, str | int | float) and default != "" and isinstance(value, Mapping | list):
        yield f"{path}: is {default!r} in the chart's values, set to a {type(value).__name__}"


def _nearest(key: str, known: Sequence[Json]) -> str:
    names = sorted({name for tree in known if isinstance(tree, dict) for name in tree})
    near = difflib.get_close_matches(key, names, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""
