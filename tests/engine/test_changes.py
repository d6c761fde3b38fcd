"""Changes of a deployed factory touch exactly the rows that they mean, and replace nothing that holds data."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from support.proving.ground import Operators
from support.proving.yard import Edit, Yard
from support.shipped import ROOT

pytestmark = pytest.mark.engine
STACK = "training-roce-ams-colo1-platform"
SITE, FACTORY = "sites/ams-colo1.yaml", "factory.yaml"
SMALL: Edit = (
    FACTORY,
    "{pool_nodes: 4, research_gpus: 24, product_gpus: 8, pretrain_nodes: 2}",
    "{pool_nodes: 3, research_gpus: 16, product_gpus: 8, pretrain_nodes: 1}",
)
"""The site's part of the blueprint with one node less."""
CLAIM = "PersistentVolumeClaim/research/pretrain-checkpoints"
NETWORK = "sriovnetwork.openshift.io/nvidia-network-operator/fabric-train-rail-{}"
CHANGES: tuple[tuple[str, Edit, dict[str, str]], ...] = (
    (
        "a node more",
        (FACTORY, "pool_nodes: 3", "pool_nodes: 4"),
        {
            "ClusterQueue.kueue.x-k8s.io/teams-product": "update",
            "ClusterQueue.kueue.x-k8s.io/teams-research": "update",
            "Cohort.kueue.x-k8s.io/teams": "update",
            "Job.batch/gpu-acceptance/fabric-rails-66a69684": "delete",
            "Job.batch/gpu-acceptance/fabric-rails-b632b4d9": "create",
            "Job.batch/gpu-acceptance/train-gpus-93325086": "create",
            "Job.batch/gpu-acceptance/train-gpus-efe37242": "delete",
            "NodeFeatureRule.nfd.k8s-sigs.io/train-idle-nodes": "delete",
            "NodeFeatureRule.nfd.k8s-sigs.io/train-nodes": "update",
            "ResourceQuota/product/quota": "update",
            "ResourceQuota/research/quota": "update",
        },
    ),
    (
        "another quota",
        (FACTORY, "product_gpus: 8", "product_gpus: 16"),
        {
            "ClusterQueue.kueue.x-k8s.io/teams-product": "update",
            "Cohort.kueue.x-k8s.io/teams": "update",
            "ResourceQuota/product/quota": "update",
        },
    ),
    (
        "another MTU of the fabric",
        (SITE, "mtu: 9000", "mtu: 4200"),
        {f"SriovNetworkNodePolicy.{NETWORK.format(rail)}": "update" for rail in range(8)},
    ),
    (
        "a part with another name",
        (FACTORY, "    name: pretrain\n", "    name: pretraining\n    renamed_from: pretrain\n"),
        {
            CLAIM: "update",
            "JobSet.jobset.x-k8s.io/research/pretrain-1": "update",
            "ServiceAccount/research/pretrain": "update",
        },
    ),
    (
        "a newer chart",
        (FACTORY, "name: training-roce\n", 'name: training-roce\nrelease_train: "2026.12"\n'),
        {"Release/jobset-system/jobset": "update"},
    ),
)


def touched(told: Any) -> dict[str, str]:
    """Rows that a preview or a run names, and what becomes of each."""
    return {row["row"]: row["op"] for row in told["rows"]}


def test_each_change_touches_the_rows_that_it_means(yards: Any) -> None:
    yard: Yard = yards(STACK, SMALL)
    newer_train(yard)
    with Operators(yard.plane.api):
        yard.data("up", "--yes")
        volume = yard.plane.api.get(claim())["spec"]["volumeName"]
        for what, edit, rows in CHANGES:
            yard.edit(edit)
            assert touched(yard.data("preview")) == rows, what
            assert touched(yard.data("up", "--yes")) == rows, what
            assert touched(yard.data("preview")) == {}, what
        assert yard.plane.api.get(claim())["spec"]["volumeName"] == volume
        found = {one["name"]: one["chart"] for one in yard.helm_releases()}
        assert found["jobset"] == "jobset-0.12.1"


def newer_train(yard: Yard) -> None:
    """A train of the project's own, in which one chart is newer."""
    shipped = yaml.safe_load((ROOT / "components/catalog/trains.yaml").read_text(encoding="utf-8"))
    facts = {key: shipped[key] for key in ("schema", "as_of", "sources", "trains", "releases")}
    facts["trains"] = [{**train, "id": "2026.12"} for train in facts["trains"]]
    for release in facts["releases"]:
        release["train"] = "2026.12"
        if release["name"] == "jobset":
            release["version"] = "0.12.1"
    (yard.root / "facts").mkdir()
    (yard.root / "facts" / "trains.yaml").write_text(yaml.safe_dump(facts), "utf-8")
    (yard.root / "aifactory.yaml").write_text("aifactory: v1\ncatalog: [facts]\n", encoding="utf-8")


def claim() -> dict[str, Any]:
    """The volume that holds checkpoints."""
    metadata = {"name": "pretrain-checkpoints", "namespace": "research"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata}
