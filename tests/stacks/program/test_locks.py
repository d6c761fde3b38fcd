"""One run of a stack at a time; the dead hold nothing, and the living and other hosts keep what they hold."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aifactory.stacks.program.engine import Locked
from aifactory.stacks.program.locks import Holder, sole

STACK = "demo-lab-platform"
HERE = socket.gethostname()


def engine_lock(folder: Path, **content: Any) -> Path:
    """A lock as the engine writes it."""
    home = folder / ".pulumi/locks/organization/aifactory" / STACK
    home.mkdir(parents=True)
    path = home / "one.json"
    now = datetime.now(UTC).isoformat()
    path.write_text(json.dumps({"username": "ada", "hostname": HERE, "timestamp": now, **content}))
    path.with_name("one.json.attrs").write_text("{}")
    return path


def dead() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        pass
    return process.pid


def test_the_lock_of_a_dead_process_is_cleared_and_told(tmp_path: Path) -> None:
    pid, told = dead(), list[str]()
    path = engine_lock(tmp_path, pid=pid)
    with sole(tmp_path, STACK, told.append):
        assert list(path.parent.iterdir()) == []
    assert len(told) == 1
    assert f"process {pid} of ada on {HERE}, since " in told[0]


@pytest.mark.parametrize("content", [{"pid": os.getpid()}, {"pid": dead(), "hostname": "elsewhere"}])
def test_the_lock_of_a_living_process_or_another_host_stays(tmp_path: Path, content: dict[str, Any]) -> None:
    path = engine_lock(tmp_path, **content)
    with pytest.raises(Locked, match=f"process {content['pid']} of ada on "), sole(tmp_path, STACK, print):
        pass
    assert path.exists()


def test_a_process_that_began_after_the_lock_did_not_write_it(tmp_path: Path) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    with subprocess.Popen(["sleep", "60"]) as later:
        try:
            assert Holder(later.pid, "ada", HERE, hour_ago).is_gone
            assert not Holder(later.pid, "ada", HERE, datetime.now(UTC) + timedelta(seconds=1)).is_gone
        finally:
            later.kill()


def test_a_process_that_nobody_has_waited_for_holds_nothing() -> None:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert Holder(process.pid, "ada", HERE, datetime.now(UTC)).is_gone
    process.wait()


def test_half_a_lock_is_being_written_or_was_left_a_while_ago(tmp_path: Path) -> None:
    path = engine_lock(tmp_path, pid=1)
    path.write_text('{"pid": 1')
    with pytest.raises(Locked, match="somebody"), sole(tmp_path, STACK, print):
        pass
    os.utime(path, (1, 1))
    with sole(tmp_path, STACK, print):
        assert not path.exists()


def test_a_second_run_is_told_who_is_at_work(tmp_path: Path) -> None:
    with (
        sole(tmp_path, STACK, print),
        pytest.raises(Locked, match=f"another aifactory works on stack {STACK}: process {os.getpid()} of "),
        sole(tmp_path, STACK, print),
    ):
        pass
    with sole(tmp_path, STACK, print):
        pass


def test_another_stack_in_the_same_folder_is_free(tmp_path: Path) -> None:
    with sole(tmp_path, STACK, print), sole(tmp_path, "other", print):
        pass
