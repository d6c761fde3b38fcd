"""What a run that was cut off made: found out by asking the cluster, through the engine's own provider.

A pending create in the state, or a claim that was kept beside it, says that the run was about to make an object.
The objects are read into a state of the moment; those that are there, and carry the labels that were to be sent,
go into the stack's state. The engine can't do that part: `refresh --import-pending-creates` drops the operation and
reads nothing (3.255.0), and a create of an object that exists fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from aifactory.components import names
from aifactory.stacks.program.claims import Resource, object_id
from aifactory.stacks.program.cloud_ids import foreseen_id, is_tagged_alike
from aifactory.stacks.program.identity import is_of_cloud, row_of

_OURS = frozenset(names.labels("", "", ""))
_FIELD_MANAGER = "pulumi-kubernetes-"


class Found(Struct, frozen=True):
    """What became of the objects that a run may have made."""

    adopted: tuple[Resource, ...]
    """As they go into the state."""
    foreign: tuple[str, ...]
    """Rows whose name is taken by an object that isn't ours."""


def pending(deployment: Mapping[str, Any]) -> list[Resource]:
    """Operations that the engine had begun and never finished."""
    found: list[Resource] = deployment.get("pending_operations") or []
    return found


def unsettled(deployment: Mapping[str, Any], begun: Iterable[Resource]) -> list[Resource]:
    """Resources that may exist and that the state doesn't hold, what is above them first."""
    creating = [_as_claim(one["resource"]) for one in pending(deployment) if one.get("type") == "creating"]
    found = {one["urn"]: one for one in (*begun, *creating)}
    for one in deployment.get("resources") or []:
        found.pop(one["urn"], None)
    return [one for one in found.values() if not one["custom"] or one.get("id")]


def lost_track(deployment: Mapping[str, Any]) -> list[str]:
    """Rows of a cloud that a run which was cut off may have made, under ids that nobody wrote down."""
    creating = [one["resource"] for one in pending(deployment) if one.get("type") == "creating"]
    lost = [one for one in creating if is_of_cloud(one) and not foreseen_id(one)]
    named = [row_of(one["urn"]) for one in lost]
    return [found[1] for found in named if found]


def rows_among(resources: Iterable[Resource]) -> list[Resource]:
    """Those that stand for an object or a release."""
    return [one for one in resources if row_of(one["urn"]) is not None]


def questions(deployment: Mapping[str, Any], claimed: Sequence[Resource]) -> dict[str, Any]:
    """A state that claims all of it, for the engine to refresh. Holds none of the rows that are settled.

    A release goes without inputs: its provider would hand them back unread.
    """
    above = [one for one in deployment.get("resources") or [] if row_of(one["urn"]) is None and not one.get("delete")]
    known = {one["urn"] for one in (*above, *claimed)}
    asked = [{**one, "inputs": {}} if _is_release(one) else one for one in claimed]
    resources = [{**_within(one, known), "protect": False} for one in (*above, *asked)]
    return {**_without(deployment, "pending_operations"), "resources": resources}


def found(claimed: Sequence[Resource], read: Iterable[Resource]) -> Found:
    """Compare what was claimed with what the engine read."""
    there = {one["urn"]: one for one in read}
    adopted, foreign = [], []
    for claim in rows_among(claimed):
        live = there.get(claim["urn"])
        if live is None:
            continue
        if _is_ours(claim, live):
            kept = {key: claim[key] for key in ("dependencies", "protect", "retainOnDelete") if key in claim}
            adopted.append({**_without(live, "protect", "dependencies"), **kept, "outputs": _managed(live)})
        else:
            named = row_of(claim["urn"])
            foreign.append(named[1] if named else claim["urn"])
    return Found(tuple(adopted), tuple(foreign))


def settled(deployment: Mapping[str, Any], claimed: Sequence[Resource], answer: Found) -> dict[str, Any]:
    """The state with what was adopted, and without operations that are pending."""
    before = list(deployment.get("resources") or [])
    above = [one for one in claimed if row_of(one["urn"]) is None] if answer.adopted else []
    known = {one["urn"] for one in (*before, *above, *answer.adopted)}
    resources = [*before, *above, *(_within(one, known) for one in answer.adopted)]
    return {**_without(deployment, "pending_operations"), "resources": resources}


def _as_claim(resource: Resource) -> Resource:
    """A resource of a pending create, with the id that it gets. A provider or component exists in no cluster, and
    the id of many a resource of a cloud is known to the cloud alone."""
    if row_of(resource["urn"]) is None:
        return {**resource, "id": ""}
    left = _without(resource, "propertyDependencies", "created", "modified")
    identifier = foreseen_id(resource) if is_of_cloud(resource) else object_id(resource["urn"])
    return {**left, "id": identifier, "inputs": resource.get("inputs") or {}, "outputs": {}}


def _within(resource: Resource, known: set[str]) -> Resource:
    """A resource that depends on nothing but `known`: the engine refuses a state with dangling names."""
    if "dependencies" not in resource:
        return resource
    return {**resource, "dependencies": [urn for urn in resource["dependencies"] if urn in known]}


def _is_ours(claim: Resource, live: Resource) -> bool:
    """Whether an object carries the labels, or tags, that it was to get. A release has none: its chart is the same."""
    sent, has = claim.get("inputs") or {}, live.get("outputs") or {}
    if is_of_cloud(claim):
        return is_tagged_alike(sent, has)
    if _is_release(claim):
        status = has.get("status")
        charts = {has.get("chart"), status.get("chart") if isinstance(status, Mapping) else None} - {None, ""}
        return bool(charts) and {_chart(one) for one in charts} <= {_chart(sent.get("chart"))}
    expected = {key: value for key, value in _labels(sent).items() if key in _OURS}
    return bool(expected) and expected.items() <= _labels(has).items()


def _is_release(resource: Resource) -> bool:
    return bool(resource["type"] == names.HELM_RELEASE_TOKEN)


def _chart(name: object) -> str:
    return str(name).rpartition("/")[2]


def _labels(tree: object) -> Mapping[str, Any]:
    metadata = tree.get("metadata") if isinstance(tree, Mapping) else None
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    return labels if isinstance(labels, Mapping) else {}


def _managed(live: Resource) -> Mapping[str, Any]:
    """Outputs that name the field manager which made the object.

    The provider invents one for each object that it makes. Read back without it, the object would get a second
    one, and a field that leaves the blueprint later would stay with the first.
    """
    outputs: Mapping[str, Any] = live.get("outputs") or {}
    manager = next(_managers(outputs), None)
    return outputs if manager is None else {**outputs, "__fieldManager": manager}


def _managers(outputs: Mapping[str, Any]) -> Iterator[str]:
    metadata = outputs.get("metadata")
    for entry in (metadata.get("managedFields") if isinstance(metadata, Mapping) else None) or ():
        if entry.get("operation") == "Apply" and str(entry.get("manager", "")).startswith(_FIELD_MANAGER):
            yield str(entry["manager"])


def _without(resource: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key not in keys}
