"""What is there to be watched: models, pools, queues and doors of the site, and the programs that export metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from aifactory.components.base import PlanContext
from aifactory.components.capabilities import METRICS_NAMESPACE
from aifactory.components.catalog import Catalog
from aifactory.components.catalog.trains import provider
from aifactory.components.observability import measuring
from aifactory.components.observability.decided import (
    Watched,
    WatchedBounds,
    WatchedDatabase,
    WatchedModel,
    WatchedPool,
    WatchedQueue,
    WatchedRentedPool,
)
from aifactory.components.observability.spec import ObservabilitySpec
from aifactory.components.offers import (
    DatabaseOffer,
    EndpointOffer,
    GatewayOffer,
    ModelOffer,
    PoolOffer,
    QueueOffer,
    StorageOffer,
)

CLUSTER_QUEUE = "ClusterQueue/"
NVIDIA = "nvidia.com/"
ROOK, LOCAL = "rook-ceph", "topolvm"
"""Engines of storage tiers that export metrics."""
HISTOGRAM = ("_bucket", "_sum", "_count")
OF_PROMETHEUS = ("kube-state-metrics", "kubelet")
"""Exporters that kube-prometheus-stack runs or scrapes. Of a given Prometheus the site says whether it does."""


def watched(spec: ObservabilitySpec, ctx: PlanContext, *, collects: bool) -> Watched:
    """Every part that is there and exports something."""
    models = tuple(_model(offer, spec, ctx) for offer in ctx.offers(ModelOffer))
    pools = tuple(_pool(offer) for offer in ctx.offers(PoolOffer) if offer.gpu_resource.startswith(NVIDIA))
    queues = tuple(_queue(offer) for offer in ctx.offers(QueueOffer))
    doors = tuple(offer.gateway for offer in ctx.offers(EndpointOffer))
    counting = tuple(offer.namespace for offer in ctx.offers(GatewayOffer))  # named as its Gateway is
    there = Watched(
        models,
        pools,
        queues,
        doors,
        counting,
        ceph_fill_percent=_fill_percent(ctx),
        budgets=measuring.budgets(ctx),
        databases=tuple(_database(offer) for offer in ctx.offers(DatabaseOffer)),
        bounded=tuple(
            WatchedBounds(offer.namespace, offer.bounded_routes)
            for offer in ctx.offers(GatewayOffer)
            if offer.bounded_routes
        ),
    )
    exporters = tuple(_exporters(there, ctx, collects=collects))
    return replace(there, exporters=exporters, namespaces=_namespaces(spec, there, ctx))


def _model(offer: ModelOffer, spec: ObservabilitySpec, ctx: PlanContext) -> WatchedModel:
    asked = ctx.demand_of(offer.model)
    demand = asked[1] if asked else None
    promised = {promise.model: promise.ttft_p99_ms for promise in spec.promises}
    ttft = promised.get(offer.model, (demand.ttft_ms or 0) if demand else 0)
    at = measuring.at_door(offer, ttft, ctx)
    return WatchedModel(
        part=offer.part,
        model=offer.model,
        namespace=offer.namespace,
        tenant=offer.tenant,
        routed=offer.backend == "InferencePool",
        pool=offer.backend_name,
        itl_ms=demand.itl_ms if demand else 0,
        ttft_p99_ms=ttft,
        embeds=offer.dimension > 0,
        doors=at.doors,
        ids=at.ids,
    )


def _fill_percent(ctx: PlanContext) -> int:
    """The lowest fill limit of the tiers that lie in Ceph: they share its drives. 0 where there is none."""
    limits = [offer.fill_percent for offer in ctx.offers(StorageOffer) if offer.engine == ROOK]
    return min(limits, default=0)


def _database(offer: DatabaseOffer) -> WatchedDatabase:
    return WatchedDatabase(offer.part, offer.namespace, offer.cluster, offer.instances, offer.backs_up)


def _pool(offer: PoolOffer) -> WatchedPool:
    whole = not offer.slice_resources and not offer.device_claim
    nodes = tuple(node for rack in offer.racks for node in rack.nodes)
    resource = offer.gpu_resource if whole and offer.racks else ""  # nodes that come and go are in no rack
    rented = sum(rack.size for rack in offer.racks) - len(nodes)
    if not rented:
        return WatchedPool(offer.pool, nodes, offer.gpus_per_node, resource)
    label = offer.node_labels[0]
    return WatchedRentedPool(offer.pool, nodes, offer.gpus_per_node, resource, count=rented, label=label)


def _queue(offer: QueueOffer) -> WatchedQueue:
    names = tuple(name.removeprefix(CLUSTER_QUEUE) for name in offer.objects if name.startswith(CLUSTER_QUEUE))
    return WatchedQueue(offer.part, names)


def _exporters(there: Watched, ctx: PlanContext, *, collects: bool) -> Iterator[str]:
    yield "prometheus"
    engines = {offer.engine for offer in ctx.offers(StorageOffer)}
    given = ctx.place.cluster.provides.get("metrics")
    found = {
        "vllm": there.models,
        "llm-d-router": any(model.routed for model in there.models),
        "dcgm": there.pools,
        "kueue": there.queues,
        "envoy": there.doors,
        "ai-gateway": there.counting,
        "tenant-spend": there.budgets,
        "cnpg": there.databases,
        "ceph": ROOK in engines,
        "topolvm": LOCAL in engines,
        "cert-manager": certificates(ctx),
        **{name: given is None or name in given.features for name in OF_PROMETHEUS},
        "otel-collector": collects,
    }
    yield from (name for name, is_there in found.items() if is_there)


def series(exporters: Iterable[str], catalog: Catalog) -> tuple[str, ...]:
    """Every series that these exporters have and the catalog knows."""
    there = set(exporters)
    rows = [(row, "metric", "exporter") for row in catalog.rows("exporters.metrics")]
    rows += [(row, "series", "engine") for row in catalog.rows("engines.metrics")]
    found = {
        f"{row.text(name)}{end}"
        for row, name, of in rows
        if row.text(of) in there
        for end in (HISTOGRAM if row.text("kind") == "histogram" else ("",))
    }
    return tuple(sorted(found))


def certificates(ctx: PlanContext) -> str:
    """Namespace of cert-manager, empty where nothing needs one: ours is there where our Prometheus is."""
    provides = ctx.place.cluster.provides
    asked = {requirement.capability for requirement in ctx.site_plan.requirements}
    there = "cert-manager" in provides or "cert-manager" in asked or "metrics" not in provides
    release = provider(ctx.catalog, ctx.place.train, "cert-manager")
    return release.namespace if there and release else ""


def _namespaces(spec: ObservabilitySpec, there: Watched, ctx: PlanContext) -> tuple[str, ...]:
    """Namespaces of ours whose volumes and programs are watched: every claim of a plan lies in one of them."""
    tenants = {tenant.namespace for queue in ctx.offers(QueueOffer) for tenant in queue.tenants}
    data = {request.name for request in ctx.site_plan.namespaces if request.holds_data}
    own = {spec.identity, *(model.namespace for model in there.models), *tenants, *data}
    if "metrics" not in ctx.place.cluster.provides:
        own.add(METRICS_NAMESPACE)
    return tuple(sorted(own | {name for name in ("loki", "tempo") if _asked(name, ctx)}))


def _asked(capability: str, ctx: PlanContext) -> bool:
    return any(requirement.capability == capability for requirement in ctx.site_plan.requirements)
