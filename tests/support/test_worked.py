"""Hand-worked cases load by name, their arithmetic is right, and what they take from the catalog is what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest

from aifactory.components.catalog import Catalog
from support.worked import Case, Line, case, mistakes, names, read, worked
from support.worked_sums import CantWorkOut

LEAST_CASES = 30
"""Fewer would not touch every formula of 0045 at its ends."""

FROM_CATALOG = re.compile(r"catalog ([\w.-]+)/(.+): ([\w.-]+)(?:\[(\d+)\])?")

HEAD = """\
# case: one server
# shows: price over
# shows: months
# formulas: F1
# method: by hand
kind,name,formula,value,unit,source
"""
ROWS = """\
input,price,,395000,USD,stated
input,load_00,,3,GPUs,stated
input,load_01,,4.50,GPUs,stated
step,year_usd,=price / 5,79000,USD a year,
step,third,=price / 3,131666.66666667,USD,
result,month_usd,=year_usd / 12,6583.33,USD a month,
"""


def made(rows: str = ROWS) -> Case:
    return read("made", HEAD + rows)


def test_inputs_and_results_are_found_by_name() -> None:
    found = made()
    assert found.inputs == {"price": Decimal(395000), "load_00": Decimal(3), "load_01": Decimal("4.50")}
    assert found.results == {"month_usd": Decimal("6583.33")}
    assert found.series("load") == (Decimal(3), Decimal("4.50"))
    assert found.about["shows"] == "price over\nmonths"
    assert [line.at for line in found.lines] == list(range(7, 13))


def test_a_series_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="made has no inputs hours_00"):
        made().series("hours")


def test_what_somebody_else_found_is_compared_at_the_decimals_of_the_result() -> None:
    assert made().rounded("month_usd", Decimal("6583.325")) == Decimal("6583.33")
    assert made().differences({"month_usd": Decimal("6583.3333333333333333333333333333333")}) == []
    assert made().differences({"month_usd": Decimal("6583.34")}) == ["made: month_usd is 6583.33 by hand, got 6583.34"]


def test_a_result_that_the_case_lacks_is_no_agreement() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        made().differences({"year_usd": Decimal(79000)})


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("# shows: price over\n# shows: months\n", "", "the top does not say shows"),
        ("# method: by hand\n", "# method:\n", "the top does not say method"),
        ("kind,name", "name,kind", "made:6: the columns are not"),
        ("input,price", "given,price", 'made:7: "given" is not input, step or result'),
        ("input,price", "input,The price", 'made:7: "The price" is no name'),
        ("395000,USD", '"395,000",USD', 'made:7: "395,000" is not a plain number'),
        ("395000,USD", "NaN,USD", 'made:7: "NaN" is not a plain number'),
        ("395000,USD", "3.95e5,USD", 'made:7: "3.95e5" is not a plain number'),
        ("input,price,", "input,price,=1", "made:7: an input has no formula"),
        ("=year_usd / 12", "", "made:12: an input has no formula, everything else has one"),
        ("395000,USD,stated", "395000,USD,", "made:7: price says no unit, or not where it is from"),
        ("395000,USD,stated", "395000,,stated", "made:7: price says no unit"),
        ("79000,USD a year,", "79000,USD a year", "made:10: 5 cells, not 6"),
        ("load_00", "price", "two rows are called price"),
        ("result,month", "# a remark\nresult,month", "comments stand at the top only"),
    ],
)
def test_a_row_that_is_not_as_it_should_be_is_refused_with_its_line(old: str, new: str, says: str) -> None:
    assert old in HEAD + ROWS
    with pytest.raises(ValueError, match=re.escape(says)):
        read("made", (HEAD + ROWS).replace(old, new, 1))


def test_right_arithmetic_has_no_mistakes() -> None:
    assert list(mistakes(made())) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("6583.33", "6583.34", "made:12: month_usd is written 6583.34, but =year_usd / 12 is 6583.33"),
        ("79000", "79001", "made:10: year_usd is written 79001, but =price / 5 is 79000"),
        ("131666.66666667", "131666.67", "made:11: third does not end; write 8 decimals or more"),
    ],
)
def test_a_wrong_digit_is_found_with_its_line(old: str, new: str, found: str) -> None:
    assert list(mistakes(made(ROWS.replace(old, new)))) == [found]


def test_a_step_does_not_take_up_the_rounding_of_another() -> None:
    found = made(ROWS.replace("=year_usd / 12", "=third * 3 / 60"))
    assert worked(found)["month_usd"] == worked(found)["price"] / 60


def test_a_formula_that_uses_a_later_row_is_named() -> None:
    with pytest.raises(CantWorkOut, match="made:10: year_usd: no earlier row is called month_usd"):
        worked(made(ROWS.replace("=price / 5", "=month_usd * 12")))


def test_there_are_as_many_cases_as_were_asked_for() -> None:
    assert len([name for name in names() if not name.startswith("published-")]) >= LEAST_CASES


@pytest.mark.parametrize("name", names())
def test_the_arithmetic_of_every_row_is_right(name: str) -> None:
    assert list(mistakes(case(name))) == []


@pytest.mark.parametrize("name", names())
def test_every_input_of_a_case_matters(name: str) -> None:
    assert unused(case(name)) == []


def test_an_input_that_no_formula_names_is_found() -> None:
    assert unused(made(ROWS.replace("=price / 3", "=SUM(load)"))) == []
    assert unused(made()) == ["load_00", "load_01"]


def unused(found: Case) -> list[str]:
    """Inputs that no formula names and that are not counted: gone through one by one, a row or a term each."""
    named = {word for line in found.lines for word in re.findall(r"[a-z][a-z0-9_]*", line.formula)}
    counted = set(found.about.get("counted", "").split(", "))
    return [
        title for title in found.inputs if title not in named | counted and re.sub(r"_\d+$", "", title) not in named
    ]


@pytest.mark.parametrize("name", names())
def test_what_a_case_takes_from_the_catalog_is_what_the_catalog_says(name: str) -> None:
    assert list(outdated(Catalog.shipped(), case(name))) == []


def test_a_price_that_the_catalog_does_not_say_is_found() -> None:
    source = "catalog prices-aws/p5.48xlarge: on_demand.eu-north-1"
    rows = f"input,usd_per_hour,,58.89,USD an hour,{source}\nresult,day_usd,=usd_per_hour * 24,1413.36,USD,\n"
    assert list(outdated(Catalog.shipped(), made(rows))) == ["made:7: usd_per_hour is 58.89, the catalog says 58.8928"]


def outdated(catalog: Catalog, found: Case) -> Iterator[str]:
    """Inputs that are not what the catalog row they name says."""
    for line in found.lines:
        said = FROM_CATALOG.fullmatch(line.source)
        if said:
            value = in_catalog(catalog, *said.groups())
            if value != line.value:
                yield f"{found.name}:{line.at}: {line.name} is {line.value}, the catalog says {value}"
        elif line.source.startswith("catalog "):
            yield f"{found.name}:{line.at}: {line.source} is not catalog TABLE/KEY: FIELD"


def in_catalog(catalog: Catalog, table: str, key: str, field: str, index: str | None) -> Decimal:
    """The number of a catalog row."""
    value = catalog.row(table, key).value(field)
    if index is not None:
        assert isinstance(value, tuple)
        value = value[int(index)]
    return Decimal(str(value))


def test_a_line_knows_the_decimals_it_is_written_with() -> None:
    line = Line(1, "input", "rate", "", Decimal("0.070"), "share", "stated")
    assert line.decimals == 3
