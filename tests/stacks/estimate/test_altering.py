"""One input of a site changed: what moves with it, what doesn't, and where it means nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from aifactory.stacks.estimate.altering import altered, reason
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.estimating import cases, of_site
from aifactory.stacks.estimate.model import SiteEstimate
from support.shipped import works


def shipped(site: str) -> Case:
    """A site of the shipped blueprint that runs in two regions and a hall."""
    work = works()["public-inference"]
    return cases(work.plan, work.loaded, work.stacks)[site]


def changed(site: str, key: str, value: str) -> tuple[SiteEstimate, SiteEstimate]:
    """A site before and after."""
    case = shipped(site)
    return of_site(case), of_site(altered(case, key, Decimal(value)))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("usd_per_kwh", "0.38"),
        ("pue", "2.5"),
        ("life_years", "3"),
        ("residual_percent", "0"),
        ("cost_of_capital_percent", "12"),
        ("capex", "1.5"),
    ],
)
def test_a_dearer_input_makes_an_owned_month_dearer_at_every_end(key: str, value: str) -> None:
    before, after = changed("fra-dc1", key, value)
    for end in ("low", "expected", "high"):
        assert getattr(after.cost.figure, end) > getattr(before.cost.figure, end)
    assert after.tokens_out == before.tokens_out


def test_twice_the_price_of_a_kwh_is_twice_the_line_of_energy_and_no_other() -> None:
    before, after = changed("fra-dc1", "usd_per_kwh", "0.38")
    for one, other in zip(before.lines, after.lines, strict=True):
        assert abs(other.amount.expected - one.amount.expected * (2 if one.formula == "F5" else 1)) < Decimal("1e-20")


def test_capex_moves_capital_and_upkeep_alone() -> None:
    before, after = changed("fra-dc1", "capex", "2")
    software = "NVIDIA AI Enterprise"
    for one, other in zip(before.lines, after.lines, strict=True):
        moves = one.formula in ("F1", "F2") and one.item != software
        assert abs(other.amount.expected - one.amount.expected * (2 if moves else 1)) < Decimal("1e-20")


def test_utilisation_brings_its_tokens_with_it() -> None:
    before, after = changed("fra-dc1", "utilisation_percent", "50")
    (model,) = after.models
    assert abs(model.utilisation.expected - Decimal("0.5")) < Decimal("1e-9")
    assert abs(after.utilisation.figure.expected - model.gpus * Decimal("0.5") / after.gpus) < Decimal("1e-9")
    assert before.usd_per_million is not None
    assert after.usd_per_million is not None
    ratio = after.tokens_out.figure.expected / before.tokens_out.figure.expected
    assert abs(ratio * before.models[0].utilisation.expected - Decimal("0.5")) < Decimal("1e-9")
    assert after.usd_per_million.figure.expected < before.usd_per_million.figure.expected / 5
    assert after.energy.figure.expected > before.energy.figure.expected


def test_a_price_of_an_instance_holds_before_every_contract() -> None:
    before, after = changed("sto-aws", "p5en.48xlarge", "10")
    assert after.cost.figure.expected < before.cost.figure.expected / 3
    line = next(line for line in after.lines if line.item.startswith("p5en.48xlarge"))
    assert line.price is not None
    assert line.price.source == "asked about"
    assert line.amount.expected == 10 * line.quantity.expected


@pytest.mark.parametrize(
    ("site", "key", "says"),
    [
        ("sto-aws", "pue", "nothing of that is owned at sto-aws"),
        ("sto-aws", "life_years", "nothing of that is owned at sto-aws"),
        ("fra-dc1", "p5en.48xlarge", "fra-dc1 rents none"),
        ("sto-aws", "p5en.48xlarge", ""),
        ("sto-aws", "cost_of_capital_percent", ""),
        ("fra-dc1", "pue", ""),
    ],
)
def test_a_key_means_something_or_says_why_not(site: str, key: str, says: str) -> None:
    assert reason(shipped(site), key) == says
