"""Trainium and Inferentia: their AMI, their resource, their taint, and pods of one device or all of a node."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from aifactory.components.rows import HelmRow, KubernetesRow
from support.aws_sites import P5EN, POOL, base_rows, rented
from support.planning import Planned
from support.proving.aws_rows import check_rows
from support.schemas import Schemas

TRN: dict[str, Any] = {
    "group": "trn",
    "instance_type": "trn2.48xlarge",
    "purchase": "capacity-block",
    "zone": "eu-north-1b",
    "reservation": "cr-0123456789abcdef0",
    "ends": "2027-01-31T11:30Z",
    "nodes": 4,
    "ami_release": "1.35.3-20261105",
}
INF: dict[str, Any] = {
    "group": "inf",
    "instance_type": "inf2.48xlarge",
    "purchase": "on-demand",
    "nodes": 2,
    "ami_release": "1.35.3-20261105",
}
STATED = {
    "instance_type": "trn2.48xlarge",
    "purchase": "capacity-block",
    "usd_per_hour": 35.0,
    "evidence": "made up for a test of ours",
    "seen": "2026-11-29",
}
TRAINS: dict[str, Any] = {**POOL, "name": "trn", "accelerator": "trainium2"}
SERVES: dict[str, Any] = {
    "kind": "gpu-node-pool",
    "name": "inf",
    "accelerator": "inferentia2",
    "nodes": 2,
    "workload": "inference",
}
QUEUE = {"kind": "queue", "name": "teams", "pools": ["trn"], "tenants": [{"name": "research", "gpus": {"trn": 32}}]}
GANG: dict[str, Any] = {
    "kind": "training",
    "name": "pretrain",
    "pool": "trn",
    "tenant": "research",
    "nodes": 1,
    "image": "registry.example.com/research/trainer:2026.11.1",
    "command": ["torchrun"],
    "args": ["train.py"],
}


@cache
def neuron(devices: int = 16) -> Planned:
    gang = {**GANG, "gpus_per_node": devices}
    return rented(TRN, INF, P5EN, pools=(TRAINS, SERVES, POOL, QUEUE, gang), offers=[STATED])


def group(found: Planned, part: str) -> dict[str, Any]:
    return dict(base_rows(found)[f"aws:eks/nodeGroup:NodeGroup/pool-{part}"].properties)


def test_aws_would_take_all_rows_beside_those_of_gpus() -> None:
    assert check_rows(list(base_rows(neuron()).values())) == []


@pytest.mark.parametrize("part", ["trn", "inf"])
def test_nodes_run_the_ami_for_neuron_and_are_tainted_by_its_resource(part: str) -> None:
    properties = group(neuron(), part)
    assert properties["amiType"] == "AL2023_x86_64_NEURON"
    assert properties["taints"] == [{"key": "aws.amazon.com/neuron", "value": "present", "effect": "NO_SCHEDULE"}]
    assert group(neuron(), "train")["amiType"] == "AL2023_x86_64_NVIDIA"


def test_the_device_plugin_runs_on_types_of_the_site_and_the_gpu_operator_is_for_gpus() -> None:
    releases = {row.chart: row for row in neuron().stack.rows if isinstance(row, HelmRow)}
    assert releases["neuron-helm-chart"].values["neuronInstances"] == ["inf2.48xlarge", "trn2.48xlarge"]
    assert "gpu-operator" in releases
    alone = rented(TRN, pools=(TRAINS,), offers=[STATED])
    assert not any(row.chart == "gpu-operator" for row in alone.stack.rows if isinstance(row, HelmRow))


def test_a_gang_gets_devices_and_efa_of_whole_nodes() -> None:
    (job,) = (row for row in neuron().stack.rows if row.id.startswith("JobSet"))
    assert isinstance(job, KubernetesRow)
    text = str(job.body)
    assert "'aws.amazon.com/neuron': '16'" in text
    assert "'vpc.amazonaws.com/efa': '16'" in text
    assert "nvidia.com/gpu" not in text


def test_workloads_wait_until_each_node_offers_its_devices() -> None:
    waits = [str(row.body) for row in neuron().stack.rows if isinstance(row, KubernetesRow) and "/trn-gpus-" in row.id]
    assert len(waits) == 1
    assert "aws\\\\.amazon\\\\.com/neuron}=16" in waits[0]


@pytest.mark.parametrize(("devices", "rules"), [(1, []), (16, []), (4, ["AWS-119"])])
def test_a_pod_takes_one_device_or_all_of_a_node(devices: int, rules: list[str]) -> None:
    found = neuron(devices)
    assert [problem.rule for problem in found.errors] == rules
    assert found.site_plan.evaluated["AWS-119"] > 0


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ({"device_management": "dra"}, "device_management"),
        ({"sharing": {"kind": "time-slicing", "replicas": 2}}, "sharing"),
        ({"flex": {}}, "flex"),
        ({"driver": {"version": "580.178.04"}}, "driver"),
    ],
)
def test_what_is_of_nvidia_gpus_alone_is_refused(field: dict[str, Any], path: str) -> None:
    (problem,) = rented(INF, pools=({**SERVES, **field},)).errors
    assert problem.rule == "AWS-118"
    assert problem.path[:3] == ("parts", 0, path)
    assert rented(INF, pools=(SERVES,)).errors == []


@pytest.mark.schema
def test_the_chart_knows_every_value(schemas: Schemas) -> None:
    (release,) = (row for row in neuron().stack.rows if isinstance(row, HelmRow) and row.chart == "neuron-helm-chart")
    assert schemas.chart_problems("neuron-helm-chart", release.values) == []
