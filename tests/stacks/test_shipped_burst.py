"""What we ship that bursts: no row of the flex side takes data of another class, and its cluster refuses such pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from aifactory.components.cluster.aws.bursting import ACCELERATORS, GUARD, guard
from aifactory.components.names import DATA_CLASS_LABEL
from aifactory.components.rows import KubernetesRow
from aifactory.stacks.assembly.stack import Stack
from support import doors, shipped
from support.schemas_cel import AVAILABLE

FLEX, CORE = "cloud-burst-sto-aws-platform", "cloud-burst-fra-dc1-platform"
ALLOWED = {"public"}


def stack(name: str) -> Stack:
    return shipped.stacks()[name]


def bodies(name: str) -> list[dict[str, Any]]:
    return [stack(name).plain_tree(row) for row in stack(name).rows if isinstance(row, KubernetesRow)]


def labels(tree: object) -> Iterator[str]:
    """Every class of data that a tree is labelled with."""
    if isinstance(tree, dict):
        found = tree.get("labels")
        if isinstance(found, dict) and DATA_CLASS_LABEL in found:
            yield str(found[DATA_CLASS_LABEL])
        for value in tree.values():
            yield from labels(value)
    elif isinstance(tree, (list, tuple)):
        for value in tree:
            yield from labels(value)


def device_pods(tree: object, above: dict[str, str]) -> Iterator[dict[str, str]]:
    """Labels of each pod that takes a device, with those of the objects around it, which KServe hands on."""
    if isinstance(tree, (list, tuple)):
        for value in tree:
            yield from device_pods(value, above)
    if not isinstance(tree, dict):
        return
    metadata = tree.get("metadata")
    own = {**above, **((metadata.get("labels") or {}) if isinstance(metadata, dict) else {})}
    own.update(tree.get("labels", {}) if isinstance(tree.get("labels"), dict) else {})
    limits = tree.get("resources", {}).get("limits", {}) if isinstance(tree.get("resources"), dict) else {}
    if any(str(name).startswith(ACCELERATORS) for name in limits):
        yield own
    for value in tree.values():
        yield from device_pods(value, own)


def test_every_row_of_the_flex_side_that_says_a_class_says_one_that_may_be_there() -> None:
    assert set(labels(bodies(FLEX))) == ALLOWED


def test_every_pod_with_a_device_says_its_class() -> None:
    found = list(device_pods(bodies(FLEX), {}))
    assert found
    assert {pod.get(DATA_CLASS_LABEL) for pod in found} == ALLOWED


def test_from_the_core_only_that_data_goes_on_and_only_after_the_core_was_asked() -> None:
    ways = [way for way in doors.ways(bodies(CORE)) if way.place == "sto-aws"]
    assert ways
    for body in bodies(CORE):
        if body["kind"] != "AIGatewayRoute":
            continue
        for rule in body["spec"]["rules"]:
            legs = {leg["name"]: leg.get("priority", 0) for leg in rule["backendRefs"]}
            if "door-other" in legs:
                assert set(labels(body)) == ALLOWED
                assert legs["door-other"] > min(legs.values())


def test_only_the_flex_side_has_the_guard_and_it_denies() -> None:
    guards = {name: [b for b in bodies(name) if b["metadata"]["name"] == GUARD] for name in shipped.PLATFORMS}
    assert [name for name, found in guards.items() if found] == [FLEX]
    binding = next(body for body in guards[FLEX] if body["kind"].endswith("Binding"))
    assert binding["spec"] == {"policyName": GUARD, "validationActions": ["Deny"]}


def container(limits: dict[str, str] | None) -> dict[str, Any]:
    return {"name": "a", **({"resources": {"limits": limits}} if limits is not None else {})}


def pod(data_class: str | None, limits: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    metadata = {"name": "a", **({"labels": {DATA_CLASS_LABEL: data_class}} if data_class is not None else {})}
    return {"metadata": metadata, "spec": {"containers": [container(limits)], **spec}}


GPU = {"nvidia.com/gpu": "1"}
PODS: list[tuple[str, dict[str, Any], bool]] = [
    ("a model of public data", pod("public", GPU), True),
    ("a model of customer data", pod("customer", GPU), False),
    ("a model of no class", pod(None, GPU), False),
    ("a part of a card", pod(None, {"nvidia.com/mig-1g.18gb": "1"}), False),
    ("Neuron", pod(None, {"aws.amazon.com/neuron": "1"}), False),
    ("a device by a claim", pod(None, resourceClaims=[{"name": "gpu"}]), False),
    ("a device before it starts", pod(None, initContainers=[container(GPU)]), False),
    ("a controller", pod(None, {"memory": "1Gi"}), True),
    ("a container without limits", pod(None), True),
    ("customer data without a device", pod("customer"), False),
    ("public data without a device", pod("public"), True),
    ("other labels", {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container(GPU)]}}, False),
]


@pytest.mark.skipif(not AVAILABLE, reason="the package common-expression-language is not installed")
@pytest.mark.parametrize(("found", "taken"), [case[1:] for case in PODS], ids=[case[0] for case in PODS])
def test_the_api_server_takes_pods_of_that_data_alone(found: dict[str, Any], taken: bool) -> None:
    """The policy's own expressions, run by a CEL engine."""
    import cel

    policy: Any = guard(("public",))
    known = {
        each["name"]: cel.compile(each["expression"]).execute(cel.Context({"object": found}))
        for each in policy["variables"]
    }
    (rule,) = policy["validations"]
    assert cel.compile(rule["expression"]).execute(cel.Context({"variables": known, "object": found})) is taken


@pytest.mark.skipif(not AVAILABLE, reason="the package common-expression-language is not installed")
def test_every_pod_that_we_ship_there_is_taken() -> None:
    for found in device_pods(bodies(FLEX), {}):
        test_the_api_server_takes_pods_of_that_data_alone(pod(found[DATA_CLASS_LABEL], GPU), True)
