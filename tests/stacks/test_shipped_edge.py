"""The shipped edge site starts without its uplink, and all that runs there fits its only node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from aifactory.components.image_reference import parse_image
from aifactory.components.observability.footprint import OTHER_CPUS, OTHER_MEMORY_GIB
from aifactory.components.pods import (
    CONTROLLER_CPUS,
    CONTROLLER_MEMORY_GIB,
    DAEMON_CPUS,
    DAEMON_MEMORY_GIB,
)
from aifactory.components.rows import HelmRow, KubernetesRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.images import images
from support import shipped
from support.released import values_of
from support.schemas import Schemas

NAME = "edge-slm-lys-edge1-platform"
NEVER_BESIDE = ("InferenceService", "CronJob")
"""What has the room that is left, and what a person starts by hand."""
TELEMETRY = ("Release/monitoring/", "Release/opentelemetry-operator-system/", "OpenTelemetryCollector")
UNITS = {"m": 0.001, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


@pytest.fixture
def stack() -> Stack:
    """The stack."""
    return shipped.stacks()[NAME]


def trees(stack: Stack, schemas: Schemas) -> Iterator[tuple[str, Any]]:
    """Every object, and the values of every release over those of its chart."""
    for row in stack.rows:
        if isinstance(row, HelmRow):
            yield row.id, values_of(row, stack, schemas)
        elif isinstance(row, KubernetesRow):
            yield row.id, stack.plain_tree(row)


def below(tree: Any, name: str) -> Iterator[Any]:
    """Values of a key, wherever it stands; case doesn't matter."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            if str(key).lower() == name:
                yield value
            yield from below(value, name)
    elif isinstance(tree, (list, tuple)):
        for value in tree:
            yield from below(value, name)


def number(text: object) -> float:
    """A quantity as a number."""
    unit = next((unit for unit in UNITS if str(text).endswith(unit)), "")
    return float(str(text).removesuffix(unit)) * UNITS.get(unit, 1)


@pytest.mark.schema
def test_nothing_is_pulled_again_that_lies_on_the_node(stack: Stack, schemas: Schemas) -> None:
    policies = {
        (row, value)
        for row, tree in trees(stack, schemas)
        for name in ("pullpolicy", "imagepullpolicy")
        for value in below(tree, name)
    }
    assert {value for _, value in policies} <= {"IfNotPresent", "", None}, policies
    assert len(policies) > 3  # else the search found nothing to look at


def test_every_image_is_found_by_a_tag_that_does_not_move(stack: Stack) -> None:
    found = [parse_image(name) for name in images(stack)]
    assert len(found) >= 3
    assert all(image.tag and image.tag != "latest" and not image.digest for image in found)


def test_weights_are_an_image_of_the_node_that_a_pod_keeps_there(stack: Stack) -> None:
    pods = [row for row in stack.rows if isinstance(row, KubernetesRow) and row.part == "helper"]
    volumes = [volume for row in pods for volume in below(stack.plain_tree(row), "volumes") if isinstance(volume, list)]
    sources = [source for volume in volumes for source in volume if source["name"] == "weights"]
    assert {source["image"]["pullPolicy"] for source in sources} == {"IfNotPresent"}
    kinds = [str(row.body["kind"]) for row in pods]
    assert "Job" not in kinds
    assert "DaemonSet" in kinds


def test_model_servers_may_reach_nothing_outside_of_the_cluster(stack: Stack) -> None:
    policies = [
        stack.plain_tree(row)
        for row in stack.rows
        if isinstance(row, KubernetesRow) and row.body["kind"] == "NetworkPolicy" and row.namespace == "helper"
    ]
    assert len(policies) >= 2
    assert {block["cidr"] for block in below(policies, "ipblock")} <= {"169.254.20.10/32"}  # the resolver of a node


def test_the_driver_is_the_hosts_and_no_pod_builds_one(stack: Stack) -> None:
    (operator,) = (row for row in stack.rows if isinstance(row, HelmRow) and row.chart == "gpu-operator")
    values = stack.plain_tree(operator)
    assert values["driver"]["enabled"] is False
    assert not any(isinstance(row, KubernetesRow) and row.body["kind"] == "NVIDIADriver" for row in stack.rows)


def test_gpus_get_into_containers_without_a_change_of_the_runtime_that_k3s_rewrites(stack: Stack) -> None:
    """With CDI and NRI the operator needs neither CONTAINERD_SOCKET nor CONTAINERD_CONFIG.

    Source: NVIDIA/cloud-native-docs#410; gpu-operator values.yaml, cdi.nriPluginEnabled.
    """
    (operator,) = (row for row in stack.rows if isinstance(row, HelmRow) and row.chart == "gpu-operator")
    values = stack.plain_tree(operator)
    assert values["cdi"] == {"enabled": True, "nriPluginEnabled": True}
    assert "env" not in values["toolkit"]


@pytest.mark.schema
def test_all_that_runs_fits_beside_the_model_with_as_much_again(stack: Stack, schemas: Schemas) -> None:
    cpus = memory_gib = 0.0
    for row, tree in trees(stack, schemas):
        for requests in below(tree, "requests") if not row.startswith(NEVER_BESIDE) else ():
            cpus += number(requests.get("cpu", 0))
            memory_gib += number(requests.get("memory", 0)) / 2**30
    assert 2 < cpus <= CONTROLLER_CPUS, cpus
    assert 4 < memory_gib <= CONTROLLER_MEMORY_GIB / 2 + 1, memory_gib


@pytest.mark.schema
def test_others_request_no_more_than_telemetry_leaves_them(stack: Stack, schemas: Schemas) -> None:
    cpus = memory_gib = 0.0
    for row, tree in trees(stack, schemas):
        if not row.startswith((*NEVER_BESIDE, *TELEMETRY)):
            for requests in below(tree, "requests"):
                cpus += number(requests.get("cpu", 0))
                memory_gib += number(requests.get("memory", 0)) / 2**30
    assert OTHER_CPUS / 2 < cpus <= OTHER_CPUS, cpus
    assert OTHER_MEMORY_GIB / 2 < memory_gib <= OTHER_MEMORY_GIB, memory_gib


def test_the_model_and_what_is_kept_beside_it_are_the_node(stack: Stack) -> None:
    (promise,) = stack.plan.promises
    (group,) = stack.plan.place.nodes
    reserve = stack.plan.decisions["edge.reserve"].value
    assert isinstance(reserve, Mapping)
    asked = dict(promise.requests)
    kept = DAEMON_CPUS + CONTROLLER_CPUS + reserve["cpus"]
    assert number(asked["cpu"]) + kept == group.cpus
    kept_gib = DAEMON_MEMORY_GIB + CONTROLLER_MEMORY_GIB + reserve["memory_gib"]
    assert number(asked["memory"]) / 2**30 + kept_gib <= group.memory_gib * 0.98 + 1
    assert asked["nvidia.com/gpu"] == str(group.gpus_per_node)


def test_no_controller_has_a_second_replica_to_fall_with_the_first(stack: Stack) -> None:
    names = ("replicas", "replicacount")
    found = {
        value
        for row in stack.rows
        if isinstance(row, (HelmRow, KubernetesRow))
        for name in names
        for value in below(stack.plain_tree(row), name)
    }
    assert found == {1}


def test_its_readme_says_how_images_get_onto_the_node_and_stay_there() -> None:
    text = shipped.files(NAME)["README.md"].decode()
    assert "/var/lib/rancher/k3s/agent/images" in text
    assert "k3s ctr -n k8s.io images export --platform linux/amd64" in text
    assert "Nodes can pull" not in text
