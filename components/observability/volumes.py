"""Where Prometheus, Alertmanager, Loki and Tempo have their volumes, and whether that is a place for them."""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.given_storage import NFS_VENDORS
from aifactory.components.observability.spec import ObservabilitySpec
from aifactory.components.offers import StorageOffer
from aifactory.components.problems import nearest
from aifactory.components.storage_classes import classes_of

Kind = Literal["block", "files", "nfs"]
FILE_VENDORS = ("weka", "ddn", "ibm-scale")
"""Systems whose StorageClasses are parts of one file system that many nodes mount."""
MANY = ("ReadWriteMany", "ReadOnlyMany")
SAYS: dict[Kind, str] = {
    "block": "a device or a local disk, which one node mounts at a time",
    "files": "a part of a file system that many nodes mount",
    "nfs": "a folder of an NFS server",
}
ALERTMANAGER_GIB = 1
"""Of an Alertmanager: silences, and 120 hours of what it told."""
KEEPER_GIB = 10
"""Of a Loki and of a Tempo: what isn't in the object store yet. Source: values of both charts, persistence.size."""


class Disk(Struct, frozen=True):
    """The StorageClass that volumes of this part get."""

    name: str
    """Empty where the cluster has none."""
    holds_gib: int | None
    """None: nobody stated it."""
    written: bool = False
    """Whether volumes name it. Otherwise they get the cluster's own class."""
    kind: Kind = "block"
    row: str = ""
    """Row that makes the class, empty for one that is given."""


def disk_of(spec: ObservabilitySpec, ctx: PlanContext) -> Disk:
    """The class or tier that the blueprint names, else a block tier, else the cluster's own."""
    given = {each.name: each for each in ctx.place.cluster.storage_classes}
    tiers = {offer.name: offer for offer in ctx.offers(StorageOffer) if offer.part}
    blocks = [name for name, offer in tiers.items() if _is_for_us(offer, ctx)]
    default = [name for name, each in given.items() if each.default]
    default += [name for name, offer in tiers.items() if offer.default]
    named = classes_of(ctx).named(spec.storage_class) if spec.storage_class else ""
    name = named or next(iter([*blocks, *default]), "")
    system = given[name].system if name in given else None
    tib = tiers[name].usable_tib if name in tiers else system.usable_tib if system else None
    return Disk(
        name,
        math.floor(tib * 1024) if tib is not None else None,
        # The class of a tier may come after a claim, which would then have none.
        written=bool(named) or name in blocks or bool(name and name not in given),
        kind=_kind(name, ctx) if name else "block",
        row=tiers[name].row if name in tiers else "",
    )


def _is_for_us(offer: StorageOffer, ctx: PlanContext) -> bool:
    lasts = offer.failure_domain != "none"
    return offer.tier == "block" and lasts and "ReadWriteOnce" in offer.access and _kind(offer.name, ctx) == "block"


def _kind(name: str, ctx: PlanContext) -> Kind:
    """What a volume of a class is. A tier may be called block and still lie on a file server of the site."""
    offer = next((each for each in ctx.offers(StorageOffer) if each.part and each.name == name), None)
    if offer and offer.engine == "nfs-rdma":
        return "nfs"
    if offer and offer.engine in ("rook-ceph", "topolvm"):
        return "files" if offer.tier == "parallel" else "block"
    given = next((each for each in ctx.place.cluster.storage_classes if each.name == name), None)
    vendor = given.system.vendor if given and given.system else "other"
    if vendor in NFS_VENDORS:
        return "nfs"
    access = given.access if given else offer.access if offer else ()
    return "files" if vendor in FILE_VENDORS or set(access) & set(MANY) else "block"


def known(spec: ObservabilitySpec, ctx: PlanContext) -> bool:
    """Whether the name that the blueprint writes is one of a class or of a tier."""
    classes = classes_of(ctx)
    if spec.storage_class is None or classes.named(spec.storage_class):
        return True
    says = f'"{spec.storage_class}" is no StorageClass of {ctx.place.site}, and no storage tier'
    ctx.refuse(says, ("storage_class",), nearest(spec.storage_class, classes.known))
    return False


def fit(disk: Disk, spec: ObservabilitySpec, ctx: PlanContext) -> bool:
    """Whether a database of Prometheus may lie there. Nothing is said where a restart forgets it anyway."""
    if not disk.name:
        return True
    at = ("storage_class",) if spec.storage_class else ()
    hint = "add a storage-tier of tier block, or a class of the site that is no file server, and name it here"
    held = ctx.check(
        "OBS-016",
        disk.kind != "nfs",
        f"Prometheus would keep its data on {disk.name}, {SAYS['nfs']}",
        at,
        hint,
    )
    ctx.check(
        "OBS-017",
        disk.kind != "files",
        f"Prometheus would keep its data on {disk.name}, {SAYS['files']}",
        at,
        hint,
    )
    if held:
        ctx.decide(
            "storage",
            disk.name,
            f"{SAYS[disk.kind]}; "
            + ("as written" if spec.storage_class else "a block tier" if disk.written else "the cluster's own class"),
            rejected=[Rejected("NFS", "Prometheus doesn't support it for its data, which may be lost for good")],
            source=at,
        )
    return held
