"""Whether a tree of values is what the SDK takes for a resource, and the API for its words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches

from msgspec import Struct

from support.proving import aws_api
from support.proving.aws_schema import Properties, Property, Type, fields, resource

ANY = Type("any")
Typed = Callable[[object], Type | None]
"""The type that a leaf will have when it is known; None for a value that is there already."""


class Mistake(Struct, frozen=True):
    """Something that AWS' provider would refuse. `where` is a path such as `vpcConfig.subnetIds[0]`."""

    where: str
    says: str

    def __str__(self) -> str:
        """As a message says it."""
        return f"{self.where}: {self.says}"


def mistakes(token: str, tree: Mapping[str, object], typed: Typed = lambda _: None) -> Iterator[Mistake]:
    """What is wrong with the inputs of a resource. Raises UnknownToken."""
    yield from _Reader(token, typed).properties(tree, resource(token).inputs, "")


def fits(given: Type, wanted: Type) -> bool:
    """Whether an output of one type can be an input of another."""
    if "any" in (given.kind, wanted.kind):
        return True
    if given.kind == "union":
        return all(fits(option, wanted) for option in given.options)
    if wanted.kind == "union":
        return any(fits(given, option) for option in wanted.options)
    if given.kind == "integer" and wanted.kind == "number":
        return True
    if given.kind != wanted.kind:
        return False
    if given.kind == "object":
        return fields(given).keys() <= fields(wanted).keys()
    return given.item is None or wanted.item is None or fits(given.item, wanted.item)


class _Reader(Struct, frozen=True):
    token: str
    typed: Typed

    def properties(self, tree: Mapping[str, object], known: Properties, where: str) -> Iterator[Mistake]:
        for name, value in tree.items():
            path = f"{where}.{name}" if where else name
            if name not in known:
                yield Mistake(path, f"{self.token} has no such input{_nearest(name, known)}")
            elif value is not None:
                yield from self.value(value, known[name].type, path, name)
        for name, each in known.items():
            if each.required and tree.get(name) is None:
                yield Mistake(f"{where}.{name}" if where else name, "is required")

    def value(self, value: object, kind: Type, where: str, name: str) -> Iterator[Mistake]:
        later = self.typed(value)
        if later is not None:
            if not fits(later, kind):
                yield Mistake(where, f"takes {kind}, and this will be {later}")
        elif kind.kind == "union":
            found = [list(self.value(value, option, where, name)) for option in kind.options]
            if all(found):
                yield next((each[0] for each in found if each[0].where != where), _wrong(where, value, kind))
        else:
            yield from self.whole(value, kind, where, name)

    def whole(self, value: object, kind: Type, where: str, name: str) -> Iterator[Mistake]:
        if kind.kind == "object" and isinstance(value, dict):
            yield from self.properties(value, fields(kind), where)
        elif kind.kind == "array" and isinstance(value, list | tuple):
            assert kind.item is not None
            for index, each in enumerate(value):
                yield from self.value(each, kind.item, f"{where}[{index}]", name)
        elif kind.kind == "map" and isinstance(value, dict):
            assert kind.item is not None
            for key, each in value.items():
                yield from self.value(each, kind.item, f"{where}.{key}", "")
        elif not _is_scalar(value, kind):
            yield _wrong(where, value, kind)
        elif isinstance(value, str):
            yield from self.word(value, kind, where, name)

    def word(self, value: str, kind: Type, where: str, name: str) -> Iterator[Mistake]:
        known = kind.values or aws_api.words(self.token, name)
        if known and value not in known:
            near = get_close_matches(value, known, 3, 0.6) or sorted(known)[:20]
            yield Mistake(where, f'"{value}" is no word of AWS\' API; it has {", ".join(near)}')
        for says in aws_api.wrong_places(value):
            yield Mistake(where, says)
        if name == "region" and aws_api.partition_of(value) is None:
            yield Mistake(where, f'"{value}" is no region of AWS')


def _is_scalar(value: object, kind: Type) -> bool:
    if kind.kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind.kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    kinds = {"string": str, "boolean": bool, "any": object}
    return kind.kind in kinds and isinstance(value, kinds[kind.kind])


def _wrong(where: str, value: object, kind: Type) -> Mistake:
    return Mistake(where, f"takes {kind}, and this is {type(value).__name__}")


def _nearest(name: str, known: Mapping[str, Property]) -> str:
    near = get_close_matches(name, known, 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""
