"""Where a part that can't run at a site could run: the nearest site of the factory that can, proved by the planner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from aifactory.components.base import Place, PlanContext, SitePlan
from aifactory.components.catalog import Catalog, jurisdictions_of
from aifactory.components.given import NodeGroup
from aifactory.components.offers import PoolCard
from aifactory.components.problems import Problem
from aifactory.components.serving import around, replicas
from aifactory.components.serving.spec import ServingSpec

SAME_COUNTRY, SAME_LAW, ELSEWHERE = range(3)


class Fit(Struct, frozen=True):
    """What sizing says of a model on the nodes of one group."""

    problem: Problem | None
    """Why it can't be served there."""
    gpus: int
    """GPUs that it takes."""
    gpus_there: int
    needed: int
    """Those of them that carry the peak, without a spare replica."""

    @property
    def holds(self) -> bool:
        """Whether the group serves it."""
        return self.problem is None and self.gpus <= self.gpus_there


class Found(Struct, frozen=True):
    """A site that can, and the nodes there that do."""

    place: Place
    group: NodeGroup


Able = Callable[[Place, NodeGroup], bool]


def nearest_first(here: Place, others: Sequence[Place], catalog: Catalog) -> list[Place]:
    """Sites in the same country, then those under a law that both share, then the rest; among equals as the blueprint
    names them. Data that may be here may most likely be there, in this order."""

    def distance(place: Place) -> int:
        if place.location.country == here.location.country:
            return SAME_COUNTRY
        laws = (set(jurisdictions_of(catalog, each.location.country)) for each in (here, place))
        return SAME_LAW if set.intersection(*laws) else ELSEWHERE

    return sorted(others, key=distance)


def nearest_able(ctx: PlanContext, others: Sequence[Place], able: Able) -> Found | None:
    """The nearest site with a group of nodes that can."""
    for place in nearest_first(ctx.place, others, ctx.catalog):
        for group in gpu_groups(place, ctx.catalog):
            if able(place, group):
                return Found(place, group)
    return None


def instead(part: str, found: Found | None, would_do: str) -> str:
    """What to do about a part that can't run here."""
    if found is None:
        return f"no site of this blueprint can: name one in placement that has {would_do}"
    site, country = found.place.site, found.place.location.country
    return (
        f"{site} ({country}) is the nearest site that can, on {found.group.accelerator}: write sites: [{site}] at part "
        f"{part}, and give it a pool there"
    )


def gpu_groups(place: Place, catalog: Catalog) -> Iterator[NodeGroup]:
    """Groups whose accelerators a pool can be made of."""
    for group in place.nodes:
        row = catalog.find("accelerators", group.accelerator) if group.accelerator else None
        if row is not None and row.data.get("vendor") == "nvidia":
            yield group


def fit_of(spec: ServingSpec, ctx: PlanContext, place: Place, group: NodeGroup) -> Fit:
    """Size a model on a group of nodes, as its part would be there. Nothing of it enters the plan."""
    own = ctx.site_plan
    trial = SitePlan(place, own.catalog, own.factory, own.rules, demand=own.demand, residency=own.residency)
    at = PlanContext(trial, spec.name, ())
    gpus_there = len(group.nodes) * group.gpus_per_node
    asked = at.demand_of(spec.model)
    card = PoolCard(
        part=spec.pool,
        pool=spec.pool,
        accelerator=str(group.accelerator),
        gpus_per_node=group.gpus_per_node,
        nodes_at_most=len(group.nodes),
        several_join=bool(group.nics) and place.venue_facts.fabric,
        whole_gpus=True,
    )
    sized = None
    if asked is not None and around.allowed_here(*asked, at):
        sized = replicas.sized(spec, asked[1], asked[0], card, at)
    errors = [problem for problem in trial.problems if problem.severity == "error"]
    if sized is None or errors:
        return Fit(errors[0] if errors else Problem("nothing says how much it must carry"), 0, gpus_there, 0)
    each = sized.layout.gpus
    return Fit(None, sized.replicas * each, gpus_there, sized.needed * each)
