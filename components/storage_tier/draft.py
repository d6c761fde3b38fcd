"""A tier between the passes: what it stands on, what that gives, and the class that volumes get."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.storage_tier.arithmetic import Need, Redundancy, Speed
from aifactory.components.storage_tier.decided import Figures, FillPlan, PathPlan
from aifactory.components.storage_tier.found import DrivesFound
from aifactory.components.storage_tier.spec import StorageTierSpec


class Draft(Struct, frozen=True):
    """A tier after `resolve`; `size` adds needs and paths."""

    spec: StorageTierSpec
    storage_class: str
    access: tuple[str, ...]
    place: str
    failure_domain: str
    figures: Figures
    redundancy: Redundancy
    drives: DrivesFound | None = None
    speed: Speed = Speed()
    """Of one node for drives of the node, else of all together."""
    key: str = ""
    key_place: str = ""
    snapshot_class: str = ""
    own_snapshots: tuple[tuple[int, int], ...] = ()
    """Hours between two and number kept of each schedule that a given system has by itself."""
    gateways: int = 0
    """Gateways in front of buckets, 0 for volumes."""
    server: str = ""
    share: str = ""
    needs: tuple[Need, ...] = ()
    paths: tuple[PathPlan, ...] = ()
    fills: tuple[FillPlan, ...] = ()

    @property
    def owner(self) -> str:
        """The tier that makes the Ceph cluster which holds this one."""
        return self.spec.beside or self.spec.name

    @property
    def on_ceph(self) -> bool:
        """Whether it lies in a Ceph cluster of ours."""
        return self.spec.engine == "rook-ceph"
