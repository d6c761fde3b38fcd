"""Drift is what somebody changed, removed or added; what the server and the engine add is none."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.rows import HelmRow, KubernetesRow
from aifactory.stacks.assembly.stack import Stack, linked
from aifactory.stacks.live.cluster import Cluster
from aifactory.stacks.live.drift import Drift, drifts
from aifactory.stacks.live.fields import Author
from support import shipped
from support.held import thing
from support.live import MOMENT, FakeServer

NAME = "training-roce-fra-dc1-platform"
QUEUE = "ClusterQueue.kueue.x-k8s.io/teams-research"
QUEUE_PATH = "/apis/kueue.x-k8s.io/v1beta2/clusterqueues/teams-research"


@pytest.fixture(scope="module")
def stack() -> Stack:
    return shipped.stacks()[NAME]


def plural(kind: str) -> str:
    return f"{kind.lower()[:-1]}ies" if kind.endswith("y") else f"{kind.lower()}{'es' if kind[-1] == 's' else 's'}"


@pytest.fixture
def server(stack: Stack) -> FakeServer:
    """A cluster on which all of the stack is, as the engine leaves it."""
    made = FakeServer()
    for row in stack.cluster_rows:
        if isinstance(row, HelmRow):
            labels = {"owner": "helm", "name": row.name, "status": "deployed", "version": "1"}
            made.put(thing("v1", "Secret", f"sh.helm.release.v1.{row.name}.v1", row.namespace, labels=labels))
            continue
        version, kind = str(row.body["apiVersion"]), str(row.body["kind"])
        if not any(each[:2] == (version, kind) for each in made.kinds):
            made.kinds.append((version, kind, plural(kind), bool(row.namespace)))
        body = copy.deepcopy(stack.plain_tree(row))
        metadata: Any = body["metadata"]
        metadata["annotations"] = {**metadata.get("annotations", {}), "pulumi.com/waitFor": "condition=Ready"}
        made.put({**body, "status": {"phase": "there"}}, manager="pulumi-kubernetes-1a2b")
    return made


def found(server: FakeServer, stack: Stack) -> list[Drift]:
    return list(drifts(Cluster(server), stack).found)


def test_what_the_engine_left_is_no_drift(server: FakeServer, stack: Stack) -> None:
    result = drifts(Cluster(server), stack)
    assert result.found == ()
    assert result.compared == len(list(stack.cluster_rows))
    assert not any(call.method not in ("GET", "PATCH") for call in server.calls)


def test_a_changed_field_has_both_values_and_who_changed_it(server: FakeServer, stack: Stack) -> None:
    kept = server.objects[QUEUE_PATH]
    kept["spec"]["stopPolicy"] = "Hold"
    fields = {"f:spec": {"f:stopPolicy": {}}}
    edit = {"manager": "kubectl-edit", "time": "2026-11-29T00:00:00Z", "fieldsV1": fields}
    kept["metadata"]["managedFields"].append(edit)
    planned = stack.plain_tree(stack.by_id[QUEUE])["spec"].get("stopPolicy")  # type: ignore[arg-type, attr-defined]
    says = "spec.stopPolicy differs" if planned else "spec.stopPolicy was added"
    [drift] = found(server, stack)
    assert drift == Drift(
        *("changed", "teams", QUEUE, says, "spec.stopPolicy", "Hold", planned),
        Author("kubectl-edit", "2026-11-29T00:00:00Z"),
    )


def test_a_field_that_a_controller_added_is_no_drift_and_one_that_a_hand_added_is(
    server: FakeServer, stack: Stack
) -> None:
    metadata = server.objects[QUEUE_PATH]["metadata"]
    metadata["labels"].update({"of-a-controller": "1", "of-a-hand": "2"})
    for manager, name in (("manager", "of-a-controller"), ("kubectl-label", "of-a-hand")):
        fields = {"f:metadata": {"f:labels": {f"f:{name}": {}}}}
        metadata["managedFields"].append({"manager": manager, "time": MOMENT, "fieldsV1": fields})
    [drift] = found(server, stack)
    assert (drift.path, drift.live, drift.planned, drift.says) == (
        *("metadata.labels.of-a-hand", "2", None),
        "metadata.labels.of-a-hand was added",
    )
    assert drift.by == Author("kubectl-label", MOMENT)


def test_a_removed_field_and_a_missing_object_are_named(server: FakeServer, stack: Stack) -> None:
    del server.objects[QUEUE_PATH]["spec"]["namespaceSelector"]
    server.remove("Namespace", "product")
    told = {(drift.row, drift.verb): drift for drift in found(server, stack)}
    assert told["Namespace/product", "missing"].says == "is missing"
    assert told[QUEUE, "changed"].says == "spec.namespaceSelector is gone"


def test_a_kind_that_is_gone_makes_its_objects_missing(server: FakeServer, stack: Stack) -> None:
    server.kinds = [kind for kind in server.kinds if kind[1] != "ClusterQueue"]
    told = [drift for drift in found(server, stack) if drift.row.startswith("ClusterQueue")]
    assert {drift.says for drift in told} == {"is missing: the cluster doesn't know kind ClusterQueue"}


def test_where_the_server_will_not_say_the_plan_is_compared_itself(server: FakeServer, stack: Stack) -> None:
    asked = server.call

    def refusing(method: str, path: str, *args: Any, **more: Any) -> Any:
        from aifactory.stacks.live.connection import Declined

        if method == "PATCH":
            raise Declined(422, "field is immutable")
        return asked(method, path, *args, **more)

    server.call = refusing  # type: ignore[method-assign] # as for a Job's template
    assert found(server, stack) == []
    server.objects[QUEUE_PATH]["spec"]["cohortName"] = "other"
    assert [drift.path for drift in found(server, stack)] == ["spec.cohortName"]


def test_objects_with_our_labels_that_no_row_names_are_extra(server: FakeServer, stack: Stack) -> None:
    row = stack.by_id["Namespace/research"]
    assert isinstance(row, KubernetesRow)
    labels = row.body["metadata"]["labels"]  # type: ignore[index]
    server.put(thing("v1", "ConfigMap", "stray", "research", labels=labels), manager="kubectl-create")
    owner = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "stray", "uid": "x"}]
    server.put(thing("v1", "Pod", "owned", "research", labels=labels, ownerReferences=owner))
    server.put(thing("v1", "ConfigMap", "theirs", "research", labels={**labels, "aifactory.io/site": "other"}))
    [drift] = found(server, stack)
    assert (drift.verb, drift.row, drift.part) == ("extra", "ConfigMap/research/stray", "cluster")
    assert drift.by == Author("kubectl-create", MOMENT)


def test_a_release_that_is_missing_failed_or_of_another_chart_is_named(server: FakeServer, stack: Stack) -> None:
    server.remove("Secret", "sh.helm.release.v1.jobset.v1")
    labels = {"owner": "helm", "name": "kueue", "status": "failed", "version": "2"}
    server.put(thing("v1", "Secret", "sh.helm.release.v1.kueue.v2", "kueue-system", labels=labels))
    marks = {"meta.helm.sh/release-name": "gpu-operator", "meta.helm.sh/release-namespace": "gpu-operator"}
    for name, chart in (("a", "gpu-operator-v25.3.0"), ("b", "node-feature-discovery-0.1.0"), ("c", "gpu-operator-x")):
        metadata = {"labels": {"helm.sh/chart": chart}, "annotations": marks}
        server.put(thing("apps/v1", "Deployment", name, "gpu-operator", **metadata))
    told = {drift.row: (drift.verb, drift.says) for drift in found(server, stack)}
    assert told == {
        "Release/jobset-system/jobset": ("missing", "is missing: Helm has no record of it"),
        "Release/kueue-system/kueue": ("changed", "revision 2 is failed, not deployed"),
        "Release/gpu-operator/gpu-operator": (
            "changed",
            "its objects are of chart version v25.3.0, not v26.7.0",
        ),
    }


def test_the_chart_that_the_plan_names_is_no_drift_with_or_without_its_v(server: FakeServer, stack: Stack) -> None:
    marks = {"meta.helm.sh/release-name": "gpu-operator", "meta.helm.sh/release-namespace": "gpu-operator"}
    for name in ("gpu-operator-v26.7.0", "gpu-operator-26.7.0"):
        metadata = {"labels": {"helm.sh/chart": name}, "annotations": marks}
        server.put(thing("apps/v1", "Deployment", name, "gpu-operator", **metadata))
    assert found(server, stack) == []


@pytest.mark.parametrize(("more", "missing"), [({}, True), ({"ttlSecondsAfterFinished": 60}, False)])
def test_a_job_that_the_cluster_removes_when_done_is_not_missing(
    server: FakeServer, stack: Stack, more: dict[str, int], missing: bool
) -> None:
    row = next(each for each in stack.cluster_rows if each.id.startswith("Job.batch/"))
    assert isinstance(row, KubernetesRow)
    spec: Any = row.body["spec"]
    ending = replace(row, body={**row.body, "spec": {**spec, **more}})
    assert "ttlSecondsAfterFinished" not in spec
    rows = {each.id: ending if each.id == row.id else each for each in stack.rows}
    server.remove("Job", row.name)
    assert [drift.row for drift in found(server, linked(stack.plan, rows))] == ([row.id] if missing else [])


def test_a_row_that_may_not_be_read_is_told_and_the_others_are_compared(server: FakeServer, stack: Stack) -> None:
    server.declines = {QUEUE_PATH: (403, "admin may not")}
    server.remove("Namespace", "product")
    result = drifts(Cluster(server), stack)
    assert [drift.row for drift in result.found] == ["Namespace/product"]
    assert [(each.what, each.says) for each in result.unread] == [(QUEUE, "admin may not")]
