"""What must hold of a tier beside its numbers: places, keys, copies, neighbours, names."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.catalog import binds
from aifactory.components.offers import StorageOffer, StorageUse
from aifactory.components.problems import Path, nearest
from aifactory.components.storage_tier.decided import PathPlan
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_tier.found import listed

ORDER = {"archive": 0, "object": 1, "parallel": 2, "block": 2, "local-cache": 3}
"""Steps of the pipeline from where data rests to where GPUs read it."""
FLEETING = ("telemetry", "cached keys")
"""What may die with a node: metrics and logs are sent on or made anew, keys and values made of prompts again."""
LASTING = ("object", "parallel", "block", "archive")


def figures_known(draft: Draft, ctx: PlanContext) -> None:
    """Say which figures nobody stated."""
    figures, spec = draft.figures, draft.spec
    named = {
        "how much it holds": figures.usable_tib,
        "what it reads": figures.read_gb_per_s,
        "what it writes": figures.write_gb_per_s,
    }
    if draft.unbounded:
        del named["how much it holds"]
    unknown = [name for name, value in named.items() if value is None]
    source = "its system" if draft.drives is None else f"drives {draft.drives.set.drives} and of the storage network"
    ctx.check(
        "STO-002",
        not unknown,
        f"of tier {spec.name} it is unknown {listed(unknown)}",
        ("engine",),
        f"add the figures of {source} to the site file, measured or guaranteed; none is guessed here",
    )
    ctx.decide(
        "failure_domain",
        draft.failure_domain,
        "data dies with its node, or with one of its drives"
        if draft.failure_domain == "none"
        else f"one {draft.failure_domain} may be lost without losing data",
        source=("failure_domain",) if spec.failure_domain else (),
    )


def drives_named(draft: Draft, ctx: PlanContext) -> None:
    """Whether the drives are found again after a reboot."""
    if draft.drives is not None:
        found = draft.drives
        ctx.check(
            "STO-029",
            not found.set.filter,
            f"drives {found.set.drives} of group {found.group.group} are found by the kernel's names, "
            f"{found.set.filter}",
            ("drives",) if draft.spec.drives else ("engine",),
            "name them in the site file by_path, the same slots in each server, or by_id",
        )


def given_size_fits(draft: Draft, ctx: PlanContext) -> bool:
    """Whether a tier outside of Ceph holds what is wanted."""
    wanted, usable = draft.spec.size_tib, draft.system_tib
    return draft.on_ceph or ctx.check(
        "STO-006",
        wanted is None or usable is None or wanted <= usable,
        lambda: f"{wanted:g} TiB wanted of tier {draft.spec.name}, which holds {usable or 0:.2f}",
        ("size_tib",),
        f"set size_tib to {int(usable or 0)}, or give it more drives",
    )


def snapshots_taken(draft: Draft, ctx: PlanContext) -> bool:
    """Whether somebody takes the snapshots that the tier wants."""
    spec = draft.spec
    ours = (draft.on_ceph and spec.tier in ("block", "parallel")) or spec.engine == "ebs"
    return not spec.snapshots or ctx.check(
        "STO-019",
        ours or bool(draft.snapshot_class),
        f"nobody takes snapshots of tier {spec.name}",
        ("snapshots",),
        "add system.snapshot_class to the site file"
        if spec.engine in ("existing", "nfs-rdma")
        else "set snapshots to false: keep copies of buckets, and fill caches again",
    )


def place_allowed(draft: Draft, ctx: PlanContext) -> bool:
    """Whether the tier, its keys and its copies lie where its data may be. Unknown rules allow nothing."""
    spec, residency = draft.spec, ctx.site_plan.residency
    if spec.data_class is None:
        return True
    rules = residency.data_classes.get(spec.data_class) if residency else None
    if rules is None:
        known = residency.data_classes if residency else {}
        says = f'data class "{spec.data_class}" has no rules, and unknown rules allow nothing'
        hint = nearest(spec.data_class, known) if known else f"add residency.data_classes.{spec.data_class}"
        return ctx.check("STO-013", False, says, ("data_class",), hint)
    outside = [
        (f"{what} of tier {spec.name} lies in {country}", at)
        for what, country, _, at in _places(draft)
        if not binds(ctx.catalog, country, rules.jurisdictions)
    ] + [
        (f"whoever runs {what} of tier {spec.name} is of {law}", at)
        for what, _, law, at in _places(draft)
        if law and not binds(ctx.catalog, law, rules.operators)
    ]
    owner = ctx.place.location.operator
    run = binds(ctx.catalog, owner.nationality, rules.operators)
    may = f"{spec.data_class} data may be in {listed(rules.jurisdictions)} under operators of {listed(rules.operators)}"
    _encrypted(draft, ctx)
    return ctx.check(
        "STO-013",
        not outside and run,
        lambda: (
            f"{may}; {outside[0][0]}"
            if outside
            else f"{may}; {owner.name}, of {owner.nationality}, runs {ctx.place.site}"
        ),
        outside[0][1] if outside else ("data_class",),
        "move it, or keep another data class in this tier",
    )


def _places(draft: Draft) -> Iterator[tuple[str, str, str, Path]]:
    """What lies where, and under whose law, empty for the site's own."""
    yield "the data", draft.place, "", ("data_class",)
    if draft.key_place:
        at: Path = ("encryption",) if draft.spec.encryption else ("data_class",)
        yield "the key", draft.key_place, draft.keys.nationality if draft.keys else "", at
    for index, copy in enumerate(draft.copies):
        yield f"{copy.kind} {copy.name}", copy.country, copy.nationality, ("copies", index, "to")


def _encrypted(draft: Draft, ctx: PlanContext) -> None:
    spec = draft.spec
    ctx.check(
        "STO-014",
        bool(draft.key),
        f"tier {spec.name} keeps {spec.data_class} data, and no encryption is stated",
        ("data_class",),
        "write encryption: {keys: ...}, a store of the site"
        if draft.on_ceph
        else f"add {'system.' * (draft.drives is None)}encryption to the site file, with its key",
    )


def answers_by_tls(draft: Draft, ctx: PlanContext) -> bool:
    """Whether buckets of classified data answer over TLS alone."""
    spec, site = draft.spec, ctx.place.site
    if draft.aws and spec.buckets:
        ctx.decide("tls", "TLS 1.2", "policies of the buckets turn everything else away")
    if not spec.claims_buckets:
        return True
    ctx.decide(
        "tls",
        draft.issuer or "none",
        f"gateways have a certificate of ClusterIssuer {draft.issuer} and no other port; each namespace with a bucket "
        "gets the issuer's certificate in a Secret"
        if draft.issuer
        else f"{site} states no issuer for Services of the cluster, and the data has no class",
        rejected=[Rejected("a private CA", "Secrets don't leave their namespace, so tenants couldn't trust it")],
    )
    return ctx.check(
        "STO-036",
        bool(draft.issuer) or spec.data_class is None,
        f"buckets of tier {spec.name} hold {spec.data_class} data, and {site} states no issuer for their certificate",
        ("data_class",),
        "add cluster.certificates: {cluster_issuer: ...} to the site file, an issuer of kind CA or Vault",
    )


def keys_apart(draft: Draft, ctx: PlanContext) -> None:
    """Whether keys lie apart from the cluster whose drives they open."""
    keys = draft.keys
    if keys is not None:
        ctx.check(
            "STO-024",
            bool(keys.vault),
            f"keys of tier {draft.spec.name} lie in Secrets of the cluster",
            ("encryption",),
            "write keys: ..., a store of storage.key_stores of the site file",
        )
    if draft.key:
        ctx.decide(
            "encryption", {"key": draft.key, "place": draft.key_place or None}, "a reference: the key stays there"
        )


def copied(draft: Draft, ctx: PlanContext) -> None:
    """Whether what lasts has a copy elsewhere."""
    spec = draft.spec
    ctx.check(
        "STO-022",
        bool(spec.copies) or spec.tier not in LASTING,
        f"tier {spec.name} has no copy elsewhere",
        ("tier",),
        "write copies: [{copy_name: ..., kind: backup, to: ..., every_h: 24, keep_days: 30}]",
    )
    for wish, copy in zip(spec.copies, draft.copies, strict=True):
        kept = f", kept for {wish.keep_days} days" if wish.keep_days else ""
        ctx.decide(
            f"copies.{copy.name}",
            {"to": copy.to, "place": copy.country or None, "every_h": copy.every_h},
            f"a {copy.kind} that somebody makes there{kept}: no row of this part does",
            source=("copies",),
        )


def fed_from_below(draft: Draft, ctx: PlanContext) -> bool:
    """Whether the tier below is one, and lies below."""
    spec = draft.spec
    if spec.fed_by is None:
        return True
    known = {offer.part: offer for offer in ctx.offers(StorageOffer) if offer.part}
    below = known.get(spec.fed_by)
    if below is None:
        if not ctx.has_refused(spec.fed_by):
            says = f'"{spec.fed_by}" is no storage tier at {ctx.place.site}'
            ctx.refuse(says, ("fed_by",), nearest(spec.fed_by, [name for name in known if name != spec.name]))
        return False
    return ctx.check(
        "STO-015",
        ORDER[below.tier] < ORDER[spec.tier],
        f"{spec.tier} tier {spec.name} is fed by {below.part}, a {below.tier} tier",
        ("fed_by",),
        "objects feed files, and files feed drives of the node",
    )


def class_is_new(draft: Draft, ctx: PlanContext) -> bool:
    """Whether the class that a tier makes is nobody's yet."""
    given = [each.name for each in ctx.place.cluster.storage_classes]
    ours = draft.spec.engine != "existing"
    return not ours or ctx.check(
        "STO-025",
        draft.storage_class not in given,
        f"{ctx.place.site} has a StorageClass {draft.storage_class} already",
        ("name",),
        "give the tier another name, or use the class: engine existing",
    )


def neighbours(ctx: PlanContext) -> bool:
    """What must hold of all tiers and volumes together. One tier speaks for all."""
    tiers = [offer for offer in ctx.offers(StorageOffer) if offer.part]
    if not tiers or tiers[0].part != ctx.part:
        return True
    return all([_one_default(tiers, ctx), *_volumes(tiers, ctx)])


def _one_default(tiers: list[StorageOffer], ctx: PlanContext) -> bool:
    given = [each.name for each in ctx.place.cluster.storage_classes if each.default]
    default = list(dict.fromkeys([*given, *(offer.name for offer in tiers if offer.default)]))
    one = ctx.check(
        "STO-010",
        len(default) <= 1,
        f"{' and '.join(default)} would both be default StorageClasses of {ctx.place.site}",
        (),
        "leave default: true to one of them, and take it off the others, in the cluster too",
    )
    outside = [name for name in given if name not in {offer.name for offer in tiers}]
    own = ctx.check(
        "STO-011",
        not outside,
        f"claims without a class land on {listed(outside)}, which no tier has",
        (),
        f"add a storage-tier with engine existing and storage_class {listed(outside)}",
    )
    return one and own


def _volumes(tiers: list[StorageOffer], ctx: PlanContext) -> Iterator[bool]:
    classes = {offer.name: offer for offer in tiers}
    paths = {(path.namespace, path.name) for path in ctx.offers(PathPlan)}
    for use in ctx.offers(StorageUse):
        if use.claim:
            yield ctx.check(
                "STO-011",
                (use.namespace, use.claim) in paths,
                f"{use.keeps} of part {use.part} lie on claim {use.claim} of {use.namespace}, which no tier has",
                (),
                "make it a path of a parallel tier, whose claim is named TIER-PATH",
            )
        if not use.storage_class:
            continue
        tier = classes.get(use.storage_class)
        yield ctx.check(
            "STO-011",
            tier is not None,
            f"{use.keeps} of part {use.part} lie on {use.storage_class}, which no tier has",
            (),
            f"set its storage_class to {' or '.join(offer.part for offer in tiers if offer.access)}",
        )
        yield ctx.check(
            "STO-012",
            tier is None or tier.failure_domain != "none" or use.keeps in FLEETING,
            f"{use.keeps} of part {use.part} lie on {use.storage_class}, and die with a node",
            (),
            "set its storage_class to a tier that outlives a node",
        )
