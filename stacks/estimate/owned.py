"""What an owned or colocated site costs: machines, network, storage, space, people. Energy has its own module."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from aifactory.blueprints.site import Site
from aifactory.components.catalog import Row
from aifactory.components.economics.figures import HUNDRED, Figure, just, total
from aifactory.components.economics.owning import capital, monthly
from aifactory.components.given import NodeGroup
from aifactory.components.given_costs import CostsGiven, Price, figure_of
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.model import Lack, Line, Term, priced
from aifactory.stacks.estimate.prices import NoRate, Stated, range_of

ONE = just(1)
COLO_MARKET = "GPU deployments of 3..25 MW"
"""Row of the catalog that comes nearest to what a GPU deployment pays in a colocation."""


class Counted(Struct, frozen=True):
    """Nodes that the factory pays for."""

    group: NodeGroup
    nodes: int
    part: str
    pool: str = ""
    idle: bool = False
    """Whether no pool uses them."""

    @property
    def gpus(self) -> int:
        """All GPUs of them."""
        return self.nodes * self.group.gpus_per_node

    @property
    def nameplate_kw(self) -> Figure:
        """What all of them may draw. Unit: kW."""
        return just(self.group.kw_per_node).times(Decimal(self.nodes))


def counted(case: Case) -> list[Counted]:
    """Nodes that are paid for: those of pools, all without GPUs, and idle ones where the site says so."""
    site = case.site
    if not isinstance(site, Site):
        return []
    found = [Counted(case.groups[pool.plan.group], pool.nodes, pool.part, pool.part) for pool in case.pools]
    used: dict[str, int] = {}
    for each in found:
        used[each.group.group] = used.get(each.group.group, 0) + each.nodes
    for group in site.nodes:
        if not group.accelerator:
            found.append(Counted(group, len(group.nodes), "site"))
        elif site.costs and site.costs.idle_nodes == "factory" and len(group.nodes) > used.get(group.group, 0):
            found.append(Counted(group, len(group.nodes) - used.get(group.group, 0), "site", idle=True))
    return [each for each in found if each.nodes]


def lines(case: Case) -> Iterator[Line]:
    """Everything but energy that an owned site costs."""
    site = case.site
    if not isinstance(site, Site):
        return
    nodes = counted(case)
    ledger = Ledger(case, site.costs)
    for each in nodes:
        yield from ledger.machines(each)
    yield from ledger.idle(site, nodes)
    yield from ledger.network(nodes)
    yield from ledger.systems(site)
    yield ledger.space(site, nodes)
    yield ledger.people()


def life_of(case: Case) -> Term:
    """Years until machines are replaced: as the site says, or as companies write theirs off."""
    costs = case.site.costs
    if isinstance(costs, CostsGiven) and costs.life_years is not None:
        return Term("life", just(costs.life_years), "years", costs.source, costs.seen, example=costs.example)
    rows = case.catalog.rows("onprem-costs.depreciation")
    years = sorted(Decimal(str(row.number("years"))) for row in rows)
    row = next(row for row in rows if row.key == "AWS")
    middle = Decimal(str(row.number("years")))
    return Term("life", Figure(years[0], middle, years[-1]), "years", row.ref, row.checked, assumed=True)


class Ledger(Struct, frozen=True):
    """What a site says of its costs, and the catalog where it doesn't."""

    case: Case
    costs: CostsGiven | None

    def machines(self, nodes: Counted) -> Iterator[Line]:
        """Capital, upkeep and software of nodes."""
        what = f"{'idle ' if nodes.idle else ''}{nodes.group.group} nodes"
        price = self._server(nodes.group)
        yield from self._owned(nodes.part, what, just(nodes.nodes), "node", price, nodes.group.group, nodes.pool)
        if self._needs_software(nodes.group):
            yield self._software(nodes)

    def idle(self, site: Site, nodes: list[Counted]) -> Iterator[Line]:
        """GPU nodes that nobody says who pays for."""
        if self.costs is not None and self.costs.idle_nodes is not None:
            return
        used = {each.group.group: 0 for each in nodes}
        for each in nodes:
            used[each.group.group] += each.nodes
        for group in site.nodes:
            rest = len(group.nodes) - used.get(group.group, 0)
            if group.accelerator and rest > 0:
                lack = Lack(
                    f"nobody says who pays for {rest} {group.group} nodes that no pool uses",
                    "write costs.idle_nodes: factory or others",
                    ("costs", "idle_nodes"),
                )
                yield Line("site", f"idle {group.group} nodes", just(rest), "node", "F1", lacks=lack)

    def network(self, nodes: list[Counted]) -> Iterator[Line]:
        """Switches and optics of GPU nodes, pool by pool."""
        for each in nodes:
            if each.gpus:
                price = self._asked("network_per_node", "network for a GPU node")
                what = f"network of {'idle ' if each.idle else ''}{each.group.group} nodes"
                yield from self._owned(each.part, what, just(each.nodes), "node", price, each.group.group, each.pool)

    def systems(self, site: Site) -> Iterator[Line]:
        """Storage systems that tiers of the factory use and that are no nodes."""
        for part in self.case.parts("storage-tier"):
            name = getattr(part.plan, "storage_class", "")
            given = next((each for each in site.cluster.storage_classes if each.name == name), None)
            if given is None or given.system is None:
                continue
            quotes = {each.storage_class: each.price for each in self.costs.storage} if self.costs else {}
            price = self._stated(f"storage system {name}", quotes.get(name))
            if price is None:
                price = Lack(
                    f"no price of the storage system behind {name}",
                    f"write costs.storage: [{{storage_class: {name}, price: ...}}]",
                    ("costs", "storage"),
                )
            yield from self._owned(part.name, f"storage system {name}", ONE, "system", price)

    def space(self, site: Site, nodes: list[Counted]) -> Line:
        """Rent of a colocation, or what the own hall costs, by nameplate."""
        price = self._stated("space", self.costs.space_per_kw_month if self.costs else None, "USD/kW-month")
        if price is None and site.venue == "colo":
            row = self.case.catalog.row("onprem-costs.colocation", COLO_MARKET)
            low, high = row.data["usd"]
            price = range_of("space", low, high, "USD/kW-month", row)
        kw = total(each.nameplate_kw for each in nodes)
        if not isinstance(price, Term):
            lack = price or self._ask("space_per_kw_month", "what a kW of the hall costs a month")
            return Line("site", "space and cooling", kw, "kW", "F6", lacks=lack)
        return priced(Line("site", "space and cooling", kw, "kW", "F6", price))

    def people(self) -> Line:
        """People who run the place."""
        given = self.costs.people if self.costs else None
        if given is None:
            return Line("site", "people", just(0), "post", "F18", lacks=self._ask("people", "who runs the place"))
        price = self._stated("a post", given.per_year, "USD/year")
        posts = just(given.fte)
        if not isinstance(price, Term):
            lack = price or self._ask("people", "what a post costs")
            return Line("site", "people", posts, "post", "F18", lacks=lack)
        month = Term("a post", monthly(price.value, ONE), "USD/month", price.source, price.seen, price.assumed)
        return priced(Line("site", "people", posts, "post", "F18", month, terms=(price,)))

    def _owned(
        self, part: str, what: str, count: Figure, unit: str, price: Term | Lack, group: str = "", pool: str = ""
    ) -> Iterator[Line]:
        """Capital and upkeep of things of one kind."""
        rate = self._rate()
        times = self.case.what_if.capex
        if isinstance(price, Term) and times != 1:
            price = replace(price, value=price.value.times(times), source=f"{times} * {price.source}")
        for item, formula, lack, worked in (
            (what, "F1", price if isinstance(price, Lack) else rate if isinstance(rate, Lack) else None, self._capital),
            (f"upkeep of {what}", "F2", price if isinstance(price, Lack) else None, self._upkeep),
        ):
            line = Line(part, item, count, unit, formula, node_group=group, pool=pool, lacks=lack)
            yield line if lack or not isinstance(price, Term) else worked(line, price)

    def _capital(self, line: Line, price: Term) -> Line:
        rate = self._rate()
        assert isinstance(rate, Term)  # noqa: S101 - asked before
        life, left = life_of(self.case), self._residual()
        unit = Term(
            f"capital of a {line.unit}",
            capital(price.value, left.value.over(HUNDRED), rate.value.over(HUNDRED), life.value),
            "USD/month",
            price.source,
            price.seen,
            price.assumed,
            price.example,
        )
        return priced(_with(line, unit, (price, rate, life, left)))

    def _upkeep(self, line: Line, price: Term) -> Line:
        kept = self._maintenance()
        unit = Term(
            f"upkeep of a {line.unit}",
            monthly(price.value, kept.value.over(HUNDRED)),
            "USD/month",
            price.source,
            price.seen,
            price.assumed or kept.assumed,
            price.example,
        )
        return priced(_with(line, unit, (price, kept)))

    def _server(self, group: NodeGroup) -> Term | Lack:
        quotes = {each.group: each.price for each in self.costs.servers} if self.costs else {}
        stated = self._stated(f"{group.server}", quotes.get(group.group))
        if stated is not None:
            return stated
        for table in ("onprem-costs.server_capex", "onprem-costs.derived_server_capex"):
            for row in self.case.catalog.rows(table):
                if row.value("low") and _is_server(row, group):
                    return range_of(group.server, row.number("low"), row.number("high"), "USD", row)
        return Lack(
            f"no price of a {group.group} node ({group.server})",
            f"write costs.servers: [{{group: {group.group}, price: ...}}]",
            ("costs", "servers"),
        )

    def _needs_software(self, group: NodeGroup) -> bool:
        return bool(group.accelerator) and str(group.accelerator).startswith("nvidia")

    def _software(self, nodes: Counted) -> Line:
        row = self.case.catalog.row("onprem-costs.software_per_gpu", "NVIDIA AI Enterprise subscription")
        line = Line(
            nodes.part,
            "NVIDIA AI Enterprise",
            just(nodes.gpus),
            "GPU",
            "F2",
            node_group=nodes.group.group,
            pool=nodes.pool,
        )
        paid = self.costs.ai_enterprise if self.costs else None
        if paid is None:
            return _with(line, None, (), self._ask("ai_enterprise", "whether NVIDIA AI Enterprise is paid"))
        year = Term("a GPU", just(row.number("usd_per_gpu_year")), "USD/year", row.ref, row.checked)
        month = Term("a GPU", monthly(year.value, just(1 if paid else 0)), "USD/month", row.ref, row.checked)
        return priced(_with(line, month, (year,)))

    def _rate(self) -> Term | Lack:
        costs = self.costs
        if costs is None or costs.cost_of_capital_percent is None:
            return self._ask("cost_of_capital_percent", "what money costs")
        value = just(costs.cost_of_capital_percent)
        return Term("cost of capital", value, "% a year", costs.source, costs.seen, example=costs.example)

    def _residual(self) -> Term:
        costs = self.costs
        if costs is not None and costs.residual_percent is not None:
            value = just(costs.residual_percent)
            return Term("residual value", value, "%", costs.source, costs.seen, example=costs.example)
        return Term("residual value", just(0), "%", "nobody states one", "", assumed=True)

    def _maintenance(self) -> Term:
        costs = self.costs
        if costs is not None and costs.maintenance_percent is not None:
            value = just(costs.maintenance_percent)
            return Term("maintenance", value, "% a year", costs.source, costs.seen, example=costs.example)
        row = self.case.catalog.row("onprem-costs.operations", "hardware maintenance and spares")
        low, high = (Decimal(str(end)) * 100 for end in row.data["share_of_capex_per_year"])
        return range_of("maintenance", str(low), str(high), "% a year", row)

    def _stated(self, name: str, price: Price | None, unit: str = "USD") -> Term | Lack | None:
        if self.costs is None or price is None:
            return None
        try:
            return Stated(self.costs, self.case.catalog).term(name, figure_of(price), unit)
        except NoRate as missing:
            return missing.lack

    def _asked(self, field: str, what: str) -> Term | Lack:
        return self._stated(what, getattr(self.costs, field, None)) or self._ask(field, f"what the {what} costs")

    def _ask(self, field: str, what: str) -> Lack:
        says = f"{self.case.site.site} doesn't say {what}"
        return Lack(says, f"write costs.{field} in its site file", ("costs", field))


def _with(line: Line, price: Term | None, terms: tuple[Term, ...], lacks: Lack | None = None) -> Line:
    return replace(line, price=price, terms=terms, lacks=lacks)


def _is_server(row: Row, group: NodeGroup) -> bool:
    """A row of whole servers with as many of these accelerators. Rows that are computed from boards name them by id."""
    accelerator = str(group.accelerator or "")
    named = row.data.get("accelerator")
    if named is not None:
        return named == accelerator and row.data.get("count") == group.gpus_per_node
    short = accelerator.removeprefix("nvidia-").removesuffix("-sxm")
    return bool(accelerator) and row.key == f"hgx-{short}-{group.gpus_per_node}"
