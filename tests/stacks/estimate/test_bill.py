"""The estimate as a bill: FOCUS rows, prices for OpenCost, and rules that compare it with what is measured."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
import yaml

from aifactory.cli.pricing import estimated
from aifactory.cli.work import Work, prepare
from aifactory.components.economics.powering import HOURS
from aifactory.components.gpu_node_pool.aws.model import AwsFlexPlan
from aifactory.stacks.estimate.bill import FOCUS, focus_csv, opencost_csv, opencost_values
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.energy import burnt
from aifactory.stacks.estimate.estimating import cases
from aifactory.stacks.estimate.measuring import rules
from aifactory.stacks.estimate.model import SiteEstimate
from support.command import call
from support.source_tree import ROOT
from support.watching import exported, series_of

DAY = "2026-11-29"
SHIPPED = sorted((ROOT / "blueprints" / "library").glob("*.yaml"))
TINY = Decimal("0.01")
"""Six decimals a row, some dozens of rows."""


@cache
def _work(path: Path) -> Work:
    return prepare(path)


def _sites() -> Iterator[tuple[str, Path, str]]:
    for path in SHIPPED:
        for site in _work(path).loaded.sites:
            yield f"{path.stem}-{site}", path, site


SITES = list(_sites())
each_site = pytest.mark.parametrize(("path", "site"), [each[1:] for each in SITES], ids=[each[0] for each in SITES])


def _found(path: Path, site: str) -> tuple[SiteEstimate, Case]:
    work = _work(path)
    estimate = next(each for each in estimated(work, DAY).sites if each.site == site)
    return estimate, cases(work.plan, work.loaded, work.stacks)[site]


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def _sum(rows: list[dict[str, str]], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


@each_site
def test_effective_costs_of_focus_are_what_the_estimate_expects(path: Path, site: str) -> None:
    estimate, case = _found(path, site)
    rows = _rows(focus_csv(estimate, case, DAY))
    assert abs(_sum(rows, "EffectiveCost") - estimate.cost.figure.expected) < TINY
    assert {row["ChargeCategory"] for row in rows} <= {"Purchase", "Usage"}
    assert all(list(row) == list(FOCUS) for row in rows)


@each_site
def test_what_is_owned_is_billed_once_as_cash_and_never_again_by_the_month(path: Path, site: str) -> None:
    estimate, case = _found(path, site)
    rows = _rows(focus_csv(estimate, case, DAY))
    owned = [line for line in estimate.lines if line.formula == "F1" and line.known]
    bought = [row for row in rows if row["ChargeCategory"] == "Purchase"]
    cash = sum((line.quantity.expected * line.terms[0].value.expected for line in owned), Decimal(0))
    assert abs(_sum(bought, "BilledCost") - cash) < TINY
    assert _sum(bought, "EffectiveCost") == 0
    used = {row["ResourceName"]: row for row in rows if row["ChargeCategory"] == "Usage"}
    assert all(Decimal(used[line.item]["BilledCost"]) == 0 for line in owned)


def test_a_period_of_focus_ends_where_the_next_begins() -> None:
    estimate, case = _found(ROOT / "blueprints/library/edge-slm.yaml", "lys-edge1")
    row = _rows(focus_csv(estimate, case, "2026-12-31"))[0]
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == ("2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z")


@each_site
def test_opencost_finds_each_node_once_and_all_of_them_cost_the_estimate(path: Path, site: str) -> None:
    estimate, case = _found(path, site)
    rows = _rows(opencost_csv(estimate, case, DAY))
    assert rows
    assert max(Counter(row["InstanceID"] for row in rows).values()) == 1
    if case.site.venue == "aws":
        nodes = {pool.instance_type: _running(estimate, pool.part) for pool in case.pools}
        system = case.site.aws.system_nodes  # type: ignore[union-attr]
        nodes[system.instance_type] = Decimal(system.nodes)
    else:
        nodes = dict.fromkeys((row["InstanceID"] for row in rows), Decimal(1))
    hourly = sum((Decimal(row["MarketPriceHourly"]) * nodes[row["InstanceID"]] for row in rows), Decimal(0))
    assert abs(hourly * HOURS - estimate.cost.figure.expected) < 1


def _running(estimate: SiteEstimate, pool: str) -> Decimal:
    hours = [line.quantity.expected for line in estimate.lines if line.pool == pool and line.unit == "hour"]
    return sum(hours, Decimal(0)) / HOURS


def test_values_for_opencost_are_those_of_its_chart(chart_values: Mapping[str, object]) -> None:
    estimate, _ = _found(ROOT / "blueprints/library/edge-slm.yaml", "lys-edge1")

    def known(ours: object, theirs: object, at: str) -> None:
        if not isinstance(ours, Mapping) or not isinstance(theirs, Mapping) or not theirs:
            return
        for name, value in ours.items():
            assert name in theirs, f"{at}.{name} is no value of the chart"
            known(value, theirs[name], f"{at}.{name}")

    known(opencost_values(estimate), chart_values, "")


@pytest.fixture
def chart_values() -> Mapping[str, object]:
    """Values of OpenCost's chart, which lie beside the repository."""
    path = ROOT.parent / "shared" / "chart-values" / "opencost" / "values.yaml"
    if not path.exists():
        pytest.skip("the values of charts lie beside the repository, or nowhere")
    found: Mapping[str, object] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


@each_site
def test_rules_ask_for_series_that_an_exporter_or_the_factory_itself_writes(path: Path, site: str) -> None:
    estimate, case = _found(path, site)
    found = rules(estimate, case)
    groups = found["groups"]
    assert isinstance(groups, list)
    written = [rule for group in groups for rule in group["rules"]]
    assert bool(written) == any(model.tokens_out.low for model in estimate.models)
    asked = {name for rule in written for name in series_of(rule["expr"])}
    ours = {rule["record"] for rule in written} | {"aifactory:gpu_pool:node"}  # recorded by the pool's own rules
    assert asked - ours - set(exported()) == set()
    for rule in written:
        labels = rule["labels"]
        assert (labels["site"], labels["model"]) == (site, labels["model"])
        assert rule["record"].startswith("aifactory:")
    ends = Counter((rule["record"], rule["labels"].get("end"), rule["labels"]["part"]) for rule in written)
    assert max(ends.values(), default=1) == 1, "one series a name and end"


@each_site
def test_rules_share_the_energy_of_a_pool_as_its_cost_is_shared(path: Path, site: str) -> None:
    estimate, case = _found(path, site)
    groups = rules(estimate, case)["groups"]
    assert isinstance(groups, list)
    told = {
        rule["labels"]["part"]: Decimal(rule["expr"].removeprefix("vector(").removesuffix(")"))
        for group in groups
        for rule in group["rules"]
        if rule["record"].startswith("aifactory:kwh") and rule["labels"]["end"] == "expected"
    }
    for pool in case.pools:
        here = {served.part for served in case.models_of(pool.part)}
        models = [each for each in estimate.models if each.part in told and each.part in here]
        taken = sum((told[each.part] * each.tokens_out.expected / 1_000_000 for each in models), Decimal(0))
        burnt_there = next(each.kwh for each in burnt(case) if each.pool == pool.part).expected
        assert taken < burnt_there + 1
        if models and isinstance(pool.plan, AwsFlexPlan):
            assert abs(taken - burnt_there) < 1, "its nodes run for these models alone"


def test_what_lacks_a_price_is_marked_in_each_total(tmp_path: Path) -> None:
    done = call("init", tmp_path / "mine", "--from", "edge-slm")
    assert done.code == 0, done.err
    file = tmp_path / "mine" / "sites" / "lys-edge1.yaml"
    text = file.read_text(encoding="utf-8")
    assert "  network_per_node: 700.0\n" in text
    file.write_text(text.replace("  network_per_node: 700.0\n", ""), encoding="utf-8")
    whole = call("cost", ROOT / "blueprints/library/edge-slm.yaml", "--format", "markdown").out.splitlines()
    lacking = call("cost", tmp_path / "mine" / "factory.yaml", "--format", "markdown").out.splitlines()
    assert whole[0].endswith(" USD a month")
    assert lacking[0].endswith(" USD a month + what is missing")
    row = next(line for line in lacking if line.startswith("| `edge-slm-lys-edge1-platform` |"))
    assert row.split(" | ")[1].endswith(" +")


def test_cost_writes_its_files_whole_and_a_second_time_changes_none(tmp_path: Path) -> None:
    path = ROOT / "blueprints/library/edge-slm.yaml"
    first = call("cost", path, "--out", tmp_path / "out")
    again = call("cost", path, "--out", tmp_path / "out")
    assert (first.code, again.code) == (0, 0), first.err + again.err
    assert "8 files (8 written)" in first.out
    assert "8 files (0 written)" in again.out
    folder = tmp_path / "out" / "edge-slm-lys-edge1-platform"
    assert {file.name for file in folder.iterdir()} >= {"focus.csv", "opencost-prices.csv", "prometheus-rules.yaml"}


def test_cost_overwrites_nothing_that_is_not_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "edge-slm-lys-edge1-platform"
    folder.mkdir(parents=True)
    (folder / "focus.csv").write_text("mine")
    done = call("cost", ROOT / "blueprints/library/edge-slm.yaml", "--out", tmp_path / "out")
    assert done.code == 1
    assert "focus.csv" in done.err
    assert (folder / "focus.csv").read_text() == "mine"
    assert [file.name for file in folder.iterdir()] == ["focus.csv"]
