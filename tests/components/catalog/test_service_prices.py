"""List prices of AWS services: sourced, dated, positive, of known units, and found by one key each."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest

from aifactory.components.catalog import Catalog, Row

CATALOG = Catalog.shipped()
METERS, NODES = "prices-aws-services", "prices-aws-services.nodes"
SUPPORT, FREE = "prices-aws-services.support", "prices-aws-services.free"
UNITS = {"hour", "month", "GB", "GB-month", "IOPS-month", "MBps-month", "LCU-hour", "NLCU-hour", "request"}
PRICED = [*CATALOG.rows(METERS), *CATALOG.rows(NODES)]
TOKEN = re.compile(r"transfer|[a-z0-9]+/[a-zA-Z]+")


@pytest.mark.parametrize("row", PRICED, ids=lambda row: row.key)
def test_a_price_is_a_positive_number_of_a_known_unit_with_its_days_and_source(row: Row) -> None:
    assert Decimal(str(row.number("usd"))) > 0
    assert row.count("per") in {1, 1_000, 10_000, 1_000_000}
    assert row.text("unit") in UNITS
    assert dt.date(2025, 11, 18) <= dt.date.fromisoformat(row.text("seen")) <= dt.date.fromisoformat(row.checked)
    assert row.checked == "2026-11-29"
    assert row.text("grade") in {"A", "B", "C"}
    assert row.sources


@pytest.mark.parametrize("row", PRICED, ids=lambda row: row.key)
def test_tiers_only_get_cheaper(row: Row) -> None:
    bands = [(0, row.number("usd")), *(tuple(tier) for tier in row.data.get("tiers", ()))]
    assert bands == sorted(bands, key=lambda band: band[0])
    assert [usd for _, usd in bands] == sorted((usd for _, usd in bands), reverse=True)
    assert len({above for above, _ in bands}) == len(bands)
    assert row.data.get("included", 1) > 0


@pytest.mark.parametrize("row", PRICED, ids=lambda row: row.key)
def test_a_region_is_one_that_the_catalog_knows_or_any(row: Row) -> None:
    region = row.text("region")
    assert region == "any" or CATALOG.find("regions", f"aws:{region}"), row.ref


@pytest.mark.parametrize(
    ("table", "fields"), [(METERS, ("token", "meter", "region")), (NODES, ("type", "region"))], ids=["meters", "nodes"]
)
def test_a_key_is_made_of_its_fields_and_no_field_breaks_it(table: str, fields: tuple[str, ...]) -> None:
    for row in CATALOG.rows(table):
        values = [row.text(field) for field in fields]
        assert row.key == ":".join(values)
        assert not any(":" in value for value in values)


def test_a_token_is_priced_or_free_and_not_both() -> None:
    priced, free = ({row.text("token") for row in CATALOG.rows(table)} for table in (METERS, FREE))
    assert not priced & free
    assert all(TOKEN.fullmatch(token) for token in priced | free)


def test_what_is_free_says_who_says_so_or_that_it_is_on_no_list() -> None:
    for row in CATALOG.rows(FREE):
        assert row.text("basis") in {"said", "unlisted"}
        assert row.text("why")


@pytest.mark.parametrize("row", CATALOG.rows(SUPPORT), ids=lambda row: row.key)
def test_support_gets_cheaper_by_bands(row: Row) -> None:
    bands = [tuple(band) for band in row.data["percent"]]
    assert bands == sorted(bands)
    assert [percent for _, percent in bands] == sorted((percent for _, percent in bands), reverse=True)
    assert not bands or bands[0][0] == 0
    assert row.number("least_usd") >= 0


@pytest.mark.parametrize(
    ("key", "usd", "unit"),
    [
        ("ec2/natGateway:hour:eu-north-1", "0.046", "hour"),
        ("ec2/natGateway:hour:us-east-1", "0.045", "hour"),
        ("ec2/natGateway:processed:eu-central-1", "0.052", "GB"),
        ("eks/cluster:hour:any", "0.1", "hour"),
        ("ebs/volume:gp3:eu-north-1", "0.0836", "GB-month"),
        ("cloudwatch/logGroup:ingest:eu-central-1", "0.63", "GB"),
        ("s3/bucket:standard:eu-central-1", "0.0245", "GB-month"),
        ("fsx/lustreFileSystem:persistent2-250:eu-central-1", "0.269", "GB-month"),
    ],
)
def test_a_price_is_looked_up_by_token_meter_and_region(key: str, usd: str, unit: str) -> None:
    row = CATALOG.row(METERS, key)
    assert (Decimal(str(row.number("usd"))), row.text("unit")) == (Decimal(usd), unit)


@pytest.mark.parametrize(
    "key", ["ec2/vpcEndpoint:hour:eu-north-1", "ec2transitgateway/vpcAttachment:hour:eu-north-1", "x/y:hour:any"]
)
def test_what_nobody_read_has_no_row(key: str) -> None:
    assert CATALOG.find(METERS, key) is None


def test_the_header_says_age_limit_currency_and_gaps() -> None:
    about = CATALOG.about(METERS)
    assert (about["max_age_days"], about["currency"], about["tax"]) == (30, "USD", "excluded")
    assert any("eu-north-1" in gap for gap in about["gaps"])
