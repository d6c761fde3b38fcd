"""Which characters a source file may hold: text that every reader sees the same way."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from aifactory.blueprints.limits import Limits
from aifactory.components.problems import Position, Problem, Refused

# Listed rather than asked from unicodedata: the answer must not change with the Python version.
_CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff"
_BLANK = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800"
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U0010ffff"

HIDDEN = re.compile(f"[{_CONTROL}{_BLANK}{_INVISIBLE}{_PRIVATE}]|\r(?!\n)")
"""Matches one character that is invisible, looks like a space, drives a terminal, or has no agreed shape."""

_ALLOWED_ASCII = bytes({*range(0x20, 0x7F), 0x09, 0x0A, 0x0D})

_NAMES = {
    0x00: "NUL",
    0x07: "BELL",
    0x08: "BACKSPACE",
    0x0D: "CARRIAGE RETURN",
    0x1B: "ESCAPE",
    0x7F: "DELETE",
    0x85: "NEXT LINE",
    0x9B: "CONTROL SEQUENCE INTRODUCER",
}

_MARKS = (  # the longer first: a UTF-32 mark begins like a UTF-16 mark
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"\xef\xbb\xbf", "UTF-8"),
)
_SAVE_AS_UTF8 = "save the file as UTF-8 without a byte order mark"


def character(char: str) -> str:
    """One character by code point and name: `U+202E RIGHT-TO-LEFT OVERRIDE`."""
    name = _NAMES.get(ord(char)) or unicodedata.name(char, "")
    return f"U+{ord(char):04X} {name}".rstrip()


def decode(content: bytes, file: str, limits: Limits) -> str:
    """The text of a source file.

    Raises `Refused` for anything but UTF-8 without a byte order mark, and for hidden characters.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            says = f"the file starts with a byte order mark ({encoding})"
            raise Refused([Problem(says, hint=_SAVE_AS_UTF8, at=Position(file, 1, 1))])
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused([_not_utf8(content, error.start, file)]) from None
    if "\x00" in text:
        raise Refused([_nul(text, file)])
    if text.isascii() and not _suspicious_ascii(content):
        return text
    problems = list(_hidden(text, file, limits))
    if problems:
        raise Refused(problems)
    return text


def _suspicious_ascii(content: bytes) -> bool:
    return bool(content.translate(None, _ALLOWED_ASCII)) or content.count(b"\r") != content.count(b"\r\n")


def _not_utf8(content: bytes, start: int, file: str) -> Problem:
    before = content[:start].decode("utf-8")
    at = Position(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
    unit = content[start : start + 3]
    if len(unit) == 3 and unit[0] == 0xED and unit[1] >= 0xA0:
        surrogate = 0xD000 | (unit[1] & 0x3F) << 6 | unit[2] & 0x3F
        return Problem(f"half of a character (lone surrogate U+{surrogate:04X})", hint=_SAVE_AS_UTF8, at=at)
    return Problem(f"the byte 0x{content[start]:02x} is not UTF-8", hint=_SAVE_AS_UTF8, at=at)


def _nul(text: str, file: str) -> Problem:
    index = text.index("\x00")
    at = Position(file, text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))
    hint = f"{_SAVE_AS_UTF8}; UTF-16 and files that are no text hold many"
    return Problem(f"the character {character(text[index])} is not allowed", hint=hint, at=at)


def _hidden(text: str, file: str, limits: Limits) -> Iterator[Problem]:
    line, line_start = 1, 0
    for found, match in enumerate(HIDDEN.finditer(text)):
        index = match.start()
        line += text.count("\n", line_start, index)
        line_start = text.rfind("\n", 0, index) + 1
        at = Position(file, line, index - line_start + 1)
        if found == limits.problems:
            yield Problem("more such characters follow; reading stopped here", hint=_SAVE_AS_UTF8, at=at)
            return
        says = f"the character {character(text[index])} is not allowed"
        yield Problem(says, hint=_advice(text[index]), at=at)


def _advice(char: str) -> str:
    if char == "\r":
        return "end lines with LF or CRLF"
    if re.match(f"[{_BLANK}]", char):
        return "use a plain space"
    return "delete it; it does not show on every screen"
