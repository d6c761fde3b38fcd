"""What a tier at AWS stands on: its figures, what it survives, and the key that it is encrypted by."""

from __future__ import annotations

import math

from aifactory.components.aws_base import AddonDemand
from aifactory.components.aws_nodes import NodesOffer, NodeSubnet
from aifactory.components.aws_place import AwsPlace
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.catalog import Row
from aifactory.components.problems import nearest
from aifactory.components.storage_tier.arithmetic import GIB_OF_TIB, Redundancy, Speed
from aifactory.components.storage_tier.aws.model import AwsDraft, key_name
from aifactory.components.storage_tier.aws_spec import GP3_IOPS, GP3_MIB_PER_S, EbsSpec, LustreSpec
from aifactory.components.storage_tier.decided import Figures
from aifactory.components.storage_tier.draft import RANK, Draft
from aifactory.components.storage_tier.spec import StorageTierSpec

AT_AWS = ("s3", "fsx-lustre", "ebs", "instance-store")
"""Engines of which the base makes a tier."""
SINGLE, READ_ONLY, SHARED = "ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"
MIB, MB, GB = 2**20, 10**6, 10**9
SURVIVES = {"s3": "zone", "fsx-lustre": "node", "ebs": "node"}
"""What each engine may lose. Source: Amazon S3 User Guide, DataDurability; Amazon FSx for Lustre User Guide,
using-fsx-lustre; Amazon EBS User Guide, what-is-ebs: file servers and volumes are replicated within their zone."""


def fits_venue(spec: StorageTierSpec, ctx: PlanContext) -> bool:
    """Whether the engine is one of the place: what the base makes, or what stands there."""
    made = ctx.place.venue_facts.makes_cluster
    if spec.engine not in AT_AWS and not made:
        return True
    fitting = {"object": "s3", "archive": "s3", "parallel": "fsx-lustre", "block": "ebs"}
    here = fitting.get(spec.tier, "instance-store")
    return ctx.check(
        "STO-038",
        (spec.engine in AT_AWS) == made,
        f"engine {spec.engine} of tier {spec.name} is none of {ctx.place.site}, a site of venue {ctx.place.venue}",
        ("engine",),
        f"write engine: {here}" if made else "use an engine of the site, or limit the tier to sites at AWS by sites",
    )


def _base(ctx: PlanContext) -> NodesOffer | None:
    """The base, None where the cluster was refused, which has said why."""
    return next(iter(ctx.offers(NodesOffer)), None)


def _outlives(spec: StorageTierSpec, ctx: PlanContext) -> bool:
    """Whether it survives what the tier wants."""
    wanted, has = spec.failure_domain, SURVIVES[spec.engine]
    return ctx.check(
        "STO-003",
        wanted is None or RANK[has] >= RANK[wanted],
        f"{spec.engine} survives the loss of: {has}, and tier {spec.name} wants {wanted}",
        ("failure_domain",),
        f"set failure_domain to {has}, and keep a copy elsewhere"
        if spec.engine == "s3"
        else f"set failure_domain to {has}, and keep what must outlive a zone in buckets",
    )


def _encrypted(spec: StorageTierSpec, base: NodesOffer, ctx: PlanContext) -> str:
    """The key of the tier, and why it is one of the account."""
    alias = f"alias/{base.name(key_name(spec.identity), 250)}"
    ctx.decide(
        "aws.key",
        alias,
        f"a key of the account in {base.region.region}, of this tier alone, which rotates each year; it is kept for as "
        "long as the data is",
        rejected=[
            Rejected("AWS's own key", "nobody but AWS could take it away, and every role of the account uses it")
        ],
    )
    return alias


def s3(spec: StorageTierSpec, ctx: PlanContext) -> Draft | None:
    """Buckets."""
    base = _base(ctx)
    if base is None or not _outlives(spec, ctx):
        return None
    row = ctx.catalog.row("aws-storage.buckets", "mountpoint")
    part = row.count("part_bytes") / GB
    speed = Speed(row.count("reads_per_s") * part, row.count("writes_per_s") * part, "requests", "requests")
    ctx.decide(
        "aws.rates",
        {"reads_per_s": row.count("reads_per_s"), "writes_per_s": row.count("writes_per_s")},
        "what one partitioned prefix takes at least, in parts of 8 MiB as Mountpoint asks for them; smaller files make "
        "more requests of the same bytes",
        facts=[row.ref],
    )
    ctx.decide(
        "storage_class",
        "none",
        "each path is a bucket of its own, and a volume that Mountpoint shows pods; nothing makes buckets for claims",
        rejected=[Rejected("one bucket with prefixes", "a policy that is wrong once shows all tenants' data")],
        source=("engine",),
    )
    return _draft(spec, ctx, AwsDraft(base), (READ_ONLY,), speed, unbounded=True)


def ebs(spec: StorageTierSpec, ctx: PlanContext) -> Draft | None:
    """Volumes of EBS."""
    base, wish = _base(ctx), spec.ebs or EbsSpec()
    if base is None or not _outlives(spec, ctx):
        return None
    row = ctx.catalog.row("aws-storage.volumes", wish.type)
    if not _bounded(spec, wish, row, ctx):
        return None
    # io2 gives what its operations of 256 KiB come to, to 4,000 MiB/s. Source: Amazon EBS User Guide, provisioned-iops.
    mib = wish.mib_per_s or (GP3_MIB_PER_S if wish.type == "gp3" else min(4_000, (wish.iops or 0) // 4))
    rate = mib * MIB / GB
    ctx.decide(
        "storage_class",
        {"name": spec.identity, "type": wish.type, "iops": wish.iops or GP3_IOPS, "mib_per_s": mib},
        "made by this tier; a volume is made in the zone of the first pod that uses it, encrypted by the tier's key",
        rejected=[
            Rejected("gp2", "its rate follows from its size, and it costs more"),
            Rejected("Immediate", "a volume in another zone than its pod's nodes is never attached"),
        ],
        facts=[row.ref],
        source=("ebs",) if spec.ebs else ("engine",),
    )
    return _draft(spec, ctx, AwsDraft(base), (SINGLE,), Speed(rate, rate, "one volume", "one volume"), unbounded=True)


def _bounded(spec: StorageTierSpec, wish: EbsSpec, row: Row, ctx: PlanContext) -> bool:
    """Whether AWS makes such a volume."""
    found = []
    for field, fact in (("iops", "iops"), ("mib_per_s", "mib_per_s")):
        asked, bounds = getattr(wish, field), row.value(fact)
        if asked is None or not isinstance(bounds, tuple):
            continue
        least, most = (int(str(each)) for each in bounds)
        found.append(
            ctx.check(
                "STO-039",
                least <= asked <= most,
                f"{field} of tier {spec.name} is {asked}, and a volume of type {wish.type} has {least} to {most}",
                ("ebs", field),
                f"set it to {min(max(asked, least), most)}, or use another type",
            )
        )
    return all(found)


def lustre(spec: StorageTierSpec, ctx: PlanContext) -> Draft | None:
    """A file system of FSx for Lustre."""
    base, wish = _base(ctx), spec.lustre
    if base is None or wish is None or spec.size_tib is None or not _outlives(spec, ctx):
        return None
    zone = _zone(wish, base, ctx)
    if zone is None:
        return None
    row = ctx.catalog.row("aws-storage", str(wish.mbps_per_tib))
    wanted_gib = spec.size_tib * GIB_OF_TIB * 100 / spec.fill_percent
    capacity = capacity_gib(wanted_gib, row, efa=wish.efa)
    rate = capacity / 1_000 * wish.mbps_per_tib * MB / GB
    ctx.decide(
        "aws.file_system",
        {"capacity_gib": capacity, "mbps_per_tib": wish.mbps_per_tib, "gb_per_s": round(rate, 3), "efa": wish.efa},
        f"{spec.size_tib:g} TiB, filled to {spec.fill_percent} percent, take {math.ceil(wanted_gib)} GiB; AWS makes it "
        f"in multiples of {row.count('efa_step_gib' if wish.efa else 'step_gib')}",
        rejected=[
            Rejected("SCRATCH_2", "what its file servers lose is gone, and it takes no key of the account"),
            Rejected("Intelligent-Tiering", "what was not read lately comes from slower storage, and GPUs wait for it"),
        ],
        facts=[row.ref],
        source=("lustre",),
    )
    ctx.decide(
        "aws.zone",
        zone.zone,
        "file servers stand in one zone; nodes in others read across zones, slower and at a price for each byte, and "
        "not by EFA",
        source=("lustre", "zone") if wish.zone else (),
    )
    _explain_class(spec, ctx)
    at = AwsDraft(base, zone, capacity)
    usable = capacity / GIB_OF_TIB * spec.fill_percent / 100
    speed = Speed(rate, rate, "file servers", "file servers")
    return _draft(spec, ctx, at, (SINGLE, READ_ONLY, SHARED), speed, usable=usable)


def _explain_class(spec: StorageTierSpec, ctx: PlanContext) -> None:
    ctx.decide(
        "storage_class",
        spec.identity,
        "a class that makes nothing: the volume of each claim that is planned is a folder of the file system, bound to "
        "that claim. Claims that nobody planned wait",
        rejected=[
            Rejected("fsx.csi.aws.com", "it makes a whole file system, of 1.2 TiB and more, for each claim"),
            Rejected("one volume for all", "each tenant would see the folders of the others"),
        ],
        source=("engine",),
    )


def _zone(wish: LustreSpec, base: NodesOffer, ctx: PlanContext) -> NodeSubnet | None:
    known = {each.zone: each for each in base.subnets}
    if wish.zone is None:
        rented = ctx.place.aws.rented_nodes if isinstance(ctx.place, AwsPlace) else []
        zones = {each.zone for each in rented if each.zone}
        return known[zones.pop()] if len(zones) == 1 else base.subnets[0]
    ctx.check(
        "STO-040",
        wish.zone in known,
        f"{wish.zone} is no zone of {ctx.place.site}",
        ("lustre", "zone"),
        nearest(wish.zone, known),
    )
    return known.get(wish.zone)


def capacity_gib(wanted_gib: float, row: Row, *, efa: bool) -> int:
    """The smallest file system of so many GiB that AWS makes."""
    if efa:
        step = row.count("efa_step_gib")
        return max(1, math.ceil(wanted_gib / step)) * step
    sizes = row.value("sizes_gib")
    small = [int(str(each)) for each in sizes] if isinstance(sizes, tuple) else []
    step = row.count("step_gib")
    return next((each for each in small if each >= wanted_gib), math.ceil(wanted_gib / step) * step)


def _draft(
    spec: StorageTierSpec,
    ctx: PlanContext,
    at: AwsDraft,
    access: tuple[str, ...],
    speed: Speed,
    *,
    usable: float | None = None,
    unbounded: bool = False,
) -> Draft:
    location = ctx.place.location
    holds = spec.size_tib if usable is None or spec.size_tib is None else min(usable, spec.size_tib)
    return Draft(
        spec=spec,
        storage_class=spec.identity,
        access=access,
        place=location.country,
        failure_domain=SURVIVES[spec.engine],
        figures=Figures(holds, speed.read, speed.write, speed.reads_by),
        redundancy=Redundancy(),
        system_tib=usable,
        speed=speed,
        key=_encrypted(spec, at.base, ctx),
        key_place=location.country,
        aws=at,
        unbounded=unbounded,
    )


def ask_for_drivers(draft: Draft, ctx: PlanContext) -> None:
    """The add-ons that mount what the base makes. The driver of EBS is on every cluster."""
    spec = draft.spec
    if spec.engine == "s3":
        why = f"pods see buckets of tier {spec.name} as files, by the role of their ServiceAccount"
        ctx.offer(AddonDemand(spec.name, "aws-mountpoint-s3-csi-driver", why))
    elif spec.engine == "fsx-lustre":
        ctx.offer(AddonDemand(spec.name, "aws-fsx-csi-driver", f"nodes mount the file system of tier {spec.name}"))
    elif spec.snapshots:
        why = f"snapshots of volumes of tier {spec.name}: definitions and controller"
        ctx.offer(AddonDemand(spec.name, "snapshot-controller", why))
