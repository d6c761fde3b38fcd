"""Queues, gangs and models use pools at AWS as they use pools elsewhere."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from aifactory.components.rows import HelmRow, KubernetesRow
from support.aws_sites import P5EN, POOL, aws_place
from support.copies import elsewhere
from support.planning import Planned, plan_site
from support.schemas import Schemas

ANYWHERE = {name: value for name, value in P5EN.items() if name != "zone"}
G6E = {**ANYWHERE, "group": "g6e", "instance_type": "g6e.12xlarge", "nodes": 6}
SERVES: dict[str, Any] = {
    "kind": "gpu-node-pool",
    "name": "serve",
    "accelerator": "l40s",
    "nodes": 2,
    "workload": "inference",
}
PARTS: list[dict[str, Any]] = [
    POOL,
    SERVES,
    {**SERVES, "name": "burst", "flex": {"usd_per_hour": 40.0}},
    {
        "kind": "queue",
        "name": "teams",
        "pools": ["train", "serve"],
        "tenants": [
            {"name": "research", "gpus": {"train": 16}},
            {"name": "assist", "gpus": {"serve": 8}, "workload": "inference"},
        ],
    },
    {
        "kind": "training",
        "name": "pretrain",
        "pool": "train",
        "tenant": "research",
        "nodes": 2,
        "image": "registry.example.com/research/trainer:2026.11.1",
        "command": ["torchrun"],
        "args": ["train.py"],
        "topology": {"placement": "required", "within": "block"},
    },
    {
        "kind": "serving",
        "name": "chat",
        "model": "llama-3.1-8b",
        "pool": "serve",
        "tenant": "assist",
        "stack": "kserve",
        "precision": "fp8",
        "stored_as": "fp8",
        "weights": {"kind": "oci", "image": "registry.example.com/models/llama:2026.11"},
    },
    {"kind": "observability", "name": "watch", "signals": []},
]
DEMAND = {
    "models": [
        {
            "name": "llama-3.1-8b",
            "data_class": "public",
            "requests_per_s": {"mean": 2.0, "peak": 5.0},
            "input_tokens": 900,
            "output_tokens": 60,
            "longest_tokens": 8192,
            "itl_ms": 60,
        }
    ]
}
PUBLIC = {"public": {"jurisdictions": ["eu", "us"], "operators": ["eu", "us"]}}


@cache
def whole() -> Planned:
    return plan_site(PARTS, aws_place(rented_nodes=[P5EN, G6E]), demand=DEMAND, residency=PUBLIC)


def objects(kind: str) -> dict[str, Any]:
    rows = (row for row in whole().stack.rows if isinstance(row, KubernetesRow) and row.body["kind"] == kind)
    return {row.name: row.body for row in rows}


def test_a_blueprint_with_jobs_and_models_plans_without_a_problem() -> None:
    assert whole().errors == []


def test_a_gang_asks_for_one_block_and_mounts_the_settings_of_the_fabric() -> None:
    (job,) = objects("JobSet").values()
    text = str(job["spec"])
    assert "'kueue.x-k8s.io/podset-required-topology': 'aifactory.io/block'" in text
    assert "'configMapRef': {'name': 'fabric-nccl'}" in text
    assert "'nodeSelector': {'aifactory.io/pool': 'train'}" in text
    assert "IPC_LOCK" not in text, "the limit of locked memory is the runtime's"
    assert "k8s.v1.cni.cncf.io/networks" not in text


def test_a_queue_packs_by_the_switches_that_eks_labels_and_counts_no_efa() -> None:
    topologies = [[level["nodeLabel"] for level in each["spec"]["levels"]] for each in objects("Topology").values()]
    layers = [f"topology.k8s.aws/network-node-layer-{layer}" for layer in (1, 2, 3)]
    assert ["aifactory.io/block", "aifactory.io/rack", *layers, "kubernetes.io/hostname"] in topologies
    (kueue,) = (row for row in whole().stack.rows if isinstance(row, HelmRow) and row.chart == "kueue")
    assert "vpc.amazonaws.com/efa" in str(kueue.values)
    assert "vpc.amazonaws.com/efa" not in str(objects("ClusterQueue"))


def test_every_decision_rests_on_decisions_that_there_are() -> None:
    known = set(whole().decisions)
    rests = {path: set(each.because) - known for path, each in whole().decisions.items()}
    assert {path: missing for path, missing in rests.items() if missing} == {}


def test_no_part_of_the_pools_knows_a_name_of_a_node() -> None:
    for name in ("train", "serve", "burst"):
        assert whole().plans[name].nodes == ()
        assert whole().plans[name].in_short


def test_images_of_the_whole_platform_are_copies() -> None:
    assert elsewhere(whole().stacks[-1]) == []


@pytest.mark.schema
def test_an_api_server_and_the_charts_take_the_whole_platform(schemas: Schemas) -> None:
    stack, found = whole().stack, []
    for row in stack.rows:
        if isinstance(row, KubernetesRow):
            found += [f"{row.id}: {each}" for each in schemas.problems(stack.plain_tree(row))]
        # Values of the load balancer controller's chart aren't stored.
        if isinstance(row, HelmRow) and row.chart != "aws-load-balancer-controller":
            found += [f"{row.id}: {each}" for each in schemas.chart_problems(row.chart, stack.plain_tree(row))]
    assert found == []
