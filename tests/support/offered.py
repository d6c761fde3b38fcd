"""Plans parts of layer 2 on made-up pools and fabrics, without the parts of layer 1 that would offer them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from aifactory.components import names
from aifactory.components.base import Place, PlanContext, SitePlan
from aifactory.components.catalog import Catalog
from aifactory.components.offers import FabricOffer, PoolOffer, RackShare, RailOffer, Taint
from aifactory.components.parts import BY_KIND
from aifactory.components.queue.rules import RULES as QUEUE_RULES
from aifactory.components.rows import KubernetesRow, Maker
from aifactory.components.rules import table
from aifactory.components.training.rules import RULES as TRAINING_RULES
from support.planning import place

RULES = table(*QUEUE_RULES, *TRAINING_RULES)
GPU_TAINT = Taint("nvidia.com/gpu", "present", "NoSchedule")


def racks(nodes: int, per_rack: int = 4, racks_per_block: int = 1) -> tuple[RackShare, ...]:
    """Racks of `per_rack` nodes, so many of them a block."""
    return tuple(
        RackShare(
            f"r{index + 1}",
            f"b{index // racks_per_block + 1}",
            tuple(f"n{node + 1}" for node in range(index * per_rack, min((index + 1) * per_rack, nodes))),
        )
        for index in range(-(-nodes // per_rack))
    )


def pool(name: str = "train", nodes: int = 8, **fields: Any) -> PoolOffer:
    """A pool of H200 nodes with eight GPUs, on the fabric `fabric`."""
    whole: dict[str, Any] = {
        "part": name,
        "pool": name,
        "accelerator": "h200",
        "architecture": "amd64",
        "nodes": nodes,
        "gpus_per_node": 8,
        "gpu_resource": "nvidia.com/gpu",
        "slice_resources": (),
        "cpus_per_node": 186,
        "memory_gib_per_node": 2032,
        "node_labels": ((names.POOL_LABEL, name),),
        "taints": (GPU_TAINT,),
        "topology_levels": (names.BLOCK_LABEL, names.RACK_LABEL, names.HOSTNAME_LABEL),
        "racks": racks(nodes),
        "fabric": "fabric",
    }
    return PoolOffer(**{**whole, **fields})


def fabric(name: str = "fabric", rails: int = 8, **fields: Any) -> FabricOffer:
    """A RoCE fabric with a device and a network for each rail."""
    whole: dict[str, Any] = {
        "part": name,
        "fabric": name,
        "kind": "roce",
        "mode": "sriov-ethernet",
        "gbps_per_rail": 400,
        "rails": tuple(
            RailOffer(rail, f"fabric-system/rail-{rail}", f"nvidia.com/rail_{rail}") for rail in range(rails)
        ),
        "mtu": 9000,
        "settings": (("NCCL_IB_TC", "106"), ("NCCL_IB_HCA", "mlx5")),
        "settings_name": f"{name}-nccl",
        "ipc_lock": False,
    }
    return FabricOffer(**{**whole, **fields})


class Outcome(Struct, frozen=True):
    """What became of the parts."""

    site_plan: SitePlan
    plans: Mapping[str, Any]

    @property
    def broken(self) -> list[str]:
        """Ids of the rules that found something, in order."""
        return [problem.rule for problem in self.site_plan.problems if problem.rule]

    @property
    def says(self) -> list[str]:
        """What was found, with the hints."""
        return [f"{problem.says} | {problem.hint}" for problem in self.site_plan.problems]

    @property
    def errors(self) -> list[str]:
        """What refuses the plan."""
        return [problem.says for problem in self.site_plan.problems if problem.severity == "error"]

    def decision(self, path: str) -> Any:
        """Value of a decision."""
        return self.site_plan.decisions[path].value

    def rows(self, part: str) -> dict[str, KubernetesRow]:
        """Rows of a part by identity."""
        kind = self.kinds[part]
        maker = Maker("demo", "lab", part, BY_KIND[kind].wave)
        found = list(BY_KIND[kind].shaper.rows(self.plans[part], maker))
        assert all(isinstance(row, KubernetesRow) for row in found)
        return {row.id: row for row in found if isinstance(row, KubernetesRow)}

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of each part."""
        return {name: "training" if hasattr(plan, "run") else "queue" for name, plan in self.plans.items()}


def outcome(specs: Sequence[Mapping[str, Any]], offers: Sequence[object] = (), at: Place | None = None) -> Outcome:
    """Plan queues and training runs, given as data, on these offers (by default one pool on one fabric)."""
    site_plan = SitePlan(at or place(), Catalog.shipped(), "demo", RULES)
    site_plan.offers.extend(offers or (fabric(), pool()))
    drafts: list[Any] = [BY_KIND[str(spec["kind"])].spec.model_validate(dict(spec)) for spec in specs]
    contexts = [PlanContext(site_plan, draft.name, ("parts", index)) for index, draft in enumerate(drafts)]
    planners = [BY_KIND[str(spec["kind"])].planner for spec in specs]
    for step in ("resolve", "size", "settle"):
        for index, planner in enumerate(planners):
            if drafts[index] is not None:
                drafts[index] = getattr(planner, step)(drafts[index], contexts[index])
                if drafts[index] is None:
                    site_plan.refused.add(contexts[index].part)
    named = {context.part: draft for context, draft in zip(contexts, drafts, strict=True) if draft is not None}
    return Outcome(site_plan, named)


def queue(**fields: Any) -> dict[str, Any]:
    """A queue as written: two tenants on the pool `train`."""
    tenants = [{"name": "research", "gpus": 40}, {"name": "product", "gpus": 16}]
    return {"kind": "queue", "name": "teams", "pools": ["train"], "tenants": tenants, **fields}


def training(**fields: Any) -> dict[str, Any]:
    """A training run as written: four nodes for research, with checkpoints."""
    return {
        "kind": "training",
        "name": "pretrain",
        "pool": "train",
        "tenant": "research",
        "nodes": 4,
        "image": "registry.example.com/research/trainer:2026.11.1",
        "checkpoint": {"size_gib": 1024},
        **fields,
    }
