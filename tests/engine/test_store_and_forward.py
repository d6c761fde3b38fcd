"""While the uplink is gone, the real collector keeps telemetry on disk, over its own death, and sends it later."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from aifactory.components.observability import buffering
from aifactory.components.observability.collector import QUEUE
from aifactory.components.rows import KubernetesRow
from support import shipped
from support.collecting import Near, near, told, words
from support.proving.processes import Server, answers, free_port
from support.proving.tools import Missing, paths
from support.uplink import Centre

pytestmark = pytest.mark.engine

STACK = "edge-slm-lys-edge1-platform"
PATIENCE_S = 60
BATCH = 50
"""Spans of one request to the collector."""
TAGS = {
    "http.request.id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "gen_ai.request.model": "qwen3-4b",
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "vllm",
    "gen_ai.request.id": "chatcmpl-0f8fad5b-d9cb-469f-a165-70867728950e",
    "gen_ai.latency.time_in_queue": "0.000123456789",
    "gen_ai.latency.time_to_first_token": "0.123456789123",
    "gen_ai.latency.e2e": "1.123456789123",
    "gen_ai.latency.time_in_model_prefill": "0.123456789123",
    "gen_ai.latency.time_in_model_decode": "0.923456789123",
    "gen_ai.latency.time_in_model_inference": "1.023456789123",
    "server.address": "helper-predictor.helper.svc.cluster.local",
    "upstream_cluster.name": "httproute/helper/door-helper/rule/0",
    "gen_ai.response.id": "chatcmpl-0f8fad5b-d9cb-469f-a165-70867728950e",
}
"""More than any span of ours has."""


@pytest.fixture
def until() -> Iterator[ExitStack]:
    """What ends with the test."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def centre(until: ExitStack) -> Centre:
    """A destination that is away."""
    found = Centre(free_port())
    until.callback(found.go)
    return found


def planned(name: str) -> dict[str, Any]:
    """Configuration of a collector of the shipped edge site."""
    stack = shipped.stacks()[STACK]
    (row,) = [
        row
        for row in stack.rows
        if isinstance(row, KubernetesRow) and row.id.startswith("OpenTelemetryCollector.") and row.name == name
    ]
    body: Any = stack.plain_tree(row)
    found: dict[str, Any] = body["spec"]["config"]
    for exporter in found["exporters"].values():
        exporter.pop("headers", None)
    return found


def whole(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration with every trace kept, so that each can be counted."""
    config["processors"].pop("probabilistic_sampler")
    for pipeline in config["service"]["pipelines"].values():
        pipeline["processors"] = [name for name in pipeline["processors"] if name != "probabilistic_sampler"]
    return config


def begin(here: Near, otelcol: Path, folder: Path, until: ExitStack) -> Server:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(here.config), encoding="utf-8")
    server = Server("otelcol", [otelcol, f"--config=file:{path}"], folder)
    until.callback(server.kill)
    server.wait_until(lambda: answers(f"http://{here.health}"))
    return server


def batch(number: int) -> dict[str, Any]:
    spans = [
        {
            "traceId": f"{number + 1:032x}",
            "spanId": f"{number * BATCH + index + 1:016x}",
            "name": "llm_request",
            "startTimeUnixNano": "1795000000000000000",
            "endTimeUnixNano": "1795000001000000000",
            "attributes": words(**{name.replace(".", "__"): value for name, value in TAGS.items()}),
        }
        for index in range(BATCH)
    ]
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "vllm"}, "spans": spans}]}]}


def eventually(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def queued(here: Near, exporter: str) -> float:
    """Bytes that wait for an exporter, by the collector's own count."""
    with urllib.request.urlopen(f"http://{here.metrics}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = re.findall(
        rf'^otelcol_exporter_queue_size\{{[^}}]*exporter="{exporter}"[^}}]*\}} (\S+)$', text, re.MULTILINE
    )
    return float(found[0]) if found else 0.0


def test_what_was_sent_while_the_uplink_was_gone_arrives_after_it_and_after_a_crash(
    otelcol: Path, centre: Centre, tmp_path: Path, until: ExitStack
) -> None:
    here = near(whole(planned("watch-gateway")), tmp_path, sink=centre.url)
    first = begin(here, otelcol, tmp_path, until)
    for number in range(10):
        told(here.otlp, "traces", batch(number))
    size = 10 * BATCH * 200
    eventually(lambda: queued(here, "otlphttp/traces") > size, first.tail())
    first.kill()
    begin(here, otelcol, tmp_path, until)
    assert centre.got == []
    centre.come()
    eventually(lambda: len(set(centre.span_ids())) == 10 * BATCH, "not all spans arrived")


def test_without_the_disk_a_crash_would_lose_it(
    otelcol: Path, centre: Centre, tmp_path: Path, until: ExitStack
) -> None:
    here = near(whole(planned("watch-gateway")), tmp_path, sink=centre.url)
    for exporter in here.config["exporters"].values():
        exporter["sending_queue"] = {"enabled": True, "queue_size": 2000}
    first = begin(here, otelcol, tmp_path, until)
    told(here.otlp, "traces", batch(0))
    time.sleep(1)
    first.kill()
    begin(here, otelcol, tmp_path, until)
    centre.come()
    told(here.otlp, "traces", batch(1))
    eventually(lambda: len(centre.span_ids()) >= BATCH, "nothing arrived")
    assert set(centre.span_ids()) == {span["spanId"] for span in batch(1)["resourceSpans"][0]["scopeSpans"][0]["spans"]}


def test_a_span_and_the_file_of_its_queue_are_no_larger_than_they_are_counted(
    otelcol: Path, centre: Centre, tmp_path: Path, until: ExitStack
) -> None:
    here = near(whole(planned("watch-gateway")), tmp_path, sink=centre.url)
    server = begin(here, otelcol, tmp_path, until)
    batches = 400
    for number in range(batches):
        told(here.otlp, "traces", batch(number))
    count = batches * BATCH
    eventually(lambda: queued(here, "otlphttp/traces") > count * 200, server.tail())
    time.sleep(1)
    size = queued(here, "otlphttp/traces")
    assert size / count <= buffering.SPAN_BYTES
    file = sum(path.stat().st_size for path in (tmp_path / "offsets" / "queues").iterdir())
    assert (file - buffering.FILE_BYTES) / size <= buffering.SLACK


def test_a_full_queue_keeps_what_it_has_and_tells_whoever_sends(
    otelcol: Path, centre: Centre, tmp_path: Path, until: ExitStack
) -> None:
    config = whole(planned("watch-gateway"))
    config["exporters"]["otlphttp/traces"]["sending_queue"]["queue_size"] = 20 * BATCH * buffering.SPAN_BYTES
    here = near(config, tmp_path, sink=centre.url)
    server = begin(here, otelcol, tmp_path, until)
    taken, refused = 0, list[int]()
    for number in range(60):
        try:
            told(here.otlp, "traces", batch(number))
            taken += 1
        except urllib.error.HTTPError as error:
            refused.append(error.code)
    assert taken >= 20
    assert len(refused) >= 20
    assert set(refused) == {503}  # by which programs know to try again
    centre.come()
    eventually(lambda: len(set(centre.span_ids())) >= taken * BATCH, server.tail())
    assert sorted(set(centre.span_ids())) == [f"{number + 1:016x}" for number in range(taken * BATCH)]


def test_lines_of_pods_wait_on_the_disk_of_their_node(
    otelcol: Path, centre: Centre, tmp_path: Path, until: ExitStack
) -> None:
    config = planned("watch-agent")
    config["receivers"]["filelog"] |= {"start_at": "beginning", "poll_interval": "100ms"}
    here = near(config, tmp_path, sink=centre.url, pod={"k8s.node.name": "lys-edge-001"})
    folder = (
        tmp_path / "pods" / "kueue-system_manager-7c9f8d6b5c-x2x4v_2f6d0f6e-3c1e-4c57-9a53-0d8f3c6f2b11" / "manager"
    )
    folder.mkdir(parents=True)
    lines, text = 2_000, "x" * 200
    written = "".join(f"2026-11-28T12:00:00.000000000Z stdout F {number} {text}\n" for number in range(lines))
    (folder / "0.log").write_text(written, encoding="utf-8")
    first = begin(here, otelcol, tmp_path, until)
    eventually(lambda: queued(here, "otlphttp/logs") > lines * 200, first.tail())
    time.sleep(1)
    assert queued(here, "otlphttp/logs") / lines <= buffering.LINE_BYTES
    first.kill()
    begin(here, otelcol, tmp_path, until)
    centre.come()
    eventually(lambda: f"{lines - 1} {text}" in json.dumps(centre.got), "the last line didn't arrive")
    assert all(f'"{number} {text}"' in json.dumps(centre.got) for number in (0, 1, lines // 2))


def test_lines_that_find_the_queue_of_their_node_full_wait_in_their_files(
    otelcol: Path, centre: Centre, tmp_path: Path, until: ExitStack
) -> None:
    config = planned("watch-agent")
    config["receivers"]["filelog"] |= {"start_at": "beginning", "poll_interval": "100ms"}
    config["exporters"]["otlphttp/logs"]["sending_queue"]["queue_size"] = 1_000_000
    here = near(config, tmp_path, sink=centre.url, pod={"k8s.node.name": "lys-edge-001"})
    folder = tmp_path / "pods" / "kueue-system_manager-1_0000-1" / "manager"
    folder.mkdir(parents=True)
    lines, text = 10_000, "x" * 200
    written = "".join(f"2026-11-28T12:00:00.000000000Z stdout F {number} {text}\n" for number in range(lines))
    (folder / "0.log").write_text(written, encoding="utf-8")
    server = begin(here, otelcol, tmp_path, until)
    eventually(lambda: queued(here, "otlphttp/logs") > 800_000, server.tail())
    time.sleep(1)
    assert queued(here, "otlphttp/logs") <= 1_000_000
    centre.come()
    eventually(lambda: f"{lines - 1} {text}" in json.dumps(centre.got), "the last line didn't arrive")
    everything = json.dumps(centre.got)
    assert not [number for number in range(lines) if f'"{number} {text}"' not in everything]


def test_every_exporter_that_leaves_the_site_waits_on_disk_without_end() -> None:
    for name in ("watch-gateway", "watch-agent"):
        found = planned(name)
        for exporter, body in found["exporters"].items():
            outside = body["endpoint"].startswith("https://")
            assert (body["sending_queue"].get("storage") == QUEUE) == outside, exporter
            assert (body["retry_on_failure"]["max_elapsed_time"] == "0s") == outside, exporter
        assert QUEUE in found["service"]["extensions"]


def test_the_reading_of_metrics_is_one_that_prometheus_takes(tmp_path: Path) -> None:
    """The collector's reader takes what Prometheus takes, once $$ is $."""
    try:
        promtool = paths("promtool")["promtool"]
    except Missing as missing:
        pytest.skip(str(missing))
    found = planned("watch-gateway")["receivers"]["prometheus"]["config"]
    path = tmp_path / "prometheus.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(found).replace("$$", "$"))), encoding="utf-8")
    ran = subprocess.run([promtool, "check", "config", path], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
