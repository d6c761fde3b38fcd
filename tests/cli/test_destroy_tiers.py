"""`aifactory destroy` of a factory with storage tiers: what holds data stays with its operator, and that is said."""

from __future__ import annotations

import shutil

import pytest

from support.shipped import ROOT
from support.verbs import Verbs, verbs

__all__ = ["verbs"]

STACK = "sovereign-inference-fra-dc1-platform"
ONE = ("--yes", "--site", "fra-dc1")
HOLDING = [
    "CephCluster.ceph.rook.io/rook-ceph/rook-ceph",
    "CephObjectStore.ceph.rook.io/rook-ceph/objects",
    "ObjectBucketClaim.objectbucket.io/tuning/objects-tickets",
    "PersistentVolumeClaim/tuning/shared-tickets",
    "Namespace/rook-ceph",
]
NEEDED = ["Release/rook-ceph/rook-ceph", "StorageClass.storage.k8s.io/objects"]


@pytest.fixture
def deployed(verbs: Verbs) -> Verbs:
    shutil.copy(ROOT / "blueprints/library/sovereign-inference.yaml", verbs.blueprint)
    verbs.data("up", *ONE)
    return verbs


def test_what_holds_data_stays_with_what_it_needs_and_is_named(deployed: Verbs) -> None:
    code, _, err = deployed.run("destroy", *ONE)
    assert code == 0
    for row in HOLDING:
        assert f"  = {row} of " in err
    stack = deployed.data("destroy", *ONE)["stacks"][STACK]
    remains = {row["row"]: row["protected"] for row in stack["remains"]}
    assert {row for row in HOLDING if remains.get(row)} == set(HOLDING)
    assert [remains.get(row) for row in NEEDED] == [False, False]
    assert not {"Release/topolvm-system/topolvm", "StorageClass.storage.k8s.io/scratch"} & set(remains)


def test_a_tier_that_leaves_the_blueprint_takes_no_data_along(deployed: Verbs) -> None:
    text = deployed.blueprint.read_text(encoding="utf-8")
    run, door = text.index("  # What the team tunes on"), text.index("  - kind: gateway\n")
    left = text[:run] + text[door : text.index("  # One pipeline")]
    offloading = next(line for line in left.splitlines() if "kv_offload" in line)
    deployed.blueprint.write_text(left.replace(f"{offloading}\n", ""), encoding="utf-8")
    code, _, err = deployed.run("up", *ONE)
    assert code == 1
    assert f"{HOLDING[0]} of objects is protected, since it holds data, and the blueprint has it no longer" in err
