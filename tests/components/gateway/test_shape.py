"""The rows of a gateway."""

from typing import Any

import pytest

from support.gateways import KEYS, LARGE, OIDC, POOL, SMALL, planned, provider
from support.schemas import Schemas

FULL: dict[str, Any] = {
    "offers": (POOL, SMALL, LARGE),
    "sign_in": {
        "oidc": {**OIDC, "ca": "login-ca"},
        "keys": {**KEYS, "source": {"store": "vault", "key": "ai/door/keys"}},
    },
    "providers": [
        provider(),
        provider(
            "blue", api="azure-openai", api_version="2024-10-21", credential={"kind": "azure-api-key", "secret": "b"}
        ),
        provider("claude", api="anthropic", credential={"kind": "anthropic-api-key", "secret": "c"}, ca="corp-ca"),
    ],
    "models": [
        {"name": "chat", "legs": [{"part": "chat"}], "price": {"input_usd": 0.6, "output_usd": 2.4}},
        {
            "name": "auto",
            "id": "auto",
            "aliases": ["gpt-4o", "meta-llama/Llama-3.1-8B"],
            "tenants": ["assist", "triage"],
            "price": {"input_usd": 0.1, "output_usd": 0.3},
            "legs": [
                {"part": "sort", "weight": 90},
                {"part": "think", "weight": 10},
                {"provider": "frontier", "model": "gpt-5", "order": 1, "price": {"input_usd": 2.5, "output_usd": 10.0}},
                {"provider": "blue", "model": "gpt-5", "order": 2},
                {"provider": "claude", "model": "opus", "order": 3},
            ],
        },
    ],
    "tenants": [
        {"name": "assist", "tokens_per_minute": 200_000, "tokens_per_day": 40_000_000, "usd_per_month": 5000.0},
        {"name": "triage", "requests_per_minute": 600, "usd_per_day": 20.5, "parallel_requests": 32},
    ],
}


@pytest.mark.schema
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"reach": "site"},
        {"sign_in": {"keys": KEYS}},
        FULL,
        {**FULL, "reach": "site"},
        {**FULL, "silence_s": 30},
    ],
)
def test_the_server_takes_every_object(schemas: Schemas, fields: dict[str, Any]) -> None:
    made = planned(**fields)
    problems = {name: schemas.problems(body) for name, body in made.objects.items()}
    assert {name: found for name, found in problems.items() if found} == {}
