"""What is in an output folder at the places of our files: nothing, ours, or somebody else's."""

from __future__ import annotations

import enum
import os
import stat
from collections.abc import Set

from aifactory.stacks.render.output_names import folded
from aifactory.stacks.render.output_problems import Problems
from aifactory.stacks.render.output_record import Digests, digest

_MOVE = "move it away or delete it, then run again"
_UNWRITABLE = "make it writable, or choose another output folder"


class Place(enum.Enum):
    """What is at the place of a file."""

    FREE = enum.auto()
    SAME = enum.auto()
    OLD = enum.auto()  # our older contents
    TAKEN = enum.auto()  # by files of ours with other names, which go first
    REFUSED = enum.auto()  # by somebody else's, and the problem is noted


class Survey:
    """Looks at a folder and changes nothing. Every problem goes to `problems`."""

    def __init__(self, folder: str, own: Digests, handed_over: Set[str], problems: Problems) -> None:
        """`own`: the files of ours in the folder. `handed_over`: those that others may change."""
        self._folder = folder
        self._own = own
        self._handed_over = handed_over
        self._own_folded = {folded(path): path for path in own}
        self._problems = problems
        self._parents = {"": Place.SAME}
        self._writable: dict[str, bool] = {}
        self._folders_in_the_way: list[str] = []
        self._unneeded_folders: set[str] = set()

    def place(self, path: str, data: bytes, mode: int) -> Place:
        """What is where a file with these contents shall be. Raises OSError."""
        parent = path.rpartition("/")[0]
        place = self._parent(parent)
        if place is Place.SAME:
            place = self._entry(path, data, mode)
            if place is not Place.SAME and not self._may_write(parent):
                return Place.REFUSED
        return place

    def _parent(self, folder: str) -> Place:
        """SAME if `folder` is there, FREE if it can be made, TAKEN if a file of ours is there."""
        place = self._parents.get(folder)
        if place is None:
            outer = folder.rpartition("/")[0]
            place = self._parent(outer)
            if place is Place.SAME:
                place = self._folder_entry(folder)
                if place is Place.FREE and not self._may_write(outer):
                    place = Place.REFUSED
            self._parents[folder] = place
        return place

    def _folder_entry(self, folder: str) -> Place:
        try:
            there = os.lstat(f"{self._folder}/{folder}")
        except FileNotFoundError:
            return Place.FREE
        if stat.S_ISDIR(there.st_mode):
            return Place.SAME
        if stat.S_ISREG(there.st_mode) and folder in self._own:
            return Place.TAKEN
        what = "a symbolic link" if stat.S_ISLNK(there.st_mode) else "a file that is not ours"
        return self._refuse(folder, f"is {what}, and a folder is needed there", _MOVE)

    def _entry(self, path: str, data: bytes, mode: int) -> Place:
        full = f"{self._folder}/{path}"
        try:
            there = os.lstat(full)
        except FileNotFoundError:
            return Place.FREE
        if stat.S_ISDIR(there.st_mode):
            self._folders_in_the_way.append(path)
            return Place.TAKEN
        if not stat.S_ISREG(there.st_mode):
            return self._refuse(path, "is not a file, and a file of ours would take its place", _MOVE)
        if path not in self._own and self._is_ours_by_another_case(path, there):
            return Place.TAKEN
        if path in self._handed_over:
            return Place.SAME
        with open(full, "rb", buffering=0) as file:
            found = file.read()
        if found == data:
            return Place.SAME if (there.st_mode ^ mode) & stat.S_IXUSR == 0 else Place.OLD
        if self._is_ours(path, found):
            return Place.OLD
        if path in self._own:
            return self._refuse(path, "was edited since it was generated", _MOVE)
        return self._refuse(path, "is not ours, and a file of ours would overwrite it", _MOVE)

    def _is_ours(self, path: str, found: bytes) -> bool:
        """Contents that a run of ours gave the file; or none, as a power cut leaves them: nobody's edit."""
        digests = self._own.get(path)
        return digests is not None and (not found or digest(found) in digests)

    def _is_ours_by_another_case(self, path: str, there: os.stat_result) -> bool:
        other = self._own_folded.get(folded(path))
        if other is None:
            return False
        try:
            return os.path.samestat(there, os.lstat(f"{self._folder}/{other}"))
        except OSError:
            return False

    def stale(self, paths: Set[str]) -> list[str]:
        """Files of ours that are there and not in `paths`, sorted. Raises OSError."""
        gone = sorted(self._own.keys() - paths)
        stale = [path for path in gone if self._is_removable(path)]
        for path in gone:
            while path := os.path.dirname(path):
                self._unneeded_folders.add(path)
        ours = {*stale, *self._unneeded_folders}
        for path in self._folders_in_the_way:
            if self._holds_more_than(path, ours):
                self._refuse(path, "is a folder with other files than ours, and a file is needed there", _MOVE)
        return stale

    def unneeded_folders(self) -> list[str]:
        """Folders of files that are stale, or that an unfinished run was about to write; inner ones first."""
        there = (path for path in self._unneeded_folders if self._parent(path) is Place.SAME)
        return sorted(there, key=len, reverse=True)

    def _is_removable(self, path: str) -> bool:
        parent = path.rpartition("/")[0]
        if self._parent(parent) is not Place.SAME:
            return False
        full = f"{self._folder}/{path}"
        try:
            if not stat.S_ISREG(os.lstat(full).st_mode):
                return False  # not ours any more, so it stays
            with open(full, "rb", buffering=0) as file:
                found = file.read()
        except FileNotFoundError:
            return False
        if not self._is_ours(path, found):
            self._refuse(path, "was edited, and is no longer generated", _MOVE)
            return False
        return self._may_write(parent)

    def _holds_more_than(self, folder: str, ours: set[str]) -> bool:
        for path, folders, names in os.walk(f"{self._folder}/{folder}"):
            within = os.path.relpath(path, self._folder).replace(os.sep, "/")
            if any(f"{within}/{name}" not in ours for name in (*folders, *names)):
                return True
        return False

    def _may_write(self, folder: str) -> bool:
        may = self._writable.get(folder)
        if may is None:
            may = self._writable[folder] = os.access(f"{self._folder}/{folder}", os.W_OK | os.X_OK)
            if not may:
                self._refuse(folder, "is read-only", _UNWRITABLE)
        return may

    def _refuse(self, path: str, what: str, hint: str) -> Place:
        self._problems.add(f"{self._folder}/{path}".rstrip("/"), what, hint)
        return Place.REFUSED
