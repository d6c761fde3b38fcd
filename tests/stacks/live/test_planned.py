"""What a plan names is a stack's own only as far as nobody else made it."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.stacks.live.cluster import Cluster
from aifactory.stacks.live.ours import Held
from aifactory.stacks.live.planned import Planned
from aifactory.stacks.live.remains import Finding, remains
from support.held import FACTORY, LABELS, SITE, definition, held, thing
from support.live import FakeServer

QUEUES = "clusterqueues.kueue.x-k8s.io"
CRD = f"CustomResourceDefinition.apiextensions.k8s.io/{QUEUES}"
ROLE = "ClusterRole.rbac.authorization.k8s.io/kueue-manager"
HELM = {"meta.helm.sh/release-name": "kueue", "meta.helm.sh/release-namespace": "kueue-system"}
NOTHING = Held(FACTORY, SITE, {})


def found(server: FakeServer, *, existed: bool, of: Held = NOTHING, **options: Any) -> dict[str, Finding]:
    left = remains(Cluster(server), of, Planned(held(), existed=existed), **options).left
    return {finding.row: finding for finding in left}


@pytest.fixture
def server() -> FakeServer:
    """What a release left: a definition, and an object without a namespace."""
    server = FakeServer()
    server.put(definition(QUEUES))
    server.put(thing("rbac.authorization.k8s.io/v1", "ClusterRole", "kueue-manager", annotations=HELM))
    return server


def test_a_stack_that_was_deployed_knows_its_releases_again(server: FakeServer) -> None:
    left = found(server, existed=True)
    assert {row: one.expected for row, one in left.items()} == {CRD: True, ROLE: False}
    assert not found(server, existed=True, removing_definitions=True)[CRD].expected


def test_a_stack_that_never_was_blames_nobody(server: FakeServer) -> None:
    server.put(thing("v1", "Namespace", "research"))
    assert found(server, existed=False) == {}


def test_a_namespace_with_our_labels_makes_its_release_ours(server: FakeServer) -> None:
    server.put(thing("v1", "Namespace", "kueue-system", labels=LABELS))
    assert found(server, existed=False).keys() == {CRD, ROLE, "Namespace/kueue-system"}


@pytest.mark.parametrize("existed", [True, False])
def test_a_release_in_a_namespace_of_others_is_theirs(server: FakeServer, existed: bool) -> None:
    server.put(thing("v1", "Namespace", "kueue-system"))
    server.put(thing("v1", "Secret", "x", "kueue-system", labels={"owner": "helm", "name": "kueue", "version": "1"}))
    assert found(server, existed=existed) == {}


def test_what_the_state_says_weighs_more_than_the_plan(server: FakeServer) -> None:
    server.put(thing("v1", "Namespace", "kueue-system", labels=LABELS))
    sure = held({"Release/kueue-system/kueue": "protected", "Namespace/kueue-system": "needed"})
    left = found(server, existed=True, of=sure)
    assert left[CRD].reason == "CRD of release kueue, which stays"
    assert left["Namespace/kueue-system"].expected


def test_the_volume_of_a_planned_claim_that_is_gone_is_found() -> None:
    server = FakeServer()
    spec = {"persistentVolumeReclaimPolicy": "Retain", "claimRef": {"namespace": "research", "name": "data"}}
    server.put({**thing("v1", "PersistentVolume", "pv"), "spec": spec})
    assert found(server, existed=True).keys() == {"PersistentVolume/pv"}
    assert found(server, existed=False) == {}
