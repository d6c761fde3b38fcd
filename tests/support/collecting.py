"""Configurations of collectors on this machine, and telemetry that is full of text."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from aifactory.components.observability import collector
from aifactory.components.observability.decided import OFFSETS
from support.proving.processes import free_port
from support.watching import watched

NAMED = "chat llama-3.3-70b"
"""Name of a span as the conventions make it."""
SECRET = "please tell nobody about project heron"


POD = {
    "k8s.namespace.name": "assist",
    "k8s.pod.name": "chat-7c9f8d6b5c-x2x4v",
    "k8s.pod.uid": "2f6d0f6e-3c1e-4c57-9a53-0d8f3c6f2b11",
    "k8s.node.name": "edge-node-001",
    "k8s.container.name": "kserve-container",
    "aifactory.tenant": "assist",
    "aifactory.model": "llama-3.3-70b",
}
"""What Kubernetes says of the pod that sends."""


class Near(Struct, frozen=True):
    """A configuration of ours on this machine: loopback, no cluster to ask."""

    config: dict[str, Any]
    otlp: str
    health: str
    metrics: str


def near(config: dict[str, Any], folder: Path, pod: Mapping[str, str] = POD, sink: str = "") -> Near:
    """The same configuration on this machine. It writes to a file instead of its destinations, or sends to `sink`.

    The reader of Prometheus is no part of the collector of these tests: who sends by OTLP stands in for it.
    """
    otlp, health, metrics = (f"127.0.0.1:{free_port()}" for _ in range(3))
    text = json.dumps(config)
    text = text.replace("0.0.0.0:4318", otlp).replace("0.0.0.0:13133", health)
    text = text.replace("0.0.0.0:4317", f"127.0.0.1:{free_port()}").replace('"host": "0.0.0.0"', '"host": "127.0.0.1"')
    text = text.replace("8888", metrics.partition(":")[2]).replace(collector.POD_LOGS, str(folder / "pods"))
    near: dict[str, Any] = without_prometheus(json.loads(text.replace(OFFSETS, str(folder / "offsets"))))
    told = [{"key": key, "value": value, "action": "upsert"} for key, value in pod.items()]
    near["processors"] = {
        name: {"attributes": told} if name == "k8sattributes" else body for name, body in near["processors"].items()
    }
    near["processors"]["resource/pod"] = near["processors"].pop("k8sattributes")
    if "batch" in near["processors"]:
        near["processors"]["batch"]["timeout"] = "100ms"
    for name, body in near["exporters"].items():
        body |= {"endpoint": f"{sink}/{name.partition('/')[2]}", "encoding": "json", "compression": "none"}
        body["retry_on_failure"] |= {"initial_interval": "100ms", "max_interval": "500ms"}
    if not sink:
        near["exporters"] = {"file": {"path": str(folder / "sent.jsonl"), "flush_interval": "100ms"}}
    for pipeline in near["service"]["pipelines"].values():
        pipeline["exporters"] = pipeline["exporters"] if sink else ["file"]
        pipeline["processors"] = [
            "resource/pod" if name == "k8sattributes" else name for name in pipeline["processors"]
        ]
    return Near(near, otlp, health, metrics)


def without_prometheus(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration without the reader of Prometheus, which the collector of these tests doesn't have."""
    config["receivers"].pop("prometheus", None)
    for pipeline in config["service"]["pipelines"].values():
        pipeline["receivers"] = ["otlp" if name == "prometheus" else name for name in pipeline["receivers"]]
    return config


def configuration(name: str, **fields: Any) -> dict[str, Any]:
    """That of a collector of ours."""
    found: dict[str, Any] = watched(traces_percent=100.0, **fields).bodies[f"OpenTelemetryCollector/watch-{name}"]
    return dict(found["spec"]["config"])


def words(**attributes: object) -> list[dict[str, Any]]:
    """Attributes of OTLP; two underscores are a dot."""
    kinds = {str: "stringValue", int: "intValue"}
    return [{"key": key.replace("__", "."), "value": {kinds[type(value)]: value}} for key, value in attributes.items()]


FULL_OF_TEXT = words(
    gen_ai__input__messages=SECRET,
    gen_ai__prompt=SECRET,
    gen_ai__prompt__0__content=SECRET,
    gen_ai__completion=SECRET,
    gen_ai__output__messages=SECRET,
    gen_ai__system_instructions=SECRET,
    llm__input_messages=SECRET,
    input__value=SECRET,
    a_name_of_tomorrow=SECRET,
    url__query=SECRET,
    exception__message=SECRET,
    tenant__id="somebody-else",
    gen_ai__request__model="llama-3.3-70b",
    gen_ai__usage__input_tokens=17,
)
RESOURCE = {"attributes": [*FULL_OF_TEXT, *words(service__name="app", aifactory__tenant="somebody-else")]}
SCOPE = {"name": "app", "attributes": FULL_OF_TEXT}
NOW = "1795000000000000000"


def spans() -> dict[str, Any]:
    """A span that is text all over, and one with a name as it should be."""
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "name": SECRET,
        "kind": 3,
        "startTimeUnixNano": NOW,
        "endTimeUnixNano": NOW,
        "traceState": f"a={SECRET.replace(' ', '_')}",
        "attributes": FULL_OF_TEXT,
        "status": {"code": 2, "message": SECRET},
        "events": [{"name": SECRET, "timeUnixNano": NOW, "attributes": FULL_OF_TEXT}],
    }
    plain = {**span, "spanId": "eee19b7ec3c1b175", "name": NAMED, "events": []}
    return {"resourceSpans": [{"resource": RESOURCE, "scopeSpans": [{"scope": SCOPE, "spans": [span, plain]}]}]}


def logs() -> dict[str, Any]:
    """A record that is text all over."""
    record = {"timeUnixNano": NOW, "body": {"stringValue": SECRET}, "attributes": FULL_OF_TEXT}
    return {"resourceLogs": [{"resource": RESOURCE, "scopeLogs": [{"scope": SCOPE, "logRecords": [record]}]}]}


def metrics() -> dict[str, Any]:
    """A metric that the conventions know, and one whose name is text."""
    point = {"timeUnixNano": NOW, "asInt": "7", "attributes": FULL_OF_TEXT}
    known = {"name": "gen_ai.client.token.usage", "description": SECRET, "gauge": {"dataPoints": [point]}}
    other = {"name": SECRET.replace(" ", "_"), "gauge": {"dataPoints": [point]}}
    return {"resourceMetrics": [{"resource": RESOURCE, "scopeMetrics": [{"scope": SCOPE, "metrics": [known, other]}]}]}


def told(address: str, signal: str, body: dict[str, Any]) -> None:
    """Send to a collector, which must take it."""
    data, kind = json.dumps(body).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://{address}/v1/{signal}", data, kind)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def sent(server_file: Path, enough: Callable[[str], bool]) -> str:
    """What the collector has sent, once it is enough."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        text = server_file.read_text(encoding="utf-8") if server_file.exists() else ""
        if text.endswith("\n") and enough(text):  # else the last line is half written
            return text
        time.sleep(0.1)
    raise AssertionError(f"not sent: {text[-2_000:]}")
