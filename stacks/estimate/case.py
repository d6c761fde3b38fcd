"""What one site is estimated from: its plan, its rows, what was asked, and what it says of its costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from aifactory.blueprints.load import LoadedSite
from aifactory.blueprints.site import AwsSite, Site
from aifactory.components.catalog import Catalog
from aifactory.components.demand import ModelDemand
from aifactory.components.given import NodeGroup
from aifactory.components.gpu_node_pool.aws.model import AwsFlexPlan, AwsPoolPlan
from aifactory.components.gpu_node_pool.model import GpuNodePoolPlan
from aifactory.components.rows import CloudRow
from aifactory.components.serving.decided import ServingPlan
from aifactory.stacks.estimate.prices import Book
from aifactory.stacks.estimate.what_if import AS_PLANNED, WhatIf
from aifactory.stacks.planning.model import PartPlan, StackPlan


class Pool(Struct, frozen=True):
    """GPU nodes of one part."""

    part: str
    plan: GpuNodePoolPlan
    nodes: int
    """Nodes that it has, or has at most where they come and go."""

    @property
    def gpus(self) -> int:
        """All GPUs of it."""
        return self.nodes * self.plan.gpus_per_node

    @property
    def instance_type(self) -> str:
        """Instance type of its nodes at AWS, empty elsewhere."""
        plan = self.plan
        if isinstance(plan, AwsPoolPlan):
            return plan.node_group.instance_type
        return plan.flex.shares[0].instance_type if isinstance(plan, AwsFlexPlan) else ""


class Served(Struct, frozen=True):
    """A model at the site: its plan, what is asked of it, and how much a replica carries."""

    part: str
    plan: ServingPlan
    demand: ModelDemand
    pool: str
    tokens_per_s: tuple[float, float, float]
    """Of a replica, low, expected and high: tokens of answers, or of texts where none are written."""
    prompt_share: float
    """Of the time of a step, what reads prompts. Between 0 and 1."""
    planned_per_s: float
    """Tokens that the plan counted on for a replica, as `tokens_per_s`."""
    calls: float | None = None
    """Calls over a day in the place of those that are asked. Unit: per s. None: those."""

    @property
    def gpus(self) -> int:
        """GPUs of all replicas."""
        return self.plan.replicas * self.plan.layout.gpus

    @property
    def calls_per_s(self) -> float:
        """Calls of the model over a day, as they are today. Unit: per s."""
        return self.demand.rate[0] * self.demand.agentic_factor if self.calls is None else self.calls

    @property
    def counted_tokens(self) -> int:
        """Tokens of a call that speed is counted in."""
        return self.demand.output_tokens or self.demand.input_tokens


class Case(Struct, frozen=True, dict=True):
    """One site."""

    plan: StackPlan
    here: LoadedSite
    catalog: Catalog
    book: Book
    cloud_rows: tuple[CloudRow, ...] = ()
    what_if: WhatIf = AS_PLANNED

    @property
    def site(self) -> Site | AwsSite:
        """The site as written."""
        return self.here.site

    @cached_property
    def pools(self) -> tuple[Pool, ...]:
        """GPU nodes, pool by pool."""
        plans = [(part.name, part.plan) for part in self.plan.parts]
        return tuple(Pool(name, plan, _nodes(plan)) for name, plan in plans if isinstance(plan, GpuNodePoolPlan))

    @cached_property
    def served(self) -> tuple[Served, ...]:
        """Models that the site serves."""
        plans = [(part.name, part.plan) for part in self.plan.parts]
        return tuple(self._served(name, plan) for name, plan in plans if isinstance(plan, ServingPlan))

    @cached_property
    def groups(self) -> Mapping[str, NodeGroup]:
        """Node groups of an owned site, by name."""
        return {} if isinstance(self.site, AwsSite) else {group.group: group for group in self.site.nodes}

    def parts(self, kind: str) -> Iterator[PartPlan]:
        """Parts of one kind."""
        return (part for part in self.plan.parts if part.kind == kind)

    def spec(self, name: str) -> Any:
        """A part as written, None where nobody wrote it."""
        return next((part for part in self.here.blueprint.parts if part.name == name), None)

    def models_of(self, pool: str) -> tuple[Served, ...]:
        """Models on the GPUs of a pool."""
        return tuple(each for each in self.served if each.pool == pool)

    def _served(self, name: str, plan: ServingPlan) -> Served:
        asked = self.here.blueprint.demand
        demand = next(each for each in asked.models if each.name == plan.model) if asked else None
        assert demand is not None  # noqa: S101 - SRV-001 refuses a model that nobody asks for
        speed = self.plan.decisions[f"{name}.tokens_per_s"].value
        share = self.plan.decisions[f"{name}.prompt_percent"].value
        assert isinstance(speed, Mapping)  # noqa: S101 - the kernel's step
        times = float(self.what_if.speed)
        low, expected, high = (float(str(speed[end])) * times for end in ("low", "expected", "high"))
        planned = float(str(speed["planned"]))
        found = Served(name, plan, demand, str(self.spec(name).pool), (low, expected, high), _share(share), planned)
        use = self.what_if.use
        if use is None:
            return found
        return replace(found, calls=float(use) * expected * plan.replicas / found.counted_tokens)


def _share(percent: object) -> float:
    return float(str(percent)) / 100


def _nodes(plan: GpuNodePoolPlan) -> int:
    if isinstance(plan, AwsPoolPlan):
        return plan.node_group.nodes
    if isinstance(plan, AwsFlexPlan):
        return sum(share.nodes for share in plan.flex.shares)
    return sum(rack.size for rack in plan.racks)
