"""What a run may make, kept beside the state until that is written: so that a killed run loses nothing.

With such a record the engine needs to write its state only once, at its end.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aifactory.stacks.program.claims import Resource
from aifactory.stacks.program.disk import disk_failures, mount_of
from aifactory.stacks.program.engine import EngineError
from aifactory.stacks.program.identity import PROJECT

SCHEMA = "aifactory-begun/v1"
_COPIES = 8
"""The engine writes a state beside the old one, a backup of that, and copies both into its history."""
_SPARE_BYTES = 1_000_000


class Begun:
    """The record of one stack whose state lies in `folder`."""

    def __init__(self, folder: Path, stack: str) -> None:
        self.path = folder / ".aifactory" / f"{stack}.begun.json"
        self._folder = folder
        self._stack = stack

    @property
    def exists(self) -> bool:
        """Whether a run of this stack was cut off before its state was written."""
        return self.path.is_file()

    def read(self) -> list[Resource]:
        """What that run may have made; nothing if none was cut off. Raises `EngineError` for a broken record."""
        return list(self._content().get("resources", ()))

    def let_go(self) -> list[Resource]:
        """What that run was allowed to lose, with the protection that it had before."""
        return list(self._content().get("let_go", ()))

    def _content(self) -> Mapping[str, Any]:
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            if content["schema"] != SCHEMA:
                raise ValueError(content["schema"])
        except FileNotFoundError:
            return {}
        except (KeyError, TypeError, ValueError) as error:
            raise EngineError(
                f"the record of the last run of stack {self._stack} can't be read: {self.path} ({error})",
                "use the version of aifactory that wrote it; is it broken, look at the cluster, then remove it",
            ) from None
        found: Mapping[str, Any] = content
        return found

    def write(self, claimed: Sequence[Resource], let_go: Sequence[Resource] = ()) -> None:
        """Keep this, also through a loss of power. Raises `EngineError` if the state won't find room either."""
        record = {"schema": SCHEMA, "stack": self._stack, "resources": claimed, "let_go": let_go}
        content = json.dumps(record).encode()
        self._check_room(len(content))
        new = self.path.with_suffix(".new")
        with disk_failures(self._folder, self._stack):
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
            self._keep_state()
            _sync(self.path.parent)

    def clear(self) -> None:
        """Forget it: the state is written, which is made sure of first, since the engine doesn't."""
        states = self._folder / ".pulumi" / "stacks" / PROJECT
        for state in states.glob(f"{self._stack}.json*"):
            _sync(state)
        if states.is_dir():
            _sync(states)
        self.path.unlink(missing_ok=True)
        for state in _states(self._folder, self._stack):
            self._kept(state).unlink(missing_ok=True)

    def mend(self) -> None:
        """Put the state back that the run started from, if the one in its place is cut off.

        A full disk does that (3.255.0): "failed to load checkpoint: unexpected end of JSON input".
        """
        for state in _states(self._folder, self._stack):
            kept = self._kept(state)
            if self.exists and kept.is_file() and not _is_whole(state):
                new = state.with_name(f"{state.name}.tmp")
                with disk_failures(self._folder, self._stack):
                    shutil.copyfile(kept, new)
                    _sync(new)
                    new.replace(state)
                state.with_name(f"{state.name}.attrs").unlink(missing_ok=True)

    def _keep_state(self) -> None:
        """Hold on to the state as it is. The engine renames a new one into its place, so a link is a copy."""
        for state in _states(self._folder, self._stack):
            kept = self._kept(state)
            if not _is_whole(state):
                continue
            kept.unlink(missing_ok=True)
            try:
                os.link(state, kept)
            except OSError:  # a file system without links
                shutil.copyfile(state, kept)

    def _kept(self, state: Path) -> Path:
        return self.path.with_name(f"{state.name}.before")

    def _check_room(self, claimed_bytes: int) -> None:
        state = self._folder / ".pulumi" / "stacks" / PROJECT / f"{self._stack}.json"
        state_bytes = state.stat().st_size if state.is_file() else 0
        needed = _COPIES * (state_bytes + 2 * claimed_bytes) + _SPARE_BYTES
        free = shutil.disk_usage(self._folder).free
        if free < needed:
            raise EngineError(
                f"the file system at {mount_of(self._folder)} has {free / 1e6:.1f} MB left, and the state of stack "
                f"{self._stack} may need {needed / 1e6:.1f} MB",
                "make room there, or change state.backend of the site; nothing was begun",
            )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _states(folder: Path, stack: str) -> list[Path]:
    """Where the engine may keep the state: plain or compressed, as PULUMI_DIY_BACKEND_ settings say."""
    home = folder / ".pulumi" / "stacks" / PROJECT
    return [home / f"{stack}.json{suffix}" for suffix in ("", ".gz")]


def _is_whole(state: Path) -> bool:
    try:
        content = state.read_bytes()
        json.loads(gzip.decompress(content) if state.suffix == ".gz" else content)
    except (OSError, ValueError, EOFError):
        return False
    return True
