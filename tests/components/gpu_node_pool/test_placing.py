"""Which nodes become a pool."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aifactory.components.given import NodeGroup
from aifactory.components.gpu_node_pool import placing
from aifactory.components.offers import RackShare
from support.planning import group


def racks(*sizes: tuple[str, str, int]) -> tuple[RackShare, ...]:
    return tuple(RackShare(rack, block, tuple(f"{rack}-{node}" for node in range(size))) for rack, block, size in sizes)


HALL = racks(("r1", "b1", 4), ("r2", "b1", 4), ("r3", "b2", 2), ("r4", "b2", 4), ("r5", "b3", 6))


@pytest.mark.parametrize(
    ("count", "within", "taken"),
    [
        (1, "site", {"r3": 1}),  # the tightest rack of the tightest block
        (2, "site", {"r3": 2}),
        (4, "site", {"r4": 4}),
        (6, "site", {"r3": 2, "r4": 4}),
        (7, "site", {"r1": 4, "r2": 3}),
        (8, "site", {"r1": 4, "r2": 4}),
        (10, "site", {"r1": 4, "r2": 4, "r3": 2}),
        (14, "site", {"r1": 4, "r2": 4, "r3": 2, "r4": 4}),
        (20, "site", {"r1": 4, "r2": 4, "r3": 2, "r4": 4, "r5": 6}),
        (5, "rack", {"r5": 5}),
        (4, "rack", {"r1": 4}),
        (8, "block", {"r1": 4, "r2": 4}),
    ],
)
def test_a_pool_takes_few_blocks_and_few_racks(count: int, within: Any, taken: dict[str, int]) -> None:
    found = placing.place(HALL, count, within)
    assert found is not None
    assert {rack.rack: len(rack.nodes) for rack in found.racks} == taken


@pytest.mark.parametrize(("count", "within"), [(21, "site"), (9, "block"), (7, "rack")])
def test_what_does_not_fit_together_is_not_placed(count: int, within: Any) -> None:
    assert placing.place(HALL, count, within) is None


def test_blocks_and_racks_that_were_passed_over_are_named() -> None:
    found = placing.place(HALL, 4, "site")
    assert found is not None
    assert found.passed_over == ("block b1", "rack r3", "block b3")


def test_a_rack_gives_what_it_powers_and_nobody_else_has() -> None:
    given_group = NodeGroup.model_validate(group(nodes=8))
    found = placing.free(given_group, {"hgx-h200-001"}, {"hgx-h200-r1": 2, "hgx-h200-r2": 0})
    assert [rack.nodes for rack in found] == [("hgx-h200-002", "hgx-h200-003")]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 6)), min_size=1, max_size=12), st.data())
def test_a_pool_has_as_many_nodes_as_asked_and_no_more_blocks_than_needed(
    sizes: list[tuple[str, int]], data: st.DataObject
) -> None:
    hall = racks(*((f"r{index}", block, size) for index, (block, size) in enumerate(sizes)))
    count = data.draw(st.integers(1, placing.size(hall)))
    found = placing.place(hall, count, "site")
    assert found is not None
    assert len(set(found.nodes)) == count
    by_block: dict[str, int] = {}
    for block, size in sizes:
        by_block[block] = by_block.get(block, 0) + size
    needed, left = 0, count
    for size in sorted(by_block.values(), reverse=True):
        if left > 0:
            needed, left = needed + 1, left - size
    assert len({rack.block for rack in found.racks}) == needed


def test_thousands_of_blocks_are_no_trouble() -> None:
    hall = racks(*((f"r{index}", f"b{index}", 4) for index in range(1024)))
    found = placing.place(hall, 4096, "site")
    assert found is not None
    assert len(found.nodes) == 4096
