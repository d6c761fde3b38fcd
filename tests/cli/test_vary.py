"""`aifactory compare --vary`: every combination, planned again where it must be, refused with what is known."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from aifactory.cli import what_if
from support.command import call
from support.shipped import LIBRARY

BURST = LIBRARY / "cloud-burst.yaml"


def vary(*texts: str, path: Path = BURST) -> list[dict[str, Any]]:
    """The variants, as data."""
    words = [word for text in texts for word in ("--vary", text)]
    ran = call("compare", path, *words, "--format", "json")
    assert ran.code == 0, ran.err
    found: list[dict[str, Any]] = json.loads(ran.out)["variants"]
    return found


def test_every_combination_is_there_once_the_last_key_fastest() -> None:
    found = vary("fra-dc1:pue=1.1,1.4", "life_years=4,5,6")
    assert [each["values"] for each in found] == [
        {"fra-dc1:pue": pue, "life_years": life} for pue in ("1.1", "1.4") for life in ("4", "5", "6")
    ]
    costs = [each["usd_per_month"]["expected"] for each in found]
    assert costs == sorted(costs[:3], reverse=True) + sorted(costs[3:], reverse=True)
    assert costs[3] > costs[0]


def test_what_stands_in_the_files_changes_nothing() -> None:
    plain = json.loads(call("cost", BURST, "--format", "json").out)["total"]["usd_per_month"]
    (same,) = vary("fra-dc1:pue=1.25", "fra-dc1:usd_per_kwh=0.19", "demand=1", "ask_peak=18")
    (other,) = vary("fra-dc1:pue=1.26")
    assert other["usd_per_month"]["expected"] > plain["expected"]
    sites = same["sites"]
    assert sites["fra-dc1"]["usd_per_month"] == vary("fra-dc1:pue=1.25")[0]["sites"]["fra-dc1"]["usd_per_month"]


def test_more_demand_is_planned_anew_and_never_costs_less() -> None:
    found = vary("fra-dc1:demand=1,4,16,40", "sto-aws:g6e.12xlarge=5,11.13")
    home = [each["sites"]["fra-dc1"] for each in found[::2]]
    assert [each["gpus"] for each in home] == sorted(each["gpus"] for each in home)
    assert home[-1]["gpus"] > home[0]["gpus"]
    costs = [each["usd_per_month"]["expected"] for each in home]
    assert costs == sorted(costs)


def test_a_plan_is_made_once_for_all_that_differ_in_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    real = what_if.planned

    def counting(*words: Any) -> Any:
        made.append(words)
        return real(*words)

    monkeypatch.setattr(what_if, "planned", counting)
    assert len(vary("demand=1,2", "ask_peak=18,19", "usd_per_kwh=0.1,0.2,0.3")) == 12
    assert len(made) == 4


def test_what_can_t_be_planned_says_why_and_stops_nobody_else() -> None:
    found = vary("demand=1,500")
    assert found[0]["refused"] is None
    assert found[1]["refused"].startswith(("GPU-", "AWS-", "SRV-"))
    assert "usd_per_month" not in found[1]


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["pu=1.1"], 'nothing knows "pu"'),
        (["pue"], '"pue" has an empty value'),
        (["pue=1.1,,1.2"], '"pue" has an empty value'),
        (["pue=0.9"], 'pue: "0.9" is out of its range'),
        (["pue=one"], "pue: 'one' is not a number"),
        (["usd_per_kwh=0"], 'usd_per_kwh: "0" is out of its range'),
        (["usd_per_kwh=1e400"], 'usd_per_kwh: "1e400" is out of its range'),
        (["usd_per_kwh=nan"], "usd_per_kwh: 'nan' is not a finite number"),
        (["utilisation_percent=101"], 'utilisation_percent: "101" is out of its range'),
        (["demand=-1"], 'demand: "-1" is out of its range'),
        (["mars:pue=1.1"], '"mars" is not a site of this blueprint'),
        (["sto-aws:pue=1.1"], "sto-aws:pue changes nothing: nothing of that is owned at sto-aws"),
        (["sto-aws:ask_mean=1"], '"ask_mean" is a parameter of the blueprint, and is varied for all sites'),
        (["pue=1.1", "pue=1.2"], '"pue" is given twice'),
        (["pue=" + "1.1," * 200 + "1.1", "capex=" + "1," * 200 + "1"], "40,401 combinations; 10,000 are the most"),
        (["instance=5"], 'nothing knows "instance"'),
    ],
)
def test_what_nothing_knows_is_refused_with_what_is_known(texts: list[str], says: str) -> None:
    ran = call("compare", BURST, *(word for text in texts for word in ("--vary", text)))
    assert ran.code == 1
    assert says in ran.err


def test_csv_has_a_row_for_each_variant() -> None:
    ran = call("compare", BURST, "--vary", "demand=1,500", "--vary", "capex=1,2", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [(row["demand"], row["capex"]) for row in rows] == [("1", "1"), ("1", "2"), ("500", "1"), ("500", "2")]
    assert float(rows[1]["usd_per_month_expected"]) > float(rows[0]["usd_per_month_expected"])
    assert rows[2]["usd_per_month_expected"] == ""
    assert rows[2]["refused"]


def test_text_shows_the_change_and_fits_100_columns() -> None:
    ran = call("compare", BURST, "--vary", "usd_per_kwh=" + ",".join(f"0.{n:03}" for n in range(1, 71)))
    lines = ran.out.splitlines()
    assert [line for line in lines if len(line) > 100] == []
    assert "  what if: 70 variants" in lines
    assert "  and 10 more, which --format json and csv have" in lines
    assert "| usd\\_per\\_kwh=0.3 |" in call("compare", BURST, "--vary", "usd_per_kwh=0.3", "--format", "markdown").out
