"""Decides a vector store: its engine, a collection a tenant, its memory, its disk, and where backups go."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct

from aifactory.components.base import PlanContext
from aifactory.components.capabilities import METRICS_NAMESPACE, NamespaceRequest, PodEgress
from aifactory.components.catalog.trains import release
from aifactory.components.offers import ModelOffer, OperatorNote
from aifactory.components.rag import choosing, placing, postgres, rules
from aifactory.components.rag.arithmetic import sizes
from aifactory.components.rag.decided import POSTGRES_PORT, CollectionPlan, DatabasePlan, RagPlan
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
    if draft.engine == "milvus":
        return _given(spec, model, dimension, data_class, collections, ctx)
    database = postgres.database_of(spec, found, collections, data_class, ctx)
    return None if database is None else _ours(spec, model, dimension, data_class, collections, database, ctx)


def settle(plan: RagPlan, ctx: PlanContext) -> RagPlan:  # noqa: ARG001 - every part has the pass
    """Nothing is left to settle."""
    return plan


def _ours(
    spec: RagSpec,
    model: ModelOffer,
    dimension: int,
    data_class: str,
    collections: tuple[CollectionPlan, ...],
    database: DatabasePlan,
    ctx: PlanContext,
) -> RagPlan:
    operator = release(ctx.catalog, ctx.place.train, "cloudnative-pg").namespace
    spaces = tuple(dict.fromkeys(each.namespace for each in collections))
    watched = () if "metrics" in ctx.place.cluster.provides else (METRICS_NAMESPACE,)
    ctx.namespace(
        NamespaceRequest(
            spec.identity,
            ctx.part,
            "Vectors of documents",
            ingress_from=(operator, *watched, *spaces),
            egress=("dns", "namespace", "api"),
            holds_data=True,
        )
    )
    for space in spaces:
        out = ((spec.identity, POSTGRES_PORT),)
        ctx.namespace(NamespaceRequest(space, ctx.part, "Readers of vectors", egress_to=out))
    plan = _plan(
        spec,
        "pgvector",
        f"{spec.identity}-rw.{spec.identity}.svc:{POSTGRES_PORT}",
        model,
        dimension,
        data_class,
        collections,
        database,
    )
    _note(plan, ctx)
    return plan


def _given(
    spec: RagSpec,
    model: ModelOffer,
    dimension: int,
    data_class: str,
    collections: tuple[CollectionPlan, ...],
    ctx: PlanContext,
) -> RagPlan:
    """A store of the site: nothing is made but what tells tenants where it is."""
    url = urlsplit(ctx.place.cluster.provides["milvus"].url or MILVUS)
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    words = host.split(".")
    inside = words[1] if len(words) > 2 and words[2] == "svc" else ""
    for space in dict.fromkeys(each.namespace for each in collections):
        request = NamespaceRequest(space, ctx.part, "Readers of vectors", egress_to=((inside, port),) if inside else ())
        if not inside:
            out = PodEgress(f"{spec.identity}-milvus", (), ports=(port,))
            request = NamespaceRequest(space, ctx.part, "Readers of vectors", pod_egress=(out,))
        ctx.namespace(request)
    says = f"The Milvus of {ctx.place.site} holds a collection and a role for each of: "
    says += ", ".join(each.role for each in collections) + ". Its authorization is on, and its backups are the site's."
    ctx.offer(OperatorNote(ctx.part, "before", says))
    return _plan(spec, "milvus", f"{host}:{port}", model, dimension, data_class, collections, None)


def _plan(
    spec: RagSpec,
    engine: str,
    address: str,
    model: ModelOffer,
    dimension: int,
    data_class: str,
    collections: tuple[CollectionPlan, ...],
    database: DatabasePlan | None,
) -> RagPlan:
    return RagPlan(
        identity=spec.identity,
        namespace=spec.identity,
        engine=engine,
        address=address,
        model=model.model,
        dimension=dimension,
        number=spec.number,
        links=spec.links,
        data_class=data_class,
        collections=collections,
        database=database,
    )


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
