"""Where a cluster differs from the plan: objects that were changed, that are missing, and that no row names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from aifactory.components.rows import HelmRow, KubernetesRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.live.cluster import Cluster, Kind, Thing, Unread
from aifactory.stacks.live.connection import Declined
from aifactory.stacks.live.fields import ABSENT, Author, FieldPath, at, author, differences, path_text, set_by_hand
from aifactory.stacks.live.ours import CHART, PART, newest_record, release_of, selector
from aifactory.stacks.live.remains import PASSED
from aifactory.stacks.live.written import contained

MISSING = "missing"
CHANGED = "changed"
EXTRA = "extra"
DEPLOYED = "deployed"


class Drift(Struct, frozen=True):
    """One difference between the plan and a cluster."""

    verb: str
    """changed, missing or extra."""
    part: str
    row: str
    says: str
    path: str = ""
    live: Any = None
    planned: Any = None
    by: Author | None = None
    """Who changed it, where the cluster knows."""


class Drifts(Struct, frozen=True):
    """All differences of a stack, how many rows were looked at, and what could not be."""

    found: tuple[Drift, ...]
    compared: int
    unread: tuple[Unread, ...]


def drifts(cluster: Cluster, stack: Stack) -> Drifts:
    """Where a cluster differs from a stack. Raises `Unreachable`."""
    rows = list(stack.cluster_rows)
    kinds = cluster.kinds()
    found = cluster.each(lambda row: list(_drift_of(cluster, stack, row)), rows)
    extra = sorted(_extra(cluster, stack, kinds), key=lambda drift: drift.row)
    return Drifts((*(drift for one in found for drift in one), *extra), len(rows), tuple(cluster.unread.values()))


def _drift_of(cluster: Cluster, stack: Stack, row: KubernetesRow | HelmRow) -> Iterator[Drift]:
    return _of_release(cluster, row) if isinstance(row, HelmRow) else _of_object(cluster, stack, row)


def _of_object(cluster: Cluster, stack: Stack, row: KubernetesRow) -> Iterator[Drift]:
    body = stack.plain_tree(row)
    kind = cluster.kind(str(body["apiVersion"]), str(body["kind"]))
    try:
        live = cluster.object(kind, row.namespace, row.name) if kind else None
    except Declined as declined:
        cluster.note(row.id, declined)
        return
    if kind is None or live is None:
        says = "is missing" if kind else f"is missing: the cluster doesn't know kind {body['kind']}"
        if not _ends_by_itself(row):
            yield Drift(MISSING, row.part, row.id, says)
        return
    managed = live["metadata"].get("managedFields") or []
    seen: list[FieldPath] = []
    for path, now, wanted in _differences(cluster, kind, body, live):
        seen.append(path)
        yield _changed(row, path, now, wanted, author(managed, path))
    for path, value, by in set_by_hand(live):
        if at(body, path) is ABSENT and not any(path[: len(one)] == one for one in seen):
            yield _changed(row, path, value, ABSENT, by)


def _differences(
    cluster: Cluster, kind: Kind, body: dict[str, Any], live: dict[str, Any]
) -> Iterator[tuple[FieldPath, Any, Any]]:
    """Against what the server would make of the plan, so that defaults and normal forms are no difference; against
    the plan itself, where the server won't say."""
    try:
        wanted = cluster.dry_run(kind, body)
    except Declined:
        return contained(live, body)
    if kind.kind == "Secret" and not kind.group:
        return differences({"metadata": live["metadata"]}, {"metadata": wanted["metadata"]})
    return differences(live, wanted)


def _changed(row: KubernetesRow, path: FieldPath, live: Any, wanted: Any, by: Author | None) -> Drift:
    where = path_text(path)
    if live is ABSENT:
        says = f"{where} is gone"
    elif wanted is ABSENT:
        says = f"{where} was added"
    else:
        says = f"{where} differs"
    now, plan = (None if value is ABSENT else value for value in (live, wanted))
    return Drift(CHANGED, row.part, row.id, says, where, now, plan, by)


def _ends_by_itself(row: KubernetesRow) -> bool:
    """Whether the cluster removes the object when its work is done."""
    spec = row.body.get("spec")
    return row.body["kind"] == "Job" and isinstance(spec, dict) and "ttlSecondsAfterFinished" in spec


def _of_release(cluster: Cluster, row: HelmRow) -> Iterator[Drift]:
    """What Helm's newest record says outside of its content, and the chart that the release's objects name."""
    record = newest_record(cluster, row.namespace, row.name)
    if record is None:
        yield Drift(MISSING, row.part, row.id, "is missing: Helm has no record of it")
        return
    if record.status != DEPLOYED:
        says = f"revision {record.revision} is {record.status}, not {DEPLOYED}"
        yield Drift(CHANGED, row.part, row.id, says, "status", record.status, DEPLOYED)
    for version in _chart_versions(cluster, row):
        if version.removeprefix("v") != row.version.replace("+", "_").removeprefix("v"):
            says = f"its objects are of chart version {version}, not {row.version}"
            yield Drift(CHANGED, row.part, row.id, says, "version", version, row.version)


def _chart_versions(cluster: Cluster, row: HelmRow) -> list[str]:
    """Versions of the chart that the objects of a release name in their labels, as charts do by custom."""
    found: set[str] = set()
    for api_version, name in (("apps/v1", "Deployment"), ("apps/v1", "DaemonSet"), ("v1", "ServiceAccount")):
        kind = cluster.kind(api_version, name)
        for thing in cluster.things(kind, row.namespace) if kind else ():
            chart, of = thing.labels.get(CHART, ""), release_of(thing)
            version = chart.removeprefix(f"{row.chart}-")
            if of == (row.namespace, row.name) and version != chart and version.lstrip("v")[:1].isdecimal():
                found.add(version)
    return sorted(found)


def _extra(cluster: Cluster, stack: Stack, kinds: list[Kind]) -> Iterator[Drift]:
    """Objects with our labels that no row names. What another object owns is that one's matter."""
    labels = selector(stack.plan.factory, stack.plan.place.site)
    wanted = [kind for kind in kinds if (kind.group, kind.kind) not in PASSED]
    found = cluster.each(lambda kind: cluster.things(kind, labels=labels), wanted)
    for thing in {str(thing.metadata.get("uid")): thing for things in found for thing in things}.values():
        if thing.row not in stack.by_id and not thing.owners and not _is_of_a_service(thing, stack):
            says = "carries the labels of this factory and site, and no row names it"
            yield Drift(EXTRA, thing.labels.get(PART, ""), thing.row, says, by=_last(thing))


def _is_of_a_service(thing: Thing, stack: Stack) -> bool:
    return thing.kind.kind == "Endpoints" and f"Service/{thing.namespace}/{thing.name}" in stack.by_id


def _last(thing: Thing) -> Author | None:
    entries = list(thing.metadata.get("managedFields") or ())
    last = max(entries, key=lambda each: str(each.get("time", "")), default=None)
    return Author(str(last.get("manager", "")), str(last.get("time", ""))) if last else None
