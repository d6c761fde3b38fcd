"""`aifactory catalog TABLE --refresh`: prices asked for anew, shown with their difference, written to a new file."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from aifactory.blueprints.includes import compose
from aifactory.blueprints.load import validated
from aifactory.blueprints.parameters import bind
from aifactory.blueprints.price_files import LoadedPrices
from aifactory.components.catalog import Catalog
from aifactory.components.catalog.compile import compiled
from aifactory.components.catalog.source import read
from aifactory.components.catalog.tables import SHIPPED
from aifactory.components.given_prices import PriceFile
from aifactory.stacks.estimate.model import Term
from aifactory.stacks.estimate.prices import Book
from support.command import Ran, call
from support.price_lists import Api, fields, flat, product

SERVICES, ACCELERATORS = "prices-aws-services", "prices-aws"


def _services(asked: dict[str, Any]) -> list[str]:
    """A list of NAT gateways, queues and one instance type; everything else is sold nowhere."""
    service, by = asked["ServiceCode"], fields(asked)
    prefix = "EUN1-" if by.get("regionCode") == "eu-north-1" else ""
    if by.get("productFamily") == "NAT Gateway":
        other = flat(f"{prefix}RegionalNatGateway-Hours", "0.07")
        return [other, flat(f"{prefix}NatGateway-Hours", "0.0480"), flat(f"{prefix}NatGateway-Bytes", "0.046", "GB")]
    if service == "AWSQueueService":
        bands = [("0", "1000000", "0"), ("1000000", "Inf", "0.0000004")]
        return [product(f"{prefix}Requests-RBP", bands, "Requests")]
    if by.get("instanceType") == "m8i.2xlarge":
        return [flat(f"{prefix}BoxUsage:m8i.2xlarge", "0.44982")]
    return []


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api(_services)
    made.attach(monkeypatch)
    return made


@pytest.fixture(autouse=True)
def nothing_shipped_changes() -> Iterator[None]:
    before = {path: path.read_bytes() for path in SHIPPED.glob("*.yaml")}
    yield
    assert {path: path.read_bytes() for path in SHIPPED.glob("*.yaml")} == before


def refresh(folder: Path, *words: object, table: str = SERVICES, of: str = "price-list") -> Ran:
    return call("catalog", table, "--refresh", of, "--region", "eu-north-1", *words, cwd=folder)


def the_rows(file: Path, table: str, section: str) -> dict[str, Any]:
    """The rows of a written file, read as the catalog reads a file, by key."""
    shape = Catalog.shipped().about(table)
    content, problems = compiled(table, read(file.read_bytes()), shape)
    assert problems == []
    name = table if section == shape["main"] else f"{table}.{section}"
    rows = content["tables"][name]["rows"]
    assert isinstance(rows, dict)
    return rows


def test_what_moved_is_shown_and_a_new_file_holds_it_with_day_and_source(api: Api, tmp_path: Path) -> None:
    ran = refresh(tmp_path, "--out", "new.yaml")
    assert (ran.code, ran.err) == (0, "")
    lines = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines()}
    assert lines["ec2/natGateway:hour:eu-north-1"] == ["0.046", "0.048", "+4.3", "%"]
    assert lines["ec2/natGateway:processed:eu-north-1"] == ["0.046", "0.046", "+0.0", "%"]
    assert lines["sqs/queue:requests:eu-north-1"] == ["-", "0.4", "new"]
    assert lines["m8i.2xlarge:eu-north-1"] == ["-", "0.44982", "new"]
    assert lines["eks/cluster:hour:eu-north-1"] == ["0.1", "-", "not", "listed"]
    assert ran.out.endswith("new.yaml: 4 prices, 3 of them new or moved\n")
    rows = the_rows(tmp_path / "new.yaml", SERVICES, "meters")
    assert list(rows) == [
        "ec2/natGateway:hour:eu-north-1",
        "ec2/natGateway:processed:eu-north-1",
        "sqs/queue:requests:eu-north-1",
    ]
    gateway = rows["ec2/natGateway:hour:eu-north-1"]
    assert (gateway["usd"], gateway["unit"], gateway["per"], gateway["effective"]) == (0.048, "hour", 1, "2026-11-01")
    assert gateway["seen"] == gateway["checked"]
    queue = rows["sqs/queue:requests:eu-north-1"]
    assert (queue["usd"], queue["per"], queue["included"]) == (0.4, 1000000, 1000000)
    assert the_rows(tmp_path / "new.yaml", SERVICES, "nodes")["m8i.2xlarge:eu-north-1"]["usd"] == 0.44982
    assert f'list: "AWS Price List API, GetProducts, {gateway["seen"]}"' in (tmp_path / "new.yaml").read_text()


def test_each_row_of_the_table_is_asked_for_in_each_region_and_page_by_page(api: Api, tmp_path: Path) -> None:
    assert refresh(tmp_path, "--region", "us-east-1").code == 0
    catalog = Catalog.shipped()
    kinds = {row.text("type") for row in catalog.rows(f"{SERVICES}.nodes")}
    first = [asked for asked in api.asked if "NextToken" not in asked]
    assert len(first) == 2 * (len(catalog.keys(f"{SERVICES}.asked")) + len(kinds))
    assert {fields(asked).get("regionCode") or fields(asked)["fromRegionCode"] for asked in first} == {
        "eu-north-1",
        "us-east-1",
    }
    assert [asked for asked in api.asked if asked.get("NextToken") == "2"], "a list of three products has three pages"
    (file,) = tmp_path.glob("prices-aws-services.*.yaml")
    assert set(the_rows(file, SERVICES, "nodes")) == {"m8i.2xlarge:eu-north-1", "m8i.2xlarge:us-east-1"}


def test_what_is_asked_for_has_a_price_of_the_same_unit_in_the_table() -> None:
    catalog = Catalog.shipped()
    priced = {row.key.rpartition(":")[0] for row in catalog.rows(SERVICES)}
    assert set(catalog.keys(f"{SERVICES}.asked")) <= priced


def test_prices_are_data_without_rounding(api: Api, tmp_path: Path) -> None:
    data = json.loads(refresh(tmp_path, "--format", "json", "--out", "new.yaml").out)
    assert (data["schema"], data["table"], data["file"]) == ("aifactory-refreshed-prices/v1", SERVICES, "new.yaml")
    found = {row["key"]: row for row in data["prices"]}
    assert found["ec2/natGateway:hour:eu-north-1"] == {
        "key": "ec2/natGateway:hour:eu-north-1",
        "region": "eu-north-1",
        "old": "0.046",
        "new": "0.048",
        "moved": "+4.3 %",
    }
    assert found["eks/cluster:hour:eu-north-1"]["new"] is None


def test_accelerators_are_asked_for_by_type_and_keep_one_row_for_all_regions(api: Api, tmp_path: Path) -> None:
    prices = {("p5en.48xlarge", "eu-north-1"): "67.72672", ("p5en.48xlarge", "us-east-1"): "60.0"}

    def answers(asked: dict[str, Any]) -> list[str]:
        by = fields(asked)
        usd = prices.get((by["instanceType"], by["regionCode"]))
        return [flat(f"BoxUsage:{by['instanceType']}", usd)] if usd else []

    api.answers = answers
    ran = refresh(tmp_path, "--region", "us-east-1", "--out", "new.yaml", table=ACCELERATORS)
    assert ran.code == 0
    assert "p5en.48xlarge us-east-1" in ran.out
    assert "-5.2 %" in ran.out
    (row,) = the_rows(tmp_path / "new.yaml", ACCELERATORS, "aws").values()
    assert row["on_demand"] == {"eu-north-1": 67.72672, "us-east-1": 60}
    assert (row["accelerator"], row["count"]) == ("nvidia-h200-sxm", 8)


def _zero(_: dict[str, Any]) -> list[str]:
    return [flat("EUN1-NatGateway-Hours", "0")]


def _negative(_: dict[str, Any]) -> list[str]:
    return [flat("EUN1-NatGateway-Hours", "-1")]


def _no_currency(_: dict[str, Any]) -> list[str]:
    return [flat("EUN1-NatGateway-Hours", "0.046").replace('"USD"', '"CNY"')]


def _not_json(_: dict[str, Any]) -> list[str]:
    return ["<html>"]


@pytest.mark.parametrize(
    ("answers", "says"),
    [(_zero, "is 0"), (_negative, "'-1' is not a price"), (_no_currency, "but in CNY"), (_not_json, "is not JSON")],
)
def test_one_answer_that_is_no_price_keeps_the_whole_file_from_being_written(
    answers: Callable[[dict[str, Any]], list[str]], says: str, api: Api, tmp_path: Path
) -> None:
    api.answers = answers
    ran = refresh(tmp_path)
    assert ran.code == 1
    assert "ec2/natGateway:hour:eu-north-1: " in ran.err
    assert says in ran.err
    assert "Nothing was written." in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ((400, "AccessDeniedException"), "let these credentials do pricing:GetProducts"),
        ((400, "ExpiredTokenException"), "AWS answers ExpiredTokenException"),
        (EndpointConnectionError(endpoint_url="https://api.pricing"), "see that its APIs are reached from here"),
    ],
    ids=["not allowed", "expired", "no network"],
)
def test_without_an_answer_nothing_is_written(
    error: tuple[int, str] | Exception, says: str, api: Api, tmp_path: Path
) -> None:
    api.error = error
    ran = refresh(tmp_path)
    assert ran.code == 1
    assert says in ran.err
    assert "Nothing was written." in ran.err
    assert list(tmp_path.iterdir()) == []


def test_without_credentials_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    ran = refresh(tmp_path)
    assert ran.code == 1
    assert "there are no credentials of AWS here" in ran.err
    assert "aws sso login" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_nothing_listed_at_all_writes_no_empty_file(api: Api, tmp_path: Path) -> None:
    api.answers = lambda asked: []
    ran = refresh(tmp_path)
    assert ran.code == 1
    assert "nothing of prices-aws-services is listed" in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["catalog", SERVICES, "--region", "eu-north-1"], "--region and --out are of --refresh"),
        (["catalog", "--refresh", "price-list", "--region", "eu-north-1"], "no table is not one whose prices"),
        (["catalog", "prices-aw", "--refresh", "price-list", "--region", "eu-north-1"], 'did you mean "prices-aws"?'),
        (["catalog", SERVICES, "--refresh", "price-list"], "no region is named"),
        (["catalog", SERVICES, "x", "--refresh", "price-list", "--region", "eu-north-1"], "of a whole table"),
        (["catalog", SERVICES, "--refresh", "gpuhunt", "--region", "eu-north-1"], "gpuhunt knows instances alone"),
        (["catalog", SERVICES, "--refresh", "price-list", "--region", "eu-nort-1"], 'did you mean "eu-north-1"?'),
        (
            ["catalog", SERVICES, "--refresh", "price-list", "--region", "eu-north-1", "--out", "none/a.yaml"],
            "none is not a folder",
        ),
    ],
)
def test_what_can_not_be_asked_is_refused_before_anything_is(
    words: list[str], says: str, api: Api, tmp_path: Path
) -> None:
    ran = call(*words, cwd=tmp_path)
    assert ran.code == 1
    assert says in ran.err
    assert api.asked == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_never_overwritten(api: Api, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("mine")
    ran = refresh(tmp_path, "--out", "mine.yaml")
    assert ran.code == 1
    assert "mine.yaml is there already" in ran.err
    assert (tmp_path / "mine.yaml").read_text() == "mine"
    assert api.asked == []


def item(name: str, price: float, location: str = "eu-north-1") -> SimpleNamespace:
    return SimpleNamespace(provider="aws", instance_name=name, location=location, price=price, spot=False)


@pytest.fixture
def gpuhunt(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The module, with a catalog of our own."""

    def query(**asked: Any) -> list[SimpleNamespace]:
        module.asked.append(asked)
        return list(module.items)

    module = SimpleNamespace(query=query, asked=[], items=[item("p5en.48xlarge", 64.0), item("p9.x", 1.0)])
    monkeypatch.setitem(sys.modules, "gpuhunt", module)
    return module


def test_gpuhunt_is_asked_once_for_aws_on_demand(gpuhunt: SimpleNamespace, tmp_path: Path) -> None:
    ran = refresh(tmp_path, "--out", "new.yaml", table=ACCELERATORS, of="gpuhunt")
    assert (ran.code, ran.err) == (0, "")
    assert gpuhunt.asked == [{"provider": "aws", "spot": False}]
    old = Decimal(str(Catalog.shipped().row(ACCELERATORS, "p5en.48xlarge").number("on_demand.eu-north-1")))
    moved = (Decimal(64) - old) / old * 100
    assert f"{old}  " in ran.out
    assert f"{moved:+.1f} %" in ran.out
    (row,) = the_rows(tmp_path / "new.yaml", ACCELERATORS, "aws").values()
    assert row["on_demand"] == {"eu-north-1": 64}
    assert "gpuhunt, catalog of provider aws" in (tmp_path / "new.yaml").read_text()


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ([item("p5en.48xlarge", 0.0)], "it is not above zero"),
        ([item("p5en.48xlarge", -1.0)], "it is not above zero"),
        ([item("p5en.48xlarge", float("nan"))], "it is not above zero"),
        ([item("p5en.48xlarge", float("inf"))], "it is not above zero"),
        ([SimpleNamespace(instance_name="p5en.48xlarge", location="eu-north-1", price=None)], "'None' is not a price"),
        ([item("p5en.48xlarge", 1.0), item("p5en.48xlarge", 2.0)], "2 different prices for p5en.48xlarge"),
        ([], "nothing of prices-aws is listed"),
    ],
)
def test_what_gpuhunt_says_is_judged_as_any_answer(
    items: list[Any], says: str, gpuhunt: SimpleNamespace, tmp_path: Path
) -> None:
    gpuhunt.items = items
    ran = refresh(tmp_path, table=ACCELERATORS, of="gpuhunt")
    assert ran.code == 1
    assert says in ran.err
    assert list(tmp_path.iterdir()) == []


def test_gpuhunt_without_a_catalog_or_not_installed_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def query(**_: Any) -> list[Any]:
        raise OSError("no route to host")

    monkeypatch.setitem(sys.modules, "gpuhunt", SimpleNamespace(query=query))
    ran = refresh(tmp_path, table=ACCELERATORS, of="gpuhunt")
    assert (ran.code, "gpuhunt gives no catalog: OSError: no route to host" in ran.err) == (1, True)
    monkeypatch.setitem(sys.modules, "gpuhunt", None)
    ran = refresh(tmp_path, table=ACCELERATORS, of="gpuhunt")
    assert (ran.code, "pip install 'ai-factory-blueprints[prices]'" in ran.err) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_a_price_file_is_one_that_a_site_may_name_and_its_prices_hold(api: Api, tmp_path: Path) -> None:
    assert api
    done = refresh(tmp_path, "--price-file", "--out", tmp_path / "sites" / "listed.yaml")
    assert done.code == 1, "its folder is not there"
    (tmp_path / "sites").mkdir()
    done = refresh(tmp_path, "--price-file", "--out", tmp_path / "sites" / "listed.yaml")
    assert done.code == 0, done.err
    document = compose(tmp_path / "sites" / "listed.yaml", tmp_path)
    file = validated(PriceFile, bind(document, {}), Catalog.shipped())
    book = Book(Catalog.shipped(), (LoadedPrices(file, document, "sites/listed.yaml"),), "eu-north-1")
    nat, node = book.service("ec2/natGateway", "hour", "USD/h"), book.instance("m8i.2xlarge", "on-demand")
    requests = book.service("sqs/queue", "requests", "USD")
    assert isinstance(nat, Term)
    assert isinstance(node, Term)
    assert isinstance(requests, Term)
    assert [str(each.value.high) for each in (nat, node)] == ["0.048", "0.44982"]
    assert requests.value.high == Decimal("0.0000004"), "of one request, and not of a million"
    assert nat.source.startswith("sites/listed.yaml: ")


def test_a_price_file_has_a_name_that_a_file_can_have(api: Api, tmp_path: Path) -> None:
    assert api
    done = refresh(tmp_path, "--price-file", "--out", tmp_path / "Prices of 2026.yaml")
    assert (done.code, list(tmp_path.iterdir())) == (1, [])
    assert "is no name" in done.err
