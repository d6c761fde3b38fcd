"""How a replica can be cut over GPUs: tensor parallelism inside a node, pipeline over nodes."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

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


def tensors(shape: Geometry, options: Options) -> list[int]:
    """Sizes that one layer may be cut over: those that leave no GPU of a node over, powers of two, or the one that was
    asked for.

    Within a node, by NVLink or by PCIe: there two or four GPUs still gain, and no measurement says how much.
    """
    asked, node = options.tensor, options.gpus_per_node
    sizes = [asked] if asked else [size for size in range(1, node + 1) if node % size == 0 or size & (size - 1) == 0]
    return [size for size in sizes if size <= node and divides(shape, size)]


def cuts(shape: Geometry, options: Options) -> Iterator[Cut]:
    """Every cut that the model and the node allow, the smallest first."""
    sizes = tensors(shape, options)
    for tensor in sizes:
        if options.pipeline in (0, 1):
            yield Cut(tensor, 1)
    # A replica over nodes takes whole ones: its pods share rails with nobody.
    whole = options.gpus_per_node
    if whole not in sizes:
        return
    for pipeline in range(2, min(options.nodes_at_most_per_replica, shape.layers) + 1):
        if options.pipeline in (0, pipeline):
            yield Cut(whole, pipeline)


def divides(shape: Geometry, tensor: int) -> bool:
    """Whether each rank gets whole attention heads, and key heads are shared evenly."""
    keys = shape.kv_heads
    return shape.heads % tensor == 0 and (not keys or keys % tensor == 0 or tensor % keys == 0)
