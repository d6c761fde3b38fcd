"""What is sent for one row: the object, or the release, with everything that Pulumi must do about it."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pulumi

from aifactory.components.rows import CloudRow, Gate, HelmRow, KubernetesRow, ResourceRow
from aifactory.components.values import canonical_json
from aifactory.stacks.assembly.rowset import CloudEntry, ClusterEntry
from aifactory.stacks.program.lowering import Resolve, lower

WAIT_ANNOTATION = "pulumi.com/waitFor"
SKIP_ANNOTATION = "pulumi.com/skipAwait"
_AWAITS_PODS = frozenset(("DaemonSet", "Deployment", "Job", "Pod", "Service", "StatefulSet"))
"""Kinds that the provider waits for by itself, ten minutes at most, until their pods are there."""
_KEPT_REVISIONS = 10


@cache
def plugin_version(package: str = "kubernetes") -> str:
    """Version of a provider that belongs to the installed SDK, read without the time of importing it."""
    return version(f"pulumi-{package}")


def cloud_inputs(cloud: CloudEntry) -> dict[str, str]:
    """Inputs of the provider of a cloud. It refuses to work in another account; credentials are the user's own.

    Values that are no text go as JSON, as the typed provider class sends them.
    """
    return {"allowedAccountIds": canonical_json([cloud.account]), "region": cloud.region}


def provider_inputs(cluster: ClusterEntry, kubeconfig: str, root: Path) -> dict[str, str]:
    """Inputs of the stack's provider. The kubeconfig goes as a path, so its content never lies in the state.

    `enableConfigMapMutable` makes a changed ConfigMap an update: by default it is deleted and made anew, and
    a pod that starts in between finds none. `enablePatchForce` lets an update have fields that a hand edit took:
    by default it fails on them, and what drifted could not be mended. Flags are JSON text, as the typed provider
    class sends them.
    """
    return {
        "clusterIdentifier": cluster.identifier,
        "context": cluster.context,
        "enableConfigMapMutable": "true",
        "enablePatchForce": "true",
        "kubeconfig": provider_kubeconfig(cluster, kubeconfig, root),
    }


def provider_kubeconfig(cluster: ClusterEntry, instead: str, root: Path) -> str:
    """The kubeconfig as the provider takes it: a path; of a cluster that we make, the content.

    That holds a command that signs in, and no credentials.
    """
    if cluster.kubeconfig and not instead:
        return canonical_json(cluster.kubeconfig)
    return kubeconfig_path(instead or cluster.kubeconfig_file, root)


def kubeconfig_path(file: str, root: Path) -> str:
    """The path of a kubeconfig as the provider takes it.

    A path below `~` stays as written, for the provider to expand, so that the state is the same whoever runs
    it. A relative path counts from `root`: the provider takes a path that it can't find for the content.
    """
    return file if file.startswith("~") else str(root.absolute() / file)


def inputs(row: ResourceRow, resolve: Resolve) -> dict[str, Any]:
    """Everything that is sent for a row, by wire name."""
    if isinstance(row, CloudRow):
        properties: dict[str, Any] = lower(row.properties, resolve)
        return properties
    return _object(row, resolve) if isinstance(row, KubernetesRow) else _release(row, resolve)


def timeouts(row: ResourceRow) -> pulumi.CustomTimeouts | None:
    """How long the provider waits for a row. Ranks above `pulumi.com/timeoutSeconds`; stays off the object.

    A release says it in its inputs, where Helm reads it.
    """
    if isinstance(row, HelmRow):
        return None
    ready_s = max(row.timeout_s, row.gate.timeout_s if row.gate else 0)
    gone = f"{row.timeout_s}s" if row.timeout_s else None
    return pulumi.CustomTimeouts(create=f"{ready_s}s", update=f"{ready_s}s", delete=gone) if ready_s else None


def wait_for(gate: Gate) -> str:
    """The text of `pulumi.com/waitFor` for a gate."""
    return f"condition={gate.condition}" if gate.condition else f"jsonpath={{{gate.path}}}={gate.value}"


def awaiting(row: KubernetesRow) -> dict[str, str]:
    """Annotations that tell the provider what to wait for: the gate, and nothing of its own choice.

    A Service waits for pods behind it. Where those come after the Service, as behind an InferencePool, neither
    would ever be; where they fetch weights first, ten minutes are too few.
    """
    if row.gate is not None:
        return {WAIT_ANNOTATION: wait_for(row.gate)}
    return {SKIP_ANNOTATION: "true"} if row.body["kind"] in _AWAITS_PODS else {}


def _object(row: KubernetesRow, resolve: Resolve) -> dict[str, Any]:
    body: dict[str, Any] = lower(row.body, resolve)
    added = awaiting(row)
    if not added:
        return body
    metadata = body["metadata"]
    return {**body, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), **added}}}


def _release(row: HelmRow, resolve: Resolve) -> dict[str, Any]:
    """Inputs of `helm.sh/v3:Release`.

    Not atomic: a failed install stays to be looked at, and the next `up` goes on from it. `cleanupOnFail`: a
    failed upgrade leaves no objects behind that belong to no revision. Ten revisions are kept, as Helm does;
    the provider's default is all of them. `compat` is what the typed class always sends.
    """
    oci = row.repository.startswith("oci://")
    return {
        "chart": f"{row.repository.rstrip('/')}/{row.chart}" if oci else row.chart,
        "cleanupOnFail": True,
        "compat": "true",
        "maxHistory": _KEPT_REVISIONS,
        "name": row.name,
        "namespace": row.namespace,
        **({} if oci else {"repositoryOpts": {"repo": row.repository}}),
        "timeout": row.timeout_s,
        "values": lower(row.values, resolve),
        "version": row.version,
    }
