"""What an engine takes of the memory of a GPU besides weights, keys and values."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.catalog import Catalog


class Overheads(Struct, frozen=True):
    """What an engine takes besides. Source: components/catalog/models.yaml, runtime_overhead."""

    share: float
    """Of the memory, that the engine takes at all."""
    other_gib: float
    """Activations, graphs and context of each GPU."""
    collectives_gib: float
    """Buffers of collectives of each GPU, where there are several: the upper end."""
    padding: float
    """Factor by which kernels pad quantised weights."""
    refs: tuple[str, ...]


def overheads(catalog: Catalog) -> Overheads:
    """The rows of `models.runtime_overhead`."""
    table = "models.runtime_overhead"
    share = catalog.row(table, "gpu_memory_utilization default of vLLM")
    other = catalog.row(table, "other memory (activations, graphs, context) per GPU")
    buffers = catalog.row(table, "NCCL buffers per GPU")
    padding = catalog.row("roofline.evidence", "padding of quantised weights")
    return Overheads(
        share=share.number("value"),
        other_gib=other.number("value_gib"),
        collectives_gib=max(buffers.data["value_gib"]),
        padding=padding.number("factor"),
        refs=(share.ref, other.ref, buffers.ref, padding.ref),
    )
