"""An engine that is killed, refused or starved of room loses nothing: the next run goes on, and makes nothing twice."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aifactory.stacks.program.state import state_rows
from support.proving.files_cluster import FilesCluster

pytestmark = pytest.mark.engine
ROWS = 120
SEED = 20261128
LOSING = "--remove-protected"
MakeCluster = Callable[..., FilesCluster]


def points() -> list[tuple[int, str]]:
    """Twelve creates of a stack, before or after which its engine is killed."""
    chance = random.Random(SEED)
    return [
        (create, chance.choice(("kill before", "kill after"))) for create in sorted(chance.sample(range(1, 118), 12))
    ]


def settled(cluster: FilesCluster) -> None:
    """Every object is in the state, once; each was made once; nothing is left over from a run."""
    assert len(cluster.objects) == len(cluster.rows_in_state) == len(set(cluster.rows_in_state)) >= 100
    assert cluster.said["create"] == len(cluster.objects)
    assert cluster.said["exists"] == 0
    assert not cluster.latest.get("pending_operations")
    assert not list(cluster.state.glob(".aifactory/*.begun.*"))
    assert not list(cluster.state.glob(".pulumi/locks/**/*.json"))


@pytest.mark.parametrize(("create", "how"), points())
def test_a_killed_engine_loses_nothing_and_makes_nothing_twice(
    files_cluster: MakeCluster, create: int, how: str
) -> None:
    cluster = files_cluster(ROWS)
    cluster.break_at(create, how)
    code, said = cluster.run("up")
    assert code == 3, said
    assert "the engine was killed by signal 9" in said
    made = len(cluster.objects)
    assert cluster.rows_in_state == []
    stack = cluster.data("up")
    settled(cluster)
    assert stack["changes"] == {"create": len(cluster.objects) - made, **({"same": made} if made else {})}


def test_a_second_kill_loses_nothing_either(files_cluster: MakeCluster) -> None:
    cluster = files_cluster(ROWS)
    for create in (40, 30):
        cluster.break_at(create, "kill after")
        assert cluster.run("up")[0] == 3
    assert cluster.run("up")[0] == 0
    settled(cluster)


def test_what_a_killed_run_made_is_removed_too(files_cluster: MakeCluster) -> None:
    cluster = files_cluster(ROWS)
    cluster.break_at(50, "kill after")
    assert cluster.run("up")[0] == 3
    assert len(cluster.objects) >= 50
    code, said = cluster.run("destroy")
    assert code == 0, said
    assert "the last run was cut off" in said
    protected = {"kubernetes%3Acore%2Fv1%3ANamespace"}
    assert {name.partition("__")[0] for name in cluster.objects} <= protected
    assert len(cluster.rows_in_state) == len(cluster.objects)


def test_a_removal_that_is_killed_goes_on(files_cluster: MakeCluster) -> None:
    cluster = files_cluster(ROWS)
    assert cluster.run("up")[0] == 0
    cluster.break_at(0, "kill at delete")
    assert cluster.run("destroy")[0] == 3
    code, said = cluster.run("destroy")
    assert code == 0, said
    assert len(cluster.rows_in_state) == len(cluster.objects) < 20


def test_a_killed_removal_protects_again_what_it_was_allowed_to_lose(files_cluster: MakeCluster) -> None:
    cluster = files_cluster(ROWS)
    assert cluster.run("up")[0] == 0
    protected = {one["urn"] for one in cluster.latest["resources"] if one.get("protect")}
    assert protected
    named = [word for one in state_rows(cluster.latest["resources"]) if one.protected for word in (LOSING, one.row)]
    cluster.break_at(0, "kill at delete")
    code, said = cluster.run("destroy", *named)
    assert code == 3
    assert "the engine was killed by signal 9" in said
    assert "another run" not in said
    assert not any(one.get("protect") for one in cluster.latest["resources"]), "the killed engine's lock is there"
    code, said = cluster.run("up")
    assert code == 0, said
    assert {one["urn"] for one in cluster.latest["resources"] if one.get("protect")} == protected
    assert not list(cluster.state.glob(".aifactory/*.begun.*"))


def test_a_change_that_was_half_made_and_taken_back_is_undone(files_cluster: MakeCluster) -> None:
    cluster = files_cluster(ROWS)
    assert cluster.run("up")[0] == 0
    before, text = cluster.objects, cluster.blueprint.read_text(encoding="utf-8")
    cluster.blueprint.write_text(text.replace('"name": "teams"', '"name": "groups", "renamed_from": "teams"'))
    cluster.break_at(0, "kill at update")
    assert cluster.run("up")[0] == 3
    assert cluster.objects != before
    cluster.blueprint.write_text(text)
    code, said = cluster.run("up")
    assert code == 0, said
    assert cluster.objects == before
    settled(cluster)


def test_an_object_of_somebody_else_is_not_taken_for_ours(files_cluster: MakeCluster) -> None:
    cluster = files_cluster(ROWS)
    cluster.break_at(1, "kill before")
    assert cluster.run("up")[0] == 3
    theirs = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-00003", "labels": {"team": "x"}}}
    path = cluster.folder / "objects" / "kubernetes%3Acore%2Fv1%3ANamespace__team-00003.json"
    path.write_text(json.dumps(theirs), encoding="utf-8")
    code, said = cluster.run("up")
    assert code == 1
    assert "Namespace/team-00003 is there, without the labels of this factory" in said
    assert "team-00003 already exists" in said
    assert not [urn for urn in cluster.rows_in_state if urn.endswith("Namespace::cluster/team-00003")]
    assert json.loads(path.read_text(encoding="utf-8")) == theirs


def test_a_provider_error_is_the_rows_and_the_next_up_goes_on(files_cluster: MakeCluster) -> None:
    cluster = files_cluster(ROWS)
    cluster.break_at(33, "fail")
    code, said = cluster.run("up")
    assert code == 1
    assert "the cluster says no" in said
    assert len(cluster.rows_in_state) == len(cluster.objects) >= 32
    cluster.mend()
    assert cluster.run("up")[0] == 0
    settled(cluster)


def lock(cluster: FilesCluster, pid: int, host: str) -> Path:
    """A lock as the engine writes it."""
    folder = cluster.state / ".pulumi/locks/organization/aifactory/scale-lab-platform"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "0b5b7f0e-8a5f-4e56-9d1c-000000000000.json"
    content = {"pid": pid, "username": "ada", "hostname": host, "timestamp": "2026-11-28T10:00:00.123456789+01:00"}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_the_lock_of_a_dead_engine_is_cleared_in_one_line(files_cluster: MakeCluster) -> None:
    cluster = files_cluster(50)
    with subprocess.Popen(["true"]) as dead:
        pass
    path = lock(cluster, dead.pid, socket.gethostname())
    code, said = cluster.run("up")
    assert code == 0, said
    holder = f"process {dead.pid} of ada on {socket.gethostname()}, since 2026-11-28 09:00:00Z"
    assert said.splitlines()[0] == f"scale-lab-platform: cleared the lock of a run that is gone: {holder}"
    assert not path.exists()


def test_the_lock_of_another_host_is_never_cleared(files_cluster: MakeCluster) -> None:
    cluster = files_cluster(50)
    path = lock(cluster, 1, "another-host")
    code, said = cluster.run("up")
    assert code == 3
    assert "process 1 of ada on another-host, since 2026-11-28 09:00:00Z" in said
    assert "pulumi cancel" in said
    assert path.exists()
    assert cluster.objects == {}


def test_of_two_at_once_the_second_ends_and_loses_nothing(files_cluster: MakeCluster) -> None:
    cluster = files_cluster(ROWS)
    cluster.break_at(20, "wait")
    first = cluster.begin("up")
    try:
        for _ in range(600):
            if cluster.said["create"] >= 20:
                break
            time.sleep(0.1)
        code, said = cluster.run("up")
        (cluster.folder / "go on").touch()
        _, told = first.communicate(timeout=240)
    finally:
        first.kill()
    assert code == 3, said
    assert f"another aifactory works on stack scale-lab-platform: process {first.pid} of " in said
    assert first.returncode == 0, told
    settled(cluster)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB: a tmpfs, where this user may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() or mount is None or unmount is None:
        pytest.skip("needs to mount a tmpfs: run as root")
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip(f"needs to mount a tmpfs: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run([unmount, "--lazy", folder], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Fill a file system but for some bytes."""
    stuffing = folder / "stuffing"
    stuffing.write_bytes(b"\0" * max(0, shutil.disk_usage(folder).free - leave))
    return stuffing


def test_a_full_disk_is_named_before_anything_is_begun(files_cluster: MakeCluster, small_disk: Path) -> None:
    cluster = files_cluster(ROWS, small_disk)
    stuffing = fill(small_disk, 100_000)
    code, said = cluster.run("up")
    assert code == 3
    assert f"the file system at {small_disk} has 0.1 MB left" in said
    assert cluster.objects == {}
    stuffing.unlink()
    assert cluster.run("up")[0] == 0
    settled(cluster)


def test_a_disk_that_fills_up_in_mid_run_is_named_and_the_next_up_goes_on(
    files_cluster: MakeCluster, small_disk: Path
) -> None:
    cluster = files_cluster(ROWS, small_disk)
    cluster.break_at(20, "wait")
    process = cluster.begin("up")
    try:
        for _ in range(600):
            if cluster.said["create"] >= 20:
                break
            time.sleep(0.1)
        stuffing = fill(small_disk, 0)
        (cluster.folder / "go on").touch()
        _, said = process.communicate(timeout=240)
    finally:
        process.kill()
    assert process.returncode == 3, said
    assert f"the file system at {small_disk} is full" in said
    assert len(cluster.objects) >= 100
    stuffing.unlink()
    cluster.mend()
    code, said = cluster.run("up")
    assert code == 0, said
    settled(cluster)
