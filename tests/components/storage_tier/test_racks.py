"""What racks of unequal size leave, worked out by hand."""

import pytest

from aifactory.components.storage_tier import racks


@pytest.mark.parametrize(
    ("sizes", "width", "by_hand"),
    [
        # Racks of one size fill evenly, however many of them an object takes.
        ([2.0, 2.0, 2.0, 2.0], 3, 8.0),
        ([1.0] * 20, 11, 20.0),
        # As many racks as copies: each takes one of each object. The smallest, 2, is full at 2 x 3 = 6 of 8.
        ([4.0, 2.0, 2.0], 3, 6.0),
        # 4, 2, 2, 2 with three copies. The large one is left out with 6/10 x 4/8 x 2/6 = 0.1, so it takes 0.9 of each
        # copy, the others (3 - 0.9) / 3 = 0.7. It would be full at 4 / 0.9 = 4.44 copies, they at 2 / 0.7 = 2.857:
        # 3 x 2.857 = 8.571 of 10.
        ([4.0, 2.0, 2.0, 2.0], 3, 8.5714),
        # 3, 1, 1 with two copies. The large one is left out with 2/5 x 1/4 = 0.1: 0.9, the others 0.55 each. 3 / 0.9 =
        # 3.33 and 1 / 0.55 = 1.818: 2 x 1.818 = 3.636 of 5.
        ([3.0, 1.0, 1.0], 2, 3.6364),
        # One copy goes where room is: by weight.
        ([3.0, 1.0], 1, 4.0),
        # Fewer racks than copies hold nothing.
        ([5.0, 5.0], 3, 0.0),
    ],
)
def test_racks_are_full_when_the_first_is(sizes: list[float], width: int, by_hand: float) -> None:
    assert racks.fillable_tib(sizes, width) == pytest.approx(by_hand, rel=1e-4)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_order_of_racks_changes_nothing_and_no_rack_holds_more_than_it_has(width: int) -> None:
    sizes = [4.0, 1.0, 3.0, 1.0, 2.0]
    held = racks.fillable_tib(sizes, width)
    assert held == racks.fillable_tib(sorted(sizes), width)
    assert width * min(sizes) <= held <= sum(sizes) + 1e-9


@pytest.mark.parametrize(
    ("sizes", "width", "fill", "by_hand"),
    [
        # Four even racks 60 percent full, one lost: 4 x 60 / 3 = 80.
        ([2.0, 2.0, 2.0, 2.0], 3, 60, 80.0),
        # 4, 2, 2, 2 at 60: 8.571 x 0.6 = 5.143 stored. Without the large one 2, 2, 2 fill to 6: 85.7. Without a small
        # one 4, 2, 2 fill to 6, too.
        ([4.0, 2.0, 2.0, 2.0], 3, 60, 85.714),
        # No rack to spare.
        ([2.0, 2.0, 2.0], 3, 60, float("inf")),
    ],
)
def test_the_rest_takes_what_a_lost_rack_held(sizes: list[float], width: int, fill: int, by_hand: float) -> None:
    assert racks.fill_after_loss(sizes, width, fill) == pytest.approx(by_hand, rel=1e-4)
