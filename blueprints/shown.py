"""How a value of the user appears in a message: short, quoted, and harmless to a terminal."""

from __future__ import annotations

from aifactory.blueprints.characters import HIDDEN
from aifactory.components.masking import masked, masked_line

SHOWN_CHARS = 60
_MASKED_CHARS = 512


def shown(value: object) -> str:
    """A value as in YAML, hidden characters escaped, what looks secret masked, cut after 60 characters."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{escaped(_masked(value))}"'
    if isinstance(value, dict):
        return f"a map of {len(value)} keys" if len(value) != 1 else "a map of 1 key"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)} items" if len(value) != 1 else "a list of 1 item"
    return escaped(str(value))


def _masked(value: str) -> str:
    """A value without what looks like a secret. What begins in the part that is shown is found."""
    start = value[:_MASKED_CHARS]
    several = "\n" in start  # a pasted file, whose lines are fields
    return (masked_line(start) if several else masked(start)) + value[_MASKED_CHARS:]


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
