"""Demands for models, and what pools and queues offer them: what tests of served models start from."""

from __future__ import annotations

from typing import Any

from aifactory.components.offers import PoolCard, PoolShare, QueueOffer, StorageOffer, TenantOffer

CHAT: dict[str, Any] = {
    "name": "llama-3.3-70b",
    "requests_per_s": {"mean": 6.0, "peak": 16.0},
    "input_tokens": 1_800,
    "output_tokens": 350,
    "itl_ms": 40.0,
    "longest_tokens": 16_384,
}
REASONING: dict[str, Any] = {
    "name": "deepseek-r1",
    "requests_per_s": {"mean": 1.0, "peak": 2.0},
    "input_tokens": 1_000,
    "output_tokens": 500,
    "itl_ms": 80.0,
}
"""A model that no node with H100 holds."""
EU = {"customer": {"jurisdictions": ["eu"], "operators": ["eu"]}}


def card(accelerator: str = "nvidia-h200-sxm", **changes: Any) -> PoolCard:
    """The nodes of the pool `train`."""
    fields: dict[str, Any] = {
        "part": "train",
        "pool": "train",
        "accelerator": accelerator,
        "gpus_per_node": 8,
        "nodes_at_most": 40,
        "several_join": True,
        "whole_gpus": True,
    }
    return PoolCard(**{**fields, **changes})


def reserved(gpus: int = 64) -> QueueOffer:
    """A queue whose inference tenant `assist` reserves GPUs of the pool."""
    tenant = TenantOffer("assist", "assist", "", gpus, gpus, (PoolShare("train", gpus, gpus),), "", "inference")
    return QueueOffer("teams", "teams", "kueue", ("train",), (tenant,), (), serving_priority="teams-serving")


def drives(nodes: int = 40, **changes: Any) -> StorageOffer:
    """A tier `scratch` on drives of the nodes of the pool `train`."""
    fields: dict[str, Any] = {
        "name": "fast-local",
        "access": ("ReadWriteOnce",),
        "place": "DE",
        "part": "scratch",
        "tier": "local-cache",
        "failure_domain": "none",
        "nodes": tuple(f"n{node + 1}" for node in range(nodes)),
        "node_gib": 20_000,
        "row": "StorageClass.storage.k8s.io/fast-local",
    }
    return StorageOffer(**{**fields, **changes})
