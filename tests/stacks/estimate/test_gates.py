"""Each gate holds at its limit and breaks one unit beyond it, at the line that is to be changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.economics.figures import Figure, just
from aifactory.components.problems import Problem
from aifactory.components.training.spec import TrainingSpec
from aifactory.stacks.estimate.gates import RULES
from aifactory.stacks.estimate.model import Lack, Line, Result, Term
from support import estimated as small
from support.estimated import DAY, Estimated, amounts, costs, estimated, nodes, site, write

LEAST = Decimal("1e-24")
"""One unit in a place that nothing shown has."""
BUDGET = {"usd_per_month": 1e9}
LACK = Lack("nobody says what this costs", "write it", ("costs", "people"))
TRAINING: dict[str, Any] = {
    "kind": "training",
    "name": "pretrain",
    "pool": "pool",
    "tenant": "research",
    "nodes": 1,
    "image": "registry.example.com/tuning/trainer:2026.11.1",
    "command": ["torchrun"],
    "checkpoint": {"size_gib": 512, "storage_class": "shared"},
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Estimated:
    """A site that answers with one model, of which everything is stated but its water."""
    folder = tmp_path_factory.mktemp("served")
    return estimated(write(folder, site(), parts=small.SERVED, demand={"models": [small.DEMAND]}))


def whose(found: Estimated, **changes: Any) -> Estimated:
    """The same estimate with other figures at its site."""
    return Estimated(found.work, replace(found.found, sites=(replace(found.site, **changes),)))


def read(days: int) -> list[Line]:
    """A line whose price was read so many days before the estimate."""
    seen = (date.fromisoformat(DAY) - timedelta(days=days)).isoformat()
    return [replace(amounts("1")[0], price=Term("a price", just(1), "USD", "a price list", seen))]


def per_million(name: str, worst: Decimal) -> Callable[[Estimated], Estimated]:
    """A result of a million tokens that only its worst end takes to a limit."""
    figure = Figure(Decimal(0), Decimal(1), worst)
    return lambda found: whose(found, **{name: Result(figure, "a million", "F12")})


def carbon_of(year: int) -> Callable[[Estimated], Estimated]:
    """Carbon by the grid of a year."""

    def made(found: Estimated) -> Estimated:
        term = Term("grid", just(300), "g/kWh", "a grid", f"{year}-12-31")
        return whose(found, carbon=Result(just(1), "kg", "F8", (term,)))

    return made


Change = Callable[[Estimated], Estimated]


def lines(*usd: str) -> Change:
    """Lines of these amounts."""
    return lambda found: found.of_lines(amounts(*usd))


def lacking(found: Estimated) -> Estimated:
    """A line without a price."""
    return found.of_lines([*amounts("1"), Line("site", "people", just(1), "post", "F18", lacks=LACK)])


def used(share: str) -> Change:
    """GPUs that are used to this share."""
    return lambda found: whose(found, utilisation=Result(just(share), "share", "F3"))


def example(is_one: bool) -> Change:
    """A price that is an example, or isn't."""
    return lambda found: found.of_lines([replace(read(0)[0], price=replace(price_of(read(0)), example=is_one))])


def price_of(found: list[Line]) -> Term:
    """The price of a line that has one."""
    assert found[0].price is not None
    return found[0].price


TABLE: list[tuple[str, dict[str, Any], Change, Change]] = [
    ("EST-001", {"budget": {"usd_per_month": 1000.0}}, lines("999.99", "0.01"), lines("1000", str(LEAST))),
    (
        "EST-002",
        {"budget": {"usd_per_million_output_tokens": 32.0}},
        per_million("usd_per_million", Decimal(32)),
        per_million("usd_per_million", 32 + LEAST),
    ),
    (
        "EST-003",
        {"energy": {"kwh_per_million_tokens": 10.1}},
        per_million("kwh_per_million", Decimal("10.1")),
        per_million("kwh_per_million", Decimal("10.1") + LEAST),
    ),
    (
        "EST-004",
        {"energy": {"kg_co2e_per_million_tokens": 3.3}},
        per_million("kg_per_million", Decimal("3.3")),
        per_million("kg_per_million", Decimal("3.3") + LEAST),
    ),
    ("EST-005", {"budget": BUDGET}, lambda found: found.of_lines(read(90)), lambda found: found.of_lines(read(91))),
    ("EST-005", {"budget": BUDGET}, lambda found: found.of_lines(read(89)), lambda found: found.of_lines(read(3650))),
    ("EST-005", {"budget": BUDGET}, lambda found: found.of_lines(read(-1)), lambda found: found.of_lines(read(-2))),
    (
        "EST-005",
        {"budget": {**BUDGET, "oldest_price_days": 1}},
        lambda found: found.of_lines(read(1)),
        lambda found: found.of_lines(read(2)),
    ),
    ("EST-006", {}, lambda found: found.of_lines(read(30)), lambda found: found.of_lines(read(31))),
    ("EST-007", {"budget": BUDGET}, lines("1"), lacking),
    ("EST-008", {"budget": {**BUDGET, "unpriced": True}}, lines("1"), lacking),
    ("EST-009", {"budget": {"most_utilisation_percent": 50.0}}, used("0.5"), used(str(Decimal("0.5") + LEAST))),
    ("EST-012", {"budget": BUDGET}, example(False), example(True)),
    ("EST-013", {}, carbon_of(2023), carbon_of(2022)),
    ("EST-014", {}, lines("0"), lambda found: found.of_lines(lacking(found).site.lines[1:])),
]
"""Rule, limits, an estimate that keeps them by a hair, and one that doesn't."""


@pytest.mark.parametrize(("rule", "limits", "holds", "breaks"), TABLE, ids=[row[0] for row in TABLE])
def test_a_gate_holds_at_its_limit_and_breaks_one_unit_beyond(
    rule: str, limits: dict[str, Any], holds: Change, breaks: Change, served: Estimated
) -> None:
    kept = holds(served).held(**limits)
    assert kept.broken(rule) == []
    assert kept.gates.evaluated[rule] >= 1, "a gate that isn't asked proves nothing"
    [problem] = breaks(served).held(**limits).broken(rule)
    assert problem.severity == {each.id: each.level for each in RULES}[rule]
    assert problem.at is not None
    assert problem.hint


def test_every_gate_is_tried() -> None:
    here = {row[0] for row in TABLE} | {"EST-010", "EST-011"}
    assert {rule.id for rule in RULES if rule.id <= "EST-014"} == here


def test_a_training_from_the_threshold_on_is_refused_unless_it_is_exempt(tmp_path: Path) -> None:
    parts = (small.POOL, small.QUEUE, {**TRAINING, "computes": {"parameters_b": 70.0, "tokens_b": 15000.0}})
    made = estimated(write(tmp_path, site(), parts=parts))
    part = next(part for part in made.work.loaded.sites["lab"].blueprint.parts if part.name == "pretrain")
    assert isinstance(part, TrainingSpec)
    assert part.computes is not None
    flop = part.computes.flop
    assert flop == pytest.approx(6 * 70e9 * 15e12)
    assert made.held(training_limit={"flop": math.nextafter(flop, math.inf)}).broken("EST-010") == []
    [problem] = made.held(training_limit={"flop": flop}).broken("EST-010")
    assert pointed(tmp_path, problem) == "parameters_b:", "the first line of what it computes"
    assert made.held(training_limit={"flop": flop, "exempt": ["pretrain"]}).broken("EST-010") == []
    assert made.held(training_limit={"flop": flop, "exempt": ["pretrai"]}).broken("EST-010"), "no prefix exempts"


def test_a_training_of_which_nobody_says_what_it_computes_is_refused(tmp_path: Path) -> None:
    made = estimated(write(tmp_path, site(), parts=(small.POOL, small.QUEUE, TRAINING)))
    [problem] = made.held(training_limit={"flop": 1e25}).broken("EST-010")
    assert "nothing says how much pretrain computes" in problem.says


@pytest.mark.parametrize(("cent", "broken"), [("0", 0), ("0.01", 1)])
def test_a_tenant_whose_budget_is_a_cent_short_pays_for_a_gpu_less(tmp_path: Path, cent: str, broken: int) -> None:
    free = estimated(write(tmp_path / "free", site()))
    needs = next(each for each in free.site.tenants if each.tenant == "research").usd_per_month.high
    budget = float(needs.quantize(Decimal("0.01"), "ROUND_UP") - Decimal(cent))
    tenants = [{"name": "research", "gpus": 8, "usd_per_month": budget}, {"name": "product", "gpus": 8}]
    made = estimated(write(tmp_path / "held", site(), parts=(small.POOL, {**small.QUEUE, "tenants": tenants})))
    problems = made.broken("EST-011")
    assert len(problems) == broken
    for problem in problems:
        assert "pays for 7" in problem.says
        assert pointed(tmp_path / "held", problem) == "usd_per_month:"


def pointed(root: Path, problem: Problem) -> str:
    """The key at the line that a problem points to."""
    assert problem.at is not None
    line = (root / problem.at.file).read_text(encoding="utf-8").splitlines()[problem.at.line - 1]
    words = line.replace("- ", "").split()
    if len(words) > 2 or not words[0].endswith(":"):
        line = (root / problem.at.file).read_text(encoding="utf-8").splitlines()[problem.at.line - 2]
        words = line.replace("- ", "").split()
    return words[0]


@pytest.mark.parametrize(
    ("rule", "limits", "stated", "file", "key"),
    [
        ("EST-001", {"budget": {"usd_per_month": 1.0}}, {}, "factory.yaml", "usd_per_month:"),
        (
            "EST-002",
            {"budget": {"usd_per_million_output_tokens": 0.01}},
            {},
            "factory.yaml",
            "usd_per_million_output_tokens:",
        ),
        ("EST-003", {"energy": {"kwh_per_million_tokens": 0.01}}, {}, "factory.yaml", "kwh_per_million_tokens:"),
        (
            "EST-004",
            {"energy": {"kg_co2e_per_million_tokens": 0.01}},
            {},
            "factory.yaml",
            "kg_co2e_per_million_tokens:",
        ),
        (
            "EST-009",
            {"budget": {"most_utilisation_percent": 0.5}},
            {},
            "factory.yaml",
            "most_utilisation_percent:",
        ),
        ("EST-012", {"budget": BUDGET}, {"example": True}, "sites/lab.yaml", "example:"),
        ("EST-007", {"budget": BUDGET}, {"people": None}, "sites/lab.yaml", "costs:"),
    ],
)
def test_a_gate_points_to_the_line_that_is_to_be_changed(
    tmp_path: Path, rule: str, limits: dict[str, Any], stated: dict[str, Any], file: str, key: str
) -> None:
    data = site(stated=costs(**stated))
    path = write(tmp_path, data, parts=small.SERVED, demand={"models": [small.DEMAND]}, **limits)
    [problem] = estimated(path).broken(rule)
    assert problem.at is not None
    assert problem.at.file == file
    assert pointed(tmp_path, problem) == key


# What a budget is not met by


def test_a_thousand_lines_of_less_than_half_a_cent_count(served: Estimated) -> None:
    made = served.of_lines(amounts(*["0.004"] * 1000))
    assert made.held(budget={"usd_per_month": 4.0}).broken("EST-001") == []
    [problem] = made.held(budget={"usd_per_month": 3.99}).broken("EST-001")
    assert problem.says.startswith("4.00 USD a month")
    assert problem.says.endswith("the budget is 3.99")


def test_a_budget_that_rounding_alone_meets_is_told_apart_by_its_digits(served: Estimated) -> None:
    made = served.of_lines(amounts("41812.004")).held(budget={"usd_per_month": 41812.0})
    [problem] = made.broken("EST-001")
    assert problem.says == ("41,812.004 USD a month at the dearer end, 41,812.00 expected; the budget is 41,812.000")


def test_a_budget_is_held_at_the_dearer_end_and_not_in_the_middle(served: Estimated) -> None:
    line = replace(amounts("1")[0], amount=Figure(Decimal(1), Decimal(2), Decimal("3.01")))
    made = served.of_lines([line])
    assert made.held(budget={"usd_per_month": 3.0}).broken("EST-001")
    assert not made.held(budget={"usd_per_month": 3.01}).broken("EST-001")


def test_a_budget_within_the_euros_and_not_within_the_dollars_is_not_met(tmp_path: Path) -> None:
    """HI-26: the same quotes, once in dollars and once in euros."""
    stated = costs(currency="EUR", exchange={"usd": 1.0845, "source": "a bank", "seen": "2026-11-20"})
    euros = estimated(write(tmp_path / "eur", site(stated=stated)))
    dollars = estimated(write(tmp_path / "usd", site()))
    # Software and energy are in dollars at both.
    both = sum((euros.usd(item) for item in ("NVIDIA AI Enterprise", "energy of hgx-h200 nodes")), Decimal(0))
    expected = dollars.site.cost.figure.expected - both
    assert euros.site.cost.figure.expected - both == pytest.approx(expected * Decimal("1.0845"), abs=Decimal("1e-20"))
    budget = {"usd_per_month": float(dollars.site.cost.figure.high) + 1}
    assert dollars.held(budget=budget).broken("EST-001") == []
    assert euros.held(budget=budget).broken("EST-001")


def test_a_quote_is_as_old_as_its_rate_of_exchange(tmp_path: Path) -> None:
    rate = {"usd": 1.0845, "source": "a bank, long ago", "seen": "2016-11-20"}
    made = estimated(write(tmp_path, site(stated=costs(currency="EUR", exchange=rate)), budget=BUDGET))
    assert {problem.says.split(", ")[1] for problem in made.broken("EST-005")} == {"on 2016-11-20"}


def test_a_budget_that_a_missing_row_meets_is_not_met(tmp_path: Path) -> None:
    made = estimated(write(tmp_path, site(stated=costs(people=None)), budget=BUDGET))
    assert made.broken("EST-001") == []
    [problem] = made.broken("EST-007")
    assert (problem.severity, problem.site) == ("error", "lab")
    assert problem.hint == "write costs.people in its site file"


def test_a_site_that_says_nothing_of_its_costs_keeps_no_budget(tmp_path: Path) -> None:
    made = estimated(write(tmp_path, site(stated=None), budget=BUDGET))
    assert len(made.broken("EST-007")) >= 4


def test_a_site_nobody_knows_anything_of_has_no_estimate(tmp_path: Path) -> None:
    made = estimated(write(tmp_path, site(stated=None)))
    lacks = [line for line in made.site.lines if not line.known]
    [problem] = made.of_lines(lacks).broken("EST-014")
    assert problem.says == "nothing is known of what lab costs"


def test_a_budget_of_nearly_nothing_is_a_budget(served: Estimated) -> None:
    assert served.held(budget={"usd_per_month": 1e-9}).broken("EST-001")
    assert served.of_lines(amounts("0")).held(budget={"usd_per_month": 1e-9}).broken("EST-001") == []


def test_a_limit_for_a_million_tokens_where_none_are_asked_for_is_not_met(tmp_path: Path) -> None:
    made = estimated(write(tmp_path, site(), budget={"usd_per_million_output_tokens": 1e6}))
    [problem] = made.broken("EST-002")
    assert "no tokens are asked for at lab" in problem.says


def test_more_accelerators_than_the_budget_pays_for_is_a_cent_over(tmp_path: Path) -> None:
    two = estimated(write(tmp_path / "two", site()))
    budget = {"usd_per_month": float(two.site.cost.figure.high.quantize(Decimal("0.01"), "ROUND_UP"))}
    data = site(nodes=nodes(3))
    three = estimated(write(tmp_path / "three", data, parts=({**small.POOL, "nodes": 3}, small.QUEUE), budget=budget))
    assert two.held(budget=budget).broken("EST-001") == []
    assert three.broken("EST-001")
