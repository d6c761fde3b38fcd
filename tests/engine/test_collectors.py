"""The collectors' real components take the configuration of shipped stacks, and no text of a prompt passes them."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from aifactory.components.observability import collector
from aifactory.components.rows import KubernetesRow
from support import shipped
from support.proving.processes import Server, answers, free_port
from support.proving.tools import Missing, paths
from support.watching import EU, watched

pytestmark = pytest.mark.engine

STACKS = [name for name in shipped.STACKS if name.startswith("sovereign-inference")]
NAMED = "chat llama-3.3-70b"
"""Name of a span as the conventions make it."""
SECRET = "please tell nobody about project heron"
ALLOWED = {**EU, "prompts_in_telemetry": True}
Start = Callable[[dict[str, Any], str], Path]


@pytest.fixture(scope="module")
def otelcol() -> Path:
    """A collector of the release that the operator starts."""
    try:
        return paths("otelcol")["otelcol"]
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def start(otelcol: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts a collector on loopback that writes what it would send to a file; returns the file."""
    with ExitStack() as until:

        def run(config: dict[str, Any], health: str) -> Path:
            path = tmp_path / "config.yaml"
            path.write_text(yaml.safe_dump(config), encoding="utf-8")
            server = Server("otelcol", [otelcol, f"--config=file:{path}"], tmp_path)
            until.callback(server.kill)
            server.wait_until(lambda: answers(f"http://{health}"))
            return tmp_path / "sent.jsonl"

        yield run


def near(config: dict[str, Any], folder: Path) -> tuple[dict[str, Any], str, str]:
    """The same configuration on this machine: loopback, a file instead of a destination, and no cluster to ask.

    Returns it with the addresses of OTLP and of its health.
    """
    otlp, health, metrics = (f"127.0.0.1:{free_port()}" for _ in range(3))
    text = json.dumps(config)
    text = text.replace("0.0.0.0:4318", otlp).replace("0.0.0.0:13133", health)
    text = text.replace("0.0.0.0:4317", f"127.0.0.1:{free_port()}").replace('"host": "0.0.0.0"', '"host": "127.0.0.1"')
    text = text.replace("8888", metrics.partition(":")[2]).replace(collector.POD_LOGS, str(folder / "pods"))
    near: dict[str, Any] = json.loads(text.replace(collector.OFFSETS, str(folder / "offsets")))
    near["exporters"] = {"file": {"path": str(folder / "sent.jsonl"), "flush_interval": "100ms"}}
    near["processors"].pop("k8sattributes")
    near["processors"]["batch"]["timeout"] = "100ms"
    for pipeline in near["service"]["pipelines"].values():
        pipeline["exporters"] = ["file"]
        pipeline["processors"] = [name for name in pipeline["processors"] if name in near["processors"]]
    return near, otlp, health


def configuration(name: str, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = watched(traces_percent=100.0, **fields).bodies[f"OpenTelemetryCollector/watch-{name}"]
    return dict(found["spec"]["config"])


def words(**attributes: object) -> list[dict[str, Any]]:
    kinds = {str: "stringValue", int: "intValue"}
    return [{"key": key.replace("__", "."), "value": {kinds[type(value)]: value}} for key, value in attributes.items()]


FULL_OF_TEXT = words(
    gen_ai__input__messages=SECRET,
    gen_ai__prompt=SECRET,
    input__value=SECRET,
    a_name_of_tomorrow=SECRET,
    url__query=SECRET,
    exception__message=SECRET,
    gen_ai__request__model="llama-3.3-70b",
    gen_ai__usage__input_tokens=17,
)
RESOURCE = {"attributes": [*FULL_OF_TEXT, *words(service__name="app", aifactory__tenant="somebody-else")]}
SCOPE = {"name": "app", "attributes": FULL_OF_TEXT}
NOW = "1795000000000000000"


def spans() -> dict[str, Any]:
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
    record = {"timeUnixNano": NOW, "body": {"stringValue": SECRET}, "attributes": FULL_OF_TEXT}
    return {"resourceLogs": [{"resource": RESOURCE, "scopeLogs": [{"scope": SCOPE, "logRecords": [record]}]}]}


def metrics() -> dict[str, Any]:
    point = {"timeUnixNano": NOW, "asInt": "7", "attributes": FULL_OF_TEXT}
    known = {"name": "gen_ai.client.token.usage", "description": SECRET, "gauge": {"dataPoints": [point]}}
    other = {"name": SECRET.replace(" ", "_"), "gauge": {"dataPoints": [point]}}
    return {"resourceMetrics": [{"resource": RESOURCE, "scopeMetrics": [{"scope": SCOPE, "metrics": [known, other]}]}]}


def told(address: str, signal: str, body: dict[str, Any]) -> None:
    data, kind = json.dumps(body).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://{address}/v1/{signal}", data, kind)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def sent(server_file: Path, enough: Callable[[str], bool]) -> str:
    """What the collector has sent, once it is enough."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        text = server_file.read_text(encoding="utf-8") if server_file.exists() else ""
        if enough(text):
            return text
        time.sleep(0.1)
    raise AssertionError(f"not sent: {text[-2_000:]}")


@pytest.mark.parametrize("name", STACKS)
def test_a_collector_takes_the_configuration_of_a_shipped_stack(otelcol: Path, name: str, tmp_path: Path) -> None:
    stack, seen = shipped.stacks()[name], 0
    for row in stack.rows:
        if isinstance(row, KubernetesRow) and row.id.startswith("OpenTelemetryCollector."):
            body: Any = stack.plain_tree(row)
            path = tmp_path / f"{row.name}.yaml"
            config = json.loads(json.dumps(body["spec"]["config"]).replace(collector.OFFSETS, str(tmp_path)))
            path.write_text(yaml.safe_dump(config), encoding="utf-8")
            env = {**os.environ, **{each["name"]: "token" for each in body["spec"].get("env", ())}}
            ran = subprocess.run(
                [otelcol, "validate", f"--config=file:{path}"], env=env, capture_output=True, text=True, check=False
            )
            assert ran.returncode == 0, ran.stdout + ran.stderr
            seen += 1
    assert seen == 2


def test_a_configuration_that_is_wrong_is_refused(otelcol: Path, tmp_path: Path) -> None:
    config = configuration("gateway")
    config["processors"]["transform/prompts"]["log_statements"][2]["statements"] = ["sett(log.body, 1)"]
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    ran = subprocess.run([otelcol, "validate", f"--config=file:{path}"], capture_output=True, text=True, check=False)
    assert ran.returncode != 0


@pytest.mark.parametrize("kept", [False, True], ids=["dropped", "kept"])
def test_what_programs_send_leaves_without_text_unless_it_is_allowed(start: Start, tmp_path: Path, kept: bool) -> None:
    fields: dict[str, Any] = {"prompt_text": "keep", "classes": {"customer": ALLOWED}} if kept else {}
    config, otlp, health = near(configuration("gateway", **fields), tmp_path)
    found = start(config, health)
    for signal, body in (("traces", spans()), ("logs", logs()), ("metrics", metrics())):
        told(otlp, signal, body)
    kinds = ("resourceSpans", "resourceLogs", "resourceMetrics")
    text = sent(found, lambda so_far: all(kind in so_far for kind in kinds))
    assert ("heron" in text) == kept
    assert text.count("llama-3.3-70b") >= 3
    assert "gen_ai.client.token.usage" in text
    assert f'"name":"{NAMED}"' in text
    assert "somebody-else" not in text
    assert '"stringValue":"lab"' in text


def test_lines_leave_of_namespaces_alone_where_nobody_sees_prompts(start: Start, tmp_path: Path) -> None:
    config, _, health = near(configuration("agent"), tmp_path)
    config["receivers"]["filelog"]["start_at"] = "beginning"
    config["receivers"]["filelog"]["poll_interval"] = "100ms"
    spaces = ("kueue-system", "assist", "envoy-gateway-system", "kueue-system-2")
    for index, space in enumerate(spaces):
        folder = tmp_path / "pods" / f"{space}_pod-{index}_0000-{index}" / "main"
        folder.mkdir(parents=True)
        line = f"2026-11-28T12:00:00.000000000Z stdout F line of {space}: {SECRET}\n"
        (folder / "0.log").write_text(line, encoding="utf-8")
    text = sent(start(config, health), lambda so_far: all(f'"stringValue":"{space}"' in so_far for space in spaces))
    assert f"line of kueue-system: {SECRET}" in text
    assert text.count("heron") == 1
    assert text.count(collector.DROPPED) == len(spaces) - 1
