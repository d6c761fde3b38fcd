"""Finds secrets that were written where their name belongs. What is found is never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from aifactory.components.masking import is_secret_name, masked

_HARMLESS = re.compile(r"(?i)(?:/|\./|\$).*|[\d.]*|true|false|yes|no|none|null", re.DOTALL)
"""Paths, shell variables, numbers and switches: `--token-file=/run/token` names a secret and holds none."""


def is_secret(name: str, value: str) -> bool:
    """Whether the value of a variable or option is a secret, by its name or by its looks."""
    if _HARMLESS.fullmatch(value):
        return False
    return is_secret_name(name) or masked(value) != value


def secret_words(words: Sequence[str]) -> Iterator[int]:
    """Indexes of words of a command that hold a secret: `--token=...`, `--token` before a value, or one by
    looks."""
    before = ""
    for index, word in enumerate(words):
        if any(_holds_secret(piece) for piece in word.split()) or (before and is_secret(before, word)):
            yield index
        before = word.lstrip("-") if word.startswith("-") and "=" not in word else ""


def _holds_secret(piece: str) -> bool:
    name, equals, value = piece.partition("=")
    return is_secret(name.lstrip("-"), value) if equals else masked(piece) != piece
