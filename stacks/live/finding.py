"""What is found where something is looked at in an account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from msgspec import Struct

from aifactory.stacks.live.account import Declined


class Finding(Struct, frozen=True):
    """One thing that was looked at: as the site says, not to be seen, or otherwise than the site says."""

    name: str
    state: Literal["ok", "missing", "broken"]
    found: str
    advice: str = ""


def guarded(name: str, look: Callable[..., Iterator[Finding]], *asked: object) -> Iterator[Finding]:
    """What can't be seen is told, and keeps nothing else from being seen."""
    try:
        yield from look(*asked)
    except Declined as declined:
        yield Finding(name, "missing", f"not seen: {declined.says}", declined.hint)
