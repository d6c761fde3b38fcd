"""An API server as tests need it: in this process, holding objects, answering what the product asks of one."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from msgspec import Struct

from aifactory.stacks.live.connection import APPLY, JSON, METADATA, METADATA_LIST, Declined, Unreachable

MOMENT = "2026-11-28T10:00:00Z"
KINDS = (
    ("v1", "Namespace", "namespaces", False),
    ("v1", "Pod", "pods", True),
    ("v1", "Service", "services", True),
    ("v1", "Endpoints", "endpoints", True),
    ("v1", "Event", "events", True),
    ("v1", "Secret", "secrets", True),
    ("v1", "ConfigMap", "configmaps", True),
    ("v1", "ServiceAccount", "serviceaccounts", True),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims", True),
    ("v1", "PersistentVolume", "persistentvolumes", False),
    ("apps/v1", "Deployment", "deployments", True),
    ("apps/v1", "ReplicaSet", "replicasets", True),
    ("apps/v1", "DaemonSet", "daemonsets", True),
    ("batch/v1", "Job", "jobs", True),
    ("coordination.k8s.io/v1", "Lease", "leases", True),
    ("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", True),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", False),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", False),
    (
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        False,
    ),
    ("apiregistration.k8s.io/v1", "APIService", "apiservices", False),
    ("kueue.x-k8s.io/v1beta2", "ClusterQueue", "clusterqueues", False),
    ("kueue.x-k8s.io/v1beta2", "LocalQueue", "localqueues", True),
)


class Call(Struct, frozen=True):
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    accept: str


class FakeServer:
    """Objects of one cluster, and a connection to it."""

    def __init__(self) -> None:
        self.kinds = list(KINDS)
        self.objects: dict[str, dict[str, Any]] = {}
        self.calls: list[Call] = []
        self.down = ""
        """Why nobody answers, if nobody does."""
        self.declines: dict[str, tuple[int, str]] = {}
        """What is said no to: the beginning of a path, code and message."""
        self.page = 0
        """Most items of one page, whatever is asked; 0 for all."""

    def put(self, body: Mapping[str, Any], *, manager: str = "", **metadata: Any) -> dict[str, Any]:
        """Hold an object. `manager` is who set each of its fields."""
        kept = copy.deepcopy(dict(body))
        version, kind = str(kept["apiVersion"]), str(kept["kind"])
        plural, namespaced = next((one[2], one[3]) for one in self.kinds if one[:2] == (version, kind))
        kept["metadata"] = {
            "uid": f"uid-{len(self.objects)}",
            "resourceVersion": "1",
            "creationTimestamp": MOMENT,
            **kept["metadata"],
            **metadata,
        }
        if manager:
            fields = fields_of({key: kept[key] for key in kept if key not in ("apiVersion", "kind", "status")})
            entry = {"manager": manager, "operation": "Update", "time": MOMENT, "fieldsV1": fields}
            kept["metadata"].setdefault("managedFields", []).append(entry)
        space = f"/namespaces/{kept['metadata']['namespace']}" if namespaced else ""
        self.objects[f"{_root(version)}{space}/{plural}/{kept['metadata']['name']}"] = kept
        return kept

    def remove(self, kind: str, name: str) -> None:
        """Forget an object."""
        for path, kept in list(self.objects.items()):
            if (kept["kind"], kept["metadata"]["name"]) == (kind, name):
                del self.objects[path]

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        *,
        accept: str = JSON,
        content: str = JSON,
    ) -> Any:
        """One request, as `Connection` has it."""
        self.calls.append(Call(method, path, dict(query or {}), accept))
        if self.down:
            raise Unreachable(self.down)
        for beginning, (code, says) in self.declines.items():
            if path.startswith(beginning):
                raise Declined(code, says)
        if method == "GET":
            return self._get(path, query or {}, accept)
        if method == "PATCH":
            assert (content, (query or {})["dryRun"]) == (APPLY, "All"), "only a dry run may be sent"
            kept = self._kept(path)
            return _merged(kept, body)
        assert method == "DELETE"
        kept = self._kept(path)
        sure = (body or {})["preconditions"]  # type: ignore[index] # a deletion of ours is sure of what it deletes
        if sure["uid"] != kept["metadata"]["uid"]:
            raise Declined(409, "another uid")
        if kept["metadata"].get("finalizers"):
            self.objects[path]["metadata"]["deletionTimestamp"] = MOMENT
            return kept
        return self.objects.pop(path)

    def _get(self, path: str, query: Mapping[str, str], accept: str) -> Any:
        if path == "/apis":
            return {"groups": list(self._groups())}
        if (version := _version(path)) is not None:
            return self._discovery(version)
        if path in self.objects:
            kept = copy.deepcopy(self.objects[path])
            return kept if accept == JSON else {"kind": "PartialObjectMetadata", "metadata": kept["metadata"]}
        if path.rpartition("/")[2] in {one[2] for one in self.kinds}:
            return self._list(path, query, accept)
        raise Declined(404, "not found")

    def _kept(self, path: str) -> dict[str, Any]:
        if path not in self.objects:
            raise Declined(404, "not found")
        return copy.deepcopy(self.objects[path])

    def _groups(self) -> Iterator[dict[str, Any]]:
        for version in dict.fromkeys(one[0] for one in self.kinds if "/" in one[0]):
            entry = {"groupVersion": version, "version": version.partition("/")[2]}
            yield {"name": version.partition("/")[0], "preferredVersion": entry, "versions": [entry]}

    def _discovery(self, version: str) -> Any:
        found = [one for one in self.kinds if one[0] == version]
        if not found:
            raise Declined(404, "not found")
        verbs = ["get", "list", "patch", "delete"]
        resources = [
            {"name": plural, "kind": kind, "namespaced": spaced, "verbs": verbs} for _, kind, plural, spaced in found
        ]
        return {"resources": [*resources, {"name": f"{found[0][2]}/status", "kind": found[0][1], "namespaced": True}]}

    def _list(self, path: str, query: Mapping[str, str], accept: str) -> Any:
        assert accept in (METADATA_LIST, JSON)
        assert accept != JSON or not path.endswith("/secrets"), "Secrets are never read whole"
        space, plural = _place(path)
        root = path.partition("/namespaces/")[0] if space else path.rpartition("/")[0]
        wanted = dict(each.split("=") for each in query.get("labelSelector", "").split(",") if each)
        items = [
            kept if accept == JSON else {"metadata": kept["metadata"]}
            for where, kept in self.objects.items()
            if where.startswith(f"{root}/")
            and _place(where.rpartition("/")[0])[1] == plural
            and (not space or kept["metadata"].get("namespace") == space)
            and wanted.items() <= (kept["metadata"].get("labels") or {}).items()
        ]
        first, size = int(query.get("continue", 0)), min(int(query.get("limit", 10**6)), self.page or 10**6)
        last = first + size
        more = {"continue": str(last)} if last < len(items) else {}
        return {"metadata": more, "items": copy.deepcopy(items[first:last])}


def fields_of(tree: Any) -> dict[str, Any]:
    """`fieldsV1` of a tree, all of whose fields one manager set. Lists are set as one."""
    if not isinstance(tree, dict):
        return {}
    return {f"f:{key}": fields_of(value) for key, value in tree.items()}


def _merged(kept: Any, applied: Any) -> Any:
    """What a server would make of it: maps merge, all else is replaced."""
    if isinstance(kept, dict) and isinstance(applied, Mapping):
        return {**kept, **{key: _merged(kept.get(key), value) for key, value in applied.items()}}
    return copy.deepcopy(applied)


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


def _version(path: str) -> str | None:
    steps = path.strip("/").split("/")
    if steps[0] == "api" and len(steps) == 2:
        return steps[1]
    return "/".join(steps[1:]) if steps[0] == "apis" and len(steps) == 3 else None


def _place(path: str) -> tuple[str, str]:
    """Namespace and plural of the path of a list."""
    steps = path.split("/")
    space = steps[-2] if len(steps) > 2 and steps[-3] == "namespaces" else ""
    return space, steps[-1]


def answer(server: FakeServer, method: str, address: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """What a server of HTTP says for a request: code and body."""
    path, _, query = address.partition("?")
    data = json.loads(body) if body else None
    accept, content = headers.get("Accept", JSON), headers.get("Content-Type", JSON)
    try:
        said = server.call(method, path, dict(parse_qsl(query)), data, accept=accept, content=content)
    except Declined as declined:
        return declined.code, json.dumps({"kind": "Status", "message": declined.says}).encode()
    return 200, json.dumps(said).encode()


__all__ = ["KINDS", "METADATA", "MOMENT", "Call", "FakeServer", "answer", "fields_of"]
