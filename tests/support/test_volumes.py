"""The reader of volumes sees each way in which one is asked for, and finds what no tier has."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.storage_tier.decided import StorageTierPlan
from support import shipped, volumes
from support.schemas import Schemas
from support.served import plans

CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
ON = {**CLAIM, "storageClassName": "fast"}
TEMPLATE = {"volumeClaimTemplate": {"spec": ON}}
OBJECTS: list[tuple[dict[str, Any], list[str]]] = [
    ({"kind": "PersistentVolumeClaim", "spec": ON}, ["fast"]),
    ({"kind": "PersistentVolumeClaim", "spec": CLAIM}, [volumes.DEFAULT]),
    ({"kind": "StatefulSet", "spec": {"volumeClaimTemplates": [{"spec": ON}, {"spec": CLAIM}]}}, ["fast", ""]),
    ({"kind": "Deployment", "spec": {"template": {"spec": {"volumes": [{"ephemeral": TEMPLATE}]}}}}, ["fast"]),
    ({"kind": "OpenTelemetryCollector", "spec": {"volumeClaimTemplates": [{"spec": ON}]}}, ["fast"]),
    ({"kind": "Prometheus", "spec": {"storage": TEMPLATE}}, ["fast"]),
    ({"kind": "ObjectBucketClaim", "spec": {"storageClassName": "pails", "bucketName": "a"}}, ["pails"]),
    (
        {"kind": "Cluster", "spec": {"storage": {"size": "1Gi", "storageClass": "a"}, "walStorage": {"size": "1Gi"}}},
        ["a", ""],
    ),
    ({"kind": "Deployment", "spec": {"template": {"spec": {"volumes": [{"emptyDir": {}}]}}}}, []),
    ({"kind": "ConfigMap", "data": {"bucketName": "logs"}}, []),
]
CHARTS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("kube-prometheus-stack", {"prometheus": {"prometheusSpec": {"storageSpec": TEMPLATE}}}, ["fast"]),
    ("kube-prometheus-stack", {"alertmanager": {"enabled": True, "alertmanagerSpec": {"storage": TEMPLATE}}}, ["fast"]),
    ("tempo", {"persistence": {"enabled": True, "size": "10Gi", "storageClassName": "fast"}}, ["fast"]),
    ("loki", {"singleBinary": {"replicas": 1, "persistence": {"enabled": True, "storageClass": None}}}, [""]),
    ("loki", {"singleBinary": {"replicas": 1, "persistence": {"enabled": False}}}, []),
    ("loki", {"ruler": {"enabled": False, "persistence": {"enabled": True}}}, []),
    ("grafana", {"replicas": 0, "persistence": {"enabled": True}}, []),
]


@pytest.mark.parametrize(("body", "classes"), OBJECTS)
def test_claims_of_an_object_are_seen(body: dict[str, Any], classes: list[str]) -> None:
    group = "postgresql.cnpg.io/v1" if body["kind"] == "Cluster" else "v1"
    assert list(volumes.of_object({"apiVersion": group, **body})) == classes


@pytest.mark.parametrize(("chart", "values", "classes"), CHARTS)
def test_claims_of_a_chart_are_seen(chart: str, values: dict[str, Any], classes: list[str]) -> None:
    assert list(volumes.of_chart(chart, values)) == classes


@pytest.mark.schema
@pytest.mark.parametrize("name", shipped.PLATFORMS)
def test_without_its_tiers_each_volume_of_a_stack_is_found(name: str, schemas: Schemas) -> None:
    stack = shipped.stacks()[name]
    tiers = plans(stack.plan, StorageTierPlan)
    bare = replace(stack, plan=replace(stack.plan, parts=[part for part in stack.plan.parts if part.name not in tiers]))
    found = volumes.outside(bare, schemas)
    assert found
    assert len(found) == len(list(volumes.judged(stack, schemas)))


@pytest.mark.schema
def test_a_volume_that_goes_with_one_of_several_nodes_is_found(schemas: Schemas) -> None:
    stack = shipped.stacks()["training-roce-fra-dc1-platform"]
    parts = [
        replace(part, plan=replace(part.plan, failure_domain="none"))
        if isinstance(part.plan, StorageTierPlan)
        else part
        for part in stack.plan.parts
    ]
    found = volumes.outside(replace(stack, plan=replace(stack.plan, parts=parts)), schemas)
    assert found == ["PersistentVolumeClaim/research/pretrain-checkpoints: shared-vast goes with its node"]
