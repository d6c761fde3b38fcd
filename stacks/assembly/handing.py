"""What the base of a place hands to its platform: outputs by name, and how rows take them in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from aifactory.components.rows import HelmRow, KubernetesRow, Row
from aifactory.components.values import Format, Json, Ref, canonical_json

Handed = Mapping[str, str]
"""Values by `key`."""


def key(ref: Ref) -> str:
    """The name under which an output is handed over."""
    return f"{ref.row}#{ref.path}"


def placeholder(ref: Ref) -> str:
    """What stands for an output in files and previews until the base is there: never a value that could pass."""
    return placeholder_of(key(ref))


def placeholder_of(name: str) -> str:
    """What stands for the output of this key."""
    return f"${{{name}}}"


def is_placeholder(value: str) -> bool:
    """Whether a value holds the placeholder of an output: no name, id, ARN or address of a cloud has `${`."""
    return "${" in value


def taken_in(row: Row, handed: Handed) -> Row:
    """The row with each reference in `handed` as its value. Other references stay."""
    if isinstance(row, KubernetesRow):
        return replace(row, body=tree_taken_in(row.body, handed))
    if isinstance(row, HelmRow):
        return replace(row, values=tree_taken_in(row.values, handed))
    return row


def tree_taken_in(tree: Any, handed: Handed) -> Any:
    """A tree with each reference in `handed` as its value."""
    if isinstance(tree, dict):
        return {name: tree_taken_in(value, handed) for name, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [tree_taken_in(value, handed) for value in tree]
    if isinstance(tree, Ref):
        return handed.get(key(tree), tree)
    if isinstance(tree, Format):
        parts = tuple(tree_taken_in(part, handed) for part in tree.parts)
        return "".join(parts) if all(isinstance(part, str) for part in parts) else Format(parts)
    if isinstance(tree, Json):
        inner = tree_taken_in(tree.tree, handed)
        return canonical_json(inner) if _is_plain(inner) else Json(inner)
    return tree


def _is_plain(tree: object) -> bool:
    if isinstance(tree, dict):
        return all(map(_is_plain, tree.values()))
    if isinstance(tree, list):
        return all(map(_is_plain, tree))
    return tree is None or isinstance(tree, (str, int, float, bool))
