"""The collectors' real components take the configuration of shipped stacks, and no text of a prompt passes them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from aifactory.components.observability import collector
from aifactory.components.observability.decided import OFFSETS, PROXIES
from aifactory.components.rows import KubernetesRow
from aifactory.components.tracing import MODEL_TAG, REQUEST_TAG, SITE_TAG, TENANT_TAG
from support import shipped
from support.collecting import (
    NAMED,
    POD,
    SCOPE,
    SECRET,
    configuration,
    logs,
    metrics,
    near,
    sent,
    spans,
    told,
    without_prometheus,
    words,
)
from support.proving.processes import Server, answers
from support.watching import EU

pytestmark = pytest.mark.engine

STACKS = [name for name in shipped.GIVEN if name.startswith(("sovereign-inference", "edge-slm"))]
ALLOWED = {**EU, "prompts_in_telemetry": True}
Start = Callable[[dict[str, Any], str], Path]


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


@pytest.mark.parametrize("name", STACKS)
def test_a_collector_takes_the_configuration_of_a_shipped_stack(otelcol: Path, name: str, tmp_path: Path) -> None:
    stack, seen = shipped.stacks()[name], 0
    for row in stack.rows:
        if isinstance(row, KubernetesRow) and row.id.startswith("OpenTelemetryCollector."):
            body: Any = stack.plain_tree(row)
            path = tmp_path / f"{row.name}.yaml"
            config = without_prometheus(json.loads(json.dumps(body["spec"]["config"]).replace(OFFSETS, str(tmp_path))))
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
    here = near(configuration("gateway", **fields), tmp_path)
    found = start(here.config, here.health)
    for signal, body in (("traces", spans()), ("logs", logs()), ("metrics", metrics())):
        told(here.otlp, signal, body)
    kinds = ("resourceSpans", "resourceLogs", "resourceMetrics")
    text = sent(found, lambda so_far: all(kind in so_far for kind in kinds))
    assert ("heron" in text) == kept
    assert text.count("llama-3.3-70b") >= 3
    assert "gen_ai.client.token.usage" in text
    assert f'"name":"{NAMED}"' in text
    assert "somebody-else" not in text
    assert '"stringValue":"lab"' in text


def test_lines_leave_of_namespaces_alone_where_nobody_sees_prompts(start: Start, tmp_path: Path) -> None:
    here = near(configuration("agent"), tmp_path, pod={"k8s.node.name": "edge-1"})
    config, health = here.config, here.health
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


ASKED = {
    "request_id": "0f8fad5b",
    "tenant": "assist",
    "user": "u-7",
    "model": "chat",
    "total_tokens": 812,
    "path": SECRET,
}


def test_a_gateways_access_log_leaves_with_its_own_fields_alone(start: Start, tmp_path: Path) -> None:
    stack = shipped.stacks()["sovereign-inference-fra-dc1-platform"]
    (row,) = [row for row in stack.rows if row.id.startswith("OpenTelemetryCollector.") and row.id.endswith("-agent")]
    assert isinstance(row, KubernetesRow)
    body: Any = stack.plain_tree(row)
    here = near(body["spec"]["config"], tmp_path, pod={"k8s.node.name": "edge-1"})
    here.config["receivers"]["filelog"] |= {"start_at": "beginning", "poll_interval": "100ms"}
    lines = {
        (PROXIES, "asked"): json.dumps(ASKED),
        (PROXIES, "broken"): '{"request_id": ' + SECRET,
        (PROXIES, "operator"): json.dumps({"level": "info", "msg": SECRET}),
        # Another first field: the receiver takes files that begin alike for one.
        ("assist", "forged"): json.dumps({"model": "mine", **ASKED}),
    }
    for index, ((space, name), line) in enumerate(lines.items()):
        folder = tmp_path / "pods" / f"{space}_{name}_0000-{index}" / "envoy"
        folder.mkdir(parents=True)
        (folder / "0.log").write_text(f"2026-11-28T12:00:00.000000000Z stdout F {line}\n", encoding="utf-8")
    text = sent(start(here.config, here.health), lambda so_far: so_far.count('"body"') >= len(lines))
    assert "heron" not in text
    assert text.count(collector.DROPPED) == len(lines) - 1
    assert text.count('{"key":"tenant","value":{"stringValue":"assist"}}') == 1
    assert text.count("0f8fad5b") == 1
    assert '"path"' not in text


def of_a_door(**tags: object) -> dict[str, Any]:
    """A span as a proxy sends it: with tags of ours, and with those that Envoy writes itself."""
    own = words(http__url=f"https://door/v1?{SECRET}", user_agent=SECRET, node_id="envoy-door", component="proxy")
    span = {**PLAIN, "name": "ingress", "kind": 2, "attributes": [*words(**tags), *own]}
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": SCOPE, "spans": [span]}]}]}


PLAIN = {
    "traceId": "5b8efff798038103d269b633813fc60c",
    "spanId": "eee19b7ec3c1b174",
    "startTimeUnixNano": "1795000000000000000",
    "endTimeUnixNano": "1795000000000000000",
}
TAGS = {TENANT_TAG: "assist", MODEL_TAG: "llama-3.3-70b", SITE_TAG: "lab", REQUEST_TAG: "0f8fad5b"}


@pytest.mark.parametrize("namespace", [PROXIES, "assist"])
def test_a_span_says_whose_request_it_is_where_a_door_sent_it_alone(
    start: Start, tmp_path: Path, namespace: str
) -> None:
    here = near(configuration("gateway"), tmp_path, pod={**POD, "k8s.namespace.name": namespace})
    found = start(here.config, here.health)
    told(here.otlp, "traces", of_a_door(**{name.replace(".", "__"): value for name, value in TAGS.items()}))
    text = sent(found, lambda so_far: "resourceSpans" in so_far)
    (scope,) = json.loads(text)["resourceSpans"][0]["scopeSpans"]
    kept = {each["key"]: each["value"]["stringValue"] for each in scope["spans"][0]["attributes"]}
    wanted = TAGS if namespace == PROXIES else {key: value for key, value in TAGS.items() if key != TENANT_TAG}
    assert kept == wanted
    assert "heron" not in text


def test_a_span_of_the_engine_has_the_names_of_the_conventions_and_its_model(start: Start, tmp_path: Path) -> None:
    here = near(configuration("gateway"), tmp_path)
    found = start(here.config, here.health)
    counts = words(gen_ai__usage__prompt_tokens=600, gen_ai__usage__completion_tokens=150, gen_ai__request__id="cmpl-1")
    span = {**PLAIN, "name": "llm_request", "kind": 2, "attributes": counts}
    told(here.otlp, "traces", {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": [span]}]}]})
    text = sent(found, lambda so_far: "resourceSpans" in so_far)
    (scope,) = json.loads(text)["resourceSpans"][0]["scopeSpans"]
    kept = {each["key"]: next(iter(each["value"].values())) for each in scope["spans"][0]["attributes"]}
    assert kept == {
        "gen_ai.usage.input_tokens": "600",
        "gen_ai.usage.output_tokens": "150",
        "gen_ai.request.id": "cmpl-1",
        MODEL_TAG: "llama-3.3-70b",
    }
    assert scope["spans"][0]["name"] == "llm_request"
