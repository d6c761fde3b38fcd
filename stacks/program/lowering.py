"""Lowers the value algebra of rows to what Pulumi sends. Untouched branches are shared, not copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi

from aifactory.components.values import Format, Json, Ref, SecretRef, plain, refs

Resolve = Callable[[Ref], Any]
_PLAIN = frozenset((str, int, float, bool, type(None)))


def lower(tree: Any, resolve: Resolve) -> Any:
    """The tree with each reference answered by `resolve`; text and JSON around one become Outputs."""
    # Types are compared, not classes asked: this runs for each value of each row, before Pulumi does.
    kind = type(tree)
    if kind in _PLAIN:
        return tree
    if kind is dict:
        return _dict(tree, resolve)
    if kind is list or kind is tuple:
        return _list(tree, resolve)
    if kind is Ref:
        return resolve(tree)
    if kind is Format or kind is Json:
        return _text(tree, resolve)
    if kind is SecretRef:
        return {"name": tree.name, "key": tree.key}
    if isinstance(tree, str):
        return str.__str__(tree)  # a member of an enumeration
    raise TypeError(f"a row holds a {kind.__name__}, which Pulumi can't be sent")


def output_of(resource: pulumi.Resource, path: str) -> Any:
    """An output of a registered resource, such as `metadata.name` or `identities.0.oidcs.0.issuer`."""
    first, *rest = path.split(".")
    value: Any = getattr(resource, first)
    for step in rest:
        # A number counts in a list: no map among the outputs that rows may read has numbers for keys.
        value = value[int(step) if step.isdecimal() else step]
    return value


def output_names(tree: Any) -> dict[str, set[str]]:
    """Names of the outputs that a tree reads, by row. `id` is there without being named."""
    found: dict[str, set[str]] = {}
    for ref in refs(tree):
        found.setdefault(ref.row, set()).add(ref.path.partition(".")[0])
    for names in found.values():
        names.discard("id")
    return found


def _dict(tree: dict[str, Any], resolve: Resolve) -> dict[str, Any]:
    changed: dict[str, Any] | None = None
    for key, value in tree.items():
        if type(value) not in _PLAIN:
            new = lower(value, resolve)
            if new is not value:
                changed = dict(tree) if changed is None else changed
                changed[key] = new
    return tree if changed is None else changed


def _list(tree: list[Any] | tuple[Any, ...], resolve: Resolve) -> list[Any] | tuple[Any, ...]:
    changed: list[Any] | None = None
    for index, value in enumerate(tree):
        if type(value) not in _PLAIN:
            new = lower(value, resolve)
            if new is not value:
                changed = list(tree) if changed is None else changed
                changed[index] = new
    return tree if changed is None else changed


def _text(value: Format | Json, resolve: Resolve) -> Any:
    if not refs(value):
        return plain(value, resolve)
    if isinstance(value, Format):
        parts = [lower(part, resolve) for part in value.parts]
        return pulumi.Output.all(*parts).apply(lambda known: "".join(map(_spelled, known)))
    tree = lower(value.tree, resolve)
    return pulumi.Output.json_dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _spelled(value: object) -> str:
    """A value inside a text. The engine sends each number as a float: a version is `1`, not `1.0`."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
