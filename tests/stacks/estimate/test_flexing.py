"""Core and flex of plans: the load by hour, both prices, warm-up, and where data may not go."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aifactory.cli.work import Work, prepare
from aifactory.components.economics.figures import NotAFigure
from aifactory.components.economics.splitting import core_and_flex, core_with_starts
from aifactory.stacks.estimate.estimating import cases, estimate, together
from aifactory.stacks.estimate.flexing import ASK_HOURS, ASK_WARM_UP, load_of
from aifactory.stacks.estimate.gates import gated
from aifactory.stacks.estimate.model import SiteEstimate
from aifactory.stacks.estimate.renting import barrier
from aifactory.stacks.estimate.splits import CoreFlex
from support.edited import Edits, edited
from support.shipped import works

RATES = "{mean: {parameter: ask_mean}, peak: {parameter: ask_peak}}"
HOURS = (
    "[{parameter: ask_mean}, 2, 2, 2, 2, 2, 4, 8, 40, 90, 130, 150, {parameter: ask_peak}, 140, 150, 140, 120, 90, 50, "
    "20, 6, 3, 2, 1]"
)
BURST = "library/cloud-burst.yaml"
DAY: Edits = {
    BURST: [(RATES, HOURS), ("default: 18.0", "default: 180.0"), ("nodes: 3 ", "nodes: 20 "), ("40.0", "900.0")],
    "sites/sto-aws.yaml": [("on-demand, nodes: 6,", "on-demand, nodes: 40,")],
}
BUDGET = "budget: {usd_per_month: 900000.0}\n\nparts:\n"


def work(folder: Path, *more: tuple[str, str], edits: Edits = DAY, **others: Sequence[tuple[str, str]]) -> Work:
    """The shipped blueprint that bursts, with a day of hours and other edits."""
    changed = {**edits, BURST: [*edits.get(BURST, ()), *more]}
    for site, pairs in others.items():
        name = f"sites/{site.replace('_', '-')}.yaml"
        changed[name] = [*changed.get(name, ()), *pairs]
    return prepare(edited(folder, changed) / BURST)


def at_home(found: Work, warm_up_h: str | None = None) -> SiteEstimate:
    """The estimate of the owned site."""
    hours = None if warm_up_h is None else Decimal(warm_up_h)
    return estimate(found.plan, found.loaded, found.stacks, "2026-11-29", hours).sites[0]


def split(found: Work, warm_up_h: str | None = None) -> CoreFlex:
    """Core and flex of its one model."""
    (each,) = at_home(found, warm_up_h).core_flex
    return each


def test_mean_and_peak_alone_are_answered_with_a_question() -> None:
    found = split(works()["cloud-burst"], "0.25")
    assert found.says == ASK_HOURS
    assert found.core is found.flex_hours is None


def test_no_warm_up_is_made_up(tmp_path: Path) -> None:
    found = split(work(tmp_path))
    assert found.says == ASK_WARM_UP
    assert found.core is None
    assert found.rented is not None


def test_load_is_whole_replicas_by_hour_and_peaks_where_the_plan_s_own_count_does(tmp_path: Path) -> None:
    found = work(tmp_path)
    served = cases(found.plan, found.loaded, found.stacks)["fra-dc1"].served[0]
    load = load_of(served)
    assert len(load) == 24
    assert max(load) == load[12] == (served.plan.replicas - 1) * served.plan.layout.gpus  # one replica is to spare
    assert min(load) == served.plan.layout.gpus


def test_core_covers_the_quantile_of_both_prices(tmp_path: Path) -> None:
    found = split(work(tmp_path), "0")
    assert found.owned is not None
    assert found.rented is not None
    assert found.core is not None
    share = found.owned.expected / found.rented.usd_per_gpu_hour.expected
    above = sum(1 for each in found.load if each > found.core[1])
    least = max(each for each in found.load if each < found.core[1])
    assert above <= share * 24 < sum(1 for each in found.load if each > least)
    assert found.flex_hours == sum(max(Decimal(0), each - found.core[1]) for each in found.load)
    assert found.rented.site == "sto-aws"
    assert found.core[0] <= found.core[1] <= found.core[2]


def test_warm_up_makes_rented_hours_dearer_and_never_the_core_smaller(tmp_path: Path) -> None:
    found = work(tmp_path)
    cold, warm = split(found, "0"), split(found, "3")
    assert cold.core is not None
    assert warm.core is not None
    assert warm.core[1] >= cold.core[1]
    assert warm.rented_with_warm_up is not None
    assert cold.rented_with_warm_up is not None
    assert cold.rented is not None
    assert cold.rented_with_warm_up.expected == cold.rented.usd_per_gpu_hour.expected
    assert warm.rented_with_warm_up.expected >= cold.rented_with_warm_up.expected


@pytest.mark.parametrize(
    ("name", "site", "says"),
    [
        ("public", "sto-aws", ""),
        ("customer", "sto-aws", "customer data may not go to flex sites"),
        ("customer", "other", "customer data may not be run by US"),
        ("secret", "other", "secret data has no rules of residency"),
        (None, "sto-aws", "data of no stated class may not go to flex sites"),
        (None, "other", ""),
    ],
)
def test_data_goes_where_every_rule_lets_it(name: str | None, site: str, says: str) -> None:
    found = works()["cloud-burst"]
    here = cases(found.plan, found.loaded, found.stacks)
    there, blueprint = here["sto-aws"].site.location, here["fra-dc1"].here.blueprint
    assert barrier(name, site, there, blueprint, found.loaded.catalog) == says


def test_data_must_be_allowed_in_the_country_too() -> None:
    found = works()["cloud-burst"]
    here = cases(found.plan, found.loaded, found.stacks)
    there, blueprint = here["sto-aws"].site.location, here["fra-dc1"].here.blueprint
    abroad = there.model_copy(update={"country": "US"})
    says = barrier("customer", "other", abroad, blueprint, found.loaded.catalog)
    assert says == "customer data may not be in US"


def test_a_load_that_may_not_be_rented_for_is_owned_to_its_peak(tmp_path: Path) -> None:
    """Rules that change after the plan: the owned site's class is one that no flex site may have."""
    found = work(tmp_path)
    known = cases(found.plan, found.loaded, found.stacks)
    home = known["fra-dc1"]
    demand = home.here.blueprint.demand
    assert demand is not None
    bound = demand.model_copy(update={"models": [demand.models[0].model_copy(update={"data_class": "customer"})]})
    blueprint = home.here.blueprint.model_copy(update={"demand": bound})
    known["fra-dc1"] = replace(home, here=replace(home.here, blueprint=blueprint))
    site = together("demo", known, "2026-11-29", Decimal("0.25")).sites[0]
    (each,) = site.core_flex
    assert site.break_evens == ()
    assert each.rented is None
    assert each.core == (max(each.load),) * 3
    assert each.flex_hours == 0
    assert each.says == (
        "nothing may be rented for it, so all of it is owned (sto-aws: customer data may not go to flex sites)"
    )


def test_a_slower_gpu_is_dearer_by_what_it_does(tmp_path: Path) -> None:
    """An L40S for 2.78 an hour that does a fifth of an H200 is no bargain: each is counted by what it carries."""
    found = work(tmp_path)
    known = cases(found.plan, found.loaded, found.stacks)
    home, away = known["fra-dc1"].served[0], known["sto-aws"].served[0]
    assert home.planned_per_s / home.plan.layout.gpus > 3 * away.planned_per_s / away.plan.layout.gpus
    each = split(found, "0").rented
    assert each is not None
    assert each.what == "p5en.48xlarge on demand"


@pytest.mark.parametrize(
    ("budget", "rules"),
    [
        pytest.param(BUDGET, ["EST-015"], id="used less than would pay"),
        pytest.param(BUDGET.replace("0.0}", "0.0, owned_below_break_even: true}"), [], id="accepted"),
        pytest.param("parts:\n", [], id="no budget, nobody to hold"),
    ],
)
def test_a_pool_below_its_break_even_is_a_finding(tmp_path: Path, budget: str, rules: list[str]) -> None:
    found = work(tmp_path, ("parts:\n", budget), edits={})
    held = gated(estimate(found.plan, found.loaded, found.stacks, "2026-11-29"), found.loaded)
    problems = [each for each in held.problems if each.rule == "EST-015"]
    assert [each.rule for each in problems] == rules
    assert held.evaluated["EST-015"] == (1 if "budget" in budget and "owned" not in budget else 0)
    for each in problems:
        assert each.severity == "warning"
        assert each.at is not None
        assert each.path == ("parts", 0)
        assert each.says.startswith("pool core is used to 2 % at the worse end, and owning pays from 22 %: 1.87 USD")
        assert "at sto-aws (p5en.48xlarge on demand)" in each.says


def test_a_pool_that_is_used_enough_passes(tmp_path: Path) -> None:
    busy = [(RATES, "{mean: {parameter: ask_mean}, peak: {parameter: ask_peak}}"), ("default: 6.0", "default: 100.0")]
    found = work(tmp_path, *busy, ("default: 18.0", "default: 101.0"), ("parts:\n", BUDGET), edits={})
    held = gated(estimate(found.plan, found.loaded, found.stacks, "2026-11-29"), found.loaded)
    assert held.evaluated["EST-015"] == 1
    assert not [each for each in held.problems if each.rule == "EST-015"]


Load = st.lists(st.integers(0, 60).map(Decimal), min_size=1, max_size=24)
Price = st.decimals("0.01", "20", places=2)


@settings(deadline=None)
@given(Load, Price, Price)
def test_without_warm_up_both_ways_to_find_the_core_agree(load: list[Decimal], owned: Decimal, rented: Decimal) -> None:
    plain, started = core_and_flex(load, owned, rented), core_with_starts(load, owned, rented, Decimal(0))
    assert (plain.core, plain.flex_hours) == (started.core, started.flex_hours)
    assert abs(plain.cost_per_hour - started.cost_per_hour) < Decimal("1e-20")


@settings(deadline=None)
@given(Load, Price, Price, st.decimals("0", "5", places=2))
def test_no_core_is_cheaper_than_the_one_that_is_found(
    load: list[Decimal], owned: Decimal, rented: Decimal, warm_up_h: Decimal
) -> None:
    found = core_with_starts(load, owned, rented, warm_up_h)
    for core in range(62):
        over = [max(Decimal(0), each - core) for each in load]
        starts = sum(max(Decimal(0), now - over[index - 1]) for index, now in enumerate(over))
        cost = owned * core + rented * (sum(over) + warm_up_h * starts) / len(load)
        assert found.cost_per_hour <= cost + Decimal("1e-20")


@pytest.mark.parametrize(
    ("load", "owned", "rented", "warm_up_h"),
    [([], "1", "1", "0"), (["-1"], "1", "1", "0"), (["1"], "1", "0", "0"), (["1"], "1", "1", "-1")],
)
def test_what_is_no_load_or_price_is_refused(load: list[str], owned: str, rented: str, warm_up_h: str) -> None:
    with pytest.raises(NotAFigure):
        core_with_starts([Decimal(each) for each in load], Decimal(owned), Decimal(rented), Decimal(warm_up_h))
