"""A tier of storage as decided: plain data, nothing left unset. An unknown figure is None."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.offers import Taint
from aifactory.components.storage_tier.arithmetic import Redundancy
from aifactory.components.storage_tier.aws.model import AwsTierPlan
from aifactory.components.values import Ref

CEPH_NAMESPACE = "rook-ceph"
CEPH_CLUSTER = "rook-ceph"
SNAPSHOT_NAMESPACE = "storage-snapshots"
FOLDER_NAMESPACE = "storage-folders"
RBD_DRIVER = f"{CEPH_NAMESPACE}.rbd.csi.ceph.com"
CEPHFS_DRIVER = f"{CEPH_NAMESPACE}.cephfs.csi.ceph.com"
"""Names that Rook gives its drivers: the namespace of its operator goes before them."""
BUCKET_PROVISIONER = f"{CEPH_NAMESPACE}.ceph.rook.io/bucket"
KEEPS_LABEL = "aifactory.io/keeps"
"""What lies in a bucket or a volume of a path."""
RACK_LABEL = "topology.rook.io/rack"
"""Source: Rook documentation, CephCluster CRD, OSD Topology."""
GATEWAY_PORT = 8_080
"""Port of the gateway's container; its Service has port 80. Source: rook/rook pkg/operator/ceph/object, rgw ports."""
SECURE_PORT = 8_443
"""Port of the gateway's container and of its Service with TLS: Rook takes one number for both, and above 1024 it needs
no privilege. Source: rook/rook pkg/operator/ceph/object/spec.go, generateService."""
TOPOLVM_DRIVER = "topolvm.io"
NFS_DRIVER = "nfs.csi.k8s.io"
EBS_DRIVER = "ebs.csi.aws.com"
NO_DRIVER = "kubernetes.io/no-provisioner"
"""Of a class that makes no volumes. Source: kubernetes.io docs, Storage Classes, local."""

Pairs = tuple[tuple[str, str], ...]


def service_of(store: str) -> str:
    """Host name of an object store: Rook names its Service so."""
    return f"rook-ceph-rgw-{store}.{CEPH_NAMESPACE}.svc"


class CephTier(Struct, frozen=True):
    """Says that a tier lies in the Ceph cluster of the site: what its owner must make, and must have room for."""

    part: str
    owner: str
    """Part that makes the cluster, empty for this one."""
    tier: str
    drives: str
    raw_tib: float | None
    """Raw capacity that its size takes. None: it takes what is there."""
    snapshots: bool
    by_rack: bool = False
    """Whether its copies or chunks lie in different racks."""
    keys: str = ""
    """What it says that the keys of the drives lie in, empty where it says nothing."""


class Keys(Struct, frozen=True):
    """What holds the keys of drives."""

    where: str
    country: str = ""
    """Empty: the site doesn't state it."""
    nationality: str = ""
    vault: str = ""
    """Empty: the store of Ceph's monitors."""
    token: str = ""
    path: str = ""
    ca: str = ""
    """Secret with the certificate that signs for the Vault, empty for a public one."""


class Copy(Struct, frozen=True):
    """A copy that somebody makes elsewhere."""

    name: str
    kind: str
    to: str
    country: str
    """Empty: the site doesn't state it."""
    nationality: str
    every_h: int


class Bucket(Struct, frozen=True):
    """A bucket that another tier may be filled from."""

    part: str
    path: str
    tenant: str
    row: str
    store: str
    """Object store that holds it."""
    size_gib: int
    """What it may hold."""
    endpoint: str
    """Address of the gateways before it."""
    trust: str
    """Secret of the tenant's namespace with the certificate of their issuer, empty for plain HTTP."""


class NodeDevices(Struct, frozen=True):
    """Drives of one node."""

    node: str
    filter: str
    paths: tuple[str, ...]


class CephPlan(Struct, frozen=True):
    """The Ceph cluster of a site."""

    image: str
    nodes: tuple[NodeDevices, ...]
    osds: int
    encrypted: bool
    vault: str
    token: str
    path: str
    csi_key_type: str
    """Type of the keys of kernel clients, empty for Rook's own choice."""
    drivers: tuple[str, ...]
    """CSI drivers that its tiers need."""
    snapshots: bool
    drives: str = ""
    """Set of drives of the site."""
    drive_bytes: int = 0
    """Size of one of them. Unit: bytes."""
    drive_class: str = ""
    """StorageClass of the local volumes that drives are taken as. Empty: Ceph takes drives of hosts by path, and their
    keys lie in its monitors' store."""
    ca: str = ""
    """Secret with the certificate that signs for the Vault, empty for a public one."""
    racks: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Racks of its nodes."""
    apart_by_rack: bool = False
    """Whether a tier survives the loss of a rack, and so must the monitors."""
    taints: tuple[Taint, ...] = ()
    """What its nodes have, and its daemons tolerate."""


class PoolPlan(Struct, frozen=True):
    """What one tier has in the Ceph cluster."""

    kind: str
    """block, files or objects."""
    redundancy: Redundancy
    failure_domain: str
    """In Ceph's words: osd, host or rack."""
    max_bytes: int
    """Data that it takes, copies and chunks not counted."""
    gateways: int
    nodes: tuple[str, ...] = ()
    """Nodes that gateways and metadata servers run on."""
    taints: tuple[Taint, ...] = ()
    issuer: str = ""
    """ClusterIssuer that signs the certificate of its gateways, empty for plain HTTP."""


class ClassPlan(Struct, frozen=True):
    """A StorageClass of ours."""

    name: str
    provisioner: str
    parameters: Pairs
    mount_options: tuple[str, ...] = ()
    waits: bool = False
    """Whether a volume is made only when a pod that uses it has a node."""
    reclaim: str = "Retain"
    expands: bool = True
    default: bool = False


class AwsClassPlan(ClassPlan, frozen=True, kw_only=True):
    """A StorageClass of ours at AWS."""

    references: tuple[tuple[str, Ref], ...]
    """Parameters that only the base knows, such as the ARN of a key."""


class SnapshotPlan(Struct, frozen=True):
    """A VolumeSnapshotClass of ours."""

    name: str
    driver: str
    parameters: Pairs
    deletion: str = "Retain"
    """What becomes of a snapshot whose object is deleted."""


class SchedulePlan(Struct, frozen=True):
    """A CronJob that takes snapshots, and deletes those beyond the number kept."""

    name: str
    cron: str
    keep: int
    image: str
    claims: tuple[tuple[str, str], ...]
    """Namespace and name of each volume's claim."""


class PathPlan(Struct, frozen=True):
    """A bucket or a volume of one tenant."""

    name: str
    namespace: str
    tenant: str
    keeps: str
    size_gib: int
    bucket: bool


class FillPlan(Struct, frozen=True):
    """A Job that fills a volume from a bucket once."""

    job: str
    claim: str
    namespace: str
    tenant: str
    queue: str
    """LocalQueue that admits it, empty where none does."""
    image: str
    bucket: str
    """ObjectBucketClaim whose Secret and ConfigMap have the same name."""
    bucket_row: str
    folder: str
    endpoint: str
    trust: str
    """Secret with the certificate of the issuer that the bucket's address is signed by, empty for plain HTTP."""
    within_s: int
    wait_s: int
    """How long it waits for what it begins with."""
    complete: str
    """Object below the folder that it begins with, empty where that is the first."""


class RetentionPlan(Struct, frozen=True):
    """A Job that tells a bucket how long it keeps what."""

    job: str
    claim: str
    """ObjectBucketClaim whose Secret and ConfigMap have the same name."""
    namespace: str
    tenant: str
    queue: str
    """LocalQueue that admits it, empty where none does."""
    image: str
    bucket_row: str
    endpoint: str
    trust: str
    """Secret of the namespace that says whom to trust there, empty for plain HTTP."""
    steps: tuple[tuple[str, tuple[str, ...]], ...]
    """Name and words of each call of `aws s3api`, in their order."""


class Figures(Struct, frozen=True):
    """What a tier holds and carries."""

    usable_tib: float | None
    read_gb_per_s: float | None
    write_gb_per_s: float | None
    limit: str
    """What limits reading, and writing."""


class StorageTierPlan(Struct, frozen=True):
    """A tier, with nothing left unset."""

    identity: str
    tier: str
    engine: str
    storage_class: str
    figures: Figures
    failure_domain: str
    place: str
    key: str
    """What holds the key of its encryption, empty for none."""
    key_place: str
    fed_by: str
    gpus: int
    read_needed: float
    write_needed: float
    made_class: ClassPlan | None = None
    snapshots: SnapshotPlan | None = None
    """Class for people's own snapshots."""
    scheduled_class: SnapshotPlan | None = None
    schedules: tuple[SchedulePlan, ...] = ()
    snapshot_class: str = ""
    ceph: CephPlan | None = None
    pool: PoolPlan | None = None
    paths: tuple[PathPlan, ...] = ()
    fills: tuple[FillPlan, ...] = ()
    trust: str = ""
    """Secret, in each namespace with a bucket, with the certificate of the gateways' issuer."""
    issuer: str = ""
    """That issuer, empty for plain HTTP."""
    retention: tuple[RetentionPlan, ...] = ()
    copies: tuple[tuple[str, str, str], ...] = ()
    """Name, system and country of each copy, empty where the site doesn't state it."""

    @property
    def holds(self) -> str:
        """What it holds, for a person."""
        usable = self.figures.usable_tib
        return "capacity unknown" if usable is None else f"{usable:.1f} TiB"

    @property
    def in_short(self) -> str:
        """The plan in one line, for a person."""
        rates = " / ".join(
            "unknown" if rate is None else f"{rate:.2f}"
            for rate in (self.figures.read_gb_per_s, self.figures.write_gb_per_s)
        )
        return (
            f"{self.tier} by {self.engine}, class {self.storage_class}: {self.holds}, reads / writes {rates} GB/s, "
            f"needed {self.read_needed:.2f} / {self.write_needed:.2f}; survives the loss of: {self.failure_domain}"
        )


class AwsStorageTierPlan(StorageTierPlan, frozen=True, kw_only=True):
    """A tier at AWS."""

    aws: AwsTierPlan
    """What the base makes for it."""

    @property
    def holds(self) -> str:
        """What it holds, for a person."""
        return super().holds if self.figures.usable_tib is not None else "holds what is put there"
