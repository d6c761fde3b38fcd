"""Puts two documents together: lists grow, maps join, and nothing overrides anything."""

from __future__ import annotations

from aifactory.blueprints.document import Node
from aifactory.blueprints.shown import shown
from aifactory.components.problems import Path, Position, Problem


def merge(first: Node, second: Node, problems: list[Problem], path: Path = ()) -> Node:
    """Both values as one; each keeps the place it came from.

    Lists are joined in order, maps key by key. Two scalars must be equal, and both sides of one kind;
    otherwise a problem is added, the same whichever comes first.
    """
    one, other = first.children, second.children
    if isinstance(one, list) and isinstance(other, list):
        return first.like([*one, *other])
    if isinstance(one, dict) and isinstance(other, dict):
        return first.like(_merge_maps(one, other, problems, path))
    if one is not None or other is not None or not _same(first, second):
        problems.append(_conflict(first, second, path))
    return first


def _merge_maps(one: dict[str, Node], other: dict[str, Node], problems: list[Problem], path: Path) -> dict[str, Node]:
    merged = dict(one)
    for key, node in other.items():
        before = merged.get(key)
        merged[key] = node if before is None else merge(before, node, problems, (*path, key))
    return merged


def _same(first: Node, second: Node) -> bool:
    return type(first.value) is type(second.value) and first.value == second.value


def _conflict(first: Node, second: Node, path: Path) -> Problem:
    early, late = sorted((first, second), key=lambda node: _order(node.key_at))
    says = f"set to {_kind(late)} here and to {_kind(early)} at {place(early.key_at)}"
    return Problem(says, path, "a file never overrides another: keep one of the two", late.key_at)


def place(at: Position) -> str:
    """A position in a sentence: `site.yaml:4:7`."""
    return f"{at.file}:{at.line}:{at.column}"


def _order(at: Position) -> tuple[str, int, int]:
    return at.file, at.line, at.column


def _kind(node: Node) -> str:
    if node.children is None:
        return shown(node.value)
    return "a map" if isinstance(node.children, dict) else "a list"
