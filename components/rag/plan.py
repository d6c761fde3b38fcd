"""Decides a vector store: its engine, a collection a tenant, its memory, its disk, and where backups go."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct

from aifactory.components.base import PlanContext
from aifactory.components.capabilities import METRICS_NAMESPACE, NamespaceRequest, PodEgress
from aifactory.components.catalog.trains import release
from aifactory.components.offers import DatabaseOffer, OperatorNote
from aifactory.components.outside import service_namespace
from aifactory.components.rag import choosing, placing, postgres, rules
from aifactory.components.rag.arithmetic import sizes
from aifactory.components.rag.decided import POSTGRES_PORT, RagPlan
from aifactory.components.rag.spec import RagSpec
from aifactory.components.rules import Rule

RULES: tuple[Rule, ...] = rules.RULES
MILVUS = "http://milvus.milvus.svc:19530"
"""Where clients find a Milvus whose site states no address. Source: milvus-helm, service of a release of its name."""


class Draft(Struct, frozen=True):
    """A store whose engine is known."""

    spec: RagSpec
    engine: str


def resolve(spec: RagSpec, ctx: PlanContext) -> Draft | None:
    """Choose the engine by the number of vectors, and ask for what runs it."""
    engine = choosing.engine_of(spec, ctx)
    if engine is None:
        return None
    if engine == "milvus":
        ctx.require("milvus", f"holds the vectors of {spec.name}")
    else:
        ctx.require("cnpg", f"runs the database of {spec.name}")
    return Draft(spec, engine)


def size(draft: Draft, ctx: PlanContext) -> RagPlan | None:
    """Sizes and places, once models, tenants and tiers are known."""
    spec = draft.spec
    model = choosing.embedder_of(spec, ctx)
    if model is None:
        return None
    dimension = choosing.dimension_of(spec, model, draft.engine, ctx)
    data_class = placing.class_of(spec, model, ctx)
    if dimension is None or data_class is None:
        return None
    found = sizes([each.vectors for each in spec.collections], dimension, spec.number, spec.links, spec.chunk_bytes)
    collections = placing.collections_of(spec, found.index_gib, ctx)
    if collections is None:
        return None
    ours = draft.engine == "pgvector"
    database = postgres.database_of(spec, found, collections, data_class, ctx) if ours else None
    if ours and database is None:
        return None
    plan = RagPlan(
        identity=spec.identity,
        namespace=spec.identity,
        engine=draft.engine,
        address=f"{spec.identity}-rw.{spec.identity}.svc:{POSTGRES_PORT}" if ours else ":".join(_milvus(ctx)),
        model=model.model,
        dimension=dimension,
        number=spec.number,
        links=spec.links,
        data_class=data_class,
        collections=collections,
        database=database,
    )
    if database:
        ctx.offer(
            DatabaseOffer(ctx.part, plan.namespace, plan.identity, database.instances, database.backup is not None)
        )
        _around_ours(plan, ctx)
    else:
        _around_given(plan, ctx)
    return plan


def settle(plan: RagPlan, ctx: PlanContext) -> RagPlan:  # noqa: ARG001 - every part has the pass
    """Nothing is left to settle."""
    return plan


def _around_ours(plan: RagPlan, ctx: PlanContext) -> None:
    """The namespace of the database, the way of tenants to it, and what a person must do."""
    operator = release(ctx.catalog, ctx.place.train, "cloudnative-pg").namespace
    spaces = tuple(dict.fromkeys(each.namespace for each in plan.collections))
    watched = () if "metrics" in ctx.place.cluster.provides else (METRICS_NAMESPACE,)
    ctx.namespace(
        NamespaceRequest(
            plan.namespace,
            ctx.part,
            "Vectors of documents",
            ingress_from=(operator, *watched, *spaces),
            egress=("dns", "namespace", "api"),
            holds_data=True,
        )
    )
    for space in spaces:
        out = ((plan.namespace, POSTGRES_PORT),)
        ctx.namespace(NamespaceRequest(space, ctx.part, "Readers of vectors", egress_to=out))
    _note(plan, ctx)


def _milvus(ctx: PlanContext) -> tuple[str, str]:
    """Host and port of the site's own store."""
    url = urlsplit(ctx.place.cluster.provides["milvus"].url or MILVUS)
    return url.hostname or "", str(url.port or (443 if url.scheme == "https" else 80))


def _around_given(plan: RagPlan, ctx: PlanContext) -> None:
    """A store of the site: nothing is made but what tells tenants where it is."""
    host, port = _milvus(ctx)
    inside = service_namespace(host)
    for space in dict.fromkeys(each.namespace for each in plan.collections):
        to = ((inside, int(port)),) if inside else ()
        out = () if inside else (PodEgress(f"{plan.identity}-milvus", (), ports=(int(port),)),)
        ctx.namespace(NamespaceRequest(space, ctx.part, "Readers of vectors", egress_to=to, pod_egress=out))
    says = f"The Milvus of {ctx.place.site} holds a collection and a role for each of: "
    says += ", ".join(each.role for each in plan.collections)
    says += ". Its authorization is on, and its backups are the site's."
    ctx.offer(OperatorNote(ctx.part, "before", says))


def _note(plan: RagPlan, ctx: PlanContext) -> None:
    """Tell the person who deploys what no row does."""
    for each in plan.collections:
        says = (
            f"Secret {each.password} of {plan.namespace}, of type kubernetes.io/basic-auth with username {each.role} "
            f"and a password, is made once its namespace is there: nobody reaches the collection of {each.tenant} "
            f"before. Pods of {each.namespace} get the same, and ca.crt of Secret {plan.identity}-ca."
        )
        ctx.offer(OperatorNote(ctx.part, "before", says))
        space = f"kubectl -n {each.namespace} get configmap {plan.identity}-vectors"
        says = f"Make the table and the index of {each.tenant}, as role {each.role} in database {each.role}:"
        ctx.offer(OperatorNote(ctx.part, "running", says, (f"{space} -o jsonpath='{{.data.schema\\.sql}}'",)))
