"""Whose an object is: what its labels, annotations and managers say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct, field

from aifactory.components import names
from aifactory.components.catalog import Catalog
from aifactory.components.catalog.trains import Release, releases
from aifactory.stacks.live.cluster import Cluster, Kind, Thing

MANAGED_BY = "app.kubernetes.io/managed-by"
PART_OF = "app.kubernetes.io/part-of"
SITE = "aifactory.io/site"
PART = "aifactory.io/part"
INSTANCE = "app.kubernetes.io/instance"
CHART = "helm.sh/chart"
HOOK = "helm.sh/hook"
RELEASE_NAME = "meta.helm.sh/release-name"
RELEASE_NAMESPACE = "meta.helm.sh/release-namespace"
ARGO = "argocd.argoproj.io/tracking-id"
SECRETS = Kind("", "v1", "Secret", "secrets", namespaced=True)

Stays = Literal["", "protected", "needed", "kept"]
"""Why a row stays after a removal: it is protected, a protected row needs it, it is kept on delete. Empty: it goes."""


class HeldRow(Struct, frozen=True):
    """A row that a stack held."""

    row: str
    part: str
    stays: Stays = ""


class HeldRelease(Struct, frozen=True):
    """A Helm release that a stack held."""

    namespace: str
    name: str
    chart: str
    version: str
    part: str
    stays: Stays = ""

    @property
    def row(self) -> str:
        """Identity of its row."""
        return names.release_id(self.namespace, self.name)


class Held(Struct, frozen=True):
    """What a stack held before it was removed."""

    factory: str
    site: str
    rows: Mapping[str, HeldRow]
    """By identity."""
    releases: tuple[HeldRelease, ...] = ()
    definitions: Mapping[str, HeldRelease] = field(default_factory=dict)
    """CRDs of its releases, as `plural.group`."""

    @property
    def namespaces(self) -> dict[str, HeldRow]:
        """Namespaces that it made, by name."""
        return {row.row.removeprefix("Namespace/"): row for row in self.rows.values() if row.row[:10] == "Namespace/"}

    def release(self, namespace: str, name: str) -> HeldRelease | None:
        """A release by where it is."""
        return next((each for each in self.releases if (each.namespace, each.name) == (namespace, name)), None)


class Record(Struct, frozen=True):
    """What Helm's newest record of a release says of itself, outside of its secret content."""

    namespace: str
    name: str
    revision: int
    status: str


def definitions_of(catalog: Catalog, held: Iterable[HeldRelease]) -> dict[str, HeldRelease]:
    """The CRDs of releases. A version that no train has is answered by another one of the chart."""
    known: dict[str, list[Release]] = {}
    for train in (row.key for row in catalog.rows("trains")):
        for one in releases(catalog, train):
            known.setdefault(one.chart, []).append(one)
    found: dict[str, HeldRelease] = {}
    for each in held:
        # A chart may be two releases, each with definitions of its own: a site has one of them, perhaps.
        of_chart = [one for one in known.get(each.chart, []) if one.release_name == each.name]
        exact = [one for one in of_chart if one.version == each.version]
        for one in exact or of_chart:
            arrivals = (item for item in one.definitions if item.arrive != "other-release")
            found.update((name, each) for item in arrivals for name in item.names)
    return found


def selector(factory: str, site: str) -> str:
    """The label selector of everything of a factory at a site."""
    return f"{MANAGED_BY}=aifactory,{PART_OF}={factory},{SITE}={site}"


def belongs(thing: Thing, factory: str, site: str) -> bool:
    """Whether the labels of an object say that it is of this factory at this site."""
    labels = thing.labels
    return (labels.get(MANAGED_BY), labels.get(PART_OF), labels.get(SITE)) == ("aifactory", factory, site)


def release_of(thing: Thing) -> tuple[str, str] | None:
    """Namespace and name of the Helm release that an object says it is of."""
    name = thing.annotations.get(RELEASE_NAME)
    return (thing.annotations.get(RELEASE_NAMESPACE, ""), name) if name else None


def record_of(thing: Thing) -> Record | None:
    """Helm's record of a release, if an object is one."""
    if thing.kind.kind not in ("Secret", "ConfigMap") or thing.labels.get("owner") != "helm":
        return None
    version = thing.labels.get("version", "")
    revision = int(version) if version.isdecimal() else 0
    return Record(thing.namespace, thing.labels.get("name", ""), revision, thing.labels.get("status", "unknown"))


def newest_record(cluster: Cluster, namespace: str, name: str) -> Record | None:
    """Helm's newest record of a release; None if Helm knows of none."""
    found = cluster.things(SECRETS, namespace, labels=f"owner=helm,name={name}")
    records = [record for thing in found if (record := record_of(thing))]
    return max(records, key=lambda record: record.revision, default=None)


def maker(thing: Thing) -> str:
    """Who made an object, as far as it says."""
    labels, release = thing.labels, release_of(thing)
    if labels.get(MANAGED_BY) == "aifactory":
        return f"factory {labels.get(PART_OF, '?')} made it, at site {labels.get(SITE, '?')}"
    if release:
        return f"Helm release {'/'.join(filter(None, release))} made it"
    if ARGO in thing.annotations:
        return f"Argo CD made it ({thing.annotations[ARGO].partition(':')[0]})"
    entries: list[Mapping[str, Any]] = list(thing.metadata.get("managedFields") or ())
    first = min(entries, key=lambda each: str(each.get("time", "")), default=None)
    if first is not None:
        return f"{first.get('manager', 'somebody')} made it, {first.get('time', 'at an unknown time')}"
    return "nothing says who made it"
