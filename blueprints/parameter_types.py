"""What a parameter is: its type, its limits, and which values it takes."""

from __future__ import annotations

from typing import Literal, cast, get_args

from msgspec import Struct

from aifactory.blueprints.characters import HIDDEN, character
from aifactory.blueprints.limits import DEFAULT
from aifactory.blueprints.scalars import Scalar
from aifactory.blueprints.shown import escaped, shown
from aifactory.components.problems import Position, nearest

Type = Literal["integer", "number", "string", "boolean"]
TYPES: tuple[Type, ...] = get_args(Type)
_EXPECTED: dict[Type, tuple[str, str]] = {
    "integer": ("an integer", "write a whole number, without quotes"),
    "number": ("a number", "write a number, without quotes"),
    "string": ("text", "put it in quotes"),
    "boolean": ("true or false", "write true or false, without quotes"),
}


class Declaration(Struct, frozen=True):
    """A parameter: its type, its limits and the value it has when none is given (None: one must be given)."""

    name: str
    type: Type
    at: Position
    default: Scalar = None
    default_raw: str = ""
    minimum: int | float | None = None
    maximum: int | float | None = None
    allowed: tuple[Scalar, ...] = ()
    description: str = ""


class Wrong(Struct, frozen=True):
    """Why a value does not fit, and what to do."""

    says: str
    hint: str


def wrong_value(declaration: Declaration, value: object, raw: str | None = None) -> Wrong | None:
    """Why a value is none that the parameter takes, None if it is one. `raw` is its text as written."""
    if not _is_of(declaration.type, value):
        what, hint = _EXPECTED[declaration.type]
        return Wrong(f"{declaration.name} must be {what}, not {_given(value, raw)}", hint)
    if isinstance(value, str):
        return _wrong_text(declaration, value)
    scalar = cast(Scalar, value)
    return _wrong_number(declaration, scalar) or _wrong_choice(declaration, scalar)


def _given(value: object, raw: str | None) -> str:
    if raw is None:
        return shown(value)
    return shown(raw) if isinstance(value, str) or not raw else escaped(raw)


def _wrong_text(declaration: Declaration, value: str) -> Wrong | None:
    hidden = HIDDEN.search(value)
    if hidden is not None:
        return Wrong(f"{declaration.name} holds the character {character(hidden.group())}", "delete it")
    if len(value) > DEFAULT.scalar_chars:
        says = f"{declaration.name} has {len(value)} characters, at most {DEFAULT.scalar_chars} are allowed"
        return Wrong(says, "keep large texts in their own file")
    return _wrong_choice(declaration, value)


def _wrong_number(declaration: Declaration, value: Scalar) -> Wrong | None:
    if isinstance(value, bool | str) or value is None:
        return None
    if not -(2**63) <= value < 2**63:  # false for what is not a number, too
        return Wrong(f"{declaration.name} must be a number of 64 bits, not {shown(value)}", "choose another")
    low, high = declaration.minimum, declaration.maximum
    if (low is None or value >= low) and (high is None or value <= high):
        return None
    sides = (("least", low), ("most", high))
    bounds = " and ".join(f"at {side} {bound}" for side, bound in sides if bound is not None)
    return Wrong(f"{declaration.name} must be {bounds}, not {value}", "choose another")


def _wrong_choice(declaration: Declaration, value: Scalar) -> Wrong | None:
    if not declaration.allowed or value in declaration.allowed:
        return None
    known = [str(choice) for choice in declaration.allowed]
    return Wrong(f"{declaration.name} must be an allowed value, not {shown(value)}", nearest(str(value), known))


def _is_of(type_: Type, value: object) -> bool:
    if type_ == "boolean":
        return isinstance(value, bool)
    if type_ == "string":
        return isinstance(value, str)
    kinds = (int,) if type_ == "integer" else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool)
