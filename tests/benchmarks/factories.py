"""Projects of a wanted size: one site, one pool, and as many tenants as give the objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

OBJECTS_ALWAYS = 40
"""Objects of such a stack that no tenant adds."""
OBJECTS_PER_TENANT = 7
"""Namespace, guards, quota, queues of one tenant; `generate` says how many objects came out."""

PROJECT = {"aifactory": "v1", "sites": "sites"}

SITE: dict[str, Any] = {
    "aifactory": "v1",
    "site": "lab",
    "venue": "on-prem",
    "location": {"country": "DE", "operator": {"name": "Lab", "nationality": "DE"}, "support": ["DE"]},
    "power": {"racks": 2, "kw_per_rack": 44.0, "cooling": "rear-door", "pue": 1.25, "usd_per_kwh": 0.19},
    "cluster": {
        "version": "1.35.6",
        "kubeconfig": {"context": "lab"},
        "provides": {"cert-manager": {"version": "v1.21.1"}},
        "storage_classes": [{"name": "shared", "access": ["ReadWriteMany"], "default": True}],
    },
    "nodes": [
        {
            "group": "gpu",
            "accelerator": "h200",
            "gpus_per_node": 8,
            "server": "HGX server",
            "cpus": 192,
            "memory_gib": 2048,
            "kw_per_node": 10.2,
            "host": {"os": "ubuntu-24.04", "kernel": "6.8", "management_nic": "intel"},
            "racks": [{"rack": "r1", "block": "b1", "nodes": ["gpu-1", "gpu-2"]}],
        }
    ],
    "network": {"pod_cidr": "10.32.0.0/11", "service_cidr": "10.64.0.0/16"},
    "state": {"backend": "file://state", "secrets_provider": "passphrase", "place": "DE"},
    "delivery": {"url": "https://git.example.com/factory.git", "path": "generated"},
}

POOL = {
    "kind": "gpu-node-pool",
    "name": "serve",
    "accelerator": "h200",
    "nodes": 2,
    "fabric": "none",
    "workload": "inference",
}


def write_factory(folder: Path, objects: int) -> Path:
    """Write a project whose one stack has about so many objects; returns its blueprint."""
    tenants = max(1, (objects - OBJECTS_ALWAYS) // OBJECTS_PER_TENANT)
    queue = {
        "kind": "queue",
        "name": "teams",
        "pools": ["serve"],
        "tenants": [{"name": f"team-{index:05d}", "gpus": 0} for index in range(tenants)],
    }
    blueprint = {
        "aifactory": "v1",
        "name": "scale",
        "placement": {"core": {"sites": ["lab"]}},
        "parts": [POOL, queue],
    }
    (folder / "sites").mkdir(parents=True)
    for name, document in (
        ("aifactory.yaml", PROJECT),
        ("sites/lab.yaml", SITE),
        ("factory.yaml", blueprint),
    ):
        (folder / name).write_text(json.dumps(document, indent=1), encoding="utf-8")
    return folder / "factory.yaml"
