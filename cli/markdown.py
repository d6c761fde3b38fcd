"""Text as Markdown that shows it as it is: whatever a name holds, it is no markup, no link, no mention and no tag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

LONGEST = 60_000
"""Characters of a comment. GitHub refuses more than 65,536."""
LONGEST_TEXT = 600
_MARKUP = re.compile(r"([\\`*_\[\]|~$^])")
_GAP = "&#8203;"
"""A space without width: what follows it is no mention (`@name`), no issue (`#1`, `!1`) and no address."""
_LINKED = re.compile(r"(@|#|!(?=\d)|:(?=//)|www(?=\.))")


def plain(text: str, longest: int = LONGEST_TEXT) -> str:
    """A text on one line that Markdown shows as it is, also in a table, cut after `longest` characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    cut = line if len(line) <= longest else f"{line[: longest - 1]}…"
    safe = cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LINKED.sub(rf"\1{_GAP}", _MARKUP.sub(r"\\\1", safe))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> Iterator[str]:
    """A table whose cells are Markdown already; the last `numbers` columns lie to the right."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * (len(heads) - numbers)}{'---:|' * numbers}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def folded(title: str, lines: Iterable[str]) -> Iterator[str]:
    """Details that open at a click."""
    yield f"<details><summary>{title}</summary>"
    yield ""
    yield from lines
    yield ""
    yield "</details>"


def first(lines: Sequence[str], most: int, what: str) -> Iterator[str]:
    """As many lines as a person reads, and how many more there are."""
    yield from lines[:most]
    if len(lines) > most:
        yield f"- … and {len(lines) - most} more {what}"


def comment(sections: Iterable[Iterable[str]]) -> str:
    """Sections with an empty line between, as many as fit in one comment. The first always does."""
    found, left, room = [], 0, LONGEST
    for section in sections:
        text = "\n".join(section)
        if not text:
            continue
        if len(text) > room:
            left += 1
            continue
        found.append(text)
        room -= len(text) + 2
    if left:
        found.append(f"{left} more sections are too long for a comment; `aifactory check` shows them.")
    return "\n\n".join(found)
