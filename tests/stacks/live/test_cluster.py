"""A cluster is read page by page, by metadata, and what can't be read is noted."""

from __future__ import annotations

from pathlib import Path

import pytest

from aifactory.stacks.live.cluster import MANAGER, Cluster, Kind
from aifactory.stacks.live.connection import METADATA, METADATA_LIST, Declined, KubeconfigConnection, Unreachable
from support.held import thing
from support.live import Call, FakeServer
from support.served_cluster import CONTEXT, kubeconfig, served

PODS = Kind("", "v1", "Pod", "pods", namespaced=True)
SECRETS = Kind("", "v1", "Secret", "secrets", namespaced=True)


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def cluster(server: FakeServer) -> Cluster:
    return Cluster(server)


def test_every_kind_is_found_once_in_the_preferred_version(server: FakeServer, cluster: Cluster) -> None:
    server.kinds.append(("kueue.x-k8s.io/v1beta2", "Topology", "topologies", False))
    kinds = {(kind.group, kind.kind): kind for kind in cluster.kinds()}
    assert len(kinds) == len(server.kinds)
    assert kinds["kueue.x-k8s.io", "Topology"].path("", "a") == "/apis/kueue.x-k8s.io/v1beta2/topologies/a"
    assert kinds["", "Pod"].path("ns", "a") == "/api/v1/namespaces/ns/pods/a"
    assert kinds["apps", "Deployment"].resource == "deployments.apps"


def test_an_api_that_does_not_answer_is_noted_and_not_fatal(server: FakeServer, cluster: Cluster) -> None:
    server.declines = {"/apis/coordination.k8s.io/v1": (503, "the server is currently unable to handle the request")}
    assert "Lease" not in {kind.kind for kind in cluster.kinds()}
    [unread] = cluster.unread.values()
    assert (unread.what, unread.silent) == ("coordination.k8s.io/v1", True)


def test_a_kind_that_may_not_be_listed_is_noted(server: FakeServer, cluster: Cluster) -> None:
    server.declines = {"/api/v1/pods": (403, "no")}
    assert cluster.things(PODS) == []
    assert [(each.what, each.silent) for each in cluster.unread.values()] == [("pods", False)]


def test_a_kind_that_is_not_there_is_none(cluster: Cluster) -> None:
    assert cluster.kind("nvidia.com/v1", "ClusterPolicy") is None
    assert cluster.kind("v1", "Strange") is None
    assert cluster.unread == {}


def test_lists_are_read_page_by_page(server: FakeServer, cluster: Cluster) -> None:
    server.page = 2
    for index in range(5):
        server.put(thing("v1", "Pod", f"p{index}", "research"))
    assert [pod.name for pod in cluster.things(PODS)] == [f"p{index}" for index in range(5)]
    assert [call.query.get("continue") for call in server.calls] == [None, "2", "4"]


def test_a_list_that_changes_between_pages_is_read_at_once(server: FakeServer, cluster: Cluster) -> None:
    server.page = 2
    for index in range(5):
        server.put(thing("v1", "Pod", f"p{index}", "research"))
    asked = server.call

    def expiring(method: str, path: str, query: dict[str, str], **more: str) -> object:
        if query.get("continue") == "4":
            server.page = 0
            raise Declined(410, "too old")
        return asked(method, path, query, **more)

    server.call = expiring  # type: ignore[assignment, method-assign] # what a long list may meet
    assert [pod.name for pod in cluster.things(PODS)] == [f"p{index}" for index in range(5)]


def test_of_secrets_nothing_but_metadata_is_ever_asked(server: FakeServer, cluster: Cluster) -> None:
    server.put({**thing("v1", "Secret", "key", "research"), "data": {"key": "Y2FuYXJ5"}})
    listed, one = cluster.things(SECRETS), cluster.thing(SECRETS, "research", "key")
    assert one is not None
    whole = cluster.object(SECRETS, "research", "key")
    dry = {**thing("v1", "Secret", "key", "research"), "data": {"key": "Zm9v"}}
    cluster.dry_run(SECRETS, dry)
    assert {call.accept for call in server.calls} == {METADATA, METADATA_LIST}
    assert "Y2FuYXJ5" not in f"{listed}{one}{whole}"
    with pytest.raises(AssertionError):
        cluster.objects(SECRETS)


def test_a_dry_run_is_always_one(server: FakeServer, cluster: Cluster) -> None:
    server.put(thing("v1", "Pod", "a", "research"))
    made = cluster.dry_run(PODS, thing("v1", "Pod", "a", "research", labels={"a": "b"}))
    assert made["metadata"]["labels"] == {"a": "b"}
    query = {"dryRun": "All", "fieldManager": MANAGER, "force": "true"}
    assert server.calls[-1] == Call("PATCH", "/api/v1/namespaces/research/pods/a", query, "application/json")
    assert "labels" not in server.objects["/api/v1/namespaces/research/pods/a"]["metadata"]


def test_all_of_it_works_over_http_too(server: FakeServer, tmp_path: Path) -> None:
    server.page = 2
    for index in range(5):
        server.put(thing("v1", "Pod", f"p{index}", "research", labels={"app": "a" if index else "b"}))
    with served(server, token="t") as url:
        cluster = Cluster(KubeconfigConnection(kubeconfig(tmp_path, url, {"token": "t"}), CONTEXT))
        assert len(cluster.kinds()) == len(server.kinds)
        assert [pod.name for pod in cluster.things(PODS, labels="app=a")] == ["p1", "p2", "p3", "p4"]
        made = cluster.dry_run(PODS, thing("v1", "Pod", "p1", "research", labels={"a": "b"}))
    assert made["metadata"]["labels"] == {"app": "a", "a": "b"}


def test_a_cluster_that_is_down_is_not_an_empty_one(server: FakeServer, cluster: Cluster) -> None:
    server.down = "nobody answers"
    with pytest.raises(Unreachable):
        cluster.kinds()
    with pytest.raises(Unreachable):
        cluster.things(PODS)


def test_a_kind_that_leaves_while_we_look_is_not_missed(server: FakeServer, cluster: Cluster) -> None:
    server.declines = {"/api/v1/pods": (404, "not found"), "/api/v1/configmaps": (405, "not allowed")}
    assert cluster.things(PODS) == []
    assert cluster.objects(Kind("", "v1", "ConfigMap", "configmaps", namespaced=True)) == []
    assert cluster.unread == {}
