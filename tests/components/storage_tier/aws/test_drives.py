"""Drives of instances: how much a node has, and that what is kept there is a folder of the pod's own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.aws_sites import aws_place
from support.aws_tiers import in_base, in_cluster, says, tiered, volumes
from support.models import CHAT
from support.planning import Planned

RENTED: dict[str, Any] = {
    "group": "h200",
    "instance_type": "p5en.48xlarge",
    "purchase": "on-demand",
    "nodes": 2,
    "zone": "eu-north-1a",
    "ami_release": "1.35.3-20261105",
    "driver": "580.95.05",
}
SCRATCH = {"kind": "storage-tier", "name": "scratch", "tier": "local-cache", "engine": "instance-store"}
ASSIST = {"name": "assist", "workload": "inference", "gpus": 8}
DEMAND = {"models": [{**CHAT, "name": "llama-3.1-8b", "requests_per_s": {"mean": 1.0, "peak": 2.0}}]}
CHATS: dict[str, Any] = {
    "kind": "serving",
    "name": "chat",
    "model": "llama-3.1-8b",
    "pool": "train",
    "tenant": "assist",
    "precision": "fp8",
    "stack": "kserve",
    "replicas": 2,
    "weights": {"kind": "oci", "image": "registry.example.com/models/llama:1"},
    "kv_offload": {"tier": "scratch", "size_gib": 200},
}


def planned(group: str = "h200", *more: dict[str, Any], **fields: Any) -> Planned:
    """A model that offloads to drives of the group of its pool, which is `h200`."""
    at = aws_place(rented_nodes=[{**RENTED, "group": group}, *more])
    return tiered({**SCRATCH, **fields}, volumes(), CHATS, at=at, demand=DEMAND, tenant=ASSIST)


def test_a_node_has_its_drives_up_to_the_fill_limit() -> None:
    found = planned()
    assert found.errors == [], says(found)
    # 8 x 3,800 GB are 30,400 GB: 28,312 GiB, of which 75 percent are 21,234.
    assert found.decisions["scratch.node_gib"].value == {"h200": 21_234}
    # Two nodes: 42,468 GiB.
    assert found.plans["scratch"].figures.usable_tib == pytest.approx(41.473, abs=0.001)
    assert found.plans["scratch"].failure_domain == "none"


def test_what_is_kept_is_a_folder_with_a_limit_and_no_class_makes_it() -> None:
    found = planned()
    text = json.dumps(in_cluster(found, "chat"))
    assert '"emptyDir": {"sizeLimit": "200Gi"}' in text
    assert "volumeClaimTemplate" not in text
    assert in_cluster(found, "scratch") == {}
    assert in_base(found, "scratch") == {}


def test_nobody_states_what_drives_of_instances_carry() -> None:
    found = planned()
    told = {each.rule: each.hint for each in found.problems if each.severity == "warning"}
    assert "STO-002" in told
    assert told["STO-009"] == "measure it: no source says what drives of instances carry"


def test_nodes_without_drives_are_refused() -> None:
    found = planned("other")
    (told,) = found.errors
    assert (told.rule, told.says) == ("STO-047", "pool train keeps data on tier scratch, and its nodes have no drives")


def test_a_site_that_rents_none_with_drives_has_no_such_tier() -> None:
    found = tiered(SCRATCH, volumes())
    assert [each.rule for each in found.errors] == ["STO-001"]
    assert "rent a type that has some" in says(found)


def test_they_survive_no_loss() -> None:
    assert "survive no loss of it" in says(planned(failure_domain="node"))
