"""What a tier stands on at its site: drives, a share, or a class with the system behind it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from msgspec import Struct

from aifactory.components.base import PlanContext
from aifactory.components.given import DriveSet, NfsGiven, NodeGroup, StorageClassGiven
from aifactory.components.problems import nearest
from aifactory.components.storage_tier.arithmetic import Drives
from aifactory.components.storage_tier.decided import NodeDevices
from aifactory.components.storage_tier.spec import StorageTierSpec

Found = TypeVar("Found")
SHARED = "ReadWriteMany"
ACCESS = {"block": "ReadWriteOnce", "parallel": SHARED, "archive": SHARED}
"""Access mode that a class of the site must serve, by tier."""


class DrivesFound(Struct, frozen=True):
    """A set of drives, and the group of nodes that has it."""

    group: NodeGroup
    set: DriveSet

    @property
    def nodes(self) -> list[str]:
        """Nodes that have such drives."""
        return self.group.nodes

    @property
    def figures(self) -> Drives:
        """Their numbers."""
        return Drives(
            nodes=len(self.nodes),
            each=self.set.count,
            tb=self.set.tb,
            read_gb_per_s=self.set.read_gb_per_s,
            write_gb_per_s=self.set.write_gb_per_s,
            network_gb_per_s=self.group.storage_gb_per_s,
            gateway_gb_per_s=self.group.gateway_gb_per_s,
        )

    @property
    def devices(self) -> tuple[NodeDevices, ...]:
        """The drives of each node, by lasting names or by pattern."""
        return tuple(NodeDevices(node, self.set.filter or "", tuple(self.set.paths(node))) for node in self.nodes)


def drives_of(spec: StorageTierSpec, ctx: PlanContext) -> DrivesFound | None:
    """The set of drives that a tier names, or the only one of its kind of nodes; None after a problem."""
    every = [DrivesFound(group, each) for group in ctx.place.nodes for each in group.drives]
    known = {each.set.drives: each for each in every}
    if spec.drives is not None:
        hint = nearest(spec.drives, known) if known else _add_drives(spec)
        return _one(spec, ctx, known.get(spec.drives), f'"{spec.drives}" is no set of drives', ("drives",), hint)
    local = spec.engine == "topolvm"
    fitting = [each for each in every if bool(each.group.accelerator) == local]
    kind = "GPU nodes" if local else "nodes without GPUs"
    if len(fitting) > 1:
        names = [each.set.drives for each in fitting]
        says = f"{kind} of {ctx.place.site} have several sets of drives: {', '.join(names)}"
        return _one(spec, ctx, None, says, (), f"set drives to {' or '.join(names)}")
    return _one(spec, ctx, next(iter(fitting), None), f"no drives of {kind}", (), _add_drives(spec))


def share_of(spec: StorageTierSpec, ctx: PlanContext) -> NfsGiven | None:
    """The share that a tier names, or the first that speaks RDMA; None after a problem."""
    known = {each.nfs: each for each in ctx.place.cluster.nfs}
    if spec.nfs is not None:
        hint = nearest(spec.nfs, known)
        return _one(spec, ctx, known.get(spec.nfs), f'"{spec.nfs}" is no NFS share', ("nfs",), hint)
    found = next((each for each in known.values() if each.rdma), None)
    return _one(spec, ctx, found, "no NFS share with RDMA", (), "add one to cluster.nfs of the site file")


def class_of(spec: StorageTierSpec, ctx: PlanContext) -> StorageClassGiven | None:
    """The class that a tier names, or the first with a system that serves the access; None after a problem."""
    known = {each.name: each for each in ctx.place.cluster.storage_classes}
    mode = ACCESS[spec.tier]
    if spec.storage_class is None:
        fitting = (each for each in known.values() if each.system and mode in each.access)
        hint = "add system to one of cluster.storage_classes of the site file"
        return _one(spec, ctx, next(fitting, None), f"no StorageClass with a system that serves {mode}", (), hint)
    found, at = known.get(spec.storage_class), ("storage_class",)
    says = f'"{spec.storage_class}" is not a StorageClass'
    given = _one(spec, ctx, found, says, at, nearest(spec.storage_class, known))
    if given is None:
        return None
    says = f"StorageClass {given.name} doesn't serve {mode}, or nothing is known of the system behind it"
    usable = given if given.system and mode in given.access else None
    return _one(spec, ctx, usable, says, at, "add system to the class in the site file, or name another class")


def _one(
    spec: StorageTierSpec, ctx: PlanContext, found: Found | None, says: str, at: tuple[str, ...], hint: str
) -> Found | None:
    ctx.check("STO-001", found is not None, f"{says} at {ctx.place.site}, for {spec.tier} tier {spec.name}", at, hint)
    return found


def _add_drives(spec: StorageTierSpec) -> str:
    where = "GPU nodes" if spec.engine == "topolvm" else "nodes without GPUs"
    return f"add drives to a group of {where} in the site file: name, count, tb, and by_path or by_id"


def listed(names: Iterable[str]) -> str:
    """Names for a sentence."""
    return ", ".join(names)
