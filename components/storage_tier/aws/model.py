"""What the base makes for a tier at AWS, decided."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from aifactory.components import names
from aifactory.components.aws_nodes import NodesOffer, NodeSubnet
from aifactory.components.rows import Tree
from aifactory.components.values import Ref

KEY = "aws:kms/key:Key"
BUCKET = "aws:s3/bucket:Bucket"
ROLE = "aws:iam/role:Role"
FILE_SYSTEM = "aws:fsx/lustreFileSystem:LustreFileSystem"
VOLUME_DRIVER = Ref(names.cloud_id(ROLE, "aws-ebs-csi-driver"), "arn")
"""ARN of the role of the driver of EBS: the add-on's rows are named for it."""
VERSION = "2.15"
"""Of Lustre. Source: Amazon FSx API, CreateFileSystem: recommended for all new file systems."""

Mode = Literal["ReadOnlyMany", "ReadWriteMany"]


class AwsDraft(Struct, frozen=True):
    """Where a tier lies, before it is known who uses it."""

    base: NodesOffer
    zone: NodeSubnet | None = None
    """Of a file system; buckets lie in all zones of the region, volumes where their pod is."""
    capacity_gib: int = 0
    """Size in which AWS makes the file system."""


class BucketPlan(Struct, frozen=True):
    """A bucket, and the volume by which pods of its tenant see it."""

    row: str
    """Name of its rows."""
    bucket: str
    arn: str
    tenant: str
    namespace: str
    claim: str
    size_gib: int
    mode: Mode
    versions: Literal["Enabled", "Suspended"]
    rules: tuple[Tree, ...]
    """Of its lifecycle."""
    lock: tuple[str, int] | None = None
    """Mode and days of its object lock."""


class ReaderPlan(Struct, frozen=True):
    """A role of pods that mount buckets: one of each ServiceAccount, whatever tiers its buckets are of."""

    row: str
    """Name of its rows."""
    role: str
    namespace: str
    account: str
    reads: tuple[str, ...]
    """ARNs of buckets."""
    writes: tuple[str, ...]


class KeyUse(Struct, frozen=True):
    """What a role does with the key of a tier."""

    role: Ref
    """Its ARN."""
    buckets: tuple[str, ...]
    """ARNs of those buckets of the tier that it reads."""
    writes: bool


class LinkPlan(Struct, frozen=True):
    """A folder of a file system that shows what a bucket holds."""

    row: str
    folder: str
    bucket: str
    bucket_row: str
    prefix: str


class FolderPlan(Struct, frozen=True):
    """A folder of a file system, and the volume by which pods see it."""

    volume: str
    """Name of the PersistentVolume."""
    folder: str
    namespace: str
    claim: str
    tenant: str
    size_gib: int
    linked: bool
    """Whether a bucket fills it; a Job makes the others."""
    own_claim: bool
    """Whether the tier makes the claim. Otherwise a part does, for its own volume."""
    keeps: str = ""


class LustrePlan(Struct, frozen=True):
    """A file system of FSx for Lustre."""

    zone: NodeSubnet
    capacity_gib: int
    mbps_per_tib: int
    efa: bool
    backup_days: int
    image: str
    links: tuple[LinkPlan, ...]
    folders: tuple[FolderPlan, ...]
    fabric_groups: tuple[Ref, ...] = ()
    """Security groups of EFA interfaces of nodes that read it."""


class AwsTierPlan(Struct, frozen=True):
    """What the base makes for a tier."""

    base: NodesOffer
    key: str
    """Name of the rows of its key."""
    alias: str
    tags: tuple[tuple[str, str], ...]
    """Tags beside those of every row."""
    buckets: tuple[BucketPlan, ...] = ()
    readers: tuple[ReaderPlan, ...] = ()
    """Roles that this tier makes: the first tier of buckets makes those for all."""
    key_uses: tuple[KeyUse, ...] = ()
    linked: bool = False
    """Whether a file system is linked to its buckets."""
    lustre: LustrePlan | None = None
    makes_volumes: bool = False
    """Whether the driver of EBS encrypts volumes with its key."""

    @property
    def key_arn(self) -> Ref:
        """ARN of its key."""
        return Ref(names.cloud_id(KEY, self.key), "arn")


def key_name(identity: str) -> str:
    """Name of the rows of a tier's key."""
    return f"tier-{identity}"


def bucket_row(identity: str, path: str) -> str:
    """Name of the rows of a path's bucket."""
    return f"{identity}-{path}"
