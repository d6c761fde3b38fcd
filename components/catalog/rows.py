"""One row of a catalog table, and what it means that a fact is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from msgspec import Struct

from aifactory.components.problems import Problem, Refused

Value: TypeAlias = "str | int | float | bool | tuple[Value, ...] | Mapping[str, Value] | None"

_MISSING = object()


class Unknown(Struct, frozen=True):
    """A fact that no source states. It is false, equals no number, and names where it is missing."""

    ref: str
    field: str

    def __bool__(self) -> bool:
        """False, so that `row.value(...) or default` works."""
        return False

    def __str__(self) -> str:
        """What is missing, for a message."""
        return f"{self.ref} has no sourced {self.field}"


class UnknownFact(Refused):
    """A plan needs a fact that the catalog can't source. `unknown` says which."""

    def __init__(self, unknown: Unknown, wanted: str = "") -> None:
        """`wanted` is the kind of value that was needed: a number, text."""
        self.unknown = unknown
        says = f"{unknown}" + (f" as {wanted}" if wanted else "")
        hint = "choose a row that has it, or add the row with its source to a private catalog folder"
        super().__init__([Problem(says, hint=hint)])


class Row(Struct, frozen=True):
    """A catalog row. Immutable all the way down: mappings are read-only, lists are tuples."""

    table: str
    key: str
    data: Mapping[str, Any]
    checked: str
    """The day someone read the source, YYYY-MM-DD."""
    sources: tuple[str, ...]
    """What the row rests on, in words."""

    @property
    def ref(self) -> str:
        """`table/key`, as decisions of a plan name it."""
        return f"{self.table}/{self.key}"

    def value(self, field: str) -> Value | Unknown:
        """A fact without its source keys; `field` may be dotted: `dense_tflops.fp8`.

        None means that the thing does not exist (a format the card lacks). A field that is missing or marked
        `unknown` is returned as Unknown.
        """
        found: Any = self.data
        for step in field.split("."):
            found = found.get(step, _MISSING) if isinstance(found, Mapping) else _MISSING
        if isinstance(found, Mapping) and "value" in found:
            found = found["value"]
        return Unknown(self.ref, field) if found is _MISSING or found == "unknown" else found

    def number(self, field: str) -> float:
        """A fact that is a number, in the unit that the table's header states. Raises UnknownFact."""
        found = self.value(field)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise UnknownFact(Unknown(self.ref, field), "a number")
        return found

    def number_or_zero(self, field: str) -> float:
        """A fact that is a number; 0 where no source states one, or the thing doesn't exist."""
        found = self.value(field)
        return 0.0 if isinstance(found, bool) or not isinstance(found, int | float) else float(found)

    def count(self, field: str) -> int:
        """A fact that is a whole number. Raises UnknownFact."""
        found = self.value(field)
        if isinstance(found, bool) or not isinstance(found, int):
            raise UnknownFact(Unknown(self.ref, field), "a whole number")
        return found

    def text(self, field: str) -> str:
        """A fact that is text. Raises UnknownFact."""
        found = self.value(field)
        if not isinstance(found, str):
            raise UnknownFact(Unknown(self.ref, field), "text")
        return found

    def mapping(self, field: str) -> Mapping[str, object]:
        """A fact that is a table of its own, such as prices by region; empty where there is none."""
        found = self.data.get(field)
        return found if isinstance(found, Mapping) else {}

    def texts(self, field: str) -> tuple[str, ...]:
        """A fact that is a list of texts. Raises UnknownFact."""
        found = self.value(field)
        if not isinstance(found, tuple):
            raise UnknownFact(Unknown(self.ref, field), "a list of texts")
        return tuple(str(item) for item in found)


def frozen(value: Any) -> Any:
    """A read-only copy of plain JSON data."""
    if isinstance(value, dict):
        return MappingProxyType({name: frozen(inner) for name, inner in value.items()})
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """The opposite of `frozen`: dict and list, fit for `json`."""
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, tuple | list) else value
