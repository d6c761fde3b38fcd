"""How problems look to a person: place, value, what is allowed, what to do. Only here are they rendered."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from aifactory.components.counting import counted
from aifactory.components.masking import MASK, is_private, masked_line
from aifactory.components.problems import Position, Problem, path_text

EXIT_REFUSED = 1
EXIT_FAILED = 3
_SHOWN = 200
_EXCERPT_COLUMNS = 100
_WIDEST = 120
_READ_CHARS = 2_000
"""How much of a line is looked at, each side of the caret."""


def refusal(problems: Sequence[Problem], root: Path | None = None, outcome: str = "Nothing was written.") -> int:
    """Print problems to stderr, a count and the outcome at the end. Returns the exit code of wrong input."""
    tell(problems, root)
    errors = sum(problem.severity == "error" for problem in problems)
    click.echo(click.style(f"{counted(errors, 'problem')}. {outcome}".rstrip(), bold=True), err=True)
    return EXIT_REFUSED


def tell(problems: Sequence[Problem], root: Path | None = None) -> None:
    """Print problems to stderr, errors first; what is too much to read is counted."""
    merged = _merged(sorted(problems, key=lambda problem: problem.severity == "warning"))
    sources, columns = _Sources(root), terminal_columns()
    for problem, sites in merged[:_SHOWN]:
        click.echo(_text(problem, sites, sources, columns), err=True)
    if len(merged) > _SHOWN:
        click.echo(f"… and {len(merged) - _SHOWN} more", err=True)


def rendered(problems: Iterable[Problem], root: Path | None = None, columns: int | None = None) -> Iterator[str]:
    """Each problem as text; the same problem at several sites is one text that names them.

    `root` is the folder of the source lines to show, None for none. Text is folded at `columns`.
    """
    sources = _Sources(root)
    return (_text(problem, sites, sources, columns) for problem, sites in _merged(problems))


def _merged(problems: Iterable[Problem]) -> list[tuple[Problem, list[str]]]:
    """Problems with the sites that have them."""
    merged: dict[tuple[object, ...], tuple[Problem, list[str]]] = {}
    for problem in problems:
        key = (problem.at, problem.path, problem.says, problem.hint, problem.rule, problem.commands)
        sites = merged.setdefault(key, (problem, []))[1]
        if problem.site and problem.site not in sites:
            sites.append(problem.site)
    return list(merged.values())


def failure(error: BaseException) -> int:
    """Print our own failure in one line, without a traceback. AIFACTORY_DEBUG=1 shows the traceback."""
    if os.environ.get("AIFACTORY_DEBUG") == "1":
        import traceback  # noqa: PLC0415 - only on this path

        traceback.print_exception(error, file=sys.stderr)
    kind = type(error).__name__
    click.echo(f"aifactory failed by a defect of its own ({kind}). Nothing can be said about the input.", err=True)
    if os.environ.get("AIFACTORY_DEBUG") != "1":
        click.echo("hint: run it again with AIFACTORY_DEBUG=1 and report what it prints", err=True)
    return EXIT_FAILED


def text_columns() -> int:
    """Width for text on stdout: that of the terminal, at most 120; 100 without one."""
    return min(shutil.get_terminal_size((100, 24)).columns, _WIDEST)


def terminal_columns() -> int | None:
    """Width of the terminal that stderr is, None when it is none: logs are searched line by line."""
    return text_columns() if sys.stderr.isatty() else None


def _text(problem: Problem, sites: list[str], sources: _Sources, columns: int | None) -> str:
    at = f"{problem.at.file}:{problem.at.line}:{problem.at.column}: " if problem.at else ""
    level = "" if problem.severity == "error" else "warning: "
    path = f"{path_text(problem.path)}: " if problem.path else ""
    rule = f" [{problem.rule}]" if problem.rule else ""
    where = f" (at {', '.join(sites)})" if sites else ""
    head = _folded(f"{at}{level}{path}{problem.says}{rule}{where}", columns)
    if head.startswith(f"{at}{level}"):
        marked = click.style(level, fg="yellow") if level else ""
        head = (click.style(at, bold=True) if at else "") + marked + head[len(at) + len(level) :]
    lines = [head, *sources.excerpt(problem, columns)]
    if problem.hint:
        lines.append(click.style("hint:", fg="cyan") + _folded(f"hint: {problem.hint}", columns)[5:])
    lines += [f"  {command}" for command in problem.commands]
    return "\n".join(lines)


def _folded(text: str, columns: int | None) -> str:
    if columns is None:
        return text
    return textwrap.fill(text, columns, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


class _Sources:
    """Lines of the files that problems are in, each file read once."""

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._lines: dict[str, list[str]] = {}

    def excerpt(self, problem: Problem, columns: int | None) -> list[str]:
        """The line at fault and a caret below it, without what may be a secret; empty when there is none."""
        line = self._line(problem.at)
        if problem.at is None or not line:
            return []
        index = problem.at.column - 1
        before = _plain(line[max(0, index - _READ_CHARS) : index])
        after = _plain(line[index : index + _READ_CHARS])
        whole = masked_line(before + after)
        if is_private(problem.path) and after:
            before, after = masked_line(before), MASK
        elif whole != before + after:
            before = masked_line(before) if whole.startswith(masked_line(before)) else before
            after = whole[len(before) :] if whole.startswith(before) else MASK
        return _marked(problem.at.line, before, after, (columns or _EXCERPT_COLUMNS + 8) - 8)

    def _line(self, at: Position | None) -> str:
        if self._root is None or at is None:
            return ""
        if at.file not in self._lines:
            try:
                content = (self._root / at.file).read_text(encoding="utf-8", errors="replace")
            except (OSError, ValueError):
                content = ""
            self._lines[at.file] = content.split("\n")
        lines = self._lines[at.file]
        return lines[at.line - 1].rstrip("\r") if 0 < at.line <= len(lines) else ""


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else " " if char == "\t" else "�" for char in text)


def _marked(number: int, before: str, after: str, columns: int) -> list[str]:
    """The line cut around the caret to a number of columns, and the caret."""
    if _columns(before) + _columns(after) > columns:
        room = max(columns // 2, columns - _columns(after) - 1)
        before = before if _columns(before) <= room else "…" + _beginning(before[::-1], room - 1)[::-1]
        room = columns - _columns(before)
        after = after if _columns(after) <= room else _beginning(after, room - 1) + "…"
    label = f"{number:5d} | "
    return [label + before + after, " " * (len(label) + _columns(before)) + "^"]


def _beginning(text: str, columns: int) -> str:
    """As much of a text as fits in a number of columns."""
    for index, char in enumerate(text):
        columns -= _columns(char)
        if columns < 0:
            return text[:index]
    return text


def _columns(text: str) -> int:
    """Columns that a terminal gives a text: two for wide characters, none for marks on the one before."""
    if text.isascii():
        return len(text)
    marks = sum(1 for char in text if unicodedata.combining(char))
    return len(text) - marks + sum(1 for char in text if unicodedata.east_asian_width(char) in "WF")
