"""Who works on a stack whose state lies in files of this machine: one at a time, and the dead don't count.

The engine's own lock is a file that a killed engine leaves behind. Ours is held by the process and goes with it.
"""

from __future__ import annotations

import errno
import fcntl
import getpass
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from aifactory.stacks.program.disk import disk_failures
from aifactory.stacks.program.engine import Locked
from aifactory.stacks.program.identity import PROJECT

_SLACK_S = 2.0
"""Clocks and ticks: a process that began this much after a lock was written didn't write it."""
_HALF_WRITTEN_S = 60.0
_NOBODY = 2**22 + 1
"""More than any process id: it lives nowhere."""


class Holder(Struct, frozen=True):
    """Who holds a lock: the form that the engine writes."""

    pid: int
    username: str
    hostname: str
    timestamp: datetime

    @property
    def text(self) -> str:
        """In words."""
        since = self.timestamp.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        return f"process {self.pid} of {self.username} on {self.hostname}, since {since}"

    @property
    def is_gone(self) -> bool:
        """Whether that process has surely ended. On another host nobody can tell, so: no."""
        return self.hostname == socket.gethostname() and not _lives(self.pid, self.timestamp)


@contextmanager
def sole(folder: Path, stack: str, say: Callable[[str], None]) -> Iterator[None]:
    """Be the only run of a stack whose state lies in `folder`. Clears locks of engines of this host that are gone.

    Raises `Locked` if somebody else is at work.
    """
    home = folder / ".aifactory"
    with disk_failures(folder, stack):
        home.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(home / f"{stack}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(descriptor, stack)
        for path, holder in engine_locks(folder, stack).items():
            if not holder.is_gone:
                raise Locked(f"another run holds the lock of stack {stack}: {holder.text}", _hint(holder))
            for file in (path, path.with_name(f"{path.name}.attrs")):
                file.unlink(missing_ok=True)
            say(f"{stack}: cleared the lock of a run that is gone: {holder.text}")
        yield
    finally:
        os.close(descriptor)


def engine_locks(folder: Path, stack: str) -> dict[Path, Holder]:
    """The engine's locks of a stack. One that is cut off is being written, or was left so by a killed engine."""
    found = {}
    for path in sorted((folder / ".pulumi" / "locks" / "organization" / PROJECT / stack).glob("*")):
        if path.suffix != ".attrs":
            with suppress(FileNotFoundError):
                found[path] = _holder(path.read_bytes()) or _unknown(path)
    return found


def _take(descriptor: int, stack: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            return  # a file system without such locks: the engine's own remains
        holder = _holder(os.pread(descriptor, 4096, 0))
        who = holder.text if holder else "a process that began this moment"
        raise Locked(f"another aifactory works on stack {stack}: {who}", "wait for it to end") from None
    content = json.dumps({**msgspec.to_builtins(_me()), "timestamp": datetime.now(UTC).isoformat()}).encode()
    with suppress(OSError):  # a full disk: the lock holds all the same
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, content, 0)


def _me() -> Holder:
    return Holder(os.getpid(), getpass.getuser(), socket.gethostname(), datetime.now(UTC))


def _unknown(path: Path) -> Holder:
    """Who wrote half a lock: nobody any more, if that was a minute ago, else somebody who still does."""
    written = path.stat().st_mtime
    host = socket.gethostname() if time.time() - written > _HALF_WRITTEN_S else "a host not known yet"
    return Holder(_NOBODY, "somebody", host, datetime.fromtimestamp(written, UTC))


def _holder(content: bytes) -> Holder | None:
    try:
        return msgspec.json.decode(content, type=Holder)
    except msgspec.DecodeError:
        return None


def _hint(holder: Holder) -> str:
    if holder.hostname == socket.gethostname():
        return "wait for it to end"
    return (
        f"wait for it to end; if it is gone from {holder.hostname}, run `pulumi cancel` in the generated folder of "
        "the stack, then `aifactory up`"
    )


def _lives(pid: int, since: datetime) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it is somebody else's
    started = _started(pid)
    return started is None or started <= since.timestamp() + _SLACK_S


def _started(pid: int) -> float | None:
    """When a process began, in seconds of the epoch; None if this system doesn't tell.

    One that has ended, and that nobody has waited for yet, is put in the future: it holds nothing any more.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        booted = next(
            int(line.split()[1])
            for line in Path("/proc/stat").read_text(encoding="ascii").splitlines()
            if line.startswith("btime ")
        )
    except (OSError, StopIteration, IndexError, ValueError):
        return None
    if fields[0] in ("Z", "X"):
        return float("inf")
    return booted + int(fields[19]) / os.sysconf("SC_CLK_TCK")
