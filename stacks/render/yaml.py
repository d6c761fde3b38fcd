"""YAML for operators: block style, the same bytes for the same tree, read alike by YAML 1.1 and 1.2 readers.

Layout is that of `kubectl get -o yaml`: two spaces, sequences not indented under their key. A string is plain
only if no known reader takes it for anything else; otherwise it is quoted, or a literal block if it has
several lines. Why not PyYAML: docs/decisions/0003-own-yaml-writer.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring
from typing import Any

_MEMO_ENTRIES = 16_384
"""Strings remembered per memo. A full memo starts over, so memory stays bounded."""

_MEMO_CHARS = 128
"""Longest string remembered: longer ones rarely occur twice."""

_KEY_CHARS = 900
"""Longest written key that stands on the line of its colon: readers look 1,024 characters far."""

# Not printable in YAML, or invisible, or able to reorder a line in a terminal. A fixed list, because
# str.isprintable differs between Python versions outside of ASCII, and the bytes must not.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u3000\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
)

# What a plain string starts with: a letter, a path, a variable, an option; or a digit, if a letter follows
# that no number, date or time of any reader has. Psych takes "1,000" for a number, Go "0x1p4", YAML 1.1
# "1.2.3", npm's yaml "e5" and "._".
_STARTS_PLAIN = re.compile(
    r"(?![-.]?[eE][-+]?[0-9]+\Z)"
    r"(?:[A-Za-z_/$(]|[^\x00-\x7f]|\.[A-Za-z/]|--?[A-Za-z]|[0-9][0-9A-Za-z._+-]*[g-nq-suvwyG-NQ-SUVWY/])"
)
_WORDS = frozenset(
    {"y", "n", "yes", "no", "on", "off", "true", "false", "null", ".nan", ".inf"}
    | {"nan", "inf", "infinity", "-nan", "-inf", "-infinity"}  # what ParseFloat of Go takes
)


def dump(tree: object) -> str:
    """One document, ending in a newline. Keys keep the order in which they were put in.

    `tree` is plain data: dict with str keys, list or tuple, str, int, float, bool, None. Raises ValueError
    for NaN, infinity, a key that is not a str, half of a surrogate pair, and nesting deeper than Python
    recurses (so for a tree that holds itself); TypeError for any other value.
    """
    parts: list[str] = []
    try:
        _write(tree, "", 0, parts)
    except RecursionError:
        raise ValueError("the tree is nested too deeply, or holds itself") from None
    parts.append("\n")
    return "".join(parts)[1:]


def dump_all(trees: Iterable[object]) -> str:
    """Several documents with `---` between them; the empty string if there is none."""
    return "---\n".join(map(dump, trees))


def _write(tree: object, head: str, depth: int, parts: list[str]) -> None:
    """Append `head` and any one value. `depth` is the number of indents of what is inside the value.

    Every part starts with a newline and its indents, or with the space after a colon or a dash.
    """
    if tree is None:
        parts.append(f"{head} null")
    elif isinstance(tree, str):
        text = str.__str__(tree)  # not the name of an enum member
        parts.append(head + (_SCALARS[text] or _literal(text, depth)))
    elif isinstance(tree, bool):
        parts.append(f"{head} true" if tree else f"{head} false")
    elif isinstance(tree, int):
        parts.append(f"{head} {int(tree)}")
    elif isinstance(tree, float):
        parts.append(f"{head} {_float(tree)}")
    elif isinstance(tree, Mapping):
        parts.append(head if tree else f"{head} {{}}")
        _map(tree, depth, parts)
    elif isinstance(tree, list | tuple):
        parts.append(head if tree else f"{head} []")
        _sequence(tree, depth, parts)
    else:
        raise TypeError(f"{type(tree).__name__} is not plain data")


def _map(tree: Mapping[Any, Any], depth: int, parts: list[str]) -> None:
    keys = _KEYS[depth]
    append = parts.append
    for key, value in tree.items():
        kind = type(value)
        if kind is str:
            text = _SCALARS[value]
            append(keys[key] + (text or _literal(value, depth + 1)))
        elif kind is dict and value:
            append(keys[key])
            _map(value, depth + 1, parts)
        elif kind is list and value:
            append(keys[key])
            _sequence(value, depth, parts)
        elif kind is int:
            append(f"{keys[key]} {value}")
        else:
            _write(value, keys[key], depth if isinstance(value, list | tuple) else depth + 1, parts)


def _sequence(tree: Iterable[Any], depth: int, parts: list[str]) -> None:
    append = parts.append
    dash = _PADS[depth] + "-"
    for value in tree:
        kind = type(value)
        if kind is str:
            append(dash + (_SCALARS[value] or _literal(value, depth + 1)))
        elif kind is dict and value:
            first = len(parts)
            _map(value, depth + 1, parts)
            parts[first] = f"{dash} {parts[first][len(dash) + 1 :]}"
        elif isinstance(value, Mapping | list | tuple) and value:
            first = len(parts) + 1
            _write(value, "", depth + 1, parts)
            parts[first] = f"{dash} {parts[first][len(dash) + 1 :]}"
        else:
            _write(value, dash, depth + 1, parts)


def _is_literal(text: str) -> bool:
    """Whether a literal block keeps the text.

    Its first line must fix the indentation. Readers keep blanks at the end of a line, editors lose them.
    """
    return (
        "\n" in text
        and text[0] not in " \t\n"
        and text[-1] not in " \t"
        and " \n" not in text
        and "\t\n" not in text
        and not _hides(text.replace("\n", "").replace("\t", ""))
    )


def _literal(text: str, depth: int) -> str:
    """A block of lines, `depth` indents deep: `|-` without, `|` with one, `|+` with several last newlines."""
    pad = _PADS[max(depth, 1)]
    body = text.removesuffix("\n")
    mark = " |-" if body == text else " |+" if body.endswith("\n") else " |"
    if "\n\n" in text:
        return mark + "".join([pad + line if line else "\n" for line in body.split("\n")])
    return mark + pad + body.replace("\n", pad)


def _float(number: float) -> str:
    """The shortest digits that give the number back, with the point that YAML 1.1 wants in every float."""
    if not math.isfinite(number):
        raise ValueError(f"{number!r} has no YAML form that every reader takes for a number")
    digits, exponent, power = float.__repr__(number).partition("e")
    return f"{digits if '.' in digits else digits + '.0'}{exponent}{power}"


def _flow(text: str) -> str:
    """A string on one line: plain if nobody can misread it, else quoted."""
    if _hides(text):
        return _HIDDEN.sub(_escape, encode_basestring(text))
    if (
        _STARTS_PLAIN.match(text)
        and ": " not in text
        and " #" not in text
        and text[-1] not in ": "
        and text.lower() not in _WORDS
    ):
        return text
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


def _hides(text: str) -> bool:
    return not text.isprintable() if text.isascii() else _HIDDEN.search(text) is not None


def _escape(char: re.Match[str]) -> str:
    code = ord(char[0])
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError(f"half of a surrogate pair, U+{code:04X}, is not text")
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


class _Scalars(dict[str, str]):
    """How a string is written as a value, with the space before it; empty if it is a literal block."""

    def __missing__(self, text: str) -> str:
        written = "" if _is_literal(text) else f" {_flow(text)}"
        if len(text) <= _MEMO_CHARS:
            if len(self) >= _MEMO_ENTRIES:
                self.clear()
            self[text] = written
        return written


class _Keys(dict[str, str]):
    """How a string is written as a key, with the line break, the indentation and the colon."""

    def __init__(self, pad: str) -> None:
        super().__init__()
        self._pad = pad

    def __missing__(self, key: str) -> str:
        if not isinstance(key, str):
            raise ValueError(f"the key {key!r} is not a string")
        key = str.__str__(key)
        name = _flow(key)
        if len(name) > _KEY_CHARS:
            return f"{self._pad}? {name}{self._pad}:"
        written = f"{self._pad}{name}:"
        if len(key) <= _MEMO_CHARS:
            if len(self) >= _MEMO_ENTRIES:
                self.clear()
            self[key] = written
        return written


class _Pads(dict[int, str]):
    """A line break and so many indents of two spaces."""

    def __missing__(self, depth: int) -> str:
        return self.setdefault(depth, "\n" + "  " * depth)


class _Depths(dict[int, _Keys]):
    """The keys of each depth."""

    def __missing__(self, depth: int) -> _Keys:
        return self.setdefault(depth, _Keys(_PADS[depth]))


_PADS = _Pads()
_SCALARS = _Scalars()
_KEYS = _Depths()
