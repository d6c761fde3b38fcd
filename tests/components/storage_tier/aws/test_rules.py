"""Each rule of a tier at AWS finds what it is for, with the cure, and nothing where all is well."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.storage_tier.aws.rules import RULES
from support.aws_tiers import LUSTRE, NORTH, ONE_NODE, PATH, WORK, files, objects, says, tiered, volumes
from support.stored import tier, without
from support.stored import tiered as tiered_at_home

FILLED = {**PATH, "prefetch": {"bucket": "tickets"}}
MANY = [{**FILLED, "path": f"tickets-{index}"} for index in range(9)]
BIG = files(size_tib=40.0, paths=MANY)
SAVES = {**ONE_NODE, "checkpoint": {"size_gib": 2048, "storage_class": "files"}}
TELEMETRY = {"kind": "observability", "name": "watch", "signals": [], "storage_class": "files"}
BACKED = {**LUSTRE, "backup_days": 7}

FIRING: list[tuple[str, list[dict[str, Any]], str]] = [
    ("STO-038", [tier("object", name="objects", engine="rook-ceph"), volumes()], "write engine: s3"),
    ("STO-038", [tier("parallel"), volumes()], "write engine: fsx-lustre"),
    ("STO-038", [tier("local-cache", name="scratch"), volumes()], "write engine: instance-store"),
    ("STO-039", [volumes(ebs={"iops": 100})], "a volume of type gp3 has 3000 to 80000 | set it to 3000"),
    ("STO-039", [volumes(ebs={"iops": 90_000})], "set it to 80000, or use another type"),
    ("STO-040", [files(lustre={**LUSTRE, "zone": "eu-north-1d"}), objects(), volumes()], 'did you mean "eu-north-1'),
    (
        "STO-041",
        [objects(cold={"after_days": 90}, paths=[{**PATH, "retention": {"expire_days": 90}}]), volumes()],
        "move to GLACIER_IR after 90 days, and are deleted after 90",
    ),
    (
        "STO-042",
        [objects(cold={"storage_class": "DEEP_ARCHIVE"}, paths=[{**PATH, "readers": [{"account": "curator"}]}])],
        "objects of bucket objects-tickets move to DEEP_ARCHIVE, and pods of curator mount it | set it to GLACIER_IR",
    ),
    ("STO-043", [files(), objects(), volumes(), TELEMETRY], "set its storage_class to a tier of engine ebs"),
    ("STO-044", [BIG, objects(), volumes()], "9 paths of tier files are filled from buckets, and a file system has 8"),
    ("STO-045", [files(lustre=BACKED), objects(), volumes()], "set backup_days to 0"),
    ("STO-045", [files(lustre=without(LUSTRE, "backup_days")), objects(), volumes()], "AWS makes none of a file"),
    # 8 GPUs save as one node does: 4 GB/s of 9.6 x 0.25 = 2.4, of 4,800 GiB at 500 MB/s for each TiB.
    (
        "STO-008",
        [files(size_tib=3.5, lustre={**LUSTRE, "mbps_per_tib": 125, "efa": False}, paths=[]), objects(), SAVES],
        "or lustre.mbps_per_tib to more: its file servers come with its size",
    ),
    ("STO-003", [objects(failure_domain="site"), volumes()], "set failure_domain to zone, and keep a copy elsewhere"),
    ("STO-003", [volumes(failure_domain="zone")], "keep what must outlive a zone in buckets"),
    ("STO-019", [files(snapshots=True), objects(), volumes()], "nobody takes snapshots of tier files"),
    ("STO-027", [files(gds=True, lustre={**LUSTRE, "efa": False}), objects(), volumes()], "set lustre.efa to true"),
]


@pytest.mark.parametrize(
    ("rule", "specs", "cure"), FIRING, ids=[f"{case[0]}-{index}" for index, case in enumerate(FIRING)]
)
def test_a_rule_finds_what_it_is_for_and_says_the_cure(rule: str, specs: list[dict[str, Any]], cure: str) -> None:
    found = tiered(*specs)
    told = [f"{each.says} | {each.hint}" for each in found.errors if each.rule == rule]
    assert any(cure in each for each in told), says(found)


def test_gpus_of_another_zone_are_warned_of() -> None:
    found = tiered(objects(), files(), volumes(), SAVES, zone="eun1-az3")
    (told,) = [each for each in found.problems if each.rule == "STO-046"]
    assert told.severity == "warning"
    assert told.says == "tier files lies in zone eun1-az1, and pool train waits for it in eun1-az3"


def test_what_the_base_makes_is_nowhere_else() -> None:
    found = tiered_at_home(objects(), tier())
    assert "limit the tier to sites at AWS by sites" in says(found)


@pytest.mark.parametrize("rule", [each.id for each in RULES])
def test_every_rule_is_seen_to_fire(rule: str) -> None:
    assert rule in {case[0] for case in FIRING} | {"STO-046", "STO-047"}


def test_where_all_is_well_every_rule_is_asked_and_none_finds_anything() -> None:
    found = tiered(
        objects(cold={"after_days": 90}, paths=[{**PATH, "retention": {"expire_days": 365}}]),
        files(data_class="customer", lustre={**LUSTRE, "zone": "eu-north-1b"}, paths=[FILLED, WORK]),
        volumes(ebs={"iops": 4_000, "mib_per_s": 250}),
        residency=NORTH,
    )
    assert found.errors == [], says(found)
    # STO-047 is asked of drives of instances alone, in test_drives.py.
    assert {each.id for each in RULES} - set(found.site_plan.evaluated) == {"STO-047"}


def test_data_that_only_europeans_may_run_stays_out_of_buckets_that_an_american_runs() -> None:
    eu = {"customer": {"jurisdictions": ["eu"], "operators": ["eu"]}}
    found = tiered(objects(data_class="customer"), volumes(), residency=eu)
    assert [each.rule for each in found.errors] == ["STO-013"]
    assert "Amazon Web Services, of US, runs sto-lab" in says(found)
