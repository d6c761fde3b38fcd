"""How problems look to a person: place, value, what is allowed, what to do. The only place that renders them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from aifactory.components.problems import Problem, path_text

EXIT_REFUSED = 1
EXIT_FAILED = 3
_SHOWN = 50


def refusal(problems: Sequence[Problem], root: Path | None = None) -> int:
    """Print problems to stderr, a count at the end. Returns the exit code of wrong input."""
    for text in rendered(problems[:_SHOWN], root):
        click.echo(text, err=True)
    if len(problems) > _SHOWN:
        click.echo(f"… and {len(problems) - _SHOWN} more", err=True)
    errors = sum(problem.severity == "error" for problem in problems)
    click.echo(click.style(f"{counted(errors, 'problem')}. Nothing was written.", bold=True), err=True)
    return EXIT_REFUSED


def rendered(problems: Iterable[Problem], root: Path | None = None) -> Iterable[str]:
    """Each problem as text; the same problem at several sites is one text that names them."""
    merged: dict[tuple[object, ...], tuple[Problem, list[str]]] = {}
    for problem in problems:
        key = (problem.at, problem.path, problem.says, problem.hint, problem.rule)
        merged.setdefault(key, (problem, []))[1].append(problem.site)
    lines: dict[str, list[str]] = {}
    for problem, sites in merged.values():
        yield _text(problem, [site for site in sites if site], root, lines)


def counted(count: int, noun: str) -> str:
    """`1 problem`, `2 problems`."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def failure(error: Exception) -> int:
    """Print our own failure in one line, without a traceback. AIFACTORY_DEBUG=1 shows the traceback."""
    if os.environ.get("AIFACTORY_DEBUG") == "1":
        import traceback  # noqa: PLC0415 - only on this path

        traceback.print_exception(error, file=sys.stderr)
    kind = type(error).__name__
    click.echo(
        f"aifactory failed by a defect of its own ({kind}). Nothing can be said about the input.", err=True
    )
    click.echo("hint: run it again with AIFACTORY_DEBUG=1 and report what it prints", err=True)
    return EXIT_FAILED


def _text(problem: Problem, sites: list[str], root: Path | None, lines: dict[str, list[str]]) -> str:
    at = f"{problem.at.file}:{problem.at.line}:{problem.at.column}: " if problem.at else ""
    path = f"{path_text(problem.path)}: " if problem.path else ""
    rule = f" [{problem.rule}]" if problem.rule else ""
    where = f" (at {', '.join(sites)})" if sites else ""
    color = "red" if problem.severity == "error" else "yellow"
    level = click.style("" if problem.severity == "error" else "warning: ", fg=color)
    text = click.style(at, bold=True) + level + path + problem.says + rule + where
    excerpt = _excerpt(problem, root, lines)
    hint = f"\n{click.style('hint:', fg='cyan')} {problem.hint}" if problem.hint else ""
    return text + excerpt + hint


def _excerpt(problem: Problem, root: Path | None, lines: dict[str, list[str]]) -> str:
    if root is None or problem.at is None:
        return ""
    if problem.at.file not in lines:
        try:
            content = (root / problem.at.file).read_text(encoding="utf-8", errors="replace")
        except OSError:
            content = ""
        lines[problem.at.file] = content.splitlines()
    source = lines[problem.at.file]
    if not 0 < problem.at.line <= len(source):
        return ""
    line = "".join(char if char.isprintable() else "�" for char in source[problem.at.line - 1])
    start = max(0, problem.at.column - 60)
    number = f"{problem.at.line:5d} | "
    caret = " " * (len(number) + problem.at.column - 1 - start) + "^"
    return f"\n{number}{line[start : start + 100]}\n{caret}"
