"""Published measurements and comparisons of energy and cost against the product's own functions, for docs/accuracy.md.

The hand-worked cases `published-*` say what is claimed, from which inputs, and why figures differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from msgspec import Struct

from aifactory.components.catalog import Catalog
from aifactory.components.economics.figures import Figure, just, total
from aifactory.components.economics.owning import monthly, recovered
from aifactory.components.economics.powering import HOURS, Draw, energy_kwh, node_kw
from aifactory.components.economics.splitting import break_even
from aifactory.stacks.estimate.energy import SERVERS, draw
from support.worked import Case, case

MEASURED = "energy-carbon.wall_power_measured"
NAMEPLATES = {"B200": "dgx-b200", "H200": "dgx-h100-h200"}
"""Server whose nameplate stands for those with such boards: makers publish few."""
ROWS = (
    ("llama2-70b offline", "b200_air_70b_offline"),
    ("llama2-70b server", "b200_air_70b_server"),
    ("llama3.1-405b offline", "b200_liquid_405b_offline"),
    ("llama3.1-405b server", "b200_liquid_405b_server"),
    ("llama3.1-8b offline", "b200_liquid_8b_offline"),
)
CORNERS = ("low", "high")
OWNED, CLAIMS, LENOVO, POWER = (
    f"published-{name}" for name in ("owned-cost", "tco-claims", "lenovo-lp2368", "wall-power")
)


class Wall(Struct, frozen=True):
    """A measurement at the wall, and what the product would say at full load."""

    system: str
    load: str
    case: str
    """Its name in the hand-worked case."""
    measured_kw: Decimal
    estimated_kw: Figure

    @property
    def ratio(self) -> Decimal:
        """Estimated over measured."""
        return self.estimated_kw.expected / self.measured_kw

    @property
    def inside(self) -> bool:
        """Whether the band holds it."""
        return self.estimated_kw.low <= self.measured_kw <= self.estimated_kw.high


def walls() -> Iterator[Wall]:
    """F3 at full use for each measured server."""
    catalog = Catalog.shipped()
    shares, _ = draw(catalog)
    for row in catalog.rows(MEASURED):
        system, load = row.text("system"), row.text("load")
        board = next(name for name in NAMEPLATES if name in system)
        plate = just(catalog.row(SERVERS, NAMEPLATES[board]).number("nameplate_kw"))
        name = "h200_capped_70b_offline" if board == "H200" else dict(ROWS)[load]
        yield Wall(system, load, name, Decimal(str(row.number("watts"))) / 1000, node_kw(plate, shares, just(1)))


def server_month(found: Case, price: Decimal, kw: Decimal, corner: str) -> Decimal:
    """F1 without interest, F2, F6, F4 with F5, and software of one server. Unit: USD a month."""
    i = {name: found.inputs[f"{name}_{corner}"] for name in SHARED}
    nothing = Decimal(0)
    network = price * (1 + i["network_share"])
    loaded = just(found.inputs["loaded_share"])
    kwh = energy_kwh(just(1), node_kw(just(kw), Draw(just(0), loaded), just(1)), just(i["pue"]))
    lines = (
        just(recovered(network, nothing, nothing, i["life_years"])),
        *running(found, price, kw, corner),
        kwh.times(i["usd_per_kwh"]),
    )
    return total(lines).expected


SHARED = ("network_share", "pue", "usd_per_kwh", "life_years")


def running(found: Case, price: Decimal, kw: Decimal, corner: str) -> tuple[Figure, ...]:
    """Upkeep, space and software of one server a month."""
    i = {name: found.inputs[f"{name}_{corner}"] for name in ("maintenance", "usd_per_kw_month")}
    software = found.inputs[f"software_usd_per_gpu_year_{corner}"]
    return (
        monthly(just(price), just(i["maintenance"])),
        just(kw).times(i["usd_per_kw_month"]),
        monthly(just(software), just(1)).times(found.inputs["gpus"]),
    )


def owned_cost() -> dict[str, Decimal]:
    """Results of `published-owned-cost`: a GPU-hour at the corners of the study, and its break-even."""
    found = case(OWNED)
    i, got = found.inputs, {}
    hour = i["gpus"] * HOURS
    for board in ("h100", "b200"):
        for corner in CORNERS:
            price, kw = i[f"price_{board}_{corner}"], i[f"nameplate_kw_{board}"]
            each = server_month(found, price, kw, corner) / hour
            got[f"usd_per_gpu_hour_{board}_{corner}"] = each
            aws = i[f"node_aws_{board}"] / i["gpus"]
            other = i[f"rented_{'dear' if corner == 'low' else 'cheap'}_{board}"]
            got[f"break_even_{board}_aws_{corner}"] = break_even(each, aws)
            got[f"break_even_{board}_neocloud_{corner}"] = break_even(each, other)
    return got


def claims() -> dict[str, Decimal]:
    """Results of `published-tco-claims` that the product's formulas give."""
    found = case(CLAIMS)
    i, got = found.inputs, {}
    kw, loaded = just(i["nameplate_kw"]), just(i["loaded_share"])
    for corner in CORNERS:
        price = i[f"price_{corner}"]
        kwh = energy_kwh(just(1), node_kw(kw, Draw(just(0), loaded), just(1)), just(i[f"pue_{corner}"]))
        month = total((*running(found, price, i["nameplate_kw"], corner), kwh.times(i[f"usd_per_kwh_{corner}"])))
        got[f"three_years_{corner}"] = price * (1 + i[f"network_share_{corner}"]) + month.expected * 36
    got["break_even_hours"] = i["price_list"] / (i["lp2225_usd_per_hour"] - i["lp2225_opex"])
    got["break_even_months_after_cut"] = i["price_list"] / (i["aws_usd_per_hour"] - i["lp2225_opex"]) / HOURS
    got["rent_that_fits_60_low"] = break_even(i["owned_low"], i["threshold_technolynx"])
    got["rent_that_fits_60_high"] = break_even(i["owned_high"], i["threshold_technolynx"])
    got["price_premium"] = i["h200_node_aws"] / i["gpus"] / i["h200_first_tier"] - 1
    return got


def lenovo() -> dict[str, Decimal]:
    """Results of `published-lenovo-lp2368` that the product's formulas give."""
    i, got = case(LENOVO).inputs, {}
    nothing = Decimal(0)
    for name in "abd":
        month = recovered(i[f"price_{name}"], nothing, nothing, i["life_years"])
        got[f"usd_per_hour_{name}"] = month / HOURS + i[f"opex_{name}"]
    got["maintenance_a"] = monthly(just(i["price_a"]), just(i["maintenance"])).expected / HOURS
    for rival in ("azure", "aws"):
        hours = i["price_a"] / (i[f"{rival}_usd_per_hour"] - i["opex_a"])
        got |= {f"break_even_hours_{rival}": hours, f"break_even_months_{rival}": hours / HOURS}
    for name, usd, speed in (
        ("a", got["usd_per_hour_a"], i["tokens_per_s_a"]),
        ("azure", i["azure_usd_per_hour"], i["tokens_per_s_a"]),
        ("d", got["usd_per_hour_d"], i["tokens_per_s_d"]),
        ("b300", i["aws_b300_usd_per_hour"], i["tokens_per_s_d"]),
    ):
        millions = just(speed).times(Decimal(3600) * HOURS).per(just(1_000_000))
        got[f"usd_per_million_{name}"] = just(usd).times(HOURS).per(millions).expected
    got["break_even_utilisation_b"] = break_even(got["usd_per_hour_b"], i["gcp_usd_per_hour"])
    got["hours_a_day_b"] = got["break_even_utilisation_b"] * 24
    return got


def comparisons() -> Mapping[str, dict[str, Decimal]]:
    """What the product finds for each published comparison, by the name of its case."""
    return {OWNED: owned_cost(), LENOVO: lenovo(), CLAIMS: claims()}


TABLE: tuple[tuple[str, str, str, str, str], ...] = (
    *(
        (OWNED, f"USD a GPU-hour, 8 x {board.upper()}, {corner} corner", f"published_{board}_{corner}", key, ".2f")
        for board in ("h100", "b200")
        for corner in CORNERS
        for key in (f"usd_per_gpu_hour_{board}_{corner}",)
    ),
    *(
        (
            OWNED,
            f"break-even use, 8 x {board.upper()} against {rival}, {corner} corner",
            f"published_break_even_{board}_{word}_{corner}",
            f"break_even_{board}_{word}_{corner}",
            ".2f",
        )
        for board in ("h100", "b200")
        for word, rival in (("aws", "AWS"), ("neocloud", "neoclouds"))
        for corner in CORNERS
    ),
    (LENOVO, "hours until 8 x H100 is cheaper than Azure", "published_hours", "break_even_hours_azure", ".0f"),
    (LENOVO, "the same in months", "published_months", "break_even_months_azure", ".1f"),
    (LENOVO, "USD per million tokens, 70B owned", "published_usd_per_million_a", "usd_per_million_a", ".2f"),
    (LENOVO, "the same rented of Azure", "published_usd_per_million_azure", "usd_per_million_azure", ".2f"),
    (LENOVO, "USD per million tokens, 405B owned", "published_usd_per_million_d", "usd_per_million_d", ".2f"),
    (LENOVO, "the same rented of AWS", "published_usd_per_million_b300", "usd_per_million_b300", ".2f"),
    (LENOVO, "hours a day from which owning is cheaper", "published_hours_a_day", "hours_a_day_b", ".1f"),
    (CLAIMS, "hours until 8 x H100 is cheaper than AWS, LP2225", "lp2225_hours", "break_even_hours", ".0f"),
    (CLAIMS, "premium of AWS over a neocloud, by prices alone", "published_premium", "price_premium", ".2f"),
)
"""Case, claim, its input that was published, its result of ours, and how both are shown."""

POWER_HEAD = """\
## Energy against measured wall power

Power of a server at full load by F3 of [0045](decisions/0045-how-an-estimate-is-made.md) against certified measurements
of MLPerf. Nobody published nameplates of the measured servers; those of the DGX with the same boards stand for them.

| server | load | measured kW | estimated kW | low to high | ratio | in the band |
|---|---|---|---|---|---|---|
"""
COST_HEAD = """\
## Owned cost against published comparisons

Each claim worked again from the inputs that it states, by the product's own functions. The cases lie in
`tests/data/worked/published-*.csv`, with every step and source.

| claim | published | ours | difference |
|---|---|---|---|
"""


def sections() -> Iterator[str]:
    """Both sections of the page."""
    yield POWER_HEAD
    for each in walls():
        kw = each.estimated_kw
        yield (
            f"| {each.system} | {each.load} | {each.measured_kw:.2f} | {kw.expected:.2f} | {kw.low:.2f} to "
            f"{kw.high:.2f} | {each.ratio:.2f} | {'yes' if each.inside else 'no'} |\n"
        )
    yield from _why(case(POWER))
    yield "\n" + COST_HEAD
    found = comparisons()
    for name, claim, published, ours, form in TABLE:
        said, got = case(name).inputs[published], found[name][ours]
        off = Decimal(format(got, form)) - said
        yield f"| {claim} | {said:{form}} | {got:{form}} | {off:+{form}} |\n"
    low, high = (found[CLAIMS][f"three_years_{corner}"] for corner in CORNERS)
    total_usd = case(CLAIMS).results["three_years_h100"]
    place = "inside" if low <= total_usd <= high else "outside"
    yield f"| three years of 8 x H100, cliffcenter | {total_usd:,.0f} | {low:,.0f} to {high:,.0f} | {place} |\n"
    for name in found:
        yield from _why(case(name))


def _why(found: Case) -> Iterator[str]:
    yield "\n"
    for line in found.about["why"].splitlines():
        yield f"- {line}\n"
