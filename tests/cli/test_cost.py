"""`aifactory cost`, and budgets at `check`, `preview` and `up`: what is printed where, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from support.command import Ran, call
from support.estimated import DEMAND, SERVED, costs, site, write
from support.shipped import LIBRARY
from support.verbs import Verbs, verbs

__all__ = ["verbs"]

CONTRACT = """\
aifactory: v1
prices: contract
source: {source}
seen: "2026-11-01"
currency: USD
rows:
  - {{item: m8i.2xlarge, purchase: on-demand, price: 0.4}}
"""
SHIPPED = sorted(path.stem for path in LIBRARY.glob("*.yaml"))
LOOKED_AT = "sovereign-inference"


def cost(path: Path, *options: str) -> Ran:
    return call("cost", path, *options)


def factory(folder: Path, **more: Any) -> Path:
    """A factory with one model whose costs are all stated."""
    return write(folder, site(), **{"parts": SERVED, "demand": {"models": [DEMAND]}, **more})


@pytest.mark.parametrize("columns", [100, 80])
@pytest.mark.parametrize("name", SHIPPED)
def test_tables_of_every_shipped_blueprint_fit(name: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = cost(LIBRARY / f"{name}.yaml")
    assert (ran.code, ran.err) == (0, "")
    assert "\x1b" not in ran.out, "a pipe has no colour"
    assert [line for line in ran.out.splitlines() if len(line) > columns] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_every_line_of_what_we_ship_has_a_price(name: str) -> None:
    rows = list(csv.DictReader(io.StringIO(cost(LIBRARY / f"{name}.yaml", "--format", "csv").out)))
    assert rows
    assert [row for row in rows if row["missing"]] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_json_has_numbers_that_rise_and_add_up(name: str) -> None:
    data = json.loads(cost(LIBRARY / f"{name}.yaml", "--format", "json").out, parse_constant=pytest.fail)
    assert (data["schema"], data["as_of"]) == ("aifactory-cost/v1", "2026-11-29")
    assert bands(data) > 20
    for stack in data["stacks"].values():
        for end in ("low", "expected", "high"):
            lines = sum(line["usd_per_month"][end] for line in stack["lines"])
            # A line is off by half a cent at most.
            assert lines == pytest.approx(stack["usd_per_month"][end], abs=0.005 * (len(stack["lines"]) + 1))
        assert {
            *("usd_per_month", "energy_kwh_per_month", "kg_co2e_per_month", "tokens_per_s", "lines"),
            *("usd_per_million_output_tokens", "missing"),
        } <= set(stack)
        for line in stack["lines"]:
            assert line["formula"]
            assert line["price_source"], line["item"]
    for end in ("low", "expected", "high"):
        sites = sum(stack["usd_per_month"][end] for stack in data["stacks"].values())
        assert sites == pytest.approx(data["total"]["usd_per_month"][end], abs=0.01 * len(data["stacks"]))


def bands(data: Any) -> int:
    """How many bands there are; each rises, and each number is finite and not negative but for margins."""
    if isinstance(data, list):
        return sum(map(bands, data))
    if not isinstance(data, dict):
        return 0
    count = sum(bands(value) for name, value in data.items() if name != "margin_usd_per_month")
    if {"low", "expected", "high"} <= set(data):
        ends = [data[end] for end in ("low", "expected", "high")]
        assert ends == sorted(ends), data
        assert all(isinstance(end, int | float) and math.isfinite(end) and end >= 0 for end in ends), data
        assert all(math.copysign(1, end) > 0 for end in ends), "-0.0 is negative for whoever reads it"
        return count + 1
    return count


def test_the_table_of_a_shipped_blueprint_is_as_it_was(golden: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in (100, 80):
        monkeypatch.setenv("COLUMNS", str(columns))
        golden(f"cost/{LOOKED_AT}-{columns}.txt", cost(LIBRARY / f"{LOOKED_AT}.yaml").out)
    golden(f"cost/{LOOKED_AT}.md", cost(LIBRARY / f"{LOOKED_AT}.yaml", "--format", "markdown").out)


def test_what_is_missing_is_folded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ran = cost(write(tmp_path, site("x" * 40, stated=None), parts=SERVED, demand={"models": [DEMAND]}))
    assert "missing, and in no figure above" in ran.out
    assert [line for line in ran.out.splitlines() if len(line) > 80] == []


def test_a_site_can_be_looked_at_alone(tmp_path: Path) -> None:
    path = write(tmp_path, site("lab"), site("den"))
    data = json.loads(cost(path, "--site", "den", "--format", "json").out)
    assert list(data["stacks"]) == ["demo-den-platform"]
    assert data["total"]["usd_per_month"]["high"] == data["stacks"]["demo-den-platform"]["usd_per_month"]["high"]


@pytest.mark.parametrize(
    "day",
    [
        "2026-02-30",
        "yesterday",
        "20261129",
        "2026-11-29T00:00",
        "0000-00-00",
        "\u0968\u0966\u0968\u096c-\u0967\u0967-\u0968\u096f",
    ],
)
def test_a_day_that_is_none_is_refused(tmp_path: Path, day: str) -> None:
    ran = cost(factory(tmp_path), "--as-of", day)
    assert (ran.code, ran.out) == (1, "")
    assert "is not a day" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("epoch", "day"),
    [("1700000000", "2023-11-14"), ("0", "1970-01-01"), ("99999999999999999999", None), ("\u00b2", None)],
)
def test_the_day_is_that_of_reproducible_builds(
    tmp_path: Path, epoch: str, day: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    ran = cost(factory(tmp_path), "--format", "json")
    assert "Traceback" not in ran.err
    if day is None:
        assert (ran.code, ran.out) == (1, "")
        assert "SOURCE_DATE_EPOCH" in ran.err
    else:
        assert json.loads(ran.out)["as_of"] == day


def test_words_of_people_are_no_formulas_of_spreadsheets(tmp_path: Path) -> None:
    evil = '=HYPERLINK("http://x")'
    path = write(tmp_path, site(stated=costs(source=evil)))
    rows = list(csv.DictReader(io.StringIO(cost(path, "--format", "csv").out)))
    sources = {row["price_source"] for row in rows}
    assert f"'{evil}" in sources
    for row in rows:
        assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_words_of_people_make_no_markdown_and_no_html(tmp_path: Path) -> None:
    data = site(stated=costs(people=None))
    data["cluster"]["storage_classes"][0]["name"] = "shared"
    path = write(tmp_path, data)
    text = cost(path, "--format", "markdown").out
    assert "no price: lab doesn't say who runs the place" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6, 8}


@pytest.mark.parametrize("source", ["a\\x1b[31mred source", "source\\u202e of a contract", "a\\rsource of one"])
def test_escapes_of_terminals_are_refused_or_never_printed(tmp_path: Path, source: str) -> None:
    text = CONTRACT.format(source=f'"{source}"')
    path = write(tmp_path, site(stated=costs(prices=["p/contract.yaml"])), files={"p/contract.yaml": text})
    for form in ("text", "markdown", "csv", "json"):
        ran = cost(path, "--format", form)
        assert not re.search("[\x1b\r\u202e]", ran.out + ran.err), form


# Budgets at the doors


def test_check_refuses_what_a_budget_does_not_pay_for(tmp_path: Path) -> None:
    ran = call("check", factory(tmp_path, budget={"usd_per_month": 1.0}))
    assert ran.code == 1
    assert "factory.yaml:" in ran.err
    assert "the budget is 1.00" in ran.err
    assert call("check", factory(tmp_path, budget={"usd_per_month": 1e9})).code == 0


def test_a_budget_of_all_sites_is_held_when_one_is_looked_at(tmp_path: Path) -> None:
    one = json.loads(cost(write(tmp_path, site("lab")), "--format", "json").out)["total"]["usd_per_month"]["high"]
    path = write(tmp_path, site("lab"), site("den"), budget={"usd_per_month": one * 1.5})
    for words in ((), ("--site", "lab"), ("--site", "den")):
        assert call("check", path, *words).code == 1, words
    assert call("check", write(tmp_path, site("lab"), budget={"usd_per_month": one * 1.5})).code == 0


def test_a_budget_that_another_site_leaves_open_is_not_met(tmp_path: Path) -> None:
    path = write(tmp_path, site("lab"), site("den", stated=costs(people=None)), budget={"usd_per_month": 1e9})
    ran = call("check", path, "--site", "lab")
    assert ran.code == 1
    assert "den doesn't say who runs the place" in ran.err


def test_figures_beyond_all_bounds_are_refused_and_no_defect_of_ours(tmp_path: Path) -> None:
    stated = costs(
        servers=[{"group": "hgx-h200", "price": 1e12}],
        life_years=1e-9,
        currency="EUR",
        exchange={"usd": 1000.0, "source": "stated", "seen": "2026-11-20"},
    )
    ran = cost(write(tmp_path, site(stated=stated)))
    assert (ran.code, ran.out) == (1, "")
    assert "leaves all bounds" in ran.err


@pytest.mark.parametrize("verb", ["preview", "up"])
def test_nothing_is_shown_or_deployed_over_budget(verbs: Verbs, verb: str) -> None:
    text = verbs.blueprint.read_text(encoding="utf-8")
    verbs.blueprint.write_text(f"{text}\nbudget: {{usd_per_month: 1.0}}\n", encoding="utf-8")
    code, out, err = verbs.run(verb, *(["--yes"] if verb == "up" else []))
    assert (code, out) == (1, "")
    assert "the budget is 1.00" in err
    assert verbs.engine.calls == []
    code, _, err = verbs.run(verb, "--site", "fra-dc1", *(["--yes"] if verb == "up" else []))
    assert code == 1, "one site doesn't make all of them cheaper"
    assert verbs.engine.calls == []
