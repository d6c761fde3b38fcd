"""A vector store as written, and what models, queues and tiers offer it: what tests of it start from."""

from __future__ import annotations

from typing import Any

from aifactory.components.base import Place
from aifactory.components.offers import ModelOffer, PoolShare, QueueOffer, StorageOffer, TenantOffer
from support.planning import HOST, group, place

EU = {"customer": {"jurisdictions": ["eu"], "operators": ["eu"]}}
SPEC: dict[str, Any] = {
    "kind": "rag",
    "name": "vectors",
    "embedder": "embed",
    "tier": "databases",
    "collections": [{"tenant": "legal", "vectors": 4_000_000}, {"tenant": "research-2", "vectors": 1_000_000}],
    "backup": {"tier": "objects"},
}


def model(**changes: Any) -> ModelOffer:
    """bge-m3, served by the part `embed`."""
    fields: dict[str, Any] = {
        "part": "embed",
        "model": "bge-m3",
        "namespace": "answers",
        "backend": "Service",
        "backend_name": "embed-predictor",
        "port": 80,
        "pod_labels": (),
        "tenant": "answers",
        "data_class": "customer",
        "longest_s": 60,
        "task": "embed",
        "dimension": 1_024,
        "least_dimension": 1_024,
    }
    return ModelOffer(**{**fields, **changes})


def queue(*tenants: str) -> QueueOffer:
    """A queue with tenants, each in a namespace of its name."""
    made = tuple(
        TenantOffer(name, name, "jobs", 0, 8, (PoolShare("train", 0, 8),), "normal")
        for name in tenants or ("legal", "research-2")
    )
    return QueueOffer("teams", "teams", "kueue", ("train",), made, ())


def tier(name: str = "databases", **changes: Any) -> StorageOffer:
    """A block tier on a system of the site."""
    fields: dict[str, Any] = {
        "name": f"{name}-class",
        "access": ("ReadWriteOnce",),
        "place": "DE",
        "part": name,
        "tier": "block",
        "usable_tib": 10.0,
        "failure_domain": "node",
        "data_class": "customer",
        "key": "kmip://hsm.example.com/ai",
        "system": f"{name}-class",
    }
    return StorageOffer(**{**fields, **changes})


def buckets(**changes: Any) -> StorageOffer:
    """An object tier on Ceph."""
    row = "StorageClass.storage.k8s.io/objects-class"
    fields: dict[str, Any] = {
        "tier": "object",
        "access": (),
        "system": "rook-ceph",
        "row": row,
        "endpoint": "http://rook-ceph-rgw-objects.rook-ceph.svc",
        "endpoint_at": ("rook-ceph", 8_080),
    }
    return tier("objects", **{**fields, **changes})


def around(*more: object, **replaced: object) -> list[object]:
    """All offers; a keyword replaces one of `model`, `queue`, `tier` and `buckets`, None leaves it out."""
    usual: dict[str, object] = {"model": model(), "queue": queue(), "tier": tier(), "buckets": buckets()}
    return [offer for offer in {**usual, **replaced}.values() if offer is not None] + list(more)


def service(nodes: int = 3, memory_gib: int = 128, cpus: int = 32) -> dict[str, Any]:
    """Nodes without GPUs."""
    return {
        "group": "service",
        "server": "Server",
        "cpus": cpus,
        "memory_gib": memory_gib,
        "kw_per_node": 0.8,
        "host": dict(HOST),
        "racks": [{"rack": "s1", "block": "b1", "nodes": [f"svc-{index + 1}" for index in range(nodes)]}],
    }


def here(*groups: dict[str, Any], provides: dict[str, Any] | None = None, **changes: Any) -> Place:
    """A site with GPU nodes and service nodes."""
    cluster = {
        "version": "1.35.6",
        "kubeconfig": {"context": "lab"},
        "storage_classes": [{"name": "shared", "access": ["ReadWriteOnce", "ReadWriteMany"], "default": True}],
        "provides": provides or {},
    }
    return place(cluster=cluster, nodes=[group(), *(groups or (service(),))], **changes)
