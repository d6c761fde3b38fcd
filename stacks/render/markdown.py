"""Pieces of Markdown that stay what they are, whatever text stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_ACTIVE = re.compile(r"([\\`*_{}\[\]<>|#!~])")
_TICKS = re.compile("`+")


def plain(text: object) -> str:
    """Text on one line, with no character that Markdown acts on."""
    return _ACTIVE.sub(r"\\\1", " ".join(str(text).split()))


def code(text: object) -> str:
    """Text as code on one line, also in a table. A text of blanks alone is no code, so it comes back empty."""
    line = " ".join(str(text).split())
    if not line:
        return ""
    ticks = "`" * (1 + max((len(found) for found in _TICKS.findall(line)), default=0))
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{ticks}{pad}{line}{pad}{ticks}".replace("|", "\\|")


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A table; its cells are Markdown already. Nothing if there are no rows."""
    lines = [f"| {' | '.join(str(cell) for cell in row)} |".replace("|  |", "| |") for row in rows]
    return [f"| {' | '.join(heads)} |", f"|{'|'.join('---' for _ in heads)}|", *lines] if lines else []


def shell(*lines: str) -> list[str]:
    """Commands to type. A line break inside one would end it, so none of them may hold one."""
    return ["```sh", *lines, "```"]


def page(sections: Iterable[Sequence[str]]) -> str:
    """Sections, each a list of lines, with one empty line between them; empty ones are left out."""
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"
