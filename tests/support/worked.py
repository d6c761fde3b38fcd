"""Hand-worked cases of `tests/data/worked`: their inputs and results by name, and a check of their arithmetic.

`tests/data/worked/README.md` says how to read one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache

from msgspec import Struct

from support.source_tree import ROOT
from support.worked_sums import CantWorkOut, half_up, worked_out

FOLDER = ROOT / "tests" / "data" / "worked"
COLUMNS = ("kind", "name", "formula", "value", "unit", "source")
HEADERS = ("case", "shows", "formulas", "method")
"""What the `#` lines at the top must say."""

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
NAME = re.compile(r"[a-z][a-z0-9_]*")
LEAST_DECIMALS = 8
"""Of a step whose value does not end."""


class Line(Struct, frozen=True):
    """One row of a case."""

    at: int
    """Its line in the file."""
    kind: str
    """`input` is given, `step` is worked out, `result` is what the product must find."""
    name: str
    formula: str
    value: Decimal
    unit: str
    source: str

    @property
    def decimals(self) -> int:
        """Decimals that the value is written with."""
        return -int(self.value.as_tuple().exponent)


class Case(Struct, frozen=True, dict=True):
    """A case: what it is about and its rows."""

    name: str
    """The file's name without `.csv`."""
    about: Mapping[str, str]
    """The `#` lines at the top by their word; a word that stands twice has a line each."""
    lines: tuple[Line, ...]

    @cached_property
    def inputs(self) -> dict[str, Decimal]:
        """What is given, by name."""
        return {line.name: line.value for line in self.lines if line.kind == "input"}

    @cached_property
    def results(self) -> dict[str, Decimal]:
        """What must come out, by name, rounded half up to the decimals that are written."""
        return {line.name: line.value for line in self.lines if line.kind == "result"}

    def series(self, name: str) -> tuple[Decimal, ...]:
        """The inputs `name_00`, `name_01` and so on, in the order of the file."""
        found = tuple(value for key, value in self.inputs.items() if re.fullmatch(rf"{name}_\d+", key))
        if not found:
            raise KeyError(f"{self.name} has no inputs {name}_00 and so on")
        return found

    def rounded(self, name: str, got: Decimal) -> Decimal:
        """What somebody else found for a result, rounded half up to its decimals; to be compared with it."""
        [decimals] = [line.decimals for line in self.lines if line.kind == "result" and line.name == name]
        return _decimal(half_up(Fraction(got), decimals), decimals)

    def differences(self, got: Mapping[str, Decimal]) -> list[str]:
        """Results that are not what somebody else found, in words; empty if all that were given agree."""
        return [
            f"{self.name}: {name} is {self.results[name]} by hand, got {value}"
            for name, value in got.items()
            if self.rounded(name, value) != self.results[name]
        ]


def names() -> tuple[str, ...]:
    """Names of all cases."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.csv")))


@lru_cache(maxsize=128)
def case(name: str) -> Case:
    """The case of that name."""
    return read(name, (FOLDER / f"{name}.csv").read_text(encoding="utf-8"))


def read(name: str, text: str) -> Case:
    """A case from the text of its file. Raises ValueError with the line that is not as it should be."""
    rows = text.splitlines()
    head = [row for row in rows if row.startswith("#")]
    if rows[: len(head)] != head:
        raise ValueError(f"{name}: comments stand at the top only")
    about: dict[str, str] = {}
    for row in head:
        key, _, says = row.removeprefix("#").strip().partition(": ")
        about[key] = f"{about[key]}\n{says}" if key in about else says
    missing = [key for key in HEADERS if not about.get(key)]
    if missing:
        raise ValueError(f"{name}: the top does not say {', '.join(missing)}")
    table = csv.reader(io.StringIO("\n".join(rows[len(head) :])))
    if tuple(next(table)) != COLUMNS:
        raise ValueError(f"{name}:{len(head) + 1}: the columns are not {','.join(COLUMNS)}")
    lines = tuple(_line(name, len(head) + table.line_num, cells) for cells in table)
    twice = {line.name for line in lines if [each.name for each in lines].count(line.name) > 1}
    if twice:
        raise ValueError(f"{name}: two rows are called {', '.join(sorted(twice))}")
    return Case(name, about, lines)


def _line(name: str, at: int, cells: list[str]) -> Line:
    where = f"{name}:{at}"
    if len(cells) != len(COLUMNS):
        raise ValueError(f"{where}: {len(cells)} cells, not {len(COLUMNS)}")
    kind, title, formula, value, unit, source = cells
    if kind not in ("input", "step", "result"):
        raise ValueError(f'{where}: "{kind}" is not input, step or result')
    if not NAME.fullmatch(title):
        raise ValueError(f'{where}: "{title}" is no name of small letters, digits and _')
    if not NUMBER.fullmatch(value):
        raise ValueError(f'{where}: "{value}" is not a plain number')
    if (kind == "input") == bool(formula):
        raise ValueError(f"{where}: an input has no formula, everything else has one")
    if not unit or (kind == "input" and not source):
        raise ValueError(f"{where}: {title} says no unit, or not where it is from")
    return Line(at, kind, title, formula, Decimal(value), unit, source)


def worked(found: Case) -> dict[str, Fraction]:
    """Every row worked out from the inputs, exactly: no step takes up the rounding of another."""
    cells: dict[str, Fraction] = {}
    for line in found.lines:
        try:
            cells[line.name] = worked_out(line.formula, cells) if line.formula else Fraction(line.value)
        except CantWorkOut as error:
            raise CantWorkOut(f"{found.name}:{line.at}: {line.name}: {error}") from error
    return cells


def mistakes(found: Case) -> Iterator[str]:
    """Rows whose written value is not what their formula gives, and inexact steps with few decimals."""
    cells = worked(found)
    for line in found.lines:
        value = cells[line.name]
        where = f"{found.name}:{line.at}: {line.name}"
        right = half_up(value, max(line.decimals, 0))
        if right != Fraction(line.value):
            yield f"{where} is written {line.value}, but {line.formula} is {_decimal(right, max(line.decimals, 0))}"
        elif line.kind == "step" and value != Fraction(line.value) and line.decimals < LEAST_DECIMALS:
            yield f"{where} does not end; write {LEAST_DECIMALS} decimals or more"


def _decimal(value: Fraction, decimals: int) -> Decimal:
    """A fraction that ends after so many decimals."""
    scaled = int(value * 10**decimals)
    return Decimal((int(scaled < 0), tuple(map(int, str(abs(scaled)))), -decimals))
