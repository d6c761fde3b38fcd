"""The Ceph cluster of a site: who makes it, what lies in it, and whether that fits."""

from __future__ import annotations

from aifactory.components import image_reference
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.catalog.trains import release
from aifactory.components.offers import Taint
from aifactory.components.problems import nearest
from aifactory.components.storage_tier import arithmetic, racks
from aifactory.components.storage_tier.classes import drive_class
from aifactory.components.storage_tier.decided import (
    CEPHFS_DRIVER,
    RACK_LABEL,
    RBD_DRIVER,
    CephPlan,
    CephTier,
    PoolPlan,
)
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_tier.engines import CRUSH

KINDS = {"block": "block", "parallel": "files", "object": "objects", "archive": "objects"}
NEW_KEYS_KERNEL = 7
"""First kernel whose Ceph clients know keys of type aes256k. Source: Rook 1.20 documentation, CephX key rotation."""
DRIVERS = {"block": RBD_DRIVER, "parallel": CEPHFS_DRIVER}


def member(draft: Draft) -> CephTier:
    """What the tier is in the cluster that holds it."""
    wanted = draft.spec.size_tib
    raw = None if wanted is None else arithmetic.raw_needed_tib(wanted, draft.redundancy)
    if raw is not None and draft.drives:
        # What the smallest rack can't take lies idle in the others, for every tier of the cluster.
        raw /= racks.share(draft.drives, draft.redundancy, draft.failure_domain)
    drives = draft.drives.set.drives if draft.drives else ""
    return CephTier(
        draft.spec.name,
        draft.spec.beside or "",
        draft.spec.tier,
        drives,
        raw,
        draft.spec.snapshots,
        draft.failure_domain == "rack",
        draft.keys.where if draft.keys else "",
    )


def one_cluster(draft: Draft, ctx: PlanContext) -> bool:
    """Whether the site has one cluster, which the tier makes or names, and all of it fits on the drives."""
    spec, members = draft.spec, {each.part: each for each in ctx.offers(CephTier)}
    if spec.beside is not None:
        owner = members.get(spec.beside)
        owners = [name for name, each in members.items() if not each.owner]
        if owner is None and ctx.has_refused(spec.beside):
            return False
        own = ctx.check(
            "STO-016",
            owner is not None and not owner.owner and owner.drives == member(draft).drives,
            f"tier {spec.name} lies beside {spec.beside}, which makes no Ceph cluster on the same drives",
            ("beside",),
            nearest(spec.beside, owners),
        )
        return own and _same_keys(draft, owner, ctx)
    others = [name for name, each in members.items() if not each.owner and name != spec.name]
    alone = ctx.check(
        "STO-016",
        not others,
        f"tiers {spec.name} and {', '.join(others)} would each make a Ceph cluster at {ctx.place.site}",
        ("engine",),
        f"write beside: {spec.name} in the others",
    )
    return alone and _all_fit(draft, [each for each in members.values() if spec.name in (each.part, each.owner)], ctx)


def _same_keys(draft: Draft, owner: CephTier | None, ctx: PlanContext) -> bool:
    """Whether the keys that a tier names are those of the drives that it lies on."""
    keys, known = member(draft).keys, owner.keys if owner else ""
    return ctx.check(
        "STO-051",
        not keys or keys == known,
        f"tier {draft.spec.name} names {keys} for its keys, and the drives of {draft.owner} have "
        f"{known or 'no encryption of this factory'}",
        ("encryption",),
        f"write the same encryption as tier {draft.owner} does: one cluster encrypts its drives in one way",
    )


def _all_fit(draft: Draft, members: list[CephTier], ctx: PlanContext) -> bool:
    """Raw capacity that all tiers of the cluster want, against what the drives hold below the fill limit."""
    if draft.drives is None:
        return False
    if len(members) > 1 and any(each.raw_tib is None for each in members):
        unsized = ", ".join(each.part for each in members if each.raw_tib is None)
        says = f"tiers {', '.join(each.part for each in members)} share drives, and {unsized} wants all of them"
        return ctx.check("STO-006", False, says, ("size_tib",), "set size_tib of each")
    drives, fill = draft.drives.figures, draft.spec.fill_percent
    wanted = sum(each.raw_tib or 0.0 for each in members)
    room = drives.raw_tib * fill / 100
    needed = arithmetic.drives_needed(wanted, fill, drives.nodes, drives.tb)
    ctx.decide(
        "raw_capacity",
        {"raw_tib": round(drives.raw_tib, 2), "to_fill_tib": round(room, 2), "wanted_tib": round(wanted, 2)},
        f"{drives.count} drives of {drives.tb:g} TB; {fill} percent of it may be filled",
        source=("fill_percent",),
    )
    even = racks.share(draft.drives, draft.redundancy, draft.failure_domain)
    return ctx.check(
        "STO-006",
        wanted <= room,
        f"{', '.join(each.part for each in members)} want {wanted:.1f} TiB raw, and {drives.count} drives of "
        f"{drives.tb:g} TB hold {room:.1f} TiB at {fill} percent",
        ("size_tib",),
        f"put {needed} drives into each node instead of {drives.each}, or want "
        f"{room * even * float(draft.redundancy.left):.1f} TiB in all",
    )


def cluster_of(draft: Draft, ctx: PlanContext) -> CephPlan | None:
    """The cluster that this tier makes, None where another does."""
    spec, found = draft.spec, draft.drives
    if spec.beside is not None or found is None:
        return None
    tiers = [each for each in ctx.offers(CephTier) if spec.name in (each.part, each.owner)]
    image = ctx.catalog.row("images", "ceph:ceph")
    text = f"{image.text('repository')}/{image.text('image')}:{image.text('tag')}"
    keys = draft.keys
    how = f"by the pattern {found.set.filter}" if found.set.filter else "by lasting names"
    if drive_class(draft):
        how += ", as local volumes: Rook asks a Vault for keys of volumes alone"
    ctx.decide(
        "ceph.devices",
        {"nodes": len(found.nodes), "drives": found.figures.count},
        f"exactly drives {found.set.drives} of group {found.group.group}, {how}",
        rejected=[Rejected("useAllNodes, useAllDevices", "Ceph takes each empty drive that ever appears (rook#10504)")],
        facts=[release(ctx.catalog, ctx.place.train, "rook-ceph").ref, image.ref],
        source=("drives",) if spec.drives else (),
    )
    ctx.decide(
        "ceph.network",
        "host",
        "kernels of all nodes reach monitors and drives at node addresses, past overlay and pod policies",
        rejected=[Rejected("pod network", "policies of pods know no kernel of another node, and mounts would hang")],
    )
    taints = taints_of(draft)
    _explain_placing(draft, taints, ctx)
    return CephPlan(
        image=image_reference.parse_image(text).text,
        nodes=found.devices,
        racks=tuple((rack.rack, tuple(rack.nodes)) for rack in found.group.racks),
        apart_by_rack=any(each.by_rack for each in tiers),
        taints=taints,
        osds=found.figures.count,
        encrypted=keys is not None,
        vault=keys.vault if keys else "",
        token=keys.token if keys else "",
        path=keys.path if keys else "",
        ca=keys.ca if keys else "",
        drives=found.set.drives,
        drive_bytes=round(found.set.tb * arithmetic.TB),
        drive_class=drive_class(draft),
        csi_key_type=_key_type(ctx),
        drivers=tuple(sorted({DRIVERS[each.tier] for each in tiers if each.tier in DRIVERS})),
        snapshots=any(each.snapshots for each in tiers),
    )


def taints_of(draft: Draft) -> tuple[Taint, ...]:
    """Taints that the site states of the nodes with the drives."""
    return tuple(Taint(each.key, each.value, each.effect) for each in draft.drives.group.taints) if draft.drives else ()


def _explain_placing(draft: Draft, taints: tuple[Taint, ...], ctx: PlanContext) -> None:
    found = draft.drives
    if found is None:
        return
    ctx.decide(
        "ceph.racks",
        {rack.rack: list(rack.nodes) for rack in found.group.racks},
        f"as the site states them, in labels {RACK_LABEL} before the first drive is taken: Ceph reads them once, and "
        "a rack can become the failure domain later without emptying nodes",
        source=("failure_domain",) if draft.failure_domain == "rack" else (),
    )
    ctx.decide(
        "ceph.placement",
        {"nodes": len(found.nodes), "tolerates": [each.key for each in taints]},
        "all daemons of Ceph on the nodes with its drives, spread over hosts, with the taints that the site states",
        rejected=[Rejected("any node", "a gateway or metadata server beside GPUs takes their network and memory")],
    )


def _key_type(ctx: PlanContext) -> str:
    """Keys that the kernels of all nodes know: older ones mount nothing with Ceph's newest type."""
    kernels = {group.group: group.host.kernel for group in ctx.place.nodes}
    old = sorted(name for name, kernel in kernels.items() if int(kernel.partition(".")[0]) < NEW_KEYS_KERNEL)
    return ctx.decide(
        "ceph.csi_key_type",
        "aes" if old else "",
        f"kernels of {', '.join(old)} are older than {NEW_KEYS_KERNEL}.0 and know no aes256k"
        if old
        else "all kernels know what Rook chooses",
    )


def pool_of(draft: Draft, ctx: PlanContext) -> PoolPlan:
    """What the tier has in the cluster, with a quota: without one, whoever writes most fills the drives of all."""
    holds = draft.figures.usable_tib or 0.0
    max_gib = ctx.decide(
        "quota",
        {"max_gib": int(holds * arithmetic.TIB // arithmetic.GIB)},
        "of its data pool, copies and chunks not counted; "
        + ("as wanted" if draft.spec.size_tib else "no size is written: all that the drives may hold")
        + ". Ceph refuses writes above it before it refuses those of every tier; pools of metadata have none, since "
        "the data that they describe can't grow",
        source=("size_tib",) if draft.spec.size_tib else ("fill_percent",),
    )["max_gib"]
    return PoolPlan(
        kind=KINDS[draft.spec.tier],
        redundancy=draft.redundancy,
        failure_domain=CRUSH[draft.failure_domain],
        max_bytes=max_gib * arithmetic.GIB,
        gateways=draft.gateways,
        nodes=tuple(draft.drives.nodes) if draft.drives else (),
        taints=taints_of(draft),
        issuer=draft.issuer,
    )
