"""The output folder when a run ends at any moment: killed, interrupted, or with a full disk."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aifactory.components.problems import Refused
from aifactory.stacks.render.output import write
from aifactory.stacks.render.output_problems import NEXT_RUN_FINISHES, NOTHING_CHANGED

Files = Mapping[str, bytes]
Instead = Callable[[int, str, Callable[..., Any], tuple[Any, ...]], Any]
"""What to do for a call: its number, its name, the real function, its arguments."""

FOREIGN = {"mine.txt": b"mine", "manifests/mine.yaml": b"mine: 1\n", "gone/mine": b"mine"}
OLD = {
    "a": b"old a",
    "manifests/b": b"old b",
    "manifests/same": b"s",
    "gone/c": b"old c",
    "f": b"f",
    "d/e": b"e",
}
NEW = {
    "a": b"new a",
    "manifests/b": b"new b",
    "manifests/same": b"s",
    "new/x/y": b"y",
    "f/g": b"g",
    "d": b"d",
}
THIRD = {"a": b"third a", "new/x": b"third x", "manifests/z": b"z", "f/h": b"third h"}

CHANGING = ("mkdir", "open", "write", "fsync", "close", "replace", "unlink", "rmdir", "listdir")
"""Calls of the operating system that a run makes to change something, and those between them."""

NEEDS_SPACE = ("mkdir", "open", "write", "fsync", "replace")


class Killed(BaseException):
    """What stands for the end of the process: from then on no call does anything."""


@pytest.fixture(autouse=True)
def without_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed process loses nothing that the kernel has, so fsync matters for power cuts alone."""
    monkeypatch.setattr(os, "fsync", lambda _fd: None)


@contextmanager
def calls(names: tuple[str, ...], instead: Instead) -> Iterator[None]:
    """Make each call of these functions of `os` go through `instead(number, name, real, arguments)`."""
    reals = {name: getattr(os, name) for name in names}
    numbers = count(1)

    def wrapped(name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            def real(*given: Any) -> Any:
                return reals[name](*given, **options)

            return instead(next(numbers), name, real, arguments)

        return call

    try:
        for name in names:
            setattr(os, name, wrapped(name))
        yield
    finally:
        for name, real in reals.items():
            setattr(os, name, real)


def killed_at(number: int, folder: Path, files: Files, names: tuple[str, ...] = CHANGING) -> bool:
    """Run in a process that ends before its call of that number, in the middle of it if it writes."""

    def instead(now: int, name: str, real: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if now == number:
            if name == "write":
                real(arguments[0], arguments[1][: len(arguments[1]) // 2])
            os._exit(9)
        return real(*arguments)

    pid = os.fork()
    if pid == 0:
        try:
            with calls(names, instead):
                write(folder, files)
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in (0, 9)
    return status == 9


def disk_fails_from(number: int, code: int) -> Instead:
    """Each call from that number on fails, except opening what is there."""

    def instead(now: int, name: str, real: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if now >= number and not (name == "open" and not arguments[1] & os.O_CREAT):
            raise OSError(code, os.strerror(code))
        return real(*arguments)

    return instead


def disk_fails_at(number: int) -> Instead:
    """One call fails."""

    def instead(now: int, _name: str, real: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if now == number:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(*arguments)

    return instead


def interrupted_after(number: int) -> Instead:
    """The user presses Ctrl-C during one call."""

    def instead(now: int, _name: str, real: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        done = real(*arguments)
        if now == number:
            raise KeyboardInterrupt
        return done

    return instead


def ended_at(number: int) -> Instead:
    """From that call on nothing is done, but that the kernel closes the files of an ended process."""

    def instead(now: int, name: str, real: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        done = real(*arguments) if name == "close" or now < number else None
        if now >= number:
            raise Killed
        return done

    return instead


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, and every empty folder as a name with a slash."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file():
            found[name] = path.read_bytes()
        elif not any(path.iterdir()):
            found[f"{name}/"] = b""
    return found


def prepared(folder: Path, old: Files | None) -> None:
    """An output folder with foreign files and what a run with `old` wrote, or none."""
    shutil.rmtree(folder, ignore_errors=True)
    if old is None:
        return
    for path, data in FOREIGN.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    write(folder, old)


def assert_nothing_is_lost(folder: Path, old: Files, new: Files, foreign: Files = FOREIGN) -> None:
    """Each file is whole and old or new, none that both have is missing, and no foreign one was touched."""
    found = contents(folder)
    for path, data in found.items():
        if path in foreign:
            assert data == foreign[path]
        elif not path.startswith(".aifactory") and not path.endswith("/"):
            assert data in (old.get(path), new.get(path)), path
    assert foreign.keys() <= found.keys()
    assert old.keys() & new.keys() <= found.keys()


def assert_finished(folder: Path, files: Files, fresh: Path, foreign: Files = FOREIGN) -> None:
    """The folder is as if no run before had ever failed."""
    if not fresh.exists():
        write(fresh, files)
    manifest = (fresh / ".aifactory.json").read_bytes()
    assert contents(folder) == {**foreign, **files, ".aifactory.json": manifest}


START = {"nothing": None, "another input": OLD, "the same input, older version": NEW}
NEXT = {"the same input": NEW, "the input before": OLD, "a third input": THIRD}


@pytest.mark.parametrize("then", NEXT.values(), ids=NEXT.keys())
@pytest.mark.parametrize("old", START.values(), ids=START.keys())
def test_a_run_killed_at_any_call_loses_nothing_and_the_next_one_finishes(
    tmp_path: Path, old: Files | None, then: Files
) -> None:
    out = tmp_path / "out"
    foreign = FOREIGN if old is not None else {}
    for number in count(1):
        prepared(out, old)
        if old is NEW:
            manifest = out / ".aifactory.json"
            manifest.write_bytes(manifest.read_bytes().replace(b'"version": "', b'"version": "0.'))
        was_killed = killed_at(number, out, NEW)
        assert_nothing_is_lost(out, old or {}, NEW, foreign)
        write(out, then)
        assert_finished(out, then, tmp_path / "fresh", foreign)
        if not was_killed:
            break
    assert number > (15 if old is NEW else 40)  # it was killed at each call of a whole run


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("old", [None, OLD], ids=["first", "later"])
def test_a_disk_that_fails_at_any_call_is_refused_and_the_old_state_is_there(
    tmp_path: Path, old: Files | None, code: int
) -> None:
    out = tmp_path / "out"
    foreign = FOREIGN if old is not None else {}
    hints = set()
    for number in count(1):
        prepared(out, old)
        before = contents(out)

        try:
            with calls(NEEDS_SPACE, disk_fails_from(number, code)):
                write(out, NEW)
            break
        except Refused as refused:
            [problem] = refused.problems
        assert os.strerror(code) in problem.says
        hints.add(problem.hint.partition("; ")[2])
        if problem.hint.endswith(NOTHING_CHANGED):
            assert contents(out) == before
            assert out.exists() == (old is not None)
        else:
            assert problem.hint.endswith(NEXT_RUN_FINISHES)
            assert_nothing_is_lost(out, old or {}, NEW, foreign)
        write(out, NEW)
        assert_finished(out, NEW, tmp_path / "fresh", foreign)
    assert hints == {NOTHING_CHANGED, NEXT_RUN_FINISHES}
    assert number > 20


def test_a_killed_run_then_a_disk_that_fails_then_a_third_input_lose_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for killed, failing in product(range(2, 6), range(1, 6)):
        prepared(out, OLD)
        assert killed_at(killed, out, NEW, ("replace",))

        with calls(("replace",), disk_fails_at(failing)), pytest.raises(Refused):
            write(out, {**NEW, "more": b"m", "other/more": b"m"})
        write(out, THIRD)
        assert_finished(out, THIRD, tmp_path / "fresh")


def test_a_full_disk_is_told_with_what_to_do(tmp_path: Path) -> None:
    def instead(_now: int, _name: str, _real: Callable[..., Any], _arguments: tuple[Any, ...]) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with calls(("write",), instead), pytest.raises(Refused) as caught:
        write(tmp_path / "out", NEW)
    [problem] = caught.value.problems
    assert problem.says == f"{tmp_path / 'out'}: No space left on device"
    assert problem.hint == "free some space on the disk; nothing was changed"


def test_a_disk_that_is_full_before_files_are_replaced_changes_nothing(tmp_path: Path) -> None:
    """All contents are on the disk before the first change, so a full disk shows before it too."""
    out = tmp_path / "out"
    prepared(out, OLD)
    before = contents(out)
    big = {path: data * 100_000 for path, data in NEW.items()}
    room = [1_000_000]

    def instead(_now: int, _name: str, real: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        room[0] -= len(arguments[1])
        if room[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*arguments)

    with calls(("write",), instead), pytest.raises(Refused):
        write(out, big)
    assert contents(out) == before


@pytest.mark.parametrize("old", [None, OLD], ids=["first", "later"])
def test_an_interrupt_at_any_call_leaves_the_old_state_or_what_the_next_run_finishes(
    tmp_path: Path, old: Files | None
) -> None:
    out = tmp_path / "out"
    foreign = FOREIGN if old is not None else {}
    undone = 0
    for number in count(1):
        prepared(out, old)
        before = contents(out)

        try:
            with calls(CHANGING, interrupted_after(number)):
                write(out, NEW)
            break
        except KeyboardInterrupt:
            undone += contents(out) == before
        assert_nothing_is_lost(out, old or {}, NEW, foreign)
        write(out, NEW)
        assert_finished(out, NEW, tmp_path / "fresh", foreign)
    assert undone > 10


names = st.sampled_from(("a", "b", "a/a", "a/b", "b/a", "b/a/a", "c/a", "c/b/a"))


def usable(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same files less those that are also a folder."""
    return {path: data for path, data in files.items() if not any(p.startswith(f"{path}/") for p in files)}


inputs = st.dictionaries(names, st.sampled_from((b"", b"1", b"22")), max_size=6).map(usable)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(inputs, st.integers(1, 60), st.booleans()), max_size=6), inputs)
def test_after_any_number_of_failed_runs_one_that_ends_gives_what_it_shall(
    tmp_path_factory: pytest.TempPathFactory, failed: list[tuple[Files, int, bool]], last: Files
) -> None:
    home = tmp_path_factory.mktemp("failed")
    out = home / "out"
    prepared(out, {})
    for files, number, is_killed in failed:
        names, instead = (CHANGING, ended_at(number)) if is_killed else (NEEDS_SPACE, disk_fails_at(number))
        with calls(names, instead), suppress(Killed, Refused):
            write(out, files)
    write(out, last)
    assert_finished(out, last, home / "fresh")
    shutil.rmtree(home)
