"""A run on pools, fabric and cluster as their own parts plan them."""

from typing import Any

import pytest

from aifactory.components.rows import KubernetesRow
from aifactory.components.values import plain
from support.offered import queue, training
from support.planning import INFINIBAND, group, place, plan_site
from support.schemas import Schemas

POOL = {"kind": "gpu-node-pool", "name": "train", "accelerator": "h200", "nodes": 8, "fabric": "rdma"}
RUN = training(topology={"placement": "required"})
NETWORK = {"pod_cidr": "10.0.0.0/14", "service_cidr": "10.8.0.0/16", "infiniband": INFINIBAND}


def test_a_gang_is_planned_without_a_finding() -> None:
    assert plan_site([POOL, queue(), RUN]).problems == []


def test_the_gang_waits_for_its_queue_and_the_settings_of_its_fabric() -> None:
    row = plan_site([POOL, queue(), RUN]).rows["JobSet.jobset.x-k8s.io/research/pretrain-1"]
    assert {
        "LocalQueue.kueue.x-k8s.io/research/default",
        "ConfigMap/research/fabric-nccl",
        "Namespace/research",
        "Release/kueue-system/kueue",
        "Release/jobset-system/jobset",
    } <= set(row.after)


def test_quotas_and_pods_select_the_labels_that_nodes_get() -> None:
    found = plan_site([POOL, queue(), RUN])
    rule: Any = plain(found.rows["NodeFeatureRule.nfd.k8s-sigs.io/train-nodes"].body, lambda ref: ref)  # type: ignore[union-attr]  # an object's row has a body
    levels = set(found.plans["teams"].topologies[0].levels) - {"kubernetes.io/hostname"}
    for each in rule["spec"]["rules"]:
        assert dict(found.plans["teams"].flavors[0].labels).items() <= each["labels"].items()
        assert levels <= set(each["labels"])


def test_a_pool_can_follow_from_guarantees() -> None:
    tenants = [{"name": "research", "gpus": 32}, {"name": "product", "gpus": 10}]
    found = plan_site([POOL | {"nodes": "quotas"}, queue(tenants=tenants), RUN])
    assert found.errors == []
    assert found.decisions["train.nodes"].value == 6


def test_a_renamed_pool_keeps_its_flavor() -> None:
    renamed = POOL | {"name": "new", "renamed_from": "train"}
    tenants = queue(pools=["new"])
    assert "ResourceFlavor.kueue.x-k8s.io/teams-train" in plan_site([renamed, tenants]).rows


@pytest.mark.schema
@pytest.mark.parametrize("fabric", ["roce", "infiniband"])
@pytest.mark.parametrize("memory_lock", ["host", "capability"])
def test_a_real_server_takes_queue_and_run(schemas: Schemas, fabric: str, memory_lock: str) -> None:
    site = place() if fabric == "roce" else place(network=NETWORK, nodes=[group()])
    found = plan_site([POOL, {"kind": "fabric", "memory_lock": memory_lock}, queue(), training(user_id=0)], at=site)
    rows = [row for row in found.rows.values() if row.part in {"teams", "pretrain"}]
    assert len(rows) > 10
    for row in rows:
        assert isinstance(row, KubernetesRow)
        body = plain(row.body, lambda ref: ref)
        assert isinstance(body, dict)
        assert schemas.problems(body) == [], row.id
