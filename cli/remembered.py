"""What `plan` printed last, kept as long as nothing changed of all it was made from.

An answer is found by the question (project, blueprint, flags, form of the output, our own code) and given only
when every file it was read from still has the same content, every folder the same files, and every site would
still be read from the same place. A cache that cannot be read or written changes nothing but the time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from aifactory.blueprints.root import project_root, site_folders
from aifactory.components.catalog import cache

if TYPE_CHECKING:
    from aifactory.cli.work import Work

_ROOMS = ("blueprints", "components", "stacks", "cli")
_ENDINGS = (".py", ".yaml", ".json", ".j2")
_KEPT = 64
_LARGEST_BYTES = 4 << 20
_STARTED_NS = time.time_ns()


class _Screen(StringIO):
    """Takes what is printed, and says of itself what the real stream says."""

    def __init__(self, real: TextIO) -> None:
        super().__init__()
        self._terminal = real.isatty()

    def isatty(self) -> bool:
        """As the real stream: it decides about colour and width."""
        return self._terminal


class Screens:
    """Both streams of one call."""

    def __init__(self) -> None:
        self.out, self.err = _Screen(sys.stdout), _Screen(sys.stderr)

    @property
    def texts(self) -> tuple[str, str]:
        """What was printed to stdout and to stderr."""
        return self.out.getvalue(), self.err.getvalue()


class Question:
    """One call of a verb: what it was asked, and in which form it answers."""

    def __init__(self, blueprint: Path, asked: Mapping[str, Any]) -> None:
        self.blueprint = Path(os.path.realpath(blueprint))
        self.root = project_root(blueprint)
        form = [
            sys.stdout.isatty(),
            sys.stderr.isatty(),
            os.environ.get("NO_COLOR"),
            shutil.get_terminal_size((100, 24)),
        ]
        text = json.dumps([str(self.blueprint), str(self.root), str(blueprint), asked, form, _code(), sys.version])
        place = cache.folder()
        digest = hashlib.sha256(text.encode()).hexdigest()[:40]
        self.entry = place.parent / "answers" / f"{digest}.json" if place else None

    def answer(self) -> tuple[str, str] | None:
        """What went to stdout and to stderr, if nothing has changed since."""
        kept = cache.load(self.entry) if self.entry else None
        if not isinstance(kept, dict) or not self._holds(kept):
            return None
        return str(kept["out"]), str(kept["err"])

    @contextmanager
    def screens(self) -> Iterator[Screens]:
        """Takes what is printed meanwhile, colour and all."""
        screens = Screens()
        with redirect_stdout(screens.out), redirect_stderr(screens.err):
            yield screens

    def remember(self, work: Work, out: str, err: str) -> None:
        """Keep an answer. Not when a file changed so lately that it may have changed while it was read."""
        if self.entry is None or len(out) + len(err) > _LARGEST_BYTES:
            return
        with contextlib.suppress(OSError):
            files = {str(path): _digest(path) for path in _files(work)}
            if all(os.stat(path).st_mtime_ns < _STARTED_NS for path in files):
                folders = {str(path): _listed(path) for path in _fact_folders(work)}
                sites = {
                    name: str(work.loaded.root / here.document.files[0]) for name, here in work.loaded.sites.items()
                }
                kept = {"files": files, "folders": folders, "sites": sites, "sites_in": work.loaded.sites_folder}
                cache.store(
                    self.entry, {**kept, "project": (self.root / "aifactory.yaml").is_file(), "out": out, "err": err}
                )
                _prune(self.entry.parent)

    def _holds(self, kept: Mapping[str, Any]) -> bool:
        try:
            return (
                all(_digest(Path(path)) == digest for path, digest in kept["files"].items())
                and all(_listed(Path(path)) == names for path, names in kept["folders"].items())
                and kept["project"] == (self.root / "aifactory.yaml").is_file()
                and all(self._site(name, kept["sites_in"]) == path for name, path in kept["sites"].items())
            )
        except (OSError, KeyError):
            return False

    def _site(self, name: str, sites: str) -> str:
        """The file that a site would be read from now."""
        candidates = (folder / f"{name}.yaml" for folder in site_folders(self.blueprint, self.root, sites))
        return next((str(path) for path in candidates if path.is_file()), "")


def _files(work: Work) -> Iterator[Path]:
    loaded = work.loaded
    names = {
        name
        for document in [loaded.document, *(here.document for here in loaded.sites.values())]
        for name in document.files
    }
    yield from (loaded.root / name for name in sorted(names))
    if (loaded.root / "aifactory.yaml").is_file():
        yield loaded.root / "aifactory.yaml"
    for folder in _fact_folders(work):
        yield from (folder / name for name in _listed(folder))


def _fact_folders(work: Work) -> Sequence[Path]:
    return [work.loaded.root / name for name in work.loaded.fact_folders]


def _listed(folder: Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if name.endswith(".yaml"))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _code() -> str:
    """Our own files by size and time: another version, or an edit, asks another question."""
    found = hashlib.sha256()
    package = Path(__file__).resolve().parent.parent
    for room in _ROOMS:
        pending = [os.path.join(package, room)]
        while pending:
            with os.scandir(pending.pop()) as entries:
                for each in sorted(entries, key=lambda entry: entry.name):
                    if each.is_dir():
                        pending.append(each.path)
                    elif each.name.endswith(_ENDINGS):
                        status = each.stat()
                        found.update(f"{each.path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()


def _prune(folder: Path) -> None:
    """Keep the newest answers."""
    entries = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in entries[_KEPT:]:
        path.unlink(missing_ok=True)
