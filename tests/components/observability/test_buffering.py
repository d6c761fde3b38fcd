"""What waits on disk while a site is without its uplink, and what is refused before somebody counts on it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from aifactory.components.observability import buffering
from aifactory.components.offers import OperatorNote, StorageUse
from support.away import ALWAYS, CENTRE, REMOTE, STORE, UPLINK, away, disk
from support.edges import CLUSTER
from support.watching import HERE, PAGER


def test_a_buffer_is_rate_times_outage_worked_by_hand() -> None:
    """Two requests a s at peak, three spans each, 10 percent, 1,024 bytes: 614.4 bytes a s, 72 hours."""
    buffer = away().plan.buffer
    assert buffer is not None
    assert buffer.hours == 72
    assert dict(buffer.queues) == {
        "traces": math.ceil(614.4 * 259_200),  # 159,252,480
        "logs": 2 * 768 * 259_200,  # lines that programs send: 398,131,200
        "metrics": 3_000 * 256 // 60 * 259_200,  # 3,317,760,000
    }
    assert buffer.agent_bytes == (20 + 2 * 2) * 768 * 259_200  # 4,777,574,400
    assert buffer.volume_gib == 5  # 3.61 GiB and a quarter, and three files
    assert buffer.storage_class == "local-path"


@pytest.mark.parametrize(
    ("fields", "signal", "bytes_per_s"),
    [
        ({"traces_percent": 100.0}, "traces", 6_144),
        ({"rates": {"spans_per_request": 10.0}}, "traces", 2_048),
        ({"rates": {"program_lines_per_s": 50.0}}, "logs", 38_400),
        ({"rates": {"forwarded_series": 600}}, "metrics", 2_560),
    ],
)
def test_more_that_is_collected_is_more_that_waits(fields: dict[str, Any], signal: str, bytes_per_s: int) -> None:
    buffer = away(**fields).plan.buffer
    assert buffer is not None
    assert buffer.size(signal) == bytes_per_s * 72 * 3_600


def test_the_plan_says_what_lies_on_the_disk_of_a_node_and_where() -> None:
    """Lines of a node, 24 x 768 bytes a s for 72 hours: 4556.25 MiB, a quarter more, and 16 that the file grows by."""
    decision = away().site_plan.decisions["watch.buffer"]
    value: Any = decision.value
    assert (value["gateway_gib"], value["agent_mib"]) == (5, 5_712)
    assert "keeps its own in /var/lib/otelcol there, on the node's own disk" in decision.reason


def test_nodes_share_the_lines_and_each_collector_has_room_for_all() -> None:
    plan = away(count=3).plan
    assert plan.buffer is not None
    assert plan.replicas == 2
    assert plan.buffer.agent_bytes == math.ceil((20 * 3 + 4) * 768 / 3 * 259_200)
    assert plan.buffer.volume_gib == 5


def test_volumes_are_said_to_whoever_has_their_class() -> None:
    seen = away(count=3)
    said = [each for each in seen.site_plan.offers if isinstance(each, StorageUse)]
    claim = seen.asked("metrics")["prometheus"]["prometheusSpec"]["storageSpec"]["volumeClaimTemplate"]["spec"]
    assert {(each.what, each.storage_class, f"{each.size_gib}Gi") for each in said} == {
        ("Prometheus", "local-path", claim["resources"]["requests"]["storage"]),
        ("queues of collectors", "local-path", "10Gi"),  # two collectors, 5 GiB each
    }


def test_where_the_uplink_is_always_there_nothing_waits() -> None:
    seen = away(uplink=ALWAYS)
    assert seen.broken == ["OBS-018"]  # a dead man's switch would hear of it, and where there are outages would not
    assert seen.plan.buffer is None
    body = seen.bodies["OpenTelemetryCollector/watch-gateway"]["spec"]
    assert body["mode"] == "deployment"
    assert "volumeClaimTemplates" not in body


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({}, []),
        ({"cluster": disk(None)}, ["OBS-012"]),
        ({"cluster": {**CLUSTER, "storage_classes": []}}, ["OBS-012"]),
        ({"cluster": disk(0.02)}, ["OBS-011"]),
        ({"given": {"sinks": [{**CENTRE, "signals": ["logs", "traces"]}, PAGER, REMOTE]}}, ["OBS-013"]),
        ({"given": {"store": STORE, "sinks": [PAGER]}}, ["OBS-013"]),
        (
            {
                "given": {"sinks": [{**CENTRE, "signals": ["logs", "traces"]}, PAGER, REMOTE]},
                "uplink": {**UPLINK, "longest_outage_hours": 2.0},
            },
            [],
        ),
        ({"uplink": {**UPLINK, "mbit_per_s": 0.1, "hours_per_day": 1.0}}, ["OBS-014"]),
        ({"given": {"sinks": [{**CENTRE, "place": None}, PAGER]}}, ["OBS-001"]),
        ({"given": {"sinks": [{**CENTRE, "place": {**HERE, "country": "US"}}, PAGER]}}, ["OBS-002"]),
    ],
)
def test_a_rule_on_what_waits_finds_what_breaks_it(changes: dict[str, Any], rules: list[str]) -> None:
    assert away(**changes).broken == rules


def test_a_refusal_names_the_size_that_would_do() -> None:
    (problem,) = away(cluster=disk(0.02)).problems
    assert problem.says == (
        "72 hours without the uplink need 21 GiB on local-path, 10 of them for metrics that stay, and it holds 20"
    )
    assert problem.hint == "give it 0.021 TiB"
    assert away(cluster=disk(0.021)).broken == []
    (problem,) = away(cluster=disk(None)).problems
    assert "usable_tib: 0.021" in problem.hint


def test_fewer_days_of_metrics_are_offered_where_they_would_do() -> None:
    days = {"retention": {"metrics_days": 400}}
    (problem,) = away(cluster=disk(0.06), rates={"series": 100_000}, **days).problems
    assert problem.rule == "OBS-011"
    found = int(problem.hint.rpartition(" ")[2])
    assert away(cluster=disk(0.06), rates={"series": 100_000}, retention={"metrics_days": found}).broken == []
    assert away(cluster=disk(0.06), rates={"series": 100_000}, retention={"metrics_days": found + 2}).broken != []


@pytest.mark.parametrize(
    ("tib", "fields", "gib"),
    [
        (None, {}, 200),
        (2.0, {}, 200),
        (1.9, {}, 10),
        (0.125, {}, 10),
        (0.125, {"rates": {"series": 400_000}}, 65),
        (0.125, {"retention": {"metrics_gib": 40}}, 40),
        (0.125, {"rates": {"series": 400_000}, "retention": {"metrics_days": 3}}, 13),
    ],
)
def test_the_volume_of_metrics_fits_the_disk(tib: float | None, fields: dict[str, Any], gib: int) -> None:
    seen = away(uplink=ALWAYS, cluster=disk(tib), **fields)
    spec = seen.asked("metrics")["prometheus"]["prometheusSpec"]
    claim = spec["storageSpec"]["volumeClaimTemplate"]["spec"]
    assert claim["resources"]["requests"]["storage"] == f"{gib}Gi"
    assert spec["retentionSize"] == f"{gib * 85 // 100}GB"


def test_what_is_lost_after_the_outage_is_said() -> None:
    seen = away()
    said = seen.site_plan.decisions["watch.beyond_the_outage"]
    assert said.value == "the newest is dropped"
    assert "after 72 hours" in said.reason
    assert "never told" in said.reason
    notes = [each.says for each in seen.site_plan.offers if isinstance(each, OperatorNote)]
    assert any("waits on disk for 72 hours" in each for each in notes)
    assert "72 hours on disk" in seen.plan.in_short


def test_metrics_leave_by_the_collector_which_reads_what_parts_export() -> None:
    seen = away()
    assert "remoteWrite" not in seen.asked("metrics")["prometheus"]["prometheusSpec"]
    config = seen.bodies["OpenTelemetryCollector/watch-gateway"]["spec"]["config"]
    (job,) = config["receivers"]["prometheus"]["config"]["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["kube-prometheus-stack-prometheus.monitoring.svc:9090"]}]
    (chosen,) = job["params"]["match[]"]
    assert "vllm:time_to_first_token_seconds_bucket|" in chosen
    assert "kueue" not in chosen
    assert config["service"]["pipelines"]["metrics/forwarded"]["exporters"] == ["otlphttp/forwarded"]
    assert config["exporters"]["otlphttp/forwarded"]["headers"]["Authorization"] == "Bearer ${env:TOKEN_METRICS}"


def test_only_what_is_sent_gets_through() -> None:
    asked = {each.name: each for each in away().site_plan.namespaces if each.name != "monitoring"}
    assert asked["watch"].egress_to == (("monitoring", 9090),)
    assert {out.ports for out in asked["watch"].pod_egress} == {(443,)}
    assert {out.networks for out in asked["watch"].pod_egress} == {("192.0.2.0/24",)}
    assert set(asked["watch"].ingress_from) == {"assist", "envoy-gateway-system", "monitoring"}
    quiet = {each.name: each for each in away(signals=["logs"]).site_plan.namespaces if each.name != "monitoring"}
    assert set(quiet["watch"].ingress_from) == {"monitoring"}


def test_a_queue_is_never_smaller_than_a_batch() -> None:
    buffer = away(uplink={**UPLINK, "longest_outage_hours": 0.1}).plan.buffer
    assert buffer is not None
    assert all(size >= buffering.LEAST_BYTES for _, size in buffer.queues)
    assert buffer.agent_bytes >= buffering.LEAST_BYTES
