"""What a run may make is on record before it begins, and until its state is written."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from aifactory.stacks.program.begun import Begun
from aifactory.stacks.program.disk import disk_failures, drop_half_written, mount_of, says_full
from aifactory.stacks.program.engine import EngineError

STACK = "demo-lab-platform"


@pytest.fixture
def begun(tmp_path: Path) -> Begun:
    """The record of a stack."""
    (tmp_path / ".aifactory").mkdir()
    return Begun(tmp_path, STACK)


def test_a_record_is_read_as_it_was_written_and_is_for_our_eyes_only(begun: Begun) -> None:
    assert (begun.exists, begun.read()) == (False, [])
    begun.write([{"urn": "a"}])
    assert (begun.exists, begun.read()) == (True, [{"urn": "a"}])
    assert begun.path.stat().st_mode & 0o777 == 0o600
    begun.clear()
    assert not begun.exists
    begun.clear()


def test_a_record_replaces_the_last_one_at_once(begun: Begun, monkeypatch: pytest.MonkeyPatch) -> None:
    begun.write([{"urn": "a"}])

    def fails(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(EngineError, match="can't be written to the file system at"):
        begun.write([{"urn": "b"}])
    assert begun.read() == [{"urn": "a"}]


def test_a_disk_without_room_for_the_state_is_named_first(begun: Begun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=999_999))
    with pytest.raises(EngineError, match=r"has 1\.0 MB left, and the state of stack demo-lab-platform may need 1\.0"):
        begun.write([])
    assert not begun.exists


def test_other_failures_than_of_the_disk_are_not_taken_for_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), disk_failures(tmp_path, STACK):
        raise FileNotFoundError(errno.ENOENT, "no")


def test_the_engine_says_that_a_disk_is_full_as_the_system_does() -> None:
    assert says_full("error: writing snapshot: write /x: no space left on device")
    assert not says_full("error: update failed")


def test_a_folder_lies_on_the_nearest_mount() -> None:
    assert mount_of(Path("/proc/self/nothing")) == Path("/proc")


@pytest.mark.parametrize(
    ("content", "age_s", "stays"), [("", 9, False), ('{"md5"', 9, False), ("", 0, True), ("{}", 9, True)]
)
def test_attributes_that_were_cut_off_go(tmp_path: Path, content: str, age_s: int, stays: bool) -> None:
    states = tmp_path / ".pulumi/stacks/aifactory"
    states.mkdir(parents=True)
    attributes, state = states / f"{STACK}.json.attrs", states / f"{STACK}.json"
    for path in (attributes, state):
        path.write_text(content)
        written = path.stat().st_mtime - age_s
        os.utime(path, (written, written))
    drop_half_written(tmp_path, STACK)
    assert attributes.exists() is stays
    assert state.exists()


@pytest.mark.parametrize("left", ["", '{"version":3,"checkp'])
def test_a_state_that_was_cut_off_is_the_one_that_the_run_started_from(begun: Begun, tmp_path: Path, left: str) -> None:
    states = tmp_path / ".pulumi/stacks/aifactory"
    states.mkdir(parents=True)
    state = states / f"{STACK}.json"
    state.write_text('{"version":3}')
    begun.write([])
    new = states / "new"
    new.write_text(left)
    new.replace(state)
    begun.mend()
    assert state.read_text() == '{"version":3}'


def test_a_state_that_is_whole_stays(begun: Begun, tmp_path: Path) -> None:
    states = tmp_path / ".pulumi/stacks/aifactory"
    states.mkdir(parents=True)
    state = states / f"{STACK}.json"
    state.write_text("{}")
    begun.write([])
    new = states / "new"
    new.write_text('{"version":3}')
    new.replace(state)
    begun.mend()
    assert state.read_text() == '{"version":3}'
    begun.clear()
    assert [path.name for path in (tmp_path / ".aifactory").iterdir()] == []
