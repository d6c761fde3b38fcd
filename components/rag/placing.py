"""Whose the collections are, which class they have, and which tiers hold the database and its backups."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.catalog import binds
from aifactory.components.controller_nodes import ControllerNodesOffer
from aifactory.components.offers import ModelOffer, QueueOffer, StorageOffer
from aifactory.components.problems import Path, nearest
from aifactory.components.rag.decided import CollectionPlan
from aifactory.components.rag.spec import RagSpec

ROLE_PREFIX = "tenant_"
"""Before each role, so that none is a word of PostgreSQL: a tenant may be called all, public or replication."""
VOLUMES = ("block", "parallel")


def role_of(tenant: str) -> str:
    """Role, database or collection of a tenant. Names of tenants have no _, so two of them never meet."""
    return ROLE_PREFIX + tenant.replace("-", "_")


def collections_of(spec: RagSpec, index_gib: float, ctx: PlanContext) -> tuple[CollectionPlan, ...] | None:
    """The collections with the namespaces that use them; None after a problem."""
    tenants = {each.tenant: each for queue in ctx.offers(QueueOffer) for each in queue.tenants}
    found = []
    for index, each in enumerate(spec.collections):
        tenant = tenants.get(each.tenant)
        if tenant is None and ctx.site_plan.refused:
            continue
        known = ctx.check(
            "RAG-012",
            tenant is not None,
            f'"{each.tenant}" is no tenant of a queue, so no namespace may read its collection',
            ("collections", index, "tenant"),
            nearest(each.tenant, tenants) if tenants else "add a queue with this tenant; gpus: 0 gives it none",
        )
        apart = tenant is None or ctx.check(
            "RAG-012",
            tenant.namespace != spec.identity,
            f"namespace {spec.identity} is tenant {each.tenant}'s, who would share it with the vectors of all",
            ("name",),
            "give the part another name",
        )
        if known and apart and tenant is not None:
            password = each.password or f"{spec.identity}-{each.tenant}"
            share = index_gib * each.vectors / spec.vectors
            found.append(
                CollectionPlan(each.tenant, tenant.namespace, role_of(each.tenant), each.vectors, password, share)
            )
    if len(found) < len(spec.collections):
        return None
    ctx.decide(
        "collections",
        {each.tenant: {"name": each.role, "vectors": each.vectors} for each in found},
        "a database and a role for each tenant: a query that forgets its filter finds nothing of others",
        rejected=[
            Rejected("one table with a column for the tenant", "each query must name the tenant, and one will not"),
            Rejected("row-level security", "its policies slow each step of a search, and owners pass them by"),
        ],
        source=("collections",),
    )
    return tuple(found)


def class_of(spec: RagSpec, model: ModelOffer, ctx: PlanContext) -> str | None:
    """Class of the vectors, empty for none; None after a problem."""
    source = model.data_class
    held = ctx.check(
        "RAG-008",
        spec.data_class is None or not source or spec.data_class == source,
        f"vectors of class {spec.data_class}, made of {source} documents by {model.part}",
        ("data_class",),
        f"set data_class to {source}, or delete it",
    )
    found = spec.data_class or source
    if not held or (found and not _allowed(found, ctx)):
        return None
    if found:
        ctx.decide(
            "data_class",
            found,
            f"that of the documents that {model.part} embeds: text can be told from its vector",
            source=("data_class",) if spec.data_class else ("embedder",),
        )
    return found


def _allowed(name: str, ctx: PlanContext) -> bool:
    """Whether such data may be at the site. Unknown rules allow nothing."""
    residency, location = ctx.site_plan.residency, ctx.place.location
    rules = residency.data_classes.get(name) if residency else None
    fits = (
        rules is not None
        and binds(ctx.catalog, location.country, rules.jurisdictions)
        and binds(ctx.catalog, location.operator.nationality, rules.operators)
    )
    return ctx.check(
        "RAG-008",
        fits,
        f"{name} data may not be at {ctx.place.site}, in {location.country} under an operator of "
        f"{location.operator.nationality}"
        if rules
        else f'data class "{name}" has no rules, and unknown rules allow nothing',
        ("data_class",),
        "move the part, or keep another class of documents there",
    )


def tier_of(name: str, wants: tuple[str, ...], at: Path, ctx: PlanContext) -> StorageOffer | None:
    """A tier of the site by name, of one of some kinds; None after a problem."""
    tiers = {offer.part: offer for offer in ctx.offers(StorageOffer) if offer.part}
    found = tiers.get(name)
    if found is None and ctx.has_refused(name):
        return None
    fitting = [part for part, offer in tiers.items() if offer.tier in wants]
    says = f"{name} is a tier of kind {found.tier}" if found else f'"{name}" is no storage tier at {ctx.place.site}'
    outlives = found is None or found.failure_domain != "none"
    held = ctx.check(
        "RAG-004",
        found is not None and found.tier in wants and outlives,
        says if outlives else f"{name} dies with a node",
        at,
        f"name {' or '.join(fitting)}" if fitting else f"add a storage-tier of kind {' or '.join(wants)}",
    )
    return found if held else None


def classed(tier: StorageOffer, name: str, at: Path, ctx: PlanContext) -> bool:
    """Whether a tier was judged for the class of the vectors."""
    if name:
        ctx.check(
            "RAG-014",
            bool(tier.key),
            f"tier {tier.part} would keep {name} vectors, and no encryption is stated",
            at,
            "state its encryption, with the place of its key",
        )
    return ctx.check(
        "RAG-009",
        not name or tier.data_class == name,
        f"tier {tier.part} keeps {tier.data_class or 'no stated'} data, and the vectors are {name}",
        at,
        f"set data_class of tier {tier.part} to {name}, or use a tier that has it",
    )


def rooms(spec: RagSpec, ctx: PlanContext) -> Iterator[int]:
    """Memory that each node leaves to pods on which instances may run. Unit: GiB."""
    groups = [group for group in ctx.place.nodes if group.accelerator is None] or list(ctx.place.nodes)
    for group in groups:
        left = int(group.memory_gib * LEFT)
        yield from [left if group.cpus > spec.cpus else 0] * len(group.nodes)
    for offer in ctx.offers(ControllerNodesOffer):
        yield from [int(offer.memory_gib * LEFT) if offer.cpus > spec.cpus else 0] * offer.nodes


LEFT = 0.9
"""Share of a node's memory that an instance may get: kernel, kubelet, and daemons have the rest."""
