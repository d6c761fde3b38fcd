"""Writes a generated folder so that nothing in it is ever half written or lost.

Order of one run: new contents are staged inside the folder (same disk); a record of what is about to change
is written; new files are renamed into place; files no longer generated are removed; changed files are renamed
over the old ones; the manifest is renamed last. A failure before the first removal or replacement undoes
everything; after that the next run finishes, because the record says which contents are ours.

What reaches the disk when: for every process each file is whole or absent at every moment, because a rename
is atomic. Against a power cut only the record, the manifest and the folder are flushed (one fsync for each
file would cost minutes for 10,000). A file that a power cut emptied is written anew by the next run; one that
it damaged differs from the manifest and is reported like an edited one.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import cast

from msgspec import Struct

from aifactory.components.problems import Problem, Refused
from aifactory.stacks.render.output_lock import locked, refuse_unfit
from aifactory.stacks.render.output_names import Names
from aifactory.stacks.render.output_problems import NEXT_RUN_FINISHES, NOTHING_CHANGED, Problems, told
from aifactory.stacks.render.output_record import (
    MANIFEST,
    PENDING,
    Digests,
    digest,
    manifest_text,
    own_files,
    pending_text,
)
from aifactory.stacks.render.output_staging import Staging
from aifactory.stacks.render.output_survey import Place, Survey

_MODE = 0o644
_MODE_EXECUTABLE = 0o755
_RENAME = "rename what it is named after"
_NONE: frozenset[str] = frozenset()


Files = Mapping[str, bytes] | Iterable[tuple[str, bytes]]
"""Contents by path, or pairs of both. Pairs may be lazy."""


class Written(Struct, frozen=True):
    """What a run did, as sorted paths relative to the folder. `written` has new and changed files."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


def write(
    folder: Path,
    files: Files,
    *,
    executable: Collection[str] = (),
    forbidden: Collection[Path] = (),
    handed_over: Collection[str] = (),
) -> Written:
    """Make `folder` hold `files` (paths with `/`, relative to it), and no other file of earlier runs.

    Foreign files stay. `files` may be lazy: contents are not kept. Files get mode 0644, those in `executable`
    0755, less the umask. `forbidden` are the sources: `folder` may not be one or hold one. Files `handed_over`
    are written once, and then belong to others: they stay as they are. The same input twice changes nothing, not
    even a time.

    Raises Refused, with the folder as it was: a folder that is a link, a file, read-only, or busy for
    seconds; a path that is no portable name; a file of ours that was edited since, or a foreign one in its
    place; a full disk. If the disk fails later, when files were already replaced, Refused says so and the
    next run finishes.
    """
    (written,) = write_all(
        {folder: files}, executable=executable, forbidden=forbidden, handed_over=handed_over
    ).values()
    return written


def write_all(
    folders: Mapping[Path, Files],
    *,
    executable: Collection[str] = (),
    forbidden: Collection[Path] = (),
    handed_over: Collection[str] = (),
) -> dict[Path, Written]:
    """Do what `write` does for several folders, all of them looked at and staged before the first is changed.

    Raises Refused, with all of them as they were, for anything that `write` refuses in one of them. If a disk
    fails after the first was changed, Refused says so and the next run finishes.
    """
    for folder in folders:
        refuse_unfit(folder, forbidden)
    with ExitStack() as held:
        runs = {}
        for folder in sorted(folders):  # two runs that lock in one order never wait for each other
            held.enter_context(locked(folder))
            runs[folder] = held.enter_context(_Run(os.fspath(folder), frozenset(executable), frozenset(handed_over)))
        for folder, files in folders.items():
            pairs = cast("Mapping[str, bytes]", files).items() if isinstance(files, Mapping) else files
            for path, data in pairs:
                runs[folder].take(path, data)
        stale = _checked(runs)
        return {folder: runs[folder].finish(stale[folder]) for folder in folders}


def _checked(runs: Mapping[Path, _Run]) -> dict[Path, list[str]]:
    """What each run will remove. Raises Refused with the problems of all of them."""
    stale: dict[Path, list[str]] = {}
    problems: list[Problem] = []
    for folder, run in runs.items():
        try:
            stale[folder] = run.check()
        except Refused as refused:
            problems += refused.problems
    if problems:
        raise Refused(problems)
    return stale


class _Run:
    """One run: stages what changes, then puts all of it in place."""

    def __init__(self, folder: str, executable: frozenset[str], handed_over: frozenset[str]) -> None:
        self._folder = folder
        self._executable = executable
        with told(folder, NOTHING_CHANGED):
            known, pending = own_files(Path(folder))
            self._staging = Staging(folder)
        self._follows_unfinished = pending is not None
        self._pending = pending or {}
        own = {path: known.get(path, _NONE) | digests for path, digests in self._pending.items()}
        self._names = Names()
        self._problems = Problems()
        self._survey = Survey(folder, {**known, **own}, handed_over, self._problems)
        self._digests: dict[str, str] = {}
        self._staged: dict[Place, dict[str, str]] = {Place.FREE: {}, Place.TAKEN: {}, Place.OLD: {}}
        self._undo: list[tuple[str, bool]] = []  # path, and whether it is a folder
        self._made: set[str] = set()
        self._has_begun = False

    def __enter__(self) -> _Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            return
        if not self._has_begun:
            with suppress(OSError):
                self._put_back()
        with suppress(Exception):
            self._staging.discard()

    def take(self, path: str, data: bytes) -> None:
        """Stage one file, unless it is there as it shall be, or the run is refused anyway."""
        if why := self._names.refuse(path):
            self._problems.add(repr(path), f"this path {why}", _RENAME)
            return
        self._digests[path] = digest(data)
        mode = _MODE_EXECUTABLE if path in self._executable else _MODE
        with told(self._folder, NOTHING_CHANGED):
            place = self._survey.place(path, data, mode)
            if place in self._staged and not self._problems:
                self._staged[place][path] = self._staging.add(data, mode)

    def check(self) -> list[str]:
        """Files that are no longer generated. Raises Refused, with everything as it was, for a problem."""
        with told(self._folder, NOTHING_CHANGED):
            stale = self._survey.stale(self._digests.keys())
        self._problems.refuse()
        return stale

    def finish(self, stale: list[str]) -> Written:
        """Put everything in place. Raises Refused, with everything as it was, if the disk does."""
        with told(self._folder, NOTHING_CHANGED):
            manifest = manifest_text(self._digests)
            if any(self._staged.values()) or stale or self._follows_unfinished or not self._has_manifest(manifest):
                self._commit(stale, manifest)
        changed = {path for files in self._staged.values() for path in files}
        return Written(tuple(sorted(changed)), tuple(sorted(self._digests.keys() - changed)), tuple(stale))

    def _has_manifest(self, text: bytes) -> bool:
        try:
            return Path(self._folder, MANIFEST).read_bytes() == text
        except FileNotFoundError:
            return False

    def _commit(self, stale: list[str], manifest: bytes) -> None:
        record = self._staging.add(pending_text(self._becoming()), _MODE, flush=True)
        staged_manifest = self._staging.add(manifest, _MODE, flush=True)
        os.replace(record, self._full(PENDING))
        for path, staged in sorted(self._staged[Place.FREE].items()):
            self._add(path, staged)
        self._has_begun = True
        with told(self._folder, NEXT_RUN_FINISHES):
            self._remove(stale)
            for path, staged in sorted(self._staged[Place.TAKEN].items()):
                os.makedirs(os.path.dirname(self._full(path)), exist_ok=True)
                os.replace(staged, self._full(path))
            for path, staged in sorted(self._staged[Place.OLD].items()):
                os.replace(staged, self._full(path))
            os.replace(staged_manifest, self._full(MANIFEST))
            self._flush_folder()
            os.unlink(self._full(PENDING))
            self._staging.discard()

    def _becoming(self) -> Digests:
        """Every content that may stand at a place of ours, from now until the manifest is new."""
        changed = (path for files in self._staged.values() for path in files)
        return self._pending | {path: self._pending.get(path, _NONE) | {self._digests[path]} for path in changed}

    def _add(self, path: str, staged: str) -> None:
        """Put a new file in place, and its folders, so that it can be undone."""
        self._make(os.path.dirname(path))
        self._undo.append((self._full(path), False))
        os.replace(staged, self._full(path))

    def _make(self, folder: str) -> None:
        if folder in self._made:
            return
        self._made.add(folder)
        if not os.path.isdir(self._full(folder)):
            self._make(os.path.dirname(folder))
            self._undo.append((self._full(folder), True))
            os.mkdir(self._full(folder))

    def _remove(self, stale: list[str]) -> None:
        """Remove files, then the folders that no file of ours needs any more, if they are empty."""
        for path in stale:
            os.unlink(self._full(path))
        for folder in self._survey.unneeded_folders():
            with suppress(OSError):  # not empty
                os.rmdir(self._full(folder))

    def _put_back(self) -> None:
        """Remove what this run added, newest first; then the record, if there was none before."""
        for path, is_folder in reversed(self._undo):
            with suppress(FileNotFoundError):
                (os.rmdir if is_folder else os.unlink)(path)
        if not self._follows_unfinished:
            with suppress(FileNotFoundError):
                os.unlink(self._full(PENDING))

    def _flush_folder(self) -> None:
        fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def _full(self, path: str) -> str:
        return f"{self._folder}/{path}"
