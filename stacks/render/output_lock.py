"""The output folder: whether it may be one, and one run in it at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aifactory.components.problems import Problem, Refused
from aifactory.stacks.render.output_problems import NOTHING_CHANGED, told

LOCK_PATIENCE_S = 5.0
"""How long a run waits for another one in the same folder. Default 5: the others take a second or two."""

_LOCK_FILE = ".aifactory.lock"
_POLL_S = 0.05
_NO_FOLDER_LOCKS = (errno.EBADF, errno.EINVAL, errno.ENOTSUP, errno.EISDIR, errno.ENOLCK)


def refuse_unfit(folder: Path, forbidden: Collection[Path]) -> None:
    """Raise Refused if `folder` is a link, no folder, or one that holds or is a path of `forbidden`."""
    try:
        there = folder.lstat()
    except FileNotFoundError:
        there = None
    except OSError as error:
        raise Refused([Problem(f"{folder}: {error.strerror}", hint="choose another output folder")]) from None
    if there is not None and stat.S_ISLNK(there.st_mode):
        says = f"{folder}: is a symbolic link"
        raise Refused([Problem(says, hint=f"name the folder that it leads to: {folder.resolve()}")])
    if there is not None and not stat.S_ISDIR(there.st_mode):
        raise Refused([Problem(f"{folder}: is a file", hint="choose another output folder, or move it away")])
    for path in forbidden:
        if _holds(folder, there, path):
            says = f"{folder}: the output folder holds the source {path}"
            raise Refused([Problem(says, hint="choose a folder beside the sources or below them, such as out")])


def _holds(folder: Path, there: os.stat_result | None, path: Path) -> bool:
    """Whether `path` is `folder` or in it, also by another spelling that the disk takes for the same."""
    real, inner = folder.resolve(), path.resolve()
    if real == inner or real in inner.parents:
        return True
    if there is None:
        return False
    return any(outer.exists() and os.path.samestat(there, outer.stat()) for outer in (inner, *inner.parents))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The folder, made if need be, for this run alone. Raises Refused.

    A folder that was made goes again if the run fails and leaves it empty. The lock is the kernel's (flock),
    so it ends with the process: a killed run locks nobody out.
    """
    with told(folder, NOTHING_CHANGED):
        made, locks = _enter(folder)
    try:
        yield
    except BaseException:
        for path in reversed(made):
            with suppress(OSError):
                os.rmdir(path)
        raise
    finally:
        _close(locks)


def _enter(folder: Path) -> tuple[list[Path], list[int]]:
    while True:
        made = _make(folder)
        locks: list[int] = []
        try:
            _lock(folder, locks)
            if _is_still(folder, locks[0]):
                return made, locks
        except BaseException:
            _close(locks)
            raise
        _close(locks)  # the run before us removed the folder that it had made


def _make(folder: Path) -> list[Path]:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    made = []
    for path in reversed(missing):
        with suppress(FileExistsError):
            path.mkdir()
            made.append(path)
    return made


def _is_still(folder: Path, fd: int) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(folder))
    except FileNotFoundError:
        return False


def _lock(folder: Path, locks: list[int]) -> None:
    """Lock the folder itself; on disks that lock only files (NFS), a file in it, which stays."""
    locks.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW))
    try:
        _wait(folder, locks[-1])
    except OSError as error:
        if error.errno not in _NO_FOLDER_LOCKS:
            raise
        locks.append(os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644))
        _wait(folder, locks[-1])


def _close(locks: list[int]) -> None:
    for fd in locks:
        os.close(fd)


def _wait(folder: Path, fd: int) -> None:
    until = time.monotonic() + LOCK_PATIENCE_S
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                says = f"{folder}: another run is writing to this folder"
                raise Refused([Problem(says, hint="wait until it has ended, then run again")]) from None
            time.sleep(_POLL_S)
