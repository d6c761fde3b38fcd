"""What a site gives a factory, on a control plane: nodes, definitions, storage, and operators that do their part.

The operators of real clusters need images; here a driver does what each of them documents: it sets the status that
the gates of the rows wait for, and makes the volumes that claims ask for. What has a controller in Kubernetes itself
(Deployments, DaemonSets, Jobs, quotas, namespaces, garbage) is left to that.
Source: shared facts on the order of installation, and the status fields of each definition.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from aifactory.components.rows import HelmRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.planning.model import StackPlan
from support.proving.api import Api, Refused
from support.proving.charts import definition, kinds
from support.proving.control_plane import ControlPlane
from support.proving.loop import Loop
from support.proving.nodes import PODS_OF_A_NODE, nodes
from support.schemas import Schemas

PROVISIONER = "volumes.example.com"
_READY: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("nvidia.com/v1alpha1", "NVIDIADriver", {"state": "ready"}),
    ("mellanox.com/v1alpha1", "NicClusterPolicy", {"state": "ready"}),
    ("mellanox.com/v1alpha1", "NicNodePolicy", {"state": "ready"}),
    ("cert-manager.io/v1", "Issuer", {"conditions": "Ready"}),
    ("cert-manager.io/v1", "Certificate", {"conditions": "Ready"}),
    ("kueue.x-k8s.io/v1beta2", "ClusterQueue", {"conditions": "Active"}),
    ("gateway.networking.k8s.io/v1", "Gateway", {"conditions": "Programmed"}),
    ("serving.kserve.io/v1beta1", "InferenceService", {"conditions": "Ready"}),
    ("postgresql.cnpg.io/v1", "Cluster", {"conditions": "Ready"}),
    ("ceph.rook.io/v1", "CephCluster", {"phase": "Ready"}),
    ("ceph.rook.io/v1", "CephBlockPool", {"phase": "Ready"}),
    ("ceph.rook.io/v1", "CephFilesystem", {"phase": "Ready"}),
    ("ceph.rook.io/v1", "CephFilesystemSubVolumeGroup", {"phase": "Ready"}),
    ("ceph.rook.io/v1", "CephObjectStore", {"phase": "Ready"}),
)
"""Kinds whose operators aren't here, and the status that tells that they did their part."""


def give(plane: ControlPlane, stack: Stack, schemas: Schemas) -> None:
    """Make the plane what the site of a stack is before anything is deployed."""
    plan = stack.plan
    plane.add_nodes([*nodes(plan), *_service_nodes(plan)])
    for given in plan.place.cluster.storage_classes:
        plane.api.apply(
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {"name": given.name},
                "provisioner": PROVISIONER,
                "reclaimPolicy": "Delete",
                "volumeBindingMode": "Immediate",
            }
        )
    plane.define(given_definitions(stack, schemas))


def given_definitions(stack: Stack, schemas: Schemas) -> Iterator[Any]:
    """Definitions that the rows need and no release of theirs brings: the site has them."""
    brought = {crd for row in stack.rows if isinstance(row, HelmRow) for crd in row.crds}
    names = schemas.crd_names()
    for key in sorted(kinds(stack.rows) & names.keys()):
        if names[key] not in brought:
            yield definition(schemas, *key)


def _service_nodes(plan: StackPlan) -> Iterator[dict[str, Any]]:
    for group in plan.place.nodes:
        if group.accelerator:
            continue
        for rack in group.racks:
            for name in rack.nodes:
                room = {"cpu": str(group.cpus), "memory": f"{group.memory_gib}Gi", "pods": PODS_OF_A_NODE}
                labels = {"kubernetes.io/hostname": name}
                status = {"capacity": room, "allocatable": room}
                yield {
                    "apiVersion": "v1",
                    "kind": "Node",
                    "metadata": {"name": name, "labels": labels},
                    "status": status,
                }


class Operators(Loop):
    """Does the part of operators until it is left. Use it as a context.

    `broken` maps `Kind/name` to the status that an operator reports instead of ready; an empty one is never set.
    """

    def __init__(self, api: Api, seed: int = 0, broken: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """`seed` decides how long each takes, up to 0.3 s."""
        super().__init__(pause_s=0.5)
        self._api = api
        self._random = random.Random(seed)
        self._broken = dict(broken or {})
        self._due: dict[str, float] = {}

    def steps(self) -> Iterator[Callable[[], None]]:
        """One kind of object at a time: a definition that is gone must not keep the others from being served."""
        for version, kind, ready in _READY:
            yield partial(self._finish_all, version, kind, ready)
        yield self._volumes

    def _finish_all(self, version: str, kind: str, ready: Mapping[str, Any]) -> None:
        for body in self._items(version, kind):
            self._finish(body, ready)

    def _items(self, version: str, kind: str) -> list[dict[str, Any]]:
        try:
            root = self._api.path({"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "x"}})
        except Refused:
            return []
        parts = [part for part in root.split("/")[:-1] if part]
        whole = "/".join(parts[:3] if parts[0] == "apis" else parts[:2])
        found = self._api.call("GET", f"/{whole}/{parts[-1]}")["items"]
        return [{"apiVersion": version, "kind": kind, **each} for each in found]

    def _finish(self, body: dict[str, Any], ready: Mapping[str, Any]) -> None:
        metadata = body["metadata"]
        name = f"{body['kind']}/{metadata['name']}"
        status = self._broken.get(name, _status(ready, metadata.get("generation", 1)))
        wanted = {key: value for key, value in status.items() if key != "conditions"}
        done = body.get("status", {})
        met = {each["type"]: each["status"] for each in done.get("conditions") or []}
        asked = {each["type"]: each["status"] for each in status.get("conditions", [])}
        if not status or (all(done.get(k) == v for k, v in wanted.items()) and asked.items() <= met.items()):
            return
        due = self._due.setdefault(metadata["uid"], time.monotonic() + self._random.random() * 0.3)
        if time.monotonic() >= due:
            path = f"{self._api.path(body)}/status"
            self._api.call("PATCH", path, {"status": status}, "application/merge-patch+json")

    def _volumes(self) -> None:
        claims = self._api.call("GET", "/api/v1/persistentvolumeclaims")["items"]
        volumes = {
            each["metadata"]["name"]: each for each in self._api.call("GET", "/api/v1/persistentvolumes")["items"]
        }
        for claim in claims:
            name = f"pvc-{claim['metadata']['uid']}"
            if claim.get("status", {}).get("phase") == "Pending" and name not in volumes:
                self._api.apply(_volume(name, claim))
        for name, volume in volumes.items():
            if volume.get("status", {}).get("phase") == "Released" and "deletionTimestamp" not in volume["metadata"]:
                self._api.call("DELETE", f"/api/v1/persistentvolumes/{name}")


def _status(ready: Mapping[str, Any], generation: int) -> dict[str, Any]:
    if "conditions" not in ready:
        return dict(ready)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {
        "type": ready["conditions"],
        "status": "True",
        "reason": "Done",
        "message": "done by the driver",
        "lastTransitionTime": now,
        "observedGeneration": generation,
    }
    return {"conditions": [condition]}


def _volume(name: str, claim: dict[str, Any]) -> dict[str, Any]:
    metadata, spec = claim["metadata"], claim["spec"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "storageClassName": spec.get("storageClassName", ""),
            "persistentVolumeReclaimPolicy": "Delete",
            "csi": {"driver": PROVISIONER, "volumeHandle": name},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
            },
        },
    }
