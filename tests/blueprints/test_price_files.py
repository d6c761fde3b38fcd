"""Price files and costs of sites: what is refused, at which line and in which words, and what is accepted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aifactory.cli.work import prepare
from aifactory.components.given_aws_nodes import Purchase
from aifactory.components.problems import Problem, Refused
from aifactory.stacks.estimate.model import Term
from aifactory.stacks.estimate.prices import Book
from support.estimated import COSTS, costs, site, write

HEAD = """\
aifactory: v1
prices: contract
source: a contract that a test states
seen: "2026-11-01"
currency: USD
"""
ROW = "  - {item: m8i.2xlarge, purchase: on-demand, price: 0.4}\n"
CONTRACT = f"{HEAD}rows:\n{ROW}"
NAMED = costs(prices=["p/contract.yaml"])


def refused(folder: Path, text: str = CONTRACT, stated: Any = NAMED, **files: str) -> Problem:
    """The only problem of a project with this contract."""
    more = {name.replace("__", "/") + ".yaml": body for name, body in files.items()}
    path = write(folder, site(stated=stated), files={"p/contract.yaml": text, **more})
    with pytest.raises(Refused) as raised:
        prepare(path)
    [problem] = raised.value.problems
    return problem


def told(folder: Path, problem: Problem) -> tuple[str, str]:
    """The text at which it points, and what it says."""
    assert problem.at is not None
    line = (folder / problem.at.file).read_text(encoding="utf-8").splitlines()[problem.at.line - 1]
    return line[problem.at.column - 1 :], problem.says


PRICES = [
    ("0", "0 is too small"),
    ("-1", "-1 is too small"),
    ("-0.0", "-0.0 is too small"),
    (".nan", '".nan" is not a finite number'),
    (".inf", '".inf" is not a finite number'),
    ("-.inf", '"-.inf" is not a finite number'),
    ('"1,000"', '"1,000" is not a number'),
    ("1,000", "000 starts with a zero: some readers take it for octal, some for decimal"),
    ("1 000", '"1 000" is not a number'),
    ("1_000", '"1_000" is not a number'),
    ("1'000", '"1\'000" is not a number'),
    ("1e400", "1e400 is larger than any number of 64 bits"),
    ("1e13", "1e13 is too large"),
    ("05", "05 starts with a zero: some readers take it for octal, some for decimal"),
    ("true", "true is not a number"),
    ("[1]", "a list of 1 item is not a number"),
    ("0.4 USD", '"0.4 USD" is not a number'),
]


@pytest.mark.parametrize(("price", "says"), PRICES, ids=[price for price, _ in PRICES])
def test_a_price_that_is_none_is_refused_where_it_stands(tmp_path: Path, price: str, says: str) -> None:
    problem = refused(tmp_path, CONTRACT.replace("0.4", price))
    assert problem.at is not None
    assert (problem.at.file, problem.at.line) == ("sites/p/contract.yaml", 7)
    assert problem.says == says
    assert problem.hint


FILES = [
    ("currency: USD\n", "", "the field is missing"),
    ("currency: USD", "currency: usd", '"usd" is not a known currency'),
    ("currency: USD", "currency: XAU", '"XAU" is not a known currency'),
    ("currency: USD", 'currency: ""', None),
    ('seen: "2026-11-01"', 'seen: "2026-02-30"', '"2026-02-30" is not a day of the calendar'),
    ('seen: "2026-11-01"', 'seen: "1999-01-01"', '"1999-01-01" doesn\'t have the right form'),
    ('seen: "2026-11-01"\n', "", "the field is missing"),
    ("source: a contract that a test states", "source: mine", None),
    ("prices: contract", "prices: other", '"other" is not the name of this file, contract'),
    (ROW, ROW + ROW, "m8i.2xlarge is priced twice"),
    ("m8i.2xlarge", "m8i.2xlrge", 'nothing is sold as "m8i.2xlrge"'),
    ("m8i.2xlarge", '"=cmd|calc!A0"', 'nothing is sold as "=cmd|calc!A0"'),
    ("purchase: on-demand, ", "", "m8i.2xlarge without a purchase: an instance has a price for each way of buying"),
    ("m8i.2xlarge", '"ec2/natGateway:hour"', "ec2/natGateway:hour is no instance, and is bought in one way"),
    ("m8i.2xlarge, purchase: on-demand", '"ec2/natGateway:hours"', 'nothing is sold as "ec2/natGateway:hours"'),
    ("price: 0.4", "region: eu-nort-1, price: 0.4", '"eu-nort-1" is not a known region'),
    ("rows:", "extends: [contract.yaml]\nrows:", None),
    ("rows:", "extends: [nowhere.yaml]\nrows:", 'there is no price file "sites/p/nowhere.yaml"'),
    ("rows:", "extends: [../p/contract.yaml]\nrows:", '"../p/contract.yaml" doesn\'t have the right form'),
    ("rows:", "extends: [/etc/hosts]\nrows:", '"/etc/hosts" doesn\'t have the right form'),
    (f"rows:\n{ROW}", "rows: []\n", None),
    ("rows:", "exchange: {usd: 0, source: a bank, seen: '2026-11-01'}\nrows:", "0 is too small"),
]


@pytest.mark.parametrize(("old", "new", "says"), FILES, ids=[new or f"no {old}" for old, new, _ in FILES])
def test_a_price_file_that_is_none_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, says: str | None
) -> None:
    assert CONTRACT.count(old) == 1
    problem = refused(tmp_path, CONTRACT.replace(old, new))
    assert problem.at is not None
    assert problem.at.file == "sites/p/contract.yaml"
    assert says is None or problem.says == says


def test_the_nearest_spelling_of_an_item_is_offered(tmp_path: Path) -> None:
    problem = refused(tmp_path, CONTRACT.replace("m8i.2xlarge", "m8i.2xlrge"))
    assert problem.hint.startswith('did you mean "m8i.2xlarge"?')


def test_a_circle_is_named_with_all_its_files(tmp_path: Path) -> None:
    text = CONTRACT.replace("rows:", "extends: [b.yaml]\nrows:")
    b = text.replace("prices: contract", "prices: b").replace("[b.yaml]", "[contract.yaml]")
    problem = refused(tmp_path, text, p__b=b)
    assert problem.says == (
        "price files extend each other in a circle: sites/p/contract.yaml -> sites/p/b.yaml -> sites/p/contract.yaml"
    )
    assert told(tmp_path, problem)[0].startswith("contract.yaml")


@pytest.mark.parametrize("name", ["p", "p/none.yaml"])
def test_what_is_no_file_is_refused_at_the_site_that_names_it(tmp_path: Path, name: str) -> None:
    problem = refused(tmp_path, stated=costs(prices=[name]))
    assert told(tmp_path, problem) == (name, f'there is no price file "sites/{name}"')


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path, kind: str) -> None:
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "contract.yaml").write_text(CONTRACT, encoding="utf-8")
    root = tmp_path / "project"
    path = write(root, site(stated=NAMED))
    if kind == "folder":
        (root / "sites" / "p").symlink_to(tmp_path / "away")
    else:
        (root / "sites" / "p").mkdir()
        (root / "sites" / "p" / "contract.yaml").symlink_to(tmp_path / "away" / "contract.yaml")
    with pytest.raises(Refused) as raised:
        prepare(path)
    [problem] = raised.value.problems
    assert problem.says == '"sites/p/contract.yaml" leads out of the project'


COSTS_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"currency": None}, "the field is missing"),
    ({"currency": "JPY"}, '"JPY" is not a known currency'),
    ({"network_per_node": 0.0}, "0.0 is too small"),
    ({"network_per_node": -1.0}, "-1.0 is too small"),
    ({"network_per_node": "38,400"}, '"38,400" is not a number or a map'),
    ({"network_per_node": {"low": 2.0, "high": 1.0}}, "2 is above 1"),
    ({"cost_of_capital_percent": 101.0}, "101.0 is too large"),
    ({"cost_of_capital_percent": -0.1}, "-0.1 is too small"),
    ({"life_years": 0.0}, "0.0 is too small"),
    ({"life_years": 16.0}, "16.0 is too large"),
    ({"utilisation_percent": 100.1}, "100.1 is too large"),
    ({"people": {"fte": 0.0, "per_year": 1.0}}, "0.0 is too small"),
    ({"seen": "2026-13-01"}, '"2026-13-01" is not a day of the calendar'),
    ({"servers": COSTS["servers"] * 2}, "hgx-h200 is priced twice"),
    ({"exchange": {"usd": 0.0, "source": "a bank", "seen": "2026-11-01"}}, "0.0 is too small"),
    ({"exchange": {"usd": 1.1, "source": "a bank"}}, "the field is missing"),
]


@pytest.mark.parametrize(("change", "says"), COSTS_REFUSED, ids=[str(change) for change, _ in COSTS_REFUSED])
def test_costs_that_are_none_are_refused_with_their_line(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    problem = refused(tmp_path, stated=costs(**change))
    assert problem.at is not None
    assert problem.at.file == "sites/lab.yaml"
    assert problem.says == says
    assert problem.hint


def book(folder: Path, text: str, region: str = "eu-north-1", **files: str) -> Book:
    """Prices of a site that names this contract."""
    more = {f"p/{name}.yaml": body for name, body in files.items()}
    work = prepare(write(folder, site(stated=NAMED), files={"p/contract.yaml": text, **more}))
    return Book(work.loaded.catalog, work.loaded.sites["lab"].prices, region)


def term(found: Book, purchase: Purchase = "on-demand") -> Term:
    """The price of an instance that the contract has."""
    price = found.instance("m8i.2xlarge", purchase)
    assert isinstance(price, Term), price
    return price


def usd(found: Book, purchase: Purchase = "on-demand") -> str:
    """The same in digits."""
    return str(term(found, purchase).value.expected)


def test_a_contract_holds_before_the_catalog_and_says_so(tmp_path: Path) -> None:
    price = term(book(tmp_path, CONTRACT))
    assert (str(price.value.high), price.source) == ("0.4", "sites/p/contract.yaml: a contract that a test states")


def test_a_price_of_the_region_holds_before_one_of_all(tmp_path: Path) -> None:
    text = CONTRACT + ROW.replace("price: 0.4", "region: eu-north-1, price: 0.3")
    assert usd(book(tmp_path / "a", text)) == "0.3"
    assert usd(book(tmp_path / "b", text, region="us-east-1")) == "0.4"


def test_what_a_file_extends_holds_where_it_says_nothing(tmp_path: Path) -> None:
    text = CONTRACT.replace("rows:", "extends: [b.yaml]\nrows:")
    b = CONTRACT.replace("prices: contract", "prices: b").replace("0.4", "0.9")
    b += ROW.replace("on-demand", "spot").replace("0.4", "0.2")
    found = book(tmp_path, text, b=b)
    assert usd(found) == "0.4"
    assert usd(found, "spot") == "0.2"


def test_a_contract_in_another_currency_is_converted_by_its_own_rate(tmp_path: Path) -> None:
    text = CONTRACT.replace("currency: USD", "currency: EUR").replace(
        "rows:", 'exchange: {usd: 1.25, source: a bank, seen: "2026-10-02"}\nrows:'
    )
    price = term(book(tmp_path, text))
    assert (str(price.value.high), price.seen) == ("0.500", "2026-10-02"), "as old as the older of both"
