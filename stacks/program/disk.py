"""The folder that a state lies in: what a killed engine leaves half written, and file systems that are full."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aifactory.stacks.program.engine import EngineError
from aifactory.stacks.program.identity import PROJECT

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)
_FULL = tuple(os.strerror(number).lower() for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_WRITTEN_IN_S = 1.0


def says_full(text: str) -> bool:
    """Whether the engine says that it could not write for want of room."""
    return any(phrase in text.lower() for phrase in _FULL)


@contextmanager
def disk_failures(folder: Path, stack: str) -> Iterator[None]:
    """Name the file system that is full, or can't be written to."""
    try:
        yield
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        where = f"the file system at {mount_of(folder)}"
        raise EngineError(f"the state of stack {stack} can't be written to {where}: {error.strerror}") from None


def mount_of(path: Path) -> Path:
    """Where the file system that holds `path` is mounted."""
    path = path.absolute()
    return next((each for each in (path, *path.parents) if each.is_mount()), path)


def drop_half_written(folder: Path, stack: str) -> None:
    """Remove what an engine that was killed in the middle of a write left beside the state of a stack.

    The engine renames a state into its place, but writes attributes (a type and a checksum, which nothing needs)
    straight into theirs. If they are cut off, it can't load the state: "failed to load checkpoint: EOF" (3.255.0).
    Without them it can. An engine at work has them whole again within the time that is waited for.
    """
    states = folder / ".pulumi" / "stacks" / PROJECT
    beside = [folder / ".pulumi" / "meta.yaml.attrs", *states.glob(f"{stack}.json*")]
    for path in beside:
        if path.suffix in (".attrs", ".tmp") and _is_settled(path) and not _is_whole(path):
            path.unlink(missing_ok=True)


def _is_settled(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _WRITTEN_IN_S
    except FileNotFoundError:
        return False


def _is_whole(path: Path) -> bool:
    try:
        return path.suffix == ".attrs" and isinstance(json.loads(path.read_bytes()), dict)
    except (OSError, ValueError):
        return False
