"""Each rule of a training run finds what it is for, and nothing where all is well."""

from typing import Any

import pytest

from aifactory.components.base import Place
from aifactory.components.names import HOSTNAME_LABEL
from aifactory.components.offers import PathOffer, StorageOffer
from aifactory.components.training.rules import RULES
from support.offered import fabric, outcome, pool, queue, racks, training
from support.planning import place

LOCK = (fabric(ipc_lock=True), pool())
ONE_TENANT = queue(tenants=[{"name": "research", "gpus": 64}])
BIG = queue(tenants=[{"name": "research", "gpus": 800}])
UNAWARE = queue(topology_aware=False)


def site(*classes: dict[str, Any]) -> Place:
    """A site with these StorageClasses."""
    cluster = {"version": "1.35.6", "kubeconfig": {"context": "lab"}, "storage_classes": list(classes)}
    return place(cluster=cluster)


LOCAL = {"name": "local", "access": ["ReadWriteOnce"], "default": True}
SHARED = {"name": "nfs", "access": ["ReadWriteMany"]}

OFFERED = (fabric(), pool())
TICKETS = {"tier": "files", "path": "tickets"}


def held(
    tenant: str = "research",
    data_class: str = "",
    access: tuple[str, ...] = ("ReadWriteMany",),
    *,
    bucket: bool = False,
) -> StorageOffer:
    """A tier with a path."""
    path = PathOffer("tickets", tenant, "files-tickets", bucket)
    return StorageOffer("files-class", access, "DE", "files", data_class=data_class, paths=(path,))


Case = tuple[str, dict[str, Any], dict[str, Any], tuple[object, ...], str]
FIRING: list[Case] = [
    ("TRN-001", {"nodes": 9}, ONE_TENANT, (), "set nodes to 8 or less, or give the pool 1 more"),
    (
        "TRN-002",
        {"nodes": 8, "tenant": "product"},
        queue(),
        (),
        "guarantee the tenant 64, or set nodes to 6 or less",
    ),
    ("TRN-003", {"nodes": 6}, queue(), (), "40 guaranteed: it waits for idle ones"),
    (
        "TRN-004",
        {"nodes": 5, "topology": {"placement": "required"}},
        ONE_TENANT,
        (),
        "block of pool train has 4",
    ),
    (
        "TRN-004",
        {"nodes": 5, "topology": {"placement": "required", "within": "rack"}},
        ONE_TENANT,
        (fabric(), pool(racks=racks(8, 4, 2))),
        "set nodes to 4 or less, or placement to preferred",
    ),
    ("TRN-006", {"nodes": 2}, queue(), (pool(fabric=""),), "which no fabric joins"),
    ("TRN-007", {"checkpoint": None}, queue(), (), "add checkpoint"),
    (
        "TRN-008",
        {"name": "t" * 40, "run": 9_999, "nodes": 101},
        BIG,
        (fabric(), pool(nodes=101)),
        "shorten the name by 2 characters",
    ),
    (
        "TRN-009",
        {"nodes": 1},
        queue(),
        (pool(slice_resources=(("nvidia.com/gpu", 56),), fabric=""),),
        "no whole GPUs",
    ),
    ("TRN-010", {"gpus_per_node": 4}, queue(), (), "leave gpus_per_node out, or use 1 node"),
    ("TRN-010", {"nodes": 1, "gpus_per_node": 9}, queue(), (), "at most 8 GPUs"),
    ("TRN-011", {"user_id": 1000}, queue(), LOCK, "leave user_id out, or set memory_lock"),
    ("TRN-012", {"args": ["--to=$(MASTER_ADDR)"]}, queue(), (), "run a shell and write $MASTER_ADDR"),
    ("TRN-012", {"command": ["$(A)"], "environment": {"A": "1"}}, queue(), (), "write $A"),
    ("TRN-012", {"environment": {"A": "$(NCCL_IB_TC)"}}, queue(), (), "write $NCCL_IB_TC"),
    ("TRN-013", {"environment": {"PET_NNODES": "2"}}, queue(), (), "PET_NNODES is set by the gang itself"),
    (
        "TRN-013",
        {"environment": {"CHECKPOINT_DIR": "/x"}},
        queue(),
        (),
        "CHECKPOINT_DIR is set by the gang itself",
    ),
    (
        "TRN-013",
        {"secrets": [{"variable": "NODE_RANK", "secret": "s", "key": "k"}]},
        queue(),
        (),
        "NODE_RANK is set",
    ),
    ("TRN-014", {"environment": {"NCCL_IB_TC": "41"}}, queue(), (), "overrides a setting of fabric fabric"),
    ("TRN-015", {"shm_gib": 2_016}, queue(), (), "keep them below 2016 GiB together"),
    ("TRN-015", {"hugepages_2mi_gib": 2_015}, queue(), (), "keep them below 2016 GiB together"),
    (
        "TRN-016",
        {"topology": {"placement": "required"}},
        UNAWARE,
        (),
        "set topology_aware of the queue to true",
    ),
    ("TRN-016", {"topology": {"placement": "preferred"}}, UNAWARE, (), "or placement to none"),
    (
        "TRN-016",
        {"topology": {"within": "rack"}},
        queue(),
        (fabric(), pool(topology_levels=(HOSTNAME_LABEL,))),
        "doesn't know the racks",
    ),
    ("TRN-017", {}, queue(), (fabric(), pool(cpus_per_node=4)), "or a pool of larger nodes"),
    (
        "TRN-018",
        {"environment": {"HF_TOKEN": "hunter2"}},
        queue(),
        (),
        "environment HF_TOKEN looks like a secret",
    ),
    (
        "TRN-018",
        {"args": ["--lr=1", "--wandb-api-key=hunter2"]},
        queue(),
        (),
        "args[1] holds what looks like",
    ),
    (
        "TRN-019",
        {"datasets": [TICKETS]},
        queue(),
        (*OFFERED, held(tenant="product")),
        "path tickets of tier files is of",
    ),
    (
        "TRN-020",
        {"datasets": [TICKETS]},
        queue(),
        (*OFFERED, held(data_class="customer")),
        "set data_class to customer",
    ),
    ("TRN-020", {"data_class": "customer"}, queue(), (), 'data class "customer" has no rules'),
    (
        "TRN-021",
        {"datasets": [TICKETS]},
        queue(),
        (*OFFERED, held(bucket=True)),
        "path tickets of tier files is a bucket",
    ),
    (
        "TRN-021",
        {"datasets": [TICKETS]},
        queue(),
        (*OFFERED, held(access=("ReadWriteOnce",))),
        "volumes of tier files are of one node",
    ),
]

SILENT: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[object, ...]]] = {
    "TRN-001": ({"nodes": 8}, ONE_TENANT, ()),
    "TRN-002": ({"nodes": 6, "tenant": "product"}, queue(), ()),
    "TRN-003": ({"nodes": 5}, queue(), ()),
    "TRN-004": ({"nodes": 4, "topology": {"placement": "required"}}, ONE_TENANT, ()),
    "TRN-005": ({}, queue(), ()),
    "TRN-006": ({"nodes": 1}, queue(), (pool(fabric=""),)),
    "TRN-007": ({"nodes": 1, "checkpoint": None}, queue(), ()),
    "TRN-008": ({"name": "t" * 40, "run": 9, "nodes": 8}, ONE_TENANT, ()),
    "TRN-009": ({}, queue(), ()),
    "TRN-010": ({"nodes": 1, "gpus_per_node": 4}, queue(), ()),
    "TRN-011": ({"user_id": 0}, queue(), LOCK),
    "TRN-012": ({"args": ["$(hostname) $MASTER_ADDR"]}, queue(), ()),
    "TRN-013": ({"environment": {"CHECKPOINT_DIR": "/x"}, "nodes": 1, "checkpoint": None}, queue(), ()),
    "TRN-014": ({"environment": {"NCCL_DEBUG": "INFO"}}, queue(), ()),
    "TRN-015": ({"shm_gib": 900, "hugepages_2mi_gib": 900}, queue(), ()),
    "TRN-016": ({}, UNAWARE, ()),
    "TRN-017": ({}, queue(), ()),
    "TRN-019": ({"datasets": [TICKETS]}, queue(), (*OFFERED, held())),
    "TRN-020": ({"datasets": [TICKETS]}, queue(), (*OFFERED, held())),
    "TRN-021": ({"datasets": [TICKETS]}, queue(), (*OFFERED, held(access=("ReadOnlyMany",)))),
    "TRN-018": ({"environment": {"HF_TOKEN_PATH": "/run/token"}, "args": ["--tokenizer=gpt2"]}, queue(), ()),
}


@pytest.mark.parametrize(("rule", "fields", "asked", "offers", "says"), FIRING)
def test_the_rule_finds_it_and_says_what_to_do(
    rule: str, fields: dict[str, Any], asked: dict[str, Any], offers: tuple[object, ...], says: str
) -> None:
    found = outcome([asked, training(**fields)], offers)
    assert rule in found.broken
    assert any(says in text for text in found.says), found.says


@pytest.mark.parametrize("rule", SILENT)
def test_the_rule_is_asked_and_content(rule: str) -> None:
    fields, asked, offers = SILENT[rule]
    found = outcome([asked, training(**fields)], offers)
    assert rule not in found.broken, found.says
    assert found.site_plan.evaluated[rule] > 0


@pytest.mark.parametrize(
    ("classes", "written", "says"),
    [
        (
            (LOCAL,),
            None,
            "no StorageClass of lab serves ReadWriteMany, which 4 nodes need | the site has: local",
        ),
        ((), None, "no StorageClass of lab serves ReadWriteMany, which 4 nodes need | the site has: none"),
        (
            (LOCAL, SHARED),
            "local",
            "StorageClass local doesn't serve ReadWriteMany, which 4 nodes need | use nfs",
        ),
    ],
)
def test_a_checkpoint_that_not_all_nodes_can_write_is_refused(
    classes: tuple[dict[str, Any], ...], written: str | None, says: str
) -> None:
    checkpoint = {"size_gib": 10} | ({"storage_class": written} if written else {})
    found = outcome([queue(), training(checkpoint=checkpoint)], at=site(*classes))
    assert found.broken == ["TRN-005"]
    assert found.says[0].startswith(says)


def test_each_rule_has_a_case_that_fires_and_one_that_does_not() -> None:
    ids = {rule.id for rule in RULES}
    assert {case[0] for case in FIRING} | {"TRN-005"} == ids == set(SILENT)


def test_a_gang_on_borrowed_gpus_is_warned_and_planned() -> None:
    found = outcome([queue(), training(nodes=6)])
    assert found.broken == ["TRN-003"]
    assert found.errors == []
    assert "pretrain" in found.plans


def test_racks_of_one_name_in_two_blocks_are_two_racks() -> None:
    twice = tuple(rack.__class__("r1", rack.block, rack.nodes) for rack in racks(8))
    fields = {"nodes": 5, "topology": {"placement": "required", "within": "rack"}}
    found = outcome([ONE_TENANT, training(**fields)], (fabric(), pool(racks=twice)))
    assert "TRN-004" in found.broken


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"nodes": 9, "topology": {"placement": "required"}}, queue()),
        ({"tenant": "idle"}, queue(tenants=[{"name": "all", "gpus": 64, "lend_gpus": 0}, {"name": "idle", "gpus": 0}])),
        (
            {"tenant": "b"},
            queue(tenants=[{"name": "a", "gpus": 64, "namespace": "kube-flow"}, {"name": "b", "gpus": 0}]),
        ),
    ],
)
def test_one_mistake_is_one_problem(fields: dict[str, Any], asked: dict[str, Any]) -> None:
    found = outcome([asked, training(**fields)])
    assert len(found.errors) == 1, found.says


@pytest.mark.parametrize(
    ("fields", "guaranteed", "hint"),
    [
        ({"nodes": 4}, 16, "guarantee the tenant 32, or set nodes to 2 or less"),
        ({"nodes": 4}, 8, "guarantee the tenant 32, or set nodes to 1"),
        ({"nodes": 1, "gpus_per_node": 8}, 4, "guarantee the tenant 8, or set gpus_per_node to 4 or less"),
        ({"nodes": 2}, 4, "guarantee the tenant 16"),
    ],
)
def test_a_gang_above_its_quota_is_told_the_gang_that_fits(fields: dict[str, Any], guaranteed: int, hint: str) -> None:
    tenants = [{"name": "research", "gpus": guaranteed, "borrow_gpus": 0}]
    found = outcome([queue(tenants=tenants), training(**fields)])
    assert [text.partition(" | ")[2] for text in found.says if "with all it may borrow" in text] == [hint]


def test_of_two_queues_of_a_pool_the_one_that_knows_the_tenant_is_taken() -> None:
    other = queue(name="another", tenants=[{"name": "x", "gpus": 0}])
    found = outcome([queue(), other, training()])
    assert found.broken == ["QUE-002"]
