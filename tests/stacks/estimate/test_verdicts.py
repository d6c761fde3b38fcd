"""When a side is called cheaper: whole ranges apart, a quote, the same work, and nothing missing."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import pytest
from msgspec.structs import replace

from aifactory.components.economics.figures import Figure, just
from aifactory.stacks.estimate.comparing import Asked, Comparison, compared
from aifactory.stacks.estimate.estimating import cases
from aifactory.stacks.estimate.model import Lack
from aifactory.stacks.estimate.options import Option
from aifactory.stacks.estimate.verdicts import IN_ALL, PER_MILLION, Verdict, verdicts
from support.shipped import works

SHAPE = ("llama-3.1-8b", 900, 220)
OTHER = ("llama-3.1-8b", 900, 221)


@cache
def shipped(blueprint: str = "public-inference") -> Comparison:
    """A shipped blueprint, compared."""
    work = works()[blueprint]
    return compared(work.plan.factory, cases(work.plan, work.loaded, work.stacks), Asked("2026-11-29", (5,)))


def options(own: Figure, rent: Figure, **changes: object) -> tuple[Option, Option]:
    """An owned and a rented option with these net present costs, and the owned one with other fields."""
    owned, rented = shipped().options[:2]
    mine, theirs = (replace(one.spans[0], present=each) for one, each in ((owned, own), (rented, rent)))
    return replace(owned, spans=(mine,), example=False, **changes), replace(rented, spans=(theirs,), example=False)


def one(*found: Option) -> Verdict:
    """The verdict of two options."""
    (verdict,) = verdicts(found, {})
    return verdict


def figure(low: int, high: int) -> Figure:
    """A range."""
    return Figure(Decimal(low), Decimal(low), Decimal(high))


@pytest.mark.parametrize(
    ("own", "rent", "cheaper"),
    [
        ((10, 19), (20, 30), "owned"),
        ((31, 40), (20, 30), "rented"),
        ((10, 20), (20, 30), ""),
        ((10, 40), (20, 30), ""),
        ((25, 26), (20, 30), ""),
    ],
)
def test_a_side_is_cheaper_when_its_dearest_end_is_below_the_other_s_cheapest(
    own: tuple[int, int], rent: tuple[int, int], cheaper: str
) -> None:
    found = one(*options(figure(*own), figure(*rent)))
    assert found.cheaper == cheaper
    assert found.says.startswith("undecided: ") is not bool(cheaper)


def test_without_a_quote_nothing_is_called_cheaper_however_far_apart() -> None:
    found = one(*options(figure(1, 2), figure(1_000, 2_000), quoted=False))
    assert found.cheaper == ""
    assert found.says == "undecided: machines of fra-dc1 have no quote"


def test_what_is_missing_leaves_it_undecided() -> None:
    owned, rented = options(figure(1, 2), figure(1_000, 2_000))
    cost = replace(rented.estimate.cost, lacks=(Lack("no price of a thing", "add it"),))
    found = one(owned, replace(rented, estimate=replace(rented.estimate, cost=cost)))
    assert (found.cheaper, found.says) == ("", "undecided: figures of sto-aws are missing")


def test_a_site_that_does_not_say_what_money_costs_is_not_judged() -> None:
    owned, rented = options(figure(1, 2), figure(1_000, 2_000))
    found = one(owned, replace(rented, spans=(replace(rented.spans[0], present=None),)))
    assert (found.cheaper, found.says) == ("", "undecided: sto-aws doesn't say what money costs")


def test_a_site_that_may_not_have_the_data_is_cheaper_for_nobody() -> None:
    found = options(figure(1_000, 2_000), figure(1, 2))
    (verdict,) = verdicts(found, {("fra-dc1", "sto-aws"): "customer data may not be run by US"})
    assert verdict.cheaper == ""
    assert verdict.says == "undecided: customer data may not be run by US, and so not at sto-aws"


@pytest.mark.parametrize(
    ("mine", "theirs", "basis", "says"),
    [
        ({SHAPE: 5}, {SHAPE: 5}, IN_ALL, "fra-dc1, owned is cheaper"),
        ({SHAPE: 5}, {SHAPE: 4}, PER_MILLION, "fra-dc1, owned is cheaper"),
        ({SHAPE: 5}, {OTHER: 5}, PER_MILLION, "undecided: fra-dc1 and sto-aws carry different calls"),
        ({SHAPE: 2, OTHER: 4}, {SHAPE: 1, OTHER: 2}, PER_MILLION, "fra-dc1, owned is cheaper"),
        ({SHAPE: 2, OTHER: 4}, {SHAPE: 1, OTHER: 3}, PER_MILLION, "undecided: fra-dc1 and sto-aws carry different"),
        ({}, {}, IN_ALL, "fra-dc1, owned is cheaper"),
    ],
)
def test_sites_are_compared_in_all_or_by_tokens_or_not_at_all(
    mine: dict[tuple[str, int, int], int], theirs: dict[tuple[str, int, int], int], basis: str, says: str
) -> None:
    owned, rented = options(figure(1, 2), figure(1_000, 2_000))
    found = one(
        replace(owned, calls={each: Decimal(number) for each, number in mine.items()}),
        replace(rented, calls={each: Decimal(number) for each, number in theirs.items()}),
    )
    assert found.basis == basis
    assert found.says.startswith(says)


def test_sites_without_calls_are_alike_only_with_as_many_gpus() -> None:
    owned, rented = (replace(each, calls={}) for each in options(figure(1, 2), figure(1_000, 2_000)))
    found = one(owned, replace(rented, estimate=replace(rented.estimate, gpus=16)))
    assert found.says == "undecided: no calls are asked for, and fra-dc1 and sto-aws have different GPUs"


def test_examples_are_named_in_a_verdict() -> None:
    owned, rented = options(figure(1, 2), figure(1_000, 2_000))
    assert one(replace(owned, example=True), rented).says.startswith("fra-dc1, owned is cheaper, by figures that are")


def test_every_verdict_says_the_four_without_which_nobody_can_check_it() -> None:
    for each in shipped().verdicts:
        assert each.rival_usd_per_gpu_hour is not None
        assert each.life_years == just(5)
        assert each.owned_idle_is_paid
        assert each.owned_utilisation.expected > 0
        assert each.rented_idle_is_paid  # held all the time
    assert not any(each.rented_idle_is_paid for each in shipped("cloud-burst").verdicts)  # come and go


def test_ways_of_buying_without_a_price_are_named_and_not_made_up() -> None:
    names = {option.name for option in shipped().options}
    assert {"fra-dc1, owned", "sto-aws, on-demand", "sto-aws, spot", "iad-aws, reserved"} <= names
    assert not any("capacity-block" in name for name in names)
    missing = {(each.site, each.how) for each in shipped().left_out}
    assert {("sto-aws", "reserved"), ("sto-aws", "capacity-block"), ("eusc-de", "spot")} <= missing
    assert all(each.says and each.hint for each in shipped().left_out)


def test_spot_reaches_from_the_cheapest_zone_to_on_demand() -> None:
    by_name = {option.name: option for option in shipped().options}
    spot, fixed = by_name["sto-aws, spot"].gpu_hour, by_name["sto-aws, on-demand"].gpu_hour
    assert spot is not None
    assert fixed is not None
    assert spot.low < fixed.low
    assert spot.high == fixed.high


def test_rents_of_others_are_in_no_verdict_and_say_that_nobody_checked_them() -> None:
    found = shipped()
    sellers = {each.vendor for each in found.rivals}
    assert {"coreweave", "gcp", "nebius"} <= sellers
    assert not any(seller in each.rented for each in found.verdicts for seller in sellers)
    for each in found.rivals:
        assert each.accelerator == "nvidia-h200-sxm"
        assert each.month.expected == each.price.value.expected * each.gpus * 730
        assert each.price.seen
    owned = [each for each in found.rivals if each.site == "fra-dc1"]
    assert all(each.break_even is not None for each in owned)
    assert {each.region for each in owned if each.vendor == "gcp"} == {"us-central1", "europe-west1"}
