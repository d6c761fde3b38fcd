"""The live view of a real API server: drift that hands made, what stands in the way, what remains and why."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.rows import HelmRow, KubernetesRow
from aifactory.stacks.assembly.rowset import RowSet, row_set
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.live.cluster import Cluster
from aifactory.stacks.live.collisions import collisions
from aifactory.stacks.live.connection import KubeconfigConnection
from aifactory.stacks.live.definitions import delete_unused
from aifactory.stacks.live.drift import Drift, drifts
from aifactory.stacks.live.ours import Held, HeldRelease, HeldRow, definitions_of
from aifactory.stacks.live.remains import Finding, remains
from support import shipped
from support.proving import applied
from support.proving.applied import space
from support.proving.control_plane import CONTEXT, ControlPlane
from support.schemas import Schemas

pytestmark = pytest.mark.cluster

NAME = "training-roce-fra-dc1-platform"
QUEUE = "ClusterQueue.kueue.x-k8s.io/teams-research"


def cluster(plane: ControlPlane) -> Cluster:
    return Cluster(KubeconfigConnection(plane.kubeconfig, CONTEXT))


def stack(name: str = NAME) -> Stack:
    return shipped.stacks()[name]


def rows(name: str = NAME) -> RowSet:
    return row_set(stack(name), "sha256:none")


def held(*, protected: tuple[str, ...] = ()) -> Held:
    """All of the stack, of which only what is named stays."""
    made = {
        row.id: HeldRow(row.id, row.part, "protected" if row.id in protected else "") for row in stack().cluster_rows
    }
    releases = tuple(
        HeldRelease(row.namespace, row.name, row.chart, row.version, row.part)
        for row in stack().cluster_rows
        if isinstance(row, HelmRow)
    )
    return Held(stack().plan.factory, "fra-dc1", made, releases, definitions_of(Catalog.shipped(), releases))


def patch(plane: ControlPlane, row: str, change: dict[str, Any], manager: str) -> None:
    """Change an object as a person's tool does."""
    found = stack().by_id[row]
    assert isinstance(found, KubernetesRow)
    path = f"{plane.api.path(applied.body(found))}?fieldManager={manager}"
    plane.api.call("PATCH", path, change, "application/merge-patch+json")


def of(found: list[Finding], row: str) -> Finding:
    [one] = [finding for finding in found if finding.row == row]
    return one


@pytest.mark.parametrize("name", shipped.GIVEN)
def test_a_cluster_that_is_as_planned_shows_no_drift(plane: ControlPlane, schemas: Schemas, name: str) -> None:
    applied.deploy(plane, name, schemas)
    found = drifts(cluster(plane), stack(name))
    assert [(drift.row, drift.says, drift.live, drift.planned) for drift in found.found] == []
    assert found.compared == len(list(stack(name).cluster_rows))
    assert found.unread == ()


def test_what_hands_changed_is_named_with_both_values_and_the_hand(plane: ControlPlane, schemas: Schemas) -> None:
    applied.deploy(plane, NAME, schemas)
    patch(plane, QUEUE, {"spec": {"stopPolicy": "Hold"}}, "kubectl-edit")
    patch(plane, "ResourceQuota/research/quota", {"spec": {"hard": {"requests.nvidia.com/gpu": "7"}}}, "kubectl-patch")
    labels = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}
    patch(plane, "Namespace/research", labels, "somebody")
    policy = stack().by_id["NetworkPolicy.networking.k8s.io/research/default-deny"]
    assert isinstance(policy, KubernetesRow)
    plane.api.delete(applied.body(policy))
    stray = {**applied.body(policy), "metadata": {**applied.body(policy)["metadata"], "name": "stray"}}
    plane.api.apply(stray)
    plane.api.apply(applied.record("kueue-system", "kueue", status="failed", revision=2))
    found = {(drift.row, drift.path): drift for drift in drifts(cluster(plane), stack()).found}
    told = {key: (drift.verb, drift.part, drift.live, drift.planned, _hand(drift)) for key, drift in found.items()}
    quota = told.pop(("ResourceQuota/research/quota", 'spec.hard["requests.nvidia.com/gpu"]'))
    assert quota == ("changed", "cluster", "7", "64", "kubectl-patch")
    enforce = told.pop(("Namespace/research", 'metadata.labels["pod-security.kubernetes.io/enforce"]'))
    assert enforce[2:] == ("privileged", enforce[3], "somebody")
    assert told == {
        (QUEUE, "spec.stopPolicy"): ("changed", "teams", "Hold", told[QUEUE, "spec.stopPolicy"][3], "kubectl-edit"),
        (policy.id, ""): ("missing", "cluster", None, None, ""),
        ("NetworkPolicy.networking.k8s.io/research/stray", ""): ("extra", "cluster", None, None, "aifactory-proving"),
        ("Release/kueue-system/kueue", "status"): ("changed", "cluster", "failed", "deployed", ""),
    }


def _hand(drift: Drift) -> str:
    return drift.by.manager if drift.by else ""


def test_an_empty_cluster_has_nothing_in_the_way_and_all_missing(plane: ControlPlane) -> None:
    there = collisions(cluster(plane), rows(), frozenset())
    assert (there.foreign, there.leftovers) == ((), ())
    found = drifts(cluster(plane), stack()).found
    assert {drift.verb for drift in found} == {"missing"}


def test_what_others_made_stands_in_the_way_and_leftovers_are_told_apart(plane: ControlPlane, schemas: Schemas) -> None:
    applied.define(plane, applied.objects(NAME), schemas)
    plane.api.apply(space("research"))
    namespace = stack().by_id["Namespace/kueue-system"]
    assert isinstance(namespace, KubernetesRow)
    plane.api.apply(applied.body(namespace))
    labelled = {**space("jobset-system"), "metadata": {"name": "jobset-system", "labels": {"team": "others"}}}
    plane.api.apply(labelled)
    plane.api.apply(applied.record("jobset-system", "jobset"))
    plane.api.apply(applied.record("kueue-system", "kueue"))
    there = collisions(cluster(plane), rows(), frozenset())
    assert [one.row for one in there.foreign] == [
        "Namespace/jobset-system",
        "Namespace/research",
        "Release/jobset-system/jobset",
    ]
    assert [one.row for one in there.leftovers] == ["Namespace/kueue-system", "Release/kueue-system/kueue"]
    assert "aifactory-proving made it, 20" in there.foreign[0].says
    known = frozenset(one.row for one in (*there.foreign, *there.leftovers))
    again = collisions(cluster(plane), rows(), known)
    assert (again.foreign, again.leftovers) == ((), ())


def test_a_removed_stack_leaves_nothing_but_its_definitions(plane: ControlPlane, schemas: Schemas) -> None:
    before = set(plane.api.all())
    made = applied.deploy(plane, NAME, schemas)
    _destroy(plane)
    # The garbage collector learns of new kinds every half minute.
    plane.wait(lambda: all(each.expected for each in remains(cluster(plane), held()).left), "the rest goes", 120)
    found = remains(cluster(plane), held())
    assert {finding.name for finding in found.left} == {each["metadata"]["name"] for each in made} & set(
        held().definitions
    )
    assert all("kept unless --remove-crds asks" in finding.reason for finding in found.left)
    deleted = delete_unused(cluster(plane), held())
    assert sorted(deleted) == sorted(finding.name for finding in found.left)
    plane.wait(lambda: not remains(cluster(plane), held()).left, "nothing remains")
    foreign = {f"CustomResourceDefinition.apiextensions.k8s.io//{each['metadata']['name']}" for each in made}
    assert {name for name in set(plane.api.all()) - before if not _is_of_the_server(name)} <= foreign


def _is_of_the_server(name: str) -> bool:
    """What the server keeps for itself: its leases, and services of the kinds that it serves."""
    return name.partition("/")[0] in ("Lease.coordination.k8s.io", "APIService.apiregistration.k8s.io")


def _destroy(plane: ControlPlane, *, without: tuple[str, ...] = ()) -> None:
    """Delete the rows in reverse, and Helm's records with their namespaces."""
    for row in reversed(list(stack().cluster_rows)):
        if isinstance(row, KubernetesRow) and row.id not in without:
            plane.api.delete(applied.body(row))
        elif isinstance(row, HelmRow):
            plane.api.delete(applied.record(row.namespace, row.name))
    gone = [
        row
        for row in stack().cluster_rows
        if isinstance(row, KubernetesRow) and row.body["kind"] == "Namespace" and row.id not in without
    ]
    plane.wait(lambda: all(plane.api.get(applied.body(row)) is None for row in gone), "namespaces are gone")


def test_what_remains_is_named_with_its_reason(plane: ControlPlane, schemas: Schemas) -> None:
    applied.deploy(plane, NAME, schemas)
    _spoil(plane)
    _destroy(plane, without=("Namespace/research", "Namespace/product"))
    plane.api.delete(space("product"))
    kept = ("Namespace/research",)
    plane.wait(lambda: "Terminating" in _reason(plane, kept, "Namespace/product"), "a namespace is stuck")
    crd = "CustomResourceDefinition.apiextensions.k8s.io/localqueues.kueue.x-k8s.io"
    plane.wait(lambda: "and 1 exists" in _reason(plane, kept, crd), "the garbage collector is done", 120)
    plane.wait(lambda: "finalizer" in _reason(plane, kept, "Namespace/product"), "the controller says why")
    found = list(remains(cluster(plane), held(protected=kept)).left)
    assert (of(found, "Namespace/research").expected, of(found, "Namespace/product").expected) == (True, False)
    assert of(found, "Namespace/research").reason == "kept because it is protected"
    stuck = of(found, "LocalQueue.kueue.x-k8s.io/product/stuck")
    assert "has finalizer kueue.x-k8s.io/in-use, whose controller, release kueue, is gone" in stuck.reason
    assert '"finalizers":null' in stuck.remove
    assert not stuck.expected
    assert of(found, "ConfigMap/research/notes").reason == "in namespace research, which stays"
    assert of(found, "ConfigMap/research/notes").expected
    webhook = of(found, "ValidatingWebhookConfiguration.admissionregistration.k8s.io/left-behind")
    assert "asks Service kueue-system/kueue-webhook, which is gone" in webhook.reason
    assert not webhook.expected
    assert webhook.remove == ("kubectl delete validatingwebhookconfigurations.admissionregistration.k8s.io left-behind")
    volume = of(found, "PersistentVolume/data")
    assert "reclaim policy Retain keeps the volume" in volume.reason
    assert volume.expected
    names = {finding.row for finding in found}
    assert not any("kube-root-ca.crt" in name or "Event" in name or "ServiceAccount" in name for name in names)
    assert "localqueues.kueue.x-k8s.io" not in delete_unused(cluster(plane), held())
    asked = list(remains(cluster(plane), held(), removing_definitions=True).left)
    assert of(asked, crd).reason.endswith("kept because objects of its kind exist: product/stuck")
    assert not of(asked, crd).expected


def _reason(plane: ControlPlane, kept: tuple[str, ...], row: str) -> str:
    return of(list(remains(cluster(plane), held(protected=kept)).left), row).reason


def _spoil(plane: ControlPlane) -> None:
    """Leave what a removal can't take along."""
    queue = next(row for row in applied.objects(NAME) if row.body["kind"] == "LocalQueue")
    metadata = {"name": "stuck", "namespace": "product", "finalizers": ["kueue.x-k8s.io/in-use"]}
    plane.api.apply({**applied.body(queue), "metadata": metadata})
    notes = {"name": "notes", "namespace": "research"}
    plane.api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": notes, "data": {"a": "b"}})
    plane.api.apply(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "left-behind"},
            "webhooks": [
                {
                    "name": "left.behind.example.com",
                    "clientConfig": {"service": {"namespace": "kueue-system", "name": "kueue-webhook"}},
                    "admissionReviewVersions": ["v1"],
                    "sideEffects": "None",
                    "failurePolicy": "Ignore",
                    "rules": [],
                }
            ],
        }
    )
    plane.api.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": "data"},
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": {"path": "/var/lib/data"},
                "claimRef": {"namespace": "research", "name": "pretrain-checkpoints"},
            },
        }
    )
