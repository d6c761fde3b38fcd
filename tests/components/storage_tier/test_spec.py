"""Tiers, drives and systems as written: what is accepted, and what is refused at once."""

from typing import Any

import pytest
from pydantic import ValidationError

from aifactory.blueprints.site import Site
from aifactory.components.storage_tier.spec import StorageTierSpec
from support.planning import site_data
from support.stored import BULK, SHARE, SHARED, SYSTEM, storage_group, tier, without

NODES = ["sto-1", "sto-2", "sto-3", "sto-4"]
PATHS = {node: [f"/dev/disk/by-id/nvme-X_{node}-{index}" for index in range(6)] for node in NODES}
BY_ID = {**without(BULK, "by_path"), "by_id": PATHS}
PATH = {"path": "tickets", "keeps": "dataset", "tenant": "research", "size_gib": 10}
PREFETCH = {"bucket": "tickets", "image": "registry.example.com/tools/rclone:1.71.0"}
NIGHTLY = {"schedule": "nightly", "every_h": 24, "keep": 14}
AGE = {"image": "registry.example.com/tools/aws-cli:2.31.0"}
LOCK = {"mode": "compliance", "days": 30}
HOSTILE = ["a\nb", "a b", "$(reboot)", "../x", "a;b", "`x`", "{{ x }}", "ä", "", "-x", "x" * 400, "a\u0000b"]


def test_a_tier_needs_its_kind_and_its_engine_alone() -> None:
    spec = StorageTierSpec.model_validate(without(tier(), "copies"))
    assert (spec.fill_percent, spec.reclaim, spec.snapshots, spec.default) == (75, "Retain", False, False)


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        ("parallel", {"tier": "scratch"}, "'block', 'parallel'"),
        ("parallel", {"engine": "minio"}, "'existing', 'rook-ceph'"),
        ("object", {"engine": "existing"}, "existing makes no object tier"),
        ("local-cache", {"engine": "rook-ceph"}, "rook-ceph makes no local-cache tier"),
        ("parallel", {"redundancy": {"replicas": 3}}, "redundancy is for engine rook-ceph"),
        ("parallel", {"drives": "bulk"}, "drives is for engine rook-ceph or topolvm"),
        ("parallel", {"encryption": {"place": "DE"}}, "encryption is for engine rook-ceph"),
        ("object", {"nfs": "home"}, "nfs is for engine nfs-rdma"),
        ("object", {"storage_class": "shared"}, "storage_class is for engine existing"),
        ("parallel", {"beside": "objects"}, "beside is for engine rook-ceph"),
        ("object", {"redundancy": {}}, "neither copies nor an erasure code"),
        ("object", {"redundancy": {"data": 4}}, "neither copies nor an erasure code"),
        ("object", {"redundancy": {"replicas": 3, "data": 4, "parity": 2}}, "neither copies nor an erasure code"),
        ("object", {"encryption": {"vault": "https://v.example.com", "token": "t", "keys": "v"}}, "a vault beside it"),
        ("object", {"encryption": {"vault": "https://v.example.com", "place": "DE"}}, "vault and token need each"),
        ("object", {"encryption": {"vault": "http://v.example.com", "token": "t", "place": "DE"}}, "match pattern"),
        ("parallel", {"gateways": 2}, "gateways is for engine rook-ceph"),
        ("object", {"gds": True}, "gds of tier object"),
        ("block", {"gateways": 2}, "gateways before a block tier"),
        ("parallel", {"fill_percent": 96}, "less than or equal to 95"),
        ("parallel", {"size_tib": 0}, "greater than 0"),
        ("parallel", {"failure_domain": "city"}, "'none', 'drive'"),
        ("parallel", {"fed_by": "files"}, "fed_by names the tier itself"),
        ("object", {"beside": "files"}, "beside names the tier itself"),
        ("local-cache", {"paths": [PATH]}, "a local-cache tier has no paths"),
        ("parallel", {"scheduled": {"schedules": [NIGHTLY]}}, "scheduled snapshots, and snapshots is false"),
        ("parallel", {"snapshots": True, "scheduled": {"schedules": []}}, "at least 1 item"),
        ("parallel", {"snapshots": True, "scheduled": {"schedules": [NIGHTLY, NIGHTLY]}}, '"nightly" is listed twice'),
        ("parallel", {"snapshots": True, "scheduled": {"schedules": [{**NIGHTLY, "every_h": 5}]}}, "3, 4, 6, 8, 12"),
        (
            "parallel",
            {"snapshots": True, "scheduled": {"schedules": [{**NIGHTLY, "paths": ["tickets"]}]}},
            '"tickets" is no path of the tier',
        ),
        (
            "parallel",
            {"snapshots": True, "name": "f" * 40, "scheduled": {"schedules": [{**NIGHTLY, "schedule": "s" * 20}]}},
            "the CronJob's name is 9 characters too long",
        ),
        ("object", {"paths": [{**PATH, "retention": {"expire_days": 1}}]}, "a retention without an image"),
        ("object", {"paths": [{**PATH, "retention": {**AGE, "lock": {**LOCK, "mode": "worm"}}}]}, "'governance' or"),
        (
            "object",
            {"paths": [{**PATH, "retention": {**AGE, "expire_days": 29, "lock": LOCK}}]},
            "expire_days is 29, and objects are locked for 30 days",
        ),
        (
            "object",
            {"paths": [{**PATH, "retention": {**AGE, "old_versions_days": 7, "lock": LOCK}}]},
            "old_versions_days is 7, and objects are locked for 30 days",
        ),
        (
            "object",
            {"paths": [{**PATH, "retention": {**AGE, "old_versions_kept": 3}}]},
            "old_versions_kept without old_versions_days",
        ),
        ("object", {"fed_by": "x", "paths": [{**PATH, "prefetch": PREFETCH}]}, "buckets are not prefetched"),
        ("parallel", {"paths": [{**PATH, "prefetch": PREFETCH}]}, "a prefetch without a tier to read from"),
        (
            "parallel",
            {
                "engine": "fsx-lustre",
                "fed_by": "objects",
                "lustre": {"image": "registry.example.com/tools/shell:1"},
                "paths": [{**PATH, "prefetch": {"bucket": "tickets", "complete": "_SUCCESS"}}],
            },
            "complete of a file system that is linked to its bucket",
        ),
        ("parallel", {"paths": [PATH, PATH]}, '"tickets" is listed twice'),
        ("parallel", {"feeds": [{"part": "a"}, {"part": "a"}]}, '"a" is listed twice'),
        ("parallel", {"feeds": [{"part": "a", "level": "good", "dataset_gb_per_s_per_gpu": 1.0}]}, "a level beside"),
        (
            "parallel",
            {"copies": [{"copy_name": "a", "kind": "backup", "to": "tape", "every_h": 1}]},
            "a backup without",
        ),
        ("parallel", {"rate": 5}, "Extra inputs"),
    ],
)
def test_a_wrong_tier_is_refused_with_what_is_wrong(kind: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        StorageTierSpec.model_validate(tier(kind, **fields))


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize(
    "place",
    [
        "name",
        "path",
        "tenant",
        "bucket",
        "folder",
        "complete",
        "image",
        "part",
        "storage_class",
        "fed_by",
        "vault",
        "token",
    ],
)
def test_a_hostile_word_is_refused_wherever_a_name_belongs(place: str, word: str) -> None:
    prefetch = {**PREFETCH, **({place: word} if place in ("bucket", "folder", "complete", "image") else {})}
    path = {**PATH, "prefetch": prefetch, **({place: word} if place in ("path", "tenant") else {})}
    spec = tier(fed_by="objects", paths=[path], feeds=[{"part": "train"}])
    if place in ("name", "storage_class", "fed_by"):
        spec[place] = word
    if place == "part":
        spec["feeds"] = [{"part": word}]
    if place in ("vault", "token"):
        key = {"vault": "https://v.example.com", "token": "t", "place": "DE", place: word}
        spec = tier("object", encryption=key)
    with pytest.raises(ValidationError):
        StorageTierSpec.model_validate(spec)


@pytest.mark.parametrize("word", ["a\nb", "a\u0000b", "x\u2028y", "", "ab"])
def test_where_a_copy_goes_is_one_line(word: str) -> None:
    copy = {"copy_name": "a", "kind": "replica", "to": word, "place": "DE", "every_h": 1}
    with pytest.raises(ValidationError):
        StorageTierSpec.model_validate(tier(copies=[copy]))


def sited(drives: dict[str, Any] | None = None, shared: dict[str, Any] | None = None, **cluster: Any) -> dict[str, Any]:
    """A site file with drives, and a class with a system."""
    data = site_data()
    data["nodes"] = [*data["nodes"], storage_group(drives=drives)]
    data["cluster"] = {**data["cluster"], "storage_classes": [shared or SHARED], **cluster}
    return data


def test_every_fact_on_storage_may_be_left_out() -> None:
    Site.model_validate(site_data())
    Site.model_validate(
        sited(without(BULK, "read_gb_per_s", "write_gb_per_s"), {**SHARED, "system": {"vendor": "ddn"}})
    )


def test_drives_may_be_named_one_by_one() -> None:
    Site.model_validate(sited(BY_ID))


@pytest.mark.parametrize(
    ("drives", "message"),
    [
        ({**BULK, "by_id": PATHS}, "drives by by_id and by_path at once"),
        (without(BULK, "by_path"), "drives that nothing names"),
        ({**BULK, "by_path": BULK["by_path"][:5]}, "5 slots, and count is 6"),
        ({**BULK, "by_path": BULK["by_path"][:5] * 2, "count": 10}, "is listed twice"),
        ({**BULK, "by_path": ["/dev/disk/by-id/nvme-X"] * 6}, "match pattern"),
        ({**without(BULK, "by_path"), "filter": "nvme"}, "match pattern"),
        ({**without(BULK, "by_path"), "filter": "^.*$"}, "match pattern"),
        ({**without(BULK, "by_path"), "filter": "^nvme[1-6]n1$|sda"}, "match pattern"),
        ({**without(BULK, "by_path"), "filter": "^nvme[9-1]n1$"}, "bad character range"),
        ({**BY_ID, "by_id": {**PATHS, "sto-1": ["/dev/sda"] * 6}}, "match pattern"),
        ({**BY_ID, "by_id": {**PATHS, "sto-1": ["/dev/disk/by-id/../../sda"] * 6}}, "match pattern"),
        ({**BY_ID, "by_id": {**PATHS, "sto-1": PATHS["sto-1"][:5]}}, "5 drives of node sto-1, and count is 6"),
        ({**BY_ID, "by_id": {**PATHS, "sto-1": [*PATHS["sto-1"][:5], PATHS["sto-1"][0]]}}, "is listed twice"),
        ({**BY_ID, "by_id": without(PATHS, "sto-4")}, "no drives of node sto-4"),
        ({**BY_ID, "by_id": {**PATHS, "sto-9": PATHS["sto-1"]}}, '"sto-9" is no node of the group'),
        ({**BULK, "tb": 0.0}, "greater than 0"),
        ({**BULK, "read_gb_per_s": 0.0}, "greater than 0"),
        ({**BULK, "count": 0}, "greater than or equal to 1"),
    ],
)
def test_wrong_drives_are_refused_with_what_is_wrong(drives: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Site.model_validate(sited(drives))


@pytest.mark.parametrize(
    ("system", "message"),
    [
        ({**SYSTEM, "vendor": "floppy"}, "'weka', 'vast'"),
        ({**SYSTEM, "usable_tib": 0.0}, "greater than 0"),
        ({**SYSTEM, "failure_domain": "hall"}, "'none', 'drive'"),
        ({**SYSTEM, "encryption": {"key": "a\nb", "place": "DE"}}, "match pattern"),
        ({**SYSTEM, "encryption": {"key": "kmip://x/y"}}, "Field required"),
    ],
)
def test_a_wrong_system_is_refused(system: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Site.model_validate(sited(shared={**SHARED, "system": system}))


def test_sets_of_drives_and_shares_have_names_of_their_own() -> None:
    twice = storage_group(drives=BULK)
    twice["drives"] = [BULK, BULK]
    data = site_data()
    with pytest.raises(ValidationError, match='"bulk" names two sets of drives'):
        Site.model_validate({**data, "nodes": [*data["nodes"], twice]})
    with pytest.raises(ValidationError, match='"home" names two shares'):
        Site.model_validate(sited(nfs=[SHARE, SHARE]))
