"""What each engine makes of what the site gives: capacity, rates, failure domain, class, keys."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.counting import counted
from aifactory.components.given import StorageSystem
from aifactory.components.given_storage import NFS_VENDORS
from aifactory.components.storage_tier import arithmetic, kept, racks
from aifactory.components.storage_tier.arithmetic import Redundancy, Speed
from aifactory.components.storage_tier.aws import drives
from aifactory.components.storage_tier.aws import engines as at_aws
from aifactory.components.storage_tier.decided import Figures
from aifactory.components.storage_tier.draft import RANK, Draft
from aifactory.components.storage_tier.found import SHARED, DrivesFound, class_of, drives_of, share_of
from aifactory.components.storage_tier.spec import RedundancySpec, StorageTierSpec

SINGLE = "ReadWriteOnce"
THREE = Redundancy(replicas=3)
CRUSH = {"drive": "osd", "node": "host", "rack": "rack"}
"""Failure domains in Ceph's words. Racks come from labels of nodes, which rows of ours set."""
GATEWAYS = 2
LEAST_NODES = 3
"""Monitors of which one may be lost. Source: rook/rook deploy/examples/cluster.yaml, mon.count."""
SAFE = 2
"""Copies or chunks that may be lost: one in a failure, one more during its repair."""
FIRST_WARNING_PERCENT = 85
REPAIR_PERCENT = 90
"""Fuller, Ceph makes no lost copies again: `backfillFullRatio`."""


def drafted(spec: StorageTierSpec, ctx: PlanContext) -> Draft | None:
    """The tier on what the site has for it; None after a problem."""
    if not at_aws.fits_venue(spec, ctx):
        return None
    found, copies = ENGINES[spec.engine](spec, ctx), kept.copies_of(spec, ctx)
    return None if found is None or copies is None else replace(found, copies=copies)


def _existing(spec: StorageTierSpec, ctx: PlanContext) -> Draft | None:
    given = class_of(spec, ctx)
    if given is None or given.system is None:
        return None
    system = given.system
    ctx.decide(
        "storage_class",
        given.name,
        f"of the site, on {system.vendor}: used, and never made, changed or deleted",
        source=("cluster", "storage_classes"),
        document="site",
    )
    return _of_system(spec, system, given.name, tuple(given.access), given.place or ctx.place.location.country, ctx)


def _nfs(spec: StorageTierSpec, ctx: PlanContext) -> Draft | None:
    given = share_of(spec, ctx)
    if given is None:
        return None
    network = ctx.place.network
    fabric = network.roce is not None or network.infiniband is not None
    held = ctx.check(
        "STO-020",
        given.rdma and fabric,
        f"share {given.nfs} has no RDMA" if not given.rdma else f"{ctx.place.site} has no RDMA fabric",
        ("nfs",) if spec.nfs else ("engine",),
        "name a share with rdma: true, at a site with a RoCE or InfiniBand network",
    )
    if not held:
        return None
    ctx.decide("storage_class", spec.identity, f"made for {given.server}:{given.share} over RDMA", source=("nfs",))
    access = (SINGLE, "ReadOnlyMany", SHARED)
    found = _of_system(spec, given.system, spec.identity, access, ctx.place.location.country, ctx)
    if found is None:
        return None
    return replace(found, server=given.server, share=given.share)


def _of_system(
    spec: StorageTierSpec, system: StorageSystem, name: str, access: tuple[str, ...], place: str, ctx: PlanContext
) -> Draft | None:
    domain = _stated(spec, system, ctx)
    if domain is None:
        return None
    usable = None if system.usable_tib is None else system.usable_tib * spec.fill_percent / 100
    speed = Speed(system.read_gb_per_s, system.write_gb_per_s, "the system", "the system")
    key = system.encryption
    return Draft(
        spec=spec,
        storage_class=name,
        access=access,
        place=place,
        failure_domain=domain,
        figures=_figures(_wanted(spec, usable), speed),
        redundancy=Redundancy(),
        system_tib=usable,
        speed=speed,
        key=key.key if key else "",
        key_place=key.place if key else "",
        snapshot_class=system.snapshot_class or "",
        nfs=spec.engine == "nfs-rdma" or system.vendor in NFS_VENDORS,
        own_snapshots=tuple((each.every_h, each.keep) for each in system.snapshots),
    )


def _stated(spec: StorageTierSpec, system: StorageSystem, ctx: PlanContext) -> str | None:
    """The failure domain of a given system, if it is stated and as large as the tier wants."""
    stated, wanted = system.failure_domain, spec.failure_domain
    enough = stated is not None and (wanted is None or RANK[stated] >= RANK[wanted])
    says = (
        f"{ctx.place.site} doesn't say what the {system.vendor} system of tier {spec.name} may lose without losing data"
        if stated is None
        else f"the {system.vendor} system survives the loss of: {stated}, and tier {spec.name} wants {wanted}"
    )
    hint = "add system.failure_domain to the site file, as its vendor states it"
    if stated is not None:
        hint = f"set failure_domain to {stated}, or use another system"
    at = ("failure_domain",) if stated is not None else ("engine",)
    return stated if ctx.check("STO-003", enough, says, at, hint) else None


def _topolvm(spec: StorageTierSpec, ctx: PlanContext) -> Draft | None:
    found = drives_of(spec, ctx)
    says = f"drives of one node survive no loss of it, and tier {spec.name} wants {spec.failure_domain}"
    fits = spec.failure_domain in (None, "none")
    fits = ctx.check("STO-003", fits, says, ("failure_domain",), "delete failure_domain, or use another engine")
    if found is None or not fits:
        return None
    usable = arithmetic.usable_tib(found.figures.raw_tib, Redundancy(), spec.fill_percent)
    node = arithmetic.local_speed(found.figures)
    every = arithmetic.on_all(node, len(found.nodes))
    ctx.decide(
        "storage_class",
        spec.identity,
        f"volumes on {counted(found.set.count, 'drive')} of {_each_of(len(found.nodes))}, striped; a pod gets one "
        "where it runs, and it goes with the node",
        rejected=[Rejected("OpenEBS LVM", "its newest stored release is of 2024, and it reports capacity later")],
        source=("engine",),
    )
    return Draft(
        spec=spec,
        storage_class=spec.identity,
        access=(SINGLE,),
        place=ctx.place.location.country,
        failure_domain="none",
        figures=_figures(_wanted(spec, usable), every),
        redundancy=Redundancy(),
        system_tib=usable,
        drives=found,
        speed=node,
        key=found.set.encryption.key if found.set.encryption else "",
        key_place=found.set.encryption.place if found.set.encryption else "",
    )


def _each_of(nodes: int) -> str:
    return "one node" if nodes == 1 else f"each of {nodes} nodes"


def _ceph(spec: StorageTierSpec, ctx: PlanContext) -> Draft | None:
    found = drives_of(spec, ctx)
    redundancy = redundancy_of(spec.redundancy)
    domain = spec.failure_domain or "node"
    known = ctx.check(
        "STO-003",
        domain in CRUSH,
        f"Ceph keeps no copies apart by {domain} here: one cluster of a site knows drives, nodes and racks",
        ("failure_domain",),
        "set failure_domain to rack or node",
    )
    if found is None or not known or not _redundant(spec, redundancy, found, domain, ctx):
        return None
    raw = found.figures.raw_tib * racks.share(found, redundancy, domain)
    usable = spec.size_tib or arithmetic.usable_tib(raw, redundancy, spec.fill_percent)
    gateways = (spec.gateways or GATEWAYS) if spec.buckets else 0
    speed = arithmetic.shared_speed(found.figures, redundancy, gateways)
    _explain_ceph(spec, redundancy, domain, ctx)
    signs = ctx.place.cluster.certificates
    keys = kept.keys_of(spec, ctx)
    if (spec.encryption and keys is None) or not kept.opens_by_name(keys, found, ctx):
        return None
    own = found.set.encryption
    return Draft(
        spec=spec,
        storage_class=spec.identity,
        access=() if spec.buckets else (SINGLE,) if spec.tier == "block" else (SINGLE, "ReadOnlyMany", SHARED),
        place=ctx.place.location.country,
        failure_domain=domain,
        figures=_figures(usable, speed),
        redundancy=redundancy,
        system_tib=usable,
        drives=found,
        speed=speed,
        key=keys.where if keys else own.key if own else "",
        key_place=keys.country if keys else own.place if own else "",
        keys=keys,
        gateways=gateways,
        issuer=signs.cluster_issuer if signs and spec.buckets else "",
    )


def redundancy_of(spec: RedundancySpec | None) -> Redundancy:
    """Copies or chunks; three copies unless written."""
    if spec is None:
        return THREE
    return Redundancy(spec.replicas or 1, spec.data or 0, spec.parity or 0)


def _redundant(
    spec: StorageTierSpec, redundancy: Redundancy, found: DrivesFound, domain: str, ctx: PlanContext
) -> bool:
    """Whether data survives as the tier says, on its nodes and in their racks."""
    at, nodes = ("redundancy",) if spec.redundancy else ("engine",), len(found.nodes)
    if domain == "rack" and not _in_racks(spec, redundancy, found, ctx):
        return False
    needed = max(LEAST_NODES, redundancy.width if domain == "node" else 0)
    enough = ctx.check(
        "STO-004",
        nodes >= needed,
        f"tier {spec.name} keeps {redundancy} on {nodes} nodes, and needs {needed}",
        at,
        f"give the set of drives {needed - nodes} more nodes, or write fewer copies or chunks",
    )
    buckets = ctx.check(
        "STO-017",
        not redundancy.data or spec.tier in ("object", "archive"),
        f"an erasure code of {redundancy} under {spec.tier} volumes",
        at,
        "write {replicas: 3}",
    )
    low = ctx.check(
        "STO-021",
        spec.fill_percent <= FIRST_WARNING_PERCENT,
        f"fill_percent is {spec.fill_percent}, and Ceph warns at {FIRST_WARNING_PERCENT}",
        ("fill_percent",),
        f"set it to {FIRST_WARNING_PERCENT} or less",
    )
    ctx.check(
        "STO-018",
        redundancy.may_fail >= SAFE,
        f"{redundancy} survive the loss of {redundancy.may_fail}",
        at,
        "write {replicas: 3}, or parity: 2",
    )
    if enough and domain in ("node", "rack"):
        _room_for_repair(spec, redundancy, found, domain, ctx)
    return enough and buckets and low


def _in_racks(spec: StorageTierSpec, redundancy: Redundancy, found: DrivesFound, ctx: PlanContext) -> bool:
    at = ("failure_domain",)
    return racks.suffice(found, redundancy, spec.name, at, ctx) and racks.size_fits(
        found, redundancy, spec.size_tib, spec.fill_percent, ctx
    )


def _room_for_repair(
    spec: StorageTierSpec, redundancy: Redundancy, found: DrivesFound, domain: str, ctx: PlanContext
) -> None:
    """Whether what a lost node or rack held can be made again on the others."""
    sizes = list(racks.sizes_tib(found).values())
    domains = len(sizes) if domain == "rack" else len(found.nodes)
    after = arithmetic.fill_after_loss(spec.fill_percent, domains)
    if domain == "rack":
        after = racks.fill_after_loss(sizes, redundancy.width, spec.fill_percent)
    spare = domains > redundancy.width
    ctx.check(
        "STO-005",
        spare and after + arithmetic.SPREAD_PERCENT <= REPAIR_PERCENT,
        f"{redundancy} on {domains} {domain}s leave no {domain} on which a lost one's data is made again"
        if not spare
        else f"at {spec.fill_percent} percent the other {domains - 1} {domain}s would be {after:.0f} percent full in "
        f"the mean, and their fullest drive up to {arithmetic.SPREAD_PERCENT} points more",
        ("fill_percent",) if spare else ("redundancy",),
        f"set fill_percent to {arithmetic.fill_allowed(spec.fill_percent, after, REPAIR_PERCENT)}"
        if spare
        else f"add a {domain} to the set of drives",
    )


def _explain_ceph(spec: StorageTierSpec, redundancy: Redundancy, domain: str, ctx: PlanContext) -> None:
    apart = f"no two on one {domain}" if domain != "rack" else "no two in one rack"
    ctx.decide(
        "redundancy",
        str(redundancy),
        f"{float(redundancy.left):.2f} of the raw capacity is left, {redundancy.may_fail} may be lost; {apart}",
        source=("redundancy",) if spec.redundancy else (),
    )
    ctx.decide("storage_class", spec.identity, "made by this tier, on the site's Ceph", source=("engine",))


def _wanted(spec: StorageTierSpec, usable: float | None) -> float | None:
    """What a tier holds of a system: the size that it wants, or all."""
    return usable if usable is None or spec.size_tib is None else min(usable, spec.size_tib)


def _figures(usable: float | None, speed: Speed) -> Figures:
    parts = dict.fromkeys(filter(None, (speed.reads_by, speed.writes_by)))
    return Figures(usable, speed.read, speed.write, " and ".join(parts) or "unknown")


ENGINES: dict[str, Callable[[StorageTierSpec, PlanContext], Draft | None]] = {
    "existing": _existing,
    "nfs-rdma": _nfs,
    "topolvm": _topolvm,
    "rook-ceph": _ceph,
    "s3": at_aws.s3,
    "fsx-lustre": at_aws.lustre,
    "ebs": at_aws.ebs,
    "instance-store": drives.instance_store,
}
