"""Names that files of a generated folder may have: the same files on every disk and in every checkout."""

from __future__ import annotations

import re
from unicodedata import normalize

RESERVED = ".aifactory"
"""What the names of our own bookkeeping start with, at the top of the folder."""

_NAME_BYTES = 255
_NOT_PORTABLE = re.compile(r'[\x00-\x1f\x7f\\<>:"|?*\ud800-\udfff]')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|\Z)", re.IGNORECASE)


def unusable(path: str) -> str:
    """Why a relative path with `/` may not be written, checked or removed; empty if it may."""
    if not path:
        return "is empty"
    if path.startswith("/"):
        return "is absolute"
    if found := _NOT_PORTABLE.search(path):
        return f"has {found[0]!r}, which not every disk can hold"
    if path.split("/", 1)[0].lower().startswith(RESERVED):
        return f"starts with {RESERVED}, which names our own records"
    for name in path.split("/"):
        if why := _unusable_name(name):
            return why
    return ""


def _unusable_name(name: str) -> str:
    if name in ("", ".", ".."):
        return f'has "{name}" as a name between two slashes'
    if name[-1] in " .":
        return f'has "{name}", and Windows drops the last character of it'
    if _DEVICE.match(name):
        return f'has "{name}", which is a device on Windows'
    if len(name.encode()) > _NAME_BYTES:
        return f"has a name of more than {_NAME_BYTES} bytes"
    return ""


def folded(path: str) -> str:
    """The same text for two paths that are one file on a disk that ignores case or Unicode form."""
    return path.casefold() if path.isascii() else normalize("NFC", normalize("NFC", path).casefold())


class Names:
    """The paths of one run: each usable, and no two the same file or one of them a folder of the other."""

    def __init__(self) -> None:
        """No path yet."""
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def refuse(self, path: str) -> str:
        """Why `path` can't be added to the paths before it; empty if it was added."""
        if why := unusable(path):
            return why
        key = folded(path)
        if (other := self._files.get(key)) is not None:
            return "is there twice" if other == path else f'is the same file as "{other}" on many disks'
        if key in self._folders:
            return f'is a file, and "{self._folders[key]}" is a folder'
        return self._refuse_folders(path) or self._add(key, path)

    def _add(self, key: str, path: str) -> str:
        self._files[key] = path
        return ""

    def _refuse_folders(self, path: str) -> str:
        folder = path.rpartition("/")[0]
        while folder:
            key = folded(folder)
            known = self._folders.get(key)
            if known == folder:
                return ""
            if known is not None:
                return f'is in the same folder as "{known}" on many disks'
            if key in self._files:
                return f'is in a folder, and "{self._files[key]}" is a file'
            self._folders[key] = folder
            folder = folder.rpartition("/")[0]
        return ""
