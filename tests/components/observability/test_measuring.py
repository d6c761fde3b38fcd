"""Where the first token is measured: at the door that users ask, or at the engine where there is none."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.observability import alerts
from aifactory.components.offers import ModelOffer, PricedModel
from support.watching import CHAT, DOOR, GATE, watched

GOVERNED = replace(GATE, priced=(PricedModel(("llama-3.3-70b", "chat"), ("chat",)),))
VECTORS = replace(CHAT, dimension=1024, task="embed")
ENGINE, AT_DOOR = "vllm:time_to_first_token_seconds_bucket", "gen_ai_server_time_to_first_token_seconds_bucket"


def promised(model: ModelOffer, *offers: object, ms: float = 2_000) -> tuple[str, str]:
    """Series of the alert, and where it says it is measured."""
    seen = watched(offers=(model, *offers), promises=[{"model": model.model, "ttft_p99_ms": ms}])
    (late,) = [
        alert for group in alerts.groups(seen.plan) for alert in group.alerts if alert.name == "ModelFirstTokenLate"
    ]
    at = dict(late.labels)["measured_at"]
    assert seen.site_plan.decisions["watch.first_token"].value == {model.model: at}
    return late.expression, at


@pytest.mark.parametrize(
    ("model", "offers", "ms", "series", "at"),
    [
        (CHAT, (DOOR, GOVERNED), 2_000, AT_DOOR, "gateway"),
        (CHAT, (DOOR, GOVERNED), 10_000, AT_DOOR, "gateway"),
        # Above its last bound the door's histogram says its last bound: an alert on it would never call.
        (CHAT, (DOOR, GOVERNED), 10_001, ENGINE, "engine"),
        (CHAT, (DOOR,), 2_000, ENGINE, "engine"),
        (CHAT, (), 2_000, ENGINE, "engine"),
        (replace(CHAT, part="other"), (DOOR, GOVERNED), 2_000, ENGINE, "engine"),
        (VECTORS, (DOOR, GOVERNED), 30_000, "gen_ai_server_request_duration_seconds_bucket", "gateway"),
        (VECTORS, (), 2_000, "vllm:e2e_request_latency_seconds_bucket", "engine"),
    ],
)
def test_a_promise_is_measured_where_users_ask(
    model: ModelOffer, offers: tuple[Any, ...], ms: float, series: str, at: str
) -> None:
    expression, said = promised(model, *offers, ms=ms)
    assert f"rate({series}{{" in expression
    assert said == at


def test_a_door_is_asked_by_its_name_and_by_every_name_of_the_model() -> None:
    expression, _ = promised(CHAT, DOOR, GOVERNED)
    assert 'gateway_envoyproxy_io_owning_gateway_name=~"door"' in expression
    assert 'gen_ai_original_model=~"llama-3\\\\.3-70b|chat"' in expression
