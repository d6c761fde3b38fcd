"""How large an input may be. Chosen far above real factories and far below what hurts a small machine."""

from __future__ import annotations

from msgspec import Struct


class Limits(Struct, frozen=True):
    """Bounds of one read; every one is checked before the work that it bounds."""

    file_bytes: int = 8 * 1024 * 1024
    """Largest file. Unit: bytes. A site inventory of 10,000 machines takes about 3 MB."""

    all_bytes: int = 32 * 1024 * 1024
    """All files of one document together. Unit: bytes."""

    depth: int = 64
    """Lists and maps inside one another. Real blueprints stay under 12."""

    nodes: int = 250_000
    """Values of one document, each alias counted as all that it repeats."""

    scalar_chars: int = 1024 * 1024
    """Longest single text. Unit: characters."""

    aliases: int = 1_000
    """Uses of anchors (`*name`) in one file."""

    files: int = 64
    """Files of one document, the first included."""

    include_depth: int = 16
    """Files in a chain of includes, the first included."""

    problems: int = 100
    """Problems reported of one file; the rest is counted."""


DEFAULT = Limits()
