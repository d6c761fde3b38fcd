"""When somebody is called: alerts for exactly the parts that are there."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.observability import databases, spending, storage
from aifactory.components.observability.alert import Alert, Group, Labels
from aifactory.components.observability.decided import (
    ObservabilityPlan,
    WatchedBounds,
    WatchedModel,
    WatchedPool,
    WatchedRentedPool,
)
from aifactory.components.observability.texts import ASKED, DOOR, alternatives, any_of, matcher, quoted
from aifactory.components.offers import BoundedRoute

DAY_S = 86_400
LISTENERS = "admin|eg-ready-http|eg-stats-http"
"""Listeners of a proxy that no client reaches. Source: envoyproxy/gateway internal/xds/bootstrap."""
FEWEST_PER_S = 0.05
"""Requests per s below which a share of errors says nothing: one of two is 50 percent."""


def groups(plan: ObservabilityPlan) -> Iterator[Group]:
    """All alerts of the site, subject by subject."""
    for model in plan.watched.models:
        yield Group(f"{plan.identity}-{model.part}", tuple(_model(model, plan)))
    for name, found in (
        ("gpus", _pools(plan)),
        ("queues", _queues(plan)),
        ("gateways", _doors(plan)),
        ("platform", _platform(plan)),
    ):
        alerts = tuple(found)
        if alerts:
            yield Group(f"{plan.identity}-{name}", alerts)
    yield from storage.groups(plan)
    yield from spending.groups(plan)
    yield from databases.groups(plan)


def _model(model: WatchedModel, plan: ObservabilityPlan) -> Iterator[Alert]:
    own = matcher(namespace=model.namespace, model_name=model.model)
    labels = (("model", model.model), *((("tenant", model.tenant),) if model.tenant else ()))
    yield from _promises(model, own, labels)
    limit = plan.limit
    yield Alert(
        "ModelRequestsWaiting",
        f"sum(vllm:num_requests_waiting{own}) > 0",
        f"{limit.waiting_minutes}m",
        "warning",
        f"Requests to {model.model} wait without a pause: more replicas are needed, or a lower rate.",
        labels,
    )
    if not model.embeds:
        yield Alert(
            "ModelCacheFull",
            f"max(vllm:kv_cache_usage_perc{own}) > {limit.kv_cache_percent / 100:g}",
            "10m",
            "warning",
            f"A replica of {model.model} uses over {limit.kv_cache_percent} percent of its KV cache: it drops requests "
            "and begins them again.",
            labels,
        )
    yield Alert(
        "ModelUnseen",
        f"absent(vllm:num_requests_running{own})",
        "15m",
        "critical",
        f"No replica of {model.model} reports: none runs, or nobody can reach their metrics.",
        labels,
    )
    if model.routed:
        ready = f"llm_d_epp_ready_endpoints{matcher(namespace=model.namespace, name=model.pool)}"
        yield Alert(
            "ModelWithoutReplicas",
            f"max({ready}) == 0",
            "2m",
            "critical",
            f"The router of {model.model} knows no replica that is ready.",
            labels,
        )


def _promises(model: WatchedModel, own: str, labels: Labels) -> Iterator[Alert]:
    if model.ttft_p99_ms:
        what = "vector" if model.embeds else "first token"
        at = "gateway" if model.doors else "engine"
        first = f"sum by (le) (rate({_first(model, own)}[5m]))"
        yield Alert(
            "ModelFirstTokenLate",
            f"histogram_quantile(0.99, {first}) > {model.ttft_p99_ms / 1000:g}",
            "10m",
            "critical",
            f"One request of 100 to {model.model} waits longer than {model.ttft_p99_ms:g} ms for its {what}, as its "
            f"{at} sees it.",
            (*labels, ("measured_at", at)),
        )
    if model.itl_ms:
        series = "vllm:inter_token_latency_seconds"
        yield Alert(
            "ModelTokensSlow",
            f"sum(rate({series}_sum{own}[5m])) / sum(rate({series}_count{own}[5m])) > {model.itl_ms / 1000:g}",
            "10m",
            "warning",
            f"The time between tokens of {model.model} is above the {model.itl_ms:g} ms of its demand.",
            labels,
        )


def _first(model: WatchedModel, own: str) -> str:
    """Buckets of the time to the first token. A vector comes at once: the time to it is that of the whole request."""
    if not model.doors:
        return f"vllm:{'e2e_request_latency' if model.embeds else 'time_to_first_token'}_seconds_bucket{own}"
    series = "request_duration" if model.embeds else "time_to_first_token"
    return f"gen_ai_server_{series}_seconds_bucket{asked_at_door(model)}"


def asked_at_door(model: WatchedModel) -> str:
    """A selector of what gateways tell of requests for a model."""
    return f"{{{DOOR}=~{any_of(model.doors)},{ASKED}=~{any_of(model.ids)}}}"


def _pools(plan: ObservabilityPlan) -> Iterator[Alert]:
    """XID errors and lost GPUs are alerts of each pool; these are nodes that Kubernetes has no GPUs of."""
    if "kube-state-metrics" in plan.watched.exporters:
        yield from (_node_without_gpu(pool) for pool in plan.watched.pools if pool.resource)


def _node_without_gpu(pool: WatchedPool) -> Alert:
    resource = "".join(letter if letter.isalnum() else "_" for letter in pool.resource)
    nodes, named, known = len(pool.nodes), "", ""
    if isinstance(pool, WatchedRentedPool):
        key, value = pool.label
        label = "".join(letter if letter.isalnum() else "_" for letter in key)
        nodes, known = pool.count, f' and on (node) kube_node_labels{{label_{label}="{value}"}}'
    else:
        named = f",node=~{any_of(pool.nodes)}"
    series = f'kube_node_status_allocatable{{resource="{resource}"{named}}} >= {pool.gpus_per_node}{known}'
    return Alert(
        "NodeWithoutGpu",
        f"(count({series}) or vector(0)) < {nodes}",
        "15m",
        "critical",
        f"Fewer than {nodes} nodes of pool {pool.pool} offer {pool.gpus_per_node} GPUs to pods.",
        (("pool", pool.pool),),
    )


def _queues(plan: ObservabilityPlan) -> Iterator[Alert]:
    for queue in plan.watched.queues:
        named = f'cluster_queue=~{any_of(queue.cluster_queues)},status="active"'
        yield Alert(
            "QueueWaits",
            f"sum by (cluster_queue) (kueue_pending_workloads{{{named}}}) > 0",
            f"{plan.limit.queue_minutes}m",
            "warning",
            f"Work in queue {queue.queue} has waited for {plan.limit.queue_minutes} minutes without a pause.",
            (("queue", queue.queue),),
        )


def _doors(plan: ObservabilityPlan) -> Iterator[Alert]:
    share = plan.limit.gateway_errors_percent
    bounds = {each.gateway: _turned_away(each) for each in plan.watched.bounded}
    for door in plan.watched.doors:
        own = f'{DOOR}={quoted(door)},envoy_http_conn_manager_prefix!~"{LISTENERS}"'
        every = f"sum(rate(envoy_http_downstream_rq_xx{{{own}}}[5m]))"
        failed = f'sum(rate(envoy_http_downstream_rq_xx{{{own},envoy_response_code_class="5"}}[5m]))'
        says = f"More than {share:g} percent of the answers of gateway {door} are server errors"
        if door in bounds:
            failed = f"({failed} - (sum(rate({bounds[door]}[5m])) or vector(0)))"
            says += ", without those to tenants at their bound"
        yield Alert(
            "GatewayErrors",
            f"{failed} / {every} > {share / 100:g} and {every} > {FEWEST_PER_S:g}",
            "5m",
            "critical",
            f"{says}.",
            (("gateway", door),),
        )
        if door in bounds:
            yield Alert(
                "TenantAtItsBound",
                f"sum by (envoy_cluster_name) (rate({bounds[door]}[5m])) > 0",
                "10m",
                "warning",
                f"Gateway {door} has answered 503 for 10 minutes without a pause to a tenant with as many requests "
                "open as parallel_requests lets it have; the label envoy_cluster_name says which route and rule.",
                (("gateway", door),),
            )
        yield Alert(
            "GatewayUnseen",
            f"absent(envoy_server_live{{{DOOR}={quoted(door)}}} == 1)",
            "5m",
            "critical",
            f"No proxy of gateway {door} has been seen alive for 5 minutes: nobody reaches a model through it.",
            (("gateway", door),),
        )


def _turned_away(bounds: WatchedBounds) -> str:
    """Requests past a tenant's bound, which no server has seen: Envoy answers 503, flag UO. Requests past the bound of
    the whole gateway, which every other rule has, are answered 503 too, and somebody must know."""
    found = "|".join(map(_clusters, bounds.routes))
    return (
        f"envoy_cluster_upstream_rq_pending_overflow{{{DOOR}={quoted(bounds.gateway)},"
        f"envoy_cluster_name=~{quoted(found)}}}"
    )


def _clusters(route: BoundedRoute) -> str:
    """Clusters of rules, by number. One whose places must be told apart has a cluster for each of them, behind
    `/backend/`. Source: envoyproxy/gateway internal/gatewayapi/helpers.go, irRouteDestinationName and
    irDestinationSettingName; envoyproxy/ai-gateway makes an HTTPRoute of each route, its own rule behind ours."""
    rules = "|".join(map(str, route.rules))
    return f"{alternatives((f'httproute/{route.namespace}/{route.name}/rule/',))}({rules})(/.*)?"


def _platform(plan: ObservabilityPlan) -> Iterator[Alert]:
    days = plan.limit.certificate_days
    if "cert-manager" in plan.watched.exporters:
        yield Alert(
            "CertificateEnds",
            f"certmanager_certificate_expiration_timestamp_seconds - time() < {days * DAY_S}",
            "1h",
            "critical",
            f"A certificate ends in less than {days} days, and was not renewed.",
        )
        yield Alert(
            "CertificateNotReady",
            'certmanager_certificate_ready_status{condition="True"} == 0',
            "30m",
            "warning",
            "A certificate is not ready: its issuer refuses, or can't be reached.",
        )
    if "otel-collector" in plan.watched.exporters:
        own = matcher(namespace=plan.identity)
        yield Alert(
            "TelemetryHeldBack",
            f"otelcol_exporter_queue_size{own} / otelcol_exporter_queue_capacity{own} > 0.8",
            "10m",
            "warning",
            "A collector can't get rid of what it collects: its destination is slow or away.",
        )
    yield Alert(
        "MonitorWithoutAnswer",
        f"up{{namespace=~{any_of(plan.watched.namespaces)}}} == 0",
        "15m",
        "warning",
        "A program that is watched doesn't answer; alerts on its metrics are blind.",
    )
