"""Plans a vector store alone, with an embedding model, a queue and tiers that are only offered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from msgspec import Struct

from aifactory.components.base import Decision, Place, PlanContext, SitePlan
from aifactory.components.catalog import Catalog
from aifactory.components.demand import Residency
from aifactory.components.problems import Problem
from aifactory.components.rag import plan as part
from aifactory.components.rag import shape
from aifactory.components.rag.decided import RagPlan
from aifactory.components.rag.spec import RagSpec
from aifactory.components.rows import KubernetesRow, Maker, Wave
from aifactory.components.rules import table
from aifactory.components.values import plain
from support.vectors import EU, SPEC, around, here


class Stored(Struct, frozen=True, dict=True):
    """What became of a vector store."""

    site_plan: SitePlan
    made: RagPlan | None

    @property
    def problems(self) -> list[Problem]:
        return self.site_plan.problems

    @property
    def broken(self) -> list[str]:
        """Ids of the rules that found something."""
        return [problem.rule for problem in self.problems]

    @property
    def decisions(self) -> Mapping[str, Decision]:
        return self.site_plan.decisions

    @property
    def plan(self) -> RagPlan:
        assert self.made is not None, [problem.says for problem in self.problems]
        return self.made

    def rows(self) -> dict[str, KubernetesRow]:
        """Rows by identity."""
        found = shape.rows(self.plan, Maker("demo", "lab", "vectors", Wave.SERVING))
        return {row.id: row for row in found if isinstance(row, KubernetesRow)}

    def body(self, row: str) -> Any:
        """An object as it is sent."""
        return plain(self.rows()[row].body, lambda ref: ref)


def run(
    changes: Mapping[str, Any] | None = None,
    *,
    offers: Iterable[object] | None = None,
    at: Place | None = None,
    residency: Mapping[str, Any] | None = EU,
    refused: Iterable[str] = (),
    factory: str = "demo",
) -> Stored:
    """The three passes over one store, given as changes to one that works."""
    site_plan = SitePlan(
        at or here(),
        Catalog.shipped(),
        factory,
        table(*part.RULES),
        residency=Residency.model_validate({"data_classes": residency}) if residency else None,
    )
    site_plan.refused.update(refused)
    site_plan.offers += around() if offers is None else list(offers)
    written = {key: value for key, value in {**SPEC, **(changes or {})}.items() if value is not None}
    spec = RagSpec.model_validate(written)
    ctx = PlanContext(site_plan, spec.name, ("parts", 0))
    draft = part.resolve(spec, ctx)
    made = part.size(draft, ctx) if draft else None
    return Stored(site_plan, part.settle(made, ctx) if made else None)


@pytest.fixture
def stored() -> Any:
    return run
