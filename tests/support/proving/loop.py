"""Does the part of something that runs in a cluster, in a thread, until it is left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Self

from support.proving.api import Refused


class Loop:
    """Takes its steps over and over. Use it as a context."""

    def __init__(self, pause_s: float) -> None:
        """`pause_s` lies between two rounds."""
        self.failed: Refused | None = None
        """What it could not do."""
        self._pause_s = pause_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def steps(self) -> Iterator[Callable[[], None]]:
        """The steps of a round. One that fails doesn't keep the others from being taken."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._over.set()
        self._thread.join(timeout=30)
        assert self.failed is None, self.failed

    def _run(self) -> None:
        while not self._over.wait(self._pause_s):
            for step in self.steps():
                self._try(step)

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except OSError:
            return  # the server is being restarted
        except Refused as refused:
            # 404, 409: an object or a kind has just gone, or changed. From 500 on: the server isn't ready yet.
            if refused.code not in (404, 409) and refused.code < HTTPStatus.INTERNAL_SERVER_ERROR:
                self.failed = self.failed or refused
