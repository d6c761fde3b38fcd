"""How a replica can be cut over GPUs: tensor parallelism inside a node, pipeline over nodes."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from aifactory.components.sizing.card import Card
from aifactory.components.sizing.geometry import Geometry
from aifactory.components.sizing.options import Options


class Cut(Struct, frozen=True):
    """A replica over GPUs. Data parallelism is what replicas do."""

    tensor: int
    pipeline: int

    @property
    def gpus(self) -> int:
        """GPUs of a replica."""
        return self.tensor * self.pipeline

    @property
    def text(self) -> str:
        """The cut in words."""
        return f"tensor {self.tensor}" + (f", pipeline {self.pipeline}" if self.pipeline > 1 else "")


def tensor_limit(card: Card, options: Options) -> int:
    """GPUs that one layer may be cut over: those of a node that are joined. Cards without NVLink use PCIe, where two
    or four still gain, so the node is their limit."""
    return options.gpus_per_node if card.domain == 1 else min(card.domain, options.gpus_per_node)


def cuts(shape: Geometry, card: Card, options: Options) -> Iterator[Cut]:
    """Every cut that the model and the node allow, the smallest first."""
    limit = tensor_limit(card, options)
    tensors = [size for size in range(1, limit + 1) if divides(shape, size)]
    if options.tensor:
        tensors = [size for size in tensors if size == options.tensor]
    for tensor in tensors:
        if options.pipeline in (0, 1):
            yield Cut(tensor, 1)
    # A replica over nodes takes whole ones: its pods share rails with nobody.
    whole = options.gpus_per_node
    if whole not in tensors:
        return
    for pipeline in range(2, min(options.nodes_at_most_per_replica, shape.layers) + 1):
        if options.pipeline in (0, pipeline):
            yield Cut(whole, pipeline)


def divides(shape: Geometry, tensor: int) -> bool:
    """Whether each rank gets whole attention heads, and key heads are shared evenly."""
    keys = shape.kv_heads
    return shape.heads % tensor == 0 and (not keys or keys % tensor == 0 or tensor % keys == 0)


def allowed(shape: Geometry, card: Card, options: Options) -> list[int]:
    """Tensor sizes that would work here, for a message."""
    return [size for size in range(1, tensor_limit(card, options) + 1) if divides(shape, size)]
