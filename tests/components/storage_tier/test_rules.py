"""Each rule of a tier finds what it is for, with the cure, and nothing where all is well."""

from typing import Any

import pytest

from aifactory.components.base import Place
from aifactory.components.storage_tier.rules import RULES
from support.storage_sites import OF_SITES, Case
from support.storage_wishes import (
    AGE,
    DAILY,
    FED,
    FILL,
    HALF_HOME,
    HUNGRY,
    LOCAL,
    NIGHTLY,
    OBJECTS,
    PATH,
    RACKED,
    SAVED,
    SMALL,
    WIDE,
    WORK,
    classed,
    drives,
    kept,
    timed,
)
from support.stored import (
    AT_HOME,
    BULK,
    EU,
    KEY,
    RUN,
    SHARE,
    SHARED,
    SYSTEM,
    TAPES,
    VAULT,
    broken,
    racked,
    says,
    site,
    storage_group,
    tier,
    tiered,
    without,
)

FIRING: list[Case] = [
    ("STO-001", [tier(storage_class="sharde")], None, 'did you mean "shared"?'),
    ("STO-001", [tier()], site(classes=[without(SHARED, "system")]), "add system to one of cluster.storage_classes"),
    ("STO-001", [tier(storage_class="local")], site(classes=[SHARED, LOCAL]), "doesn't serve ReadWriteMany"),
    ("STO-001", [OBJECTS, tier()], site(without(storage_group(), "drives")), "add drives to a group of nodes without"),
    (
        "STO-001",
        [OBJECTS, tier()],
        site(
            storage_group(),
            storage_group(
                group="more", drives={**BULK, "drives": "more"}, racks=[{"rack": "s2", "block": "b1", "nodes": ["m-1"]}]
            ),
        ),
        "set drives to bulk or more",
    ),
    ("STO-001", [tier("local-cache", name="scratch", drives="scartch"), tier()], None, 'did you mean "scratch"?'),
    ("STO-001", [tier(engine="nfs-rdma", name="home", nfs="hoem"), tier()], None, 'did you mean "home"?'),
    ("STO-002", [tier()], classed(usable_tib=None), "it is unknown how much it holds"),
    ("STO-002", [OBJECTS, tier()], drives(network=None), "what it reads, what it writes"),
    ("STO-003", [tier()], classed(failure_domain=None), "add system.failure_domain to the site file"),
    ("STO-003", [tier(failure_domain="rack")], None, "set failure_domain to node, or use another system"),
    ("STO-003", [tier("local-cache", name="scratch", failure_domain="node"), tier()], None, "survive no loss of it"),
    ("STO-003", [{**OBJECTS, "failure_domain": "site"}, tier()], None, "set failure_domain to rack or node"),
    ("STO-004", [OBJECTS, tier()], drives(2), "needs 3 | give the set of drives 1 more nodes"),
    (
        "STO-004",
        [{**OBJECTS, "redundancy": {"data": 4, "parity": 2}}, tier()],
        None,
        "keeps 4+2 on 4 nodes, and needs 6",
    ),
    (
        "STO-005",
        [{**OBJECTS, "fill_percent": 75}, tier()],
        None,
        "percent full in the mean, and their fullest drive up to 5 points more | set fill_percent to 63",
    ),
    ("STO-005", [OBJECTS, tier()], drives(3), "leave no node on which a lost one's data is made again"),
    # 30 TiB x 3 = 90 TiB raw; 4 nodes x 2 x 1.92 TB = 13.97 TiB x 0.63 = 8.8. Each drive a node is 6.985 TiB, 4.400 of
    # it to fill: 90 / 4.400 = 20.5.
    ("STO-006", [OBJECTS, tier()], drives(count=2, tb=1.92), "put 21 drives into each node instead of 2"),
    ("STO-006", [tier(size_tib=301.0)], None, "set size_tib to 300"),
    (
        "STO-006",
        [OBJECTS, tier("block", name="volumes", beside="objects", fill_percent=63), tier()],
        None,
        "volumes wants all of them | set size_tib of each",
    ),
    # 64 GPUs x 0.16 = 10.24 of 8.
    ("STO-007", [tier(), RUN], classed(read_gb_per_s=8.0), "0.125 GB/s for each of 64 GPUs, which need 0.160"),
    # 64 x 2 = 128 of 40 that two gateways send, and of 57 that four would: 25 x 3.2 = 80 a node.
    (
        "STO-007",
        [{**OBJECTS, "feeds": [{"part": "train", "dataset_gb_per_s_per_gpu": 2.0}]}, tier()],
        None,
        "give each node 80.0 GB/s of storage network instead of 25",
    ),
    (
        "STO-009",
        [{**OBJECTS, "feeds": [{"part": "train", "dataset_gb_per_s_per_gpu": 0.5}]}, tier()],
        site(without(storage_group(), "gateway_gb_per_s")),
        "what it gives is unknown | add gateway_gb_per_s of group storage to the site file",
    ),
    # One gateway sends 25 GB/s, and 64 x 0.5 = 32 are read.
    (
        "STO-007",
        [{**OBJECTS, "gateways": 1, "feeds": [{"part": "train", "dataset_gb_per_s_per_gpu": 0.5}]}, tier()],
        None,
        "write gateways: 2",
    ),
    # A GPU has 54.4 / 8 = 6.8 of its node: 8 asked need 8 x 8 / 6.8 = 9.4 drives.
    (
        "STO-007",
        [tier("local-cache", name="scratch", feeds=[{"part": "train", "dataset_gb_per_s_per_gpu": 8.0}]), tier()],
        None,
        "put 10 drives into each node instead of 8",
    ),
    # Restart 1120 / 20 = 56 of 40: 1120 / 40 = 28 s.
    (
        "STO-007",
        [tier(feeds=[{"part": "train", "checkpoint": {**SAVED, "restart_within_s": 20, "write_within_s": 600}}])],
        None,
        "set restart_within_s of train to 28",
    ),
    # 1120 / 50 = 22.4 of 20: in 56 s it fits.
    ("STO-008", [tier(feeds=[{"part": "train", "checkpoint": SAVED}])], None, "or set write_within_s of train to 56"),
    # 64 x 0.5 = 32 of 27.2 by drives: 6 x 32 / 27.2 = 7.06.
    (
        "STO-008",
        [
            tier("block", fill_percent=63, name="v", feeds=[{"part": "train", "kv_offload_gb_per_s_per_gpu": 0.5}]),
            tier(),
        ],
        None,
        "put 8 drives into each node instead of 6",
    ),
    ("STO-009", [tier(), RUN], classed(read_gb_per_s=None), "add system.read_gb_per_s to the site file, as measured"),
    (
        "STO-009",
        [{**OBJECTS, "feeds": [{"part": "train"}]}, tier()],
        drives(network=None, read_gb_per_s=None),
        "add read_gb_per_s of drives bulk and storage_gb_per_s of group storage",
    ),
    (
        "STO-010",
        [tier("block", name="volumes", default=True, fill_percent=63), tier()],
        None,
        "shared and volumes would",
    ),
    ("STO-011", [OBJECTS], site(), "add a storage-tier with engine existing and storage_class shared"),
    (
        "STO-011",
        [tier(storage_class="fast"), {**RUN, "checkpoint": {"size_gib": 1, "storage_class": "shared"}}],
        site(classes=[{**SHARED, "default": False}, {**SHARED, "name": "fast"}]),
        "set its storage_class to files",
    ),
    (
        "STO-012",
        [
            tier("local-cache", name="scratch"),
            tier(),
            {**RUN, "nodes": 1, "checkpoint": {"size_gib": 1, "storage_class": "scratch"}},
        ],
        None,
        "set its storage_class to a tier that outlives a node",
    ),
    ("STO-013", [tier(data_class="secret")], None, 'data class "secret" has no rules'),
    (
        "STO-013",
        [tier(data_class="customer")],
        kept(copy_targets=[{**TAPES, "place": {**AT_HOME, "country": "US"}}]),
        "backup far of tier files lies in US",
    ),
    (
        "STO-013",
        [tier(data_class="customer")],
        kept(copy_targets=[{**TAPES, "place": {**AT_HOME, "nationality": "US"}}]),
        "whoever runs backup far of tier files is of US",
    ),
    (
        "STO-013",
        [tier(data_class="customer")],
        classed(encryption={"key": "kmip://x", "place": "US"}),
        "the key of tier",
    ),
    ("STO-013", [tier(data_class="customer")], site(classes=[{**SHARED, "place": "US"}]), "the data of tier files"),
    (
        "STO-013",
        [{**OBJECTS, "data_class": "customer", "encryption": KEY}, tier()],
        kept(key_stores=[{**VAULT, "place": {**AT_HOME, "country": "CH"}}]),
        "the key of tier objects lies in CH",
    ),
    ("STO-014", [tier(data_class="customer")], classed(encryption=None), "add system.encryption to the site file"),
    ("STO-014", [{**OBJECTS, "data_class": "customer"}, tier()], None, "write encryption: {keys: ...}"),
    ("STO-015", [{**OBJECTS, "fed_by": "files"}, tier()], None, "object tier objects is fed by files, a parallel tier"),
    (
        "STO-016",
        [OBJECTS, tier("block", name="volumes", size_tib=1.0, fill_percent=63), tier()],
        None,
        "write beside: objects",
    ),
    ("STO-016", [{**OBJECTS, "beside": "files"}, tier()], None, "makes no Ceph cluster on the same drives"),
    (
        "STO-016",
        [tier("local-cache", name="a"), tier("local-cache", name="b"), tier()],
        None,
        "both make local volumes",
    ),
    (
        "STO-017",
        [tier("block", name="volumes", redundancy={"data": 2, "parity": 1}, fill_percent=63), tier()],
        None,
        "an erasure code of 2+1 under block volumes",
    ),
    ("STO-018", [{**OBJECTS, "redundancy": {"replicas": 2}}, tier()], None, "2 replicas survive the loss of 1"),
    ("STO-019", [tier(snapshots=True)], classed(snapshot_class=None), "add system.snapshot_class to the site file"),
    ("STO-019", [{**OBJECTS, "snapshots": True}, tier()], None, "keep copies of buckets"),
    (
        "STO-020",
        [tier(engine="nfs-rdma", name="home", nfs="slow"), tier()],
        site(cluster={"nfs": [{"nfs": "slow", "server": "nas", "share": "/a", "rdma": False, "system": SYSTEM}]}),
        "share slow has no RDMA",
    ),
    ("STO-021", [{**OBJECTS, "fill_percent": 86}, tier()], drives(12), "set it to 85 or less"),
    ("STO-022", [without(tier(), "copies")], None, "write copies:"),
    ("STO-023", [tier(paths=[{**PATH, "tenant": "reserch"}])], None, 'did you mean "research"?'),
    (
        "STO-023",
        [
            {**OBJECTS, "paths": [PATH]},
            tier(fed_by="objects", paths=[{**PATH, "prefetch": {**FILL, "bucket": "tikets"}}]),
        ],
        None,
        'did you mean "tickets"?',
    ),
    # 300 TiB = 307 200 GiB.
    (
        "STO-031",
        [tier(paths=[{**PATH, "size_gib": 400_000}])],
        None,
        "path tickets (400000 GiB) want 390.62 TiB of tier files, which holds 300.00 | make them 92800 GiB smaller",
    ),
    # 390.625 TiB below 75 percent: 520.8 TiB.
    (
        "STO-031",
        [tier(paths=[PATH]), {**RUN, "checkpoint": {"size_gib": 400_000}}],
        None,
        (
            "checkpoints of pretrain (400000 GiB) want 391.62 TiB of tier files, which holds 300.00 | make them "
            "93824 GiB smaller, or have a system of 523 TiB"
        ),
    ),
    ("STO-031", [tier(size_tib=1.5), RUN], None, "which holds 1.50 | make them 512 GiB smaller, or set size_tib to 2"),
    # 30 TiB are asked for, and 40 960 GiB are 40.
    ("STO-031", [{**OBJECTS, "paths": [{**PATH, "size_gib": 40_960}]}, tier()], None, "set size_tib to 40"),
    # Each of two tiers fits in the 300 TiB of their class alone: 2 x 195.3125 = 390.625.
    (
        "STO-032",
        [tier(paths=[WIDE]), tier(name="more", paths=[WIDE])],
        None,
        (
            "tiers files (195.31 TiB) and more (195.31 TiB) share StorageClass shared, and want 390.62 TiB of it; it "
            "holds 300.00 at the lower fill limit of them | make them 90.63 TiB smaller together"
        ),
    ),
    # 50 percent of 400 TiB are 200.
    (
        "STO-032",
        [tier(engine="nfs-rdma", name="home", size_tib=150.0), HALF_HOME, tier()],
        None,
        "share NFS share nas.example.com:/ai, and want 250.00 TiB of it; it holds 200.00",
    ),
    # What a bucket may hold is copied, unless less is said.
    (
        "STO-033",
        [FED, tier(fed_by="objects", paths=[SMALL])],
        None,
        "set size_gib of the path to 1024, or copy a folde",
    ),
    (
        "STO-033",
        [FED, tier(fed_by="objects", paths=[{**SMALL, "prefetch": {**FILL, "size_gib": 768, "folder": "a"}}])],
        None,
        "up to 768 GiB of bucket tickets are copied to path tickets of tier files, which has 512",
    ),
    (
        "STO-033",
        [FED, tier(fed_by="objects", paths=[{**WIDE, "prefetch": {**FILL, "size_gib": 2_048}}])],
        None,
        "2048 GiB are copied of bucket tickets, which may hold 1024 | set it to 1024 or less",
    ),
    # Each of two tiers reads 64 x 0.4 = 25.6 of the 40 of their class: 51.2 together.
    (
        "STO-007",
        [tier(feeds=[HUNGRY]), tier(name="more", feeds=[HUNGRY])],
        None,
        (
            "tiers files and more share StorageClass shared, and read more of it than there is at the worst moment, in "
            "GB/s: tier files 25.60 of 40.00 (train), tier more 25.60 of 40.00 (train); together 128% of its time | "
            "have a system that reads 51.20 GB/s"
        ),
    ),
    (
        "STO-007",
        [tier(engine="nfs-rdma", name="home", feeds=[HUNGRY]), {**HALF_HOME, "feeds": [HUNGRY]}, tier()],
        None,
        "tiers half and home share NFS share nas.example.com:/ai",
    ),
    # 64 x 0.25 = 16 of 20 writes, and 1120 / 100 = 11.2: 27.2. 20 - 16 = 4 are left: 280 s.
    (
        "STO-008",
        [
            tier(feeds=[{"part": "train", "checkpoint": {**SAVED, "write_within_s": 100}}]),
            tier(name="more", feeds=[{"part": "train", "kv_offload_gb_per_s_per_gpu": 0.25}]),
        ],
        None,
        "have a system that writes 27.20 GB/s; or set write_within_s of train to 280",
    ),
    ("STO-024", [{**OBJECTS, "encryption": {}}, tier()], None, "write keys: ..."),
    *OF_SITES,
    ("STO-025", [{**OBJECTS, "name": "shared"}, tier()], None, "has a StorageClass shared already"),
    (
        "STO-002",
        [tier(paths=[PATH], **timed(NIGHTLY))],
        classed(snapshots=[DAILY]),
        "snapshots all of its volumes, and of path tickets it is unknown how much changes",
    ),
    (
        "STO-002",
        [tier(), RUN],
        classed(snapshots=[DAILY]),
        "of checkpoints of pretrain it is unknown how much changes | write changed_percent_a_day",
    ),
    (
        "STO-002",
        [{**WORK, **timed(NIGHTLY, image="registry.example.com/tools/kubectl:1.35.6")}, tier()],
        None,
        "unknown what its snapshots take",
    ),
    # 2 TiB of checkpoints, written over five times a day for 30 days: 150 copies, of which 60 snapshots hold 60: 120.
    # With what is there 122 of 75.
    (
        "STO-031",
        [tier(changed_percent_a_day={"checkpoints": 500.0}), RUN],
        classed(snapshots=[DAILY], usable_tib=100.0),
        "snapshots (122880 GiB), checkpoints of pretrain (2048 GiB) want 122.00 TiB of tier files, which holds 75.00",
    ),
    # 200 TiB, 5 percent a day over the 30 days that the system keeps: 300 more.
    (
        "STO-031",
        [tier(paths=[{**PATH, "size_gib": 204_800}], **timed(NIGHTLY, changed_percent_a_day=5.0))],
        classed(snapshots=[DAILY]),
        "path tickets (204800 GiB), snapshots (307200 GiB) want 500.00 TiB of tier files, which holds 300.00",
    ),
    ("STO-026", [tier(paths=[PATH], **timed(NIGHTLY))], None, "add system.snapshots: [{every_h: 24, keep: 14}]"),
    (
        "STO-026",
        [tier(paths=[PATH], **timed(NIGHTLY))],
        classed(snapshots=[{"every_h": 24, "keep": 13}]),
        "13 each 24 h",
    ),
    (
        "STO-026",
        [tier(paths=[PATH], **timed(NIGHTLY))],
        classed(snapshots=[{"every_h": 48, "keep": 99}]),
        "99 each 48 h",
    ),
    ("STO-026", [tier(**timed(NIGHTLY))], classed(snapshots=[DAILY]), "add paths, or delete scheduled"),
    (
        "STO-026",
        [{**WORK, "tier": "block", "paths": [], **timed(NIGHTLY)}, tier()],
        None,
        "made by those who use them",
    ),
    ("STO-026", [{**WORK, **timed(NIGHTLY)}, tier()], None, "set image to one with kubectl"),
    (
        "STO-026",
        [
            {**WORK, **timed({**NIGHTLY, "keep": 60}, {**NIGHTLY, "schedule": "hourly", "every_h": 1, "keep": 40})},
            tier(),
        ],
        None,
        "keep 100 snapshots of one volume",
    ),
    ("STO-028", [tier(paths=[{**PATH, "retention": AGE}])], None, "keep it in a bucket of an object tier"),
]


@pytest.mark.parametrize(
    ("rule", "specs", "at", "cure"), FIRING, ids=[f"{case[0]}-{index}" for index, case in enumerate(FIRING)]
)
def test_a_rule_finds_what_it_is_for_and_says_the_cure(
    rule: str, specs: list[dict[str, Any]], at: Place | None, cure: str
) -> None:
    found = tiered(*specs, at=at, residency=EU)
    assert rule in broken(found), says(found)
    assert cure in says(found)
    level = next(each.level for each in RULES if each.id == rule)
    assert (level == "error") == any(each.rule == rule for each in found.errors)


ELSEWHERE = ("STO-052", "STO-053")
"""Seen to fire where there is a database, tests/components/rag/test_shape.py, and where keys and values are offloaded,
test_offloading.py."""


@pytest.mark.parametrize("rule", [each.id for each in RULES])
def test_every_rule_is_seen_to_fire(rule: str) -> None:
    assert rule in {*(case[0] for case in FIRING), *ELSEWHERE}


def test_where_all_is_well_every_rule_is_asked_and_none_finds_anything() -> None:
    key = {"data_class": "customer", "encryption": KEY}
    found = tiered(
        {**RACKED, **key, "paths": [{**PATH, "retention": AGE}], "feeds": [{"part": "train"}]},
        tier("block", name="volumes", beside="objects", size_tib=5.0, snapshots=True, fill_percent=63),
        tier(fed_by="objects", data_class="customer", paths=[{**PATH, "prefetch": FILL}]),
        tier("local-cache", name="scratch", fed_by="files"),
        tier(engine="nfs-rdma", name="home", paths=[PATH], **timed(NIGHTLY, changed_percent_a_day=1.0)),
        RUN,
        at=site(racked(1, 1, 1, 1), cluster={"nfs": [{**SHARE, "system": {**SYSTEM, "snapshots": [DAILY]}}]}),
        residency=EU,
    )
    assert broken(found) == []
    assert {each.id for each in RULES} - set(found.site_plan.evaluated) == {"STO-053"}, (
        "asked where keys and values are"
    )


def test_a_part_that_waits_and_is_nowhere_is_answered_with_the_nearest() -> None:
    found = tiered(tier(feeds=[{"part": "trian"}]))
    assert 'did you mean "train"?' in says(found)
    assert len(found.errors) == 1


def test_a_tier_below_that_is_nowhere_is_answered_with_the_nearest() -> None:
    found = tiered(OBJECTS, tier(fed_by="objcets"))
    assert 'did you mean "objects"?' in says(found)
