"""Snapshots by schedule and retention of buckets: decided, made, and followed by what runs."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.storage_tier import arithmetic
from aifactory.components.storage_tier.keeping_rows import script_text
from support.planning import Planned
from support.stored import RUN, SHARED, SYSTEM, body, broken, says, site, tier, tiered

PATH = {"path": "tickets", "keeps": "dataset", "tenant": "research", "size_gib": 1024}
OTHER = {**PATH, "path": "images", "size_gib": 512}
AWS = "registry.example.com/tools/aws-cli:2.31.0"
KUBECTL = "registry.example.com/tools/kubectl:1.35.6"
NIGHTLY = {"schedule": "nightly", "every_h": 24, "keep": 14}
HOURLY = {"schedule": "hourly", "every_h": 4, "keep": 12, "paths": ["images"]}
WORK = tier("parallel", name="work", engine="rook-ceph", size_tib=5.0, fill_percent=63, snapshots=True)
SPACE = "storage-snapshots"


def snapshotted(**fields: Any) -> Planned:
    """A class whose system keeps 80 snapshots, 6 hours apart, of paths and of checkpoints."""
    system = {**SYSTEM, "snapshots": [{"every_h": 6, "keep": 80}]}
    return tiered(tier(paths=[PATH], **fields), RUN, at=site(classes=[{**SHARED, "system": system}]))


def test_a_system_that_snapshots_its_class_holds_on_to_checkpoints_too() -> None:
    # 20 days: of 1 TiB that changes by 1 percent 0.2; of 2 TiB of checkpoints that change by 300 percent 120.
    found = snapshotted(changed_percent_a_day={"dataset": 1.0, "checkpoints": 300.0})
    assert broken(found) == [], says(found)
    assert found.decisions["files.snapshots.room_tib"].value == pytest.approx(120.2)
    # 400 x 0.75 = 300 less 1, 2 and 120.2.
    told: Any = found.decisions["files.capacity"].value
    assert told["left_tib"] == pytest.approx(176.8)
    # Written over eight times a day they would be 160 copies; 80 snapshots hold no more than 80: 160 TiB.
    bound = snapshotted(changed_percent_a_day={"dataset": 0.0, "checkpoints": 800.0})
    assert bound.decisions["files.snapshots.room_tib"].value == pytest.approx(160.0)


def test_what_is_left_beside_snapshots_of_an_unknown_rate_is_unknown() -> None:
    found = snapshotted(changed_percent_a_day={"dataset": 1.0})
    assert "STO-002" in broken(found)
    assert found.decisions["files.snapshots.room_tib"].value is None
    told: Any = found.decisions["files.capacity"].value
    assert (told["left_tib"], told["volumes_gib"]["snapshots"]) == (None, None)


def scheduled(*schedules: dict[str, Any], change: float | None = 2.0) -> Planned:
    """A Ceph file system with two paths and schedules."""
    wish = {"image": KUBECTL, "changed_percent_a_day": change, "schedules": list(schedules)}
    found = tiered({**WORK, "paths": [PATH, OTHER], "scheduled": wish}, tier())
    assert not found.errors, says(found)
    return found


def cron_job(found: Planned, name: str) -> dict[str, Any]:
    """A CronJob as a server gets it."""
    return body(found, f"CronJob.batch/{SPACE}/{name}")


def container(job: dict[str, Any]) -> dict[str, Any]:
    """The one container of a Job's pod."""
    (only,) = job["template"]["spec"]["containers"]
    return dict(only)


def test_a_schedule_is_a_cron_job_over_its_paths() -> None:
    found = scheduled(NIGHTLY, HOURLY)
    nightly, hourly = (cron_job(found, f"work-{name}")["spec"] for name in ("nightly", "hourly"))
    assert container(nightly["jobTemplate"]["spec"])["args"] == ["research/work-tickets", "research/work-images"]
    assert container(hourly["jobTemplate"]["spec"])["args"] == ["research/work-images"]
    assert (nightly["timeZone"], nightly["concurrencyPolicy"]) == ("Etc/UTC", "Forbid")
    assert nightly["schedule"].split()[1:] == ["2", "*", "*", "*"]
    assert hourly["schedule"].split()[1:] == ["*/4", "*", "*", "*"]


@pytest.mark.parametrize(("every_h", "fields"), [(1, "* * * *"), (6, "*/6 * * *"), (24, "2 * * *"), (168, "2 * * 0")])
def test_the_time_between_two_is_a_cron_line(every_h: int, fields: str) -> None:
    line = cron_job(scheduled({**NIGHTLY, "every_h": every_h, "keep": 2}), "work-nightly")["spec"]["schedule"]
    minute, rest = line.split(" ", 1)
    assert 0 <= int(minute) < 60
    assert rest == fields


def test_who_takes_snapshots_may_do_nothing_else_and_is_out_of_the_tenants_reach() -> None:
    found = scheduled(NIGHTLY)
    role = body(found, "Role.rbac.authorization.k8s.io/research/work-snapshots")
    assert role["rules"] == [
        {
            "apiGroups": ["snapshot.storage.k8s.io"],
            "resources": ["volumesnapshots"],
            "verbs": ["create", "get", "list", "watch", "delete"],
        }
    ]
    binding = body(found, "RoleBinding.rbac.authorization.k8s.io/research/work-snapshots")
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "work", "namespace": SPACE}]
    assert not [row for row in found.rows if row.startswith("ClusterRole") and "work" in row]
    labels = body(found, f"Namespace/{SPACE}")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_people_keep_their_snapshots_and_schedules_let_theirs_go() -> None:
    found = scheduled(NIGHTLY)
    classes = {
        row.rpartition("/")[2]: body(found, row)["deletionPolicy"] for row in found.rows if "VolumeSnapshotClass" in row
    }
    assert classes == {"work": "Retain", "work-scheduled": "Delete"}
    settings = {each["name"]: each.get("value") for each in container(_job_of(found))["env"]}
    assert (settings["SNAPSHOT_CLASS"], settings["KEEP"]) == ("work-scheduled", "14")
    assert found.decisions["work.snapshots.nightly"].rejected[0].value == "deletionPolicy Retain"


def _job_of(found: Planned) -> dict[str, Any]:
    return dict(cron_job(found, "work-nightly")["spec"]["jobTemplate"]["spec"])


def test_a_schedule_waits_for_class_claims_and_permission() -> None:
    found = scheduled(NIGHTLY)
    assert {
        "VolumeSnapshotClass.snapshot.storage.k8s.io/work-scheduled",
        "PersistentVolumeClaim/research/work-tickets",
        "RoleBinding.rbac.authorization.k8s.io/research/work-snapshots",
        f"ServiceAccount/{SPACE}/work",
    } <= set(found.rows[f"CronJob.batch/{SPACE}/work-nightly"].after)


@pytest.mark.parametrize(
    ("size", "percent", "schedules", "by_hand"),
    [
        # 14 days of 2 percent: 28 percent of 10.
        (10.0, 2.0, [(24, 14)], 2.8),
        # The longest reaches back 14 days; the hourly ones share what it keeps.
        (10.0, 2.0, [(24, 14), (1, 24)], 2.8),
        # 8 weeks of 10 percent would be 5.6 times; two snapshots are two copies at most.
        (10.0, 10.0, [(672, 2)], 20.0),
        (10.0, 0.0, [(24, 14)], 0.0),
        (10.0, 5.0, [], 0.0),
    ],
)
def test_the_room_of_snapshots_is_the_one_worked_out_by_hand(
    size: float, percent: float, schedules: list[tuple[int, int]], by_hand: float
) -> None:
    assert arithmetic.held_by_snapshots(size, percent, schedules) == pytest.approx(by_hand)


def test_snapshots_take_room_beside_the_paths_and_unknown_is_said_and_never_zero() -> None:
    # 1 TiB and 0.5 TiB, 2 percent a day for 14 days: 0.28 + 0.14.
    assert scheduled(NIGHTLY).decisions["work.snapshots.room_tib"].value == pytest.approx(0.42)
    unknown = scheduled(NIGHTLY, change=None)
    assert broken(unknown).count("STO-002") == 1
    assert unknown.decisions["work.snapshots.room_tib"].value is None


def test_a_given_system_keeps_its_own_schedule_and_no_row_is_made() -> None:
    system = {**SYSTEM, "snapshots": [{"every_h": 6, "keep": 120}]}
    wish = {"changed_percent_a_day": 2.0, "schedules": [NIGHTLY]}
    found = tiered(tier(paths=[PATH], snapshots=True, scheduled=wish), at=site(classes=[{**SHARED, "system": system}]))
    assert broken(found) == [], says(found)
    # 1 TiB, 2 percent a day, over the 30 days that the system keeps.
    assert found.decisions["files.snapshots.room_tib"].value == pytest.approx(0.6)
    assert "120 each 6 h by itself" in found.decisions["files.snapshots.nightly"].reason
    assert not [row for row in found.rows if "Snapshot" in row or "CronJob" in row]


KUBECTL_STUB = """#!/bin/sh
printf '%s\\n' "$*" >> "$LOG"
case "$*" in
  *"$BROKEN"*) exit 1 ;;
esac
case "$*" in
  *create*) cat >> "$MADE"; echo "volumesnapshot.snapshot.storage.k8s.io/new" ;;
  *get*) cat "$THERE" ;;
esac
"""


def run_script(tmp_path: Path, there: str, *claims: str, broken_call: str = "nothing") -> tuple[int, list[str], str]:
    """Exit code, calls and objects of a run with a kubectl that only writes down what it is asked."""
    stub = tmp_path / "kubectl"
    stub.write_text(KUBECTL_STUB)
    stub.chmod(0o755)
    (tmp_path / "there").write_text(there)
    (tmp_path / "made").write_text("")
    (tmp_path / "log").write_text("")
    settings = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "LOG": str(tmp_path / "log"),
        "MADE": str(tmp_path / "made"),
        "THERE": str(tmp_path / "there"),
        "BROKEN": broken_call,
        "SCHEDULE": "work-nightly",
        "SCHEDULE_LABEL": "aifactory.io/snapshot-schedule",
        "KEEP": "2",
        "SNAPSHOT_CLASS": "work-scheduled",
        "READY_WITHIN_S": "300",
    }
    done = subprocess.run(["/bin/sh", "-c", script_text(), "sh", *claims], env=settings, check=False, timeout=60)
    return done.returncode, (tmp_path / "log").read_text().splitlines(), (tmp_path / "made").read_text()


THERE = "\n".join(
    [
        "work-tickets true t-1",
        "work-images true i-1",
        "work-tickets true t-2",
        "work-tickets false t-3",
        "work-tickets-old true o-1",
        "work-tickets true t-4",
        "work-tickets true t-5",
    ]
)


def test_the_oldest_beyond_the_number_kept_go_and_no_other(tmp_path: Path) -> None:
    code, calls, made = run_script(tmp_path, THERE, "research/work-tickets")
    assert code == 0
    kind = "volumesnapshots.snapshot.storage.k8s.io"
    assert [call for call in calls if " delete " in call] == [
        f"--namespace research delete {kind}/t-1 --wait=false",
        f"--namespace research delete {kind}/t-2 --wait=false",
    ]
    assert json.loads(made) == {
        "apiVersion": "snapshot.storage.k8s.io/v1",
        "kind": "VolumeSnapshot",
        "metadata": {
            "generateName": "work-tickets-",
            "labels": {"aifactory.io/snapshot-schedule": "work-nightly"},
        },
        "spec": {
            "volumeSnapshotClassName": "work-scheduled",
            "source": {"persistentVolumeClaimName": "work-tickets"},
        },
    }


@pytest.mark.parametrize("fails", ["create", "wait volume", "get volumesnapshots"])
def test_one_claim_that_fails_keeps_its_old_snapshots_stops_no_other_and_fails_the_job(
    tmp_path: Path, fails: str
) -> None:
    code, calls, _ = run_script(tmp_path, THERE, "a/work-tickets", "b/work-tickets", broken_call=f"space a {fails}")
    assert code == 1
    deleted = [call.split()[3].rpartition("/")[2] for call in calls if " delete " in call]
    assert deleted == (["new"] if fails == "wait volume" else []) + ["t-1", "t-2"]
    assert [call for call in calls if "namespace b create" in call]


def kept(**wish: Any) -> Planned:
    """A bucket with retention."""
    paths = [{**PATH, "retention": {"image": AWS, **wish}}]
    found = tiered(tier("object", name="objects", size_tib=30.0, fill_percent=63, paths=paths), tier(), RUN)
    assert not found.errors, says(found)
    return found


def calls_of(found: Planned) -> list[list[str]]:
    """What the Job of the bucket calls, in order."""
    (row,) = [row for row in found.rows if row.startswith("Job.batch/research/objects-tickets-")]
    pod = body(found, row)["spec"]["template"]["spec"]
    return [each["args"] for each in [*pod["initContainers"], *pod["containers"]]]


def rules_of(found: Planned) -> dict[str, Any]:
    """The rules of the lifecycle by their names, without what all have."""
    rules = json.loads(calls_of(found)[-1][-1])["Rules"]
    assert {(rule.pop("Status"), rule.pop("Filter")["Prefix"]) for rule in rules} == {("Enabled", "")}
    return {rule.pop("ID"): rule for rule in rules}


UNFINISHED = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}
MARKERS = {"Expiration": {"ExpiredObjectDeleteMarker": True}}


def test_objects_of_an_age_are_deleted() -> None:
    found = kept(expire_days=30)
    assert calls_of(found)[0][-1] == "Status=Suspended"
    assert rules_of(found) == {"expire": {"Expiration": {"Days": 30}}, "unfinished": UNFINISHED}


def test_old_versions_are_kept_for_a_time_and_some_for_ever() -> None:
    found = kept(old_versions_days=60, old_versions_kept=3)
    assert calls_of(found)[0][-1] == "Status=Enabled"
    old = {"NoncurrentVersionExpiration": {"NoncurrentDays": 60, "NewerNoncurrentVersions": 3}}
    assert rules_of(found) == {"old-versions": old, "delete-markers": MARKERS, "unfinished": UNFINISHED}
    assert "count in the bucket's size" in found.decisions["objects.retention.tickets"].reason


def test_a_lock_comes_after_versions_and_before_the_rules() -> None:
    found = kept(lock={"mode": "compliance", "days": 90})
    versions, lock, rules = calls_of(found)
    assert [call[1] for call in (versions, lock, rules)] == [
        "put-bucket-versioning",
        "put-object-lock-configuration",
        "put-bucket-lifecycle-configuration",
    ]
    assert json.loads(lock[-1]) == {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 90}},
    }
    assert rules_of(found)["old-versions"] == {"NoncurrentVersionExpiration": {"NoncurrentDays": 90}}
    assert "no key lifts it" in found.decisions["objects.retention.tickets"].reason


def test_the_shipped_ceph_locks_buckets_that_were_made_without() -> None:
    tag = Catalog.shipped().row("images", "ceph:ceph").text("tag")
    assert tuple(map(int, tag.removeprefix("v").split(".")[:3])) >= (19, 2, 3)


def test_nothing_written_takes_the_rules_away() -> None:
    assert rules_of(kept()) == {"unfinished": UNFINISHED}


def test_another_wish_is_another_job_with_the_buckets_own_key() -> None:
    first, second = (
        next(row for row in kept(expire_days=days).rows if "objects-tickets-" in row and row.startswith("Job"))
        for days in (30, 31)
    )
    assert first != second
    found = kept(expire_days=30)
    pod = body(found, first)["spec"]["template"]["spec"]
    environment = {each["name"]: each for each in pod["containers"][0]["env"]}
    assert environment["AWS_ENDPOINT_URL"]["value"] == "https://rook-ceph-rgw-objects.rook-ceph.svc:8443"
    assert environment["AWS_CA_BUNDLE"]["value"] == "/trust/ca.crt"
    secret = environment["AWS_SECRET_ACCESS_KEY"]["valueFrom"]["secretKeyRef"]
    assert secret == {"name": "objects-tickets", "key": "AWS_SECRET_ACCESS_KEY"}
    assert "ObjectBucketClaim.objectbucket.io/research/objects-tickets" in found.rows[first].after
