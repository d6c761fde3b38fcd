"""Each rule of a tier finds what it is for, with the cure, and nothing where all is well."""

from typing import Any

import pytest

from aifactory.components.base import Place
from aifactory.components.storage_tier.rules import RULES
from support.stored import (
    BULK,
    COPIES,
    EU,
    RUN,
    SHARE,
    SHARED,
    SYSTEM,
    broken,
    says,
    site,
    storage_group,
    tier,
    tiered,
    without,
)

KEY = {"vault": "https://vault.example.com", "token": "rook-vault", "place": "DE"}
OBJECTS = tier("object", name="objects", size_tib=30.0, fill_percent=67)
PATH = {"path": "tickets", "keeps": "dataset", "tenant": "research", "size_gib": 1024}
FILL = {"bucket": "tickets", "image": "registry.example.com/tools/rclone:1.71.0"}
SAVED = {"gb": 1120.0, "write_within_s": 50, "restart_within_s": 60}


def classed(**system: Any) -> Place:
    """A site whose class has a system with other figures; None leaves one out."""
    found = {key: value for key, value in {**SYSTEM, **system}.items() if value is not None}
    return site(classes=[{**SHARED, "system": found}])


def drives(nodes: int = 4, network: float | None = 25.0, **fields: Any) -> Place:
    """A site with other storage nodes; None leaves a figure out."""
    known = {key: value for key, value in {**BULK, **fields}.items() if value is not None}
    here = storage_group(nodes, known)
    return site(without(here, "storage_gb_per_s") if network is None else {**here, "storage_gb_per_s": network})


LOCAL = {**SHARED, "name": "local", "access": ["ReadWriteOnce"], "default": False}
NIGHTLY = {"schedule": "nightly", "every_h": 24, "keep": 14}
DAILY = {"every_h": 12, "keep": 60}
AGE = {"image": "registry.example.com/tools/aws-cli:2.31.0", "expire_days": 30}
WORK = tier("parallel", name="work", engine="rook-ceph", size_tib=5.0, fill_percent=67, paths=[PATH])


def kept(*schedules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Scheduled snapshots, as fields of a tier."""
    return {"snapshots": True, "scheduled": {"schedules": list(schedules), **fields}}


Case = tuple[str, list[dict[str, Any]], Place | None, str]
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
    ("STO-003", [{**OBJECTS, "failure_domain": "rack"}, tier()], None, "labels topology.rook.io/rack"),
    ("STO-004", [OBJECTS, tier()], drives(2), "needs 3 | give the set of drives 1 more nodes"),
    (
        "STO-004",
        [{**OBJECTS, "redundancy": {"data": 4, "parity": 2}}, tier()],
        None,
        "keeps 4+2 on 4 nodes, and needs 6",
    ),
    ("STO-005", [{**OBJECTS, "fill_percent": 75}, tier()], None, "would be 100 percent full | set fill_percent to 67"),
    ("STO-005", [OBJECTS, tier()], drives(3), "leave no node on which a lost one's data is made again"),
    # 30 TiB x 3 = 90 TiB raw; 4 nodes x 2 x 1.92 TB = 13.97 TiB x 0.67 = 9.4. Each drive a node is 6.985 TiB, 4.680 of
    # it to fill: 90 / 4.680 = 19.2.
    ("STO-006", [OBJECTS, tier()], drives(count=2, tb=1.92), "put 20 drives into each node instead of 2"),
    ("STO-006", [tier(size_tib=301.0)], None, "set size_tib to 300"),
    (
        "STO-006",
        [OBJECTS, tier("block", name="volumes", beside="objects", fill_percent=67), tier()],
        None,
        "volumes wants all of them | set size_tib of each",
    ),
    # 64 GPUs x 0.16 = 10.24 of 8.
    ("STO-007", [tier(), RUN], classed(read_gb_per_s=8.0), "0.125 GB/s for each of 64 GPUs, which need 0.160"),
    # 64 x 2 = 128 of 100 / 2 = 50 by network, which each byte crosses twice: 25 x 2.56 = 64 a node.
    (
        "STO-007",
        [{**OBJECTS, "feeds": [{"part": "train", "dataset_gb_per_s_per_gpu": 2.0}]}, tier()],
        None,
        "give each node 64.0 GB/s of storage network instead of 25",
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
            tier("block", fill_percent=67, name="v", feeds=[{"part": "train", "kv_offload_gb_per_s_per_gpu": 0.5}]),
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
        [tier("block", name="volumes", default=True, fill_percent=67), tier()],
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
        [tier(data_class="customer", copies=[{**COPIES[0], "place": "US"}])],
        None,
        "backup far of tier files lies in US",
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
        [{**OBJECTS, "data_class": "customer", "encryption": {**KEY, "place": "CH"}}, tier()],
        None,
        "lies in CH",
    ),
    ("STO-014", [tier(data_class="customer")], classed(encryption=None), "add system.encryption to the site file"),
    ("STO-014", [{**OBJECTS, "data_class": "customer"}, tier()], None, "write encryption: {place: ...}"),
    ("STO-015", [{**OBJECTS, "fed_by": "files"}, tier()], None, "object tier objects is fed by files, a parallel tier"),
    (
        "STO-016",
        [OBJECTS, tier("block", name="volumes", size_tib=1.0, fill_percent=67), tier()],
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
        [tier("block", name="volumes", redundancy={"data": 2, "parity": 1}, fill_percent=67), tier()],
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
    ("STO-023", [tier(paths=[{**PATH, "size_gib": 400_000}])], None, "want 390.6 TiB, and it holds 300.0"),
    (
        "STO-023",
        [
            {**OBJECTS, "paths": [PATH]},
            tier(fed_by="objects", paths=[{**PATH, "prefetch": {**FILL, "bucket": "tikets"}}]),
        ],
        None,
        'did you mean "tickets"?',
    ),
    ("STO-024", [{**OBJECTS, "encryption": {"place": "DE"}}, tier()], None, "name a vault and its token"),
    ("STO-025", [{**OBJECTS, "name": "shared"}, tier()], None, "has a StorageClass shared already"),
    ("STO-002", [tier(paths=[PATH], **kept(NIGHTLY))], classed(snapshots=[DAILY]), "unknown what its snapshots take"),
    # 200 TiB, 5 percent a day over the 30 days that the system keeps: 300 more.
    (
        "STO-023",
        [tier(paths=[{**PATH, "size_gib": 204_800}], **kept(NIGHTLY, changed_percent_a_day=5.0))],
        classed(snapshots=[DAILY]),
        "want 500.0 TiB, 300.0 of it for snapshots, and it holds 300.0",
    ),
    ("STO-026", [tier(paths=[PATH], **kept(NIGHTLY))], None, "add system.snapshots: [{every_h: 24, keep: 14}]"),
    (
        "STO-026",
        [tier(paths=[PATH], **kept(NIGHTLY))],
        classed(snapshots=[{"every_h": 24, "keep": 13}]),
        "13 each 24 h",
    ),
    (
        "STO-026",
        [tier(paths=[PATH], **kept(NIGHTLY))],
        classed(snapshots=[{"every_h": 48, "keep": 99}]),
        "99 each 48 h",
    ),
    ("STO-026", [tier(**kept(NIGHTLY))], classed(snapshots=[DAILY]), "add paths, or delete scheduled"),
    ("STO-026", [{**WORK, "tier": "block", "paths": [], **kept(NIGHTLY)}, tier()], None, "made by those who use them"),
    ("STO-026", [{**WORK, **kept(NIGHTLY)}, tier()], None, "set image to one with kubectl"),
    (
        "STO-026",
        [
            {**WORK, **kept({**NIGHTLY, "keep": 60}, {**NIGHTLY, "schedule": "hourly", "every_h": 1, "keep": 40})},
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


@pytest.mark.parametrize("rule", [each.id for each in RULES])
def test_every_rule_is_seen_to_fire(rule: str) -> None:
    assert rule in {case[0] for case in FIRING}


def test_where_all_is_well_every_rule_is_asked_and_none_finds_anything() -> None:
    key = {"data_class": "customer", "encryption": KEY}
    found = tiered(
        {**OBJECTS, **key, "paths": [{**PATH, "retention": AGE}], "feeds": [{"part": "train"}]},
        tier("block", name="volumes", beside="objects", size_tib=5.0, snapshots=True, fill_percent=67),
        tier(fed_by="objects", data_class="customer", paths=[{**PATH, "prefetch": FILL}]),
        tier("local-cache", name="scratch", fed_by="files"),
        tier(engine="nfs-rdma", name="home", paths=[PATH], **kept(NIGHTLY, changed_percent_a_day=1.0)),
        RUN,
        at=site(cluster={"nfs": [{**SHARE, "system": {**SYSTEM, "snapshots": [DAILY]}}]}),
        residency=EU,
    )
    assert broken(found) == []
    assert {each.id for each in RULES} - set(found.site_plan.evaluated) == set()


def test_a_part_that_waits_and_is_nowhere_is_answered_with_the_nearest() -> None:
    found = tiered(tier(feeds=[{"part": "trian"}]))
    assert 'did you mean "train"?' in says(found)
    assert len(found.errors) == 1


def test_a_tier_below_that_is_nowhere_is_answered_with_the_nearest() -> None:
    found = tiered(OBJECTS, tier(fed_by="objcets"))
    assert 'did you mean "objects"?' in says(found)
