"""How a value of the user appears in a message: short, quoted, and harmless to a terminal."""

from __future__ import annotations

from aifactory.blueprints.characters import HIDDEN
from aifactory.components.masking import masked_line

SHOWN_CHARS = 60
_MASKED_CHARS = 512
"""How much of a value is looked at: what a mask covers may be long, and what lies behind is not shown."""


def shown(value: object) -> str:
    """A value as in YAML, hidden characters escaped, what looks secret masked, cut after 60 characters."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        safe = masked_line(value[:_MASKED_CHARS])
        if len(value) <= _MASKED_CHARS:
            return f'"{escaped(safe)}"'
        return f'"{escaped(safe[:SHOWN_CHARS])}… ({len(value)} characters)"'
    if isinstance(value, dict):
        return f"a map of {len(value)} keys" if len(value) != 1 else "a map of 1 key"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)} items" if len(value) != 1 else "a list of 1 item"
    return escaped(str(value))


def escaped(text: str) -> str:
    """Text on one line, cut after 60 characters, with no character that a terminal obeys."""
    cut = text[:SHOWN_CHARS]
    safe = "".join(_escape(char) for char in cut)
    return f"{safe}… ({len(text)} characters)" if len(text) > SHOWN_CHARS else safe


def _escape(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable() and not HIDDEN.match(char):
        return char
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
