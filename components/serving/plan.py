"""Decides a served model: how a replica is cut, how many there are, and everything around them."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from aifactory.components import names, pods
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.capabilities import METRICS_NAMESPACE, NamespaceRequest
from aifactory.components.catalog.trains import release
from aifactory.components.demand import ModelDemand
from aifactory.components.offers import FabricOffer, GpuDemand, ModelOffer, PodPromise, PoolOffer, StorageUse
from aifactory.components.outside import service_namespace
from aifactory.components.pods import PodContract, Volume
from aifactory.components.rules import Rule
from aifactory.components.serving import (
    around,
    engine,
    flags,
    offload,
    operating,
    reaching,
    replicas,
    routing,
    rules,
    scaling,
    weights,
)
from aifactory.components.serving.around import Host
from aifactory.components.serving.benchmark import benchmark_of
from aifactory.components.serving.decided import (
    IMAGE_S,
    KSERVE_API,
    POOL_API,
    BenchmarkPlan,
    Layout,
    OffloadPlan,
    ScalingPlan,
    ServingPlan,
    WeightsPlan,
    service_of,
)
from aifactory.components.serving.programs import benchmark_program, programs_of, tokenizer_folder, tokenizer_program
from aifactory.components.serving.replicas import Sized
from aifactory.components.serving.spec import ServingSpec, StoredWeights
from aifactory.components.tracing import GRPC, span_sink

RULES: tuple[Rule, ...] = rules.RULES

FIRST_OF_GROUP = "leaderworkerset.sigs.k8s.io/worker-index"
"""Label that LeaderWorkerSet puts on each pod: its number in the group."""
CACHE_GIB = 20
"""Room for kernels that the engine compiles, and for logs of the libraries below it."""


class Draft(Struct, frozen=True):
    """A model once its replicas are sized."""

    spec: ServingSpec
    index: int
    """Place of its demand in `demand.models`."""
    demand: ModelDemand
    sized: Sized


def resolve(spec: ServingSpec, ctx: PlanContext) -> Draft | None:
    """Size the replicas from the demand and the card, and tell pool and queue how many GPUs that makes."""
    asked = ctx.demand_of(spec.model)
    known = ctx.check(
        "SRV-001",
        asked is not None,
        f"nothing says how much {spec.model} must carry",
        ("model",),
        f"add demand.models: [{{name: {spec.model}, requests_per_s: {{mean: ..., peak: ...}}, input_tokens: ..., "
        "output_tokens: ..., itl_ms: ...}]",
    )
    card = around.card_of(spec, ctx)
    if not known or asked is None or card is None or not around.allowed_here(*asked, ctx):
        return None
    index, demand = asked
    sized = replicas.sized(spec, demand, index, card, ctx)
    if sized is None or not _stack_spans(spec, sized, ctx):
        return None
    _require(spec, sized, ctx)
    ctx.offer(_gpus(spec, sized))
    return Draft(spec, index, demand, sized)


def _stack_spans(spec: ServingSpec, sized: Sized, ctx: PlanContext) -> bool:
    nodes = sized.layout.nodes
    return ctx.check(
        "SRV-010",
        nodes == 1 or spec.stack == "llm-d",
        f"a replica of {spec.model} spans {nodes} nodes, which stack kserve doesn't start",
        ("stack",),
        "set stack to llm-d",
    )


def _require(spec: ServingSpec, sized: Sized, ctx: PlanContext) -> None:
    ctx.require("metrics", f"queue, KV use and latency of {spec.model}")
    if spec.autoscaling.enabled:
        ctx.require("keda", "replicas follow queue and KV use")
    if sized.layout.nodes > 1:
        ctx.require("lws", "starts and restarts the pods of a replica together")
    if spec.stack == "kserve":
        ctx.require("kserve", f"runs {spec.model} as an InferenceService")
    else:
        ctx.require("inference-extension", f"the pool of replicas of {spec.model} that a router picks from")


def _gpus(spec: ServingSpec, sized: Sized) -> GpuDemand:
    return GpuDemand(
        part=spec.name,
        pool=spec.pool,
        tenant=spec.tenant or "",
        replicas=sized.replicas,
        replicas_needed=sized.needed,
        gpus_per_replica=sized.layout.gpus,
        nodes_per_replica=sized.layout.nodes,
        spare_node=spec.redundancy == "node",
    )


def size(draft: Draft, ctx: PlanContext) -> ServingPlan | None:
    """Pods, weights, scaling and routing, once the pool has its nodes."""
    spec, sized = draft.spec, draft.sized
    host = around.host_of(spec, ctx)
    found = around.pool_of(spec, sized.layout.nodes, ctx)
    if host is None or found is None or not _is_alone(spec, host, ctx):
        return None
    pool, fabric = found
    if not around.fits(_gpus(spec, sized), host, pool, ctx):
        return None
    row = ctx.catalog.row("weights", spec.model)
    kept = weights.weights_of(spec, row, sized, ctx)
    if kept is None:
        return None
    held, scaled = scaling.scaling_of(spec, host.namespace, sized, ctx)
    if not held:
        return None
    contract = _contract(sized, pool, fabric, ctx)
    floor = scaled.floor if scaled else sized.needed
    sound, offloaded = offload.offload_of(spec, draft.demand, sized, floor, contract, pool, ctx)
    if not sound:
        return None
    plan = _plan(draft, host, kept, contract, pool, ctx, scaled, offloaded)
    reaching.judge(plan, ctx)
    _around_it(plan, sized.answer_s, fabric, ctx)
    ctx.offer(_use(spec, plan))
    return plan


def settle(plan: ServingPlan, ctx: PlanContext) -> ServingPlan | None:
    """Judge the room of a node for volumes of all models, once all of them are known."""
    return plan if offload.room(ctx) else None


def _is_alone(spec: ServingSpec, host: Host, ctx: PlanContext) -> bool:
    other = next(
        (each for each in ctx.offers(ModelOffer) if (each.namespace, each.model) == (host.namespace, spec.model)), None
    )
    return ctx.check(
        "SRV-020",
        other is None,
        f"part {other.part if other else ''} serves {spec.model} in namespace {host.namespace} already",
        ("model",),
        "make one part of both, or let them run for two tenants",
    )


def _contract(sized: Sized, pool: PoolOffer, fabric: FabricOffer | None, ctx: PlanContext) -> PodContract:
    """What each pod asks for: its GPUs with their share of the node."""
    contract = pods.contract(pool, fabric, sized.layout.gpus // sized.layout.nodes)
    ctx.decide(
        "pod.requests",
        dict(contract.requests),
        f"{contract.gpus} of {pool.gpus_per_node} GPUs of a node with the same part of its CPUs and memory",
        because=[f"{ctx.part}.layout", f"{pool.part}.reserve"],
    )
    ctx.decide(
        "pod.networks",
        contract.networks,
        "one interface a rail: layers of one replica talk over the fabric"
        if fabric
        else "the pod network alone: a replica lies in one node, where GPUs talk over NVLink or PCIe",
        because=[f"{ctx.part}.layout", *([f"{fabric.part}.rails"] if fabric else [])],
    )
    return contract


def _plan(
    draft: Draft,
    host: Host,
    kept: WeightsPlan,
    contract: PodContract,
    pool: PoolOffer,
    ctx: PlanContext,
    scaled: ScalingPlan | None,
    offloaded: OffloadPlan | None,
) -> ServingPlan:
    spec, sized = draft.spec, draft.sized
    image = _image(spec, ctx)
    spans = span_sink(ctx)
    start = replicas.start_of(spec, sized, kept, offloaded, spans)
    programs = programs_of(spec, start, kept, image, sized.answer_s)
    flags.explain(programs[0].args, ctx, vectors=sized.shape.dimension > 0)
    _spread(spec, pool, ctx)
    return ServingPlan(
        identity=spec.identity,
        model=spec.model,
        stack=spec.stack,
        namespace=host.namespace,
        tenant=host.tenant,
        data_class=draft.demand.data_class or "",
        selector=_selector(spec, sized.layout),
        replicas=sized.replicas,
        layout=sized.layout,
        contract=contract,
        programs=programs,
        volumes=_volumes(spec, kept),
        claim_template=f"{spec.identity}-gpus" if contract.device_class else "",
        weights=kept,
        port=engine.PORT,
        grace_s=sized.answer_s + engine.DRAIN_S + engine.STOP_S,
        priority_class=host.priority_class,
        racks=len({(rack.block, rack.rack) for rack in pool.racks}),
        pull_secrets=tuple(spec.pull_secrets),
        scaling=scaled,
        router=routing.router_of(spec, ctx),
        benchmark=_benchmark(draft, host, kept, ctx),
        benchmark_program=benchmark_program(spec, image),
        benchmark_first=tokenizer_program(spec, kept, image),
        ready_s=min(28_800, (kept.load_s + IMAGE_S) * (sized.replicas + 1)),
        concurrency=sized.concurrency,
        task=draft.demand.task,
        dimension=sized.shape.dimension,
        least_dimension=sized.shape.least_dimension,
        spans=spans,
        offload=offloaded,
    )


def _benchmark(draft: Draft, host: Host, kept: WeightsPlan, ctx: PlanContext) -> BenchmarkPlan:
    spec = draft.spec
    service, port = service_of(spec.stack, spec.identity, engine.PORT)
    address = f"http://{service}.{host.namespace}.svc:{port}"
    tokenizer = tokenizer_folder(spec.cache) if isinstance(spec.weights, StoredWeights) else kept.path
    return benchmark_of(spec, draft.demand, address, tokenizer, draft.sized.peak_per_s, ctx)


def _volumes(spec: ServingSpec, kept: WeightsPlan) -> tuple[Volume, ...]:
    own = (kept.volume,) if kept.volume else ()
    return (*own, Volume("cache", "", spec.cache, scratch_gib=CACHE_GIB))


def _image(spec: ServingSpec, ctx: PlanContext) -> str:
    row = ctx.catalog.row("engines", spec.engine)
    known = f"{row.text('image')}:{row.text('tag')}"
    return ctx.decide(
        "image",
        spec.image or known,
        "as written; its flags must be those of the catalog's version"
        if spec.image
        else f"{spec.engine} {row.text('version')}, whose flags and metrics the catalog lists",
        facts=[row.ref],
        source=("image",),
    )


def _spread(spec: ServingSpec, pool: PoolOffer, ctx: PlanContext) -> None:
    racks = len(pool.racks)
    ctx.decide(
        "spread",
        ["rack", "node"] if racks > 1 else ["node"],
        f"over {racks} racks and their nodes, as evenly as there is room"
        if racks > 1
        else "over nodes: the pool lies in one rack",
        rejected=[
            Rejected("required", "after the loss of a rack, pods would wait for it instead of starting in the other"),
        ],
        because=[f"{pool.part}.racks"],
    )
    ctx.decide(
        "rollout",
        {"surge": 0, "unavailable": 1},
        "one replica after the other makes room for its successor: no GPUs lie idle for an upgrade, and "
        + ("whoever it serves waits" if spec.redundancy == "none" else "the spare one carries its share")
        + ". `kubectl rollout undo` goes back to the last of three revisions",
        rejected=[Rejected("surge", "a second set of GPUs that only upgrades use")],
        because=[f"{ctx.part}.replicas"],
        source=("redundancy",),
    )


def _selector(spec: ServingSpec, layout: Layout) -> tuple[tuple[str, str], ...]:
    """Labels of the pods that answer requests, and of no others: of a group only the first does."""
    own = ((names.SERVING_LABEL, spec.identity), (names.MODEL_LABEL, spec.model))
    return (*own, (FIRST_OF_GROUP, "0")) if layout.nodes > 1 else own


def _scrapers(ctx: PlanContext) -> tuple[str, ...]:
    """Namespace whose Prometheus reads metrics: ours, or the one in the address that the site gives."""
    given = ctx.place.cluster.provides.get("metrics")
    if given is None:
        return (METRICS_NAMESPACE,)
    found = service_namespace((given.url or "").partition("://")[2].partition("/")[0].partition(":")[0])
    return (found,) if found else ()


def _around_it(plan: ServingPlan, answer_s: int, fabric: FabricOffer | None, ctx: PlanContext) -> None:
    """Namespace, promise of pods and offer to whoever routes to it."""
    ctx.namespace(
        NamespaceRequest(
            name=plan.namespace,
            part=ctx.part,
            purpose=f"Servers of {plan.model}",
            pod_security="privileged" if plan.contract.ipc_lock else "restricted",
            tenant=plan.tenant,
            ingress_from=_scrapers(ctx),
            egress_to=((plan.spans.namespace, GRPC),) if plan.spans else (),
            pod_egress=tuple(reaching.out(plan)),
        )
    )
    if plan.scaling and "metrics" not in ctx.place.cluster.provides:
        asks = "KEDA asks Prometheus"
        keda = release(ctx.catalog, ctx.place.train, "keda").namespace
        ctx.namespace(NamespaceRequest(name=METRICS_NAMESPACE, part=ctx.part, purpose=asks, ingress_from=(keda,)))
    if fabric:
        ctx.read_settings(fabric.part, plan.namespace)
    for note in operating.notes(ctx.part, plan):
        ctx.offer(note)
    ctx.offer(_promise(ctx.part, plan))
    ctx.offer(_offer(plan, answer_s, ctx.part))


def _offer(plan: ServingPlan, answer_s: int, part: str) -> ModelOffer:
    """What whoever routes to it, or keeps its vectors, is told."""
    kserve = plan.stack == "kserve"
    service, port = plan.service
    api, kind = (KSERVE_API, "InferenceService") if kserve else (POOL_API, "InferencePool")
    return ModelOffer(
        part=part,
        model=plan.model,
        namespace=plan.namespace,
        backend="Service" if kserve else "InferencePool",
        backend_name=service,
        port=port,
        pod_labels=plan.selector,
        tenant=plan.tenant,
        data_class=plan.data_class,
        longest_s=answer_s,
        task=plan.task,
        dimension=plan.dimension,
        least_dimension=plan.least_dimension,
        row=names.object_id(api, kind, plan.namespace, plan.identity),
    )


def _promise(part: str, plan: ServingPlan) -> PodPromise:
    return PodPromise(
        part=part,
        name=plan.identity,
        namespace=plan.namespace,
        count=plan.replicas * plan.layout.nodes,
        requests=plan.contract.requests,
        node_selector=plan.contract.node_selector,
        tolerations=plan.contract.tolerations,
    )


def _use(spec: ServingSpec, plan: ServingPlan) -> StorageUse:
    """What replicas read of a volume: each node at the rate that its start limit counts on, all at once, as
    they do when the power comes back."""
    fetch, volume = plan.weights.fetch, plan.weights.volume
    starting = plan.scaling.ceiling if plan.scaling else plan.replicas
    rate = starting * plan.layout.nodes * spec.load_mb_per_s / 1_000
    use = StorageUse(spec.name, plan.gpus, pool=spec.pool, namespace=plan.namespace, account=plan.identity)
    if fetch:
        kept = replace(use, keeps="weights", read_gb_per_s=rate)
        return replace(kept, storage_class=fetch.storage_class, size_gib=fetch.size_gib, makes=fetch.claim)
    if volume and volume.claim:
        return replace(use, keeps="weights", read_gb_per_s=rate, claim=volume.claim)
    return use


__all__ = ["RULES", "Layout", "resolve", "settle", "size"]
