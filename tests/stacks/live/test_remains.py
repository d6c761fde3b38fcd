"""What remains is found whatever kind it is, told with its reason, and nothing else is blamed."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.stacks.live.cluster import Cluster
from aifactory.stacks.live.ours import Held
from aifactory.stacks.live.remains import Finding, remains
from support.held import LABELS, definition, held, thing
from support.live import MOMENT, FakeServer

HELM = {"meta.helm.sh/release-name": "kueue", "meta.helm.sh/release-namespace": "kueue-system"}
CRD = "CustomResourceDefinition.apiextensions.k8s.io/clusterqueues.kueue.x-k8s.io"


def found(server: FakeServer, of: Held, **options: Any) -> dict[str, Finding]:
    return {finding.row: finding for finding in remains(Cluster(server), of, **options).left}


def owner(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"apiVersion": "v1", "kind": body["kind"], "name": body["metadata"]["name"], "uid": body["metadata"]["uid"]}
    ]


def test_an_empty_cluster_has_nothing_of_ours() -> None:
    assert remains(Cluster(FakeServer()), held()).left == ()


def test_what_is_not_ours_is_never_named() -> None:
    server = FakeServer()
    foreign = {**LABELS, "app.kubernetes.io/part-of": "other"}
    elsewhere = {**LABELS, "aifactory.io/site": "elsewhere"}
    server.put(thing("v1", "Namespace", "default"))
    server.put(thing("v1", "ConfigMap", "a", "default", labels=foreign))
    server.put(thing("v1", "ConfigMap", "b", "default", labels=elsewhere))
    server.put(thing("apps/v1", "Deployment", "c", "default", annotations={**HELM, "meta.helm.sh/release-name": "x"}))
    server.put(thing("v1", "Secret", "d", "default", labels={"owner": "helm", "name": "kueue", "version": "1"}))
    server.put(thing("v1", "ServiceAccount", "default", "default"))
    server.put(thing("v1", "Pod", "e", "default", labels={"app.kubernetes.io/instance": "kueue"}))
    server.put(thing("v1", "Event", "f", "kueue-system"))
    server.put(thing("coordination.k8s.io/v1", "Lease", "node-1", "kube-node-lease", labels=LABELS))
    server.put(definition("clusterqueues.kueue.x-k8s.io", annotations={**HELM, "meta.helm.sh/release-name": "theirs"}))
    server.put(definition("gateways.example.com"))
    assert found(server, held()) == {}


def test_rows_that_stay_say_why_and_the_others_should_be_gone() -> None:
    server = FakeServer()
    server.put(thing("v1", "Namespace", "research", labels=LABELS))
    server.put(thing("v1", "PersistentVolumeClaim", "data", "research", labels=LABELS))
    server.put(thing("kueue.x-k8s.io/v1beta2", "ClusterQueue", "teams", labels=LABELS))
    claim = "PersistentVolumeClaim/research/data"
    left = found(server, held({claim: "protected", "Namespace/research": "needed"}), context="fra dc1")
    assert {row: (one.part, one.reason, one.expected) for row, one in left.items()} == {
        claim: ("train", "kept because it is protected", True),
        "Namespace/research": ("cluster", "kept because a protected row needs it", True),
        "ClusterQueue.kueue.x-k8s.io/teams": (
            "teams",
            "should be gone with the stack, and is still there",
            False,
        ),
    }
    assert left[claim].remove == "kubectl --context 'fra dc1' delete persistentvolumeclaims data --namespace research"
    assert found(server, held({claim: "kept"}))[claim].reason == "kept on delete: it left the stack and stays"


def test_labels_of_ours_are_enough_and_name_the_part() -> None:
    server = FakeServer()
    server.put(thing("rbac.authorization.k8s.io/v1", "ClusterRole", "stray", labels=LABELS))
    [one] = found(server, held()).values()
    assert (one.part, one.expected) == ("teams", False)
    assert one.remove == "kubectl delete clusterroles.rbac.authorization.k8s.io stray"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (thing("apps/v1", "Deployment", "a", "kueue-system", annotations=HELM), "belongs to release kueue"),
        (
            thing(
                "v1", "Secret", "sh.helm.release.v1.kueue.v1", "kueue-system", labels={"owner": "helm", "name": "kueue"}
            ),
            "Helm's record of release kueue",
        ),
        (
            thing(
                *("batch/v1", "Job", "kueue-check", "kueue-system"),
                labels={"app.kubernetes.io/instance": "kueue"},
                annotations={"helm.sh/hook": "post-delete"},
            ),
            "left by a hook of the chart of release kueue",
        ),
        (
            thing(
                "v1",
                "PersistentVolumeClaim",
                "db-kueue-0",
                "kueue-system",
                labels={"app.kubernetes.io/instance": "kueue"},
            ),
            "claim of a StatefulSet's replica, which Kubernetes keeps with its data when the StatefulSet goes",
        ),
        (
            thing(
                *("rbac.authorization.k8s.io/v1", "ClusterRole", "kueue-admin"),
                labels={"app.kubernetes.io/instance": "kueue", "helm.sh/chart": "kueue-0.19.2"},
            ),
            "belongs to release kueue",
        ),
    ],
)
def test_what_is_of_a_release_of_ours_is_ours(body: dict[str, Any], says: str) -> None:
    server = FakeServer()
    server.put(body)
    [one] = found(server, held()).values()
    assert (one.reason, one.expected, one.part) == (says, False, "cluster")
    [one] = found(server, held({"Release/kueue-system/kueue": "protected"})).values()
    assert (one.reason, one.expected) == (f"{says}, kept because it is protected", True)


def test_what_the_chart_keeps_stays_by_intent() -> None:
    server = FakeServer()
    server.put(thing("v1", "ConfigMap", "a", "kueue-system", annotations={**HELM, "helm.sh/resource-policy": "keep"}))
    [one] = found(server, held()).values()
    assert (one.reason, one.expected) == (
        "the chart of release kueue keeps it on removal (helm.sh/resource-policy)",
        True,
    )


def test_objects_of_others_in_a_namespace_of_ours_share_its_fate() -> None:
    server = FakeServer()
    server.put(thing("v1", "ConfigMap", "notes", "research"))
    for name in ("kube-root-ca.crt", "openshift-service-ca.crt"):
        server.put(thing("v1", "ConfigMap", name, "research"))
    server.put(thing("v1", "ServiceAccount", "default", "research"))
    server.put(thing("v1", "Event", "e", "research"))
    assert {row: one.expected for row, one in found(server, held()).items()} == {"ConfigMap/research/notes": False}
    [one] = found(server, held({"Namespace/research": "protected"})).values()
    assert (one.reason, one.expected) == ("in namespace research, which stays", True)


def test_what_is_owned_goes_with_its_owner_whatever_labels_it_has() -> None:
    server = FakeServer()
    claim = server.put(thing("v1", "PersistentVolumeClaim", "data", "research", labels=LABELS))
    pod = server.put(thing("v1", "Pod", "helper", "research", labels=LABELS, ownerReferences=owner(claim)))
    server.put(thing("v1", "ConfigMap", "of-helper", "elsewhere", ownerReferences=owner(pod)))
    foreign = server.put(thing("apps/v1", "ReplicaSet", "theirs", "default"))
    server.put(thing("v1", "Pod", "theirs", "default", ownerReferences=owner(foreign)))
    left = found(server, held({"PersistentVolumeClaim/research/data": "protected"}))
    assert left["Pod/research/helper"].reason == "owned by PersistentVolumeClaim data, and goes with it"
    assert left["ConfigMap/elsewhere/of-helper"].reason == "owned by Pod helper, and goes with it"
    assert all(one.expected for one in left.values())
    assert left["Pod/research/helper"].remove == ""
    assert len(left) == 3


def test_slices_of_a_service_that_is_there_do_not_count_and_those_of_none_do() -> None:
    server = FakeServer()
    server.put(thing("v1", "Service", "door", "elsewhere", labels=LABELS))
    server.put(thing("v1", "Endpoints", "door", "elsewhere", labels=LABELS))
    of_door = {**LABELS, "kubernetes.io/service-name": "door"}
    server.put(thing("discovery.k8s.io/v1", "EndpointSlice", "door-x", "elsewhere", labels=of_door))
    assert list(found(server, held())) == ["Service/elsewhere/door"]
    server.remove("Service", "door")
    assert len(found(server, held())) == 2


def test_what_lost_its_owner_is_on_its_way() -> None:
    server = FakeServer()
    gone = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "a", "uid": "nowhere"}]
    server.put(thing("v1", "Pod", "a-1", "elsewhere", labels=LABELS, ownerReferences=gone))
    [one] = found(server, held()).values()
    assert (one.leaving, one.reason) == (True, "its owner ReplicaSet a is gone, and it isn't yet")


@pytest.mark.parametrize(
    ("finalizer", "says", "line"),
    [
        (
            "kueue.x-k8s.io/in-use",
            "has finalizer kueue.x-k8s.io/in-use, whose controller, release kueue, is gone",
            "patch",
        ),
        ("example.com/x", "has finalizer example.com/x, which its controller hasn't removed", "patch"),
        ("kubernetes.io/pvc-protection", "waits for pods that use it (finalizer kubernetes.io/pvc-protection)", ""),
    ],
)
def test_a_finalizer_is_named_with_who_should_remove_it(finalizer: str, says: str, line: str) -> None:
    server = FakeServer()
    metadata = {"labels": LABELS, "finalizers": [finalizer], "deletionTimestamp": MOMENT}
    server.put(thing("kueue.x-k8s.io/v1beta2", "ClusterQueue", "teams", **metadata))
    one = found(server, held())["ClusterQueue.kueue.x-k8s.io/teams"]
    assert one.reason.startswith(f"being deleted since {MOMENT}, and {says}")
    assert (one.expected, one.leaving) == (False, True)
    assert (line in one.remove) is bool(line or not one.remove)
    staying = found(server, held({"Release/kueue-system/kueue": "protected"}))["ClusterQueue.kueue.x-k8s.io/teams"]
    assert "is gone" not in staying.reason.partition("; nobody")[0]


def test_a_namespace_that_is_stuck_says_what_its_conditions_say() -> None:
    server = FakeServer()
    conditions = [
        {"type": "NamespaceDeletionDiscoveryFailure", "status": "True", "message": "metrics.k8s.io/v1beta1: stale"},
        {"type": "NamespaceContentRemaining", "status": "True", "message": "clusterqueues. has 1 resource instances"},
        {"type": "NamespaceFinalizersRemaining", "status": "False", "message": "not this"},
    ]
    space = {**thing("v1", "Namespace", "research", deletionTimestamp=MOMENT), "status": {"conditions": conditions}}
    server.put(space)
    [one] = found(server, held({"Namespace/research": "protected"})).values()
    assert one.reason == (
        f"Terminating since {MOMENT}: metrics.k8s.io/v1beta1: stale; clusterqueues. has 1 resource instances"
    )
    assert (one.expected, one.remove, one.leaving) == (False, "", True)


def test_definitions_stay_unless_asked_and_say_what_would_be_lost() -> None:
    server = FakeServer()
    server.put(definition("clusterqueues.kueue.x-k8s.io"))
    one = found(server, held())[CRD]
    assert one.expected
    assert one.reason.endswith("deleting it deletes all objects of that kind, and none exist")
    server.put(thing("kueue.x-k8s.io/v1beta2", "ClusterQueue", "theirs"))
    left = found(server, held())
    assert list(left) == [CRD]
    assert left[CRD].reason.endswith("and 1 exists")
    asked = found(server, held(), removing_definitions=True)[CRD]
    assert (asked.expected, asked.reason) == (
        False,
        "CRD of release kueue, kept because objects of its kind exist: theirs",
    )
    stays = found(server, held({"Release/kueue-system/kueue": "protected"}), removing_definitions=True)[CRD]
    assert (stays.expected, stays.reason) == (True, "CRD of release kueue, which stays")


def test_definitions_whose_objects_cannot_be_counted_are_not_called_unused() -> None:
    server = FakeServer()
    server.put(definition("clusterqueues.kueue.x-k8s.io"))
    server.declines = {"/apis/kueue.x-k8s.io/v1beta2/clusterqueues": (500, "conversion webhook failed")}
    scan = remains(Cluster(server), held(), removing_definitions=True)
    assert "could not be found out" in scan.left[0].reason
    assert scan.unread[0].says == "conversion webhook failed"


def test_a_version_that_no_train_has_is_answered_by_another_of_the_chart() -> None:
    server = FakeServer()
    server.put(definition("clusterqueues.kueue.x-k8s.io"))
    assert CRD in found(server, held(version="0.1.0"))


def test_webhooks_and_api_services_that_ask_a_service_of_ours_are_found_without_any_label() -> None:
    server = FakeServer()
    service = {"namespace": "kueue-system", "name": "hook"}
    hook = thing("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "unlabelled")
    server.put({**hook, "webhooks": [{"clientConfig": {"service": service}}]})
    url = thing("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "by-url")
    server.put({**url, "webhooks": [{"clientConfig": {"url": "https://example.com"}}]})
    api = thing("apiregistration.k8s.io/v1", "APIService", "v1beta1.visibility")
    server.put({**api, "spec": {"service": service}})
    server.put({**thing("apiregistration.k8s.io/v1", "APIService", "v1."), "spec": {}})
    left = found(server, held())
    assert {one.name for one in left.values()} == {"unlabelled", "v1beta1.visibility"}
    assert all("which is gone" in one.reason and not one.expected for one in left.values())
    server.put(thing("v1", "Service", "hook", "kueue-system"))
    stays = found(server, held({"Namespace/kueue-system": "protected"}))
    assert all(one.expected for one in stays.values())


@pytest.mark.parametrize(("policy", "expected"), [("Retain", True), ("Delete", False)])
def test_volumes_of_claims_that_are_gone_are_found(policy: str, expected: bool) -> None:
    server = FakeServer()
    spec = {"persistentVolumeReclaimPolicy": policy, "claimRef": {"namespace": "research", "name": "data"}}
    server.put({**thing("v1", "PersistentVolume", "pv"), "spec": spec})
    server.put({**thing("v1", "PersistentVolume", "free"), "spec": {}})
    [one] = found(server, held()).values()
    assert (one.name, one.part, one.expected) == ("pv", "train", expected)
    assert one.leaving is not expected, "its provisioner is at work on it, which destroy waits for"
    server.put(thing("v1", "PersistentVolumeClaim", "data", "research"))
    left = found(server, held({"PersistentVolumeClaim/research/data": "protected"}))
    assert left["PersistentVolume/pv"].reason == "the volume of claim research/data"
    assert left["PersistentVolume/pv"].expected


def test_what_should_be_gone_comes_first_and_an_object_in_two_groups_counts_once() -> None:
    server = FakeServer()
    server.kinds.append(("extensions/v1", "Deployment", "deployments", True))
    server.put(thing("v1", "Namespace", "research"))
    server.put(thing("apps/v1", "Deployment", "a", "elsewhere", labels=LABELS, uid="same"))
    server.put(thing("extensions/v1", "Deployment", "a", "elsewhere", labels=LABELS, uid="same"))
    scan = remains(Cluster(server), held({"Namespace/research": "protected"}))
    assert [(one.group, one.expected) for one in scan.left] == [("apps", False), ("", True)]
