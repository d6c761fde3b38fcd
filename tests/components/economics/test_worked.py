"""The kernel finds what somebody worked out by hand, to the last digit that is written: F1 to F4, F8 to F10 and F13
to F16.

Cases that need prices, plans or gates are in tests/stacks/estimate/test_worked.py, which also holds that none is left.
"""

from __future__ import annotations

from decimal import Decimal

from aifactory.components.economics.figures import Figure, between, just, total
from aifactory.components.economics.owning import capital, monthly, recovered
from aifactory.components.economics.powering import (
    Draw,
    carbon_kg,
    embodied_kg,
    energy_kwh,
    node_kw,
    water_litres,
)
from aifactory.components.economics.splitting import core_and_flex
from aifactory.components.economics.worth import net_present_cost
from support.worked import Case
from support.worked_bound import CAPITAL, CORE, bound

ENDS = ("low", "expected", "high")
NONE = just(0)


def ends(name: str, found: Figure) -> dict[str, Decimal]:
    """A figure as three results."""
    return {f"{name}_{end}": getattr(found, end) for end in ENDS}


def given(found: Case, name: str) -> Figure:
    """Three inputs as a figure, lowest first."""
    return Figure(*sorted(found.inputs[f"{name}_{end}"] for end in ENDS))


@bound(*CAPITAL)
def test_capital_is_recovered_as_a_yearly_account_has_it(found: Case) -> None:
    price, residual, rate, years = (found.inputs[each] for each in ("price", "residual", "rate", "life_years"))
    assert found.differences({"month_usd": recovered(price, residual, rate, years)}) == []


@bound("capital-band")
def test_capital_of_a_range_has_its_middle_and_its_ends(found: Case) -> None:
    given_ = found.inputs
    price = between(given_["price_low"], given_["price_high"])
    each = capital(price, NONE, just(given_["rate"]), given(found, "life_years"))
    assert found.differences(ends("month_usd", each.times(given_["nodes"]))) == []


@bound("running-network")
def test_the_network_is_recovered_as_servers_are(found: Case) -> None:
    i = found.inputs
    each = capital(just(i["network_usd_per_node"]), just(i["residual"]), just(i["rate"]), just(i["life_years"]))
    assert found.differences({"month_usd": each.times(i["nodes"]).expected}) == []


@bound("running-maintenance")
def test_maintenance_is_a_share_of_the_price_a_year(found: Case) -> None:
    each = monthly(just(found.inputs["price"]), given(found, "maintenance"))
    assert found.differences(ends("month_usd", each.times(found.inputs["nodes"]))) == []


def draw(found: Case) -> Draw:
    """Shares of nameplate of a case."""
    if "loaded_share" in found.inputs:
        return Draw(just(found.inputs["idle_share"]), just(found.inputs["loaded_share"]))
    return Draw(just(found.inputs["idle_share"]), given(found, "loaded_share"))


@bound("energy-node-power")
def test_power_lies_between_idle_and_loaded_by_use(found: Case) -> None:
    kw, shares = just(found.inputs["nameplate_kw"]), draw(found)
    idle, loaded = (node_kw(kw, shares, just(use)) for use in (0, 1))
    mean = node_kw(kw, shares, just(found.inputs["utilisation"]))
    got = {"idle_kw": idle.expected, **ends("loaded_kw", loaded), **ends("mean_kw", mean)}
    assert idle.is_one_number
    assert found.differences(got) == []


@bound("energy-idle-and-full")
def test_energy_of_nodes_that_nobody_uses_and_of_such_that_are_never_idle(found: Case) -> None:
    i, shares = found.inputs, draw(found)
    for use in ("idle", "full"):
        kw = node_kw(just(i["nameplate_kw"]), shares, just(i[f"utilisation_{use}"]))
        kwh = energy_kwh(just(i["nodes"]), kw, just(i["pue"]))
        got = {f"month_kwh_{use}": kwh.expected, f"month_usd_{use}": kwh.times(i["usd_per_kwh"]).expected}
        assert found.differences(got) == []


@bound("energy-month")
def test_the_mean_of_a_day_is_enough_for_its_energy(found: Case) -> None:
    i, hours = found.inputs, found.series("utilisation")
    mean = sum(hours, Decimal(0)) / len(hours)
    kwh = energy_kwh(just(i["nodes"]), node_kw(just(i["nameplate_kw"]), draw(found), just(mean)), just(i["pue"]))
    usd = kwh.times(i["usd_per_kwh"])
    got = {"mean_utilisation": mean, "month_kwh": kwh.expected, "month_usd": usd.expected}
    assert found.differences(got) == []


@bound("carbon-frankfurt", "carbon-stockholm")
def test_carbon_goes_with_energy_and_grid(found: Case) -> None:
    i = found.inputs
    kwh = energy_kwh(just(i["nodes"]), just(i["kw"]), just(i["pue"]))
    got = {"month_kwh": kwh.expected, "month_kg": carbon_kg(kwh, just(i["g_per_kwh"])).expected}
    assert found.differences(got) == []


@bound("carbon-embodied")
def test_what_making_servers_gave_off_is_spread_over_their_life(found: Case) -> None:
    i = found.inputs
    each = embodied_kg(
        just(i["gpus"]), just(i["nodes"]), i["kg_per_gpu"], i["kg_per_server"], given(found, "life_years")
    )
    assert found.differences(ends("month_kg", each)) == []


@bound("carbon-water")
def test_water_goes_with_the_energy_of_machines_alone(found: Case) -> None:
    i = found.inputs
    for place in ("us_east_1", "ap_southeast_3"):
        litres = water_litres(just(i["month_kwh"]), just(i[f"pue_{place}"]), just(i[f"wue_{place}"]))
        assert found.differences({f"month_litres_{place}": litres.expected}) == []


@bound(*CORE)
def test_the_core_is_what_sorting_the_hours_gives(found: Case) -> None:
    load = found.series("load")
    split = core_and_flex(load, found.inputs["owned_usd_per_gpu_hour"], found.inputs["rented_usd_per_gpu_hour"])
    got = {
        "break_even_utilisation": split.break_even,
        "core_gpus": split.core,
        "flex_gpu_hours_day": split.flex_hours,
        "day_usd": split.cost_per_hour * len(load),
    }
    assert found.differences(got) == []


@bound("npv-own")
def test_owning_over_years_is_worth_what_rolling_back_gives(found: Case) -> None:
    i = found.inputs
    first = i["nodes"] * i["price"]
    for years in (1, 3, 5):
        paid = [i[f"paid_year_{year}"] for year in range(1, years + 1)]
        got = net_present_cost(first, paid, i["rate"], first * i[f"residual_share_{years}"])
        assert found.differences({f"net_present_usd_{years}": got}) == []


@bound("npv-no-interest")
def test_without_interest_years_are_added(found: Case) -> None:
    i = found.inputs
    paid = [i[f"paid_year_{year}"] for year in (1, 2, 3)]
    got = net_present_cost(i["paid_at_start"], paid, i["rate"], i["residual_after_3"])
    assert found.differences({"net_present_usd_3": got}) == []


@bound("rounding-half-cents")
def test_halves_of_a_cent_go_up_where_they_are_shown_and_stay_in_the_total(found: Case) -> None:
    amounts = [just(amount) for amount in found.series("amount")]
    shown = {f"line_{index}": amount.cents.expected for index, amount in enumerate(amounts)}
    assert found.differences({**shown, "total_usd": total(amounts).expected}) == []
