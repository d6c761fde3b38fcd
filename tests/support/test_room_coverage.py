"""The bars of line coverage by room."""

from typing import Any

import pytest

from support.room_coverage import BAR_PERCENT, by_room, report


def file(statements: int, missing: int) -> dict[str, Any]:
    """A file as coverage's JSON report has it."""
    return {
        "summary": {"num_statements": statements, "missing_lines": missing},
        "missing_lines": [*range(1, missing + 1)],
    }


FULL = {f"{room}/a.py": file(100, 0) for room in BAR_PERCENT}


def test_lines_are_summed_by_room() -> None:
    rooms = by_room({"stacks/a.py": file(60, 3), "stacks/deep/b.py": file(40, 1), "tests/c.py": file(9, 9)})
    assert (rooms["stacks"].all, rooms["stacks"].missed, rooms["stacks"].percent) == (100, 4, 96)


def test_rooms_at_their_bar_pass() -> None:
    assert report(FULL | {"stacks/a.py": file(100, 5)}) == 0


def test_a_room_below_its_bar_fails_and_names_its_worst_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(FULL | {"stacks/a.py": file(100, 6)}) == 1
    assert (
        "stacks      94.00 % of   100 lines, below 95\n  stacks/a.py: 6 lines, the first is 1"
        in capsys.readouterr().out
    )


def test_a_room_that_was_not_measured_fails() -> None:
    assert report({path: one for path, one in FULL.items() if not path.startswith("components")}) == 1
