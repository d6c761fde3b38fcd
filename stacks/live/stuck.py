"""Why an object that is being deleted is still there, and the command that would remove one."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from aifactory.stacks.live.cluster import Cluster, Thing
from aifactory.stacks.live.ours import Held

OF_THE_CLUSTER = {
    "foregroundDeletion": "objects that it owns",
    "orphan": "objects that it owns to be let go",
    "kubernetes": "what it holds",
    "kubernetes.io/pvc-protection": "pods that use it",
    "kubernetes.io/pv-protection": "the claim that it is bound to",
    "customresourcecleanup.apiextensions.k8s.io": "objects of its kind",
    "service.kubernetes.io/load-balancer-cleanup": "the cloud's load balancer to be removed",
    "batch.kubernetes.io/job-tracking": "its Job to count it",
}
"""Finalizers that the cluster itself removes, and what it waits for."""
REASONS = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
)
"""Conditions of a namespace that say why it stays."""
NO_FINALIZERS = '{"metadata":{"finalizers":null}}'


def why_leaving(cluster: Cluster, thing: Thing, held: Held) -> str:
    """Why an object that is being deleted is still there."""
    if thing.kind.kind == "Namespace" and not thing.kind.group:
        return f"Terminating since {thing.leaving}: {_of_namespace(cluster.object(thing.kind, '', thing.name))}"
    waits = [_finalizer(name, held) for name in thing.finalizers]
    return f"being deleted since {thing.leaving}" + (f", and {'; '.join(waits)}" if waits else "")


def removal_line(thing: Thing, context: str) -> str:
    """The kubectl command that would remove an object; empty for a namespace that goes when what it holds is gone."""
    words = ["kubectl", *(["--context", context] if context else [])]
    where = ["--namespace", thing.namespace] if thing.namespace else []
    if not thing.leaving:
        return shlex.join([*words, "delete", thing.kind.resource, thing.name, *where])
    if any(name not in OF_THE_CLUSTER for name in thing.finalizers):
        return shlex.join(
            [*words, "patch", thing.kind.resource, thing.name, *where, "--type=merge", f"--patch={NO_FINALIZERS}"]
        )
    return ""


def _finalizer(name: str, held: Held) -> str:
    if name in OF_THE_CLUSTER:
        return f"waits for {OF_THE_CLUSTER[name]} (finalizer {name})"
    domain = name.partition("/")[0]
    for definition, release in held.definitions.items():
        group = definition.partition(".")[2]
        if (domain == group or domain.endswith(f".{group}") or group.endswith(f".{domain}")) and not release.stays:
            return f"has finalizer {name}, whose controller, release {release.name}, is gone"
    return f"has finalizer {name}, which its controller hasn't removed; nobody will if that is gone"


def _of_namespace(found: Mapping[str, Any] | None) -> str:
    status = (found or {}).get("status") or {}
    conditions = {each["type"]: each for each in status.get("conditions") or () if each.get("status") == "True"}
    says = [str(conditions[name].get("message") or name) for name in REASONS if name in conditions]
    return "; ".join(says) or "what it holds is being removed"
