"""A document as read: plain data, and for each value the place it was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct, field

from aifactory.blueprints.scalars import Scalar
from aifactory.components.problems import Path, Position


class Node(Struct, eq=False):
    """One value with its place. `children` is a dict for a map, a list for a list, None for a scalar.

    `line` and `column` are those of the value, `key_line` and `key_column` those of its key (0 where it has
    none). `raw` is a scalar's text as written, without quotes. Nodes are shared by aliases: never change one.
    """

    file: str
    line: int
    column: int
    children: dict[str, Node] | list[Node] | None = None
    value: Scalar = None
    raw: str | None = None
    key_line: int = 0
    key_column: int = 0

    @property
    def at(self) -> Position:
        """Where the value starts."""
        return Position(self.file, self.line, self.column)

    @property
    def key_at(self) -> Position:
        """Where the key starts; the value, if it has no key."""
        return Position(self.file, self.key_line, self.key_column) if self.key_line else self.at

    def like(self, children: dict[str, Node] | list[Node]) -> Node:
        """A container at the same place with other children."""
        return Node(
            self.file,
            self.line,
            self.column,
            children,
            key_line=self.key_line,
            key_column=self.key_column,
        )


def plain(node: Node) -> Any:
    """The node's value as dicts, lists and scalars, each a fresh object."""
    children = node.children
    if children is None:
        return node.value
    if isinstance(children, dict):
        return {key: child.value if child.children is None else plain(child) for key, child in children.items()}
    return [child.value if child.children is None else plain(child) for child in children]


def child_of(node: Node, step: str | int) -> Node | None:
    """The value under a key or index, None where there is none."""
    children = node.children
    if isinstance(children, dict):
        return children.get(step) if isinstance(step, str) else None
    if isinstance(children, list) and isinstance(step, int) and 0 <= step < len(children):
        return children[step]
    return None


class Positions(Mapping[Path, Position]):
    """The place of each value, by path; nothing is built before it is asked for."""

    def __init__(self, tree: Node) -> None:
        """Views a tree; the tree must not change afterwards."""
        self._tree = tree

    def __getitem__(self, path: Path) -> Position:
        """The place of a value. Raises `KeyError` for an unknown path."""
        node = self._find(path)
        if node is None:
            raise KeyError(path)
        return node.at

    def key(self, path: Path) -> Position:
        """The place of the key that leads to a value. Raises `KeyError` for an unknown path."""
        node = self._find(path)
        if node is None:
            raise KeyError(path)
        return node.key_at

    def __iter__(self) -> Iterator[Path]:
        """All paths, depth first, containers before what they hold."""
        return _paths(self._tree, ())

    def __len__(self) -> int:
        """Number of values; walks the whole tree."""
        return sum(1 for _ in self)

    def _find(self, path: Path) -> Node | None:
        node: Node | None = self._tree
        for step in path:
            node = None if node is None else child_of(node, step)
        return node


def _paths(node: Node, path: Path) -> Iterator[Path]:
    yield path
    if isinstance(node.children, dict):
        for key, child in node.children.items():
            yield from _paths(child, (*path, key))
    elif node.children is not None:
        for index, child in enumerate(node.children):
            yield from _paths(child, (*path, index))


class Document(Struct, frozen=True, dict=True):
    """What one file, or one file with its includes, says."""

    tree: Node
    files: tuple[str, ...]
    """Files it came from, relative to the project root, in the order of reading."""
    bound: Mapping[Path, str] = field(default_factory=dict)
    """Paths whose value came from a parameter, with the name of the parameter."""
    nodes: int = 0
    """Values it holds, each alias counted as all that it repeats."""

    @cached_property
    def data(self) -> Any:
        """Plain dicts, lists and scalars. Built once; a change to it changes no position."""
        return plain(self.tree)

    @cached_property
    def positions(self) -> Positions:
        """Path → place of the value; `positions.key(path)` is the place of its key."""
        return Positions(self.tree)

    def at(self, path: Path) -> Position:
        """The place of a value, or of the nearest value around it that exists."""
        return self._nearest(path).at

    def key_at(self, path: Path) -> Position:
        """The place of a key, or of the nearest key around it that exists."""
        return self._nearest(path).key_at

    def raw(self, path: Path) -> str | None:
        """A scalar's text as written (`1.30`, `0x10`), without quotes; None where there is no scalar."""
        node: Node | None = self.tree
        for step in path:
            node = None if node is None else child_of(node, step)
        return None if node is None else node.raw

    def _nearest(self, path: Path) -> Node:
        node = self.tree
        for step in path:
            inner = child_of(node, step)
            if inner is None:
                break
            node = inner
        return node
