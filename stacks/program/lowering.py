"""Lowers the value algebra of rows to what Pulumi sends. Untouched branches are shared, not copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi

from aifactory.components.values import Format, Json, Ref, SecretRef, plain, refs

Resolve = Callable[[Ref], Any]
_SCALARS = (str, int, float, type(None))


def lower(tree: Any, resolve: Resolve) -> Any:
    """The tree with each reference answered by `resolve`; text and JSON around one become Outputs."""
    if isinstance(tree, _SCALARS):
        return tree
    if isinstance(tree, dict):
        return _dict(tree, resolve)
    if isinstance(tree, (list, tuple)):
        return _list(tree, resolve)
    if isinstance(tree, Ref):
        return resolve(tree)
    if isinstance(tree, (Format, Json)):
        return _text(tree, resolve)
    if isinstance(tree, SecretRef):
        return {"name": tree.name, "key": tree.key}
    raise TypeError(f"a row holds a {type(tree).__name__}, which Pulumi can't be sent")


def output_of(resource: pulumi.Resource, path: str) -> Any:
    """An output of a registered resource, such as `metadata.name`."""
    first, *rest = path.split(".")
    value: Any = getattr(resource, first)
    for step in rest:
        value = value[step]
    return value


def _dict(tree: dict[str, Any], resolve: Resolve) -> dict[str, Any]:
    changed: dict[str, Any] | None = None
    for key, value in tree.items():
        if isinstance(value, _SCALARS):
            continue
        new = lower(value, resolve)
        if new is not value:
            changed = dict(tree) if changed is None else changed
            changed[key] = new
    return tree if changed is None else changed


def _list(tree: list[Any] | tuple[Any, ...], resolve: Resolve) -> list[Any] | tuple[Any, ...]:
    new = [lower(value, resolve) for value in tree]
    return tree if all(after is before for after, before in zip(new, tree, strict=True)) else new


def _text(value: Format | Json, resolve: Resolve) -> Any:
    if not refs(value):
        return plain(value, resolve)
    if isinstance(value, Format):
        return pulumi.Output.concat(*(lower(part, resolve) for part in value.parts))
    tree = lower(value.tree, resolve)
    return pulumi.Output.json_dumps(
        tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
