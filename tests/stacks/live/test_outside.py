"""Load balancers and volumes that objects of a cluster have outside of it."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.stacks.live.cluster import Cluster
from aifactory.stacks.live.deleting import delete
from aifactory.stacks.live.outside import balancers, claim_of, volumes
from support.held import thing
from support.live import FakeServer


def service(name: str, kind: str, *points: dict[str, str]) -> dict[str, Any]:
    body = {**thing("v1", "Service", name, "team"), "spec": {"type": kind}}
    return {**body, "status": {"loadBalancer": {"ingress": list(points)}}} if points else body


def volume(name: str, policy: str = "Delete", claim: str = "data", driver: str = "csi") -> dict[str, Any]:
    spec: dict[str, Any] = {"persistentVolumeReclaimPolicy": policy, driver: {"volumeHandle": f"vol-{name}"}}
    if claim:
        spec["claimRef"] = {"namespace": "team", "name": claim}
    return {**thing("v1", "PersistentVolume", name), "spec": spec}


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


def test_services_of_type_load_balancer_have_one(server: FakeServer) -> None:
    server.put(service("a", "ClusterIP"))
    server.put(service("b", "LoadBalancer", {"hostname": "b.elb.example.com"}))
    server.put(service("c", "LoadBalancer", {"ip": "10.0.0.1"}))
    server.put(service("d", "LoadBalancer"))
    found = [(one.row, one.handle) for one in balancers(Cluster(server))]
    assert found == [
        ("Service/team/b", "b.elb.example.com"),
        ("Service/team/c", "10.0.0.1"),
        ("Service/team/d", ""),
    ]


def test_volumes_that_a_driver_made_go_with_their_claim_unless_their_class_keeps_them(server: FakeServer) -> None:
    server.put(volume("a"))
    server.put(volume("b", "Retain", "archive"))
    server.put(volume("c", claim=""))
    server.put(volume("d", driver="hostPath"))
    found = [(one.row, one.handle, one.goes) for one in volumes(Cluster(server))]
    assert found == [
        ("PersistentVolumeClaim/team/data", "vol-a", True),
        ("PersistentVolumeClaim/team/archive", "vol-b", False),
        ("PersistentVolume/c", "vol-c", True),
    ]


def test_what_was_looked_at_is_deleted_and_nothing_else_of_its_name(server: FakeServer) -> None:
    server.put(service("b", "LoadBalancer"))
    cluster = Cluster(server)
    (one,) = balancers(cluster)
    server.remove("Service", "b")
    server.put(service("other", "ClusterIP"))
    server.put(service("b", "LoadBalancer"))
    delete(cluster, one.thing)
    assert [kept["metadata"]["name"] for kept in server.objects.values()] == ["other", "b"]
    delete(cluster, balancers(cluster)[0].thing)
    delete(cluster, one.thing)
    assert [kept["metadata"]["name"] for kept in server.objects.values()] == ["other"]


def test_a_volume_knows_its_claim_as_long_as_that_is_there(server: FakeServer) -> None:
    server.put(volume("a"))
    cluster = Cluster(server)
    (one,) = volumes(cluster)
    assert claim_of(cluster, one) is None
    server.put(thing("v1", "PersistentVolumeClaim", "data", "team"))
    found = claim_of(cluster, one)
    assert found is not None
    assert found.row == "PersistentVolumeClaim/team/data"


def test_what_cannot_be_listed_is_noted(server: FakeServer) -> None:
    server.declines = {"/api/v1/services": (403, "forbidden")}
    cluster = Cluster(server)
    assert balancers(cluster) == []
    assert cluster.unread["services"].says == "forbidden"
