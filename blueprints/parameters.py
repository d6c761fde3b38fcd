"""Typed parameters: declared at the top of a document, used as `{parameter: name}`, bound before the model.

No expressions, no interpolation, no environment: `${HOME}` and `{{ x }}` stay the text they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from aifactory.blueprints.declarations import declared, read_declarations
from aifactory.blueprints.document import Document, Node
from aifactory.blueprints.parameter_types import Declaration, Wrong, wrong_value
from aifactory.blueprints.scalars import AmbiguousError, Scalar, resolve
from aifactory.blueprints.shown import shown
from aifactory.components.problems import Path, Position, Problem, Refused, nearest

__all__ = ["Declaration", "Origin", "bind", "declared", "parse_value"]

Origin = str | Path
_UNSAID = "the given values"


def bind(
    document: Document,
    values: Mapping[str, object],
    origin: Origin | Mapping[str, Origin] = _UNSAID,
) -> Document:
    """The document with every `{parameter: name}` replaced by its value, and without `parameters`.

    A value in `values` goes before the default. `origin` says where they were given, for all or by name:
    words for a message (`--set`), or a path into the document, of their map or of the one value.
    Raises `Refused` for names that are not declared, values of the wrong type or out of range, parameters
    without a value, and declared parameters that nothing uses.
    """
    declarations, problems = read_declarations(document)
    binding = _Binding(document, declarations, values, origin, problems)
    tree = binding.tree()
    if problems:
        raise Refused(problems)
    return replace(document, tree=tree, bound={**document.bound, **binding.bound})


def parse_value(declaration: Declaration, text: str) -> Scalar:
    """The value that a text from the command line stands for.

    Raises `Refused` if the parameter does not take it.
    """
    value: Scalar = text
    wrong: Wrong | None = None
    if declaration.type != "string":
        try:
            value = resolve(text)
        except AmbiguousError as error:
            wrong = Wrong(f"{declaration.name}: {error.args[0]}", "write a plain number")
    wrong = wrong or wrong_value(declaration, value, text)
    if wrong is not None:
        path = ("parameters", declaration.name)
        raise Refused([Problem(wrong.says, path, wrong.hint, declaration.at)])
    return value


class _Binding(Struct, dict=True):
    """The replacement of all references in one document."""

    document: Document
    declarations: Mapping[str, Declaration | None]
    values: Mapping[str, object]
    origin: Origin | Mapping[str, Origin]
    problems: list[Problem]
    bound: dict[Path, str] = field(default_factory=dict)
    _chosen: dict[str, tuple[Scalar, str]] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)
    _path: list[str | int] = field(default_factory=list)

    def tree(self) -> Node:
        """The tree with references replaced; what is wrong is added to `problems`."""
        for name in self.values:
            self._check_given(name)
        for declaration in self.declarations.values():
            if declaration is not None:
                self._choose(declaration)
        root = self.document.tree
        if isinstance(root.children, dict) and "parameters" in root.children:
            root = root.like({key: node for key, node in root.children.items() if key != "parameters"})
        tree = self._replaced(root)
        for declaration in self.declarations.values():
            if declaration is not None:
                self._check_used(declaration)
        return tree

    def _choose(self, declaration: Declaration) -> None:
        name = declaration.name
        if name not in self.values:
            if declaration.default is not None:
                self._chosen[name] = declaration.default, declaration.default_raw
            return
        value = self.values[name]
        path, at, words = self._given_at(name)
        raw = self.document.raw(path) if not words else None
        wrong = wrong_value(declaration, value, raw)
        if wrong is not None:
            says = f"{words}: {wrong.says}" if words else wrong.says
            self.problems.append(Problem(says, path, wrong.hint, at or declaration.at))
        elif isinstance(value, str | int | float):
            self._chosen[name] = value, str(value) if raw is None else raw

    def _check_given(self, name: str) -> None:
        if name in self.declarations:
            return
        path, at, words = self._given_at(name)
        says = f"{shown(name)} is not a parameter of this document"
        hint = nearest(name, self.declarations) if self.declarations else "it declares no parameters"
        self.problems.append(Problem(f"{words}: {says}" if words else says, path, hint, at))

    def _given_at(self, name: str) -> tuple[Path, Position | None, str]:
        """Path and place of a given value; words for where it was given if that is not in the document."""
        by_name = isinstance(self.origin, Mapping)
        origin = self.origin.get(name, "the given values") if isinstance(self.origin, Mapping) else self.origin
        if isinstance(origin, str):
            return ("parameters", name), None, origin
        path = origin if by_name else (*origin, name)
        return path, self.document.at(path), ""

    def _check_used(self, declaration: Declaration) -> None:
        path = ("parameters", declaration.name)
        if declaration.name not in self._used:
            hint = f"use it as {{parameter: {declaration.name}}}, or delete it"
            self.problems.append(Problem("nothing uses this parameter", path, hint, declaration.at))
        elif declaration.default is None and declaration.name not in self.values:
            says = f"{declaration.name} has no value"
            self.problems.append(Problem(says, path, "give it one, or declare a default", declaration.at))

    def _replaced(self, node: Node) -> Node:
        children = node.children
        if children is None:
            return node
        if isinstance(children, dict):
            reference = children.get("parameter") if len(children) == 1 else None
            return self._map(node, children) if reference is None else self._value(node, reference)
        return self._list(node, children)

    def _map(self, node: Node, children: dict[str, Node]) -> Node:
        changed: dict[str, Node] = {}
        for key, child in children.items():
            if child.children is None:
                continue
            self._path.append(key)
            after = self._replaced(child)
            self._path.pop()
            if after is not child:
                changed[key] = after
        return node.like({**children, **changed}) if changed else node

    def _list(self, node: Node, children: list[Node]) -> Node:
        after: list[Node] = []
        for index, child in enumerate(children):
            self._path.append(index)
            after.append(self._replaced(child))
            self._path.pop()
        same = all(one is other for one, other in zip(children, after, strict=True))
        return node if same else node.like(after)

    def _value(self, node: Node, reference: Node) -> Node:
        name, path = reference.value, tuple(self._path)
        if not isinstance(name, str):
            hint = "write {parameter: name}"
            self.problems.append(Problem("a parameter is named by text", path, hint, reference.at))
            return node
        if name not in self.declarations:
            hint = nearest(name, self.declarations) if self.declarations else "declare it under parameters"
            self.problems.append(Problem(f"{shown(name)} is not declared", path, hint, reference.at))
            return node
        self._used.add(name)
        if name not in self._chosen:
            return node  # its declaration or its value is wrong, and was reported once
        self.bound[path] = name
        value, raw = self._chosen[name]
        return replace(node, children=None, value=value, raw=raw)
