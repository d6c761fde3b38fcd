"""Decides a tier of storage: what it stands on, what it holds and carries, who waits for it, what it makes."""

from __future__ import annotations

import math

from msgspec.structs import asdict, replace

from aifactory.components import issuing, names
from aifactory.components.base import PlanContext
from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.offers import OperatorNote, PathOffer, StorageOffer
from aifactory.components.rules import Rule
from aifactory.components.storage_tier import (
    capacity,
    ceph,
    gds,
    judging,
    kept,
    needs,
    paths,
    rates,
    retention,
    rules,
    sharing,
    snapshots,
    wear,
)
from aifactory.components.storage_tier.arithmetic import GIB_OF_TIB, gpus_of, needed
from aifactory.components.storage_tier.aws import drives, lustre
from aifactory.components.storage_tier.aws import settling as at_aws
from aifactory.components.storage_tier.aws.engines import ask_for_drivers
from aifactory.components.storage_tier.aws.rules import RULES as AWS_RULES
from aifactory.components.storage_tier.classes import made_class, scheduled_class, snapshots_of
from aifactory.components.storage_tier.decided import (
    CEPH_CLUSTER,
    CEPH_NAMESPACE,
    AwsStorageTierPlan,
    FillPlan,
    StorageTierPlan,
)
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_tier.engines import drafted
from aifactory.components.storage_tier.local import ask_for_topolvm, node_gib, volume_group
from aifactory.components.storage_tier.spec import StorageTierSpec
from aifactory.components.storage_uses import FillOffer

RULES: tuple[Rule, ...] = (*rules.RULES, *AWS_RULES)
CLASS_API = "storage.k8s.io/v1"


def resolve(spec: StorageTierSpec, ctx: PlanContext) -> Draft | None:
    """Find what the tier stands on, and offer its class before anybody asks for a volume."""
    draft = drafted(spec, ctx)
    if draft is None:
        return None
    judging.figures_known(draft, ctx)
    judging.drives_named(draft, ctx)
    judging.keys_apart(draft, ctx)
    held = [
        judging.given_size_fits(draft, ctx),
        judging.snapshots_taken(draft, ctx),
        snapshots.schedules_kept(draft, ctx),
        retention.retention_kept(draft, ctx),
        judging.place_allowed(draft, ctx),
        judging.class_is_new(draft, ctx),
        judging.answers_by_tls(draft, ctx),
    ]
    if not all(held) or not _ask(draft, ctx):
        return None
    draft = replace(draft, snapshots_gib=math.ceil(snapshots.room_tib(draft, ctx) * GIB_OF_TIB))
    if draft.on_ceph:
        ctx.offer(ceph.member(draft))
    ctx.offer(sharing.stake_of(draft))
    ctx.offer(_offer(draft))
    return draft


def _offer(draft: Draft) -> StorageOffer:
    """What others may use of the tier."""
    spec = draft.spec
    return StorageOffer(
        name=draft.storage_class,
        access=draft.access,
        place=draft.place,
        part=spec.name,
        tier=spec.tier,
        usable_tib=draft.figures.usable_tib,
        read_gb_per_s=draft.figures.read_gb_per_s,
        write_gb_per_s=draft.figures.write_gb_per_s,
        failure_domain=draft.failure_domain,
        default=spec.default,
        data_class=spec.data_class or "",
        key=draft.key,
        system=CEPH_CLUSTER if draft.on_ceph else draft.system,
        row=""
        if spec.engine in ("existing", "s3", "instance-store")
        else names.object_id(CLASS_API, "StorageClass", "", draft.storage_class),
        endpoint=paths.endpoint_of(draft) if spec.claims_buckets else "",
        nodes=tuple(draft.drives.nodes) if draft.drives and spec.engine == "topolvm" else (),
        node_gib=node_gib(draft) if draft.local_gib is None else draft.local_gib,
        folder=spec.engine == "instance-store",
        endpoint_at=(CEPH_NAMESPACE, paths.port_of(draft)) if spec.claims_buckets else ("", 0),
        issuer=draft.issuer,
        engine=spec.engine,
        fill_percent=spec.fill_percent,
        nfs=draft.nfs,
        backed_up_every_h=min((copy.every_h for copy in draft.copies if copy.kind == "backup"), default=0),
        paths=tuple(
            PathOffer(each.path, each.tenant, paths.claim_of(spec, each), spec.claims_buckets) for each in spec.paths
        ),
    )


def size(draft: Draft, ctx: PlanContext) -> Draft | None:
    """Who waits for the tier, and what tenants have in it: pools, runs and tenants are known by now."""
    fed = judging.fed_from_below(draft, ctx)
    held = paths.paths_of(draft, ctx)
    snapshots.ask_for_room_to_run(draft, ctx)
    lustre.ask_for_room(draft, ctx)
    lustre.tell_nodes(draft, ctx)
    draft = replace(draft, paths=held.paths)
    found = needs.needs_of(draft, ctx)
    if found is None or not fed or not held.sound:
        return None
    draft = replace(draft, needs=found)
    ctx.offer(needs.load_of(draft))
    for fill in sharing.fills_in(draft):
        ctx.offer(fill)
    return draft


def settle(draft: Draft, ctx: PlanContext) -> StorageTierPlan | None:
    """Judge the tier with all others, once every bucket and every load is known."""
    draft = rates.with_fills(draft, ctx)
    fits = [rates.judge(draft, ctx), capacity.fits(draft, ctx), judging.neighbours(ctx)]
    fits += [gds.served(draft, ctx), drives.are_there(draft, ctx)]
    wear.judge(draft, ctx)
    fits += [ceph.one_cluster(draft, ctx)] if draft.on_ceph else []
    fills = paths.fills_of(draft, draft.paths, ctx)
    made = at_aws.settled(draft, ctx)
    if fills is None or not all(fits) or (draft.aws and made is None):
        return None
    for fill in fills:
        row = names.object_id(paths.JOB_API, "Job", fill.namespace, fill.job)
        ctx.offer(FillOffer(fill.namespace, fill.claim, row))
    judging.copied(draft, ctx)
    judging.lost_with_the_site(draft, ctx)
    _note(draft, fills, ctx)
    spec, own_class = draft.spec, snapshots_of(draft)
    given = draft.snapshot_class if spec.snapshots else ""
    plan = StorageTierPlan(
        identity=spec.identity,
        tier=spec.tier,
        engine=spec.engine,
        storage_class=draft.storage_class,
        figures=draft.figures,
        failure_domain=draft.failure_domain,
        place=draft.place,
        key=draft.key,
        key_place=draft.key_place,
        fed_by=spec.fed_by or "",
        gpus=gpus_of(draft.needs),
        read_needed=needed(draft.needs, "read"),
        write_needed=needed(draft.needs, "write"),
        made_class=made_class(draft),
        snapshots=own_class,
        scheduled_class=scheduled_class(draft),
        schedules=tuple(snapshots.schedules_of(draft)),
        snapshot_class=own_class.name if own_class else given,
        ceph=ceph.cluster_of(draft, ctx) if draft.on_ceph else None,
        pool=ceph.pool_of(draft, ctx) if draft.on_ceph else None,
        paths=draft.paths,
        fills=fills,
        retention=tuple(retention.retention_of(draft, ctx)),
        trust=paths.trust_of(draft),
        issuer=draft.issuer,
        copies=tuple((copy.name, copy.to, copy.country) for copy in draft.copies),
    )
    return plan if made is None else AwsStorageTierPlan(**asdict(plan), aws=made)


def _ask(draft: Draft, ctx: PlanContext) -> bool:
    """Ask for drivers and operators; False when another tier has what can be had once."""
    spec = draft.spec
    if draft.aws:
        ask_for_drivers(draft, ctx)
        return True
    if spec.snapshots:
        ctx.require("volume-snapshots", "definitions and controller of snapshots, which drivers need before they start")
    if spec.engine == "rook-ceph":
        ctx.require("rook-ceph", f"runs the Ceph cluster that tier {spec.name} lies in")
        if spec.beside is None:
            ctx.require("node-feature-discovery", "labels the nodes with their racks, from which Ceph makes its map")
        if draft.issuer:
            ctx.require("cert-manager", f"certificates of the gateways of tier {spec.name}, and of who trusts them")
        purpose = "Ceph, and the gateway to its buckets"
        ctx.namespace(NamespaceRequest(CEPH_NAMESPACE, ctx.part, purpose, "privileged", holds_data=True))
    elif spec.engine == "nfs-rdma":
        ctx.require("csi-driver-nfs", "mounts NFS shares")
    elif spec.engine == "topolvm":
        return ask_for_topolvm(draft, ctx)
    return True


def _note(draft: Draft, fills: tuple[FillPlan, ...], ctx: PlanContext) -> None:
    """Tell the person who deploys what no row does."""
    spec, found = draft.spec, draft.drives
    if spec.engine == "nfs-rdma":
        says = (
            f"Nodes mount {draft.server}:{draft.share} over RDMA: rpcrdma must be loaded on each, and again after OFED."
        )
        ctx.offer(OperatorNote(ctx.part, "before", says))
    if found is not None:
        which = f"matching {found.set.filter}" if found.set.filter else "named in the site file"
        use = (
            f"one volume group {volume_group(spec.identity)} of them" if spec.engine == "topolvm" else "nothing on them"
        )
        says = (
            f"Drives {which} of each node of group {found.group.group} are empty, with {use}: whatever is there goes."
        )
        ctx.offer(OperatorNote(ctx.part, "before", says))
    for when, says in kept.notes(draft):
        ctx.offer(OperatorNote(ctx.part, when, says))
    for fill in fills:
        ctx.offer(OperatorNote(ctx.part, "before", _of_fill(fill)))
    issuing.tell(draft.issuer, f"the gateway of buckets of {spec.identity}", ctx)
    if draft.issuer:
        says = (
            f"Gateways of {spec.identity} read their certificate when they start: restart Deployments "
            f"rook-ceph-rgw-{spec.identity}-* of {CEPH_NAMESPACE} within 90 days of each renewal."
        )
        ctx.offer(OperatorNote(ctx.part, "running", says))
    for copy in draft.copies:
        where = copy.country or "place unknown"
        says = f"A {copy.kind} of tier {spec.name} is made to {copy.to} ({where}) each {copy.every_h} h by its owner."
        ctx.offer(OperatorNote(ctx.part, "running", says))


def _of_fill(fill: FillPlan) -> str:
    begins = (
        f"it begins once object {fill.complete} is there, so put that last, delete it before you change what is there, "
        "and it fails where that doesn't come"
        if fill.complete
        else "it begins with the first, copies what has come by then, and fails where none comes"
    )
    return (
        f"Objects come to bucket {fill.bucket} of {fill.namespace} within {fill.wait_s} s after it is made, from "
        f"wherever they are: Job {fill.job} fills {fill.claim} from it; {begins}. Its key is in Secret {fill.bucket}. "
        "Raise run of the prefetch to fill again, or after it failed."
    )
