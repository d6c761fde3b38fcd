"""What a person may write about observability, and what a site may say of destinations."""

from typing import Any

import pytest
from pydantic import ValidationError

from aifactory.components.given_telemetry import TelemetryGiven
from aifactory.components.observability.spec import ObservabilitySpec
from support.watching import GIVEN, PAGER, STORE


def spec(**fields: Any) -> ObservabilitySpec:
    return ObservabilitySpec.model_validate({"kind": "observability", "name": "watch", **fields})


def test_prompts_are_dropped_when_nothing_is_said() -> None:
    assert (spec().prompt_text, spec().signals, spec().data_class) == ("drop", ["logs", "traces"], None)


@pytest.mark.parametrize(
    "fields",
    [
        {"signals": ["logs", "logs"]},
        {"signals": ["metrics"]},
        {"promises": [{"model": "llama-3.3-70b", "ttft_p99_ms": 1}, {"model": "llama-3.3-70b", "ttft_p99_ms": 2}]},
        {"promises": [{"model": "llama-3.3-70b", "ttft_p99_ms": 0}]},
        {"traces_percent": 0},
        {"prompt_text": "mask"},
        {"grafana_secret": "a b"},
        {"limits": {"certificate_days": 90}},
    ],
)
def test_what_does_not_fit_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        spec(**fields)


@pytest.mark.parametrize(
    "given",
    [
        {"sinks": [{**PAGER, "kind": "otlp"}]},
        {"sinks": [{**PAGER, "signals": ["logs"]}]},
        {"sinks": [{**PAGER, "organisation": "a"}]},
        {"sinks": [PAGER, PAGER]},
        {"sinks": [PAGER, {**PAGER, "name": "other"}]},
        {"sinks": [{**PAGER, "kind": "otlp", "signals": ["logs", "logs"]}]},
        {"sinks": [{**PAGER, "url": "https://user:word@alerts.example.com"}]},
        {"sinks": [{**PAGER, "url": "https://alerts.example.com/?token=a"}]},
        {"sinks": [{**PAGER, "url": "ftp://alerts.example.com"}]},
        {"store": {**STORE, "endpoint": "https://s3.example.com"}},
        {"store": {**STORE, "logs": "Logs"}},
    ],
)
def test_a_destination_that_does_not_fit_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TelemetryGiven.model_validate(given)


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("https://a.example.com", 443),
        ("http://a.example.com/x", 80),
        ("https://a.example.com:8443/x/y", 8443),
    ],
)
def test_a_destination_knows_its_port(url: str, port: int) -> None:
    (sink,) = TelemetryGiven.model_validate({"sinks": [{**PAGER, "url": url}]}).sinks
    assert sink.port == port


def test_a_store_knows_its_port() -> None:
    given = TelemetryGiven.model_validate(GIVEN)
    assert given.store is not None
    assert given.store.port == 443
    other = TelemetryGiven.model_validate({"store": {**STORE, "endpoint": "s3.example.com:9000"}}).store
    assert other is not None
    assert other.port == 9000
