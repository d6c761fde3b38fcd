"""Answers of the Price List API: the one price that was asked for, or why there is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from aifactory.stacks.live.price_list import Listed, PriceError, Wanted, filters, listed
from support.price_lists import NAT, QUEUE, RATE, document, flat, product

REGION = "eu-north-1"
DAY = "2026-11-01"


def test_products_are_asked_for_by_region_and_attributes() -> None:
    assert filters(NAT, REGION) == [
        {"Type": "TERM_MATCH", "Field": "regionCode", "Value": REGION},
        {"Type": "TERM_MATCH", "Field": "productFamily", "Value": "NAT Gateway"},
    ]


def test_a_price_is_read_with_the_day_it_holds_from() -> None:
    found = listed([flat("EUN1-NatGateway-Hours", "0.0460000000")], NAT, REGION)
    assert found == Listed(Decimal("0.046"), effective=DAY)


@pytest.mark.parametrize(
    ("usage", "region"),
    [
        ("NatGateway-Hours", "us-east-1"),
        ("USE1-NatGateway-Hours", "us-east-1"),
        ("EU-NatGateway-Hours", "eu-west-1"),
        ("eu-north-1-NatGateway-Hours", "eu-north-1"),
    ],
)
def test_a_usage_type_is_known_with_any_prefix_of_its_region(usage: str, region: str) -> None:
    assert listed([flat(usage, "0.05")], NAT, region) is not None


@pytest.mark.parametrize(
    "usage", ["EUN1-RegionalNatGateway-Hours", "EUN1-NatGateway-Bytes", "EUN1-TS-NatGateway-Hours", "", "hours"]
)
def test_other_usage_types_of_the_offer_are_not_meant(usage: str) -> None:
    assert listed([flat(usage, "0.07")], NAT, REGION) is None


def test_nothing_listed_is_no_price_and_no_mistake() -> None:
    assert listed([], NAT, REGION) is None


def test_what_is_free_below_a_bound_is_included_and_cheaper_bands_are_tiers() -> None:
    bands = [("1000000", "100000000000", "0.0000004"), ("0", "1000000", "0.0"), ("100000000000", "Inf", "0.0000003")]
    found = listed([product("EUN1-Requests-RBP", bands, "Requests")], QUEUE, REGION)
    assert found == Listed(
        Decimal("0.0000004"), Decimal(1000000), ((Decimal(100000000000), Decimal("0.0000003")),), DAY
    )


@pytest.mark.parametrize(("unit", "usd", "ours"), [("GiBps-mo", "40.96", "0.04"), ("MiBps-mo", "0.04", "0.04")])
def test_units_of_aws_are_turned_into_ours(unit: str, usd: str, ours: str) -> None:
    found = listed([flat("EUN1-EBS:VolumeP-Throughput.gp3", usd, unit)], RATE, REGION)
    assert found is not None
    assert found.usd == Decimal(ours)


def test_two_products_of_one_price_are_one_price() -> None:
    twice = [flat("EUN1-NatGateway-Hours", "0.046", sku=sku) for sku in ("A", "B")]
    assert listed(twice, NAT, REGION) == Listed(Decimal("0.046"), effective=DAY)


def test_two_products_of_two_prices_are_refused() -> None:
    two = [flat("EUN1-NatGateway-Hours", usd, sku=usd) for usd in ("0.046", "0.05")]
    with pytest.raises(
        PriceError, match=r"2 different prices for AmazonEC2 NatGateway-Hours in eu-north-1: 0.046, 0.05"
    ):
        listed(two, NAT, REGION)


@pytest.mark.parametrize(
    ("usd", "says"),
    [
        ("0.0000000000", "is 0, which is no list price"),
        ("-0.046", "'-0.046' is not a price"),
        ("NaN", "'NaN' is not a price"),
        ("Infinity", "'Infinity' is not a price"),
        ("1,000.00", "'1,000.00' is not a price"),
        ("4.6e-2", "'4.6e-2' is not a price"),
        ("", "'' is not a price"),
        (" 0.046", "' 0.046' is not a price"),
        ("0.046 USD", "'0.046 USD' is not a price"),
        ("\u0660.\u0664", "is not a price"),
    ],
)
def test_a_price_that_is_none_is_refused(usd: str, says: str) -> None:
    with pytest.raises(PriceError, match=says):
        listed([flat("EUN1-NatGateway-Hours", usd)], NAT, REGION)


def _band(found: dict[str, Any]) -> dict[str, Any]:
    (term,) = found["terms"]["OnDemand"].values()
    (band,) = term["priceDimensions"].values()
    assert isinstance(band, dict)
    return band


def _without_usd(found: dict[str, Any]) -> None:
    _band(found)["pricePerUnit"] = {"CNY": "0.33"}


def _of_no_currency(found: dict[str, Any]) -> None:
    _band(found)["pricePerUnit"] = {}


def _a_number(found: dict[str, Any]) -> None:
    _band(found)["pricePerUnit"] = {"USD": 0.046}


def _another_unit(found: dict[str, Any]) -> None:
    _band(found)["unit"] = "Quantity"


def _no_terms(found: dict[str, Any]) -> None:
    del found["terms"]["OnDemand"]


def _no_bands(found: dict[str, Any]) -> None:
    for term in found["terms"]["OnDemand"].values():
        term["priceDimensions"] = {}


def _two_terms(found: dict[str, Any]) -> None:
    found["terms"]["OnDemand"] |= {"X": {"priceDimensions": {}}}


def _a_bad_bound(found: dict[str, Any]) -> None:
    _band(found)["beginRange"] = "Inf"


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (_without_usd, "has no price in USD, but in CNY"),
        (_of_no_currency, "has no price in USD, but in none"),
        (_a_number, "0.046 is not a price"),
        (_another_unit, "is in Quantity, not in Hrs"),
        (_no_terms, r"has no terms.OnDemand"),
        (_no_bands, "has no price"),
        (_two_terms, "has 2 terms on demand"),
        (_a_bad_bound, "'Inf' is not a price or bound"),
    ],
)
def test_a_document_that_is_not_as_aws_writes_it_is_refused(
    broken: Callable[[dict[str, Any]], None], says: str
) -> None:
    found = document("EUN1-NatGateway-Hours", [("0", "Inf", "0.046")])
    broken(found)
    with pytest.raises(PriceError, match=says):
        listed([json.dumps(found)], NAT, REGION)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "12", '{"product": []}', '{"product": {}}'])
def test_what_is_no_product_is_refused(text: str) -> None:
    with pytest.raises(PriceError):
        listed([text], NAT, REGION)


def test_a_product_that_is_not_text_is_refused() -> None:
    with pytest.raises(PriceError, match="a product is dict, not text"):
        listed([{"product": {}}], NAT, REGION)


def test_free_between_bands_that_are_paid_is_refused() -> None:
    bands = [("0", "10", "0.1"), ("10", "20", "0.0"), ("20", "Inf", "0.05")]
    with pytest.raises(PriceError, match="free between bands"):
        listed([product("EUN1-NatGateway-Hours", bands)], NAT, REGION)


def test_instances_need_no_usage_type() -> None:
    wanted = Wanted("AmazonEC2", "", {"instanceType": "m8i.2xlarge"}, {"Hrs": 1})
    found = listed([flat("EUN1-BoxUsage:m8i.2xlarge", "0.44982")], wanted, REGION)
    assert found is not None
    assert found.usd == Decimal("0.44982")
