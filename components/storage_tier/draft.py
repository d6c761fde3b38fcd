"""A tier between the passes: what it stands on, what that gives, and the class that volumes get."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.storage_tier.arithmetic import Need, Redundancy, Speed
from aifactory.components.storage_tier.aws.model import AwsDraft
from aifactory.components.storage_tier.decided import Copy, Figures, FillPlan, Keys, PathPlan
from aifactory.components.storage_tier.found import DrivesFound
from aifactory.components.storage_tier.spec import StorageTierSpec

RANK = {name: rank for rank, name in enumerate(("none", "drive", "node", "rack", "zone", "site"))}
"""Failure domains, the larger the higher."""
SYSTEMS = {
    "s3": "the buckets",
    "fsx-lustre": "the file system",
    "ebs": "the volumes",
    "instance-store": "drives of instances",
}
"""What the base makes, by engine."""


class Draft(Struct, frozen=True):
    """A tier after `resolve`; `size` adds needs and paths."""

    spec: StorageTierSpec
    storage_class: str
    access: tuple[str, ...]
    place: str
    failure_domain: str
    figures: Figures
    redundancy: Redundancy
    system_tib: float | None = None
    """What the system that it shares may hold below the fill limit. None: unknown."""
    drives: DrivesFound | None = None
    speed: Speed = Speed()
    """Of one node for drives of the node, else of all together."""
    key: str = ""
    key_place: str = ""
    keys: Keys | None = None
    """What holds the keys of drives that the tier encrypts."""
    copies: tuple[Copy, ...] = ()
    snapshot_class: str = ""
    own_snapshots: tuple[tuple[int, int], ...] = ()
    """Hours between two and number kept of each schedule that a given system has by itself."""
    snapshots_gib: int = 0
    """What scheduled snapshots hold on to beside what is there now."""
    gateways: int = 0
    """Gateways in front of buckets, 0 for volumes."""
    issuer: str = ""
    """ClusterIssuer that signs the certificate of these, empty for plain HTTP."""
    nfs: bool = False
    """Whether its volumes are folders of an NFS server."""
    server: str = ""
    share: str = ""
    needs: tuple[Need, ...] = ()
    paths: tuple[PathPlan, ...] = ()
    fills: tuple[FillPlan, ...] = ()
    aws: AwsDraft | None = None
    """Where the base of a site at AWS makes it."""
    local_gib: int | None = None
    """Room on drives of one instance at AWS. None: it is on none."""
    unbounded: bool = False
    """Whether it holds whatever is put there: nothing is made before somebody needs it."""

    @property
    def owner(self) -> str:
        """The tier that makes the Ceph cluster which holds this one."""
        return self.spec.beside or self.spec.name

    @property
    def on_ceph(self) -> bool:
        """Whether it lies in a Ceph cluster of ours."""
        return self.spec.engine == "rook-ceph"

    @property
    def on_node(self) -> bool:
        """Whether it lies on drives of the node that a pod runs on."""
        return self.spec.engine in ("topolvm", "instance-store")

    @property
    def system(self) -> str:
        """What it lies on, with whatever other tier names the same."""
        if self.on_ceph:
            return f"the Ceph cluster of {self.owner}"
        if self.spec.engine in SYSTEMS:
            return f"{SYSTEMS[self.spec.engine]} of {self.spec.name}"
        return f"NFS share {self.server}:{self.share}" if self.share else f"StorageClass {self.storage_class}"

    @property
    def field(self) -> str:
        """Field of the blueprint to look at when figures don't fit."""
        return "feeds" if self.spec.feeds else "engine"
