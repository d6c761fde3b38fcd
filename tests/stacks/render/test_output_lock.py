"""Several runs in one output folder."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aifactory.components.problems import Refused
from aifactory.stacks.render import output_lock
from aifactory.stacks.render.output import write

FILES = {"README.md": b"# chat\n", "manifests/00-base/a.yaml": b"a: 1\n"}


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but the manifest and the lock."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(".aifactory")}


def assert_busy(folder: Path) -> None:
    """A run is refused because another one has the folder."""
    before = tree(folder)
    with pytest.raises(Refused) as caught:
        write(folder, FILES)
    assert [problem.says for problem in caught.value.problems] == [f"{folder}: another run is writing to this folder"]
    assert tree(folder) == before


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder that is not there yet."""
    return tmp_path / "build" / "out"


@contextmanager
def another_run(folder: Path) -> Iterator[int]:
    """A process in the middle of writing `a` to the folder; the number of the process."""
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:

        def files() -> Iterator[tuple[str, bytes]]:
            yield "a", b"theirs"
            os.write(tell, b"1")
            time.sleep(60)

        try:
            write(folder, files())
        finally:
            os._exit(1)
    os.read(ready, 1)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(ready)
        os.close(tell)


def test_a_second_run_is_refused_while_the_first_is_writing(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_lock, "LOCK_PATIENCE_S", 0.1)
    with another_run(out):
        assert_busy(out)


def test_a_killed_run_locks_nobody_out_and_leaves_nothing(out: Path) -> None:
    with another_run(out):
        pass
    assert (out / ".aifactory.new").is_dir()
    assert write(out, FILES).written == tuple(sorted(FILES))
    assert tree(out) == FILES


def test_a_run_waits_for_one_that_ends_soon(out: Path) -> None:
    out.mkdir(parents=True)
    script = (
        "import fcntl, os, sys, time; fd = os.open(sys.argv[1], os.O_RDONLY); fcntl.flock(fd, fcntl.LOCK_EX);"
        "print(flush=True); time.sleep(0.3)"
    )
    with subprocess.Popen([sys.executable, "-c", script, out], stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        write(out, FILES)
    assert tree(out) == FILES


def test_a_folder_that_the_run_before_removed_is_made_again(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked: list[int] = []

    def flock(fd: int, how: int) -> None:
        real(fd, how)
        if not locked:
            out.rmdir()
        locked.append(fd)

    real = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", flock)
    write(out, FILES)
    assert tree(out) == FILES
    assert len(locked) == 2


def test_a_disk_that_can_not_lock_folders_has_a_lock_file(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(fd: int, how: int) -> None:
        if os.path.isdir(f"/dev/fd/{fd}"):
            raise OSError(errno.EBADF, "NFS")
        real(fd, how)

    real = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setattr(output_lock, "LOCK_PATIENCE_S", 0.1)
    write(out, FILES)
    with open(out / ".aifactory.lock", "rb") as held:
        real(held, fcntl.LOCK_EX)
        assert_busy(out)
    assert write(out, FILES).written == ()


def test_of_many_runs_at_once_one_is_the_last(out: Path) -> None:
    pids = []
    for run in range(6):
        pid = os.fork()
        if pid == 0:
            try:
                for _ in range(5):
                    write(out, {f"own-{run}": b"1", "shared": b"%d" % run, f"d{run % 2}/x": b"2"})
                os._exit(0)
            finally:
                os._exit(1)
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 6
    last = int((out / "shared").read_bytes())
    assert tree(out) == {f"own-{last}": b"1", "shared": b"%d" % last, f"d{last % 2}/x": b"2"}
