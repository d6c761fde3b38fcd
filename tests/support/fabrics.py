"""Plans a fabric alone: with made-up pools in place of the GPU node pool part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from msgspec import Struct, field

from aifactory.components.base import Place, PlanContext, SitePlan
from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.catalog import Catalog
from aifactory.components.fabric import plan as planner
from aifactory.components.fabric import shape
from aifactory.components.fabric.efa.model import EfaPlan
from aifactory.components.fabric.model import FabricPlan
from aifactory.components.fabric.rules import RULES
from aifactory.components.fabric.spec import FabricSpec
from aifactory.components.given import NodeGroup
from aifactory.components.names import POOL_LABEL
from aifactory.components.offers import FabricOffer, PoolOffer, RackShare, Taint
from aifactory.components.rows import HostRow, KubernetesRow, Maker, Row, SwitchRow, Wave
from aifactory.components.rules import table
from aifactory.components.values import plain
from support.planning import INFINIBAND, ROCE, group, place

CIDRS: dict[str, Any] = {"pod_cidr": "10.0.0.0/14", "service_cidr": "10.8.0.0/16"}
LEAF_PORTS = 64


def leafs(rails: int, blocks: Sequence[str] = ("b1", "b2"), name: str = "swp{}") -> list[dict[str, Any]]:
    """A leaf for each rail of each block."""
    ports = [name.format(port) for port in range(1, LEAF_PORTS + 1)]
    return [
        {"switch": f"leaf-{block}-{rail}", "block": block, "rails": [rail], "ports": ports}
        for block in blocks
        for rail in range(rails)
    ]


def roce(**changes: Any) -> dict[str, Any]:
    """Networks of a site with RoCE; `switches` changes fields of the switches."""
    given = deepcopy(ROCE)
    given["switches"].update(changes.pop("switches", {}))
    given.update(changes)
    if "rails" in changes:
        given["switches"]["leafs"] = leafs(changes["rails"])
    return {"roce": given, **CIDRS}


def infiniband(**changes: Any) -> dict[str, Any]:
    """Networks of a site with InfiniBand."""
    return {"infiniband": {**deepcopy(INFINIBAND), **changes}, **CIDRS}


UFM: dict[str, Any] = {
    "secret": "ufm",
    "guid_pool": ["02:00:00:00:00:00:00:00", "02:ff:ff:ff:ff:ff:ff:ff"],
    "pkeys": {"red": "0x11", "blue": "0x12"},
}


def pool(
    given: NodeGroup, name: str = "train", fabric: str = "fabric", nodes: Sequence[str] | None = None
) -> PoolOffer:
    """What the GPU node pool part would offer of a node group, or of some of its nodes."""
    taken = set(given.nodes if nodes is None else nodes)
    racks = [
        RackShare(rack.rack, rack.block, tuple(node for node in rack.nodes if node in taken))
        for rack in given.racks
        if taken & set(rack.nodes)
    ]
    return PoolOffer(
        part=name,
        pool=name,
        accelerator=str(given.accelerator),
        architecture=given.architecture,
        nodes=len(taken),
        gpus_per_node=given.gpus_per_node,
        gpu_resource="nvidia.com/gpu",
        slice_resources=(),
        cpus_per_node=given.cpus,
        memory_gib_per_node=given.memory_gib,
        node_labels=((POOL_LABEL, name),),
        taints=(Taint("nvidia.com/gpu", "", "NoSchedule"), Taint("aifactory.io/pool", name, "NoSchedule")),
        topology_levels=("aifactory.io/block", "aifactory.io/rack"),
        racks=tuple(racks),
        fabric=fabric,
    )


class Fabrics(Struct):
    """What became of the fabrics of one site."""

    site_plan: SitePlan
    plans: dict[str, FabricPlan | None] = field(default_factory=dict)

    @property
    def plan(self) -> FabricPlan:
        """The plan of the only fabric."""
        (plan,) = self.plans.values()
        assert plan is not None, [problem.says for problem in self.site_plan.problems]
        return plan

    @property
    def offers(self) -> list[FabricOffer]:
        """What workloads see."""
        return [offer for offer in self.site_plan.offers if isinstance(offer, FabricOffer)]

    @property
    def broken(self) -> list[str]:
        """Ids of the rules that found something."""
        return [problem.rule for problem in self.site_plan.problems]

    @property
    def rows(self) -> dict[str, Row]:
        """All rows by identity; a collision fails."""
        found: dict[str, Row] = {}
        for name, plan in self.plans.items():
            assert plan is not None, [problem.says for problem in self.site_plan.problems]
            for row in shape.rows(plan, Maker("demo", self.site_plan.place.site, name, Wave.HARDWARE)):
                assert row.id not in found, row.id
                found[row.id] = row
        return found

    def objects(self, kind: str) -> dict[str, dict[str, Any]]:
        """Objects of a kind by name, as they are sent."""
        rows = [row for row in self.rows.values() if isinstance(row, KubernetesRow)]
        found: dict[str, dict[str, Any]] = {}
        for row in rows:
            if row.body["kind"] == kind:
                tree = plain(row.body, str)
                assert isinstance(tree, dict)
                found[row.name] = tree
        return found

    @property
    def hosts(self) -> dict[str, HostRow]:
        """Files on hosts by path."""
        return {row.path: row for row in self.rows.values() if isinstance(row, HostRow)}

    @property
    def switches(self) -> dict[str, SwitchRow]:
        """Settings of switches by name."""
        return {row.switch: row for row in self.rows.values() if isinstance(row, SwitchRow)}

    def values(self, capability: str) -> dict[str, Any]:
        """Chart values that were asked for, of the first who asked."""
        return next(need.values for need in self.site_plan.requirements if need.capability == capability)

    def decided(self, key: str, part: str = "fabric") -> Any:
        """The value of a decision."""
        return self.site_plan.decisions[f"{part}.{key}"].value


def plan_fabrics(
    specs: Sequence[Mapping[str, Any]] = ({},),
    at: Place | None = None,
    pools: Iterable[PoolOffer] | None = None,
    offers: Iterable[object] = (),
    readers: Mapping[str, str] | None = None,
) -> Fabrics:
    """Run the passes over fabrics. `pools` default to one pool of each node group; `readers` are
    namespaces that mount the settings of the first fabric, each with its tenant."""
    where = at or place()
    parsed = [FabricSpec.model_validate(dict(spec)) for spec in specs]
    site_plan = SitePlan(where, Catalog.shipped(), "demo", table(*RULES))
    contexts = [PlanContext(site_plan, spec.name, ("parts", index)) for index, spec in enumerate(parsed)]
    drafts: list[Any] = [planner.resolve(spec, ctx) for spec, ctx in zip(parsed, contexts, strict=True)]
    drafts = [draft and planner.size(draft, ctx) for draft, ctx in zip(drafts, contexts, strict=True)]
    default = [pool(given, given.group, parsed[0].name) for given in where.nodes if given.accelerator]
    for offer in [*(default if pools is None else pools), *offers]:
        site_plan.offers.append(offer)
    for namespace, tenant in (readers or {}).items():
        contexts[0].namespace(NamespaceRequest(namespace, "queue", "jobs", tenant=tenant))
        contexts[0].read_settings(parsed[0].name, namespace)
    found = Fabrics(site_plan)
    for spec, ctx, draft in reversed(list(zip(parsed, contexts, drafts, strict=True))):
        plan = planner.settle(draft, ctx) if draft else None
        assert not isinstance(plan, EfaPlan), "a site of its own has no EFA"
        found.plans[spec.name] = plan
    return found


__all__ = [
    "CIDRS",
    "INFINIBAND",
    "ROCE",
    "UFM",
    "Fabrics",
    "group",
    "infiniband",
    "leafs",
    "place",
    "plan_fabrics",
    "pool",
    "roce",
]
