"""`aifactory compare`: build or lease, for people, spreadsheets and machines."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from support.command import call, spawn
from support.edited import edited
from support.shipped import LIBRARY

SHIPPED = sorted(LIBRARY.glob("*.yaml"))
PUBLIC = LIBRARY / "public-inference.yaml"
BURST = LIBRARY / "cloud-burst.yaml"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_blueprint_is_compared_in_100_columns(path: Path) -> None:
    ran = call("compare", path)
    assert ran.code == 0, ran.err
    assert [line for line in ran.out.splitlines() if len(line) > 100] == []
    assert "net present cost" in ran.out


def test_every_comparison_prints_the_four() -> None:
    text = " ".join(call("compare", BURST).out.split())
    assert (
        "rival 2.78 USD per GPU-hour, owned 1.87; GPUs used to 3 % owned and 1 % rented; life 5 years; owned, idle is "
        "paid, rented it is not paid" in text
    )


def test_years_are_as_asked_and_json_has_the_flow_of_each() -> None:
    found = json.loads(call("compare", PUBLIC, "--years", "7,2", "--format", "json").out)
    assert found["schema"] == "aifactory-compare/v1"
    assert found["years"] == [2, 7]
    for option in found["options"]:
        assert [len(span["paid_by_year_usd"]) for span in option["spans"]] == [2, 7]
    owned = next(each for each in found["options"] if each["how"] == "owned")
    flow = [each["expected"] for each in owned["spans"][1]["paid_by_year_usd"]]
    assert flow[4] > flow[3] == flow[5]  # machines live five years
    assert {each["residency"] for each in found["rivals"]} == {"not checked for residency"}
    assert {each["operator"] for each in found["rivals"]} == {"unknown"}


@pytest.mark.parametrize("given", ["", "0", "16", "1,,3", "-1", "1.5", "²", "1;3"])
def test_years_that_are_none_end_with_code_2(given: str) -> None:
    ran = call("compare", PUBLIC, "--years", given)
    assert ran.code == 2
    assert "is not a list of years from 1 to 15, such as 1,3,5" in ran.err


def test_csv_adds_up_to_what_is_paid_over_all_years() -> None:
    ran = call("compare", PUBLIC, "--site", "fra-dc1", "--years", "3", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [row["year"] for row in rows] == ["0", "1", "2", "3"]
    data = json.loads(call("compare", PUBLIC, "--site", "fra-dc1", "--years", "3", "--format", "json").out)
    span = data["options"][0]["spans"][0]
    paid = span["paid_at_once_usd"]["expected"] + sum(each["expected"] for each in span["paid_by_year_usd"])
    summed = sum(float(row["usd_expected"]) for row in rows)
    assert summed == pytest.approx(paid - span["left_at_the_end_usd"]["expected"], abs=0.05)
    assert float(rows[0]["net_present_usd_expected"]) == span["net_present_usd"]["expected"]


def test_one_site_narrows_options_and_rivals() -> None:
    found = json.loads(call("compare", PUBLIC, "--site", "sto-aws", "--format", "json").out)
    assert {each["site"] for each in found["options"]} == {"sto-aws"}
    assert {each["instead_of"] for each in found["rivals"]} == {"sto-aws"}
    assert found["verdicts"] == []


def test_a_commitment_is_compared_once_a_price_file_states_it(tmp_path: Path) -> None:
    row = "  - {item: p5en.48xlarge, region: eu-north-1, purchase: reserved, price: 44.0}\n"
    root = edited(tmp_path, {"sites/prices/example-eu-north-1.yaml": [("rows:\n", f"rows:\n{row}")]})
    found = json.loads(call("compare", root / "library/public-inference.yaml", "--format", "json").out)
    prices = {each["option"]: each["usd_per_gpu_hour"] for each in found["options"]}
    assert prices["sto-aws, reserved"] == {"low": 5.5, "expected": 5.5, "high": 5.5}
    assert ("sto-aws", "reserved") not in {(each["site"], each["how"]) for each in found["not_offered"]}


def test_markdown_is_one_table_with_a_verdict_each() -> None:
    lines = call("compare", BURST, "--format", "markdown").out.splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in table if "net present" in line or "dc1" in line[:12]} <= {9, 10}
    assert sum(line.startswith("- **fra-dc1, owned** against") for line in lines) == 3


def test_a_blueprint_that_can_t_be_planned_is_refused(tmp_path: Path) -> None:
    root = edited(tmp_path, {"library/cloud-burst.yaml": [("itl_ms: 40", "itl_ms: 1")]})
    ran = call("compare", root / "library/cloud-burst.yaml")
    assert ran.code == 1
    assert "SRV-003" in ran.err


def test_the_same_plan_gives_the_same_bytes_in_any_locale() -> None:
    one, other = (
        spawn("compare", BURST, "--format", "json", env={"LC_ALL": locale, "PYTHONHASHSEED": seed})
        for locale, seed in (("C", "1"), ("de_DE.UTF-8", "2"))
    )
    assert one.code == other.code == 0
    assert one.out == other.out


def test_charts_are_written_and_named(tmp_path: Path) -> None:
    ran = call("compare", BURST, "--swing", "20", "--charts", tmp_path / "out", "--format", "json")
    assert ran.code == 0, ran.err
    names = ["cost-over-time.svg", "cost-and-carbon.svg", "tornado-fra-dc1.svg", "tornado-sto-aws.svg"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(names)
    assert "wrote 4 charts" in ran.err
    found = json.loads(ran.out)
    assert {each["site"] for each in found["tornado"]} == {"fra-dc1", "sto-aws"}
    assert found["one_number"] == []


def test_without_the_library_charts_are_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aifactory.cli.chart_files.find_spec", lambda _: None)
    ran = call("compare", BURST, "--charts", tmp_path / "out")
    assert ran.code == 1
    assert "charts are drawn by matplotlib, which is not installed" in ran.err
    assert "pip install 'ai-factory-blueprints[charts]'" in ran.err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    assert call("compare", BURST, "--charts", tmp_path / "taken" / "below").code == 1


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_moves_the_answer_fits_100_columns_too(path: Path) -> None:
    ran = call("compare", path, "--swing", "30")
    assert ran.code == 0, ran.err
    assert [line for line in ran.out.splitlines() if len(line) > 100] == []
