"""Configuration of collectors: order, what passes, and what never does."""

import re
from typing import Any

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.observability import collector
from support.watching import EU, GIVEN, PAGER, watched

KNOWN = {
    "receivers": {"otlp", "filelog"},
    "processors": {
        "memory_limiter",
        "k8sattributes",
        "resource",
        "transform",
        "filter",
        "probabilistic_sampler",
        "batch",
    },
    "exporters": {"otlphttp"},
    "extensions": {"health_check", "file_storage"},
}
"""Components of opentelemetry-collector-k8s. Source: opentelemetry-collector-releases distributions/otelcol-k8s."""
ALLOWED = {**EU, "prompts_in_telemetry": True}


def configurations(**fields: Any) -> dict[str, Any]:
    bodies = watched(**fields).bodies
    return {name: bodies[f"OpenTelemetryCollector/watch-{name}"]["spec"]["config"] for name in ("gateway", "agent")}


def statements(found: Any, signal: str, context: str) -> list[str]:
    groups = found["processors"]["transform/prompts"][f"{signal}_statements"]
    return [line for group in groups if group["context"] == context for line in group["statements"]]


@pytest.mark.parametrize("name", ["gateway", "agent"])
def test_a_collector_uses_what_its_distribution_has(name: str) -> None:
    for section, kind in collector.components(configurations()[name]):
        assert kind in KNOWN[section]


@pytest.mark.parametrize("fields", [{}, {"traces_percent": 100.0}, {"signals": ["logs"]}])
def test_memory_is_limited_first_and_batches_come_last(fields: dict[str, Any]) -> None:
    for found in [configurations(**fields)["gateway"], configurations(**fields)["agent"]]:
        for pipeline in found["service"]["pipelines"].values():
            assert pipeline["processors"][0] == "memory_limiter"
            assert pipeline["processors"][-1] == "batch"
            assert set(pipeline["processors"]) <= set(found["processors"])
            assert set(pipeline["exporters"]) <= set(found["exporters"])
        named = {name for each in found["service"]["pipelines"].values() for name in each["processors"]}
        assert set(found["processors"]) == named


def test_every_pipeline_drops_text_before_it_sends() -> None:
    found = configurations()
    for pipeline in found["gateway"]["service"]["pipelines"].values():
        assert "transform/prompts" in pipeline["processors"]
    assert "transform/lines" in found["agent"]["service"]["pipelines"]["logs"]["processors"]


def test_no_attribute_that_holds_text_passes() -> None:
    found = configurations()["gateway"]
    rows = Catalog.shipped().rows("conventions.attributes")
    text = [row.text("attribute") for row in rows if row.value("holds_text")]
    assert len(text) > 5
    for signal, context in (("trace", "span"), ("trace", "resource"), ("log", "log"), ("metric", "datapoint")):
        keep = next(line for line in statements(found, signal, context) if line.startswith("keep_keys("))
        kept = re.findall(r'"([^"]+)"', keep)
        assert "gen_ai.request.model" in kept
        assert not set(kept) & set(text)


def test_bodies_names_and_events_of_spans_hold_no_text_either() -> None:
    found = configurations()["gateway"]
    assert f'set(log.body, "{collector.DROPPED}")' in statements(found, "log", "log")
    assert 'set(span.status.message, "")' in statements(found, "trace", "span")
    assert "keep_keys(spanevent.attributes, [])" in statements(found, "trace", "spanevent")
    assert [line for line in statements(found, "trace", "span") if line.startswith('set(span.name, "span") where not')]


def test_an_error_stops_the_record_instead_of_letting_it_pass() -> None:
    for found in configurations().values():
        for name, processor in found["processors"].items():
            if name.startswith(("transform", "filter")):
                assert processor["error_mode"] == "propagate"


def test_lines_pass_of_namespaces_alone_where_nobody_sees_prompts() -> None:
    found = configurations()["agent"]["processors"]["transform/lines"]["log_statements"]
    (drop,) = [line for group in found for line in group["statements"] if line.startswith("set(log.body")]
    (pattern,) = re.findall(r'IsMatch\(.*, "(.*)"\)$', drop)
    passes = re.compile(pattern.replace("$$", "$").replace("\\\\", "\\"))
    assert passes.search("kueue-system")
    assert passes.search("kube-system")
    for name in ("assist", "kueue-system-2", "loki", "tempo", "envoy-gateway-system", "kserve", "watch", ""):
        assert not passes.search(name), name


def test_a_program_is_not_believed_who_it_is() -> None:
    found = configurations()["gateway"]
    for pipeline in found["service"]["pipelines"].values():
        order = pipeline["processors"]
        assert order.index("transform/identity") < order.index("k8sattributes")
    told = found["processors"]["transform/identity"]["trace_statements"][0]["statements"]
    assert 'delete_key(resource.attributes, "aifactory.tenant")' in told
    assert 'delete_key(resource.attributes, "k8s.pod.uid")' in told


def test_text_is_kept_where_the_class_says_so() -> None:
    found = configurations(prompt_text="keep", classes={"customer": ALLOWED})
    for each in found.values():
        assert not [name for name in each["processors"] if name in ("transform/prompts", "transform/lines")]


def test_an_agent_asks_for_the_pods_of_its_own_node_alone() -> None:
    agent, gateway = configurations()["agent"], configurations()["gateway"]
    assert agent["processors"]["k8sattributes"]["filter"] == {"node_from_env_var": "KUBE_NODE_NAME"}
    assert "filter" not in gateway["processors"]["k8sattributes"]  # whoever sends to it is on any node
    (body,) = [each for name, each in watched().bodies.items() if name == "OpenTelemetryCollector/watch-agent"]
    assert [each["name"] for each in body["spec"]["env"]][:1] == ["KUBE_NODE_NAME"]


def test_the_only_variables_are_tokens_of_secrets() -> None:
    sink = {**PAGER, "name": "central", "kind": "loki", "url": "https://loki.example.com"}
    seen = watched({**GIVEN, "sinks": [PAGER, sink]})
    body = seen.bodies["OpenTelemetryCollector/watch-agent"]["spec"]
    assert re.findall(r"\$\{[^}]*\}", str(body["config"])) == ["${env:TOKEN_LOGS}"]
    assert body["env"] == [
        {"name": "KUBE_NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "TOKEN_LOGS", "valueFrom": {"secretKeyRef": {"name": "pager", "key": "token"}}},
    ]
    assert "${" not in str(configurations()["agent"])
