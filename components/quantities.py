"""Kubernetes quantities in their canonical form, so that a server that rewrites an object writes the same
text."""

from __future__ import annotations

_DECIMAL = ("", "k", "M", "G", "T")
_BINARY = ("Mi", "Gi", "Ti", "Pi")


def count(number: int) -> str:
    """A whole number: 8 is `8`, 2000 is `2k`."""
    return _scaled(number, 1_000, _DECIMAL)


def cpu(milli: int) -> str:
    """Thousandths of a CPU: 22750 is `22750m`, 22000 is `22`."""
    return f"{milli}m" if milli % 1_000 else count(milli // 1_000)


def mib(number: int) -> str:
    """Mebibytes: 1500 is `1500Mi`, 2048 is `2Gi`."""
    return _scaled(number, 1_024, _BINARY)


def gib(number: int) -> str:
    """Gibibytes: 1945 is `1945Gi`, 2048 is `2Ti`."""
    return mib(number * 1_024)


def _scaled(number: int, base: int, suffixes: tuple[str, ...]) -> str:
    if number == 0:
        return "0"
    power = 0
    while number % base == 0 and power + 1 < len(suffixes):
        number //= base
        power += 1
    return f"{number}{suffixes[power]}"
