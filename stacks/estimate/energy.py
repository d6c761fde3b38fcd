"""What a site burns and gives off: power of nodes by use, cooling, grid, making the machines, water."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal, localcontext

from msgspec import Struct

from aifactory.blueprints.site import AwsSite, Site
from aifactory.components.catalog import Catalog, Row
from aifactory.components.economics.figures import EXACTLY, NOTHING, Figure, between, just, total
from aifactory.components.economics.powering import Draw, carbon_kg, embodied_kg, energy_kwh, node_kw, water_litres
from aifactory.components.given_aws_nodes import RESERVING
from aifactory.components.gpu_node_pool.aws.model import AwsFlexPlan
from aifactory.stacks.estimate.case import Case, Pool, Served
from aifactory.stacks.estimate.model import Lack, Line, Result, Term, priced
from aifactory.stacks.estimate.owned import Counted, counted, life_of
from aifactory.stacks.estimate.prices import seen_of
from aifactory.stacks.estimate.using import of_pool

SERVERS = "onprem-costs.power_per_server"
SHARE_DIGITS = Decimal("0.001")
UNKNOWN_USE = Figure(Decimal(0), Decimal("0.5"), Decimal(1))
"""Of nodes without GPUs: nothing says how busy they are."""


class Burnt(Struct, frozen=True):
    """Energy of one group of nodes."""

    part: str
    pool: str
    what: str
    kwh: Figure
    terms: tuple[Term, ...]
    nodes: Figure
    nameplate: Figure
    """Of a node. Unit: kW."""
    use: Figure
    """Between 0 and 1."""
    draw: Draw
    pue: Figure


def draw(catalog: Catalog) -> tuple[Draw, tuple[Term, ...]]:
    """Power of servers as shares of their nameplate: idle, capped, loaded, all."""
    name = catalog.row(SERVERS, "dgx-h100-h200")
    large = catalog.row(SERVERS, "dgx-b200")
    capped = catalog.row(SERVERS, "dgx-h200-maxq:llama2-70b offline, power-capped profile")
    measured = catalog.row(SERVERS, "sr680a-8xb200:llama2-70b offline")
    idle = _share(capped, "idle_kw", name)
    loaded = Figure(_share(capped, "measured_kw", name), _share(measured, "measured_kw", large), Decimal(1))
    terms = (
        Term("idle share of nameplate", just(idle), "share", f"{capped.ref} over {name.ref}", capped.checked),
        Term("loaded share of nameplate", loaded, "share", f"{measured.ref} over {large.ref}", measured.checked),
    )
    return Draw(just(idle), loaded), terms


def _share(row: Row, field: str, nameplate: Row) -> Decimal:
    with localcontext(EXACTLY):
        found = Decimal(str(row.number(field))) / Decimal(str(nameplate.number("nameplate_kw")))
    return found.quantize(SHARE_DIGITS)


class Grid(Struct, frozen=True):
    """Energy of a place beside its machines: cooling, the grid, water."""

    pue: Term
    carbon: Term | Lack
    water: Term | Lack


def grid(case: Case) -> Grid:
    """Of a region of AWS by its own rows; elsewhere the site's PUE and the country's production mix."""
    site = case.site
    if isinstance(site, Site):
        pue = Term("PUE", just(site.power.pue), "ratio", f"{site.site}: power.pue")
        water: Term | Lack = Lack(
            f"{site.site} doesn't say how much water its cooling takes",
            "write power.water_l_per_kwh in its site file",
            ("power", "water_l_per_kwh"),
        )
        if site.power.water_l_per_kwh is not None:
            water = Term("WUE", just(site.power.water_l_per_kwh), "l/kWh", f"{site.site}: power.water_l_per_kwh")
        return Grid(pue, _country(case), water)
    row = case.catalog.find("energy-carbon.aws_regions", site.aws.region)
    if row is None:
        return Grid(
            _any_pue(case), _country(case), Lack(f"no water figure of {site.aws.region}", _ADD.format(site.aws.region))
        )
    carbon = Term("grid, consumption", just(row.number("consumption")), "g/kWh", row.ref, _year(row))
    pue = Term("PUE", just(row.number("pue")), "ratio", row.ref, _year(row)) if row.value("pue") else _any_pue(case)
    wue = row.value("wue_l_per_kwh")
    water_term: Term | Lack = Lack(f"no water figure of {site.aws.region}", _ADD.format(site.aws.region))
    if isinstance(wue, int | float):
        water_term = Term("WUE", just(wue), "l/kWh", row.ref, _year(row))
    return Grid(pue, carbon, water_term)


_ADD = "add wue_l_per_kwh to the catalog row energy-carbon.aws_regions/{}"


def _any_pue(case: Case) -> Term:
    """Where no row of the region has one: from the mean of AWS to that of the industry."""
    least = case.catalog.row("energy-carbon.pue", "AWS average used by cloud-carbon-footprint")
    most = case.catalog.row("energy-carbon.pue", "industry average")
    value = between(least.number("value"), max(most.data["value"]))
    return Term("PUE", value, "ratio", f"{least.ref} to {most.ref}", most.checked, assumed=True)


def _country(case: Case) -> Term | Lack:
    country = case.site.location.country
    known = case.catalog.row("countries", country).value("alpha3")
    row = case.catalog.find("energy-carbon.countries", str(known)) if known else None
    if row is None:
        return Lack(f"no carbon figure of the grid of {country}", f"add a row for {country} to energy-carbon.countries")
    return Term("grid, production", just(row.number("g_per_kwh")), "g/kWh", row.ref, _year(row))


def _year(row: Row) -> str:
    """A figure of a year holds until its end."""
    year = row.data.get("year")
    return f"{year}-12-31" if year else seen_of(row)


def burnt(case: Case) -> Iterator[Burnt]:
    """F3 and F4, group by group."""
    shares, drawn = draw(case.catalog)
    pue = grid(case).pue
    if isinstance(case.site, AwsSite):
        for pool in case.pools:
            yield _rented(pool, case, shares, (*drawn, pue))
        yield from _system(case.site, pue)
        return
    pools = {pool.part: pool for pool in case.pools}
    for nodes in counted(case):
        use: Figure = NOTHING
        terms: tuple[Term, ...] = ()
        if nodes.pool:
            use, terms = of_pool(pools[nodes.pool], case)
        elif not nodes.idle:
            use = UNKNOWN_USE
            terms = (Term("nodes without GPUs", use, "share", "nobody states it", assumed=True),)
        yield _owned(nodes, use, shares, pue, (*drawn, *terms))


def _owned(nodes: Counted, use: Figure, shares: Draw, pue: Term, terms: tuple[Term, ...]) -> Burnt:
    plate = Term("nameplate", just(nodes.group.kw_per_node), "kW", f"nodes.{nodes.group.group}.kw_per_node")
    kwh = energy_kwh(just(nodes.nodes), node_kw(plate.value, shares, use), pue.value)
    what = f"{'idle ' if nodes.idle else ''}{nodes.group.group} nodes"
    known = (just(nodes.nodes), plate.value, use, shares, pue.value)
    return Burnt(nodes.part, nodes.pool, what, kwh, (plate, *terms, pue), *known)


def _rented(pool: Pool, case: Case, shares: Draw, terms: tuple[Term, ...]) -> Burnt:
    """Nobody states the nameplate of an instance: that of servers with such boards is half as much again."""
    plate = instance_kw(case.catalog, pool.plan.accelerator, pool.plan.gpus_per_node)
    use, terms_of_use = used(pool, case)
    nodes = running(pool, case)
    kwh = energy_kwh(nodes.value, node_kw(plate.value, shares, use), terms[-1].value)
    known = (nodes.value, plate.value, use, shares, terms[-1].value)
    return Burnt(
        pool.part, pool.part, f"{pool.instance_type} nodes", kwh, (nodes, plate, *terms_of_use, *terms), *known
    )


AS_STATED = Draw(just(1), just(1))
"""Of a draw that is stated as it is, and not as a nameplate."""


def _system(site: AwsSite, pue: Term) -> Iterator[Burnt]:
    """System nodes, where the site says what one draws."""
    costs = site.costs
    if costs is None or costs.system_node_kw is None:
        return
    kw = Term("a system node", just(costs.system_node_kw), "kW", costs.source, costs.seen, example=costs.example)
    nodes = just(site.aws.system_nodes.nodes)
    kwh = energy_kwh(nodes, node_kw(kw.value, AS_STATED, NOTHING), pue.value)
    yield Burnt("cluster", "", "system nodes", kwh, (kw, pue), nodes, kw.value, NOTHING, AS_STATED, pue.value)


def _unknown_draw(site: AwsSite) -> tuple[Lack, ...]:
    """What keeps the energy of a region from being whole. That of AWS's own services is AWS's, and in no figure."""
    if site.costs is not None and site.costs.system_node_kw is not None:
        return ()
    hint = "write costs.system_node_kw in its site file"
    return (Lack(f"{site.site} doesn't say what a system node draws", hint, ("costs", "system_node_kw")),)


KNOWN_SERVERS = (("dgx-h100-h200", "nvidia-h200-sxm"), ("dgx-b200", "nvidia-b200-sxm"))
"""Servers of 8 whose nameplate is known, with their accelerator."""
BOARDS = 8


def instance_kw(catalog: Catalog, accelerator: str, gpus: int) -> Term:
    """Nameplate of an instance from its boards and host, by what servers of known nameplate have beyond theirs.

    A smaller node has its part of the host, which is that of 8 boards.
    """
    host = catalog.row("energy-carbon.host_power", "non-GPU server power of an 8-GPU node")
    rows = [(catalog.row(SERVERS, server), _boards_w(catalog, card, BOARDS, host)) for server, card in KNOWN_SERVERS]
    watts = _boards_w(catalog, accelerator, gpus, host)
    with localcontext(EXACTLY):
        ratios = sorted(Decimal(str(row.number("nameplate_kw"))) * 1000 / known for row, known in rows)
        value = Figure(watts * ratios[0] / 1000, watts * ratios[0] / 1000, watts * ratios[-1] / 1000)
    source = ", ".join((f"accelerators/{accelerator}", host.ref, *(row.ref for row, _ in rows)))
    return Term("nameplate by boards and host", value, "kW", source, host.checked, assumed=True)


def _boards_w(catalog: Catalog, accelerator: str, gpus: int, host: Row) -> Decimal:
    card = catalog.row("accelerators", accelerator)
    return Decimal(str(card.number("power_w"))) * gpus + Decimal(str(host.number("watts"))) * gpus / BOARDS


def running(pool: Pool, case: Case) -> Term:
    """Nodes that run in the mean. Those that come and go: floor of replicas, those of the mean, all."""
    most = Decimal(pool.nodes)
    # What is reserved is there all the time.
    if not isinstance(pool.plan, AwsFlexPlan) or case.what_if.purchase in RESERVING:
        return Term("nodes", just(most), "nodes", f"{pool.part}.nodes")
    least = _nodes_of(pool, case, 2)
    mean = max(least, _nodes_of(pool, case, None))
    source = "floor of replicas or those of the mean, and all of the pool"
    return Term("nodes that run", Figure(least, mean, max(mean, most)), "nodes", source, assumed=True)


def _nodes_of(pool: Pool, case: Case, end: int | None) -> Decimal:
    """Nodes that replicas of the mean lie on, no fewer than the floor of autoscaling, at one end of their speed; at the
    planned speed where no end is named."""
    nodes = Decimal(0)
    for served in case.models_of(pool.part):
        speed = Decimal(str(served.planned_per_s if end is None else served.tokens_per_s[end]))
        with localcontext(EXACTLY):
            asked = Decimal(str(served.calls_per_s)) * served.counted_tokens / speed
            replicas = max(Decimal(_least(served)), asked.to_integral_value(ROUND_CEILING))
            held = replicas * served.plan.layout.gpus / max(1, pool.plan.gpus_per_node)
        nodes += held.to_integral_value(ROUND_CEILING)
    return min(Decimal(pool.nodes), nodes)


def used(pool: Pool, case: Case) -> tuple[Figure, tuple[Term, ...]]:
    """Mean use of the GPUs that are there. Of a pool whose nodes come and go that is a share of those that run."""
    use, terms = of_pool(pool, case)
    nodes = running(pool, case).value
    if not isinstance(pool.plan, AwsFlexPlan) or not nodes.low:
        return use, terms
    one, most = Decimal(1), Decimal(pool.nodes)
    with localcontext(EXACTLY):
        low = min(one, use.low * most / nodes.low)
        expected = max(low, min(one, use.expected * most / nodes.expected))
        high = max(expected, min(one, use.high * most / nodes.high))
    return Figure(low, expected, high), terms


def _least(served: Served) -> int:
    plan = served.plan
    return plan.scaling.floor if plan.scaling else plan.replicas


def cost(case: Case, groups: list[Burnt]) -> Iterator[Line]:
    """F5, where energy is paid apart."""
    site = case.site
    if not isinstance(site, Site):
        return
    price = Term("energy", just(site.power.usd_per_kwh), "USD/kWh", f"{site.site}: power.usd_per_kwh")
    for each in groups:
        yield priced(
            Line(each.part, f"energy of {each.what}", each.kwh, "kWh", "F5", price, terms=each.terms, pool=each.pool)
        )


def results(case: Case, groups: list[Burnt]) -> tuple[Result, Result, Result, Result]:
    """Energy, carbon of operation, embodied carbon and water of a month."""
    place = grid(case)
    kwh = total(each.kwh for each in groups)
    terms = tuple(dict.fromkeys(term for each in groups for term in each.terms))
    missing: tuple[Lack, ...] = ()
    if isinstance(case.site, AwsSite):
        missing = _unknown_draw(case.site)
    energy = Result(kwh, "kWh/month", "F4", terms, missing)
    carbon = (
        Result(NOTHING, "kg CO2e/month", "F8", lacks=(place.carbon,))
        if isinstance(place.carbon, Lack)
        else Result(carbon_kg(kwh, place.carbon.value), "kg CO2e/month", "F8", (place.carbon,), missing)
    )
    if isinstance(place.water, Lack):
        water = Result(NOTHING, "l/month", "F10", lacks=(place.water,))
    else:
        used = water_litres(kwh, place.pue.value, place.water.value)
        water = Result(used, "l/month", "F10", (place.pue, place.water))
    return energy, carbon, _embodied(case), water


def _embodied(case: Case) -> Result:
    boards = case.catalog.row("energy-carbon.embodied", "HGX H100 baseboard with 8 GPUs")
    server = case.catalog.row("energy-carbon.embodied", "server without GPUs")
    gpus, nodes = made(case)
    each_gpu = Decimal(str(boards.number("kgco2e_per_gpu")))
    each_server = Decimal(str(server.number("kgco2e")))
    life = life_of(case)
    terms = (
        Term("a GPU", just(each_gpu), "kg CO2e", boards.ref, boards.checked),
        Term("a server without GPUs", just(each_server), "kg CO2e", server.ref, server.checked),
        life,
    )
    return Result(embodied_kg(gpus, nodes, each_gpu, each_server, life.value), "kg CO2e/month", "F9", terms)


def made(case: Case) -> tuple[Figure, Figure]:
    """GPUs and nodes whose making counts: those that are paid for, at AWS those of pools that run."""
    gpus = nodes = NOTHING
    if isinstance(case.site, AwsSite):
        for pool in case.pools:
            most = running(pool, case).value
            gpus, nodes = gpus + most.times(Decimal(pool.plan.gpus_per_node)), nodes + most
    else:
        for each in counted(case):
            gpus, nodes = gpus + just(each.gpus), nodes + just(each.nodes)
    return gpus, nodes
