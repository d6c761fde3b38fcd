"""The closed algebra of values a row may hold: literals, and the few things that are not yet text.

A tree is JSON-like (`dict`, `list`, `str`, `int`, `float`, `bool`, `None`) with `Ref`, `Format`, `Json` and
`SecretRef` at its leaves. Files get the plain form; only the Pulumi adapter lowers a tree to Outputs.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from msgspec import Struct


class Ref(Struct, frozen=True):
    """An output of another row of the same stack, such as `metadata.name`; makes its reader wait for it."""

    row: str
    path: str


class Format(Struct, frozen=True):
    """Text put together from parts; a part is text or a `Ref`."""

    parts: tuple[str | Ref, ...]


class Json(Struct, frozen=True):
    """A tree that its reader wants as one JSON text, such as the `ipam` of a network."""

    tree: object


class SecretRef(Struct, frozen=True):
    """A key of a Kubernetes Secret. Stands for the reference `{name, key}`, never for the secret itself."""

    name: str
    key: str


def canonical_json(tree: object) -> str:
    """JSON with sorted keys and no spaces: the same tree gives the same text everywhere."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def plain(tree: object, resolve: Callable[[Ref], object]) -> object:
    """The tree as JSON-like data, each reference answered by `resolve`. Untouched branches are shared."""
    if isinstance(tree, dict):
        return {key: plain(value, resolve) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [plain(value, resolve) for value in tree]
    if isinstance(tree, Ref):
        return resolve(tree)
    if isinstance(tree, Format):
        return "".join(part if isinstance(part, str) else str(resolve(part)) for part in tree.parts)
    if isinstance(tree, Json):
        return canonical_json(plain(tree.tree, resolve))
    if isinstance(tree, SecretRef):
        return {"name": tree.name, "key": tree.key}
    return tree


def pointed(value: object) -> str:
    """The row that a value is an output of, whatever stands around it; empty for a literal."""
    if isinstance(value, Format):
        return next((pointed(part) for part in value.parts if isinstance(part, Ref)), "")
    return value.row if isinstance(value, Ref) else ""


def refs(tree: object) -> set[Ref]:
    """Every reference in a tree."""
    found: set[Ref] = set()
    pending = [tree]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, (list, tuple)):
            pending.extend(value)
        elif isinstance(value, Ref):
            found.add(value)
        elif isinstance(value, Format):
            pending.extend(value.parts)
        elif isinstance(value, Json):
            pending.append(value.tree)
    return found
