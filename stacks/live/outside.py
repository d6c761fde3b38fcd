"""What objects of a cluster have outside of it: load balancers and volumes of a cloud, which go when the object goes.

Somebody in the cluster removes them: until that is done, the object stays, and with it all that the load balancer or
volume is in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from aifactory.stacks.live.cluster import Cluster, Thing

BALANCER, VOLUME = "load balancer", "volume"


class Outside(Struct, frozen=True):
    """An object with something outside of the cluster."""

    thing: Thing
    what: str
    """`BALANCER` or `VOLUME`."""
    handle: str
    """What that is called there, as far as the object says: a host name, the id of a volume."""
    claim: tuple[str, str] = ("", "")
    """Namespace and name of the claim that a volume is bound to."""
    goes: bool = True
    """Whether it goes when its object, or its claim, goes."""

    @property
    def claim_row(self) -> str:
        """Identity of the row that its claim would be."""
        return f"PersistentVolumeClaim/{'/'.join(self.claim)}"

    @property
    def row(self) -> str:
        """What a person deletes for it to go: a Service, a claim, or the volume itself where it is bound to none."""
        return self.claim_row if self.claim[1] else self.thing.row


def balancers(cluster: Cluster) -> list[Outside]:
    """Services of type LoadBalancer. What can't be listed is noted in `cluster.unread`."""
    found = []
    for body, thing in _all(cluster, "Service"):
        if (body.get("spec") or {}).get("type") == "LoadBalancer":
            points = ((body.get("status") or {}).get("loadBalancer") or {}).get("ingress") or [{}]
            found.append(Outside(thing, BALANCER, str(points[0].get("hostname") or points[0].get("ip") or "")))
    return found


def volumes(cluster: Cluster) -> list[Outside]:
    """Volumes that a driver made. What can't be listed is noted in `cluster.unread`."""
    found = []
    for body, thing in _all(cluster, "PersistentVolume"):
        spec = body.get("spec") or {}
        driver = spec.get("csi")
        if driver:
            claim = spec.get("claimRef") or {}
            named = (str(claim.get("namespace") or ""), str(claim.get("name") or ""))
            goes = spec.get("persistentVolumeReclaimPolicy") == "Delete"
            found.append(Outside(thing, VOLUME, str(driver.get("volumeHandle") or ""), named, goes))
    return found


def claim_of(cluster: Cluster, volume: Outside) -> Thing | None:
    """The claim of a volume, None if it is gone."""
    kind = cluster.kind("v1", "PersistentVolumeClaim")
    return cluster.thing(kind, *volume.claim) if kind is not None else None


def _all(cluster: Cluster, name: str) -> Iterator[tuple[dict[str, Any], Thing]]:
    kind = cluster.kind("v1", name)
    if kind is None:
        return
    for body in cluster.objects(kind):
        yield body, Thing(kind, body["metadata"])
