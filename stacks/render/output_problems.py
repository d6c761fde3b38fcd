"""How a refused output is told: which file, what is wrong with it, what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from aifactory.components.problems import Problem, Refused

NOTHING_CHANGED = "nothing was changed"
NEXT_RUN_FINISHES = "then run again: the next run finishes this one"

_SHOWN = 20
"""Files listed one by one for each hint; the rest is counted."""

_HINTS = {
    errno.ENOSPC: "free some space on the disk",
    errno.EDQUOT: "free some of your disk quota",
    errno.EROFS: "choose a folder on a disk that can be written",
    errno.EACCES: "make it writable, or choose another output folder",
    errno.EPERM: "make it writable, or choose another output folder",
    errno.ENAMETOOLONG: "choose an output folder with a shorter path",
}


class Problems:
    """Problems of single files, in the order found."""

    def __init__(self) -> None:
        """None yet."""
        self._says: dict[str, list[str]] = {}

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self._says)

    def add(self, file: str, what: str, hint: str) -> None:
        """One more file that is in the way."""
        self._says.setdefault(hint, []).append(f"{file}: {what}")

    def refuse(self) -> None:
        """Raise Refused if there is a problem."""
        found = []
        for hint, says in self._says.items():
            found += [Problem(one, hint=hint) for one in says[:_SHOWN]]
            if len(says) > _SHOWN:
                found.append(Problem(f"and {len(says) - _SHOWN} more files", hint=hint))
        if found:
            raise Refused(found)


@contextmanager
def told(folder: str | os.PathLike[str], after: str) -> Iterator[None]:
    """Turn what the operating system says into Refused. `after`: what became of the folder."""
    try:
        yield
    except OSError as error:
        where = f" ({os.fsdecode(error.filename)})" if error.filename else ""
        hint = _HINTS.get(error.errno or 0, "choose another output folder, or repair this one")
        says = f"{os.fspath(folder)}: {error.strerror or error}{where}"
        raise Refused([Problem(says, hint=f"{hint}; {after}")]) from error
