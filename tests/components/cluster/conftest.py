"""Plans a cluster part alone: what other parts ask for is given as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from msgspec import Struct

from aifactory.components.base import PlanContext, SitePlan
from aifactory.components.capabilities import NamespaceRequest, Requirement
from aifactory.components.catalog import Catalog
from aifactory.components.cluster import plan, shape
from aifactory.components.cluster.model import ClusterPlan, NamespacePlan, ReleasePlan
from aifactory.components.cluster.spec import ClusterSpec
from aifactory.components.rows import HelmRow, KubernetesRow, Maker, Row, Wave
from aifactory.components.rules import table
from support.planning import place


class Settled(Struct, frozen=True, dict=True):
    """What became of a cluster part."""

    site_plan: SitePlan
    plan: ClusterPlan | None

    @property
    def decided(self) -> ClusterPlan:
        assert self.plan is not None, self.says
        return self.plan

    @property
    def says(self) -> list[str]:
        return [problem.says for problem in self.site_plan.problems]

    @property
    def hints(self) -> list[str]:
        return [problem.hint for problem in self.site_plan.problems]

    @property
    def broken(self) -> list[str]:
        return [problem.rule for problem in self.site_plan.problems if problem.rule]

    @property
    def releases(self) -> dict[str, ReleasePlan]:
        return {release.capability: release for release in self.decided.releases}

    @property
    def namespaces(self) -> dict[str, NamespacePlan]:
        return {namespace.name: namespace for namespace in self.decided.namespaces}

    @property
    def rows(self) -> dict[str, Row]:
        maker = Maker("demo", "lab", "cluster", Wave.FOUNDATION)
        made = list(shape.rows(self.decided, maker))
        assert len({row.id for row in made}) == len(made)
        return {row.id: row for row in made}

    def body(self, identity: str) -> dict[str, Any]:
        row = self.rows[identity]
        assert isinstance(row, KubernetesRow)
        return row.body

    def helm(self, identity: str) -> HelmRow:
        row = self.rows[identity]
        assert isinstance(row, HelmRow)
        return row

    def reason(self, key: str) -> str:
        return self.site_plan.decisions[f"cluster.{key}"].reason


Settle = Callable[..., Settled]


@pytest.fixture
def settle() -> Settle:
    """`settle(requirements, namespaces, policy, catalog, **cluster)`; a capability's name is a
    requirement."""

    def run(
        requirements: Sequence[Requirement | str] = (),
        namespaces: Sequence[NamespaceRequest] = (),
        policy: dict[str, Any] | None = None,
        catalog: Catalog | None = None,
        **cluster: Any,
    ) -> Settled:
        spec = ClusterSpec.model_validate({"kind": "cluster", **(policy or {})})
        given = {
            "version": "1.35.6",
            "kubeconfig": {"context": "lab"},
            "storage_classes": [{"name": "shared", "access": ["ReadWriteOnce"], "default": True}],
            **cluster,
        }
        site_plan = SitePlan(place(cluster=given), catalog or Catalog.shipped(), "demo", table(*plan.RULES))
        ctx = PlanContext(site_plan, spec.name, ("parts",))
        draft = plan.resolve(spec, ctx)
        if draft is None:
            return Settled(site_plan, None)
        site_plan.requirements.extend(
            Requirement(item, "asker", "it is needed") if isinstance(item, str) else item for item in requirements
        )
        site_plan.namespaces.extend(namespaces)
        return Settled(site_plan, plan.settle(plan.size(draft, ctx), ctx))

    return run
