"""What moves the answer: ranges that are known, numbers only where it is asked, the widest first."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from aifactory.stacks.estimate.altering import altered
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.estimating import cases, of_site
from aifactory.stacks.estimate.tornado import Swing, tornado
from support.shipped import works


def shipped(site: str) -> Case:
    """A site of the shipped blueprint that runs in two regions and a hall."""
    work = works()["public-inference"]
    return cases(work.plan, work.loaded, work.stacks)[site]


def by_key(case: Case, swing: str | None = None) -> dict[str, Swing]:
    """What moves, by its key."""
    found, _ = tornado([case], None if swing is None else Decimal(swing))
    return {each.key: each for each in found}


def test_an_input_of_one_number_is_named_and_not_moved() -> None:
    found, still = tornado([shipped("fra-dc1")], None)
    assert {each.key for each in found} == {"speed"}
    # Demand is one number: what doubt there is in use is that of speed.
    assert {"utilisation_percent", "usd_per_kwh", "pue", "capex", "life_years", "cost_of_capital_percent"} <= {
        each.key for each in still
    }


def test_a_swing_moves_every_input_and_says_that_nobody_stated_it() -> None:
    found, still = tornado([shipped("fra-dc1")], Decimal("0.2"))
    assert still == ()
    moved = {each.key: each for each in found}
    assert not moved["usd_per_kwh"].stated
    assert moved["speed"].stated
    assert (moved["usd_per_kwh"].range.low, moved["usd_per_kwh"].range.high) == (Decimal("0.152"), Decimal("0.228"))
    assert moved["pue"].range.low == 1  # no hall takes less than its machines


def test_each_end_is_that_of_the_estimate_with_this_input_alone() -> None:
    case = shipped("fra-dc1")
    each = by_key(case, "0.2")["capex"]
    for value, usd in ((each.range.low, each.low_usd), (each.range.high, each.high_usd)):
        assert of_site(altered(case, "capex", value)).cost.figure.expected == usd
    assert each.low_usd < each.base_usd < each.high_usd


def test_the_widest_stands_first() -> None:
    found, _ = tornado([shipped("fra-dc1")], Decimal("0.2"))
    assert [each.width for each in found] == sorted((each.width for each in found), reverse=True)
    assert found[0].key == "utilisation_percent"  # it divides all costs
    assert found[-1].width < found[1].width / 10


def test_a_range_of_a_site_without_a_stated_life_is_that_of_the_catalog() -> None:
    case = shipped("fra-dc1")
    costs = case.site.costs
    assert costs is not None
    site = case.site.model_copy(update={"costs": costs.model_copy(update={"life_years": None})})
    life = by_key(replace(case, here=replace(case.here, site=site)))["life_years"]
    assert life.stated
    assert life.range.low < 5 < life.range.high
    assert life.low_usd > life.high_usd


def test_rent_moves_by_the_price_of_the_instance() -> None:
    each = by_key(shipped("sto-aws"), "0.1")["p5en.48xlarge"]
    fixed = of_site(shipped("sto-aws")).cost.figure.expected
    assert each.base_usd == fixed
    assert Decimal("0.08") < (each.high_usd - fixed) / fixed <= Decimal("0.1")
