"""Drives of instances: room that vanishes with the pod that had it, on the one volume that a node makes of them."""

from __future__ import annotations

from aifactory.components.aws_place import AwsPlace
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.catalog import Row
from aifactory.components.offers import KvOffloadUse, PoolOffer
from aifactory.components.storage_tier.arithmetic import GB, GIB, GIB_OF_TIB, Redundancy
from aifactory.components.storage_tier.decided import Figures
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_tier.spec import StorageTierSpec


def instance_store(spec: StorageTierSpec, ctx: PlanContext) -> Draft | None:
    """Room on the drives of rented nodes. A node makes one volume of them, which holds the folders of the kubelet."""
    found = _with_drives(ctx)
    there = ctx.check(
        "STO-001",
        bool(found),
        f"no rented nodes of {ctx.place.site} have drives of their own, for local-cache tier {spec.name}",
        ("engine",),
        "rent a type that has some, such as p5en.48xlarge",
    )
    says = f"drives of an instance survive no loss of it, and tier {spec.name} wants {spec.failure_domain}"
    fits = spec.failure_domain in (None, "none")
    fits = ctx.check("STO-003", fits, says, ("failure_domain",), "delete failure_domain, or use another engine")
    if not there or not fits:
        return None
    sizes = {group: _gib(row) * spec.fill_percent // 100 for group, (row, _) in found.items()}
    total = sum(sizes[group] * nodes for group, (_, nodes) in found.items()) / GIB_OF_TIB
    location = ctx.place.location
    ctx.decide(
        "storage_class",
        "none",
        "folders of the node, each with a limit that the kubelet holds by ending the pod; they go with the pod",
        rejected=[Rejected("topolvm", "it wants a volume group, and nodes join with all drives in one RAID 0")],
        source=("engine",),
    )
    ctx.decide(
        "node_gib",
        sizes,
        f"{spec.fill_percent} percent of the drives of a node, which also hold its images and logs",
        facts=[row.ref for row, _ in found.values()],
        source=("fill_percent",),
    )
    return Draft(
        spec=spec,
        storage_class=spec.identity,
        access=(),
        place=location.country,
        failure_domain="none",
        figures=Figures(total, None, None, "unknown"),
        redundancy=Redundancy(),
        system_tib=total,
        # Source: Amazon EC2 User Guide, data-protection: XTS-AES-256 by a key of each drive, gone with the instance.
        key="a key of each drive, in its instance",
        key_place=location.country,
        local_gib=min(sizes.values()),
    )


def _with_drives(ctx: PlanContext) -> dict[str, tuple[Row, int]]:
    """Instance type and number of nodes of each group that has drives."""
    place = ctx.place
    if not isinstance(place, AwsPlace):
        return {}
    groups = place.aws.rented_nodes
    types = {each.group: (ctx.catalog.row("aws-instances", each.instance_type), each.nodes) for each in groups}
    return {group: known for group, known in types.items() if known[0].number_or_zero("local_nvme_gb")}


def _gib(row: Row) -> int:
    return int(row.number_or_zero("local_nvme_gb") * GB // GIB)


def are_there(draft: Draft, ctx: PlanContext) -> bool:
    """Whether nodes of all pools that use the tier have drives: those of others have a root disk, and it fills."""
    if draft.spec.engine != "instance-store":
        return True
    using = {use.pool for use in ctx.offers(KvOffloadUse) if use.tier == draft.spec.name}
    known = _with_drives(ctx)
    without = [
        pool.part
        for pool in ctx.offers(PoolOffer)
        if pool.part in using and any(rack.rack not in known for rack in pool.racks)
    ]
    return ctx.check(
        "STO-047",
        not without,
        f"pool {without[0] if without else ''} keeps data on tier {draft.spec.name}, and its nodes have no drives",
        ("engine",),
        "rent a type with drives for it, or offload to memory: {cpu_gib: ...}",
    )
