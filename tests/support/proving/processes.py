"""Servers under test: on loopback, with a log each, and always stopped, whatever becomes of who started them."""

from __future__ import annotations

import atexit
import os
import random
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

WATCHED = """
exec 3<&0
"$@" </dev/null & child=$!
(cat <&3 >/dev/null; kill -TERM $child; sleep 5; kill -KILL $child) 2>/dev/null &
wait $child
"""
"""Ends a server when the pipe to it closes: its starter is gone, or was killed."""
CALM = {"GOGC": "400"}
"""For programs in Go: collect garbage less often, since memory is there and processor time isn't."""
PATIENCE_S = 120
PORTS = 15_000, 31_000


class Died(Exception):
    """A server ended, or never answered. Holds the end of its log."""


def end_with_parent() -> None:
    """Let this process end when who started it does, also when that is killed and tells nobody."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def free_port() -> int:
    """A port of loopback that nobody listens on, below those that the kernel gives to outgoing connections.

    Its server starts later, so until this process ends no other is given it: a socket on another address of
    loopback holds the number.
    """
    chance = random.SystemRandom()
    while True:
        port = chance.randint(*PORTS)
        hold = socket.socket()
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            hold.bind(("127.0.0.2", port))
            atexit.register(hold.close)
            return port
        hold.close()


def answers(url: str) -> bool:
    """Whether a server says that it is well."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Server:
    """A running process."""

    def __init__(self, name: str, words: Sequence[object], folder: Path, env: Mapping[str, str] | None = None) -> None:
        """Start it. Its log is `folder/name.log`."""
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", WATCHED, "sh", *map(str, words)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={**os.environ, **CALM, **(env or {})},
                start_new_session=True,
            )

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait until it answers. Raises Died when it ends before, or takes too long."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise Died(f"{self.name} ended with {self._process.returncode}: {self.tail()}")
            if ready():
                return
            time.sleep(0.05)
        raise Died(f"{self.name} doesn't answer after {PATIENCE_S} s: {self.tail()}")

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2_000:]

    def kill(self) -> None:
        """End it at once, as a crash would."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=10)
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
