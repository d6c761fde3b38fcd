"""The reference pages say what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.reference import pages

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def test_the_reference_pages_equal_the_code(request: pytest.FixtureRequest) -> None:
    made = pages()
    if request.config.getoption("--update-golden"):
        REFERENCE.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (REFERENCE / name).write_text(text, encoding="utf-8")
    assert {path.name for path in REFERENCE.glob("*.md")} == set(made)
    for name, text in made.items():
        assert (REFERENCE / name).read_text(encoding="utf-8") == text, f"{name}: run pytest with --update-golden"
