"""`aifactory explain` on figures of the estimate: each step can be worked out again with what is printed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from aifactory.cli.work import prepare
from aifactory.stacks.estimate.estimating import cases, of_site
from aifactory.stacks.estimate.explaining import ALIASES, ROOTS, Explaining, meant, slug
from support.command import Ran, call, spawn
from support.written import BLUEPRINT, SITE, changed, write_project

SHIPPED = Path(__file__).parents[2] / "blueprints" / "library"
SERVING = SHIPPED / "sovereign-inference.yaml"
STACK = "sovereign-inference-fra-dc1-platform"
COSTS = """\
costs:
  source: quote of a vendor
  seen: "2026-11-01"
  currency: USD
  cost_of_capital_percent: 8.0
  life_years: 5.0
  residual_percent: 10.0
  maintenance_percent: 6.0
  idle_nodes: factory
  servers:
    - {group: gpu, price: 300000.0}
  space_per_kw_month: 100.0
  people: {fte: 1.5, per_year: 120000.0}
  ai_enterprise: true
"""
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")


def figures(path: Path, what: str, *words: str) -> dict[str, list[dict[str, Any]]]:
    """Figures that a path names, by stack."""
    ran = call("explain", path, what, *words, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    data = json.loads(ran.out)
    assert set(data) == {"schema", "path", "stacks", "figures"}
    assert (data["schema"], data["path"], data["stacks"]) == ("aifactory-explain/v1", what, {})
    found: dict[str, list[dict[str, Any]]] = data["figures"]
    return found


def one(tmp_path: Path, what: str, costs: str = COSTS) -> dict[str, Any]:
    """The only figure of the small factory that a path names."""
    (figure,) = figures(write_project(tmp_path, lab=SITE + costs), what)["demo-lab-platform"]
    return figure


def worked_out(text: str) -> float:
    """What a printed sum comes to."""
    plain = _THOUSANDS.sub("", text).replace("^", "**")
    assert re.fullmatch(r"[\d.+\-*/() ,]*(?:(?:min|max)[\d.+\-*/() ,]*)*", plain), plain
    return float(eval(plain))


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_step_of_every_figure_comes_to_what_it_says(path: Path) -> None:
    work = prepare(path)
    for case in cases(work.plan, work.loaded, work.stacks).values():
        here = Explaining(of_site(case), case)
        for name in here.paths:
            for figure in here.matching(name):
                for step in figure.steps:
                    for end, worked in zip(("low", "expected", "high"), step.worked, strict=True):
                        value = float(getattr(step.figure, end))
                        assert worked_out(worked) == pytest.approx(value, rel=2e-5, abs=1e-6), (name, step.what, end)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_last_step_or_the_sum_is_the_figure_itself(path: Path) -> None:
    """Of models the first step is it, and what a million tokens take follows."""
    work = prepare(path)
    for case in cases(work.plan, work.loaded, work.stacks).values():
        here = Explaining(of_site(case), case)
        for name in here.paths:
            for figure in here.matching(name):
                if figure.figure is None or not figure.figure.high:
                    continue
                ends = [step.figure for step in figure.steps]
                summed = [each.figure for each in figure.sums if each.figure is not None]
                total = sum(float(each.expected) for each in summed)
                is_sum = summed and total == pytest.approx(float(figure.figure.expected))
                assert figure.figure in ends or is_sum, figure.path


def test_every_line_has_a_path_of_its_own_and_all_add_up_to_the_cost() -> None:
    (cost,) = figures(SERVING, "cost", "--site", "fra-dc1")[STACK]
    paths = [each["path"] for each in cost["sums"]]
    assert len(set(paths)) == len(paths) == 16
    assert sum(each["value"]["expected"] for each in cost["sums"]) == pytest.approx(cost["value"]["expected"])
    lines = figures(SERVING, "cost.lines", "--site", "fra-dc1")[STACK]
    assert [(line["path"], line["value"]) for line in lines] == [(each["path"], each["value"]) for each in cost["sums"]]
    serve = figures(SERVING, "cost.serve", "--site", "fra-dc1")[STACK][0]
    assert [each["path"] for each in serve["sums"]] == [path for path in paths if path.startswith("cost.serve.")]


def test_the_figures_are_those_of_cost() -> None:
    cost = json.loads(call("cost", SERVING, "--as-of", "2026-11-20", "--format", "json").out)["stacks"][STACK]
    for name, alias in ALIASES.items():
        if name in cost:
            (figure,) = figures(SERVING, name, "--site", "fra-dc1")[STACK]
            assert figure["path"] == alias
            for end in ("low", "expected", "high"):
                assert figure["value"][end] == pytest.approx(cost[name][end], rel=1e-4), name
    models = {each["path"]: each["value"] for each in figures(SERVING, "models", "--site", "fra-dc1")[STACK]}
    assert {f"models.{each['part']}" for each in cost["models"]} == set(models)
    for each in cost["models"]:
        assert models[f"models.{each['part']}"]["high"] == pytest.approx(each["usd_per_month"]["high"], abs=0.01)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("cost", "cost"),
        ("cost.usd_per_month", "cost"),
        ("usd_per_month", "cost"),
        ("cost.lines", "cost.lines"),
        ("lines", "cost.lines"),
        ("cost.energy", "energy"),
        ("cost.carbon", "carbon"),
        ("cost.models.chat", "models.chat"),
        ("cost.tenants", "tenants"),
        ("utilization", "utilisation"),
        ("cost.usd_per_million_output_tokens", "usd_per_million"),
        ("cost.serve", "cost.serve"),
        ("cost.serve.energy", "cost.serve.energy"),
    ],
)
def test_other_names_of_a_path(path: str, expected: str) -> None:
    assert meant(path) == expected


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("energy of hgx-h200 nodes", "energy-of-hgx-h200-nodes"),
        ("g6e.12xlarge, on-demand", "g6e-12xlarge-on-demand"),
        ("Köln", "köln"),
        ("…", "line"),
    ],
)
def test_items_as_steps_of_a_path(item: str, expected: str) -> None:
    assert slug(item) == expected


WORKED = [
    # 270,000 USD are paid back by an annuity of 0.2504564546 a year, 30,000 cost 8 % a year: 70,023.24, and of 2 nodes.
    ("cost.train.gpu-nodes", "(300,000 - 30,000 / (1 + 0.08)^5) * 0.08 / (1 - (1 + 0.08)^-5) / 12", 11_670.54),
    ("cost.train.upkeep-of-gpu-nodes", "300,000 * 0.06 / 12", 3_000.00),
    ("cost.train.nvidia-ai-enterprise", "4,500 * 1 / 12", 6_000.00),
    ("cost.site.people", "120,000 / 12", 15_000.00),
    # Two of 10.2 kW and one of 0.8.
    ("cost.site.space-and-cooling", "21.2 * 100", 2_120.00),
]


@pytest.mark.parametrize(("path", "worked", "amount"), WORKED)
def test_a_figure_with_its_numbers_put_in(tmp_path: Path, path: str, worked: str, amount: float) -> None:
    figure = one(tmp_path, path)
    assert worked in [step["worked"]["expected"] for step in figure["steps"]]
    assert figure["value"]["expected"] == pytest.approx(amount, abs=0.005)


def test_money_that_costs_nothing_has_the_other_formula(tmp_path: Path) -> None:
    figure = one(tmp_path, "cost.train.gpu-nodes", COSTS.replace("percent: 8.0", "percent: 0.0"))
    assert figure["steps"][0]["worked"]["expected"] == "(300,000 - 30,000) / 5 / 12"


def test_a_long_life_is_the_cheap_end(tmp_path: Path) -> None:
    figure = one(tmp_path, "cost.train.gpu-nodes", COSTS.replace("  life_years: 5.0\n", ""))
    low, high = (figure["steps"][0]["worked"][end] for end in ("low", "high"))
    assert "^6" in low
    assert "^4" in high
    (life,) = [each for each in figure["inputs"] if each["name"] == "life"]
    assert (life["assumed"], life["low"], life["high"]) == (True, 4.0, 6.0)
    assert life["sources"]


def test_inputs_say_value_unit_source_day_and_what_is_assumed_or_made_up() -> None:
    (figure,) = figures(SERVING, "cost.serve.energy-of-hgx-h200-nodes", "--site", "fra-dc1")[STACK]
    found = {each["name"]: each for each in figure["inputs"]}
    keys = {"name", "low", "expected", "high", "unit", "source", "seen", "assumed", "example", "sources"}
    assert all(set(each) == keys for each in found.values())
    assert found["energy"]["expected"] == 0.19
    assert found["other GPUs"]["example"]
    assert found["loaded share of nameplate"]["sources"][0].startswith("mlcommons/")
    out = " ".join(call("explain", SERVING, "energy", "--site", "fra-dc1").out.split())
    assert "input nodes without GPUs = 0 / 0.5 / 1 share; assumed, nobody states it" in out
    assert "input other GPUs = 0.45 share; example, example figures of no place that exists, seen 2026-11-01" in out


def test_what_is_missing_is_told_and_never_nought(tmp_path: Path) -> None:
    figure = one(tmp_path, "cost.site.service-nodes")
    assert (figure["value"], figure["steps"]) == (None, [])
    assert figure["missing"][0]["hint"].startswith("write costs.servers")
    path = write_project(tmp_path, lab=SITE + COSTS)
    assert "= unknown" in call("explain", path, "cost.site.service-nodes").out
    assert "+ cost.site.service-nodes: service nodes = no price" in call("explain", path, "cost").out
    assert "missing: " in call("explain", path, "water").out
    assert "water = unknown" in call("explain", path, "water").out


def test_a_decision_of_that_name_wins(tmp_path: Path) -> None:
    named = BLUEPRINT.replace("name: train", "name: energy").replace("[train]", "[energy]")
    path = write_project(tmp_path, named, lab=SITE + COSTS)
    data = json.loads(call("explain", path, "energy", "--format", "json").out)
    assert set(data) == {"schema", "path", "stacks"}
    assert "energy.nodes" in data["stacks"]["demo-lab-platform"]
    assert figures(path, "cost.energy")["demo-lab-platform"][0]["title"] == "what energy costs"
    assert figures(path, "energy_kwh_per_month")["demo-lab-platform"][0]["path"] == "energy"


def wrong(tmp_path: Path, what: str) -> Ran:
    """A path that names nothing."""
    ran = call("explain", write_project(tmp_path, lab=SITE + COSTS), what)
    assert (ran.code, ran.out) == (1, "")
    return ran


@pytest.mark.parametrize(
    ("what", "says", "hint"),
    [
        ("cost.trian", 'no figure of the estimate is called "cost.trian"', 'did you mean "cost.train"?'),
        ("cost.train.gpu-node", "no figure of the estimate", 'did you mean "cost.train.gpu-nodes"?'),
        ("cots", 'nothing was decided about "cots"', 'did you mean "cost"? Known: '),
        ("energi", "nothing was decided about", 'did you mean "energy"?'),
        ("models.chat", "no figure of the estimate", "Known: "),
        ("tran", "nothing was decided about", 'did you mean "train"? Known: cluster, fabric, teams, train; of the '),
        ("cost.", "no figure of the estimate", "Known: "),
        ("cost..x", "no figure of the estimate", "Known: "),
        ("train.node", "nothing was decided about", 'did you mean "train.nodes"?'),
    ],
)
def test_a_wrong_path_gets_the_nearest(tmp_path: Path, what: str, says: str, hint: str) -> None:
    ran = wrong(tmp_path, what)
    assert ran.err.startswith(says)
    assert hint in ran.err


def test_a_wrong_path_names_what_an_estimate_has(tmp_path: Path) -> None:
    assert f"of the estimate: {', '.join(ROOTS)}" in wrong(tmp_path, "nothing").err


def test_sites_are_explained_each_and_can_be_narrowed() -> None:
    assert list(figures(SERVING, "cost")) == [STACK, "sovereign-inference-ams-colo1-platform"]
    assert list(figures(SERVING, "cost", "--site", "fra-dc1")) == [STACK]


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("what", ["cost", "cost.lines", "energy", "models", "utilisation"])
def test_figures_fit_the_terminal(columns: int, what: str) -> None:
    out = spawn("explain", SERVING, what, env={"COLUMNS": str(columns)}).out
    assert "expected" in out
    wide = [line for line in out.splitlines() if len(line) > columns and " " in line.strip()]
    assert wide == []


def test_a_changed_price_changes_the_sum_that_is_shown(tmp_path: Path) -> None:
    before = one(tmp_path / "a", "cost.site.people")
    after = one(tmp_path / "b", "cost.site.people", changed(COSTS, "per_year: 120000.0", "per_year: 240000.0"))
    assert after["value"]["expected"] == 2 * before["value"]["expected"] == 30_000.0
