"""The storage that a site gives, as written in a site file: drives in nodes, systems behind a class, NFS servers.

A figure that nobody stated is unknown. It is never taken for zero, and never guessed: rules say what it would decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.forms import AbsolutePath, Country, Folder, HostName, Line, SecretName
from aifactory.components.given_telemetry import TelemetryPlace
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, Spec, truth, twice

FailureDomain = Literal["none", "drive", "node", "rack", "zone", "site"]
"""The largest thing that may be lost at one time without losing data. zone: a data centre of a region."""

GbPerS = Annotated[float, Field(gt=0, le=1_000_000)]
"""A rate of data, decimal. Unit: GB per s."""

DevicePath = Annotated[str, Field(pattern=r"^/dev/disk/by-(id|path)/[A-Za-z0-9][A-Za-z0-9._:+=-]*$", max_length=255)]
"""A drive by a name that survives a reboot, such as /dev/disk/by-id/nvme-KCD7XLUG7T68_X1Y2; /dev/nvme0n1 is another
drive after the next."""

SlotPath = Annotated[str, Field(pattern=r"^/dev/disk/by-path/[A-Za-z0-9][A-Za-z0-9._:+=-]*$", max_length=255)]
"""A drive by the slot it is in, such as /dev/disk/by-path/pci-0000:41:00.0-nvme-1: the same in each server of a
model."""

DeviceFilter = Annotated[str, Field(pattern=r"^\^[a-z]+([a-z0-9]|\[[0-9-]+\]|\([0-9|]+\))*\$$", max_length=80)]
"""Kernel names of drives as a pattern from ^ to $, such as ^nvme[1-4]n1$. Only letters, digits, [0-9] and (1|2)."""

VaultUrl = Annotated[str, Field(max_length=400, pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?$")]
"""The address of a Vault or OpenBao server, such as https://vault.example.com:8200."""

SecretKeyPlace = Annotated[Line, Field(min_length=3, max_length=200)]
"""The name of a key and of what holds it, such as kmip://hsm.example.com/ai-storage: a reference, never the key."""


class EncryptionGiven(Spec):
    """Encryption at rest that a storage system does by itself."""

    key: SecretKeyPlace
    """Which key, and what holds it. A reference: the key stays where it is."""

    place: Country
    """Country in which the key is kept: whoever holds it there can be ordered to hand it over."""


class SnapshotsGiven(Spec):
    """Snapshots that a storage system takes by its own schedule."""

    every_h: int = Field(ge=1, le=8_760)
    """Time between two. Unit: hours."""

    keep: int = Field(ge=1, le=10_000)
    """How many are kept."""


class StorageSystem(Spec):
    """A storage system that the site runs: what it can hold and carry, as measured or as its vendor guarantees."""

    vendor: Literal["weka", "vast", "ddn", "ibm-scale", "netapp", "dell", "pure", "other"]
    """Who makes it."""

    usable_tib: Annotated[float, Field(gt=0, le=10_000_000)] | None = None
    """Capacity for files after its own redundancy. Unit: TiB. Default: unknown."""

    read_gb_per_s: GbPerS | None = None
    """Rate at which all clients together read, at most. Unit: GB per s. Default: unknown."""

    write_gb_per_s: GbPerS | None = None
    """Rate at which all clients together write, at most. Unit: GB per s. Default: unknown."""

    failure_domain: FailureDomain | None = None
    """Largest thing that it may lose without losing data. Default: unknown."""

    encryption: EncryptionGiven | None = None
    """Encryption at rest. Default: none is known."""

    gds: bool = False
    """Whether its clients serve GPUDirect Storage, as its vendor states. Default false: nothing is known of it."""

    snapshot_class: Name | None = None
    """VolumeSnapshotClass of the cluster that takes its snapshots. Default: none."""

    snapshots: list[SnapshotsGiven] = Field(default=[], max_length=20)
    """Schedules by which it snapshots all volumes of the class by itself. Default: none is known."""


class NfsGiven(Spec):
    """A share of an NFS server without a StorageClass."""

    nfs: Name
    """Name of the share in blueprints."""

    server: HostName
    """Host name or address of the server, as nodes reach it."""

    share: AbsolutePath
    """Exported path."""

    rdma: bool
    """Whether the server answers NFS over RDMA at port 20049."""

    system: StorageSystem
    """What stands behind it."""


class StoragePlace(TelemetryPlace):
    """Where keys or copies lie, and who can be ordered to hand them over."""


class KeyStoreGiven(Spec):
    """A Vault or OpenBao that keeps keys of drives for this site."""

    keys: Name
    """Name of the store in blueprints."""

    vault: VaultUrl
    """Its address, as pods reach it."""

    token: SecretName
    """Existing Secret of the namespace rook-ceph whose key `token` opens it."""

    path: Folder = "rook"
    """Path of the secrets engine in it. Default rook."""

    place: StoragePlace | None = None
    """Where it stands. Without it no classified data is encrypted by its keys. Default none: unknown."""


class CopyTargetGiven(Spec):
    """A system elsewhere that holds copies of what lies here."""

    target: Name
    """Name of the target in blueprints."""

    kind: Literal["tape", "object-store", "file-system", "block-store", "other"]
    """What it is."""

    system: Line = Field(min_length=3, max_length=200)
    """The system and where its owner finds it, for people."""

    place: StoragePlace | None = None
    """Where it stands. Without it no classified data is copied there. Default none: unknown."""


class StorageGiven(Spec):
    """What the site has beside drives and classes: stores of keys, and systems that hold copies."""

    key_stores: list[KeyStoreGiven] = Field(default=[], max_length=50)
    """Stores of keys. Default none: keys lie in Secrets of the cluster."""

    copy_targets: list[CopyTargetGiven] = Field(default=[], max_length=50)
    """Systems that hold copies. Default none."""

    @truth
    def _each_has_a_name_of_its_own(self) -> Iterator[Misfit]:
        named = {
            ("key_stores", "keys"): [each.keys for each in self.key_stores],
            ("copy_targets", "target"): [each.target for each in self.copy_targets],
        }
        for (field, key), names in named.items():
            for index in twice(names):
                yield Misfit(f'"{names[index]}" is listed twice', "give each its own name", (field, index, key))


class DriveSet(Spec):
    """Drives of one kind that each node of a group has for the factory. Drives of the operating system don't count."""

    drives: Name
    """Name of the set in blueprints."""

    count: int = Field(ge=1, le=128)
    """Drives in each node."""

    tb: float = Field(gt=0, le=1_000)
    """Size of one drive, as its vendor counts. Unit: TB, decimal."""

    read_gb_per_s: GbPerS | None = None
    """Rate at which one drive reads in sequence. Unit: GB per s. Default: unknown."""

    write_gb_per_s: GbPerS | None = None
    """Rate at which one drive writes in sequence, for longer than its cache lasts. Unit: GB per s. Default: unknown."""

    encryption: EncryptionGiven | None = None
    """Encryption at rest that the drives do by themselves, or that the node lays under its volume group. Default: none
    is known."""

    filter: DeviceFilter | None = None
    """Kernel names of the drives, the same on each node. The kernel numbers drives as it finds them, so another drive
    may match after a reboot. Default none: `by_path` or `by_id` names them."""

    by_id: dict[HostName, list[DevicePath]] = Field(default={}, max_length=2_000)
    """Drives of each node by a lasting name. Default none: `by_path` or `filter` names them."""

    by_path: list[SlotPath] = Field(default=[], max_length=128)
    """Slots of the drives, the same in each node: servers of one model and one layout. Default none: `by_id` or
    `filter` names them."""

    def paths(self, node: str) -> list[str]:
        """Lasting names of the drives of a node, empty where a filter finds them."""
        return self.by_id.get(node, self.by_path)

    @truth
    def _drives_are_named_in_one_way(self) -> Iterator[Misfit]:
        ways = {"filter": self.filter, "by_id": self.by_id, "by_path": self.by_path}
        written = [name for name, value in ways.items() if value]
        if len(written) != 1:
            known = f"drives by {' and '.join(written)} at once" if written else "drives that nothing names"
            yield Misfit(known, "write by_path with their slots, or by_id with the lasting names of each node's drives")

    @truth
    def _a_filter_is_a_pattern(self) -> Iterator[Misfit]:
        try:
            re.compile(self.filter or "")
        except re.error as wrong:
            yield Misfit(f"{wrong}", "write a pattern, such as ^nvme[1-4]n1$", ("filter",))

    @truth
    def _slots_are_as_many_as_counted(self) -> Iterator[Misfit]:
        if self.by_path and len(self.by_path) != self.count:
            says = f"{len(self.by_path)} slots, and count is {self.count}"
            yield Misfit(says, "name the slot of each drive", ("by_path",))
        for index in twice(self.by_path):
            yield Misfit(f"{self.by_path[index]} is listed twice", "list each slot once", ("by_path", index))

    @truth
    def _each_node_has_as_many_as_counted(self) -> Iterator[Misfit]:
        for node, paths in self.by_id.items():
            if len(paths) != self.count:
                says = f"{len(paths)} drives of node {node}, and count is {self.count}"
                yield Misfit(says, "a set has the same number in each node: make two sets", ("by_id", node))
            for index in twice(paths):
                yield Misfit(f"{paths[index]} is listed twice", "list each drive once", ("by_id", node, index))


def misfits_of_drives(sets: list[DriveSet], nodes: list[str]) -> Iterator[Misfit]:
    """What doesn't fit between the sets of drives of a group and its nodes."""
    names = [each.drives for each in sets]
    for index in twice(names):
        yield Misfit(f'"{names[index]}" names two sets of drives', "give each its own", ("drives", index, "drives"))
    for index, each in enumerate(sets):
        if not each.by_id:
            continue
        for node in each.by_id:
            if node not in nodes:
                says = f'"{node}" is no node of the group'
                yield Misfit(says, "name nodes as racks do", ("drives", index, "by_id", node))
        lacking = [node for node in nodes if node not in each.by_id]
        if lacking:
            says = f"no drives of node {lacking[0]}"
            yield Misfit(
                says, "list the drives of each node, or make it a group of its own", ("drives", index, "by_id")
            )
