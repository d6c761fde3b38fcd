"""Which engine holds the vectors, and how long they are."""

from __future__ import annotations

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.offers import ModelOffer
from aifactory.components.problems import nearest
from aifactory.components.rag.arithmetic import MOST_DIMENSIONS, TYPES, index_bytes_per_vector
from aifactory.components.rag.spec import RagSpec

PGVECTOR_MOST = 10_000_000
"""Vectors below which one PostgreSQL is the simplest that does. Source: decision 0022."""
CLUSTER_FROM = 100_000_000
"""Vectors above which Milvus needs its cluster mode: queues, and nodes for each of its tasks. Source: decision 0022."""
SINGLE_IS = "32 bits say no more than the 16 that models compute in"


def engine_of(spec: RagSpec, ctx: PlanContext) -> str | None:
    """The engine by the number of vectors; None after a problem."""
    given = ctx.place.cluster.provides.get("milvus")
    many = spec.vectors >= PGVECTOR_MOST
    wanted = spec.engine or ("milvus" if many else "pgvector")
    mode = "cluster mode" if spec.vectors > CLUSTER_FROM else "standalone"
    found = f"{spec.vectors:,} vectors"
    held = ctx.check(
        "RAG-001",
        not (wanted == "pgvector" and many),
        f"{found}, and pgvector is for fewer than {PGVECTOR_MOST:,}",
        ("engine",),
        f"delete engine, and let {ctx.place.site} give a Milvus in {mode}; or keep fewer vectors",
    ) and ctx.check(
        "RAG-001",
        wanted != "milvus" or given is not None,
        f"{found} want Milvus in {mode}, and {ctx.place.site} gives none",
        ("engine",) if spec.engine else ("collections",),
        (
            "no release of ours makes one, and nobody gives one to a cluster that the base makes"
            if ctx.place.venue_facts.makes_cluster
            else "install it there and write cluster.provides.milvus: {version: ..., url: ...}; no release of ours "
            "makes one"
        )
        + ("" if many else ", or set engine to pgvector")
        + (f"; or keep fewer than {PGVECTOR_MOST:,} vectors, or give each of two sites a part of them" if many else ""),
    )
    if not held:
        return None
    pg, milvus = ("pgvector", "one database, its backups and its roles"), ("milvus", f"{mode}, given by the site")
    chosen, other = (pg, milvus) if wanted == "pgvector" else (milvus, pg)
    why = f"below {PGVECTOR_MOST:,}" if not many else f"{PGVECTOR_MOST:,} or more"
    ctx.decide(
        "engine",
        wanted,
        f"{'as written; ' if spec.engine else ''}{found}, {why}: {chosen[1]}",
        rejected=[
            Rejected(
                other[0],
                f"its index of {found} outgrows the memory of one node"
                if many
                else "etcd, a queue and an object store to run, for what one index in memory answers",
            ),
            Rejected("qdrant", "a third way to keep, save and secure the same vectors, and no release of ours"),
        ],
        source=("engine",) if spec.engine else ("collections",),
    )
    return wanted


def embedder_of(spec: RagSpec, ctx: PlanContext) -> ModelOffer | None:
    """The model that makes the vectors; None after a problem."""
    known = {offer.part: offer for offer in ctx.offers(ModelOffer)}
    found = known.get(spec.embedder)
    if found is None and ctx.has_refused(spec.embedder):
        return None
    embedders = [part for part, offer in known.items() if offer.dimension]
    says = f"{spec.embedder} serves {found.model}, which writes text" if found else f'no part "{spec.embedder}" serves'
    held = ctx.check(
        "RAG-002",
        found is not None and found.dimension > 0,
        says,
        ("embedder",),
        nearest(spec.embedder, embedders)
        if embedders
        else "add a serving part with an embedding model, such as bge-m3, and its demand with task: embed",
    )
    return found if held else None


def dimension_of(spec: RagSpec, model: ModelOffer, engine: str, ctx: PlanContext) -> int | None:
    """Numbers of a vector that are kept; None after a problem."""
    wanted, least = spec.dimension or model.dimension, model.least_dimension or model.dimension
    shorter = f"{least} to {model.dimension}" if least < model.dimension else f"{model.dimension} alone"
    held = ctx.check(
        "RAG-003",
        least <= wanted <= model.dimension,
        f"vectors of {wanted} numbers; {model.model} makes {model.dimension}, of which {shorter} can be used",
        ("dimension",),
        f"set dimension to {min(max(wanted, least), model.dimension)}",
    )
    if not held:
        return None
    most = MOST_DIMENSIONS[spec.number]
    fits = ctx.check(
        "RAG-003",
        engine != "pgvector" or wanted <= most,
        f"vectors of {wanted} numbers in {TYPES[spec.number]}, and an index of pgvector takes {most}",
        ("dimension",) if spec.dimension else ("number",) if wanted <= MOST_DIMENSIONS["half"] else ("embedder",),
        "set number to half"
        if wanted <= MOST_DIMENSIONS["half"]
        else f"set dimension to {most} or less"
        if least <= most
        else "use a model with shorter vectors",
    )
    if not fits:
        return None
    ctx.decide(
        "dimension",
        wanted,
        f"as written, of {model.dimension} that {model.model} makes"
        if spec.dimension
        else f"all that {model.model} makes",
        source=("dimension",) if spec.dimension else ("embedder",),
    )
    if engine == "pgvector":
        _number(spec, wanted, ctx)
    return wanted


def _number(spec: RagSpec, dimension: int, ctx: PlanContext) -> None:
    other = "single" if spec.number == "half" else "half"
    takes = {number: index_bytes_per_vector(dimension, number, spec.links) for number in ("half", "single")}
    ctx.decide(
        "number",
        TYPES[spec.number],
        f"{takes[spec.number]:.0f} bytes of index pages for a vector: "
        + (SINGLE_IS if spec.number == "half" else "as written"),
        rejected=[Rejected(TYPES[other], f"{takes[other]:.0f} bytes of index pages for a vector")],
        source=("number",),
    )
