"""File systems that a state lies on: named when they are full."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aifactory.stacks.program.engine import EngineError

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)
_FULL = tuple(os.strerror(number).lower() for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


def says_full(text: str) -> bool:
    """Whether the engine says that it could not write for want of room."""
    return any(phrase in text.lower() for phrase in _FULL)


@contextmanager
def disk_failures(folder: Path, stack: str) -> Iterator[None]:
    """Name the file system that is full, or can't be written to."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES):
            raise
        where = f"the file system at {mount_of(folder)}"
        raise EngineError(f"the state of stack {stack} can't be written to {where}: {error.strerror}") from None


def mount_of(path: Path) -> Path:
    """Where the file system that holds `path` is mounted."""
    path = path.absolute()
    return next((each for each in (path, *path.parents) if each.is_mount()), path)
