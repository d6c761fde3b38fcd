"""Tiers on a real API server: they go up, what holds data outlives `destroy`, and goes by name alone."""

from __future__ import annotations

from typing import Any

import pytest

from support.proving.ground import Operators
from support.proving.yard import Yard

pytestmark = pytest.mark.engine
STACK = "sovereign-inference-ams-colo1-platform"
CEPH = "ceph.rook.io/v1"
HOLDING: tuple[tuple[str, str, str, str], ...] = (
    (CEPH, "CephCluster", "rook-ceph", "rook-ceph"),
    (CEPH, "CephObjectStore", "rook-ceph", "objects"),
    ("objectbucket.io/v1alpha1", "ObjectBucketClaim", "tuning", "objects-tickets"),
    ("v1", "PersistentVolumeClaim", "tuning", "shared-tickets"),
    ("v1", "PersistentVolumeClaim", "tuning", "tune-checkpoints"),
)


def test_what_holds_data_outlives_destroy_and_is_taken_up_again(yards: Any) -> None:
    yard: Yard = yards(STACK)
    with Operators(yard.plane.api):
        yard.data("up", "--yes")
        before = {each: live(yard, each)["metadata"]["uid"] for each in HOLDING}
        told = yard.data("destroy", "--yes")
        remains = {row["row"]: row["protected"] for row in told["remains"]}
        assert remains["CephCluster.ceph.rook.io/rook-ceph/rook-ceph"]
        assert remains["Release/rook-ceph/rook-ceph"] is False
        assert "Release/topolvm-system/topolvm" not in remains
        assert {each: live(yard, each)["metadata"]["uid"] for each in HOLDING} == before
        yard.data("up", "--yes")
        assert {each: live(yard, each)["metadata"]["uid"] for each in HOLDING} == before
        named = [word for row in yard.protected() for word in ("--remove-protected", row)]
        assert "remains" not in yard.data("destroy", "--yes", *named)


DATABASE: tuple[tuple[str, str, str, str], ...] = (
    (CEPH, "CephBlockPool", "rook-ceph", "volumes"),
    ("postgresql.cnpg.io/v1", "Cluster", "vectors", "vectors"),
    ("storage.k8s.io/v1", "StorageClass", "", "volumes"),
    ("csi.ceph.io/v1", "Driver", "rook-ceph", "rook-ceph.rbd.csi.ceph.com"),
    ("csi.ceph.io/v1", "OperatorConfig", "rook-ceph", "ceph-csi-operator-config"),
)
"""A database on devices of Ceph, and what mounts them."""


def test_what_mounts_the_volumes_that_destroy_leaves_is_left_with_them(yards: Any) -> None:
    yard: Yard = yards("rag-private-fra-dc1-platform")
    with Operators(yard.plane.api):
        yard.data("up", "--yes")
        before = {each: live(yard, each)["metadata"]["uid"] for each in DATABASE}
        remains = {row["row"]: row["protected"] for row in yard.data("destroy", "--yes")["remains"]}
        assert remains["Driver.csi.ceph.io/rook-ceph/rook-ceph.rbd.csi.ceph.com"] is False
        assert {each: live(yard, each)["metadata"]["uid"] for each in DATABASE} == before


def live(yard: Yard, which: tuple[str, str, str, str]) -> dict[str, Any]:
    """An object as the server has it."""
    version, kind, namespace, name = which
    found = yard.plane.api.get(
        {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}}
    )
    assert found is not None, which
    return dict(found)
