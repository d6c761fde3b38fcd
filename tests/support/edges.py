"""Edge sites and what stands at them, as data."""

from __future__ import annotations

from typing import Any

from aifactory.components.base import Place
from support.planning import place

UPLINK: dict[str, Any] = {"mbit_per_s": 20.0, "longest_outage_hours": 72.0}
CLUSTER: dict[str, Any] = {
    "version": "1.35.6",
    "distribution": "k3s",
    "kubeconfig": {"context": "edge"},
    "provides": {"cert-manager": {"version": "v1.21.1"}, "gateway-api": {"version": "v1.6.1"}},
    "storage_classes": [{"name": "local-path", "access": ["ReadWriteOnce"], "default": True}],
}
POOL: dict[str, Any] = {
    "kind": "gpu-node-pool",
    "name": "edge",
    "accelerator": "l4",
    "nodes": 1,
    "workload": "inference",
    "dedicated": False,
}
MODEL: dict[str, Any] = {
    "kind": "serving",
    "name": "helper",
    "model": "qwen3-4b",
    "stack": "kserve",
    "pool": "edge",
    "precision": "fp8",
    "stored_as": "fp8",
    "weights": {"kind": "oci", "image": "registry.example.com/models/qwen3-4b:1"},
    "redundancy": "none",
    "autoscaling": {"enabled": False},
}


def nodes(count: int = 1, **fields: Any) -> dict[str, Any]:
    """A group of nodes with one L4 each, whose hosts have their driver."""
    return {
        "group": "l4",
        "accelerator": "l4",
        "gpus_per_node": 1,
        "server": "Edge server",
        "cpus": 32,
        "memory_gib": 128,
        "kw_per_node": 0.7,
        "host": {"os": "ubuntu-24.04", "kernel": "6.8", "driver": "580.178.04", "management_nic": "intel"},
        "racks": [{"rack": "e1", "block": "e1", "nodes": [f"edge-{number}" for number in range(1, count + 1)]}],
        **fields,
    }


def edge_data(**changes: Any) -> dict[str, Any]:
    """What an edge site's file differs in from the usual one."""
    return {
        "site": "depot",
        "venue": "edge",
        "location": location("FR"),
        "cluster": CLUSTER,
        "nodes": [nodes()],
        "network": {"pod_cidr": "10.42.0.0/16", "service_cidr": "10.43.0.0/16"},
        "uplink": UPLINK,
        **changes,
    }


def edge(**changes: Any) -> Place:
    """An edge site in France with one L4."""
    return place(**edge_data(**changes))


def location(country: str) -> dict[str, Any]:
    """A place in a country, run from there."""
    return {"country": country, "operator": {"name": "Example", "nationality": country}, "support": [country]}


def demand(model: str = "qwen3-4b", **fields: Any) -> dict[str, Any]:
    """A small load of one model."""
    load = {
        "name": model,
        "requests_per_s": {"mean": 0.1, "peak": 0.3},
        "input_tokens": 600,
        "output_tokens": 150,
        "itl_ms": 60.0,
    }
    return {"models": [{**load, **fields}]}
