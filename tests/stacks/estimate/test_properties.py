"""What holds of every estimate: it adds up, its ends rise, and more demand never costs less."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from aifactory.components.catalog import Catalog
from aifactory.components.economics.figures import Figure, total
from aifactory.stacks.estimate.data import estimate_data, number
from aifactory.stacks.estimate.estimating import estimate
from aifactory.stacks.estimate.model import Estimate, SiteEstimate
from aifactory.stacks.estimate.prices import in_usd
from aifactory.stacks.estimate.supporting import support_usd
from support import shipped
from support.estimated import DAY, DEMAND, SERVED, estimated, site, write

CATALOG = Catalog.shipped()


@pytest.fixture(scope="module", params=sorted(path.stem for path in shipped.LIBRARY.glob("*.yaml")))
def found(request: pytest.FixtureRequest) -> Estimate:
    """The estimate of each blueprint that we ship."""
    work = shipped.works()[request.param]
    return estimate(work.plan, work.loaded, work.stacks, DAY)


def figures_of(here: SiteEstimate) -> list[Figure]:
    """Everything that has ends."""
    results = (
        *(here.cost, here.energy, here.carbon, here.embodied, here.water, here.tokens_out, here.tokens_in),
        *(here.tokens_per_s, here.utilisation, here.usd_per_million, here.kwh_per_million, here.kg_per_million),
    )
    return [
        *(result.figure for result in results if result is not None),
        *(term.value for result in results if result is not None for term in result.terms),
        *(line.amount for line in here.lines),
        *(line.quantity for line in here.lines),
        *(term.value for line in here.lines for term in line.all_terms),
        *(model.usd_per_month for model in here.models),
        *(tenant.usd_per_month for tenant in here.tenants),
    ]


def test_the_ends_of_everything_rise_and_nothing_is_negative_or_endless(found: Estimate) -> None:
    for here in found.sites:
        for figure in figures_of(here):
            assert 0 <= figure.low <= figure.expected <= figure.high
            assert figure.high.is_finite()


def test_lines_add_up_to_sites_and_sites_to_the_factory(found: Estimate) -> None:
    for here in found.sites:
        assert here.cost.figure == total(line.amount for line in here.lines if line.known)
        parts = {line.part for line in here.lines}
        by_part = (total(line.amount for line in here.lines if line.known and line.part == part) for part in parts)
        assert total(by_part) == here.cost.figure
    whole = estimate_data(found)["total"]["usd_per_month"]
    for end in ("low", "expected", "high"):
        summed = sum((getattr(here.cost.figure, end) for here in found.sites), Decimal(0))
        assert whole[end] == number(summed, Decimal("0.01"))


def test_models_are_charged_no_more_than_the_site_pays(found: Estimate) -> None:
    slack = Decimal("1e-20")
    for here in found.sites:
        assert total(model.usd_per_month for model in here.models).high <= here.cost.figure.high + slack


def test_two_sites_cost_what_each_of_them_costs(tmp_path: Path) -> None:
    both = estimated(write(tmp_path / "both", site("lab"), site("den")))
    alone = [estimated(write(tmp_path / name, site(name))).site for name in ("lab", "den")]
    assert [here.cost.figure for here in both.found.sites] == [here.cost.figure for here in alone]


def test_more_demand_never_costs_less(tmp_path: Path) -> None:
    by_demand: list[tuple[float, SiteEstimate]] = []
    for peak in (1.0, 8.0, 40.0, 160.0, 640.0):
        demand: dict[str, Any] = {**DEMAND, "requests_per_s": {"mean": peak / 4, "peak": peak}}
        path = write(tmp_path / str(peak), site(), parts=SERVED, demand={"models": [demand]})
        by_demand.append((peak, estimated(path).site))
    assert len({here.gpus for _, here in by_demand}) > 1, "the demands must need different numbers of nodes"
    for (_, less), (peak, more) in pairwise(by_demand):
        for name in ("cost", "energy", "carbon", "embodied", "tokens_out"):
            for end in ("low", "expected", "high"):
                one, two = (getattr(getattr(each, name).figure, end) for each in (less, more))
                assert one <= two, f"{name}, {end}, at a peak of {peak}"


BANDS = tuple(
    (
        row.key,
        tuple((Decimal(str(above)), Decimal(str(percent))) for above, percent in row.data["percent"]),
        Decimal(str(row.number("least_usd"))),
    )
    for row in CATALOG.rows("prices-aws-services.support")
)
PLANS = some.sampled_from(BANDS)
BILLS = some.decimals("0", "5e6", places=2)


@given(PLANS, BILLS, BILLS)
def test_support_of_a_larger_bill_costs_no_less(
    plan: tuple[str, tuple[tuple[Decimal, Decimal], ...], Decimal], one: Decimal, two: Decimal
) -> None:
    less, more = sorted((one, two))
    _, bands, least = plan
    assert least <= support_usd(less, bands, least) <= support_usd(more, bands, least)


@pytest.mark.parametrize(("name", "bands", "least"), BANDS, ids=[name for name, _, _ in BANDS])
def test_support_does_not_jump_where_a_band_begins(
    name: str, bands: tuple[tuple[Decimal, Decimal], ...], least: Decimal
) -> None:
    step = Decimal("0.01")
    for above, _ in bands:
        before, at, after = (support_usd(above + off, bands, least) for off in (-step, Decimal(0), step))
        assert at - before <= step, f"{name} at {above}"
        assert after - at <= step, f"{name} at {above}"


@given(some.decimals("0.01", "1e9", places=2), some.sampled_from(["USD", "EUR", "GBP", "CHF", "SEK", "NOK"]))
def test_money_converts_both_ways(amount: Decimal, currency: str) -> None:
    usd, rate = in_usd(Figure(amount, amount, amount), currency, None, CATALOG)
    each = rate.value.expected if rate is not None else Decimal(1)
    assert abs(usd.expected / each - amount) <= amount * Decimal("1e-25")
    assert rate is None or rate.seen.startswith("2026-10")


@given(some.decimals("0", "1e15", places=9))
def test_json_has_the_cents_that_people_would_write(value: Decimal) -> None:
    shown = number(value, Decimal("0.01"))
    assert math.isfinite(shown)
    assert abs(Decimal(str(shown)) - value) <= Decimal("0.005") + value * Decimal("1e-15")
