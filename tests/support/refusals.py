"""Tables of wrong values and of what is said about each, in `tests/data/refused/`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import yaml

_TABLES = Path(__file__).parents[1] / "data" / "refused"


class Row(NamedTuple):
    """One change of the written document, and what is said of it."""

    change: str
    to: str
    says: str
    hint: str


def rows(document: str) -> list[Row]:
    """The table of a kind of document."""
    text = (_TABLES / f"{document}.yaml").read_text(encoding="utf-8")
    return [Row(**entry) for entry in yaml.safe_load(text)]


def name(row: Row) -> str:
    """The row's name in a test's id: the field and the value."""
    return f"{row.says.partition(':')[0]}-{row.to.partition('«')[2][:24]}"
