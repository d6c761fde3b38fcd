"""From a demand to replicas: asks the sizing kernel, records its steps as decisions, and its refusals as problems."""

from __future__ import annotations

import math

from msgspec import Struct

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.catalog import Row
from aifactory.components.counting import counted
from aifactory.components.demand import ModelDemand
from aifactory.components.offers import PoolCard
from aifactory.components.problems import Path
from aifactory.components.serving import embedders
from aifactory.components.serving.decided import Layout, OffloadPlan, WeightsPlan
from aifactory.components.serving.engine import Start
from aifactory.components.serving.spec import ServingSpec, StoredWeights
from aifactory.components.sizing.card import Card
from aifactory.components.sizing.card import card as card_facts
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.embedding import batch_tokens
from aifactory.components.sizing.found import Refusal
from aifactory.components.sizing.geometry import Geometry, geometry_of
from aifactory.components.sizing.known import Known, known
from aifactory.components.sizing.memory import weights_gib
from aifactory.components.sizing.options import Options
from aifactory.components.sizing.size import Sizing, size
from aifactory.components.tracing import SpanSink

RULE_OF = {
    "memory": "SRV-002",
    "itl": "SRV-003",
    "ttft": "SRV-004",
    "precision": "SRV-005",
    "heads": "SRV-006",
    "unknown": "SRV-021",
    "adapters": "SRV-027",
}
FIELD_OF: dict[str, Path] = {
    "memory": ("pool",),
    "itl": ("itl_ms",),
    "ttft": ("ttft_ms",),
    "precision": ("precision",),
    "heads": ("parallelism",),
    "unknown": ("pool",),
    "adapters": ("lora",),
}
"""Where the reader can change it: at the part, or at the demand for latencies."""

OF_DEMAND = ("itl", "ttft")
DECIDED_BEFORE = {"memory": ("precision",), "sequences": ("kv_cache", "longest_tokens")}
"""Decisions of the part that links of the kernel's chain rest on."""
ONLINE = {("bf16", "fp8"): "fp8"}
"""What the engine can make of stored weights while it loads them, by its name for it."""
SHORTEST_ANSWER_S = 60
MOST_NODES_A_REPLICA = 8
"""Beyond it a pipeline spends its time on handing over, and no measurement supports an estimate."""


class Sized(Struct, frozen=True):
    """Replicas of one model on one card."""

    layout: Layout
    precision: str
    replicas: int
    """With the spare one."""
    needed: int
    at_mean: int
    concurrency: int
    longest_tokens: int
    stored_as: str
    stored_gib: float
    """What a start reads. Unit: GiB."""
    peak_per_s: float
    """Calls of the model at peak, agents and growth included."""
    answer_s: int
    """Longest time of one answer. Unit: s."""
    kv_dtype: str
    quantization: str
    memory_share: float
    """Of the GPU memory, that the engine takes."""
    batch_tokens: int
    """Tokens that a step of an embedding model reads, 0 for models that write text."""
    shape: Geometry


def sized(spec: ServingSpec, demand: ModelDemand, index: int, on: PoolCard, ctx: PlanContext) -> Sized | None:
    """Size the replicas; None after a problem."""
    row = ctx.catalog.row("weights", spec.model)
    shape = geometry_of(row, ctx.catalog)
    if not embedders.suits(spec, demand, index, shape, ctx):
        return None
    precision = _precision(spec, row, ctx)
    longest = _longest(demand, index, shape, ctx)
    if precision is None or longest is None:
        return None
    mean, peak = demand.rate
    asked = Demand(
        mean_per_s=mean,
        peak_per_s=peak,
        input_tokens=demand.input_tokens,
        output_tokens=demand.output_tokens,
        itl_ms=demand.itl_ms,
        ttft_ms=demand.ttft_ms or 0.0,
        agentic_factor=demand.agentic_factor,
        growth_percent=demand.growth_percent,
        prefix_hit_percent=demand.prefix_hit_percent,
    )
    accelerator = ctx.catalog.row("accelerators", on.accelerator)
    fixed = known(ctx.catalog)
    facts = card_facts(accelerator)
    kept = "bf16" if shape.encoder else _kept_in(spec, facts, ctx)
    found = size(asked, shape, facts, _options(spec, precision, kept, longest, on, shape), fixed)
    if isinstance(found, Refusal):
        _refuse(found, spec, index, on, ctx)
        return None
    replicas = _replicas(spec, found, ctx)
    _record(found, spec, index, [row, accelerator], ctx)
    _judge(found, spec, on, ctx)
    return None if replicas is None else _sized(spec, asked, row, shape, longest, found, replicas, fixed)


def _kept_in(spec: ServingSpec, card: Card, ctx: PlanContext) -> str:
    """Format of keys and values: 16 bits unless somebody asks for less, as with weights."""
    kept = spec.kv_cache or "bf16"
    if kept == "bf16":
        reason = "as written" if spec.kv_cache else "as the model computes: nothing is lost that nobody asked to lose"
        other = Rejected("fp8", "twice the requests in the same memory; without scales in the weights less exact")
    else:
        reason = "as written; twice the requests in the same memory. Weights without scales for keys and values make "
        reason += "the engine take 1.0: compare answers before you rely on it"
        other = Rejected("bf16", "half the requests in the same memory")
        if card.computes_in("fp8") != "fp8":
            reason += f". {card.key} has no fp8, so each step unpacks them"
    return ctx.decide("kv_cache", kept, reason, rejected=[other], source=("kv_cache",) if spec.kv_cache else ())


def _options(spec: ServingSpec, precision: str, kept: str, longest: int, on: PoolCard, shape: Geometry) -> Options:
    cut = spec.parallelism
    spans = on.several_join and not shape.dimension
    return Options(
        precision=precision,
        kv_bytes=1 if kept == "fp8" else 2,
        max_model_len=longest,
        gpus_per_node=on.gpus_per_node,
        nodes_at_most_per_replica=min(MOST_NODES_A_REPLICA, on.nodes_at_most) if spans else 1,
        lora_adapters=len(spec.lora.adapters) if spec.lora else 0,
        lora_rank=spec.lora.max_rank if spec.lora else 0,
        tensor=cut.tensor if cut else 0,
        pipeline=cut.pipeline if cut else 0,
        redundancy=spec.redundancy,
    )


def _precision(spec: ServingSpec, row: Row, ctx: PlanContext) -> str | None:
    """Format in GPU memory: as stored, unless the blueprint says otherwise and the engine can make it."""
    stored = stored_as(spec, row)
    known = ctx.check(
        "SRV-015",
        bool(stored),
        f"no source states how the weights of {spec.model} are stored",
        ("model",),
        "say stored_as: bf16, fp8, fp4 or mxfp4, as config.json of the weights says",
    )
    if not known:
        return None
    wanted = spec.precision or stored
    possible = wanted == stored or (stored, wanted) in ONLINE
    held = ctx.check(
        "SRV-015",
        possible,
        f"{spec.model} is stored as {stored} and wanted as {wanted}, which the engine doesn't make while it loads",
        ("precision",) if spec.precision else ("stored_as",),
        f"name weights that are stored as {wanted} with stored_as: {wanted}, or leave precision out",
    )
    if not held:
        return None
    reason = "as stored: nothing is lost that nobody asked to lose"
    if wanted != stored:
        reason = f"as written; the engine makes it of {stored} at each start, somewhat less exact than weights that "
        reason += "were calibrated"
    elif spec.precision:
        reason = "as written, and as stored"
    ctx.decide(
        "precision", wanted, reason, facts=[row.ref], source=("precision",) if spec.precision else ("stored_as",)
    )
    return wanted


def stored_as(spec: ServingSpec, row: Row) -> str:
    """Format of the weights where they come from; empty when nobody states it."""
    published = row.value("stored_as")
    return spec.stored_as or (published if isinstance(published, str) else "")


def _longest(demand: ModelDemand, index: int, shape: Geometry, ctx: PlanContext) -> int | None:
    """Longest prompt and answer together that the engine takes."""
    mean, most = demand.input_tokens + demand.output_tokens, shape.max_position
    asked = demand.longest_tokens or mean
    field = "longest_tokens" if demand.longest_tokens else "input_tokens"
    held = ctx.check(
        "SRV-014",
        not most or asked <= most,
        f"requests of {asked} tokens; {demand.name} reads {most} at most",
        ("demand", "models", index, field),
        f"lower it to {most}, or serve a model that reads more",
        "factory",
    )
    if not held:
        return None
    longest = min(demand.longest, most) if most else demand.longest
    return ctx.decide(
        "longest_tokens",
        longest,
        "as written"
        if demand.longest_tokens
        else f"four times the mean request of {mean}, at most what the model reads",
        source=("demand", "models", index, field),
        document="factory",
    )


def _refuse(found: Refusal, spec: ServingSpec, index: int, on: PoolCard, ctx: PlanContext) -> None:
    field = FIELD_OF[found.kind]
    of_demand = found.kind in OF_DEMAND
    if found.kind == "precision" and spec.precision is None:
        field = ("stored_as",) if spec.stored_as else ("pool",)
    ctx.check(
        RULE_OF[found.kind],
        False,
        f"{spec.model} on {on.accelerator}: {found.says}",
        ("demand", "models", index, *field) if of_demand else field,
        found.fix,
        "factory" if of_demand else "blueprint",
    )


def _record(found: Sizing, spec: ServingSpec, index: int, rows: list[Row], ctx: PlanContext) -> None:
    """The kernel's steps as decisions of the part, from requests to GPUs, with a number that was written instead."""
    written = _written(spec, found)
    for step in found.steps:
        value, reason = step.value, step.reason
        source: Path = () if step.because else ("demand", "models", index)
        if step.key == "layout" and spec.parallelism:
            source = ("parallelism",)
        if step.key in written:
            value, words = written[step.key]
            reason, source = f"{words}; by the demand: {reason}", ("replicas",)
        ctx.decide(
            step.key,
            value,
            reason,
            rejected=[Rejected(what, why) for what, why in found.rejected] if step.key == "layout" else [],
            facts=step.facts or ([row.ref for row in rows] if step.key == "layout" else []),
            because=[f"{ctx.part}.{key}" for key in (*step.because, *DECIDED_BEFORE.get(step.key, ()))],
            source=source,
            document="blueprint" if step.key in written or source == ("parallelism",) else "factory",
        )
    for rule in RULE_OF.values():
        ctx.check(rule, True, "")


def _written(spec: ServingSpec, found: Sizing) -> dict[str, tuple[int, str]]:
    """Values that follow from a number of replicas in the blueprint, by step, and why."""
    if spec.replicas == "demand":
        return {}
    many = counted(spec.replicas, "replica")
    return {
        "replicas": (spec.replicas, "as written"),
        "gpus": (spec.replicas * found.gpus_per_replica, f"{many} of {found.gpus_per_replica} as written"),
    }


def _judge(found: Sizing, spec: ServingSpec, on: PoolCard, ctx: PlanContext) -> None:
    """What a reader should know of a size that holds."""
    slow = f"; as slow as that allows it would take {found.gpus_at_slow_end} GPUs instead of {found.gpus}"
    ctx.check(
        "SRV-011",
        not found.evidence,
        f"the speed of {spec.model} on {on.accelerator} is estimated outside of its evidence: "
        + "; ".join(found.evidence)
        + (slow if found.gpus_at_slow_end > found.gpus else ""),
        (),
        "run the benchmark on one replica before buying the rest",
    )
    ctx.check(
        "SRV-018",
        spec.redundancy != "none",
        f"{spec.name} has no spare replica: whoever it serves waits while one loads",
        ("redundancy",),
        "accept it, as the site has one node; redundancy replica spares a restart alone, and takes more GPUs"
        if ctx.place.is_one_node
        else "set redundancy to replica or node",
    )


def _replicas(spec: ServingSpec, found: Sizing, ctx: PlanContext) -> int | None:
    if spec.replicas == "demand":
        return found.replicas
    held = ctx.check(
        "SRV-019",
        spec.replicas >= found.replicas,
        f"{counted(spec.replicas, 'replica')}; the demand needs {found.replicas_needed}, and {found.replicas} with "
        f"redundancy {spec.redundancy}",
        ("replicas",),
        f"set replicas to {found.replicas} or more, or to demand",
    )
    return spec.replicas if held else None


def _sized(
    spec: ServingSpec,
    demand: Demand,
    row: Row,
    shape: Geometry,
    longest: int,
    found: Sizing,
    replicas: int,
    fixed: Known,
) -> Sized:
    stored = stored_as(spec, row)
    # At the slow end, after the shortest prompt: a time limit that cuts an answer off wastes all of its GPU time.
    answer_s = (longest * max(demand.itl_ms, found.slow_itl_ms) + found.ttft_unloaded_ms) / 1_000
    return Sized(
        layout=Layout(
            found.tensor,
            found.pipeline,
            found.data,
            found.expert_parallel,
            found.gpus_per_replica,
            found.nodes_per_replica,
        ),
        precision=found.precision,
        replicas=replicas,
        needed=found.replicas_needed,
        at_mean=found.replicas_at_mean,
        concurrency=found.batch,
        longest_tokens=longest,
        stored_as=stored,
        stored_gib=weights_gib(shape, stored),
        memory_share=fixed.memory.share,
        peak_per_s=round(demand.peak_calls, 3),
        answer_s=max(SHORTEST_ANSWER_S, math.ceil(answer_s)),
        kv_dtype="fp8" if found.kv_bytes == 1 else "auto",
        quantization=ONLINE.get((stored, found.precision), "") if stored != found.precision else "",
        batch_tokens=batch_tokens(found.batch, demand.input_tokens, longest) if shape.dimension else 0,
        shape=shape,
    )


def start_of(
    spec: ServingSpec, sized: Sized, kept: WeightsPlan, offload: OffloadPlan | None, spans: SpanSink | None
) -> Start:
    """How the engine is started for these replicas."""
    return Start(
        model=spec.model,
        path=kept.path,
        layout=sized.layout,
        longest_tokens=sized.longest_tokens,
        concurrency=sized.concurrency,
        memory_share=sized.memory_share,
        kv_dtype=sized.kv_dtype,
        quantization=sized.quantization,
        streamed=isinstance(spec.weights, StoredWeights),
        answer_s=sized.answer_s,
        lora=spec.lora,
        cache=spec.cache,
        ready_s=kept.load_s,
        batch_tokens=sized.batch_tokens,
        encoder=sized.shape.encoder,
        offload=offload,
        spans=spans,
    )
