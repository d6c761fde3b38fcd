"""The parts table: a row each. Adding a part is a folder, a row here and a test folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Protocol, Union, cast

from msgspec import Struct
from pydantic import Field

from aifactory.components.base import PlanContext
from aifactory.components.cluster.spec import ClusterSpec
from aifactory.components.endpoint.spec import EndpointSpec
from aifactory.components.fabric.spec import FabricSpec
from aifactory.components.gateway.spec import GatewaySpec
from aifactory.components.gpu_node_pool.spec import GpuNodePoolSpec
from aifactory.components.observability.spec import ObservabilitySpec
from aifactory.components.queue.spec import QueueSpec
from aifactory.components.rag.spec import RagSpec
from aifactory.components.rows import Maker, Row, Wave
from aifactory.components.rules import Rule
from aifactory.components.serving.spec import ServingSpec
from aifactory.components.spec import PartSpec
from aifactory.components.storage_tier.spec import StorageTierSpec
from aifactory.components.training.spec import TrainingSpec


class Planner(Protocol):
    """A part's `plan` module: three passes, each over all parts before the next begins.

    `resolve` and `size` run in the order of the table, `settle` in reverse, so that whoever is asked for things
    settles after those who ask. A pass that refuses returns None, and the part's later passes don't run.
    """

    RULES: tuple[Rule, ...]

    def resolve(self, spec: Any, ctx: PlanContext) -> Any: ...  # noqa: D102
    def size(self, draft: Any, ctx: PlanContext) -> Any: ...  # noqa: D102
    def settle(self, draft: Any, ctx: PlanContext) -> Any: ...  # noqa: D102


class Shaper(Protocol):
    """A part's `shape` module."""

    def rows(self, plan: Any, maker: Maker) -> Iterator[Row]: ...  # noqa: D102


class Keeper(Shaper, Protocol):
    """The `shape` module of a part that keeps copies of images."""

    def repository_rows(self, plan: Any, maker: Maker, names: Iterable[str]) -> Iterator[Row]: ...  # noqa: D102


class Part(Struct, frozen=True):
    """A kind of part: its layer, its specification and where its hops live."""

    kind: str
    layer: int
    spec: type[PartSpec]
    wave: Wave
    """Wave of the part's rows, unless a row says otherwise."""
    derived: bool = False
    """Whether a site has one even when the blueprint says nothing of it."""

    @property
    def folder(self) -> str:
        """Import name of the part's folder."""
        return f"aifactory.components.{self.kind.replace('-', '_')}"

    @property
    def planner(self) -> Planner:
        """The part's planning passes, imported at first use."""
        return cast("Planner", import_module(f"{self.folder}.plan"))

    @property
    def shaper(self) -> Shaper:
        """The part's rows, imported at first use."""
        return cast("Shaper", import_module(f"{self.folder}.shape"))


PARTS: tuple[Part, ...] = (
    Part("cluster", 1, ClusterSpec, Wave.FOUNDATION, derived=True),
    Part("fabric", 1, FabricSpec, Wave.HARDWARE, derived=True),
    Part("gpu-node-pool", 1, GpuNodePoolSpec, Wave.HARDWARE),
    Part("queue", 2, QueueSpec, Wave.SCHEDULING),
    Part("training", 2, TrainingSpec, Wave.WORKLOADS),
    Part("serving", 3, ServingSpec, Wave.WORKLOADS),
    Part("rag", 3, RagSpec, Wave.SERVING),
    Part("endpoint", 3, EndpointSpec, Wave.GATEWAY),
    Part("gateway", 3, GatewaySpec, Wave.GATEWAY),
    Part("storage-tier", 1, StorageTierSpec, Wave.TELEMETRY),
    Part("observability", 2, ObservabilitySpec, Wave.TELEMETRY),
)
BY_KIND: dict[str, Part] = {part.kind: part for part in PARTS}

if TYPE_CHECKING:
    AnyPart = PartSpec
else:
    AnyPart = Annotated[Union[tuple(part.spec for part in PARTS)], Field(discriminator="kind")]  # noqa: UP007
