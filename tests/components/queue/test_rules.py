"""Each rule of a queue finds what it is for, and nothing where all is well."""

from typing import Any

import pytest

from aifactory.components.names import HOSTNAME_LABEL
from aifactory.components.offers import Taint
from aifactory.components.queue.rules import RULES
from support.offered import fabric, outcome, pool, queue, training

A, B = {"name": "a", "gpus": 32}, {"name": "b", "gpus": 32}
OTHER = queue(name="other", pools=["more"], tenants=[{"name": "c", "gpus": 8}])
TWO_POOLS = (fabric(), pool(), pool("more"))
LONG = "t" * 40

FIRING: list[tuple[str, list[dict[str, Any]], tuple[object, ...], str]] = [
    (
        "QUE-001",
        [queue(tenants=[A, {"name": "b", "gpus": 40}])],
        (),
        "take 8 GPUs off the guarantees, or give the pool 1 node more",
    ),
    (
        "QUE-002",
        [queue(), queue(name="other", tenants=[{"name": "c", "gpus": 8}])],
        (),
        "handed out by queue teams",
    ),
    (
        "QUE-003",
        [queue(), OTHER | {"sharing": "priority"}],
        TWO_POOLS,
        "queue teams sets Kueue up with another sharing | give both queues the same sharing",
    ),
    (
        "QUE-003",
        [queue(), OTHER | {"pods_ready": {"timeout_s": 60}}],
        TWO_POOLS,
        "queue teams sets Kueue up with another pods_ready",
    ),
    (
        "QUE-004",
        [queue(tenants=[{"name": "a", "gpus": 64}, {"name": "b", "gpus": 0, "borrow_gpus": 0}])],
        (),
        "tenant b",
    ),
    ("QUE-005", [queue(tenants=[{"name": "a", "gpus": 12}])], (), "use 8 or 16"),
    (
        "QUE-006",
        [queue(tenants=[{"name": "a", "gpus": 8, "lend_gpus": 16}])],
        (),
        "set lend_gpus to 8 or less",
    ),
    ("QUE-007", [queue(tenants=[A, B | {"borrow_gpus": 40}])], (), "set borrow_gpus to 32 or less"),
    (
        "QUE-008",
        [queue(pools=[f"p{n}" for n in range(65)], tenants=[{"name": "a", "gpus": {"p0": 8}}])],
        tuple(pool(f"p{n}", fabric="") for n in range(65)),
        "at most 64",
    ),
    (
        "QUE-009",
        [queue()],
        (fabric(), pool(taints=tuple(Taint(f"k{n}", "", "NoSchedule") for n in range(9)))),
        "remove 1 of its taints",
    ),
    ("QUE-010", [queue()], (fabric(), pool(topology_levels=(HOSTNAME_LABEL, "rack"))), "end them at"),
    ("QUE-010", [queue()], (fabric(), pool(topology_levels=())), "levels none"),
    ("QUE-010", [queue()], (fabric(), pool(topology_levels=(*("x",) * 2, HOSTNAME_LABEL))), "end them at"),
    ("QUE-011", [queue()], (fabric(), pool(device_claim="gpu.nvidia.com")), "set topology_aware to false"),
    (
        "QUE-012",
        [queue()],
        (fabric(), pool(gpu_resource="nvidia.com/rail_0-gpu")),
        "would be lifted",
    ),
    ("QUE-013", [queue(name=LONG, tenants=[{"name": LONG, "gpus": 8}])], (), "by 18 together"),
    (
        "QUE-014",
        [queue(), OTHER | {"tenants": [{"name": "c", "gpus": 8, "namespace": "research"}]}],
        TWO_POOLS,
        "LocalQueue of queue teams",
    ),
    (
        "QUE-015",
        [queue(sharing="priority", tenants=[A | {"weight": 2}])],
        (),
        "which sharing: priority ignores",
    ),
    ("QUE-016", [queue(topology_aware=False)], (), "no single node has free"),
    ("QUE-017", [queue(preemption={"reclaim": "never"})], (), "set reclaim to any"),
    ("QUE-018", [queue(tenants=[A | {"namespace": "kube-system"}])], (), "is a namespace of the cluster"),
    ("QUE-018", [queue(tenants=[A | {"namespace": "kube-flow"}])], (), "is a namespace of the cluster"),
    ("QUE-018", [queue(tenants=[A | {"namespace": "openshift-ai"}])], (), "is a namespace of the cluster"),
    ("QUE-018", [queue(tenants=[{"name": "default", "gpus": 8}])], (), 'such as "team-default"'),
    ("QUE-018", [queue(tenants=[{"name": "kueue-system", "gpus": 8}])], (), "is a namespace of kueue"),
    ("QUE-018", [queue(tenants=[A | {"namespace": "gpu-operator"}])], (), "is a namespace of gpu-operator"),
    ("QUE-019", [queue(), OTHER | {"cohort": "teams"}], TWO_POOLS, "leave cohort out"),
    (
        "QUE-019",
        [
            queue(tenants=[{"name": "a-b", "gpus": 8}]),
            OTHER | {"name": "teams-a", "tenants": [{"name": "b", "gpus": 8}]},
        ],
        TWO_POOLS,
        "queue teams has a ClusterQueue teams-a-b already | rename this queue",
    ),
    (
        "QUE-019",
        [queue(pools=["a-more"]), OTHER | {"name": "teams-a"}],
        (fabric(), pool("a-more"), pool("more")),
        "queue teams has a ResourceFlavor teams-a-more already",
    ),
    (
        "QUE-020",
        [queue(tenants=[A, {"name": "chat", "workload": "inference", "gpus": "demand"}])],
        (),
        "tenant chat reserves no GPUs: no model names it as its tenant | let a serving part name it",
    ),
]

SILENT: dict[str, tuple[list[dict[str, Any]], tuple[object, ...]]] = {
    "QUE-001": ([queue(tenants=[A, B])], ()),
    "QUE-002": ([queue(), OTHER], TWO_POOLS),
    "QUE-003": ([queue(), OTHER], TWO_POOLS),
    "QUE-004": ([queue(tenants=[A, {"name": "b", "gpus": 0}])], ()),
    "QUE-005": ([queue(tenants=[{"name": "a", "gpus": 16}])], ()),
    "QUE-006": ([queue(tenants=[A | {"lend_gpus": 32}])], ()),
    "QUE-007": ([queue(tenants=[A, B | {"borrow_gpus": 32}])], ()),
    "QUE-008": (
        [queue(pools=[f"p{n}" for n in range(64)], tenants=[{"name": "a", "gpus": {"p0": 8}}])],
        tuple(pool(f"p{n}", fabric="") for n in range(64)),
    ),
    "QUE-009": (
        [queue()],
        (fabric(), pool(taints=tuple(Taint(f"k{n}", "", "NoSchedule") for n in range(8)))),
    ),
    "QUE-010": ([queue()], (fabric(), pool(topology_levels=(HOSTNAME_LABEL,)))),
    "QUE-011": ([queue(topology_aware=False)], (fabric(), pool(device_claim="gpu.nvidia.com"))),
    "QUE-012": ([queue()], ()),
    "QUE-013": ([queue(name="t" * 22, tenants=[{"name": LONG, "gpus": 8}])], ()),
    "QUE-014": ([queue(), OTHER], TWO_POOLS),
    "QUE-015": ([queue(sharing="priority")], ()),
    "QUE-016": ([queue(topology_aware=False)], (fabric(), pool(gpus_per_node=1, nodes=64))),
    "QUE-017": ([queue(preemption={"reclaim": "never"}, tenants=[A | {"borrow_gpus": 0}])], ()),
    "QUE-019": ([queue(), OTHER], TWO_POOLS),
    "QUE-018": ([queue(tenants=[A | {"namespace": "kubernetes-lovers"}])], ()),
    "QUE-020": ([queue(tenants=[A, {"name": "chat", "workload": "inference", "gpus": 2}])], ()),
}


@pytest.mark.parametrize(("rule", "specs", "offers", "says"), FIRING)
def test_the_rule_finds_it_and_says_what_to_do(
    rule: str, specs: list[dict[str, Any]], offers: tuple[object, ...], says: str
) -> None:
    found = outcome(specs, offers)
    assert rule in found.broken
    assert any(says in text for text in found.says), found.says


@pytest.mark.parametrize("rule", SILENT)
def test_the_rule_is_asked_and_content(rule: str) -> None:
    specs, offers = SILENT[rule]
    found = outcome(specs, offers)
    assert rule not in found.broken, found.says
    assert found.site_plan.evaluated[rule] > 0


def test_each_rule_has_a_case_that_fires_and_one_that_does_not() -> None:
    ids = {rule.id for rule in RULES}
    assert {case[0] for case in FIRING} == ids == set(SILENT)


def test_a_warning_does_not_refuse() -> None:
    found = outcome([queue(tenants=[{"name": "a", "gpus": 12}])])
    assert found.broken == ["QUE-005"]
    assert found.errors == []


def test_slices_are_never_a_part_of_a_node() -> None:
    offers = (fabric(), pool(slice_resources=(("nvidia.com/mig-1g.18gb", 56),)))
    assert "QUE-005" not in outcome([queue(tenants=[{"name": "a", "gpus": 12}])], offers).broken


@pytest.mark.parametrize(
    "specs",
    [
        [queue(tenants=[A | {"namespace": "kube-system"}])],
        [queue(), OTHER | {"tenants": [{"name": "c", "gpus": 8, "namespace": "research"}]}],
        [queue(tenants=[{"name": "research", "gpus": 8, "namespace": "kueue-system"}]), training()],
        [queue(), OTHER | {"cohort": "teams"}],
    ],
)
def test_a_queue_that_takes_what_is_not_its_own_is_one_problem(specs: list[dict[str, Any]]) -> None:
    found = outcome(specs, TWO_POOLS)
    assert len(found.says) == 1, found.says
    assert found.site_plan.refused


def test_each_unknown_name_of_a_tenant_has_the_nearest_known_one() -> None:
    tenants = [{"name": "a", "gpus": {"trian": 8}, "priority": "hihg"}]
    assert [text.partition("|")[2].partition("?")[0] for text in outcome([queue(tenants=tenants)]).says] == [
        ' did you mean "high"',
        ' did you mean "train"',
    ]
