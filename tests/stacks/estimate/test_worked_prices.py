"""Prices of the catalog and currencies find what somebody worked out by hand, to the last digit that is written."""

from __future__ import annotations

from decimal import Decimal

import pytest

from aifactory.components.aws_sold import nearest
from aifactory.components.catalog import Catalog
from aifactory.components.economics.figures import Figure, just, total
from aifactory.components.economics.owning import recovered
from aifactory.components.economics.powering import carbon_kg
from aifactory.components.economics.worth import net_present_cost
from aifactory.components.given_aws_nodes import Purchase
from aifactory.components.given_costs import ExchangeGiven
from aifactory.stacks.estimate.model import Line, Term, priced
from aifactory.stacks.estimate.prices import Book, in_usd
from support.worked import Case
from support.worked_bound import bound

CATALOG = Catalog.shipped()
ENDS = ("low", "expected", "high")


# Prices


def hourly(kind: str, region: str, purchase: Purchase = "on-demand") -> Term:
    """An instance by the shipped catalog."""
    found = Book(CATALOG, (), region).instance(kind, purchase)
    assert isinstance(found, Term), found
    return found


def rented(price: Term, hours: Figure) -> Figure:
    """F7: a line of so many hours of instances."""
    return priced(Line("pool", price.name, hours, "hour", "F7", price)).amount


def month(units: int | Decimal | Figure = 1) -> Figure:
    """Hours of instances that run a whole month."""
    return (units if isinstance(units, Figure) else just(units)).times(Decimal(730))


@bound("price-ten-points")
def test_ten_prices_of_the_catalog_come_to_their_month(found: Case) -> None:
    points = [name.removeprefix("usd_per_hour_") for name in found.inputs]
    assert len(points) == 10
    for point in points:
        kind, region = type_and_region(point)
        price = hourly(kind, region)
        assert price.value.expected == found.inputs[f"usd_per_hour_{point}"], point
        assert (price.source, price.seen[:5]) == (f"prices-aws/{kind}", "2026-")
        assert found.differences({f"month_usd_{point}": rented(price, month()).expected}) == []


def type_and_region(point: str) -> tuple[str, str]:
    """`p5_48xlarge_eu_north_1` as `p5.48xlarge` and `eu-north-1`."""
    words = point.split("_")
    size = next(index for index, word in enumerate(words) if word.endswith("xlarge"))
    return f"{'-'.join(words[:size])}.{words[size]}", "-".join(words[size + 1 :])


@bound("price-three-regions")
def test_a_type_has_a_price_of_its_own_in_each_region(found: Case) -> None:
    for region in ("us-east-1", "eu-north-1", "eu-west-2"):
        usd = rented(hourly("p5.48xlarge", region), month()).expected
        assert found.differences({f"month_usd_{region.replace('-', '_')}": usd}) == []


@bound("price-twelve-and-rounding")
def test_a_line_of_twelve_is_rounded_once(found: Case) -> None:
    usd = rented(hourly("g6e.12xlarge", "eu-north-1"), month(found.inputs["units"]))
    assert found.differences({"month_usd": usd.cents.expected}) == []


@bound("price-spot-band")
def test_spot_is_a_zone_at_best_and_on_demand_at_worst(found: Case) -> None:
    price = hourly("p5en.48xlarge", "eu-north-1", "spot")
    assert price.value == Figure(*(found.inputs[f"usd_per_hour_{end}"] for end in ENDS))
    usd = rented(price, just(found.inputs["units"]).times(found.inputs["hours"]))
    assert found.differences({f"month_usd_{end}": getattr(usd, end) for end in ENDS}) == []


@bound("price-capacity-block")
def test_a_block_costs_its_hours(found: Case) -> None:
    i = found.inputs
    row = CATALOG.row("prices-aws.capacity_blocks", "p5en.48xlarge:most:2026-01")
    assert Decimal(str(row.number("usd"))) == i["usd_per_hour"]
    hours = i["days"] * 24
    usd = rented(Term("block", just(str(row.number("usd"))), "USD/h"), just(i["units"]).times(hours))
    assert found.differences({"hours": hours, "block_usd": usd.expected}) == []


def test_a_block_that_was_read_of_most_regions_is_no_price_of_one() -> None:
    missing = Book(CATALOG, (), "eu-north-1").instance("p5en.48xlarge", "capacity-block")
    assert not isinstance(missing, Term)
    assert missing.says == "no price of p5en.48xlarge, capacity-block, in eu-north-1"


@pytest.mark.parametrize(
    ("kind", "region", "usd", "seen"),
    [("p5.48xlarge", "us-east-1", "39.33", "2024-12-01"), ("p5e.48xlarge", "us-west-1", "49.75", "2026-01-01")],
)
def test_a_block_of_a_region_has_the_price_and_the_month_it_was_read_in(
    kind: str, region: str, usd: str, seen: str
) -> None:
    price = hourly(kind, region, "capacity-block")
    assert (price.value.expected, price.seen) == (Decimal(usd), seen)


@bound("price-come-and-go")
def test_nodes_that_come_and_go_cost_their_floor_their_mean_and_all_of_them(found: Case) -> None:
    units = Figure(*(found.inputs[f"units_{end}"] for end in ENDS))
    usd = rented(hourly("g6e.12xlarge", "eu-central-1"), month(units))
    assert found.differences({f"month_usd_{end}": getattr(usd, end) for end in ENDS}) == []


@bound("price-nearest-permitted")
def test_a_region_without_a_type_has_a_nearest_one_with_its_price_and_its_carbon(found: Case) -> None:
    kind, asked = "p5en.48xlarge", "eu-central-1"
    assert not isinstance(Book(CATALOG, (), asked).instance(kind, "on-demand"), Term)
    near = nearest(CATALOG, kind, "DE", "on-demand")
    assert near is not None
    assert (near.sold.region, near.more_percent) == ("eu-north-1", 7)
    for region in ("us-east-1", "eu-north-1", "eu-south-2"):
        word = region.replace("-", "_")
        usd = rented(hourly(kind, region), month()).expected
        got = {f"month_usd_{word}": usd}
        if region != "us-east-1":
            got[f"dearer_share_{word}"] = usd / rented(hourly(kind, "us-east-1"), month()).expected - 1
        assert found.differences(got) == []
    for region in (asked, "eu-north-1", "eu-south-2"):
        row = CATALOG.row("energy-carbon.aws_regions", region)
        kwh = just(1000).times(just(row.number("pue")))
        grams = carbon_kg(kwh, just(row.number("consumption"))).expected
        assert found.differences({f"g_per_it_kwh_{region.replace('-', '_')}": grams}) == []


@bound("npv-rent")
def test_renting_over_years_is_worth_what_rolling_back_gives(found: Case) -> None:
    usd = rented(hourly("p5.48xlarge", "eu-north-1"), month(found.inputs["units"])).expected
    for years in (1, 3, 5):
        got = net_present_cost(Decimal(0), [usd * 12] * years, found.inputs["rate"])
        assert found.differences({f"net_present_usd_{years}": got}) == []


# Currencies


def rate(usd: Decimal) -> ExchangeGiven:
    """A stated rate."""
    return ExchangeGiven(usd=float(usd), source="stated for this case", seen="2026-11-20")


@bound("currency-eur-quote")
def test_a_quote_in_euros_is_dollars_before_anything_else(found: Case) -> None:
    i = found.inputs
    price, term = in_usd(just(i["price_eur"]), "EUR", rate(i["usd_per_eur"]), CATALOG)
    assert term is not None
    assert term.seen == "2026-11-20"
    usd = recovered(price.expected, i["residual"], i["rate"], i["life_years"])
    assert found.differences({"price": price.expected, "month_usd": usd}) == []


@bound("currency-two-currencies")
def test_two_currencies_of_one_estimate_have_a_rate_each(found: Case) -> None:
    i = found.inputs
    energy, _ = in_usd(just(i["eur_per_kwh"]), "EUR", rate(i["usd_per_eur"]), CATALOG)
    space, _ = in_usd(just(i["gbp_per_kw_month"]), "GBP", rate(i["usd_per_gbp"]), CATALOG)
    lines = [
        priced(Line("site", "energy", just(i["kwh"]), "kWh", "F5", Term("energy", energy, "USD/kWh"))),
        priced(Line("site", "space", just(i["kw"]), "kW", "F6", Term("space", space, "USD/kW-month"))),
    ]
    got = {
        "usd_per_kwh": energy.expected,
        "usd_per_kw_month": space.expected,
        "energy_month_usd": lines[0].amount.expected,
        "space_month_usd": lines[1].amount.expected,
        "month_usd": total(line.amount for line in lines).expected,
    }
    assert found.differences(got) == []
