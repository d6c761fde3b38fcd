"""Volumes of EBS: encrypted by a key of the account, where the pod is, and of what AWS makes."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from aifactory.components.values import plain
from support.aws_tiers import in_base, in_cluster, says, tiered, volumes
from support.planning import Planned
from support.proving.aws_policies import check_policies
from support.proving.aws_rows import check_rows

CLASS = "StorageClass.storage.k8s.io/volumes"
FAST = {"type": "io2", "iops": 16_000}


@cache
def stockholm() -> Planned:
    """A default class, with snapshots."""
    found = tiered(volumes(snapshots=True))
    assert found.errors == [], says(found)
    return found


def test_aws_would_take_all_rows_of_the_base() -> None:
    assert check_rows(in_base(stockholm()).values()) == []
    assert check_policies(in_base(stockholm(), "volumes").values(), {}) == []


@pytest.mark.parametrize(
    ("wish", "parameters", "gb_per_s"),
    [
        ({}, {"type": "gp3"}, 0.131),
        ({"iops": 6_000, "mib_per_s": 500}, {"type": "gp3", "iops": "6000", "throughput": "500"}, 0.524),
        # 16,000 operations of 256 KiB are 4,000 MiB/s: x 1.048576 = 4.194 GB/s.
        (FAST, {"type": "io2", "iops": "16000"}, 4.194),
        # 2,000 of 256 KiB are 500 MiB/s.
        ({"type": "io2", "iops": 2_000}, {"type": "io2", "iops": "2000"}, 0.524),
    ],
)
def test_a_class_makes_volumes_as_wished(wish: dict[str, Any], parameters: dict[str, str], gb_per_s: float) -> None:
    found = tiered(volumes(ebs=wish))
    assert found.errors == [], says(found)
    body = in_cluster(found, "volumes")[CLASS]
    common = {
        "encrypted": "true",
        "csi.storage.k8s.io/fstype": "xfs",
        "kmsKeyId": "${aws:kms/key:Key/tier-volumes#arn}",
        "tagSpecification_1": "aifactory:tier=volumes",
    }
    assert body["parameters"] == {**common, **parameters}
    assert found.plans["volumes"].figures.read_gb_per_s == pytest.approx(gb_per_s, abs=0.001)


def test_a_volume_is_made_where_its_pod_is_and_stays() -> None:
    body = in_cluster(stockholm(), "volumes")[CLASS]
    assert body["volumeBindingMode"] == "WaitForFirstConsumer"
    assert body["reclaimPolicy"] == "Retain"
    assert body["allowVolumeExpansion"] is True


def test_the_driver_uses_the_key_and_nobody_else_does() -> None:
    key = in_base(stockholm())["aws:kms/key:Key/tier-volumes"]
    document = json.loads(str(plain(key.properties["policy"], lambda ref: f"{ref.row}#{ref.path}")))
    found = {each["Sid"]: each for each in document["Statement"]}
    assert set(found) == {"Administer", "Driver", "GrantToVolumes"}
    assert found["Driver"]["Principal"] == {"AWS": "aws:iam/role:Role/aws-ebs-csi-driver#arn"}
    assert found["GrantToVolumes"]["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert (key.protect, key.retain_on_delete) == (True, True)


def test_snapshots_bring_their_controller_and_a_class_that_keeps_them() -> None:
    assert "aws:eks/addon:Addon/snapshot-controller" in in_base(stockholm())
    found = in_cluster(stockholm(), "volumes")["VolumeSnapshotClass.snapshot.storage.k8s.io/volumes"]
    assert (found["driver"], found["deletionPolicy"]) == ("ebs.csi.aws.com", "Retain")
    assert "aws:eks/addon:Addon/snapshot-controller" not in in_base(tiered(volumes()))


def test_a_cluster_whose_tier_has_the_default_class_is_not_warned_of_having_none() -> None:
    assert "CLU-014" not in stockholm().rules_broken
