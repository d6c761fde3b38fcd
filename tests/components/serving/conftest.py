"""Plans served models alone, on a pool and a queue that are only offered: what the part itself decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from msgspec import Struct

from aifactory.components.base import Decision, Place, PlanContext, SitePlan
from aifactory.components.catalog import Catalog
from aifactory.components.demand import Demand, Residency
from aifactory.components.problems import Problem
from aifactory.components.rows import KubernetesRow, Maker, Wave
from aifactory.components.rules import table
from aifactory.components.serving import plan as part
from aifactory.components.serving import shape
from aifactory.components.serving.decided import ServingPlan
from aifactory.components.serving.spec import ServingSpec
from aifactory.components.values import plain
from support.models import CHAT, card
from support.offered import fabric, pool
from support.planning import place

WEIGHTS = {"kind": "oci", "image": f"registry.example.com/models/llama:1@sha256:{'a' * 64}"}
SPEC: dict[str, Any] = {
    "kind": "serving",
    "name": "chat",
    "model": "llama-3.3-70b",
    "pool": "train",
    "precision": "fp8",
    "stored_as": "fp8",
    "kv_cache": "fp8",
    "weights": WEIGHTS,
}


class Served(Struct, frozen=True, dict=True):
    """What became of models at a place."""

    site_plan: SitePlan
    plans: Mapping[str, ServingPlan]

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
    def plan(self) -> ServingPlan:
        """The only plan."""
        assert len(self.plans) == 1, [problem.says for problem in self.problems]
        return next(iter(self.plans.values()))

    def only(self) -> Problem:
        """The one problem."""
        assert len(self.problems) == 1, [problem.says for problem in self.problems]
        return self.problems[0]

    def rows(self, name: str = "chat") -> dict[str, KubernetesRow]:
        """Rows of a part by identity."""
        maker = Maker("demo", "lab", name, Wave.WORKLOADS)
        found = shape.rows(self.plans[name], maker)
        return {row.id: row for row in found if isinstance(row, KubernetesRow)}

    def body(self, row: str, name: str = "chat") -> Any:
        """An object as it is sent."""
        return plain(self.rows(name)[row].body, lambda ref: ref)


def run(
    *specs: Mapping[str, Any],
    demands: Iterable[Mapping[str, Any]] = (CHAT,),
    offers: Iterable[object] | None = None,
    at: Place | None = None,
    residency: Mapping[str, Any] | None = None,
) -> Served:
    """The three passes over models, each given as changes to one that works."""
    asked = [dict(each) for each in demands]
    site_plan = SitePlan(
        at or place(),
        Catalog.shipped(),
        "demo",
        table(*part.RULES),
        demand=Demand.model_validate({"models": asked}) if asked else None,
        residency=Residency.model_validate({"data_classes": residency}) if residency else None,
    )
    site_plan.offers += [card(), fabric(), pool(nodes=40)] if offers is None else list(offers)
    written = [ServingSpec.model_validate({**SPEC, **spec}) for spec in (specs or ({},))]
    contexts = [PlanContext(site_plan, spec.name, ("parts", index)) for index, spec in enumerate(written)]
    drafts = [part.resolve(spec, ctx) for spec, ctx in zip(written, contexts, strict=True)]
    plans = [part.size(draft, ctx) if draft else None for draft, ctx in zip(drafts, contexts, strict=True)]
    return Served(
        site_plan, {ctx.part: part.settle(made, ctx) for made, ctx in zip(plans, contexts, strict=True) if made}
    )


@pytest.fixture
def served() -> Any:
    return run
