"""The repository's own files, as the tests of `tests/repository` read them. Needs no git."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).parents[2]
"""The repository."""

ROOMS = ("blueprints", "cli", "components", "policies", "stacks")
"""The rooms; `.pkg/aifactory` links to each."""


class SourceTree(Struct, frozen=True, dict=True):
    """A tree with the shape of this repository: the repository itself, or a small one that a test makes."""

    root: Path = ROOT

    @cached_property
    def ignored(self) -> tuple[str, ...]:
        """Patterns of `.gitignore`, which has plain names only, and what is never shipped."""
        path = self.root / ".gitignore"
        lines = path.read_text(encoding="utf-8").split() if path.exists() else []
        return (".git", *(line.rstrip("/") for line in lines))

    def top(self) -> set[str]:
        """Names at the top that are part of the repository."""
        return {path.name for path in self.root.iterdir() if not self._is_ignored(path)}

    def files(self, *patterns: str) -> Iterator[Path]:
        """Files that match one of the patterns, by their path from the root; links are not followed."""
        for path in sorted(self._walk(self.root)):
            relative = path.relative_to(self.root).as_posix()
            if any(fnmatch(relative, pattern) for pattern in patterns):
                yield path

    def modules(self, *folders: str) -> "Iterator[Module]":
        """Python files below the folders."""
        for path in self.files(*(f"{folder}/*.py" for folder in folders)):
            yield Module(path.relative_to(self.root), ast.parse(path.read_bytes()))

    def parts(self) -> list[str]:
        """Folders below `components` that are parts: those with a specification."""
        return sorted(path.parent.name for path in self.root.glob("components/*/spec.py"))

    def _is_ignored(self, path: Path) -> bool:
        return any(fnmatch(path.name, pattern) for pattern in self.ignored)

    def _walk(self, folder: Path) -> Iterator[Path]:
        for path in folder.iterdir():
            if self._is_ignored(path) or path.is_symlink():
                continue
            if path.is_dir():
                yield from self._walk(path)
            else:
                yield path


class Import(Struct, frozen=True, dict=True):
    """One imported module, and the line that imports it."""

    module: str
    line: int
    level: int = 0
    """Dots before the module: 0 is an absolute import."""


class Module(Struct, frozen=True, dict=True):
    """A Python file with its syntax tree."""

    path: Path
    tree: ast.Module

    @property
    def room(self) -> str:
        """The room that the file is in."""
        return self.path.parts[0]

    @property
    def imports(self) -> Iterator[Import]:
        """Every import, also those inside functions. `from a import b` names `a.b`: it may be a module."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (Import(alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                yield from (Import(f"{base}.{one.name}", node.lineno, node.level) for one in node.names)
