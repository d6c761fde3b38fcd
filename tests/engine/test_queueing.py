"""Real Kueue admits shipped gangs whole or not at all, each tenant within its quota: rows of the stack, simulated nodes
of its plan, the real scheduler."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from copy import deepcopy
from functools import partial
from typing import Any

import pytest

from aifactory.components.offers import PodPromise
from aifactory.components.rows import KubernetesRow
from aifactory.stacks.assembly.stack import Stack
from support import shipped
from support.proving.control_plane import ControlPlane
from support.proving.nodes import nodes
from support.proving.queues import (
    BLOCK,
    apply_rows,
    blocks,
    body,
    clear,
    condition,
    gangs,
    gpus_of,
    named,
    pods_of,
    rows,
    runs,
    size_of,
    sized,
    start_queues,
)
from support.proving.tools import Missing

pytestmark = pytest.mark.cluster
LARGEST = "training-infiniband-hel-dc1-platform"
"""Two tenants with a gang each, two blocks of eight nodes."""
WITHOUT = (
    "cloud-burst-fra-dc1-platform",
    "edge-slm-lys-edge1-platform",
    "inference-l4-muc-lab1-platform",
    "public-inference-fra-dc1-platform",
)
"""Stacks of models alone, which nobody queues for."""
QUEUED = (*(name for name in shipped.GIVEN if name not in (LARGEST, *WITHOUT)), LARGEST)
"""Stacks with queues, the largest last: the tests after it go on with its plane."""
GPU = "nvidia.com/gpu"
PATIENCE_S = 180
"""Beside other tests: alone, a gang runs after a second or two."""
WATCHED_S = 3
"""How long something must go on not happening, after something else has had the time to."""


@pytest.fixture(scope="module")
def queues_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], ControlPlane]]:
    """Gives the control plane with the queues of a shipped stack: the one that is there, or a new one for the next."""
    with ExitStack() as open_now:
        planes: dict[str, ControlPlane] = {}

        def of(name: str) -> ControlPlane:
            if name not in planes:
                planes.clear()
                open_now.close()
                plane = open_now.enter_context(ControlPlane(tmp_path_factory.mktemp("plane")))
                start_queues(plane, shipped.stacks()[name])
                planes[name] = plane
            return planes[name]

        yield of


@pytest.fixture
def queues(queues_of: Callable[[str], ControlPlane], request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """A control plane with the queues of a shipped stack, without jobs, and as planned."""
    try:
        plane = queues_of(request.param)
    except Missing as missing:
        pytest.skip(str(missing))
    yield plane
    if request.param == LARGEST:  # the others' planes end with their only test
        clear(plane)
        apply_rows(plane, shipped.stacks()[request.param])


of_each = pytest.mark.parametrize(
    ("queues", "name"), [(name, name) for name in QUEUED], indirect=["queues"], ids=QUEUED
)
of_the_largest = pytest.mark.parametrize("queues", [LARGEST], indirect=True)


def is_open(plane: ControlPlane, queue: Any, kind: str) -> bool:
    conditions = (plane.api.get(queue).get("status") or {}).get("conditions") or []
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)


def started(plane: ControlPlane, *asked: Any) -> None:
    """Make jobs, and wait until all their pods run."""
    for gang in asked:
        plane.api.apply(gang)
    for gang in asked:
        plane.wait(partial(runs, plane, gang), f"{gang['metadata']['name']} runs", PATIENCE_S)


def is_out(plane: ControlPlane, gang: Any) -> bool:
    return pods_of(plane, gang) == []


def waits_whole(plane: ControlPlane, gang: Any, why: str) -> None:
    """A job stays outside with all its pods, and its Workload says why."""
    plane.wait(lambda: condition(plane, gang, "QuotaReserved")[0] == "False", "the queue has looked at it")
    until = time.monotonic() + WATCHED_S
    while time.monotonic() < until:
        status, _, message = condition(plane, gang, "QuotaReserved")
        assert status == "False"
        assert why in message
        assert is_out(plane, gang)
        time.sleep(0.2)


def stack() -> Stack:
    return shipped.stacks()[LARGEST]


def queue(tenant: str) -> Any:
    """A tenant's queue as planned, to be changed."""
    every = [deepcopy(body(row)) for row in rows(stack(), "ClusterQueue")]
    (found,) = [each for each in every if each["metadata"]["labels"]["aifactory.io/tenant"] == tenant]
    return found


def quotas(of: Any) -> dict[str, Any]:
    """What a queue says of each resource, by its name."""
    (group,) = of["spec"]["resourceGroups"]
    (flavor,) = group["flavors"]
    return {resource["name"]: resource for resource in flavor["resources"]}


def gpus(of: Any, *words: str) -> int:
    """GPUs of a queue: its `nominalQuota`, its `borrowingLimit` or both."""
    return sum(int(quotas(of)[GPU][word]) for word in words)


def crowd(count: int) -> list[Any]:
    """The second tenant's gang, again and again."""
    return [named(gangs(stack())["finetune"], f"finetune-{index}x") for index in range(count)]


def test_every_stack_that_has_queues_is_tried() -> None:
    assert {name for name, each in shipped.stacks().items() if rows(each, "ClusterQueue")} == set(QUEUED)


@of_each
def test_a_shipped_stack_opens_its_queues_and_runs_its_gangs_whole(queues: ControlPlane, name: str) -> None:
    """Each inside one block, on nodes of its own, as many pods and as large as the plan promises."""
    shipped_stack = shipped.stacks()[name]
    _queues_open(queues, rows(shipped_stack, "ClusterQueue"))
    asked = gangs(shipped_stack)
    promises = [promise for promise in shipped_stack.plan.promises if promise.queue]
    assert asked.keys() == {promise.part for promise in promises}
    assert asked.keys() == {part.name for part in shipped_stack.plan.parts if part.kind == "training"}
    started(queues, *asked.values())
    for promise in promises:
        _are_as_promised(pods_of(queues, asked[promise.part]), promise)
        assert len(blocks(queues, asked[promise.part])) == 1
    hosts = Counter(pod["spec"]["nodeName"] for part in asked for pod in pods_of(queues, asked[part]))
    assert set(hosts.values()) <= {1}, "each pod takes a whole node"


def _queues_open(plane: ControlPlane, gated: list[KubernetesRow]) -> None:
    assert gated
    for row in gated:
        assert row.gate is not None
        plane.wait(partial(is_open, plane, body(row), row.gate.condition), row.id, row.gate.timeout_s)


def _are_as_promised(found: list[Any], promise: PodPromise) -> None:
    assert len(found) == promise.count
    for pod in found:
        (container,) = pod["spec"]["containers"]
        assert container["resources"]["requests"] == dict(promise.requests)
        assert pod["spec"]["nodeSelector"].items() >= dict(promise.node_selector).items()
        assert all(taint.toleration() in pod["spec"]["tolerations"] for taint in promise.tolerations)
        assert pod["metadata"]["namespace"] == promise.namespace


@of_the_largest
def test_a_gang_that_no_block_holds_waits_whole(queues: ControlPlane) -> None:
    """Its quota and the free nodes would do: what keeps it out is the topology."""
    held = Counter(node["metadata"]["labels"][BLOCK] for node in nodes(stack().plan))
    gang = sized(gangs(stack())["pretrain"], max(held.values()) + 1)
    assert gpus(queue("foundation"), "nominalQuota") >= gpus_of(gang)
    queues.api.apply(gang)
    started(queues, gangs(stack())["finetune"])
    waits_whole(queues, gang, "topology")
    # The same gang that asks for no block starts, over two of them: the block is what the queue looked at.
    anywhere = named(gang, "anywhere")
    template = anywhere["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]
    del template["metadata"]["annotations"]["kueue.x-k8s.io/podset-required-topology"]
    queues.api.delete(gang)
    started(queues, anywhere)
    assert len(blocks(queues, anywhere)) == 2


def borrowed(plane: ControlPlane, tenant: str) -> int:
    """GPUs that a tenant has beyond his own, as his queue says."""
    (flavor,) = plane.api.get(queue(tenant))["status"]["flavorsUsage"]
    (found,) = [each for each in flavor["resources"] if each["name"] == GPU]
    return int(found.get("borrowed", 0))


@of_the_largest
def test_tenants_borrow_and_lenders_get_their_quota_back(queues: ControlPlane) -> None:
    applied = queue("applied")
    size = gpus_of(gangs(stack())["finetune"])
    many = crowd(gpus(applied, "nominalQuota", "borrowingLimit") // size)
    for gang in many:
        # Those that came last go first, and times count in seconds. In any other order the two that stay may lie in
        # both blocks, and no block would be free for the lender's gang.
        started(queues, gang)
        time.sleep(1)
    limit = gpus(applied, "borrowingLimit")
    queues.wait(lambda: borrowed(queues, "applied") == limit, "all that may be borrowed is")
    own = gangs(stack())["pretrain"]
    started(queues, own)
    assert len(blocks(queues, own)) == 1
    assert borrowed(queues, "foundation") == 0
    evicted = [gang for gang in many if condition(queues, gang, "Evicted")[0] == "True"]
    stayed = [gang for gang in many if gang not in evicted]
    assert evicted
    for gang in evicted:
        assert condition(queues, gang, "Preempted")[1].startswith("InCohort")
        queues.wait(partial(is_out, queues, gang), "its pods are gone")
    assert all(runs(queues, gang) for gang in stayed)
    assert len(stayed) * size >= gpus(applied, "nominalQuota"), "nobody loses what is his"


@of_the_largest
def test_work_over_quota_never_starts(queues: ControlPlane) -> None:
    """Nodes are free for it, and other tenants' work takes some of them."""
    applied = queue("applied")
    *many, over = crowd(gpus(applied, "nominalQuota", "borrowingLimit") // gpus_of(gangs(stack())["finetune"]) + 1)
    started(queues, *many)
    queues.api.apply(over)
    other = sized(gangs(stack())["pretrain"], 1)
    started(queues, other)
    waits_whole(queues, over, "insufficient")
    busy = {pod["spec"]["nodeName"] for gang in (*many, other) for pod in pods_of(queues, gang)}
    assert len(list(nodes(stack().plan))) - len(busy) >= size_of(over)
    # With more quota the same gang gets in: the quota is what kept it out. The namespace's own still holds its pods.
    for resource in quotas(applied).values():
        del resource["borrowingLimit"]
    queues.api.apply(applied)
    queues.wait(lambda: condition(queues, over, "Admitted")[0] == "True", "more quota lets it in")
    time.sleep(WATCHED_S)
    assert is_out(queues, over)


@of_the_largest
def test_a_queue_whose_topology_is_missing_stays_shut(queues: ControlPlane) -> None:
    (flavor,) = rows(stack(), "ResourceFlavor")
    lost, shut = deepcopy(body(flavor)), queue("applied")
    lost["metadata"]["name"] = shut["metadata"]["name"] = "lost"
    lost["spec"]["topologyName"] = "nowhere"
    shut["spec"]["resourceGroups"][0]["flavors"][0]["name"] = "lost"
    queues.api.apply(lost)
    queues.api.apply(shut)
    queues.wait(lambda: "conditions" in queues.api.get(shut).get("status", {}), "the queue says how it is")
    time.sleep(WATCHED_S)
    assert not is_open(queues, shut, "Active")
    queues.api.delete(shut)
    queues.api.delete(lost)
