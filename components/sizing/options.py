"""What somebody else has decided before sizing."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Redundancy = Literal["none", "replica", "node"]


class Options(Struct, frozen=True):
    """Precision, nodes, adapters, and what may fail."""

    precision: str
    """bf16, fp8, fp4 or mxfp4."""
    gpus_per_node: int
    max_model_len: int = 0
    """Longest request that a replica must hold. Unit: tokens. 0: a mean one."""
    nodes_at_most_per_replica: int = 1
    lora_adapters: int = 0
    lora_rank: int = 0
    tensor: int = 0
    """Tensor parallelism that was asked for, 0 for any."""
    pipeline: int = 0
    """Pipeline parallelism that was asked for, 0 for any."""
    kv_bytes: int = 0
    """Bytes of an element of keys and values; 0: those of measured systems of this precision."""
    redundancy: Redundancy = "node"
