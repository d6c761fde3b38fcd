"""Queues of a shipped stack on a control plane, and gangs that ask them: the stack's own rows, under real managers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aifactory.components.rows import HelmRow, KubernetesRow
from aifactory.components.values import plain
from aifactory.stacks.assembly.stack import Stack
from support.proving.control_plane import ControlPlane
from support.proving.kueue import start_jobset, start_kueue
from support.proving.nodes import nodes

GROUPS = ("", "scheduling.k8s.io", "kueue.x-k8s.io")
"""Of rows that a queue and its tenants' work need: namespaces with their limits, accounts, volumes, priorities."""
BLOCK = "aifactory.io/block"
WORKLOADS = "/apis/kueue.x-k8s.io/v1beta2/namespaces/{}/workloads"
PODS = "/api/v1/namespaces/{}/pods?labelSelector=jobset.sigs.k8s.io/jobset-name%3D{}"
JOBSETS = "/apis/jobset.x-k8s.io/v1alpha2/jobsets"


def body(row: KubernetesRow) -> Any:
    """An object as it is sent."""
    return plain(row.body, lambda ref: ref.row)


def rows(stack: Stack, *kinds: str) -> list[KubernetesRow]:
    """Rows of some kinds, in the order of the plan."""
    return [row for row in stack.rows if isinstance(row, KubernetesRow) and row.body["kind"] in kinds]


def start_queues(plane: ControlPlane, stack: Stack) -> None:
    """Managers with the planned configuration, the plan's nodes, and the rows that queues need. Raises Missing."""
    start_jobset(plane)
    (release,) = [row for row in stack.rows if isinstance(row, HelmRow) and row.name == "kueue"]
    values: Any = plain(release.values, lambda ref: ref.row)
    start_kueue(plane, json.loads(values["managerConfig"]["controllerManagerConfigYaml"]))
    plane.add_nodes(nodes(stack.plan))
    apply_rows(plane, stack)


def apply_rows(plane: ControlPlane, stack: Stack) -> None:
    """Make what queues need as the plan says, whatever a test made of it."""
    for row in stack.rows:
        if isinstance(row, KubernetesRow) and _group(row) in GROUPS:
            if row.namespace:
                space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": row.namespace}}
                if plane.api.get(space) is None:
                    plane.api.apply(space)  # of a release, whose chart makes it
            plane.api.apply(body(row))
            if row.body["kind"] == "PersistentVolumeClaim":
                plane.api.apply(_volume(body(row)))


def _group(row: KubernetesRow) -> str:
    return str(row.body["apiVersion"]).rpartition("/")[0]


def _volume(claim: Any) -> Any:
    """A volume for a claim: no storage is here to make one, and without it no pod of the claim finds a node."""
    name, namespace, spec = claim["metadata"]["name"], claim["metadata"]["namespace"], claim["spec"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{namespace}-{name}"},
        "spec": {
            "accessModes": spec["accessModes"],
            "capacity": spec["resources"]["requests"],
            "storageClassName": spec["storageClassName"],
            "claimRef": {"namespace": namespace, "name": name},
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": "/nowhere"},
        },
    }


def gangs(stack: Stack) -> dict[str, Any]:
    """The stack's own training jobs, by part."""
    return {row.part: body(row) for row in rows(stack, "JobSet")}


def named(gang: Any, name: str) -> Any:
    """The same job once more, under another name."""
    copy: Any = json.loads(json.dumps(gang).replace(gang["metadata"]["name"], name))
    return copy


def sized(gang: Any, count: int) -> Any:
    """The same job with another number of pods."""
    copy = named(gang, f"{gang['metadata']['name']}-of-{count}")
    copy["spec"]["replicatedJobs"][0]["template"]["spec"] |= {"completions": count, "parallelism": count}
    return copy


def size_of(gang: Any) -> int:
    """How many pods a job asks for."""
    return int(gang["spec"]["replicatedJobs"][0]["template"]["spec"]["completions"])


def gpus_of(gang: Any) -> int:
    """How many GPUs a job asks for."""
    (container,) = gang["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]["containers"]
    return size_of(gang) * int(container["resources"]["limits"]["nvidia.com/gpu"])


def pods_of(plane: ControlPlane, gang: Any) -> list[Any]:
    """Pods of a job that exist, running or not."""
    metadata = gang["metadata"]
    found: list[Any] = plane.api.call("GET", PODS.format(metadata["namespace"], metadata["name"]))["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def runs(plane: ControlPlane, gang: Any) -> bool:
    """Whether all pods of a job run."""
    phases = [pod["status"]["phase"] for pod in pods_of(plane, gang)]
    return phases == ["Running"] * size_of(gang)


def blocks(plane: ControlPlane, gang: Any) -> set[str]:
    """Blocks of the nodes that its pods run on."""
    names = {pod["spec"]["nodeName"] for pod in pods_of(plane, gang)}
    return {plane.api.call("GET", f"/api/v1/nodes/{name}")["metadata"]["labels"][BLOCK] for name in names}


def condition(plane: ControlPlane, gang: Any, kind: str) -> tuple[str, str, str]:
    """Status, reason and message of a condition of the job's Workload; empty while there is none."""
    for workload in plane.api.call("GET", WORKLOADS.format(gang["metadata"]["namespace"]))["items"]:
        if any(owner["name"] == gang["metadata"]["name"] for owner in workload["metadata"]["ownerReferences"]):
            for each in workload.get("status", {}).get("conditions", []):
                if each["type"] == kind:
                    return each["status"], each["reason"], each["message"]
    return "", "", ""


def clear(plane: ControlPlane) -> None:
    """End all jobs, and wait until nothing of them is left."""
    for gang in plane.api.call("GET", JOBSETS)["items"]:
        plane.api.delete({**gang, "apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet"})
    plane.wait(lambda: next(_left(plane), None) is None, "all jobs are gone", 180)


def _left(plane: ControlPlane) -> Iterator[Any]:
    for path in (JOBSETS, "/apis/kueue.x-k8s.io/v1beta2/workloads", "/api/v1/pods"):
        yield from plane.api.call("GET", path)["items"]
