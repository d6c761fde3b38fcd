"""Which hand-worked cases a test is bound to, so that none is left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.worked import case

CAPITAL = (
    "capital-high-end",
    "capital-low-end",
    "capital-no-interest",
    "capital-residual",
    "capital-residual-no-interest",
    "capital-seven-percent",
)
CORE = ("core-always-owned", "core-never-owned", "core-ties", "core-working-day")
"""Cases of one kind."""


def bound(*names: str) -> pytest.MarkDecorator:
    """The test is given each of these cases as `found`."""
    return pytest.mark.parametrize("found", [case(name) for name in names], ids=names)


def bound_in(path: Path) -> Iterator[str]:
    """Names of cases that tests of a file are bound to, as they stand there."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "bound":
                    yield from (ast.literal_eval(each) for each in mark.args if isinstance(each, ast.Constant))
                    yield from (each for star in mark.args if isinstance(star, ast.Starred) for each in _group(star))


def _group(star: ast.Starred) -> tuple[str, ...]:
    assert isinstance(star.value, ast.Name)
    return {"CAPITAL": CAPITAL, "CORE": CORE}[star.value.id]
