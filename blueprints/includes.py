"""Puts a document together from its file and the fragments it includes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from msgspec import Struct, field

from aifactory.blueprints.document import Document, Node
from aifactory.blueprints.limits import DEFAULT, Limits
from aifactory.blueprints.merge import merge
from aifactory.blueprints.shown import shown
from aifactory.blueprints.source import locate, parse, read_bytes
from aifactory.components.problems import Position, Problem, Refused

VERSION = "v1"
"""The language version that every file states under `aifactory`."""

SUFFIXES = (".yaml", ".yml", ".json")
_CHAIN_SHOWN = 6
_RELATIVE = "write the path relative to this file, such as fragments/queue.yaml"

_FORMS = (  # what an include must not look like: pattern, what it is
    (re.compile(r".*\\", re.DOTALL), "has a backslash"),
    (re.compile(r"//"), "is a network path"),
    (re.compile(r"/"), "is an absolute path"),
    (re.compile(r"~"), "starts with ~, which is not expanded"),
    (re.compile(r"[A-Za-z]:"), "starts with a drive letter"),
    (re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:"), "is a URL"),
    (re.compile(r".*/\.{0,2}$|\.{1,2}$", re.DOTALL), "is a folder"),
)


def compose(path: Path, root: Path, limits: Limits = DEFAULT) -> Document:
    """The document of a file and of all it includes, each value at the place it came from.

    Fragments come first, in the order they are included; see `merge` for how they join. The key `include`
    is gone from the result. Raises `Refused` with all problems of all files.
    """
    composition = _Composition(root, limits)
    tree = composition.take_root(path)
    if composition.problems or tree is None:
        raise Refused(composition.problems)
    return Document(tree, tuple(composition.chains), nodes=composition.nodes)


class _Composition(Struct, dict=True):
    root: Path
    limits: Limits
    problems: list[Problem] = field(default_factory=list)
    chains: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Each file taken, with the files that led to it and itself."""
    folded: dict[str, str] = field(default_factory=dict)
    nodes: int = 0
    content_bytes: int = 0

    def take_root(self, path: Path) -> Node | None:
        """The merged map of the first file, None if it cannot be read."""
        try:
            real, file = locate(path, self.root)
        except Refused as refused:
            self.problems.extend(refused.problems)
            return None
        return self._take(real, file, (file,))

    def _take(self, real: Path, file: str, chain: tuple[str, ...]) -> Node | None:
        self.chains[file] = chain
        self.folded[file.casefold()] = file
        try:
            content = read_bytes(real, file, self.limits)
            document = parse(content, file, self.limits)
        except Refused as refused:
            self.problems.extend(refused.problems)
            return None
        self.content_bytes += len(content)
        self.nodes += document.nodes
        tree = document.tree
        if not isinstance(tree.children, dict):
            self._refuse("the file is not a map", tree.at, f"start with: aifactory: {VERSION}")
            return None
        self._check_version(tree, tree.children)
        return self._merge_includes(tree, tree.children, real, chain)

    def _check_version(self, tree: Node, keys: dict[str, Node]) -> None:
        version = keys.get("aifactory")
        if version is None:
            says = "the file does not say which version of the language it is written in"
            self._refuse(says, Position(tree.file, 1, 1), f"add at the top: aifactory: {VERSION}")
        elif version.value != VERSION:
            says = f"aifactory: {shown(version.value)} is not a known version"
            self.problems.append(Problem(says, ("aifactory",), f"write aifactory: {VERSION}", version.at))

    def _merge_includes(self, tree: Node, keys: dict[str, Node], real: Path, chain: tuple[str, ...]) -> Node | None:
        dropped = {"include"} if len(chain) == 1 else {"include", "aifactory"}
        own = tree.like({key: node for key, node in keys.items() if key not in dropped})
        merged: Node | None = None
        for index, entry in self._entries(keys.get("include")):
            fragment = self._include(entry, index, real, chain)
            if fragment is not None:
                merged = fragment if merged is None else merge(merged, fragment, self.problems)
        return own if merged is None else tree.like(_map(merge(merged, own, self.problems)))

    def _entries(self, include: Node | None) -> Iterator[tuple[int, Node]]:
        if include is None:
            return
        if not isinstance(include.children, list):
            hint = "write a list: include: [fragments/queue.yaml]"
            self.problems.append(Problem("include is not a list", ("include",), hint, include.at))
            return
        yield from enumerate(include.children)

    def _include(self, entry: Node, index: int, real: Path, chain: tuple[str, ...]) -> Node | None:
        written = entry.value
        if not isinstance(written, str):
            self._refuse_include("is not a file name", entry, index, _RELATIVE)
            return None
        form = _form_problem(written)
        if form:
            self._refuse_include(form, entry, index, _RELATIVE)
            return None
        try:
            target, file = locate(real.parent / written, self.root, written)
        except Refused as refused:
            for problem in refused.problems:
                self.problems.append(Problem(problem.says, ("include", index), problem.hint, entry.at))
            return None
        barrier = self._barrier(file, chain)
        if barrier is not None:
            self._refuse_include(barrier[0], entry, index, barrier[1])
            return None
        return self._take(target, file, (*chain, file))

    def _barrier(self, file: str, chain: tuple[str, ...]) -> tuple[str, str] | None:
        """Why a file may not be included after this chain, and what to do; None if it may."""
        limits, way = self.limits, chain_text((*chain, file))
        if file in chain:
            return f"includes itself: {way}", "drop one of these includes"
        if file in self.chains:
            return f"is included twice: {chain_text(self.chains[file])}, and {way}", "include it in one place"
        twin = self.folded.get(file.casefold())
        if twin is not None:
            return (
                f"differs from {shown(twin)} only in case",
                "some file systems take both for one; rename it",
            )
        if len(chain) >= limits.include_depth:
            return (
                f"is one file too deep, at most {limits.include_depth} in a chain: {way}",
                "include it higher up",
            )
        if len(self.chains) >= limits.files:
            return f"is one file too many; at most {limits.files} are read", "join small fragments"
        if self.nodes > limits.nodes or self.content_bytes > limits.all_bytes:
            full = f"the files before it hold over {limits.nodes} values or {limits.all_bytes} bytes"
            return f"is not read: {full}", "split the blueprint"
        return None

    def _refuse_include(self, says: str, entry: Node, index: int, hint: str) -> None:
        text = f"{shown(entry.value)} {says}" if entry.children is None else f"this {says}"
        self.problems.append(Problem(text, ("include", index), hint, entry.at))

    def _refuse(self, says: str, at: Position, hint: str) -> None:
        self.problems.append(Problem(says, (), hint, at))


def _map(node: Node) -> dict[str, Node]:
    return node.children if isinstance(node.children, dict) else {}


def _form_problem(written: str) -> str:
    if not written.strip():
        return "is empty"
    for pattern, what in _FORMS:
        if pattern.match(written):
            return what
    if PurePosixPath(written).suffix not in SUFFIXES:
        return f"does not end in {', '.join(SUFFIXES)}"
    return ""


def chain_text(chain: tuple[str, ...]) -> str:
    """Files that include one another, the middle left out when there are many."""
    if len(chain) <= _CHAIN_SHOWN:
        return " → ".join(chain)
    left_out = len(chain) - _CHAIN_SHOWN + 1
    return " → ".join((*chain[:3], f"({left_out} more)", *chain[-2:]))
