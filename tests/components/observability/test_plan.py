"""What observability decides."""

from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.observability import alerts
from aifactory.components.observability.decided import WatchedModel
from aifactory.components.offers import OperatorNote, TelemetryOffer
from support.offered import pool
from support.watching import CHAT, DOOR, GATE, GIVEN, OFFERS, PAGER, QUEUE, STORE, SWITCH, queries, watched

LOKI_SINK = {**PAGER, "name": "central", "kind": "loki", "url": "https://loki.example.com/", "organisation": "lab"}
OTLP_SINK = {**PAGER, "name": "tracing", "kind": "otlp", "signals": ["traces"], "url": "https://otlp.example.com:4318"}
REMOTE = {**PAGER, "name": "long", "kind": "prometheus", "url": "https://metrics.example.com/api/v1/write"}


def test_without_a_sink_logs_and_traces_are_kept_by_releases_of_ours_in_the_store() -> None:
    seen = watched()
    assert seen.plan.logs is not None
    assert seen.plan.traces is not None
    assert (seen.plan.logs.url, seen.plan.traces.url) == (
        "http://loki.loki.svc:3100/otlp",
        "http://tempo.tempo.svc:4318",
    )
    loki = seen.asked("loki")["loki"]
    assert loki["storage"]["bucketNames"] == {"chunks": "lab-logs", "ruler": "lab-logs"}
    assert loki["limits_config"] == {"retention_period": "720h"}
    trace = seen.asked("tempo")["tempo"]
    assert (trace["retention"], trace["storage"]["trace"]["s3"]["bucket"]) == ("168h", "lab-traces")
    assert seen.asked("metrics")["grafana"]["additionalDataSources"][0]["url"] == "http://loki.loki.svc:3100"


def test_a_signal_goes_to_the_sink_that_takes_it() -> None:
    seen = watched({"store": STORE, "sinks": [PAGER, SWITCH, LOKI_SINK, OTLP_SINK]})
    assert seen.broken == []
    assert seen.plan.logs is not None
    assert seen.plan.traces is not None
    assert seen.plan.logs.url == "https://loki.example.com/otlp"
    assert (seen.plan.logs.organisation, seen.plan.logs.secret) == ("lab", "pager")
    assert seen.plan.traces.url == "https://otlp.example.com:4318"
    assert {each.capability for each in seen.site_plan.requirements} == {"metrics", "opentelemetry-operator"}
    assert seen.asked("metrics")["grafana"]["additionalDataSources"] == []


def test_metrics_and_alerts_leave_by_sinks_of_their_own() -> None:
    values = watched({**GIVEN, "sinks": [PAGER, REMOTE]}).asked("metrics")
    (remote,) = values["prometheus"]["prometheusSpec"]["remoteWrite"]
    assert remote["url"] == "https://metrics.example.com/api/v1/write"
    assert remote["authorization"]["credentials"] == {"name": "pager", "key": "token"}
    manager = values["alertmanager"]
    assert manager["config"]["route"]["receiver"] == "pager"
    assert manager["alertmanagerSpec"]["secrets"] == ["pager"]
    without = watched({"store": STORE}).asked("metrics")
    assert "alertmanager" not in without
    assert "remoteWrite" not in without["prometheus"]["prometheusSpec"]


@pytest.mark.parametrize(
    ("offers", "exporters"),
    [
        (OFFERS, {"vllm", "llm-d-router", "kueue", "envoy", "dcgm"}),
        ((replace(CHAT, backend="Service"), QUEUE), {"vllm", "kueue"}),
        ((CHAT,), {"vllm", "llm-d-router"}),
        ((CHAT, DOOR), {"vllm", "llm-d-router", "envoy"}),
        ((CHAT, DOOR, GATE), {"vllm", "llm-d-router", "envoy", "ai-gateway"}),
    ],
)
def test_what_is_watched_is_what_is_there(offers: tuple[object, ...], exporters: set[str]) -> None:
    always = {"prometheus", "cert-manager", "kube-state-metrics", "kubelet", "otel-collector"}
    assert set(watched(offers=offers).plan.watched.exporters) == always | exporters


def test_of_a_given_prometheus_the_site_says_what_it_scrapes() -> None:
    def seen(features: list[str]) -> set[str]:
        provides = {"metrics": {"version": "88.5.3", "features": features}}
        cluster = {"version": "1.35.6", "kubeconfig": {"context": "lab"}, "provides": provides}
        plan = watched({"store": STORE}, site={"cluster": cluster}).plan
        assert plan.metrics_url == ""
        return set(plan.watched.exporters)

    assert {"kubelet", "kube-state-metrics"} & seen([]) == set()
    assert {"kubelet", "kube-state-metrics"} <= seen(["kubelet", "kube-state-metrics"])


def test_a_node_is_missed_only_where_pods_get_whole_gpus() -> None:
    def names(**fields: Any) -> set[str]:
        plan = watched(offers=(CHAT, pool("train", nodes=2, **fields))).plan
        return {each.resource for each in plan.watched.pools}

    assert names() == {"nvidia.com/gpu"}
    assert names(slice_resources=(("nvidia.com/mig-1g.18gb", 7),)) == {""}
    assert names(device_claim="gpu.nvidia.com") == {""}


def test_only_destinations_are_reached() -> None:
    asked = {each.name: each for each in watched().site_plan.namespaces if each.name != "monitoring"}
    assert asked["watch"].egress_to == (("loki", 3100), ("tempo", 4318), ("monitoring", 9090))
    assert asked["watch"].pod_egress == ()
    (out,) = asked["loki"].pod_egress
    assert (out.ports, out.networks) == ((443,), ("192.0.2.0/24",))
    assert asked["assist"].egress_to == (("watch", 4317), ("watch", 4318))
    sinks = {"sinks": [PAGER, LOKI_SINK, OTLP_SINK]}
    names = {each.name: each for each in watched(sinks).site_plan.namespaces}
    assert "loki" not in names
    assert {out.ports for out in names["watch"].pod_egress} == {(443,), (4318,)}


def test_whoever_sends_finds_the_collector() -> None:
    (offer,) = [each for each in watched().site_plan.offers if isinstance(each, TelemetryOffer)]
    assert offer.otlp_http == "http://watch-gateway-collector.watch.svc:4318"
    assert offer.otlp_grpc == "watch-gateway-collector.watch.svc:4317"


def test_a_door_is_watched_by_the_name_of_its_gateway_whatever_the_part_is_called() -> None:
    renamed = (CHAT, replace(DOOR, part="front"))
    asked = [query for _, query in queries(watched(offers=renamed).bodies.values()) if "owning_gateway" in query]
    assert len(asked) >= 3
    for query in asked:
        assert 'gateway_envoyproxy_io_owning_gateway_name="door"' in query


def test_a_promise_comes_before_the_demand() -> None:
    (model,) = watched().plan.watched.models
    assert (model.ttft_p99_ms, model.itl_ms) == (2000, 40)


def test_every_decision_has_a_reason_and_the_place_of_the_store_stands_in_it() -> None:
    decisions = watched().site_plan.decisions
    assert {"watch.logs", "watch.traces", "watch.prompt_text", "watch.conventions", "watch.alerts"} <= set(decisions)
    assert all(len(each.reason) > 20 for each in decisions.values())
    assert "in DE under Example AG, of DE; rules of customer data allow it" in decisions["watch.logs"].reason
    assert decisions["watch.conventions"].value == "1.41.1"


def test_what_somebody_must_do_before_is_said() -> None:
    notes = [each for each in watched().site_plan.offers if isinstance(each, OperatorNote)]
    before = " ".join(each.says for each in notes if each.when == "before")
    assert "Bucket lab-logs" in before
    assert "Secret grafana-admin in namespace monitoring" in before
    assert "Secret pager in namespace monitoring" in before


def test_without_signals_there_are_no_collectors() -> None:
    seen = watched({"sinks": [PAGER, SWITCH]}, signals=[])
    assert seen.broken == []
    assert seen.plan.collects is False
    assert not [name for name in seen.rows if name.startswith("OpenTelemetryCollector")]
    assert {each.capability for each in seen.site_plan.requirements} == {"metrics"}


def test_a_model_of_vectors_is_watched_by_whole_requests_and_has_no_cache() -> None:
    model = WatchedModel("embed", "bge-m3", "answers", "answers", False, "embed-predictor", 0, 150, embeds=True)
    plan = watched().plan
    found = alerts.groups(replace(plan, watched=replace(plan.watched, models=(model,))))
    own = {alert.name: alert.expression for alert in next(iter(found)).alerts}
    assert set(own) == {"ModelFirstTokenLate", "ModelRequestsWaiting", "ModelUnseen"}
    assert "vllm:e2e_request_latency_seconds_bucket" in own["ModelFirstTokenLate"]
