"""The flat program that a base is measured against registers what the base does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aifactory.stacks.program.adapter import register_stack
from benchmarks.bases import base_set, flat_base
from support.recorder import Recorded, record


def sent(recorded: Recorded) -> list[tuple[str, dict[str, Any]]]:
    """Each resource of AWS by type and inputs, in any order."""
    found = [(one.type, one.inputs) for one in recorded.resources.values() if one.type.startswith("aws:")]
    return sorted(found, key=str)


def test_both_send_the_same_as_often_as_gives_the_number_of_rows() -> None:
    rows = base_set(140)
    assert len(rows.rows) == len({row.id for row in rows.rows}) == 2 * len(base_set(1).rows)

    def program() -> None:
        register_stack(rows, Path("/project"))

    assert sent(record(flat_base(rows))) == sent(record(program))
