"""The rows of observability."""

import json
from typing import Any

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.gpu_node_pool.health import metrics_text
from aifactory.components.rows import HelmRow, KubernetesRow
from aifactory.stacks.assembly.stack import Stack
from support import shipped
from support.schemas import Schemas
from support.watching import CHAT, DOOR, EU, GATE, GIVEN, PAGER, STORE, exported, queries, series_of, watched

SINKS = {
    "sinks": [
        PAGER,
        {**PAGER, "name": "central", "kind": "loki", "url": "https://loki.example.com", "organisation": "lab"},
        {**PAGER, "name": "tracing", "kind": "otlp", "signals": ["traces"], "url": "https://otlp.example.com"},
    ]
}
WATCHED = [
    name for name in shipped.PLATFORMS if any(p.kind == "observability" for p in shipped.stacks()[name].plan.parts)
]
OBSERVED = [name for name in shipped.STACKS if name.startswith(("sovereign-inference", "rag-private"))]


@pytest.mark.schema
@pytest.mark.parametrize(
    ("given", "fields"),
    [
        (GIVEN, {}),
        (SINKS, {}),
        (GIVEN, {"signals": ["traces"]}),
        ({"store": STORE}, {"signals": ["logs"], "traces_percent": 100.0}),
        (GIVEN, {"prompt_text": "keep", "classes": {"customer": {**EU, "prompts_in_telemetry": True}}}),
    ],
)
def test_the_server_takes_every_object(schemas: Schemas, given: dict[str, Any], fields: dict[str, Any]) -> None:
    problems = {name: schemas.problems(body) for name, body in watched(given, **fields).bodies.items()}
    assert {name: found for name, found in problems.items() if found} == {}


def test_each_query_asks_a_part_that_is_there() -> None:
    for offers in (None, (CHAT,)):
        seen = watched() if offers is None else watched(offers=offers)
        asked = list(queries(seen.bodies.values()))
        assert len(asked) > 15
        for where, query in asked:
            assert {exported()[name] for name in series_of(query)} <= set(seen.plan.watched.exporters), where


@pytest.mark.parametrize("name", WATCHED)
def test_each_query_of_a_shipped_stack_asks_a_part_that_is_there(name: str) -> None:
    """Of this part and of pools, whose rules ask for more of GPUs and for what they record themselves."""
    stack = shipped.stacks()[name]
    (plan,) = [part.plan for part in stack.plan.parts if part.kind == "observability"]
    bodies: list[Any] = [stack.plain_tree(row) for row in stack.rows if isinstance(row, KubernetesRow)]
    rules = [rule for body in bodies if body["kind"] == "PrometheusRule" for rule in rules_of(body)]
    known = {rule["record"]: "" for rule in rules if "record" in rule} | exported()
    known |= {line.split(",")[0]: "dcgm" for line in metrics_text(nvlink=False, profiling=False).splitlines()}
    if labels_are_exported(stack):
        known["kube_node_labels"] = "kube-state-metrics"
    asked = list(queries(bodies))
    assert len(asked) > 40
    assert len({where for where, _ in asked if where.startswith("ConfigMap/")}) > 15
    for where, query in asked:
        assert {known[series] for series in series_of(query)} <= {"", *plan.watched.exporters}, where


def rules_of(body: Any) -> list[dict[str, Any]]:
    return [rule for group in body["spec"]["groups"] for rule in group["rules"]]


def labels_are_exported(stack: Stack) -> bool:
    """Labels of nodes are no series unless that is asked for. Source: kubernetes/kube-state-metrics
    docs/developer/cli-arguments.md, metric-labels-allowlist."""
    charts: dict[str, Any] = {row.chart: stack.plain_tree(row) for row in stack.rows if isinstance(row, HelmRow)}
    told = charts.get("kube-prometheus-stack", {}).get("kube-state-metrics", {})
    return "nodes=[aifactory.io/pool]" in told.get("metricLabelsAllowlist", ())


def test_a_query_of_a_part_that_is_not_there_would_be_found() -> None:
    lonely = watched(offers=(CHAT,)).plan.watched.exporters
    foreign = {exported()[name] for _, query in queries(watched().bodies.values()) for name in series_of(query)}
    assert foreign - set(lonely) == {"dcgm", "kueue", "envoy"}
    with pytest.raises(ValueError, match="unclosed"):
        series_of("sum(rate(a[5m])")


def test_the_exporter_of_gpus_is_told_to_export_what_is_asked() -> None:
    listed = {line.split(",")[0] for line in metrics_text(nvlink=False, profiling=False).splitlines()}
    rows = Catalog.shipped().rows("exporters.metrics")
    assert {row.text("metric") for row in rows if row.text("exporter") == "dcgm"} <= listed


@pytest.mark.parametrize("name", OBSERVED)
def test_a_shipped_stack_calls_somebody_for_each_promise_of_the_facts(name: str) -> None:
    stack = shipped.stacks()[name]
    alerts: list[str] = []
    for row in stack.rows:
        if row.id.startswith("PrometheusRule."):
            body: Any = stack.plain_tree(row)  # type: ignore[arg-type]
            alerts += [rule["alert"] for group in body["spec"]["groups"] for rule in group["rules"] if "alert" in rule]
    once = [
        "GpuXidError",
        "NodeWithoutGpu",
        "QueueWaits",
        "GatewayErrors",
        "GatewayUnseen",
        "CertificateEnds",
        "VolumeFills",
    ]
    assert [alerts.count(each) for each in once] == [1] * len(once)
    for each in ("ModelFirstTokenLate", "ModelRequestsWaiting", "ModelCacheFull", "ModelUnseen"):
        texts = each == "ModelCacheFull" and name.startswith("rag-private")  # a model of vectors has no cache
        assert alerts.count(each) == (1 if texts else 2), each


@pytest.mark.parametrize("name", OBSERVED)
def test_every_exporter_of_a_shipped_stack_has_a_monitor(name: str) -> None:
    stack = shipped.stacks()[name]
    (plan,) = [part.plan for part in stack.plan.parts if part.kind == "observability"]
    monitors = {row.name for row in stack.rows if row.id.startswith(("PodMonitor.", "ServiceMonitor."))}
    scraped = {row.text("id"): row.text("scraped_by") for row in Catalog.shipped().rows("exporters")}
    here = {
        "envoy": "watch-proxies",
        "ai-gateway": "watch-tokens",
        "cert-manager": "watch-certificates",
        "otel-collector": "watch-gateway",
        "ceph": "watch-ceph",
        "topolvm": "watch-local-drives",
        "cnpg": "watch-vectors",
    }
    for exporter in plan.watched.exporters:
        assert scraped[exporter] in ("part", "release", "itself") or here[exporter] in monitors
    routed = [model.part for model in plan.watched.models if model.routed]
    assert {*(model.part for model in plan.watched.models), *(f"{part}-epp" for part in routed)} <= monitors
    assert "watch-agent" in monitors
    charts: dict[str, Any] = {row.chart: stack.plain_tree(row) for row in stack.rows if isinstance(row, HelmRow)}
    assert charts["gpu-operator"]["dcgmExporter"]["serviceMonitor"]["enabled"] is True
    assert charts["kueue"]["enablePrometheus"] is True
    selectors = charts["kube-prometheus-stack"]["prometheus"]["prometheusSpec"]
    for kind in ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig"):
        assert selectors[f"{kind}SelectorNilUsesHelmValues"] is False


def test_a_gateway_that_counts_tokens_shows_them_by_tenant_and_by_model() -> None:
    def asked(*offers: object) -> str:
        return json.dumps(
            [body for name, body in watched(offers=offers).bodies.items() if name.startswith("ConfigMap/")]
        )

    assert "gen_ai" not in asked(CHAT, DOOR)
    shown = asked(CHAT, DOOR, GATE)
    for label in ("tenant_id", "gen_ai_request_model"):
        assert f"sum by ({label}, gen_ai_token_type)" in shown


def test_a_dashboard_has_a_place_for_each_chart_and_a_name_that_lasts() -> None:
    first, second = watched().bodies, watched().bodies
    for name, body in first.items():
        if not name.startswith("ConfigMap/"):
            continue
        assert body["data"] == second[name]["data"]
        (text,) = body["data"].values()
        board = json.loads(text)
        assert len(board["uid"]) <= 40
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
        assert len(set(places)) == len(places) > 0
        assert body["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_the_collector_waits_for_its_kind_its_rights_and_where_it_sends() -> None:
    after = watched().rows["OpenTelemetryCollector.opentelemetry.io/watch/watch-agent"].after
    assert {"capability:opentelemetry-operator", "capability:loki", "capability:tempo"} <= set(after)
    assert "ClusterRoleBinding.rbac.authorization.k8s.io/demo-watch-collectors" in after
