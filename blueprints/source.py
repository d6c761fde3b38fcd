"""Reads one YAML file of a project into plain data with positions, or says all that is wrong with it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import yaml

from aifactory.blueprints.characters import HIDDEN, decode
from aifactory.blueprints.document import Document, Node, Positions
from aifactory.blueprints.events import events
from aifactory.blueprints.limits import DEFAULT, Limits
from aifactory.blueprints.shown import escaped, shown
from aifactory.blueprints.syntax import syntax_problem
from aifactory.blueprints.tree import TooMuchError, TreeBuilder
from aifactory.components.problems import Position, Problem, Refused, nearest

__all__ = ["Document", "Limits", "Node", "Positions", "parse", "read"]


def read(path: Path, root: Path, limits: Limits = DEFAULT) -> Document:
    """The document of one file inside a project, includes not followed.

    Raises `Refused` with all problems: a file that is missing, outside `root`, not regular or too large; text
    that is not UTF-8 or hides characters; what `parse` refuses.
    """
    real, file = locate(path, root)
    return parse(read_bytes(real, file, limits), file, limits)


def parse(content: bytes, file: str, limits: Limits = DEFAULT) -> Document:
    """The document in the bytes of a file, which `file` names in positions.

    YAML 1.2, core schema. Raises `Refused` for duplicate keys, keys that are not text, tags, merge keys,
    several documents, recursive aliases, ambiguous numbers, and whatever passes a limit.
    """
    text = decode(content, file, limits)
    builder = TreeBuilder(file, limits, has_escapes="\\" in text)
    problems = builder.problems
    try:
        builder.take_all(events(text))
    except TooMuchError:
        pass
    except yaml.YAMLError as error:
        problems.append(syntax_problem(error, text, file, builder.innermost))
    if problems:
        raise Refused(problems)
    if builder.root is None:
        raise Refused([Problem("the file is empty", hint="start with: aifactory: v1", at=Position(file, 1, 1))])
    return Document(builder.root, (file,), nodes=builder.nodes)


def locate(path: Path, root: Path, written: str = "") -> tuple[Path, str]:
    """The real path of a file, links followed, and its name relative to the project root.

    `written` is how the user named it, for messages. Raises `Refused` if it lies outside the root, whether
    or not it exists, and if there is no such file.
    """
    name = shown(written or os.fspath(path.relative_to(root) if path.is_relative_to(root) else path.name))
    try:
        real_root = Path(os.path.realpath(root))
        if not Path(os.path.realpath(path)).is_relative_to(real_root):
            raise Refused([Problem(f"{name} lies outside the project", hint=_OUTSIDE)])
        real = Path(os.path.realpath(path, strict=True))
    except FileNotFoundError:
        raise Refused([Problem(f"there is no file {name}", hint=_similar(path))]) from None
    except (OSError, ValueError) as error:
        raise Refused([_unreadable(name, error)]) from None
    file = real.relative_to(real_root).as_posix()
    if HIDDEN.search(file) or "\n" in file or "\t" in file:
        raise Refused([Problem(f"the name {shown(file)} hides characters", hint="rename the file")])
    return real, file


_OUTSIDE = "move it into the project, or mark the project's folder with aifactory.yaml"


def read_bytes(real: Path, file: str, limits: Limits) -> bytes:
    """The content of a regular file that is not too large; its size is checked before it is read."""
    # O_NONBLOCK: opening a named pipe must not wait. O_NOFOLLOW: links were followed by `locate` already.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY
    try:
        descriptor = os.open(real, flags)
        try:
            _refuse_irregular(os.fstat(descriptor), file, limits)
            content = _read_up_to(descriptor, limits.file_bytes + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Refused([_unreadable(escaped(file), error)]) from None
    if len(content) > limits.file_bytes:  # it grew, or is one of those that claim to be empty
        raise Refused([_too_large(len(content), file, limits)])
    return content


def _refuse_irregular(status: os.stat_result, file: str, limits: Limits) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise Refused([Problem(f"{escaped(file)} is a folder, not a file", hint="name a file in it")])
    if not stat.S_ISREG(status.st_mode):
        raise Refused([Problem(f"{escaped(file)} is not a regular file", hint="pipes and devices are not read")])
    if status.st_size > limits.file_bytes:
        raise Refused([_too_large(status.st_size, file, limits)])


def _read_up_to(descriptor: int, size: int) -> bytes:
    chunks: list[bytes] = []
    while size > 0 and (chunk := os.read(descriptor, min(size, 1 << 20))):
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)


def _too_large(size: int, file: str, limits: Limits) -> Problem:
    says = f"{escaped(file)} has {size} bytes or more; at most {limits.file_bytes} are read"
    return Problem(says, hint="split it into fragments, and include them")


def _unreadable(name: str, error: Exception) -> Problem:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "the name is not valid"
    return Problem(f"{name} cannot be read: {reason}", hint="check the name and its permissions")


def _similar(path: Path) -> str:
    try:
        names = [name for name in os.listdir(path.parent) if name.endswith((".yaml", ".yml", ".json"))]
    except (OSError, ValueError):
        return "its folder does not exist either"
    return nearest(path.name, [escaped(name) for name in names])
