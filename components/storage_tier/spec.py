"""What a person writes about a tier of storage: what it is for, what makes it, what survives, and who waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.demand import DataClass
from aifactory.components.forms import BucketName, Country, Folder, ImageText, Line, SecretName
from aifactory.components.given_storage import FailureDomain, GbPerS, VaultUrl
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, PartSpec, Spec, truth, twice
from aifactory.components.storage_tier.aws_spec import ColdSpec, EbsSpec, LustreSpec, Reader
from aifactory.components.storage_tier.keeping_spec import ChangedPercent, Keeps, Retention, ScheduledSnapshots

CRON_JOB_CHARS = 52
"""Characters of a CronJob's name: its Jobs add a dash and ten. Source: Kubernetes documentation, CronJob."""

Seconds = Annotated[int, Field(ge=1, le=86_400)]
"""A time. Unit: s."""

Gigabytes = Annotated[float, Field(gt=0, le=100_000_000)]
"""An amount of data, decimal. Unit: GB."""


class RedundancySpec(Spec):
    """How data survives the loss of drives and nodes: whole copies, or an erasure code."""

    replicas: int | None = Field(default=None, ge=1, le=5)
    """Copies of each object. Default none: an erasure code."""

    data: int | None = Field(default=None, ge=2, le=16)
    """Chunks that an object is cut into. Default none: whole copies."""

    parity: int | None = Field(default=None, ge=1, le=8)
    """Chunks that may be lost. Default none: whole copies."""

    @truth
    def _it_is_one_of_both(self) -> Iterator[Misfit]:
        code = self.data is not None or self.parity is not None
        if (self.replicas is None) != code or (self.data is None) != (self.parity is None):
            yield Misfit("neither copies nor an erasure code", "write {replicas: 3}, or {data: 4, parity: 2}")


class EncryptionSpec(Spec):
    """Encryption of drives by this tier, with one key a drive."""

    keys: Name | None = None
    """Store of keys that the site states in `storage.key_stores`, with its address, its token and its place. Ceph then
    takes the drives as local volumes: Rook asks a Vault for keys of such alone. Default none: Ceph's monitors keep
    them, below /var/lib/rook of their nodes, and whoever has such a disk and a drive reads the data."""

    vault: VaultUrl | None = None
    """Vault or OpenBao that keeps the keys, where `keys` doesn't name it. Its place is what the site states of this
    address. Default none."""

    token: SecretName | None = None
    """Existing Secret of the namespace rook-ceph whose key `token` opens the Vault. Default none; needed with vault."""

    path: Folder = "rook"
    """Path of the secrets engine in the Vault. Default rook."""

    place: Country | None = None
    """Country in which the keys are thought to be. It only stands beside what the site states, and is refused where
    both differ. Default none."""

    @truth
    def _a_vault_has_a_token(self) -> Iterator[Misfit]:
        if (self.vault is None) != (self.token is None):
            yield Misfit("vault and token need each other", "write both, or neither", ("token",))

    @truth
    def _a_store_of_the_site_has_its_own_address(self) -> Iterator[Misfit]:
        if self.keys is not None and self.vault is not None:
            says = f"keys {self.keys} and a vault beside it"
            yield Misfit(says, "delete vault, token and path: the site states them", ("vault",))


class CopySpec(Spec):
    """A copy of the tier that somebody makes elsewhere. It is judged and written down, and no row makes it."""

    copy_name: Name
    """Name of the copy."""

    kind: Literal["replica", "backup"]
    """replica: follows each change, mistakes too. backup: keeps what was."""

    to: Line = Field(min_length=3, max_length=200)
    """System that holds it: a target that the site states in `storage.copy_targets`. Of data without a class it may be
    any words."""

    place: Country | None = None
    """Country it is thought to lie in. It only stands beside what the site states, and is refused where both differ.
    Default none."""

    every_h: int = Field(ge=1, le=8_760)
    """Time between two copies: what a loss may cost. Unit: hours."""

    keep_days: int | None = Field(default=None, ge=1, le=36_500)
    """How long a backup is kept. Unit: days. Default none; needed of a backup."""

    @truth
    def _a_backup_is_kept_for_a_time(self) -> Iterator[Misfit]:
        if self.kind == "backup" and self.keep_days is None:
            yield Misfit("a backup without keep_days", "say how long it is kept", ("keep_days",))


class Prefetch(Spec):
    """What fills a path once, before anybody reads it."""

    bucket: BucketName
    """Path of the tier that feeds this one: the bucket that is read."""

    folder: Folder | None = None
    """Folder in the bucket. Default none: all of it."""

    size_gib: int | None = Field(default=None, ge=1, le=16_777_216)
    """Most that is copied, of a folder that is smaller than its bucket. Unit: GiB. Default: all that the bucket may
    hold."""

    image: ImageText | None = None
    """Image with rclone, mirrored for the site. Its entry point isn't used: the command is rclone. Default none: needed
    but for engine fsx-lustre, which is linked to the bucket and copies what is read."""

    run: int = Field(default=1, ge=1, le=9_999)
    """Number of the fill. Raise it to fill again, after the bucket has changed. Default 1."""

    within_s: Seconds = 14_400
    """Longest time it may take. Unit: s. Default 14400: four hours, a night's margin."""

    complete: Folder | None = None
    """Object below the folder that whoever fills the bucket puts there last, such as _SUCCESS: the copy begins once it
    is there. Delete it before the bucket is filled anew. Default none: it begins with the first object, and copies
    what has come by then."""

    wait_s: Seconds = 3_600
    """How long it waits for that object at least before it gives up; pauses between its looks grow to 5 minutes and
    come on top. Unit: s. Default 3600: an hour, in which somebody puts data into a bucket that is new."""


class TierPath(Spec):
    """A bucket or a volume of the tier for one tenant: a dataset, weights, or what it likes."""

    path: BucketName
    """Name of the bucket or volume."""

    keeps: Literal["dataset", "weights", "other"]
    """What lies there."""

    tenant: Name
    """Tenant of a queue in whose namespace it is."""

    size_gib: int = Field(ge=1, le=16_777_216)
    """Size: of a volume what it gets, of a bucket what it may hold. Unit: GiB."""

    prefetch: Prefetch | None = None
    """What fills a volume from the tier below. Default none: somebody else does."""

    retention: Retention | None = None
    """How long objects of a bucket are kept, in which versions, and whether they are locked. Default none: what is
    there stays until its tenant deletes it; on engine s3, what was overwritten or deleted can be brought back for 30
    days."""

    readers: list[Reader] = Field(default=[], max_length=50)
    """Pods that mount a bucket of engine s3, beside those of parts that name it. Default none."""


class CheckpointNeed(Spec):
    """A checkpoint, and how long GPUs may wait for it."""

    gb: Gigabytes
    """Size of one checkpoint. With optimizer state 14 to 16 bytes a parameter. Unit: GB."""

    write_within_s: Seconds
    """Time in which it is written. Unit: s."""

    restart_within_s: Seconds
    """Time in which a run that restarts has read it. Unit: s."""


class WeightsNeed(Spec):
    """Weights that replicas load when they start."""

    gb: Gigabytes
    """Size of the weights. Unit: GB."""

    at_once: int = Field(default=1, ge=1, le=10_000)
    """Replicas that start at the same time. Default 1."""

    load_within_s: Seconds
    """Time in which all of them have loaded. Unit: s."""


class Feed(Spec):
    """GPUs that wait for this tier, and what they need of it."""

    part: Name
    """Pool, training run or served model."""

    gpus: int | None = Field(default=None, ge=1, le=1_000_000)
    """GPUs that read at one time. Default: all of the part."""

    level: Literal["good", "better", "best"] | None = None
    """Rule of thumb for reading a dataset and writing checkpoints. good: text, from memory after the first pass.
    better: images and long context. best: video, or checkpoints each few minutes. No less than one node of 8 GPUs asks
    for: 4, 8 or 40 GB/s read and half of it written. Default: better where the feed says nothing else, and where
    figures are stated those alone. Source: NVIDIA DGX SuperPOD RA-11333, table 6."""

    dataset_gb_per_s_per_gpu: GbPerS | None = None
    """Rate at which one GPU reads its dataset, as measured. Unit: GB per s. Default none."""

    checkpoint: CheckpointNeed | None = None
    """Checkpoints. Default none."""

    weights: WeightsNeed | None = None
    """Weights at scale-up. Default none: what a served model on this tier counts on."""

    kv_offload_gb_per_s_per_gpu: GbPerS | None = None
    """Rate at which one GPU writes keys and values to this tier, and reads them, as measured at peak. Unit: GB per s.
    Default: what `kv_offload` of the served model comes to."""

    @truth
    def _a_rule_of_thumb_stands_for_no_measured_figure(self) -> Iterator[Misfit]:
        if self.level and (self.dataset_gb_per_s_per_gpu or self.checkpoint):
            yield Misfit("a level beside measured figures", "delete level: what is measured counts", ("level",))


class StorageTierSpec(PartSpec):
    """One tier of the factory's storage, and its place in the pipeline from objects to GPUs."""

    kind: Literal["storage-tier"]
    """A tier of storage."""

    tier: Literal["block", "parallel", "object", "local-cache", "archive"]
    """What it is for. block: volumes of one node, for databases. parallel: files that all nodes read and write. object:
    buckets. local-cache: drives of the GPU nodes, gone with them. archive: what is kept and seldom read."""

    engine: Literal["existing", "rook-ceph", "nfs-rdma", "topolvm", "s3", "fsx-lustre", "ebs", "instance-store"]
    """What makes it. existing: a StorageClass of the site, used and never made. rook-ceph: Ceph on drives of the site.
    nfs-rdma: a class on an NFS share of the site. topolvm: volumes on drives of the node that a pod runs on. At AWS
    the base makes it: s3 buckets, fsx-lustre a file system, ebs volumes for claims; instance-store is room on drives
    of the instances that a pod runs on."""

    storage_class: Name | None = None
    """StorageClass of the site, for engine existing. Default: the first that has a `system` and serves the access."""

    nfs: Name | None = None
    """Share of the site, for engine nfs-rdma. Default: its first with rdma."""

    drives: Name | None = None
    """Set of drives of the site, for engines rook-ceph and topolvm. Default: the only one of nodes without GPUs, or of
    GPU nodes for topolvm."""

    beside: Name | None = None
    """Tier of engine rook-ceph whose Ceph cluster holds this one too: a site has one. Default none: this tier makes
    it."""

    size_tib: float | None = Field(default=None, gt=0, le=10_000_000)
    """Capacity wanted for data. Unit: TiB. Default: all that is there; needed of tiers that share a Ceph cluster."""

    redundancy: RedundancySpec | None = None
    """How data survives, for engine rook-ceph. Default: 3 replicas."""

    gateways: int | None = Field(default=None, ge=1, le=100)
    """Gateways in front of buckets, each on a node of its own. Default: 2 for buckets, so that a drained node leaves
    one; other tiers have none."""

    fill_percent: int = Field(default=75, ge=10, le=95)
    """How full it may get. Unit: percent. Default 75: Ceph warns at 85 and stops writing at 95, and needs room to make
    copies again after a loss."""

    failure_domain: FailureDomain | None = None
    """Largest thing that may be lost without losing data. rook-ceph keeps copies or chunks apart by drive, node or
    rack, with racks as the site states them. Default: node for rook-ceph, none for topolvm, and what the site states
    of systems that it gives."""

    encryption: EncryptionSpec | None = None
    """Encryption of the drives, for engine rook-ceph. Default none; of a given system the site states it."""

    gds: bool = False
    """Whether its files are read straight into GPU memory (GPUDirect Storage). Needs `gds` of all GPU pools, and of a
    system of the site its own. Default false: data passes through the CPU."""

    snapshots: bool = False
    """Whether volumes may be snapshotted: a VolumeSnapshotClass that keeps snapshots when their object is deleted.
    Default false: the snapshot definitions and their controller are then not needed."""

    changed_percent_a_day: dict[Keeps, ChangedPercent] = {}
    """Part of a volume that is written anew in a day, by what it keeps: what snapshots of a given system hold on to,
    which snapshots all volumes of its class. Of paths, `scheduled.changed_percent_a_day` ranks above it. Unit: percent.
    Default none: unknown, and where the system takes snapshots nobody knows what is left."""

    scheduled: ScheduledSnapshots | None = None
    """When snapshots are taken, and how many are kept. Default none: people take them by hand. Needs snapshots."""

    reclaim: Literal["Retain", "Delete"] = "Retain"
    """What becomes of a volume whose claim is deleted. Default Retain: somebody decides. Of local-cache it is Delete:
    a cache can be filled again."""

    lustre: LustreSpec | None = None
    """Its file system, for engine fsx-lustre. Default none; needed there."""

    ebs: EbsSpec | None = None
    """Its volumes, for engine ebs. Default: gp3 with what each volume has anyway."""

    cold: ColdSpec | None = None
    """Where objects move that are no longer read, for engine s3. Default: of an archive at once to GLACIER_IR, of
    others never."""

    data_class: DataClass | None = None
    """Class of the data in the tier. The tier, its keys and its copies must lie where that may be. Default none: the
    data is bound to no place."""

    copies: list[CopySpec] = Field(default=[], max_length=20)
    """Replicas and backups elsewhere. Default none."""

    default: bool = False
    """Whether claims that name no class get this one. Default false; a cluster has one default class."""

    fed_by: Name | None = None
    """Tier below. Paths with a prefetch are filled from its buckets. On drives of a node it says the order of the
    pipeline and copies nothing: pods fill their volumes there by themselves. Default none: it is the first of the
    pipeline."""

    paths: list[TierPath] = Field(default=[], max_length=500)
    """Buckets and volumes for tenants. Default none."""

    feeds: list[Feed] = Field(default=[], max_length=200)
    """GPUs that wait for it. Default: those whose volumes lie on it."""

    @truth
    def _a_name_stands_once(self) -> Iterator[Misfit]:
        named = {
            "paths": [each.path for each in self.paths],
            "feeds": [each.part for each in self.feeds],
            "copies": [each.copy_name for each in self.copies],
        }
        key = {"paths": "path", "feeds": "part", "copies": "copy_name"}
        for field, names in named.items():
            for index in twice(names):
                yield Misfit(f'"{names[index]}" is listed twice', "list each once", (field, index, key[field]))

    @truth
    def _what_belongs_to_another_engine_is_not_written(self) -> Iterator[Misfit]:
        of = {
            "storage_class": ("existing",),
            "nfs": ("nfs-rdma",),
            "drives": ("rook-ceph", "topolvm"),
            "beside": ("rook-ceph",),
            "redundancy": ("rook-ceph",),
            "encryption": ("rook-ceph",),
            "gateways": ("rook-ceph",),
            "lustre": ("fsx-lustre",),
            "ebs": ("ebs",),
            "cold": ("s3",),
        }
        for field, engines in of.items():
            if getattr(self, field) is not None and self.engine not in engines:
                says = f"{field} is for engine {' or '.join(engines)}, and engine is {self.engine}"
                yield Misfit(says, f"delete {field}, or change engine", (field,))

    @truth
    def _the_engine_makes_such_a_tier(self) -> Iterator[Misfit]:
        makes = {
            "existing": ("block", "parallel", "archive"),
            "rook-ceph": ("block", "parallel", "object", "archive"),
            "nfs-rdma": ("parallel", "archive"),
            "topolvm": ("local-cache",),
            "s3": ("object", "archive"),
            "fsx-lustre": ("parallel",),
            "ebs": ("block",),
            "instance-store": ("local-cache",),
        }
        if self.tier not in makes[self.engine]:
            fitting = [engine for engine, tiers in makes.items() if self.tier in tiers]
            says = f"{self.engine} makes no {self.tier} tier"
            yield Misfit(says, f"use engine {' or '.join(fitting)}", ("engine",))

    @truth
    def _gpus_read_files_past_the_cpu(self) -> Iterator[Misfit]:
        if self.gds and self.tier in ("object", "block", "archive"):
            yield Misfit(f"gds of tier {self.tier}", "delete gds: GPUs read files of parallel or local tiers", ("gds",))

    @truth
    def _gateways_stand_before_buckets(self) -> Iterator[Misfit]:
        if self.gateways and self.tier not in ("object", "archive"):
            yield Misfit(f"gateways before a {self.tier} tier", "delete gateways: kernels read volumes", ("gateways",))

    @property
    def hosts_at_least(self) -> int:
        """Monitors of Ceph stand on three hosts, so that two agree while one is lost."""
        return 3 if self.engine == "rook-ceph" else 1

    @property
    def buckets(self) -> bool:
        """Whether it holds buckets, and no volumes."""
        return self.engine in ("rook-ceph", "s3") and self.tier in ("object", "archive")

    @property
    def claims_buckets(self) -> bool:
        """Whether a claim makes a bucket, with an address and a key of its own."""
        return self.buckets and self.engine == "rook-ceph"

    @truth
    def _a_file_system_has_a_size_and_an_image(self) -> Iterator[Misfit]:
        if self.engine == "fsx-lustre" and self.lustre is None:
            hint = "write lustre: {image: ...}, an image with a shell, mirrored for the site"
            yield Misfit("a file system of which nothing is said", hint, ("engine",))
        if self.engine == "fsx-lustre" and self.size_tib is None:
            yield Misfit("a file system without size_tib", "write it: AWS makes it of that size", ("engine",))

    @truth
    def _whoever_copies_has_an_image(self) -> Iterator[Misfit]:
        for index, each in enumerate(self.paths):
            at = ("paths", index)
            if each.prefetch and each.prefetch.image is None and self.engine != "fsx-lustre":
                hint = "write image: ..., with rclone, mirrored for the site"
                yield Misfit("a prefetch without an image", hint, (*at, "prefetch"))
            if each.prefetch and each.prefetch.complete and self.engine == "fsx-lustre":
                says = "complete of a file system that is linked to its bucket: nothing is copied before it is read"
                yield Misfit(says, "delete complete", (*at, "prefetch", "complete"))
            if each.retention and each.retention.image is None and self.engine != "s3":
                hint = "write image: ..., with the AWS CLI, mirrored for the site"
                yield Misfit("a retention without an image", hint, (*at, "retention"))
            if each.readers and self.engine != "s3":
                yield Misfit("readers of a path that is no bucket of S3", "delete readers", (*at, "readers"))

    @truth
    def _only_volumes_are_filled_and_only_from_below(self) -> Iterator[Misfit]:
        for index, each in enumerate(self.paths):
            at = ("paths", index)
            if self.tier in ("local-cache", "block"):
                hint = "put the path on a parallel or object tier; pods ask for room on this one by themselves"
                yield Misfit(f"a {self.tier} tier has no paths that several pods read", hint, at)
            elif each.prefetch and (self.tier == "object" or self.fed_by is None):
                says = "a prefetch without a tier to read from" if self.fed_by is None else "buckets are not prefetched"
                yield Misfit(says, "set fed_by to the object tier, on a parallel tier", (*at, "prefetch"))

    @truth
    def _it_does_not_feed_itself(self) -> Iterator[Misfit]:
        for field in ("fed_by", "beside"):
            if getattr(self, field) == self.name:
                yield Misfit(f"{field} names the tier itself", "name the other tier", (field,))

    @truth
    def _schedules_are_of_its_paths(self) -> Iterator[Misfit]:
        known = [each.path for each in self.paths]
        if self.scheduled and not self.snapshots:
            yield Misfit("scheduled snapshots, and snapshots is false", "set snapshots to true", ("scheduled",))
        for index, each in enumerate(self.scheduled.schedules if self.scheduled else ()):
            at = ("scheduled", "schedules", index)
            for number, path in enumerate(each.paths):
                if path not in known:
                    hint = f"list one of {', '.join(known)}" if known else "add it to paths"
                    yield Misfit(f'"{path}" is no path of the tier', hint, (*at, "paths", number))
            over = len(f"{self.identity}-{each.schedule}") - CRON_JOB_CHARS
            if over > 0:
                yield Misfit(f"the CronJob's name is {over} characters too long", "shorten it", (*at, "schedule"))
