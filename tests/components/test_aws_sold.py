"""What regions of AWS sell: by a sourced row, and nothing else; the nearest one else."""

from __future__ import annotations

import pytest

from aifactory.components.aws_sold import nearest, sold, sold_in
from aifactory.components.catalog import Catalog
from aifactory.components.given_aws_nodes import Purchase, StatedOffer

CATALOG = Catalog.shipped()
TABLE: list[tuple[str, str, Purchase, float | None]] = [
    ("p5en.48xlarge", "eu-north-1", "on-demand", 67.72672),
    ("p5en.48xlarge", "eu-north-1", "reserved", 67.72672),
    ("p5en.48xlarge", "eu-north-1", "spot", 15.35),
    ("p5en.48xlarge", "eu-central-1", "on-demand", None),
    ("p5en.48xlarge", "eu-west-1", "on-demand", None),
    ("p5.48xlarge", "us-east-1", "capacity-block", 39.33),
    ("p5e.48xlarge", "eu-north-1", "on-demand", None),
    # A price for all regions of the US together is one for none of them, and one for most regions is, too.
    ("p5en.48xlarge", "us-east-1", "spot", None),
    ("p5en.48xlarge", "us-east-1", "capacity-block", None),
    ("p6-b300.48xlarge", "us-west-2", "on-demand", 142.416),
    ("g7.48xlarge", "us-east-1", "on-demand", None),
]


@pytest.mark.parametrize(("instance", "region", "purchase", "usd"), TABLE)
def test_a_region_sells_what_a_row_says_and_nothing_else(
    instance: str, region: str, purchase: Purchase, usd: float | None
) -> None:
    found = sold_in(CATALOG, instance, region, purchase)
    assert (found.usd_per_hour if found else None) == usd


def test_a_type_that_is_listed_and_sold_by_blocks_alone_is_sold_there_at_no_known_price() -> None:
    found = sold_in(CATALOG, "p5e.48xlarge", "eu-north-1", "capacity-block")
    assert found is not None
    assert found.usd_per_hour is None
    assert found.ref == "prices-aws/p5e.48xlarge"


def test_what_a_site_states_goes_before_what_the_catalog_has() -> None:
    stated = StatedOffer(
        instance_type="p5en.48xlarge",
        purchase="on-demand",
        usd_per_hour=50.0,
        evidence="private price of the account, contract of November",
        seen="2026-11-29",
    )
    found = sold_in(CATALOG, "p5en.48xlarge", "eu-north-1", "on-demand", [stated])
    assert found is not None
    assert (found.usd_per_hour, found.ref) == (50.0, "")
    assert "private price" in found.says
    other = sold_in(CATALOG, "p5en.48xlarge", "eu-north-1", "spot", [stated])
    assert other is not None
    assert other.usd_per_hour == 15.35


@pytest.mark.parametrize(
    ("instance", "country", "region", "more"),
    [
        # Frankfurt and Dublin have no P5 class on demand: Stockholm is under the same law, and cheaper than Spain.
        ("p5en.48xlarge", "DE", "eu-north-1", 7),
        ("p5en.48xlarge", "IE", "eu-north-1", 7),
        ("p5en.48xlarge", "ES", "eu-south-2", 8),
        ("p6-b200.48xlarge", "DE", "us-east-1", 0),
        ("g6e.12xlarge", "FR", "eu-south-2", 5),
    ],
)
def test_the_nearest_is_in_the_country_then_under_its_law_then_the_cheapest(
    instance: str, country: str, region: str, more: int
) -> None:
    found = nearest(CATALOG, instance, country, "on-demand")
    assert found is not None
    assert (found.sold.region, found.more_percent) == (region, more)


def test_where_no_source_names_a_region_there_is_no_nearest() -> None:
    assert nearest(CATALOG, "g7.48xlarge", "DE", "on-demand") is None
    assert list(sold(CATALOG, "g7.48xlarge", "spot")) == []
