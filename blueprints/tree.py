"""YAML events to a tree of nodes: bounded in depth and size, and strict where YAML is generous."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from aifactory.blueprints.characters import HIDDEN, character
from aifactory.blueprints.document import Node
from aifactory.blueprints.limits import Limits
from aifactory.blueprints.scalars import AmbiguousError, Scalar, resolve
from aifactory.blueprints.shown import shown
from aifactory.components.problems import Path, Position, Problem, nearest

_NO_TEXT_KEY = object()
"""Stands for a key that was refused, so that its value is read and dropped."""


class TooMuchError(Exception):
    """A limit was passed; reading stops. The problem is the last in the builder's list."""


class _Frame:
    """A list or map that is still open."""

    __slots__ = (
        "anchor",
        "as_key",
        "children",
        "deepest",
        "key",
        "key_column",
        "key_line",
        "node",
        "nodes_before",
    )

    def __init__(self, node: Node, anchor: str | None, as_key: bool, nodes_before: int, depth: int) -> None:
        self.node = node
        self.children: Any = node.children
        self.anchor = anchor
        self.as_key = as_key
        self.nodes_before = nodes_before
        self.deepest = depth
        self.key: Any = None
        self.key_line = 0
        self.key_column = 0

    @property
    def awaits_key(self) -> bool:
        return self.key is None and self.children.__class__ is dict


class _Anchored:
    """What an alias repeats, how many values it counts for and how deep it goes."""

    __slots__ = ("at", "height", "node", "nodes")

    def __init__(self, at: Position) -> None:
        self.at = at
        self.node: Node | None = None
        self.nodes = 1
        self.height = 0


class TreeBuilder:
    """Takes the events of one file; afterwards `root` is its tree, `problems` all that is wrong with it."""

    def __init__(self, file: str, limits: Limits, *, has_escapes: bool) -> None:
        """`has_escapes` says that the text holds a backslash, so quoted texts may hide characters."""
        self.problems: list[Problem] = []
        self.root: Node | None = None
        self.nodes = 0
        self._file = file
        self._limits = limits
        self._has_escapes = has_escapes
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._aliases = 0
        self._documents = 0
        self._handlers: dict[type, Callable[[Any], None]] = {
            ScalarEvent: self._scalar,
            MappingStartEvent: self._open_map,
            SequenceStartEvent: self._open_list,
            MappingEndEvent: self._close,
            SequenceEndEvent: self._close,
            AliasEvent: self._alias,
            DocumentStartEvent: self._document,
        }

    def take_all(self, next_event: Callable[[], Any]) -> None:
        """Reads events to the end. Raises `TooMuchError` at a limit, and what the parser raises."""
        handlers = self._handlers
        event = next_event()
        while event is not None:
            handler = handlers.get(event.__class__)
            if handler is not None:
                handler(event)
            event = next_event()

    @property
    def innermost(self) -> Position | None:
        """Where the innermost list or map starts that is still open."""
        return self._stack[-1].node.at if self._stack else None

    # Events

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop("a second document in one file", event, "keep one document; delete the line ---")
        if event.version is not None and tuple(event.version) != (1, 2):
            says = f"%YAML {event.version[0]}.{event.version[1]}; files are read as YAML 1.2"
            self._refuse(says, event, "delete the line")
        if event.tags:
            self._refuse("a %TAG line", event, "tags are not used here; delete the line")

    def _scalar(self, event: Any) -> None:
        frame = self._stack[-1] if self._stack else None
        is_key = frame is not None and frame.awaits_key
        value = self._value(event, is_key=is_key)
        if frame is not None and is_key:
            self._key(frame, event, value)
            return
        mark = event.start_mark
        node = Node(self._file, mark.line + 1, mark.column + 1, None, value, event.value)
        if event.anchor is not None:
            self._anchor(event)
            self._anchors[event.anchor].node = node
        self._count(event, 1)
        self._add(node)

    def _open_map(self, event: Any) -> None:
        self._open(event, {})

    def _open_list(self, event: Any) -> None:
        self._open(event, [])

    def _open(self, event: Any, children: dict[str, Node] | list[Node]) -> None:
        if event.tag is not None:
            self._refuse_tag(event)
        depth = len(self._stack) + 1
        if depth > self._limits.depth:
            self._stop_too_deep(event)
        as_key = bool(self._stack) and self._stack[-1].awaits_key
        if as_key:
            self._refuse("a list or map used as a key", event, "quote text that starts with { or [")
        if event.anchor is not None:
            self._anchor(event)
        mark = event.start_mark
        node = Node(self._file, mark.line + 1, mark.column + 1, children)
        self._stack.append(_Frame(node, event.anchor, as_key, self.nodes, depth))
        self._count(event, 1)

    def _close(self, _event: Any) -> None:
        frame = self._stack.pop()
        if frame.anchor is not None:
            anchored = self._anchors[frame.anchor]
            anchored.node = frame.node
            anchored.nodes = self.nodes - frame.nodes_before
            anchored.height = frame.deepest - len(self._stack)
        if self._stack and self._stack[-1].deepest < frame.deepest:
            self._stack[-1].deepest = frame.deepest
        if frame.as_key:
            self._stack[-1].key = _NO_TEXT_KEY
        else:
            self._add(frame.node)

    def _alias(self, event: Any) -> None:
        self._aliases += 1
        if self._aliases > self._limits.aliases:
            self._stop(f"more than {self._limits.aliases} aliases in one file", event, "write the values out")
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.awaits_key:
            self._refuse("an alias used as a key", event, "write the key out")
            frame.key = _NO_TEXT_KEY
            return
        self._add(self._repeated(event, frame))

    def _repeated(self, event: Any, frame: _Frame | None) -> Node:
        mark = event.start_mark
        node = Node(self._file, mark.line + 1, mark.column + 1)
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            hint = nearest(event.anchor, self._anchors) if self._anchors else "quote text that starts with *"
            self._refuse(f"the alias {shown(event.anchor)} has no anchor above it", event, hint)
            return node
        source = anchored.node
        if source is None:
            says = f"the alias {shown(event.anchor)} stands inside what it repeats"
            self._refuse(says, event, "write the values out")
            return node
        node.children, node.value, node.raw = source.children, source.value, source.raw
        self._count(event, anchored.nodes)
        deepest = len(self._stack) + anchored.height
        if deepest > self._limits.depth:
            self._stop_too_deep(event)
        if frame is not None:
            frame.deepest = max(frame.deepest, deepest)
        return node

    # Parts of values

    def _value(self, event: Any, *, is_key: bool) -> Scalar:
        text: str = event.value
        if event.tag is not None:
            self._refuse_tag(event)
        elif len(text) > self._limits.scalar_chars:
            says = f"a text of {len(text)} characters; at most {self._limits.scalar_chars} are allowed"
            self._refuse(says, event, "keep large texts in their own file")
        elif event.implicit[0]:
            return self._plain(event, is_key=is_key)
        elif self._has_escapes and event.style == '"':
            self._refuse_hidden(event)
        return text

    def _plain(self, event: Any, *, is_key: bool) -> Scalar:
        try:
            value = resolve(event.value)
        except AmbiguousError as error:
            self._refuse(str(error.args[0]), event, str(error.args[1]))
            return str(event.value)
        if is_key and value.__class__ is not str:
            written = str(event.value)
            says = f"the key {written} is not text" if written else "a value without a key"
            self._refuse(says, event, f'quote it: "{written}"' if written else "write a key before the colon")
            return written
        return value

    def _key(self, frame: _Frame, event: Any, value: Scalar) -> None:
        mark = event.start_mark
        if event.anchor is not None:
            self._refuse("an anchor on a key", event, "anchors stand on values")
        if value == "<<" and event.implicit[0]:
            self._refuse("the merge key <<", event, "write the keys out, or include a fragment")
            frame.key = _NO_TEXT_KEY
            return
        first = frame.children.get(value)
        if first is not None:
            says = f"{shown(value)} is set twice, first at line {first.key_line}, column {first.key_column}"
            self._refuse(says, event, "keep one of them", (str(value),))
            frame.key = _NO_TEXT_KEY
            return
        frame.key, frame.key_line, frame.key_column = value, mark.line + 1, mark.column + 1

    def _add(self, node: Node) -> None:
        if not self._stack:
            self.root = node
            return
        frame = self._stack[-1]
        if frame.children.__class__ is list:
            frame.children.append(node)
            return
        if frame.key is not _NO_TEXT_KEY:
            node.key_line, node.key_column = frame.key_line, frame.key_column
            frame.children[frame.key] = node
        frame.key = None

    def _anchor(self, event: Any) -> None:
        at = self._at(event)
        before = self._anchors.get(event.anchor)
        if before is not None:
            says = f"the anchor {shown(event.anchor)} is set twice, first at line {before.at.line}"
            self._refuse(says, event, "give each anchor its own name")
        self._anchors[event.anchor] = _Anchored(at)

    # Limits and problems

    def _count(self, event: Any, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > self._limits.nodes:
            says = f"more than {self._limits.nodes} values, counting what aliases repeat"
            self._stop(says, event, "split the file, or drop the aliases")

    def _refuse_tag(self, event: Any) -> None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!", 1)
        hint = "use include: at the top of the file" if "nclude" in tag else "delete it; quote a value to make it text"
        self._refuse(f"the tag {shown(tag)}; tags are not used here", event, hint)

    def _refuse_hidden(self, event: Any) -> None:
        match = HIDDEN.search(event.value)
        if match is not None:
            says = f"the escaped character {character(match.group())} is not allowed"
            self._refuse(says, event, "delete it; it does not show on every screen")

    def _stop_too_deep(self, event: Any) -> None:
        says = f"more than {self._limits.depth} lists and maps inside one another"
        self._stack.clear()  # a path of that many steps helps nobody; the position does
        self._stop(says, event, "flatten it; an unclosed bracket has the same effect")

    def _stop(self, says: str, event: Any, hint: str) -> None:
        self._problem(says, event, hint, ())
        raise TooMuchError

    def _refuse(self, says: str, event: Any, hint: str, inner: Path = ()) -> None:
        if len(self.problems) >= self._limits.problems:
            self._stop(f"more than {self._limits.problems} problems; reading stopped here", event, "")
        self._problem(says, event, hint, inner)

    def _problem(self, says: str, event: Any, hint: str, inner: Path) -> None:
        self.problems.append(Problem(says, (*self._path(), *inner), hint, self._at(event)))

    def _at(self, event: Any) -> Position:
        return Position(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _path(self) -> Path:
        steps: list[str | int] = []
        for frame in self._stack:
            if frame.children.__class__ is list:
                steps.append(len(frame.children))
            elif isinstance(frame.key, str):
                steps.append(frame.key)
        return tuple(steps)
