"""Contents that are written in full before any of them takes its place."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from aifactory.components.problems import Problem, Refused

STAGING = ".aifactory.new"
"""Folder of contents that are not in place yet. There only while a run is unfinished."""


class Staging:
    """A folder beside the final places, on the same disk, so that a rename moves a file at once."""

    def __init__(self, folder: str) -> None:
        """Remove what a killed run left. Raises Refused if something else has the name; OSError."""
        self._path = f"{folder}/{STAGING}"
        self._count = 0
        self._is_made = False
        try:
            there = os.lstat(self._path)
        except FileNotFoundError:
            return
        if not stat.S_ISDIR(there.st_mode):
            raise Refused([Problem(f"{self._path}: is not a folder of ours", hint="move it away")])
        self._is_made = True
        self.discard()

    def add(self, data: bytes, mode: int, *, flush: bool = False) -> str:
        """The path of a new file with `data`; on disk for good if `flush`. Raises OSError."""
        if not self._is_made:
            os.mkdir(self._path)
            self._is_made = True
        file = f"{self._path}/{self._count}"
        self._count += 1
        fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(fd, left) :]
            if flush:
                os.fsync(fd)
        finally:
            os.close(fd)
        return file

    def discard(self) -> None:
        """Remove the folder and what this or a killed run staged in it. Raises Refused, OSError."""
        if not self._is_made:
            return
        for name in os.listdir(self._path):
            if name.isdecimal():
                with suppress(FileNotFoundError):
                    os.unlink(f"{self._path}/{name}")
        try:
            os.rmdir(self._path)
        except OSError as error:
            if os.listdir(self._path):
                says = f"{self._path}: holds files that are not ours"
                raise Refused([Problem(says, hint="move them away")]) from error
            raise
        self._is_made = False
