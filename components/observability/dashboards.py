"""What people look at: one dashboard a subject, for exactly the parts that are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256

from msgspec import Struct

from aifactory.components.observability.alerts import DOOR, LISTENERS
from aifactory.components.observability.decided import ObservabilityPlan, WatchedModel
from aifactory.components.observability.texts import any_of, matcher, quoted, shown

Tree = dict[str, object]
SCHEMA = 41
"""Version of Grafana's form of dashboards; newer programs read older forms."""
PROMETHEUS: Tree = {"type": "prometheus", "uid": "prometheus"}
"""The data source that kube-prometheus-stack makes, by its uid."""
MODEL = "gen_ai_request_model"


class Curve(Struct, frozen=True):
    """One query and the name of its line."""

    query: str
    legend: str


class Panel(Struct, frozen=True):
    """A chart."""

    title: str
    unit: str
    curves: tuple[Curve, ...]


class Dashboard(Struct, frozen=True):
    """Charts about one subject."""

    name: str
    title: str
    panels: tuple[Panel, ...]


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
        counted = tuple(panel for door in watched.counting for panel in _tokens(door))
        yield Dashboard("gateways", "Gateways", (*(_door(door) for door in watched.doors), *counted))
    yield Dashboard("platform", "Platform", tuple(_platform(plan)))


def _quantiles(series: str, own: str) -> tuple[Curve, ...]:
    def at(share: str) -> str:
        return f"histogram_quantile({share}, sum by (le) (rate({series}_bucket{own}[5m])))"

    return tuple(Curve(at(share), name) for share, name in (("0.5", "half"), ("0.95", "95 of 100"), ("0.99", "99")))


def _model(model: WatchedModel) -> Iterator[Panel]:
    own = matcher(namespace=model.namespace, model_name=model.model)
    name = model.model
    yield Panel(f"{name}: time to first token", "s", _quantiles("vllm:time_to_first_token_seconds", own))
    yield Panel(f"{name}: time between tokens", "s", _quantiles("vllm:inter_token_latency_seconds", own))
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
    yield Panel("Time until admitted", "s", _quantiles("kueue_admission_wait_time_seconds", own))
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
    answers = _quantiles("gen_ai_server_request_duration_seconds", own)
    yield Panel(f"{door}: time of whole answers", "s", answers)


def _platform(plan: ObservabilityPlan) -> Iterator[Panel]:
    exporters, own = plan.watched.exporters, f"{{namespace=~{any_of(plan.watched.namespaces)}}}"
    if "kubelet" in exporters:
        fill = f"kubelet_volume_stats_used_bytes{own} / kubelet_volume_stats_capacity_bytes{own}"
        yield Panel("Volumes", "percentunit", (Curve(fill, "{{namespace}} {{persistentvolumeclaim}}"),))
    if "cert-manager" in exporters:
        left = "certmanager_certificate_expiration_timestamp_seconds - time()"
        yield Panel("Time until certificates end", "s", (Curve(left, "{{exported_namespace}} {{name}}"),))
    if "otel-collector" in exporters:
        here = matcher(namespace=plan.identity)
        queue = f"otelcol_exporter_queue_size{here} / otelcol_exporter_queue_capacity{here}"
        yield Panel("Telemetry held back", "percentunit", (Curve(queue, "{{pod}} {{exporter}}"),))
    yield Panel("Programs that answer", "short", (Curve(f"sum by (namespace) (up{own})", "{{namespace}}"),))


def document(plan: ObservabilityPlan, found: Dashboard) -> Tree:
    """A dashboard as Grafana reads it."""
    told = f"{plan.factory}/{plan.site}/{plan.identity}/{found.name}"
    return {
        "uid": f"aif-{sha256(told.encode()).hexdigest()[:16]}",
        "title": shown(f"{plan.factory} {plan.site}: {found.title}"),
        "tags": ["aifactory"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": False,
        "timezone": "utc",
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": []},
        "annotations": {"list": []},
        "panels": [_panel(panel, index) for index, panel in enumerate(found.panels)],
    }


def _panel(panel: Panel, index: int) -> Tree:
    targets = [
        {"refId": chr(ord("A") + number), "datasource": PROMETHEUS, "expr": curve.query, "legendFormat": curve.legend}
        for number, curve in enumerate(panel.curves)
    ]
    return {
        "id": index + 1,
        "type": "timeseries",
        "title": shown(panel.title),
        "datasource": PROMETHEUS,
        "gridPos": {"x": index % 2 * 12, "y": index // 2 * 8, "w": 12, "h": 8},
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": targets,
    }
