"""The accuracy page says what the kernel reaches on the rows of the catalog, and nobody has touched the rows."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.catalog.rows import plain
from aifactory.components.sizing.accuracy import summary
from aifactory.components.values import canonical_json
from support.accuracy import CALIBRATION, MLPERF, classes, page
from support.published import POWER, TABLE, comparisons, walls
from support.worked import case, names

PAGE = Path(__file__).parents[2] / "docs" / "accuracy.md"

ROWS = {
    CALIBRATION: (53, "faedd30664c6a2c1"),
    MLPERF[0]: (72, "e9fd4f1d95c8f8fa"),
    MLPERF[1]: (6, "7b4e897f6a6ee0c2"),
    "throughput.mlperf_v5_1_open": (4, "15070ad0b386ddcf"),
    "throughput.mlperf_v6_0_press": (3, "3b0fbc087c030620"),
    "throughput.estimators": (4, "019a37c3fa589f81"),
    "throughput.same_332_rows": (2, "55a93e77cca11060"),
    "throughput.mlperf_9_points": (11, "89e0dd82cf38123a"),
    "throughput.derived_ratios": (4, "c07b5e2bef96af9e"),
}
"""Number and digest of the measured rows. Whoever removes or edits one must say so here, and why in a commit."""


def test_the_page_equals_what_the_kernel_reaches(request: pytest.FixtureRequest) -> None:
    made = page()
    if request.config.getoption("--update-golden"):
        PAGE.write_text(made, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == made, "run pytest with --update-golden"


def test_calibration_rows_have_a_median_error_of_a_fifth_and_nine_tenths_lie_within_twice() -> None:
    total = summary(classes()["InferenceX at 64 concurrent requests"][2])
    assert total.estimated == total.rows
    assert total.median_error <= 0.20
    assert total.within_twice >= 0.90


def test_of_independent_server_rows_seventeen_of_twenty_lie_within_twice() -> None:
    total = summary(classes()["MLPerf server"][2])
    assert total.within_twice >= 0.85
    assert total.estimated >= 25, "too few rows to prove anything"


def test_rows_that_cannot_be_estimated_say_which_figure_is_missing() -> None:
    silent = [each.row for _, _, rows in classes().values() for each in rows if each.estimated is None and not each.why]
    assert silent == []


@pytest.mark.parametrize("table", ROWS)
def test_no_measured_row_was_removed_or_edited(table: str) -> None:
    rows = [plain(row.data) for row in Catalog.shipped().rows(table)]
    digest = hashlib.sha256(canonical_json(rows).encode()).hexdigest()[:16]
    assert (len(rows), digest) == ROWS[table]


def test_every_table_of_measurements_is_pinned() -> None:
    assert {name for name in Catalog.shipped().tables() if name.partition(".")[0] == "throughput"} == set(ROWS)


def test_the_constants_of_the_speed_model_are_those_that_were_published() -> None:
    catalog = Catalog.shipped()
    published = catalog.row("throughput.estimators", "roofline v2 (recommended)").data
    used = catalog.row("roofline", "v2")
    assert {name: used.number(name) for name in published["parameters"]} == dict(published["parameters"])
    inside, outside = (catalog.row("roofline.evidence", f"band {name}") for name in ("inside", "outside"))
    assert (inside.number("factor"), inside.count("holds_percent")) == (1.5, published["within_1_5x_pct"])
    assert (outside.number("factor"), outside.count("holds_percent")) == (2.0, published["within_2x_pct"])
    assert "above_128_concurrent" in published
    assert catalog.row("roofline.evidence", "most concurrent sequences").count("value") == 128


def test_power_at_the_wall_is_what_somebody_worked_out_and_lies_in_its_band() -> None:
    found = list(walls())
    assert len(found) == 6
    got = {f"ratio_nameplate_{each.case}": each.ratio for each in found}
    got |= {f"inside_nameplate_band_{each.case}": Decimal(int(each.inside)) for each in found}
    assert case(POWER).differences(got) == []
    # The capped server is the low end itself, and draws 0.2 W more than its rounded share.
    assert all(each.inside for each in found)
    assert all(Decimal("0.95") <= each.ratio <= Decimal("1.25") for each in found)


def test_published_comparisons_are_what_somebody_worked_out_from_their_inputs() -> None:
    found = comparisons()
    assert sorted([*found, POWER]) == [name for name in names() if name.startswith("published-")]
    for name, got in found.items():
        assert got, name
        assert case(name).differences(got) == []


def test_every_difference_from_what_was_published_has_a_reason() -> None:
    for name, claim, published, ours, form in TABLE:
        got, said = comparisons()[name][ours], case(name).inputs[published]
        if format(got, form) != format(said, form):
            assert case(name).about["why"], claim
