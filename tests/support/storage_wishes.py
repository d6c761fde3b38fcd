"""Tiers, sites and wishes of which the cases of storage rules are made."""

from typing import Any

from aifactory.components.base import Place
from support.stored import BULK, SHARED, SYSTEM, site, storage_group, tier, without

OBJECTS = tier("object", name="objects", size_tib=30.0, fill_percent=63)
PATH = {"path": "tickets", "keeps": "dataset", "tenant": "research", "size_gib": 1024}
FILL = {"bucket": "tickets", "image": "registry.example.com/tools/rclone:1.71.0"}
SAVED = {"gb": 1120.0, "write_within_s": 50, "restart_within_s": 60}


def classed(**system: Any) -> Place:
    """A site whose class has a system with other figures; None leaves one out."""
    found = {key: value for key, value in {**SYSTEM, **system}.items() if value is not None}
    return site(classes=[{**SHARED, "system": found}])


def drives(nodes: int = 4, network: float | None = 25.0, **fields: Any) -> Place:
    """A site with other storage nodes; None leaves a figure out."""
    if "count" in fields:
        fields["by_path"] = BULK["by_path"][: fields["count"]]
    known = {key: value for key, value in {**BULK, **fields}.items() if value is not None}
    here = storage_group(nodes, known)
    return site(without(here, "storage_gb_per_s") if network is None else {**here, "storage_gb_per_s": network})


WIDE = {**PATH, "size_gib": 200_000}
SMALL = {**PATH, "size_gib": 512, "prefetch": FILL}
FED = {**OBJECTS, "paths": [PATH]}
HALF_HOME = tier(engine="nfs-rdma", name="half", size_tib=100.0, fill_percent=50)
HUNGRY = {"part": "train", "dataset_gb_per_s_per_gpu": 0.4}


def kept(**changes: Any) -> Place:
    """A site with other stores of keys or targets of copies."""
    return site(storage=changes)


RACKED = {**OBJECTS, "failure_domain": "rack"}
OLD_KEY = {"vault": "https://vault.example.com:8200", "token": "rook-vault"}
LOCAL = {**SHARED, "name": "local", "access": ["ReadWriteOnce"], "default": False}
NIGHTLY = {"schedule": "nightly", "every_h": 24, "keep": 14}
DAILY = {"every_h": 12, "keep": 60}
AGE = {"image": "registry.example.com/tools/aws-cli:2.31.0", "expire_days": 30}
WORK = tier("parallel", name="work", engine="rook-ceph", size_tib=5.0, fill_percent=63, paths=[PATH])


def timed(*schedules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Scheduled snapshots, as fields of a tier."""
    return {"snapshots": True, "scheduled": {"schedules": list(schedules), **fields}}
