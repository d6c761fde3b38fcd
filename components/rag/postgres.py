"""PostgreSQL with pgvector: what it is given, whom it lets in, and where its backups go."""

from __future__ import annotations

import math
from hashlib import sha256

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.offers import StorageOffer, StorageUse
from aifactory.components.rag import placing
from aifactory.components.rag.arithmetic import WAL_GIB, Sizes, backup_gib
from aifactory.components.rag.decided import BackupPlan, CollectionPlan, DatabasePlan
from aifactory.components.rag.spec import BackupSpec, RagSpec

IMAGE = "postgresql:postgresql"
BUCKET_CHARS, DIGEST = 63, 8


def database_of(
    spec: RagSpec, sizes: Sizes, collections: tuple[CollectionPlan, ...], data_class: str, ctx: PlanContext
) -> DatabasePlan | None:
    """The database; None after a problem."""
    tier = _tier(spec, data_class, ctx)
    if tier is None or not all([_fits(spec, sizes, tier, ctx), _has_nodes(spec, sizes, ctx)]):
        return None
    sound, backup = _backup(spec, sizes, tier, data_class, ctx)
    if not sound:
        return None
    row = ctx.catalog.row("images", IMAGE)
    known = f"{row.text('repository')}/{row.text('image')}:{row.text('tag')}"
    image = ctx.decide(
        "image",
        spec.image or known,
        "as written" if spec.image else "PostgreSQL with pgvector, and Barman Cloud for the backups of this operator",
        facts=[row.ref],
        source=("image",) if spec.image else (),
    )
    volumes = spec.instances * sizes.volumes_gib
    ctx.offer(StorageUse(ctx.part, 0, tier.name, "vectors", volumes))
    return DatabasePlan(
        image=image,
        pull_secrets=tuple(spec.pull_secrets),
        instances=spec.instances,
        cpus=spec.cpus,
        sizes=sizes,
        storage_class=tier.name,
        class_row=tier.row,
        parameters=_parameters(spec, sizes, ctx),
        access=_access(collections, ctx),
        backup=backup,
    )


def _tier(spec: RagSpec, data_class: str, ctx: PlanContext) -> StorageOffer | None:
    if spec.tier is None:
        hint = "write tier: with a block tier, or a parallel one"
        ctx.check("RAG-004", False, f"{spec.name} names no tier for its database", (), hint)
        return None
    tier = placing.tier_of(spec.tier, placing.VOLUMES, ("tier",), ctx)
    return tier if tier and placing.classed(tier, data_class, ("tier",), ctx) else None


def _fits(spec: RagSpec, sizes: Sizes, tier: StorageOffer, ctx: PlanContext) -> bool:
    wanted = spec.instances * sizes.volumes_gib
    usable = None if tier.usable_tib is None else math.floor(tier.usable_tib * 1_024)
    ctx.decide(
        "disk",
        {
            "table_gib": round(sizes.table_gib, 2),
            "index_gib": round(sizes.index_gib, 2),
            "volume_gib": sizes.disk_gib,
            "log_gib": sizes.wal_gib,
            "instances_gib": wanted,
        },
        f"of each instance: rows with their text, index pages, both with a fifth of dead ones, room to build the "
        f"largest index again ({sizes.largest_gib:.2f} GiB), filled to 80 percent; the log apart, so that it never "
        "stops the data. Tier "
        + (f"{tier.part} holds {usable} GiB" if usable is not None else f"{tier.part}: unknown"),
        because=[f"{ctx.part}.dimension", f"{ctx.part}.number"],
        source=("tier",),
    )
    return ctx.check(
        "RAG-005",
        usable is None or wanted <= usable,
        f"{spec.instances} instances of {sizes.volumes_gib} GiB make {wanted} GiB, and tier {tier.part} holds {usable}",
        ("tier",),
        f"give the tier {wanted} GiB, or write fewer vectors or instances",
    )


def _has_nodes(spec: RagSpec, sizes: Sizes, ctx: PlanContext) -> bool:
    free = sorted(placing.rooms(spec, ctx), reverse=True)
    largest, wide = (free[0] if free else 0), [room for room in free if room >= sizes.memory_gib]
    ctx.decide(
        "memory",
        {"gib": sizes.memory_gib, "index_gib": round(sizes.index_gib, 2), "build_gib": round(sizes.build_gib, 2)},
        f"of each instance: all index pages, {sizes.build_gib:.2f} GiB to build an index, and a tenth for processes. A "
        "search jumps over the whole index, so all of it stays in memory",
        because=[f"{ctx.part}.dimension", f"{ctx.part}.number"],
        source=("collections",),
    )
    fits = ctx.check(
        "RAG-006",
        sizes.memory_gib <= largest,
        f"{sizes.memory_gib} GiB of memory for each instance, and the largest node leaves {largest} to pods with "
        f"{spec.cpus} CPUs",
        ("collections",),
        ("set number to half, " if spec.number == "single" else "set a smaller dimension, where the model allows it, ")
        + f"keep fewer vectors, or {_larger(math.ceil(sizes.memory_gib / placing.LEFT), ctx)}",
    )
    return fits and ctx.check(
        "RAG-007",
        len(wide) >= spec.instances,
        f"{spec.instances} instances of {sizes.memory_gib} GiB on {len(wide)} nodes that have the room",
        ("instances",),
        f"set instances to {len(wide)}, or add nodes without GPUs",
    )


def _larger(gib: int, ctx: PlanContext) -> str:
    """How the site gets nodes of a size: it has them, or the base makes them."""
    made = ctx.place.venue_facts.makes_cluster
    return f"write an aws.system_nodes.instance_type with {gib} GiB" if made else f"add nodes of {gib} GiB"


def _parameters(spec: RagSpec, sizes: Sizes, ctx: PlanContext) -> tuple[tuple[str, str], ...]:
    found = {
        "effective_cache_size": f"{max(1, sizes.memory_gib * 3 // 4)}GB",
        "maintenance_work_mem": f"{math.ceil(sizes.build_gib * 1_024)}MB",
        "max_parallel_maintenance_workers": str(max(1, spec.cpus - 1)),
        "max_wal_size": f"{WAL_GIB}GB",
        "password_encryption": "scram-sha-256",
        "shared_buffers": f"{sizes.shared_gib}GB",
    }
    ctx.decide(
        "parameters",
        found,
        "a quarter of the memory is PostgreSQL's own cache and the system's holds the rest; indexes are built in "
        "memory, by all CPUs but one",
        because=[f"{ctx.part}.memory"],
        source=("cpus",),
    )
    return tuple(found.items())


def _access(collections: tuple[CollectionPlan, ...], ctx: PlanContext) -> tuple[str, ...]:
    """Lines of pg_hba.conf: the first that matches counts."""
    lines = []
    for each in collections:
        lines += [f"hostssl {each.role} {each.role} all scram-sha-256", f"host all {each.role} all reject"]
    ctx.decide(
        "access",
        lines,
        "a role reaches its own database, by TLS and with its password, and is turned away from all others: PostgreSQL "
        "by itself lets each role connect to each database",
        source=("collections",),
        because=[f"{ctx.part}.collections"],
    )
    return tuple(lines)


def _backup(
    spec: RagSpec, sizes: Sizes, tier: StorageOffer, data_class: str, ctx: PlanContext
) -> tuple[bool, BackupPlan | None]:
    wish = spec.backup
    ctx.check(
        "RAG-011",
        wish is not None,
        f"{spec.name} has no backups: after a loss all {spec.vectors:,} vectors are made again",
        (),
        "write backup: {tier: ...} with a tier of buckets",
    )
    if wish is None:
        return True, None
    objects = _buckets(wish, tier, data_class, ctx)
    if objects is None:
        return False, None
    size = backup_gib(sizes, wish.keep_days)
    usable = None if objects.usable_tib is None else math.floor(objects.usable_tib * 1_024)
    held = ctx.check(
        "RAG-013",
        usable is None or size <= usable,
        f"{wish.keep_days} days of backups take {size} GiB, and tier {objects.part} holds {usable}",
        ("backup", "keep_days"),
        f"give the tier {size} GiB, or keep fewer days",
    )
    if not held:
        return False, None
    bucket = _bucket_name(ctx.factory, ctx.place.site, spec.identity)
    ctx.decide(
        "backup",
        {"bucket": bucket, "tier": objects.part, "place": objects.place, "size_gib": size, "keep_days": wish.keep_days},
        f"a base each day at {wish.hour}:00 UTC and each change since, so that any moment of {wish.keep_days} days can "
        "come back; a standby is read, and the key to the bucket is the claim's own",
        rejected=[
            Rejected("snapshots of volumes", "they lie in the same system as what they should replace"),
            Rejected("the Barman Cloud plugin", "its chart is not in the release train; CloudNativePG 1.32 needs it"),
        ],
        source=("backup",),
    )
    _reach(spec, objects, ctx)
    ctx.offer(StorageUse(ctx.part, 0, objects.name, "backups", size))
    return True, BackupPlan(
        bucket, objects.name, objects.row, objects.endpoint, objects.issuer, size, wish.keep_days, wish.hour
    )


def _bucket_name(*names: str) -> str:
    """A name of its own among the buckets of the store. Where it would be too long, a digest stands for the rest."""
    whole = "-".join([*names, "backups"])
    if len(whole) <= BUCKET_CHARS:
        return whole
    return f"{whole[: BUCKET_CHARS - DIGEST - 1].rstrip('-')}-{sha256('/'.join(names).encode()).hexdigest()[:DIGEST]}"


def _buckets(wish: BackupSpec, tier: StorageOffer, data_class: str, ctx: PlanContext) -> StorageOffer | None:
    """The tier that backups go to; None after a problem."""
    at = ("backup", "tier")
    objects = placing.tier_of(wish.tier, ("object", "archive"), at, ctx)
    if objects is None or not placing.classed(objects, data_class, at, ctx):
        return None
    if not objects.endpoint:
        elsewhere = (
            "leave backup out, and keep the documents: vectors are made again from them; no database here asks for a "
            "role by which it could write to buckets of S3"
        )
        made = ctx.place.venue_facts.makes_cluster
        hint = elsewhere if made else "use engine rook-ceph"
        ctx.check("RAG-004", False, f"tier {wish.tier} has no buckets that a claim makes", at, hint)
        return None
    ctx.check(
        "RAG-010",
        objects.system != tier.system or objects.backed_up_every_h > 0,
        f"backups in {objects.part} and the database in {tier.part} lie in one system, {tier.system}",
        at,
        "put one of them elsewhere, or give the buckets a copy elsewhere",
    )
    return objects


def _reach(spec: RagSpec, objects: StorageOffer, ctx: PlanContext) -> None:
    """Let the database out to the buckets, and into their namespace."""
    space, port = objects.endpoint_at
    if objects.issuer:
        ctx.require("cert-manager", f"the certificate of the issuer that {spec.name} trusts at its buckets")
    purpose = "Vectors of documents"
    ctx.namespace(NamespaceRequest(spec.identity, ctx.part, purpose, egress_to=((space, port),), holds_data=True))
    ctx.namespace(NamespaceRequest(space, ctx.part, "Buckets", ingress_from=(spec.identity,), holds_data=True))
