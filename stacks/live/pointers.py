"""Objects without a namespace that point into one: webhooks, API services and volumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from aifactory.stacks.live.cluster import Cluster, Thing
from aifactory.stacks.live.ours import Held

WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")


class Pointer(Struct, frozen=True):
    """What an object points to that was ours."""

    part: str
    says: str
    expected: bool
    leaving: bool = False
    """Whether somebody is at work on its removal, as the provisioner of a volume is."""


Pointers = Mapping[str, Pointer]
"""By identity of the object that points."""


def pointers(cluster: Cluster, things: list[Thing], held: Held) -> Pointers:
    """What points into namespaces that were made by us, or to claims that were."""
    there = {thing.row for thing in things}
    kinds = {thing.kind.kind: thing.kind for thing in things}
    found: dict[str, Pointer] = {}
    for name in (*WEBHOOKS, "APIService"):
        for each in cluster.objects(kinds[name]) if name in kinds else ():
            group = kinds[name].group
            for space, service in _services(each):
                if space in held.namespaces:
                    row = f"{name}.{group}/{each['metadata']['name']}"
                    found[row] = _to_service(held, space, service, gone=f"Service/{space}/{service}" not in there)
    if "PersistentVolume" in kinds:
        for each in cluster.objects(kinds["PersistentVolume"]):
            pointer = _to_claim(each, held, there)
            if pointer is not None:
                found[f"PersistentVolume/{each['metadata']['name']}"] = pointer
    return found


def _services(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    clients = [each.get("clientConfig") or {} for each in found.get("webhooks") or ()]
    for client in (*clients, found.get("spec") or {}):
        service = client.get("service")
        if service:
            yield str(service.get("namespace", "")), str(service.get("name", ""))


def _to_service(held: Held, space: str, service: str, *, gone: bool) -> Pointer:
    row = held.namespaces[space]
    says = f"asks Service {space}/{service}"
    if gone:
        says += ", which is gone: the cluster refuses, or waits for, what it should be asked about"
    return Pointer(row.part, says, expected=bool(row.stays) and not gone)


def _to_claim(volume: Mapping[str, Any], held: Held, there: set[str]) -> Pointer | None:
    spec = volume.get("spec") or {}
    claim = spec.get("claimRef") or {}
    space, name = str(claim.get("namespace", "")), str(claim.get("name", ""))
    row = held.rows.get(f"PersistentVolumeClaim/{space}/{name}") or held.namespaces.get(space)
    if row is None:
        return None
    if f"PersistentVolumeClaim/{space}/{name}" in there:
        return Pointer(row.part, f"the volume of claim {space}/{name}", expected=bool(row.stays))
    if spec.get("persistentVolumeReclaimPolicy") == "Retain":
        says = f"its claim {space}/{name} is gone; its reclaim policy Retain keeps the volume and its data"
        return Pointer(row.part, says, expected=True)
    return Pointer(
        row.part, f"its claim {space}/{name} is gone, and the volume isn't yet", expected=False, leaving=True
    )
