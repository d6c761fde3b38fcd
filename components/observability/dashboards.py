"""What people look at: one dashboard a subject, for exactly the parts that are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aifactory.components.observability import databases, spending, storage
from aifactory.components.observability.alerts import LISTENERS, asked_at_door
from aifactory.components.observability.decided import ObservabilityPlan, WatchedModel
from aifactory.components.observability.panel import Curve, Dashboard, Panel, quantiles
from aifactory.components.observability.texts import DOOR, any_of, matcher, quoted

MODEL = "gen_ai_request_model"


def dashboards(plan: ObservabilityPlan) -> Iterator[Dashboard]:
    """All dashboards of the site."""
    watched = plan.watched
    if watched.models:
        panels = tuple(panel for model in watched.models for panel in _model(model))
        yield Dashboard("models", "Models", panels)
    if "dcgm" in watched.exporters:
        yield Dashboard("gpus", "GPUs", tuple(_gpus()))
    if watched.queues:
        names = [name for queue in watched.queues for name in queue.cluster_queues]
        yield Dashboard("queues", "Queues", tuple(_queues(names)))
    if watched.doors:
        counted = tuple(panel for door in watched.counting for panel in (*_tokens(door), *spending.panels(plan, door)))
        yield Dashboard("gateways", "Gateways", (*(_door(door) for door in watched.doors), *counted))
    yield from storage.dashboards(plan)
    yield from databases.dashboards(plan)
    yield Dashboard("platform", "Platform", tuple(_platform(plan)))


def _model(model: WatchedModel) -> Iterator[Panel]:
    own = matcher(namespace=model.namespace, model_name=model.model)
    name = model.model
    if model.doors and not model.embeds:
        seen = quantiles("gen_ai_server_time_to_first_token_seconds", asked_at_door(model))
        yield Panel(f"{name}: time to first token, at the gateway", "s", seen)
    yield Panel(f"{name}: time to first token, at the engine", "s", quantiles("vllm:time_to_first_token_seconds", own))
    yield Panel(f"{name}: time between tokens", "s", quantiles("vllm:inter_token_latency_seconds", own))
    yield Panel(
        f"{name}: requests",
        "short",
        (
            Curve(f"sum(vllm:num_requests_running{own})", "computed"),
            Curve(f"sum(vllm:num_requests_waiting{own})", "waiting"),
        ),
    )
    yield Panel(
        f"{name}: tokens",
        "short",
        (
            Curve(f"sum(rate(vllm:prompt_tokens_total{own}[5m]))", "read per s"),
            Curve(f"sum(rate(vllm:generation_tokens_total{own}[5m]))", "written per s"),
        ),
    )
    hits = f"sum(rate(vllm:prefix_cache_hits_total{own}[5m])) / sum(rate(vllm:prefix_cache_queries_total{own}[5m]))"
    yield Panel(
        f"{name}: cache",
        "percentunit",
        (Curve(f"max(vllm:kv_cache_usage_perc{own})", "fullest replica"), Curve(hits, "prefix hits")),
    )
    if model.routed:
        here = matcher(namespace=model.namespace)
        yield Panel(
            f"{name}: router",
            "short",
            (
                Curve(f"sum(rate(llm_d_epp_request_total{here}[5m]))", "requests per s"),
                Curve(f"sum(rate(llm_d_epp_request_error_total{here}[5m]))", "errors per s"),
                Curve(f"max(llm_d_epp_ready_endpoints{here})", "replicas ready"),
            ),
        )


def _gpus() -> Iterator[Panel]:
    for title, unit, series, how in (
        ("GPU use", "percent", "DCGM_FI_DEV_GPU_UTIL", "avg"),
        ("Power", "watt", "DCGM_FI_DEV_POWER_USAGE", "sum"),
        ("Hottest GPU", "celsius", "DCGM_FI_DEV_GPU_TEMP", "max"),
        ("Last XID error", "short", "DCGM_FI_DEV_XID_ERRORS", "max"),
    ):
        yield Panel(title, unit, (Curve(f"{how} by (Hostname) ({series})", "{{Hostname}}"),))
    used, free = "sum by (Hostname) (DCGM_FI_DEV_FB_USED)", "sum by (Hostname) (DCGM_FI_DEV_FB_FREE)"
    yield Panel("Memory in use", "percentunit", (Curve(f"{used} / ({used} + {free})", "{{Hostname}}"),))


def _queues(names: Iterable[str]) -> Iterator[Panel]:
    own = f"{{cluster_queue=~{any_of(names)}}}"
    legend = "{{cluster_queue}}"
    yield Panel("Waiting", "short", (Curve(f"sum by (cluster_queue) (kueue_pending_workloads{own})", legend),))
    admitted = f"sum by (cluster_queue) (kueue_admitted_active_workloads{own})"
    yield Panel("Running", "short", (Curve(admitted, legend),))
    yield Panel("Time until admitted", "s", quantiles("kueue_admission_wait_time_seconds", own))
    evicted = f"sum by (cluster_queue) (increase(kueue_evicted_workloads_total{own}[1h]))"
    yield Panel("Stopped in the last hour", "short", (Curve(evicted, legend),))


def _door(door: str) -> Panel:
    own = f'{{{DOOR}={quoted(door)},envoy_http_conn_manager_prefix!~"{LISTENERS}"}}'
    by = f"sum by (envoy_response_code_class) (rate(envoy_http_downstream_rq_xx{own}[5m]))"
    active = f"sum(envoy_http_downstream_rq_active{own})"
    return Panel(
        f"{door}: answers per s", "reqps", (Curve(by, "{{envoy_response_code_class}}xx"), Curve(active, "open"))
    )


def _tokens(door: str) -> Iterator[Panel]:
    """Use by tenant and by model: what limits and spend are counted from."""
    own = f"{{{DOOR}={quoted(door)}}}"
    for title, label, legend in (("tenant", "tenant_id", "{{tenant_id}}"), ("model", MODEL, f"{{{{{MODEL}}}}}")):
        by = f"sum by ({label}, gen_ai_token_type) (rate(gen_ai_client_token_usage_token_sum{own}[5m]))"
        yield Panel(f"{door}: tokens per s by {title}", "short", (Curve(by, f"{legend} {{{{gen_ai_token_type}}}}"),))
    answers = quantiles("gen_ai_server_request_duration_seconds", own)
    yield Panel(f"{door}: time of whole answers", "s", answers)


def _platform(plan: ObservabilityPlan) -> Iterator[Panel]:
    exporters, own = plan.watched.exporters, f"{{namespace=~{any_of(plan.watched.namespaces)}}}"
    if "cert-manager" in exporters:
        left = "certmanager_certificate_expiration_timestamp_seconds - time()"
        yield Panel("Time until certificates end", "s", (Curve(left, "{{exported_namespace}} {{name}}"),))
    if "otel-collector" in exporters:
        here = matcher(namespace=plan.identity)
        queue = f"otelcol_exporter_queue_size{here} / otelcol_exporter_queue_capacity{here}"
        yield Panel("Telemetry held back", "percentunit", (Curve(queue, "{{pod}} {{exporter}}"),))
    yield Panel("Programs that answer", "short", (Curve(f"sum by (namespace) (up{own})", "{{namespace}}"),))
