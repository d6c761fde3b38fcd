"""Plain words of YAML as values: the core schema of YAML 1.2, less what two readers read differently."""

from __future__ import annotations

import re

from aifactory.blueprints.shown import shown

_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NUMBER_STARTS = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
_NUMBER_CHARS = 64
_LARGEST = 2**63 - 1

Scalar = str | int | float | bool | None


class AmbiguousError(ValueError):
    """A plain word that is no safe number. The first argument says why, the second what to write."""


def resolve(text: str) -> Scalar:
    """The value of a plain (unquoted) scalar.

    Dates, `NO`, `on`, `22:22` and `1_000` are text, as YAML 1.2 has it. Raises `AmbiguousError` for numbers
    with a leading zero, outside 64 bits, infinite, or not a number at all.
    """
    if len(text) <= 5 and text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    return _number(text)


def _number(text: str) -> Scalar:
    if _INTEGER.fullmatch(text):
        return _integer(text, 10)
    if _BASED.fullmatch(text):
        return _integer(text, 0)
    if _FLOAT.fullmatch(text):
        return _float(text)
    if _NOT_FINITE.fullmatch(text):
        raise AmbiguousError(f"{shown(text)} is not a finite number", _quote(text))
    return text


def _integer(text: str, base: int) -> int:
    _refuse_long(text)
    if base == 10 and _LEADING_ZERO.match(text):
        says = f"{text} starts with a zero: some readers take it for octal, some for decimal"
        raise AmbiguousError(says, f"{_quote(text)}, or write 0o… for an octal number")
    value = int(text, base)
    if not -_LARGEST - 1 <= value <= _LARGEST:
        raise AmbiguousError(f"{shown(text)} does not fit in 64 bits", _quote(text))
    return value


def _float(text: str) -> float:
    _refuse_long(text)
    if _LEADING_ZERO.match(text):
        raise AmbiguousError(f"{text} starts with a zero", _quote(text))
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise AmbiguousError(f"{text} is larger than any number of 64 bits", _quote(text))
    return value


def _refuse_long(text: str) -> None:
    if len(text) > _NUMBER_CHARS:
        raise AmbiguousError(f"a number of {len(text)} characters", "quote it if it is text")


def _quote(text: str) -> str:
    return f'if it is text, quote it: "{text}"' if len(text) <= _NUMBER_CHARS else "quote it if it is text"
