"""Plans and gates find what somebody worked out by hand, to the last digit that is written; no case is left."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.blueprints.site import Site
from aifactory.components.catalog import Catalog
from aifactory.components.demand import ModelDemand
from aifactory.components.economics.figures import Figure, just, total
from aifactory.components.economics.powering import Draw, carbon_kg, energy_kwh, node_kw
from aifactory.components.given_costs import ExchangeGiven
from aifactory.stacks.estimate.data import model_data
from aifactory.stacks.estimate.energy import instance_kw
from aifactory.stacks.estimate.estimating import over_tokens
from aifactory.stacks.estimate.model import Line, Result
from aifactory.stacks.estimate.owned import Ledger, counted
from aifactory.stacks.estimate.prices import in_usd
from aifactory.stacks.estimate.sharing import models, tenants
from aifactory.stacks.estimate.using import month_tokens
from support import estimated as small
from support import shipped
from support.estimated import Estimated, amounts, costs, estimated, nodes, site, write
from support.source_tree import ROOT
from support.worked import Case, names
from support.worked_bound import bound, bound_in

CATALOG = Catalog.shipped()
HERE = Path(__file__)
ENDS = ("low", "expected", "high")


def test_every_case_is_bound_to_the_product_once() -> None:
    files = (HERE, HERE.with_name("test_worked_prices.py"), ROOT / "tests/components/economics/test_worked.py")
    found = [name for path in files for name in bound_in(path)]
    apart = [name for name in names() if name.startswith("published-")]
    assert sorted([*found, *apart]) == list(names()), "published ones are bound by the accuracy page"
    assert len(names()) >= 50


def rate(usd: Decimal) -> ExchangeGiven:
    """A stated rate."""
    return ExchangeGiven(usd=float(usd), source="stated for this case", seen="2026-11-20")


# Gates


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Estimated:
    """A site that everything is stated of."""
    return estimated(write(tmp_path_factory.mktemp("owned"), site()))


def met(found: Estimated, lines: Iterable[Line], budget_usd: Decimal) -> Decimal:
    """1 if a site of these lines keeps a budget of a month, 0 if not."""
    broken = found.of_lines(lines).held(budget={"usd_per_month": number(budget_usd)}).broken("EST-001")
    return Decimal(int(not broken))


@bound("currency-budget")
def test_a_budget_within_the_number_and_not_within_the_money_is_not_met(found: Case, owned: Estimated) -> None:
    i = found.inputs
    budget, _ = in_usd(just(i["budget_eur"]), "EUR", rate(i["usd_per_eur"]), CATALOG)
    got = {"budget_usd": budget.expected}
    for each in ("a", "b"):
        got[f"met_{each}"] = met(owned, amounts(i[f"cost_usd_{each}"]), budget.expected)
    assert found.differences(got) == []


@bound("rounding-budget")
def test_a_budget_that_only_the_shown_figure_keeps_is_not_met(found: Case, owned: Estimated) -> None:
    cost, budget = found.inputs["cost_usd"], found.inputs["budget_usd"]
    got = {
        "shown_usd": just(cost).cents.expected,
        "over_by_usd": cost - budget,
        "met": met(owned, amounts(cost), budget),
    }
    assert found.differences(got) == []


@bound("rounding-thousand-lines")
def test_a_thousand_lines_that_are_shown_as_nothing_are_not_nothing(found: Case, owned: Estimated) -> None:
    i = found.inputs
    lines = amounts(*[i["line_usd"]] * int(i["units"]))
    exact = total(line.amount for line in lines)
    got = {
        "exact_usd": exact.expected,
        "shown_total_usd": exact.cents.expected,
        "met": met(owned, lines, i["budget_usd"]),
    }
    assert {line.amount.cents.expected for line in lines} == {Decimal("0.00")}
    assert found.differences(got) == []


# Owned sites, through their files


def number(value: Decimal) -> float:
    """As a site file has it."""
    return float(value)


@bound("running-software")
def test_software_is_paid_by_the_gpu(found: Case, tmp_path: Path) -> None:
    i = found.inputs
    row = CATALOG.row("onprem-costs.software_per_gpu", "NVIDIA AI Enterprise subscription")
    assert row.number("usd_per_gpu_year") == i["usd_per_gpu_year"]
    assert i["gpus_per_node"] == 8
    got = whole(tmp_path, int(i["nodes"])).usd("NVIDIA AI Enterprise")
    assert found.differences({"month_usd": got}) == []


@bound("running-staff")
def test_people_are_paid_by_the_post(found: Case, tmp_path: Path) -> None:
    people = {"fte": number(found.inputs["engineers"]), "per_year": number(found.inputs["usd_per_engineer_year"])}
    got = whole(tmp_path, 2, people=people).usd("people")
    assert found.differences({"month_usd": got}) == []


@bound("running-space-colo")
def test_space_is_paid_by_the_nameplate(found: Case, tmp_path: Path) -> None:
    i = found.inputs
    made = whole(
        tmp_path,
        int(i["nodes"]),
        space_per_kw_month=number(i["usd_per_kw_month"]),
        kw_per_node=number(i["nameplate_kw"]),
    )
    assert found.differences({"month_usd": made.usd("space and cooling")}) == []


@bound("running-space-hall")
def test_space_of_two_groups_is_that_of_both(found: Case, tmp_path: Path) -> None:
    i = found.inputs
    service = {
        "group": "service",
        "server": "Server",
        "cpus": 64,
        "memory_gib": 384,
        "kw_per_node": number(i["service_nameplate_kw"]),
        "host": small.nodes(1)[0]["host"],
        "racks": [{"rack": "s", "block": "b1", "nodes": [f"s{n}" for n in range(int(i["service_nodes"]))]}],
    }
    made = whole(
        tmp_path,
        int(i["gpu_nodes"]),
        space_per_kw_month=number(i["usd_per_kw_month"]),
        kw_per_node=number(i["gpu_nameplate_kw"]),
        servers=[{"group": "hgx-h200", "price": 395000.0}, {"group": "service", "price": 14500.0}],
        others=[service],
    )
    case, here = made.case, made.case.site
    assert isinstance(here, Site)
    gpu, other = counted(case)
    ledger = Ledger(case, here.costs)
    got = {
        "gpu_month_usd": ledger.space(here, [gpu]).amount.expected,
        "service_month_usd": ledger.space(here, [other]).amount.expected,
        "month_usd": made.usd("space and cooling"),
    }
    assert found.differences(got) == []


def whole(
    folder: Path,
    count: int,
    *,
    kw_per_node: float = 10.2,
    others: Iterable[dict[str, Any]] = (),
    power: dict[str, Any] | None = None,
    **stated: Any,
) -> Estimated:
    """A site of so many H200 nodes in one pool, which nothing but the site says the use of."""
    data = site(
        stated=costs(**stated),
        nodes=[*nodes(count, kw_per_node=kw_per_node, racks_per_block=2), *others],
        power={"racks": 12, "kw_per_rack": 60.0, "pue": 1.25, "usd_per_kwh": 0.19, **(power or {})},
    )
    pool = {**small.POOL, "nodes": count}
    return estimated(write(folder, data, parts=(pool, small.QUEUE)))


@bound("owned-whole-month")
def test_a_whole_owned_site_comes_to_its_lines(found: Case, tmp_path: Path) -> None:
    i = found.inputs
    made = whole(
        tmp_path,
        int(i["nodes"]),
        kw_per_node=number(i["nameplate_kw"]),
        power={"pue": number(i["pue"]), "usd_per_kwh": number(i["usd_per_kwh"])},
        servers=[{"group": "hgx-h200", "price": number(i["price"])}],
        cost_of_capital_percent=number(i["rate"] * 100),
        residual_percent=number(i["residual"] / i["price"] * 100),
        life_years=number(i["life_years"]),
        maintenance_percent=number(i["maintenance"] * 100),
        network_per_node=number(i["network_usd_per_node"]),
        people={"fte": number(i["engineers"]), "per_year": number(i["usd_per_engineer_year"])},
        space_per_kw_month=number(i["usd_per_kw_month"]),
        utilisation_percent=number(i["utilisation"] * 100),
    )
    assert made.site.gpus == i["gpus"]
    assert not made.site.cost.lacks
    items = {
        "servers_month_usd": "hgx-h200 nodes",
        "network_month_usd": "network of hgx-h200 nodes",
        "maintenance_month_usd": "upkeep of hgx-h200 nodes",
        "software_month_usd": "NVIDIA AI Enterprise",
        "staff_month_usd": "people",
        "space_month_usd": "space and cooling",
        "energy_month_usd": "energy of hgx-h200 nodes",
    }
    energy = made.line(items["energy_month_usd"])
    assert found.differences({name: made.usd(item) for name, item in items.items()}) == []
    assert found.differences({"month_kwh": energy.quantity.expected}) == []
    # The case leaves out the upkeep of the network, which a site pays, too.
    upkeep = made.usd("upkeep of network of hgx-h200 nodes")
    month_usd = made.site.cost.figure.expected - upkeep
    cost = Result(just(month_usd), "USD/month", "SUM")
    got = over_tokens(cost, Result(just(i["output_tokens_month"]), "tokens/month", "F11"), "USD per million")
    assert got is not None
    per_gpu = just(month_usd).per(just(i["gpus"]).times(Decimal(730)))
    results = {"month_usd": month_usd, "usd_per_gpu_hour": per_gpu.expected, "usd_per_million": got.figure.expected}
    assert found.differences(results) == []


@bound("energy-no-nameplate")
def test_a_server_without_nameplate_has_that_of_known_ones_by_its_boards(found: Case) -> None:
    i = found.inputs
    plate = instance_kw(CATALOG, "amd-mi300x", int(i["gpus"]))
    shares = Draw(just(i["idle_share"]), Figure(*(i[f"loaded_share_{end}"] for end in ENDS)))
    kw = node_kw(plate.value, shares, just(i["utilisation"]))
    kwh = energy_kwh(just(1), kw, just(i["pue"]))
    for name, figure in (("nameplate_kw", plate.value), ("mean_kw", kw), ("month_kwh", kwh)):
        assert found.differences({f"{name}_{end}": getattr(figure, end) for end in ENDS}) == []


# Tokens, models and tenants


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Estimated:
    """A site that answers with one model."""
    path = write(tmp_path_factory.mktemp("served"), site(), parts=small.SERVED, demand={"models": [small.DEMAND]})
    return estimated(path)


def asked(found: Case, rates: Any, tokens_in: int = 900) -> ModelDemand:
    """What is asked of a model, by a case."""
    data = {
        **small.DEMAND,
        "requests_per_s": rates,
        "input_tokens": tokens_in,
        "output_tokens": int(found.inputs["output_tokens"]),
        "agentic_factor": number(found.inputs.get("agentic_factor", Decimal(1))),
    }
    return ModelDemand.model_validate(data, context={"catalog": CATALOG})


@bound("tokens-month")
def test_tokens_of_a_month_follow_from_the_mean_of_a_day(found: Case, served: Estimated) -> None:
    demand = asked(found, [number(each) for each in found.series("requests_per_s")])
    [one] = served.case.served
    tokens = month_tokens(replace(one, demand=demand), demand.output_tokens)
    got = {"mean_requests_per_s": Decimal(str(demand.rate[0])), "output_tokens_month": tokens.value.expected}
    assert found.differences(got) == []


@bound("tokens-split")
def test_what_reads_and_what_writes_bears_the_cost_by_its_time(found: Case, served: Estimated) -> None:
    i = found.inputs
    reading = i["calls_per_s"] * i["prompt_s"]
    writing = i["calls_per_s"] * i["output_tokens"] / i["concurrency"] * i["decode_step_s"]
    rates = {"mean": number(i["calls_per_s"]), "peak": number(i["calls_per_s"])}
    [one] = served.case.served
    share = float(reading / (reading + writing))
    case = served.case
    all_gpus = replace(
        one,
        demand=asked(found, rates, int(i["prompt_tokens"])),
        prompt_share=share,
        plan=replace(one.plan, replicas=sum(pool.gpus for pool in case.pools) // one.plan.layout.gpus),
    )
    vars(case)["served"] = (all_gpus,)
    [cost] = models(tuple(amounts(i["month_usd"])), case)
    assert cost.usd_per_million_in is not None
    assert cost.usd_per_million_out is not None
    millions = [tokens.expected / 1_000_000 for tokens in (cost.tokens_in, cost.tokens_out)]
    each = (cost.usd_per_million_in.expected, cost.usd_per_million_out.expected)
    got = {
        "reading_s": reading,
        "writing_s": writing,
        "input_month_usd": each[0] * millions[0],
        "output_month_usd": each[1] * millions[1],
        "usd_per_million_input": each[0],
        "usd_per_million_output": each[1],
        "output_to_input": each[1] / each[0],
    }
    assert found.differences(got) == []


@bound("tokens-usd-per-million")
def test_a_million_tokens_cost_a_month_over_its_millions(found: Case) -> None:
    i = found.inputs
    cost = Result(just(i["month_usd"]), "USD/month", "SUM")
    got = {}
    for name, share in (("usd_per_million", Decimal(1)), ("usd_per_million_twentieth", Decimal("0.05"))):
        made = over_tokens(cost, Result(just(i["output_tokens_month"] * share), "tokens/month", "F11"), "USD")
        assert made is not None
        got[name] = made.figure.expected
    assert found.differences(got) == []


@bound("tokens-energy-per-million")
def test_a_million_tokens_take_energy_and_give_off_carbon(found: Case) -> None:
    i = found.inputs
    tokens = Result(just(i["output_tokens_month"]), "tokens/month", "F11")
    kwh = just(i["month_kwh"])
    kg = carbon_kg(kwh, just(i["g_per_kwh"]))
    figures = {
        "kwh_per_million": kwh,
        "kg_per_million": kg,
        "kg_per_million_with_embodied": kg + just(i["embodied_month_kg"]),
    }
    for name, figure in figures.items():
        made = over_tokens(Result(figure, "a month", "SUM"), tokens, "per million")
        assert made is not None
        assert found.differences({name: made.figure.expected}) == []


@bound("tokens-margin")
def test_margin_is_income_less_cost(found: Case, served: Estimated) -> None:
    i = found.inputs
    [one] = models(tuple(amounts("1")), served.case)
    price = just(i["price_usd_per_million"])
    for name in ("a", "b"):
        margin = (price.times(Decimal(100)), just(i[f"cost_usd_per_million_{name}"]).times(Decimal(100)))
        data = model_data(replace(one, price_in=price, price_out=price, margin_per_month=margin))
        share = Decimal(str(data["margin_usd_per_month"]["expected"])) / Decimal(str(data["income_usd_per_month"]))
        assert found.differences({f"margin_{name}": share}) == []


def test_a_shipped_model_earns_what_its_gateway_charges_for_its_tokens() -> None:
    work = shipped.works()["sovereign-inference"]
    case = small.case_at(work, "fra-dc1")
    chat = next(each for each in models(tuple(amounts("1000")), case) if each.part == "chat")
    assert chat.margin_per_month is not None
    millions = Decimal(6) * 3600 * 730 / 10**6
    assert chat.margin_per_month[0] == just(millions * (1800 * Decimal("0.6") + 350 * Decimal("2.4")))
    assert chat.margin_per_month[1] == chat.usd_per_month


@bound("tenants-gpus")
def test_a_budget_holds_whole_gpus_at_the_dearer_end(found: Case, tmp_path: Path) -> None:
    i = found.inputs
    people = ("legal", "research", "support")
    gpus = dict(zip(people, (8, 7, 4), strict=True))
    queue = {
        **small.QUEUE,
        "tenants": [
            {"name": name, "gpus": gpus[name], "usd_per_month": number(i[f"budget_usd_{name}"])} for name in people
        ],
    }
    data = site(nodes=nodes(3))
    made = estimated(write(tmp_path, data, parts=({**small.POOL, "nodes": 3}, queue)))
    case = made.case
    month_usd = i["usd_per_gpu_hour"] * 730
    all_of_them = month_usd * sum(pool.gpus for pool in case.pools)
    held = {each.tenant: each for each in tenants(tuple(amounts(all_of_them)), case)}
    got: dict[str, Decimal] = {}
    for name in people:
        holds = held[name].gpus_of_budget
        assert holds is not None
        got |= {f"gpus_{name}": Decimal(holds), f"left_usd_{name}": i[f"budget_usd_{name}"] - holds * month_usd}
        assert held[name].usd_per_month.high == month_usd * gpus[name]
    got["gpus_all"] = sum((got[f"gpus_{name}"] for name in people), Decimal(0))
    got["fits"] = Decimal(int(got["gpus_all"] <= i["gpus"]))
    assert found.differences(got) == []
