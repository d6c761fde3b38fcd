"""Plans GPU pools alone, beside a fabric that is only offered: what the part itself decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from msgspec import Struct

from aifactory.components.base import Decision, Place, PlanContext, SitePlan
from aifactory.components.catalog import Catalog
from aifactory.components.gpu_node_pool import plan as part
from aifactory.components.gpu_node_pool import shape
from aifactory.components.gpu_node_pool.model import GpuNodePoolPlan
from aifactory.components.gpu_node_pool.needs import PoolNeeds
from aifactory.components.gpu_node_pool.spec import GpuNodePoolSpec
from aifactory.components.offers import FabricOffer, PoolOffer, RailOffer
from aifactory.components.problems import Problem
from aifactory.components.rows import Maker, Row, Wave
from aifactory.components.rules import table
from support.planning import place as make_place


class Pools(Struct, frozen=True, dict=True):
    """What became of GPU pools at a place."""

    site_plan: SitePlan
    plans: Mapping[str, GpuNodePoolPlan]

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
    def offers(self) -> dict[str, PoolOffer]:
        return {offer.pool: offer for offer in self.site_plan.offers if isinstance(offer, PoolOffer)}

    @property
    def needs(self) -> list[PoolNeeds]:
        return [offer for offer in self.site_plan.offers if isinstance(offer, PoolNeeds)]

    def only(self) -> Problem:
        """The one problem."""
        assert len(self.problems) == 1, [problem.says for problem in self.problems]
        return self.problems[0]

    def values(self, capability: str) -> dict[str, Any]:
        """Chart values that the pools ask for."""
        found = [need.values for need in self.site_plan.requirements if need.capability == capability]
        given = [values for values in found if values]
        assert all(values == given[0] for values in given), "pools contradict each other"
        return dict(given[0]) if given else {}

    def rows(self, pool: str) -> dict[str, Row]:
        maker = Maker("demo", "lab", pool, Wave.HARDWARE)
        return {row.id: row for row in shape.rows(self.plans[pool], maker)}


def fabric_offer(kind: str) -> FabricOffer:
    return FabricOffer(
        part="fabric",
        fabric="fabric",
        kind="infiniband" if kind == "infiniband" else "roce",
        mode="sriov",
        gbps_per_rail=400,
        rails=tuple(RailOffer(rail, f"net/rail-{rail}", f"nvidia.com/rail_{rail}") for rail in range(8)),
        mtu=9000,
        settings=(),
        settings_name="nccl",
    )


def run(
    specs: Iterable[Mapping[str, Any]],
    at: Place | None = None,
    offers: Iterable[object] | None = None,
    needs: Iterable[str] = (),
    later: Iterable[object] = (),
) -> Pools:
    """The three passes. `offers` come before them, by default the site's fabrics; `later` before the last."""
    place = at or make_place()
    site_plan = SitePlan(place, Catalog.shipped(), "demo", table(*part.RULES))
    kinds = [kind for kind in ("roce", "infiniband") if getattr(place.network, kind) is not None]
    site_plan.offers += [fabric_offer(kind) for kind in kinds] if offers is None else list(offers)
    common = {"kind": "gpu-node-pool", "name": "train", "accelerator": "h200"}
    written = [GpuNodePoolSpec.model_validate({**common, **spec}) for spec in specs]
    contexts = [PlanContext(site_plan, spec.name, ("parts", index)) for index, spec in enumerate(written)]
    for capability in needs:
        contexts[0].require(capability, "a test wants it")
    drafts: list[Any] = [part.resolve(spec, ctx) for spec, ctx in zip(written, contexts, strict=True)]
    sized = [draft and part.size(draft, ctx) for draft, ctx in zip(drafts, contexts, strict=True)]
    site_plan.offers += later
    plans = {
        ctx.part: part.settle(draft, ctx) for draft, ctx in reversed(list(zip(sized, contexts, strict=True))) if draft
    }
    return Pools(site_plan, plans)


@pytest.fixture
def pools() -> Any:
    return run
