"""GPU memory: weights by format, keys and values by geometry, adapters, and what the engine needs besides."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.sizing.case import Case
from aifactory.components.sizing.formats import BYTES, GIB
from aifactory.components.sizing.geometry import Geometry
from aifactory.components.sizing.layouts import Cut

NO_LIMIT = 1_000_000
"""Sequences and tokens of a model that keeps nothing: memory limits neither."""


def weights_gib(shape: Geometry, precision: str, padding: float = 1.0) -> float:
    """Weights of the whole model, each part in its own format: what publishers leave in 16 bits stays there. In a GPU
    kernels pad what is quantised. Unit: GiB."""
    if precision == "bf16":
        return shape.params * BYTES["bf16"] / GIB
    whole = _left_in_16_bits(shape, precision)
    return (whole * BYTES["bf16"] + (shape.params - whole) * BYTES[precision] * padding) / GIB


def _left_in_16_bits(shape: Geometry, precision: str) -> float:
    """Parameters that a quantised checkpoint leaves as they were: fp8 attention and embeddings, fp4 embeddings,
    mxfp4 everything besides the experts. Source: models.yaml, precision.

    Checkpoints that quantise attention too are lighter, a 70B model in fp8 by 11 GiB; no source says which do.
    """
    embeddings = shape.embeddings
    if precision == "mxfp4":
        return shape.params - shape.expert_params
    if precision == "fp4" or shape.latent:
        return min(embeddings, shape.params)
    return min(embeddings + shape.attention_params, shape.params)


def adapters_gib(shape: Geometry, count: int, rank: int, tensor: int = 1) -> float:
    """LoRA adapters on the seven projections of each layer of a dense model, in 16 bits, on one of so many GPUs that
    share a layer. Unit: GiB.

    Of each pair of matrices the engine cuts the one beside the cut side of the projection, and copies the other to all
    GPUs. Source: vLLM, LoRAConfig.fully_sharded_loras; vllm-project/vllm#28761.
    """
    width, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    copied = 7 * shape.hidden
    cut = 2 * width + 2 * keys + 3 * (shape.intermediate or 4 * shape.hidden)
    return count * rank * shape.layers * (copied + cut / tensor) * BYTES["bf16"] / GIB


def kv_sharers(shape: Geometry, tensor: int) -> float:
    """GPUs that share the keys and values of one sequence: never more than there are heads of them."""
    return 1.0 if shape.latent else float(min(tensor, shape.kv_heads or tensor))


class Memory(Struct, frozen=True):
    """One GPU of a replica. Unit: GiB, unless said otherwise."""

    usable: float
    weights: float
    adapters: float
    other: float
    kv_bytes_per_token: float
    """Bytes that a token of the context takes of this GPU, beyond any window."""
    window_bytes: float
    """Bytes that full windows of one sequence take."""
    sequences: int
    """Sequences of the mean length that fit."""
    tokens: int
    """Tokens of one long sequence that fit."""

    @property
    def kv(self) -> float:
        """Room for keys and values, negative when the weights alone don't fit."""
        return self.usable - self.weights - self.adapters - self.other

    def holds(self, longest: int) -> bool:
        """Whether a sequence of the mean length fits, and one of so many tokens alone."""
        return self.sequences >= 1 and self.tokens >= longest

    def for_one(self, tokens: int) -> float:
        """Memory that the engine needs for one sequence of so many tokens."""
        return self.weights + self.adapters + self.other + (self.window_bytes + tokens * self.kv_bytes_per_token) / GIB


def memory(case: Case, cut: Cut) -> Memory:
    """What fits on each GPU of a replica that is cut so."""
    shape, options, fixed = case.shape, case.options, case.known.memory
    usable = case.card.memory_gib * fixed.share
    adapters = adapters_gib(shape, options.lora_adapters, options.lora_rank, cut.tensor) / cut.pipeline
    weights = weights_gib(shape, options.precision, fixed.padding) / cut.gpus
    other = fixed.other_gib + (fixed.collectives_gib if cut.gpus > 1 else 0.0)
    share = case.kv_bytes / (kv_sharers(shape, cut.tensor) * cut.pipeline)
    room = max(0.0, usable - weights - adapters - other) * GIB
    each = shape.kept(case.demand.tokens) * share
    per_token = (shape.kv_elements + (0 if shape.window else shape.window_elements)) * share
    windows = shape.window_elements * shape.window * share
    unlimited = NO_LIMIT if shape.encoder and room else 0
    return Memory(
        usable=usable,
        weights=weights,
        adapters=adapters,
        other=other,
        kv_bytes_per_token=per_token,
        window_bytes=windows,
        sequences=int(room / each) if each else unlimited,
        tokens=int(max(0.0, room - windows) / per_token) if per_token else unlimited,
    )
