"""The other side of `check --base`: the same project as it is at a commit, or in another folder.

A commit is read with git's plumbing, file by file as it was committed: `git archive` would leave out what
`.gitattributes` says, and run filters. What was read lies in a temporary folder that is gone afterwards, also when
the run is interrupted.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from types import FrameType

from aifactory.blueprints.includes import SUFFIXES
from aifactory.blueprints.limits import DEFAULT
from aifactory.blueprints.root import MARKERS, project_root
from aifactory.blueprints.shown import shown
from aifactory.components.problems import Problem, Refused

MOST_BYTES = 256 * 1024 * 1024
"""Most that is read of a commit: many times the files of any factory."""
SHORT = 12
"""Digits of a commit's id that are shown."""
_ID = re.compile(r"[0-9a-f]{40,64}")
_ASK_S = 120
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")
"""Variables that git sets for its hooks: they would name another repository than that of the blueprint."""


@dataclass(frozen=True, slots=True)
class BasePlace:
    """Where the other side lies."""

    name: str
    """As the command line gave it."""
    commit: str
    """Full id of the commit, empty for a folder."""
    blueprint: Path | None
    """None: the blueprint doesn't exist there."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of a commit that is read."""

    path: str
    blob: str
    link: bool


@contextmanager
def base_place(blueprint: Path, given: str) -> Iterator[BasePlace]:
    """The same blueprint at `given`, for as long as the body runs: a folder that holds a copy of the project, or what
    git knows a commit by.

    Raises `Refused` when there is no such side.
    """
    root = project_root(blueprint)
    file = (Path(os.path.realpath(os.path.abspath(blueprint.parent))) / blueprint.name).relative_to(root)
    if os.path.isdir(given):
        yield BasePlace(given, "", _in_folder(Path(given), file))
        return
    commit = _commit(root, given)
    with _removed_by_signals(), TemporaryDirectory(prefix="aifactory-base-") as made:
        folder = Path(os.path.realpath(made))
        _export(root, commit, folder, file.as_posix())
        if not any((folder / marker).is_file() for marker in MARKERS):
            # The project ends here, whatever lies above the folder of temporary files.
            (folder / MARKERS[0]).write_text("aifactory: v1\n", encoding="utf-8")
        found = folder / file
        yield BasePlace(given, commit, found if os.path.lexists(found) else None)


def _in_folder(folder: Path, file: Path) -> Path | None:
    found = folder / file
    if os.path.lexists(found):
        return found
    if any((folder / marker).is_file() for marker in MARKERS):
        return None
    says = f"the folder {shown(str(folder))} holds no {shown(file.as_posix())}, and no project"
    raise Refused([_problem(says, f"name a copy of the project's folder; a branch is refs/heads/{folder.name}")])


def _commit(root: Path, given: str) -> str:
    """The commit that a name stands for."""
    inside = _git(root, "rev-parse", "--is-inside-work-tree")
    if inside.returncode or inside.stdout.strip() != b"true":
        said = inside.stderr.decode(errors="replace").strip().splitlines()
        if said and "not a git repository" not in said[0]:
            raise Refused([_problem("git can't read the repository of the blueprint", f"git says: {said[0]}")])
        says = f"{shown(given)} is no folder, and the project of the blueprint lies in no git repository"
        raise Refused([_problem(says, "name a folder that holds a copy of the project")])
    # A name that begins with a dash would be an option of git; no branch or tag may.
    wrong = given.startswith("-") or "\0" in given
    known = None if wrong else _git(root, "rev-parse", "--verify", "--quiet", f"{given}^{{commit}}")
    if known is None or known.returncode:
        # An id as a whole looks like a secret, and would be masked.
        name = given[:SHORT] if _ID.fullmatch(given) else given
        says = f"{shown(name)} is no folder, and no commit, branch or tag that this repository has"
        raise Refused([_problem(says, _how_to_get(root, given))])
    return known.stdout.decode().strip()


def _how_to_get(root: Path, given: str) -> str:
    shallow = _git(root, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    if shallow:
        return "this clone is shallow: git fetch --unshallow, or fetch-depth: 0 of actions/checkout"
    if "/" not in given:
        return f"git fetch origin, then origin/{given}; git branch --all lists what is there"
    return "git fetch gets branches of others; git branch --all lists what is there"


def _export(root: Path, commit: str, folder: Path, blueprint: str) -> None:
    """Write what a project is read from. Nothing, where the project's folder isn't in the commit."""
    prefix = os.fsdecode(_git(root, "rev-parse", "--show-prefix").stdout).removesuffix("\n").rstrip("/")
    tree = _git(root, "rev-parse", "--verify", "--quiet", f"{commit}:{prefix}")
    if tree.returncode:
        return
    listed = _checked(root, "ls-tree", "-r", "-z", "-l", "--full-tree", tree.stdout.decode().strip())
    entries = list(_entries(listed, blueprint))
    contents = _checked(root, "cat-file", "--batch", stdin="".join(f"{each.blob}\n" for each in entries).encode())
    offset, links = 0, []
    for each in entries:
        end = contents.index(b"\n", offset)
        if contents[offset:end].endswith(b" missing"):
            raise Refused([_problem("this clone lacks files of the base", "git fetch --refetch gets them")])
        size = int(contents[offset:end].split()[2])
        content = contents[end + 1 : end + 1 + size]
        offset = end + 1 + size + 1
        path = folder / each.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if each.link:
            links.append((path, content))
        else:
            path.write_bytes(content)
    for path, content in links:  # last, so that no file is written through one
        if not os.path.lexists(path):
            os.symlink(os.fsdecode(content), path)


def _entries(listed: bytes, blueprint: str) -> Iterator[_Entry]:
    """Files that a project may be read from, and links. Raises `Refused` for what no tree of git should hold."""
    read = 0
    for record in listed.split(b"\0"):
        about, _, raw = record.partition(b"\t")
        if not raw:
            continue
        mode, kind, blob, size = about.decode().split()
        path = os.fsdecode(raw)
        link = mode == "120000"
        if kind != "blob" or not (link or path == blueprint or PurePosixPath(path).suffix in SUFFIXES):
            continue
        if path.startswith("/") or {"..", ".", "", ".git"} & set(path.split("/")):
            raise Refused([_problem(f"the commit holds a file called {shown(path)}", "git fsck shows what is broken")])
        if int(size) > DEFAULT.file_bytes:
            continue
        read += int(size)
        if read > MOST_BYTES:
            says = f"the project holds more than {MOST_BYTES >> 20} MiB of YAML and JSON at that commit"
            raise Refused([_problem(says, "mark a smaller folder as the project, with aifactory.yaml")])
        yield _Entry(path, blob, link)


def _checked(root: Path, *words: str, stdin: bytes = b"") -> bytes:
    ran = _git(root, *words, stdin=stdin)
    if ran.returncode:
        said = (ran.stderr.decode(errors="replace").strip().splitlines() or ["nothing"])[0]
        raise Refused([_problem("git can't read what the base holds", f"git says: {said}")])
    return ran.stdout


def _git(root: Path, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run git where the project lies. It asks nobody anything."""
    git = shutil.which("git")
    if git is None:
        raise Refused([_problem("there is no git on PATH", "install it, or name a folder with a copy of the project")])
    kept = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    env = {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    words = ("-C", str(root), *words)
    try:
        return subprocess.run([git, *words], input=stdin, capture_output=True, env=env, timeout=_ASK_S, check=False)  # noqa: S603 - git, with words of ours
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused([_problem(f"git doesn't answer ({type(error).__name__})", "run it again")]) from None


@contextmanager
def _removed_by_signals() -> Iterator[None]:
    """Signals that would end us at once end us as an exit does, so that what is temporary goes first."""

    def leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of handlers
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield  # a thread can't set handlers, and gets no signals
        return
    before = {number: signal.signal(number, leave) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _problem(says: str, hint: str) -> Problem:
    return Problem(f"--base: {says}", hint=hint)
