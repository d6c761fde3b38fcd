"""Tiers of storage at a made-up site, with a pool, a queue and a run that wait for them."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from aifactory.components.base import Place, SitePlan
from aifactory.components.catalog import Catalog
from aifactory.components.demand import Demand, Residency
from aifactory.components.offers import StorageOffer
from aifactory.components.parts import BY_KIND
from aifactory.components.rows import HelmRow, KubernetesRow
from aifactory.stacks.planning.model import PlannedSpec
from aifactory.stacks.planning.passes import plan_site as run_passes
from support.planning import HOST, Planned, group, place

SYSTEM: dict[str, Any] = {
    "vendor": "vast",
    "usable_tib": 400.0,
    "read_gb_per_s": 40.0,
    "write_gb_per_s": 20.0,
    "failure_domain": "node",
    "encryption": {"key": "kmip://hsm.example.com/ai", "place": "DE"},
    "snapshot_class": "vast-snapshots",
}
SHARED: dict[str, Any] = {
    "name": "shared",
    "access": ["ReadWriteOnce", "ReadWriteMany"],
    "default": True,
    "system": SYSTEM,
}
BULK: dict[str, Any] = {
    "drives": "bulk",
    "count": 6,
    "tb": 15.36,
    "read_gb_per_s": 6.5,
    "write_gb_per_s": 3.4,
    "by_path": [f"/dev/disk/by-path/pci-0000:{slot}1:00.0-nvme-1" for slot in range(2, 8)],
}
SCRATCH: dict[str, Any] = {
    "drives": "scratch",
    "count": 8,
    "tb": 3.84,
    "read_gb_per_s": 6.8,
    "write_gb_per_s": 4.0,
    "dwpd": 10.0,
    "by_path": [f"/dev/disk/by-path/pci-0000:{slot}3:00.0-nvme-1" for slot in range(1, 9)],
}
SHARE: dict[str, Any] = {"nfs": "home", "server": "nas.example.com", "share": "/ai", "rdma": True, "system": SYSTEM}
COPIES = [{"copy_name": "far", "kind": "backup", "to": "tapes", "every_h": 24, "keep_days": 30}]
KEY = {"keys": "vault"}
AT_HOME = {"country": "DE", "operator": "Lab GmbH", "nationality": "DE"}
VAULT = {"keys": "vault", "vault": "https://vault.example.com:8200", "token": "rook-vault", "place": AT_HOME}
TAPES = {"target": "tapes", "kind": "tape", "system": "tape library", "place": AT_HOME}
EU = {"data_classes": {"customer": {"jurisdictions": ["eu"], "operators": ["eu"]}}}


def without(tree: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """A mapping without some of its keys."""
    return {key: value for key, value in tree.items() if key not in keys}


def storage_group(nodes: int = 4, drives: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Nodes without GPUs that have drives."""
    whole: dict[str, Any] = {
        "group": "storage",
        "server": "storage server",
        "cpus": 64,
        "memory_gib": 512,
        "kw_per_node": 0.9,
        "host": dict(HOST),
        "racks": [{"rack": "s1", "block": "b1", "nodes": [f"sto-{index + 1}" for index in range(nodes)]}],
        "storage_gb_per_s": 25.0,
        "gateway_gb_per_s": 30.0,
        "drives": [dict(drives or BULK)],
    }
    return {**whole, **fields}


def racked(*nodes: int) -> dict[str, Any]:
    """Storage nodes in racks, so many in each."""
    names = iter(range(1, sum(nodes) + 1))
    racks = [
        {"rack": f"s{index + 1}", "block": "b1", "nodes": [f"sto-{next(names)}" for _ in range(count)]}
        for index, count in enumerate(nodes)
    ]
    return storage_group(racks=racks)


def site(
    *groups: Mapping[str, Any],
    classes: list[Any] | None = None,
    drives: Mapping[str, Any] = SCRATCH,
    **changes: Any,
) -> Place:
    """A place with GPU nodes that have drives, and storage nodes unless others are named."""
    cluster: dict[str, Any] = {
        "version": "1.35.6",
        "kubeconfig": {"context": "lab"},
        "provides": {"volume-snapshots": {"version": "v8.6.0"}},
        "storage_classes": deepcopy([SHARED] if classes is None else classes),
        "nfs": [deepcopy(SHARE)],
        "certificates": {"cluster_issuer": "platform-ca"},
    }
    cluster |= changes.pop("cluster", {})
    nodes = [group(drives=[dict(drives)]), *(groups or [storage_group()])]
    kept = {"key_stores": [deepcopy(VAULT)], "copy_targets": [deepcopy(TAPES)], **changes.pop("storage", {})}
    return place(cluster=cluster, nodes=nodes, storage=kept, **changes)


POOL: dict[str, Any] = {
    "kind": "gpu-node-pool",
    "name": "train",
    "accelerator": "h200",
    "nodes": 8,
    "fabric": "rdma",
}
QUEUE: dict[str, Any] = {
    "kind": "queue",
    "name": "teams",
    "pools": ["train"],
    "tenants": [{"name": "research", "gpus": 64}],
}
RUN: dict[str, Any] = {
    "kind": "training",
    "name": "pretrain",
    "pool": "train",
    "tenant": "research",
    "nodes": 8,
    "image": "registry.example.com/research/trainer:1.0",
    "checkpoint": {"size_gib": 2048},
}


def tier(kind: str = "parallel", **fields: Any) -> dict[str, Any]:
    """A tier as written, each kind on its usual engine."""
    engines = {"parallel": "existing", "object": "rook-ceph", "block": "rook-ceph", "local-cache": "topolvm"}
    whole: dict[str, Any] = {"kind": "storage-tier", "name": "files", "tier": kind, "engine": engines.get(kind)}
    if kind != "local-cache":
        whole["copies"] = deepcopy(COPIES)
    return {**whole, **fields}


def tiered(
    *specs: Mapping[str, Any],
    at: Place | None = None,
    residency: Mapping[str, Any] | None = None,
    demand: Mapping[str, Any] | None = None,
    queue: Mapping[str, Any] | None = None,
    pool: Mapping[str, Any] | None = None,
) -> Planned:
    """Plan tiers and whatever else is given, with a pool and a queue. Without a tier on it, no class is the default."""
    used = any(spec.get("engine") == "existing" for spec in specs)
    here = at or site(classes=None if used else [{**SHARED, "default": False}])
    written = [
        PlannedSpec(BY_KIND[str(spec["kind"])].spec.model_validate(dict(spec)), ("parts", index))
        for index, spec in enumerate([*specs, {**POOL, **(pool or {})}, {**QUEUE, **(queue or {})}])
    ]
    rules = Residency.model_validate(residency) if residency else None
    asked = Demand.model_validate(demand) if demand else None
    site_plan, stack = run_passes("demo", written, here, Catalog.shipped(), residency=rules, demand=asked)
    assert isinstance(site_plan, SitePlan)
    return Planned(site_plan, stack)


def broken(found: Planned) -> list[str]:
    """Rules of tiers that found something."""
    return [rule for rule in found.rules_broken if rule.startswith("STO-")]


def says(found: Planned) -> str:
    """All that was found, with hints."""
    return "\n".join(f"{each.says} | {each.hint}" for each in found.problems)


def body(found: Planned, row: str) -> dict[str, Any]:
    """An object as a server gets it."""
    known = found.rows[row]
    assert isinstance(known, KubernetesRow)
    return dict(found.stack.plain_tree(known))


def values(found: Planned, row: str) -> dict[str, Any]:
    """Values of a release."""
    known = found.rows[row]
    assert isinstance(known, HelmRow)
    return dict(found.stack.plain_tree(known))


GATEWAYS = {"gateway-api": {"version": "v1.6.1"}, "inference-extension": {"version": "v1.6.0"}}
"""Capabilities that a site with served models gives."""


def offer(found: Any, part: str) -> StorageOffer:
    """What a tier offers."""
    (only,) = [each for each in found.site_plan.offers if isinstance(each, StorageOffer) and each.part == part]
    return only
