"""The chain from requests to GPUs, one link at a time, so that a reader can follow each number to its source."""

from __future__ import annotations

from msgspec import Struct


class Step(Struct, frozen=True):
    """One link."""

    key: str
    value: object
    reason: str
    facts: tuple[str, ...] = ()
    """Catalog rows it rests on."""
    because: tuple[str, ...] = ()
    """Keys of links it follows from."""
