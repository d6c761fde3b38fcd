"""Versions of what a site gives: the lines of a release train, and the Kubernetes range they leave."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from aifactory.components.catalog import Catalog
from aifactory.components.catalog.trains import KubernetesRange, Release

Line = tuple[int, int]


def line(version: str) -> Line:
    """Major and minor number: v1.21.1 is of line 1.21. A version without a minor number is of line N.0."""
    numbers = version.removeprefix("v").split("-")[0].split(".")
    return int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 0


def accepted(catalog: Catalog, release: Release) -> tuple[str, ...]:
    """Versions whose lines a given one may be of: the train's chart, what it installs, and what its row names
    as compatible. A site may know its Prometheus by the chart, 88.5.3, or by the operator, 0.93.1."""
    row = catalog.find(*release.ref.split("/", 1))
    others = row.data.get("compatible", ()) if row is not None else ()
    named = (release.version, release.app_version, *(str(version) for version in others))
    return tuple(dict.fromkeys(named))


def admits(versions: Iterable[str], given: str) -> bool:
    """Whether a given version is of one of the lines. Patch versions of a line fit each other."""
    return line(given) in {line(version) for version in versions}


class Narrowest(Struct, frozen=True):
    """The Kubernetes versions that all components support, and which component sets each end."""

    range: KubernetesRange
    low_by: str
    high_by: str


def narrowest(components: Iterable[tuple[str, KubernetesRange]]) -> Narrowest:
    """The intersection of ranges. A component that states no end narrows nothing there."""
    known = list(components)
    lows = [(line(item.low), name, item.low) for name, item in known if item.low]
    highs = [(line(item.high), name, item.high) for name, item in known if item.high]
    _, low_by, low = max(lows, key=lambda end: end[0]) if lows else ((0, 0), "", "")
    _, high_by, high = min(highs, key=lambda end: end[0]) if highs else ((0, 0), "", "")
    return Narrowest(KubernetesRange(low, high), low_by, high_by)


def nearest_kubernetes(found: Narrowest, version: str) -> str:
    """The end of the range that is nearest to a version outside it."""
    low, high = found.range.low, found.range.high
    return low if low and line(version) < line(low) else high
