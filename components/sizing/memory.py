"""GPU memory: weights by format, keys and values by geometry, adapters, and what the engine needs besides."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.sizing.card import GIB, Card
from aifactory.components.sizing.geometry import Geometry

UTILIZATION = 0.9
"""Share of the memory that the engine takes: vLLM's default. Source: models.yaml, runtime_overhead."""
OTHER_GIB = 3.5
"""Activations, graphs and context of each GPU. Source: models.yaml, runtime_overhead."""
COLLECTIVES_GIB = 0.35
"""Buffers of collectives of each GPU, where there are several. Source: models.yaml, runtime_overhead."""
PADDING = 1.06
"""Kernels pad quantised weights. Source: models.yaml, precision, measured 6 % on gpt-oss-120b."""

BYTES = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5625, "mxfp4": 0.53125}
"""Bytes of a parameter, scales of blocks included. Source: models.yaml, precision."""
KV_BYTES = {"bf16": 2.0, "fp8": 1.0, "fp4": 1.0, "mxfp4": 2.0}
"""Bytes of an element of keys and values in measured systems: 1 beside weights in fp8 and fp4, gpt-oss keeps 2."""


def weights_gib(shape: Geometry, precision: str) -> float:
    """Weights of the whole model. Unit: GiB."""
    return _bytes(shape, precision) / GIB


def _bytes(shape: Geometry, precision: str) -> float:
    """Each part in its own format: what publishers leave in 16 bits stays there."""
    if precision == "bf16":
        return shape.params * BYTES["bf16"]
    whole = _left_in_16_bits(shape, precision)
    return whole * BYTES["bf16"] + (shape.params - whole) * BYTES[precision] * PADDING


def _left_in_16_bits(shape: Geometry, precision: str) -> float:
    """Parameters that a quantised checkpoint leaves as they were: fp8 attention and embeddings, fp4 embeddings,
    mxfp4 everything besides the experts. Source: models.yaml, precision."""
    embeddings = 2 * shape.embedding_params
    if precision == "mxfp4":
        return shape.params - shape.expert_params
    if precision == "fp4" or shape.latent:
        return min(embeddings, shape.params)
    return min(embeddings + shape.attention_params, shape.params)


def adapters_gib(shape: Geometry, count: int, rank: int) -> float:
    """LoRA adapters on attention and on dense or shared projections, in 16 bits. Unit: GiB."""
    projections = shape.layers * 2 * rank * 7 * shape.hidden * 2
    return count * projections * BYTES["bf16"] / GIB


def kv_sharers(shape: Geometry, tensor: int) -> float:
    """GPUs that share the keys and values of one sequence: never more than there are heads of them."""
    return 1.0 if shape.latent else float(min(tensor, shape.kv_heads or tensor))


class Memory(Struct, frozen=True):
    """One GPU of a replica. Unit: GiB, unless said otherwise."""

    usable: float
    weights: float
    other: float
    kv_bytes_per_token: float
    """Bytes that a token of the context takes of this GPU, beyond any window."""
    sequences: int
    """Sequences of the mean length that fit."""
    tokens: int
    """Tokens of one long sequence that fit."""

    @property
    def kv(self) -> float:
        """Room for keys and values, negative when the weights alone don't fit."""
        return self.usable - self.weights - self.other


def memory(
    shape: Geometry,
    card: Card,
    precision: str,
    tensor: int,
    pipeline: int,
    mean_tokens: int,
    adapters: float,
    kv_bytes: int = 0,
) -> Memory:
    """What fits on each GPU of a replica that is cut so. `kv_bytes` 0: those of measured systems."""
    several = tensor * pipeline > 1
    usable = card.memory_gib * UTILIZATION
    weights = (weights_gib(shape, precision) + adapters) / (tensor * pipeline)
    other = OTHER_GIB + (COLLECTIVES_GIB if several else 0.0)
    share = (kv_bytes or KV_BYTES[precision]) / (kv_sharers(shape, tensor) * pipeline)
    room = max(0.0, usable - weights - other) * GIB
    each = shape.kept(mean_tokens) * share
    per_token = (shape.kv_elements + (0 if shape.window else shape.window_elements)) * share
    fixed = shape.window_elements * shape.window * share
    return Memory(
        usable=usable,
        weights=weights,
        other=other,
        kv_bytes_per_token=per_token,
        sequences=int(room / each) if each else 0,
        tokens=int(max(0.0, room - fixed) / per_token) if per_token else 0,
    )
