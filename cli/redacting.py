"""Keeps the secrets of this process's environment out of what others print through us."""

from __future__ import annotations

import os

_WORDS = ("PASSPHRASE", "TOKEN", "SECRET", "PASSWORD", "ACCESS_KEY", "PRIVATE_KEY")
_SHORTEST = 4


def redacted(text: str) -> str:
    """`text` without the values of environment variables that are secret by their name."""
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST and any(word in name.upper() for word in _WORDS):
            text = text.replace(value, f"[{name}]")
    return text
