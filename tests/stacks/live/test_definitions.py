"""Definitions are deleted only when nothing uses them, and only the very ones that were looked at."""

from __future__ import annotations

import pytest

from aifactory.components.catalog.tables import Catalog
from aifactory.stacks.live.cluster import Cluster
from aifactory.stacks.live.connection import Declined
from aifactory.stacks.live.definitions import delete_unused
from aifactory.stacks.live.ours import HeldRelease, Stays, definitions_of
from support.held import definition, held, thing
from support.live import MOMENT, FakeServer

QUEUES, LOCAL = "clusterqueues.kueue.x-k8s.io", "localqueues.kueue.x-k8s.io"


def deletions(server: FakeServer) -> list[str]:
    return [call.path.rpartition("/")[2] for call in server.calls if call.method == "DELETE"]


def test_those_that_nothing_uses_go_and_the_others_stay() -> None:
    server = FakeServer()
    for name in (QUEUES, LOCAL, "gateways.example.com"):
        server.put(definition(name))
    server.put(thing("kueue.x-k8s.io/v1beta2", "LocalQueue", "theirs", "default"))
    assert delete_unused(Cluster(server), held()) == [QUEUES]
    assert deletions(server) == [QUEUES]


@pytest.mark.parametrize(("stays", "deleted"), [("", [QUEUES]), ("kept", [QUEUES]), ("protected", []), ("needed", [])])
def test_those_of_a_release_that_stays_in_the_stack_stay(stays: Stays, deleted: list[str]) -> None:
    server = FakeServer()
    server.put(definition(QUEUES))
    assert delete_unused(Cluster(server), held({"Release/kueue-system/kueue": stays})) == deleted


def test_those_that_helm_says_are_of_another_release_stay() -> None:
    server = FakeServer()
    marks = {"meta.helm.sh/release-name": "kueue", "meta.helm.sh/release-namespace": "theirs"}
    server.put(definition(QUEUES, annotations=marks))
    assert delete_unused(Cluster(server), held()) == []


@pytest.mark.parametrize(
    ("manager", "goes"), [("kubectl-client-side-apply", False), ("helm", True), ("pulumi-resource-kubernetes", True)]
)
def test_those_that_no_chart_brought_stay(manager: str, goes: bool) -> None:
    """The site had it before, or somebody applied it: no release of ours is a reason to delete it."""
    server = FakeServer()
    server.put(definition(QUEUES, managedFields=[{"manager": manager, "operation": "Apply"}]))
    assert delete_unused(Cluster(server), held()) == ([QUEUES] if goes else [])


def test_one_that_is_going_already_or_cannot_be_looked_at_is_left_alone() -> None:
    server = FakeServer()
    server.put(definition(QUEUES, deletionTimestamp=MOMENT))
    server.put(definition(LOCAL))
    server.declines = {"/apis/kueue.x-k8s.io/v1beta2/localqueues": (500, "conversion webhook failed")}
    assert delete_unused(Cluster(server), held()) == []
    assert deletions(server) == []


def test_the_stored_version_is_asked_so_that_no_webhook_has_to_convert() -> None:
    server = FakeServer()
    server.put(definition(QUEUES))
    delete_unused(Cluster(server), held())
    assert "/apis/kueue.x-k8s.io/v1beta2/clusterqueues" in {call.path for call in server.calls}


@pytest.mark.parametrize("code", [404, 409])
def test_one_that_changed_meanwhile_stays(code: int) -> None:
    server = FakeServer()
    server.put(definition(QUEUES))
    asked = server.call

    def changing(method: str, path: str, *args: object, **more: object) -> object:
        if method == "DELETE":
            raise Declined(code, "changed")
        return asked(method, path, *args, **more)  # type: ignore[arg-type] # passed on as they came

    server.call = changing  # type: ignore[assignment, method-assign] # somebody was quicker
    assert delete_unused(Cluster(server), held()) == []


def test_a_deletion_that_is_refused_is_told() -> None:
    server = FakeServer()
    server.put(definition(QUEUES))
    asked = server.call

    def refusing(method: str, path: str, *args: object, **more: object) -> object:
        if method == "DELETE":
            raise Declined(403, "no")
        return asked(method, path, *args, **more)  # type: ignore[arg-type] # passed on as they came

    server.call = refusing  # type: ignore[assignment, method-assign] # a user with few rights
    with pytest.raises(Declined, match="no"):
        delete_unused(Cluster(server), held())


def test_of_two_releases_of_one_chart_each_has_its_own_definitions() -> None:
    """The site may have one of them, as with the Gateway API."""
    one = HeldRelease("envoy-gateway-system", "envoy-gateway-crds", "gateway-crds-helm", "v1.9.0", "cluster")
    found = definitions_of(Catalog.shipped(), [one])
    assert "backends.gateway.envoyproxy.io" in found
    assert "gateways.gateway.networking.k8s.io" not in found
