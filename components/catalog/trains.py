"""Release trains: which version of which chart a factory gets, and how its resource definitions arrive."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from aifactory.components.catalog.rows import Row, Unknown, UnknownFact
from aifactory.components.catalog.tables import Catalog
from aifactory.components.problems import Problem, Refused, nearest

_VERSION = re.compile(r"v?[0-9]{1,4}\.[0-9]{1,4}([.+-].{0,80})?\Z")


class KubernetesRange(Struct, frozen=True):
    """Kubernetes minor versions, both ends included. An end that is not stated is empty and admits all."""

    low: str = ""
    high: str = ""

    def admits(self, version: str) -> bool:
        """Whether a version, such as 1.36 or v1.36.3, is in the range. Raises ValueError for another text."""
        minor = _minor(version)
        return (not self.low or _minor(self.low) <= minor) and (not self.high or minor <= _minor(self.high))

    def __str__(self) -> str:
        """`1.33 to 1.36`."""
        if self.low and self.high:
            return f"{self.low} to {self.high}"
        return f"{self.low} or newer" if self.low else f"{self.high} or older" if self.high else "any"


class Definitions(Struct, frozen=True):
    """Resource definitions that arrive together."""

    names: tuple[str, ...]
    """As `plural.group`."""
    arrive: str
    """crds-directory, templates, operator, other-release or manifest, as the rules of trains.yaml explain."""
    switch: str = ""
    """Chart value that turns them on or off; empty when nothing does."""
    keep: str = ""
    """Chart value that makes Helm keep them on uninstall."""
    upgrade_hook: str = ""
    """Chart value that lets the chart upgrade files of its crds/."""
    when: str = ""
    """What must be on for them to arrive; empty when they always do."""
    release: str = ""
    """The release or chart that brings them, when it is another one."""


class Release(Struct, frozen=True):
    """One chart of a train, or a set of definitions without a chart."""

    name: str
    provides: str
    """The capability it is the provider of."""
    chart: str
    """Empty when there is no chart."""
    release_name: str
    """Name of the Helm release: the chart's, unless two releases of one namespace share a chart."""
    repository: str
    version: str
    app_version: str
    namespace: str
    kubernetes: KubernetesRange
    definitions: tuple[Definitions, ...]
    schemas: tuple[str, ...]
    """Stored CRD projects that its custom resources are checked against."""
    values: str
    """Stored chart values that ours are checked against; empty when there are none."""
    gap: str
    """What of this version is not stored or not proven; empty when nothing is missing."""
    ref: str
    """Catalog row, as decisions name it."""

    def crds(self, *arrive: str) -> tuple[str, ...]:
        """Definitions as `plural.group`: all, or those that arrive in the ways named."""
        sets = (item for item in self.definitions if not arrive or item.arrive in arrive)
        return tuple(name for item in sets for name in item.names)


def release(catalog: Catalog, train: str, name: str) -> Release:
    """A release of a train, by its name. Raises Refused with the nearest name."""
    row = catalog.find("trains.releases", f"{train}:{name}")
    if row is None:
        known = catalog.row("trains", train).texts("releases")
        raise Refused([Problem(f'"{name}" is not in release train {train}', hint=nearest(name, known))])
    return _release(row)


def releases(catalog: Catalog, train: str) -> tuple[Release, ...]:
    """Every release of a train, in its order."""
    names = catalog.row("trains", train).texts("releases")
    return tuple(release(catalog, train, name) for name in names)


def provider(catalog: Catalog, train: str, capability: str) -> Release | None:
    """The release of a train that provides a capability, None when the train has none."""
    return next((item for item in releases(catalog, train) if item.provides == capability), None)


def kubernetes_range(catalog: Catalog, train: str) -> KubernetesRange:
    """Versions on which every release of the train is supported, as far as the releases say."""
    return _range(catalog.row("trains", train))


def _release(row: Row) -> Release:
    data = row.data
    return Release(
        name=row.text("name"),
        provides=row.text("provides"),
        chart=data.get("chart") or "",
        release_name=data.get("release_name") or data.get("chart") or "",
        repository=row.text("repository"),
        version=row.text("version"),
        app_version=row.text("app_version"),
        namespace=data.get("namespace") or "",
        kubernetes=_range(row),
        definitions=tuple(_definitions(row, item) for item in _listed(row, row.value("crds"))),
        schemas=row.texts("schemas"),
        values=data.get("values") or "",
        gap=data.get("gap") or "",
        ref=row.ref,
    )


def _definitions(row: Row, item: Any) -> Definitions:
    if not isinstance(item, Mapping) or not isinstance(item.get("arrive"), str):
        raise UnknownFact(Unknown(row.ref, "crds.arrive"))
    words = {name: item.get(name) or "" for name in ("switch", "keep", "upgrade_hook", "when", "release")}
    return Definitions(names=_listed(row, item.get("names")), arrive=item["arrive"], **words)


def _listed(row: Row, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, tuple):
        raise UnknownFact(Unknown(row.ref, "crds"), "a list")
    return value


def _range(row: Row) -> KubernetesRange:
    """The range that a row states; all versions when it states none."""
    data = row.data.get("kubernetes")
    if not isinstance(data, Mapping):
        return KubernetesRange()
    ends = [data.get(end) or "" for end in ("min", "max")]
    if not all(isinstance(end, str) and _VERSION.match(end or "0.0") for end in ends):
        raise UnknownFact(Unknown(row.ref, "kubernetes"), "a range of versions")
    return KubernetesRange(*ends)


def _minor(version: str) -> tuple[int, int]:
    if not _VERSION.match(version):
        raise ValueError(f'"{version}" is not a Kubernetes version')
    major, minor = version.removeprefix("v").split(".")[:2]
    return int(major), int(minor)
