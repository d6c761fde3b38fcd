"""Reads the parameters that a document declares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from msgspec.structs import replace

from aifactory.blueprints.document import Document, Node, child_of
from aifactory.blueprints.parameter_types import TYPES, Declaration, Type, wrong_value
from aifactory.blueprints.scalars import Scalar
from aifactory.blueprints.shown import shown
from aifactory.components.problems import Path, Position, Problem, Refused, nearest

_KEYS = ("type", "default", "minimum", "maximum", "allowed", "description")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def declared(document: Document) -> dict[str, Declaration]:
    """The parameters of a document by name. Raises `Refused` if a declaration is wrong."""
    declarations, problems = read_declarations(document)
    if problems:
        raise Refused(problems)
    return {name: found for name, found in declarations.items() if found is not None}


def read_declarations(document: Document) -> tuple[dict[str, Declaration | None], list[Problem]]:
    """The parameters by name, None for a wrong declaration, and what is wrong with them."""
    problems: list[Problem] = []
    node = child_of(document.tree, "parameters")
    if node is None:
        return {}, problems
    if not isinstance(node.children, dict):
        hint = "write parameters: {nodes: {type: integer, default: 4}}"
        return {}, [Problem("parameters is not a map", ("parameters",), hint, node.at)]
    return {name: _Reading(name, entry, problems).declaration() for name, entry in node.children.items()}, problems


class _Reading:
    """One declaration being read."""

    def __init__(self, name: str, entry: Node, problems: list[Problem]) -> None:
        self._name = name
        self._entry = entry
        self._problems = problems
        self._before = len(problems)

    def declaration(self) -> Declaration | None:
        """The declaration, None if anything about it is wrong."""
        if not _NAME.fullmatch(self._name):
            hint = "start with a letter; lower case, digits, - and _, at most 63 characters"
            self._refuse(f"{shown(self._name)} is not a name for a parameter", hint, self._entry.key_at)
        keys = self._entry.children
        if not isinstance(keys, dict):
            self._refuse("a parameter is a map", "write {type: integer, default: 4}", self._entry.at)
            return None
        for key, node in keys.items():
            if key not in _KEYS:
                self._refuse(f"{shown(key)} says nothing about a parameter", nearest(key, _KEYS), node.key_at, key)
        type_ = self._type(keys.get("type"))
        found = None if type_ is None else self._limits(type_, keys)
        return found if len(self._problems) == self._before else None

    def _type(self, node: Node | None) -> Type | None:
        if node is None:
            self._refuse("the parameter has no type", f"add type: one of {', '.join(TYPES)}", self._entry.key_at)
            return None
        if node.value not in TYPES:
            what = shown(node.value) if node.children is None else "this"
            self._refuse(f"{what} is not a type", nearest(str(node.value), TYPES), node.at, "type")
            return None
        return node.value

    def _limits(self, type_: Type, keys: Mapping[str, Node]) -> Declaration | None:
        description = keys.get("description")
        if description is not None and not isinstance(description.value, str):
            self._refuse("description is not text", "quote it", description.at, "description")
        bare = Declaration(self._name, type_, self._entry.key_at)
        low, high = (self._bound(bare, key, keys.get(key)) for key in ("minimum", "maximum"))
        if low is not None and high is not None and low > high:
            self._refuse(f"minimum {low} is above maximum {high}", "swap them", keys["minimum"].at, "minimum")
        limited = Declaration(
            name=self._name,
            type=type_,
            at=self._entry.key_at,
            minimum=low,
            maximum=high,
            allowed=self._allowed(bare, keys.get("allowed")),
            description=str(description.value) if description is not None else "",
        )
        return self._with_default(limited, keys.get("default"))

    def _bound(self, bare: Declaration, key: str, node: Node | None) -> int | float | None:
        if node is None:
            return None
        if bare.type not in ("integer", "number"):
            self._refuse(f"{key} has no meaning for type {bare.type}", f"delete {key}", node.key_at, key)
            return None
        if not self._fits(bare, node, (key,)):
            return None
        return cast(int | float, node.value)

    def _allowed(self, bare: Declaration, node: Node | None) -> tuple[Scalar, ...]:
        if node is None:
            return ()
        if not isinstance(node.children, list) or not node.children:
            self._refuse("allowed is not a list of values", "write allowed: [1, 2, 4]", node.at, "allowed")
            return ()
        choices: list[Scalar] = []
        for index, choice in enumerate(node.children):
            if not self._fits(bare, choice, ("allowed", index)):
                continue
            if choice.value in choices:
                self._refuse(f"{shown(choice.value)} is allowed twice", "keep one", choice.at, "allowed", index)
            choices.append(choice.value)
        return tuple(choices)

    def _with_default(self, limited: Declaration, node: Node | None) -> Declaration:
        if node is None or not self._fits(limited, node, ("default",)):
            return limited
        return replace(limited, default=node.value, default_raw=node.raw or "")

    def _fits(self, declaration: Declaration, node: Node, inner: Path) -> bool:
        value: object = node.children if node.children is not None else node.value
        wrong = wrong_value(declaration, value, node.raw)
        if wrong is not None:
            self._refuse(wrong.says, wrong.hint, node.at, *inner)
        return wrong is None

    def _refuse(self, says: str, hint: str, at: Position, *inner: str | int) -> None:
        self._problems.append(Problem(says, ("parameters", self._name, *inner), hint, at))
