"""The three passes over the parts of one site: resolve, size, settle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import cast

from aifactory.components import names
from aifactory.components.base import Place, PlanContext, SitePlan
from aifactory.components.bursting import RULES as FLEX_RULES
from aifactory.components.bursting import Flex
from aifactory.components.catalog import Catalog
from aifactory.components.cluster.spec import ClusterSpec
from aifactory.components.demand import Demand, Residency
from aifactory.components.fabric.spec import FabricSpec
from aifactory.components.mirroring import MirrorOffer
from aifactory.components.offers import CloudOffer, ClusterAccessOffer, OperatorNote, PodPromise
from aifactory.components.parts import BY_KIND, PARTS
from aifactory.components.rules import Rule
from aifactory.components.rules import table as rule_table
from aifactory.components.spec import PartSpec
from aifactory.components.venues import RULES as VENUE_RULES
from aifactory.stacks.planning.bursting import may_burst
from aifactory.stacks.planning.model import DecidedPart, OverrideNote, PartPlan, PlannedSpec, StackPlan
from aifactory.stacks.planning.screening import stands


@cache
def rules() -> Mapping[str, Rule]:
    """All planner rules by id."""
    return rule_table(*(rule for part in PARTS for rule in part.planner.RULES), *VENUE_RULES, *FLEX_RULES)


def plan_site(
    factory: str,
    specs: Iterable[PlannedSpec],
    place: Place,
    catalog: Catalog,
    demand: Demand | None = None,
    residency: Residency | None = None,
    others: Sequence[Place] = (),
    flex: Flex | None = None,
) -> tuple[SitePlan, StackPlan | None]:
    """Plan the parts of one site. The stack is None when a part refused. `others` are the factory's other sites,
    and `flex` is its flex side."""
    site_plan = SitePlan(
        place, catalog, factory, rules(), demand=demand, residency=residency, others=tuple(others), flex=flex
    )
    written = [planned for planned in specs if not planned.spec.sites or place.site in planned.spec.sites]
    standing = _standing(written, site_plan, others)
    ordered = _in_table_order([*standing, *_derived(standing)])
    contexts = [PlanContext(site_plan, planned.spec.name, planned.where) for planned in ordered]
    drafts: list[object] = [planned.spec for planned in ordered]
    planners = [BY_KIND[planned.kind].planner for planned in ordered]
    forward = list(range(len(ordered)))
    for step, order in (("resolve", forward), ("size", forward), ("settle", forward[::-1])):
        for index in order:
            if drafts[index] is not None:
                drafts[index] = getattr(planners[index], step)(drafts[index], contexts[index])
                if drafts[index] is None:
                    site_plan.refused.add(ordered[index].spec.name)
    if site_plan.refused or any(draft is None for draft in drafts):
        return site_plan, None
    parts = tuple(
        _part_plan(planned, cast("DecidedPart", draft)) for planned, draft in zip(ordered, drafts, strict=True)
    )
    return site_plan, StackPlan(
        name=names.stack_name(factory, place.site),
        factory=factory,
        place=place,
        parts=parts,
        decisions=site_plan.decisions,
        promises=tuple(offer for offer in site_plan.offers if isinstance(offer, PodPromise)),
        notes=tuple(offer for offer in site_plan.offers if isinstance(offer, OperatorNote)),
        cloud=next((offer for offer in site_plan.offers if isinstance(offer, CloudOffer)), None),
        reached_by=next((offer for offer in site_plan.offers if isinstance(offer, ClusterAccessOffer)), None),
        mirror=next((offer for offer in site_plan.offers if isinstance(offer, MirrorOffer)), None),
    )


def _standing(written: list[PlannedSpec], site_plan: SitePlan, others: Sequence[Place]) -> list[PlannedSpec]:
    """Parts that the venue of the site can hold. Those that it can't have refused, before anybody asks for them."""
    parts = [planned.spec for planned in written]
    found = []
    for planned in written:
        ctx = PlanContext(site_plan, planned.spec.name, planned.where)
        if stands(planned.spec, ctx, parts, others) and may_burst(planned.spec, ctx, parts):
            found.append(planned)
        else:
            site_plan.refused.add(planned.spec.name)
    return found


_ORDER = {part.kind: index for index, part in enumerate(PARTS)}


def _in_table_order(specs: list[PlannedSpec]) -> list[PlannedSpec]:
    """By kind, then by the name that a part keeps for life: a rename changes no choice of nodes."""
    return sorted(specs, key=lambda planned: (_ORDER[planned.kind], planned.spec.identity))


def _derived(written: list[PlannedSpec]) -> list[PlannedSpec]:
    """The site parts that a blueprint needn't mention: the cluster, and the fabric of pools that have one."""
    kinds = {planned.kind for planned in written}
    derived: list[PartSpec] = []
    if "cluster" not in kinds:
        derived.append(ClusterSpec(kind="cluster"))
    wants_fabric = any(getattr(planned.spec, "fabric", "none") != "none" for planned in written)
    if wants_fabric and "fabric" not in kinds:
        derived.append(FabricSpec(kind="fabric"))
    return [PlannedSpec(spec, ("parts",), derived=True) for spec in derived]


def _part_plan(planned: PlannedSpec, plan: DecidedPart) -> PartPlan:
    spec = planned.spec
    notes = tuple(
        OverrideNote(spec.name, note.row, note.patch, note.reason, (*planned.where, "overrides", index))
        for index, note in enumerate(spec.overrides)
    )
    return PartPlan(spec.name, planned.kind, spec.renamed_from or "", tuple(spec.also_renamed_from), plan, notes)
