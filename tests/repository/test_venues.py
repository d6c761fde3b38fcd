"""The same blueprint in a room and at AWS differs where docs/venues.md says, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.venue_page import REGION, ROOM, alone, decided_apart, differences, page, platform

PAGE = Path(__file__).parents[2] / "docs" / "venues.md"


def test_the_page_of_venues_equals_what_is_planned(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(), "run pytest with --update-golden, and read the difference"


def test_what_a_model_is_served_by_is_the_same_row_by_row() -> None:
    room, region = platform(ROOM), platform(REGION)
    assert [row for row in room.rows if row.part == "ask"]
    assert [row.id for row in (*alone(room, region), *alone(region, room)) if row.part == "ask"] == []
    apart = {(each.thing.partition("/")[0], each.path) for each in differences(room, region) if each.part == "ask"}
    assert apart == set()


def test_a_model_is_decided_alike_but_for_where_it_is() -> None:
    found = {path for path, *_ in decided_apart(platform(ROOM).plan, platform(REGION).plan)}
    assert {path for path in found if ".ask." in path or path.startswith("ask.")} == set()
