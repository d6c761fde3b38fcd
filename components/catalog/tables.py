"""The catalog: tables of sourced facts, read when they are asked for.

A table is named by its file (`accelerators`) or by its file and section (`prices-aws.capacity_blocks`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from aifactory.components.catalog import cache
from aifactory.components.catalog.rows import Row, frozen, plain
from aifactory.components.problems import Position, Problem, Refused, nearest

SHIPPED = Path(__file__).parent
_SHOWN_SHIPPED = "aifactory/components/catalog"


class _Layer(Struct, frozen=True):
    file: str
    content: Mapping[str, Any]


class Catalog:
    """Facts that we ship, plus rows that private folders add. Never changes once made."""

    def __init__(self, private: Mapping[str, Sequence[_Layer]] | None = None) -> None:
        """`private` holds the layers that private folders add, by file stem."""
        self._private = private or {}
        self._rows: dict[tuple[str, str], Row] = {}

    @staticmethod
    @lru_cache(maxsize=1)
    def shipped() -> Catalog:
        """The catalog as shipped; the same object each time."""
        return Catalog()

    @classmethod
    def with_folders(cls, folders: Sequence[Path]) -> Catalog:
        """The shipped catalog and the rows of private folders.

        A folder holds files named and shaped as the shipped ones; their rows need source and date too, and
        none may take a key or alias that is taken. Raises Refused with every problem of every file.
        """
        problems: list[Problem] = []
        private: dict[str, list[_Layer]] = {}
        for folder in folders:
            for path in sorted(folder.glob("*.yaml")):
                layer = _private_layer(path, f"{folder.name}/{path.name}", problems)
                if layer is not None:
                    clashes = _clashes(layer, [_shipped(path.stem), *private.get(path.stem, [])])
                    problems += clashes
                    private.setdefault(path.stem, []).append(layer)
        if problems:
            raise Refused(problems)
        return cls(private) if private else cls.shipped()

    def tables(self) -> tuple[str, ...]:
        """Every table. Reads every file."""
        return tuple(sorted(table for stem in stems() for table in _shipped(stem).content["tables"]))

    def about(self, stem: str) -> Mapping[str, Any]:
        """The header of a shipped file: units, rules, sources, age limit."""
        about: Mapping[str, Any] = frozen(_shipped(stem).content["about"])
        return about

    def find(self, table: str, name: str) -> Row | None:
        """The row that a key or an alias names."""
        known = self._rows.get((table, name))
        if known is not None:
            return known
        for layer in self._layers(table):
            content = layer.content["tables"][table]
            key = content["aliases"].get(name, name)
            if key in content["rows"]:
                checked, sources = content["facts"][key]
                row = Row(table, key, frozen(content["rows"][key]), checked, tuple(sources))
                return self._rows.setdefault((table, name), row)
        return None

    def row(self, table: str, name: str) -> Row:
        """The row that a key or an alias names. Raises Refused with the nearest spelling."""
        found = self.find(table, name)
        if found is None:
            raise Refused([Problem(f'"{name}" is not in the catalog table {table}', hint=self.hint(table, name))])
        return found

    def rows(self, table: str) -> tuple[Row, ...]:
        """Every row of a table, in the order of the file."""
        return tuple(self.row(table, key) for key in self.keys(table))

    def keys(self, table: str) -> tuple[str, ...]:
        """The canonical names of the rows, in the order of the file."""
        return tuple(key for layer in self._layers(table) for key in layer.content["tables"][table]["rows"])

    def names(self, table: str) -> tuple[str, ...]:
        """Keys and aliases, sorted: everything that a blueprint may write."""
        aliases = (alias for layer in self._layers(table) for alias in layer.content["tables"][table]["aliases"])
        return tuple(sorted({*self.keys(table), *aliases}))

    def short_names(self, table: str) -> tuple[str, ...]:
        """One name a row: its first alias, else its key. For hints and lists."""
        first: dict[str, str] = {}
        for layer in self._layers(table):
            for alias, key in layer.content["tables"][table]["aliases"].items():
                first.setdefault(key, alias)
        return tuple(sorted(first.get(key, key) for key in self.keys(table)))

    def hint(self, table: str, name: str) -> str:
        """The nearest known spelling, and what else is known."""
        close = get_close_matches(name, self.names(table), n=1, cutoff=0.8)
        return nearest(name, {*self.short_names(table), *close})

    def digest(self, refs: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The rows that a plan used, as plain data by ref, sorted: what its digest covers."""
        used = sorted({tuple(ref.split("/", 1)) for ref in refs})
        return {f"{table}/{key}": plain(self.row(table, key).data) for table, key in used}

    def _layers(self, table: str) -> list[_Layer]:
        stem = table.partition(".")[0]
        shipped = _shipped(stem)
        if table not in shipped.content["tables"]:
            raise LookupError(f"no catalog table {table}")
        return [shipped, *self._private.get(stem, ())]


@lru_cache(maxsize=1)
def stems() -> tuple[str, ...]:
    """The names of the shipped files, without reading one."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml")))


@lru_cache(maxsize=64)
def _shipped(stem: str) -> _Layer:
    path, shown = SHIPPED / f"{stem}.yaml", f"{_SHOWN_SHIPPED}/{stem}.yaml"
    if stem not in stems():
        raise LookupError(f"no catalog file {stem}.yaml")
    text = path.read_bytes()
    entry = cache.entry(stem, text)
    content = cache.load(entry) if entry else None
    if content is None:
        content = _compile(stem, text, shown)
        if entry:
            cache.store(entry, content)
    return _Layer(shown, content)


def _compile(stem: str, text: bytes, shown: str, shape: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """The tables of a file. Raises Refused with every row that has no source, no date or a second owner."""
    from aifactory.components.catalog.compile import compiled  # noqa: PLC0415 - only when the cache has no entry
    from aifactory.components.catalog.source import ReadError, read  # noqa: PLC0415 - PyYAML costs 15 ms

    try:
        content, problems = compiled(stem, read(text), shape)
    except ReadError as error:
        raise Refused([Problem(str(error), at=Position(shown, max(error.line, 1), 1))]) from error
    if problems:
        raise Refused([replace(problem, at=Position(shown, 1, 1)) for problem in problems])
    return content


def _private_layer(path: Path, shown: str, problems: list[Problem]) -> _Layer | None:
    at = Position(shown, 1, 1)
    if path.stem not in stems():
        problems.append(Problem(f"{shown} is not a catalog file", hint=nearest(path.stem, stems()), at=at))
        return None
    if not path.is_file():
        problems.append(Problem(f"{shown} is not a file", at=at))
        return None
    try:
        shape = _shipped(path.stem).content["about"]
        return _Layer(shown, _compile(path.stem, path.read_bytes(), shown, shape))
    except Refused as refused:
        problems += refused.problems
    except OSError as error:
        problems.append(Problem(f"{shown} can't be read: {error.strerror}", at=at))
    return None


def _clashes(layer: _Layer, others: Sequence[_Layer]) -> list[Problem]:
    """Names of a private file that another file has. A fact is never replaced in silence."""
    problems = []
    for other in others:
        for table, content in layer.content["tables"].items():
            mine, taken = (_names(content), _names(other.content["tables"].get(table, {})))
            problems += [
                Problem(
                    f'"{name}" of {table} is in {layer.file} and in {other.file}',
                    hint="give the private row a key of its own",
                    at=Position(layer.file, 1, 1),
                )
                for name in sorted(mine & taken)
            ]
    return problems


def _names(content: Mapping[str, Any]) -> set[str]:
    return {*content.get("rows", ()), *content.get("aliases", ())}
