"""Charts: the same bytes each time, whatever the user's style, and what each one shows."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from xml.etree import ElementTree as Xml

import matplotlib as mpl
import pytest
from msgspec.structs import replace

from aifactory.stacks.estimate.charts import charts
from aifactory.stacks.estimate.comparing import Asked, Comparison, compared
from aifactory.stacks.estimate.estimating import cases
from aifactory.stacks.estimate.splits import CoreFlex
from support.shipped import works


@cache
def comparison() -> Comparison:
    """The shipped blueprint that bursts, with a day of hours as if it had been planned for one."""
    work = works()["cloud-burst"]
    asked = Asked("2026-11-29", (1, 3, 5), (), Decimal("0.2"))
    found = compared(work.plan.factory, cases(work.plan, work.loaded, work.stacks), asked)
    load = tuple(Decimal(gpus) for gpus in (1, 1, 2, 4, 8, 6, 3, 1) * 3)
    split = CoreFlex(part="ask", model="m", pool="core", load=load, core=(Decimal(3), Decimal(4), Decimal(5)))
    home, *others = found.estimate.sites
    sites = (replace(home, core_flex=(split,)), *others)
    return replace(found, estimate=replace(found.estimate, sites=sites))


@cache
def drawn() -> dict[str, bytes]:
    """All charts, by the names of their files."""
    return dict(charts(comparison()))


def words(name: str) -> str:
    """All text of a chart."""
    root = Xml.fromstring(drawn()[name])
    return " ".join("".join(each.itertext()).strip() for each in root.iter("{http://www.w3.org/2000/svg}text"))


def test_each_chart_that_there_is_data_for_is_drawn() -> None:
    assert list(drawn()) == [
        "cost-over-time.svg",
        "cost-and-carbon.svg",
        "tornado-fra-dc1.svg",
        "load-fra-dc1-ask.svg",
        "tornado-sto-aws.svg",
    ]


def test_the_same_comparison_is_the_same_bytes_in_any_style() -> None:
    with mpl.rc_context({"font.size": 20.0, "axes.grid": True, "svg.hashsalt": "other"}):
        again = dict(charts(comparison()))
    assert again == drawn()
    assert not any(b"<dc:date>" in data for data in drawn().values())


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("cost-over-time.svg", ["cloud-burst: paid so far", "fra-dc1, owned", "sto-aws, on-demand", "million USD"]),
        ("cost-and-carbon.svg", ["cost against carbon, by site", "t CO2e a month", "fra-dc1, owned"]),
        ("tornado-fra-dc1.svg", ["utilisation_percent", "capex", "USD per million tokens"]),
        ("load-fra-dc1-ask.svg", ["ask: GPUs by hour of the day", "core", "flex"]),
    ],
)
def test_a_chart_says_what_it_shows(name: str, texts: list[str]) -> None:
    found = words(name)
    assert [text for text in texts if text not in found] == []
