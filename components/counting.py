"""Numbers with their noun, for people."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`1 problem`, `2 problems`."""
    return f"{count} {noun}" + ("" if count == 1 else "s")
