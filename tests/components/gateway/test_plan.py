"""What a gateway decides."""

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.gateway import cost, splitting, using
from aifactory.components.gateway.spec_models import Price
from aifactory.components.offers import EndpointOffer, GatewayOffer, OperatorNote
from support.gateways import (
    CLOUDS,
    ENDPOINTS,
    KEYS,
    LARGE,
    OIDC,
    POOL,
    SMALL,
    in_cloud,
    leads,
    planned,
    provider,
)

ORDERED = (
    {"part": "sort"},
    {"part": "think", "order": 1},
    {"provider": "sister", "order": 2},
    {"provider": "frontier", "model": "large-1", "order": 3},
)


def ordered(**fields: Any) -> dict[str, Any]:
    """Small first, then large, then another site, then a company."""
    return {
        "offers": (SMALL, LARGE),
        "models": [leads(*ORDERED, id="auto", tenants=["assist", "triage"])],
        "providers": [provider(), provider("sister")],
        **fields,
    }


def test_each_served_model_is_open_to_its_own_tenant_when_nothing_is_said() -> None:
    made = planned(reach="site")
    assert [(model.ids, model.tenants, model.timeout_s) for model in made.sound.models] == [
        (("llama-70b",), ("assist",), 630),
        (("llama-8b",), ("triage",), 90),
    ]
    (offer,) = made.ctx.offers(EndpointOffer)
    base = "https://door.ai.example.com/v1"
    assert offer.urls == (("llama-70b", base), ("llama-8b", base))
    asked = {each.capability for each in made.ctx.site_plan.requirements}
    assert {
        "ai-gateway",
        "envoy-gateway",
        "cert-manager",
        "gateway-api",
        "inference-extension",
        "load-balancer",
    } == asked


@pytest.mark.parametrize(
    ("given", "reach", "host", "issuer"),
    [
        (None, "cluster", "door.door.svc.cluster.local", ""),
        (ENDPOINTS, "cluster", "door.door.svc.cluster.local", ""),
        (ENDPOINTS, "site", "door.ai.example.com", ""),
        ({**ENDPOINTS, "certificates": {"cluster_issuer": "corp"}}, "site", "door.ai.example.com", "corp"),
        ({**ENDPOINTS, "certificates": {"cluster_issuer": "corp"}}, "cluster", "door.door.svc.cluster.local", ""),
    ],
)
def test_whoever_may_call_can_resolve_the_name_and_trust_the_certificate(
    given: dict[str, Any] | None, reach: str, host: str, issuer: str
) -> None:
    found = planned(given=given, reach=reach)
    assert (found.sound.host, found.sound.cluster_issuer) == (host, issuer)
    told = [each.says for each in found.ctx.offers(OperatorNote) if "is made by nobody here" in each.says]
    assert [says.split()[1] for says in told] == ([issuer] if issuer else []), "cert-manager comes with the stack"


def test_tokens_and_keys_have_a_host_name_each() -> None:
    plan = planned(sign_in={"oidc": OIDC, "keys": KEYS}, reach="site").sound
    hosts = [(each.name, each.host) for each in plan.listeners]
    assert hosts == [
        ("tokens", "door.ai.example.com"),
        ("keys-assist", "door-assist.ai.example.com"),
        ("keys-triage", "door-triage.ai.example.com"),
    ]
    assert plan.models[0].callers == ("assist", "assist.app")


def test_small_comes_first_then_large_then_another_site_then_a_company() -> None:
    (model,) = planned(**ordered()).sound.models
    assert [(leg.order, leg.place, leg.override) for leg in model.legs] == [
        (0, "lab", "llama-8b"),
        (1, "lab", "llama-70b"),
        (2, "sister", ""),
        (3, "frontier", "large-1"),
    ]


def test_what_has_two_places_goes_past_the_router_to_the_services_before_the_same_servers() -> None:
    plan = planned(
        offers=(POOL, LARGE), models=[leads({"part": "chat", "weight": 80}, {"part": "think", "weight": 20})]
    )
    assert [(leg.backend, leg.name, leg.weight) for leg in plan.sound.models[0].legs] == [
        ("AIServiceBackend", "door-chat", 80),
        ("AIServiceBackend", "door-think", 20),
    ]
    assert {backend.host for backend in plan.sound.backends} == {
        "chat.assist.svc.cluster.local",
        "think-predictor.triage.svc.cluster.local",
    }


def test_an_alias_is_rewritten_to_the_name_that_the_server_knows() -> None:
    plan = planned(offers=(SMALL,), models=[leads({"part": "sort"}, id="small", aliases=["gpt-4o-mini"])]).sound
    (model,) = plan.models
    assert (model.ids, model.legs[0].override) == (("small", "gpt-4o-mini"), "llama-8b")


def test_classes_of_all_places_bind_all_places() -> None:
    public = replace(LARGE, data_class="public")
    rules = {
        "customer": {"jurisdictions": ["eu"], "operators": ["eu"]},
        "public": {"jurisdictions": ["eu", "us"], "operators": ["eu", "us"]},
    }
    legs = ({"part": "think"}, {"provider": "frontier", "order": 1})
    alone = planned(offers=(public,), residency=rules, models=[leads(*legs)], providers=[provider(country="US")])
    assert alone.plan is not None
    both = planned(
        offers=(SMALL, public),
        residency=rules,
        models=[leads({"part": "sort"}, *({**leg, "order": index + 1} for index, leg in enumerate(legs)))],
        providers=[provider(country="US")],
    )
    assert both.broken.count("GTW-011") == 1
    assert "customer data may be in eu; frontier stands in US" in both.says


def test_a_share_of_a_tenant_is_split_over_the_proxies() -> None:
    tenants = [{"name": "triage", "parallel_requests": 9}]
    (model,) = planned(**ordered(tenants=tenants, replicas=4)).sound.models
    assert [(rule.name, rule.callers, rule.parallel) for rule in model.routes[0].rules] == [
        ("model", ("assist",), 0),
        ("model.triage", ("triage",), 2),
    ]


def test_limits_are_counted_in_the_store_of_the_site_and_refuse_without_it() -> None:
    tenants = [{"name": "assist", "usd_per_month": 12.5, "requests_per_minute": 60}]
    price = {"input_usd": 0.5, "output_usd": 1.5}
    made = planned(offers=(POOL,), models=[leads({"part": "chat"}, price=price)], tenants=tenants)
    assert [(limit.unit, limit.amount, limit.counts) for limit in made.sound.limits] == [
        ("Minute", 60, "requests"),
        ("Month", 1_250_000, "llm_cost"),
    ]
    values = [each.values for each in made.ctx.site_plan.requirements if each.capability == "envoy-gateway"]
    count = values[-1]["config"]["envoyGateway"]["rateLimit"]  # type: ignore[index]
    assert (count["failClosed"], count["backend"]["redis"]["url"]) == (True, "redis.example.com:6379")


def _told(given: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """What Envoy Gateway is told of the store, and what people are."""
    made = planned(tenants=[{"name": name, "tokens_per_day": 9} for name in ("assist", "triage")], given=given)
    assert made.plan is not None
    (values,) = (each.values for each in made.ctx.site_plan.requirements if "config" in each.values)
    notes = [note for note in using.notes("door", made.plan) if "redis" in f"{note.says}{note.commands}"]
    return values["config"]["envoyGateway"], "\n".join(f"{note.says} {note.commands}" for note in notes)  # type: ignore[index]


def test_the_store_is_asked_over_tls_with_a_password_that_stays_in_its_secret() -> None:
    told, notes = _told(ENDPOINTS)
    assert told["rateLimit"]["backend"]["redis"]["tls"] == {"certificateRef": {"name": "redis-client"}}
    container = told["provider"]["kubernetes"]["rateLimitDeployment"]["container"]
    assert container["env"] == [
        {"name": "REDIS_TLS_CACERT", "value": "/redis-certs/ca.crt"},
        {"name": "REDIS_AUTH", "valueFrom": {"secretKeyRef": {"name": "redis-password", "key": "auth"}}},
    ]
    assert "every model answers 500 to tenants with such a limit" in notes
    assert "each limit begins anew" in notes
    assert "create secret generic redis-client --type=kubernetes.io/tls --from-file=tls.crt=tls.crt" in notes
    one_line = r"tr -d '\\n' | kubectl -n envoy-gateway-system create secret generic"
    assert f"{one_line} redis-password --from-file=auth=/dev/stdin" in notes
    assert "write a password that has one as default:PASSWORD" in notes


def test_a_store_in_the_clear_gets_no_empty_settings() -> None:
    told, notes = _told({**ENDPOINTS, "limit_store_tls": None, "limit_store_auth": None})
    assert "env" not in told["provider"]["kubernetes"]["rateLimitDeployment"]["container"]
    assert told["rateLimit"]["backend"]["redis"] == {"url": "redis.example.com:6379"}
    assert "create secret" not in notes


def test_nothing_is_counted_where_nothing_is_limited() -> None:
    made = planned(given=None)
    assert all("config" not in each.values for each in made.ctx.site_plan.requirements)


def _price(usd_in: float, usd_out: float) -> Price:
    return Price(input_usd=usd_in, output_usd=usd_out)


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ([("a", None)], ""),
        ([("a", _price(1.0, 2.0)), ("b", None)], ""),
        ([("a", _price(0.6, 2.4))], "((input_tokens * 600u + output_tokens * 2400u) + 9999u) / 10000u"),
        (
            [("a", _price(0.1, 0.0)), ("b", _price(0.1, 0.0))],
            "((input_tokens * 100u + output_tokens * 0u) + 9999u) / 10000u",
        ),
    ],
)
def test_cost_is_in_whole_units_rounded_up(prices: list[tuple[str, Price | None]], expected: str) -> None:
    assert cost.expression(prices) == expected


def _units(expression: str, backend: str, tokens_in: int, tokens_out: int) -> int:
    """The expression, evaluated by a CEL engine where there is one."""
    cel = pytest.importorskip("cel")
    text = expression.replace("input_tokens", f"{tokens_in}u").replace("output_tokens", f"{tokens_out}u")
    return int(cel.evaluate(text, {"backend": backend}))


@pytest.mark.parametrize(
    ("backend", "usd_in", "usd_out"),
    [
        ("door-a.ns", 0.6, 2.4),
        ("ns/door-a/route/door-m/rule/0/ref/0", 0.6, 2.4),
        ("door-ab.ns", 2.5, 10.0),
        ("ns/door-ab/route/door-m/rule/0/ref/1", 2.5, 10.0),
        ("door-c.ns", 0.001, 0.001),
    ],
)
def test_each_place_is_charged_its_own_price(backend: str, usd_in: float, usd_out: float) -> None:
    """A name is never taken for another that begins like it."""
    prices = [("door-a", _price(0.6, 2.4)), ("door-ab", _price(2.5, 10.0)), ("door-c", _price(0.001, 0.001))]
    units = _units(cost.expression(prices), backend, 1_800, 350)
    assert units == -(-round(1_800 * usd_in * 1_000 + 350 * usd_out * 1_000) // 10_000)


@pytest.mark.parametrize(
    ("names", "tenants", "routes", "rules"),
    [(1, 1, 1, 1), (13, 1, 1, 13), (16, 1, 2, 16), (1, 60, 1, 1), (1, 61, 1, 2), (1, 200, 2, 4), (13, 50, 7, 13)],
)
def test_rules_are_split_over_routes_that_the_definitions_take(
    names: int, tenants: int, routes: int, rules: int
) -> None:
    ids = tuple(f"m{index}" for index in range(names))
    callers = {f"t{index}": (f"t{index}",) for index in range(tenants)}
    made = splitting.routes("door-m", ids, callers, {})
    assert (len(made), sum(len(route.rules) for route in made)) == (routes, rules)
    assert len({route.name for route in made}) == len(made)
    for route in made:
        assert len(route.rules) <= 15
        assert sum(len(rule.models) * len(rule.callers) for rule in route.rules) <= 127
        assert len({rule.name for rule in route.rules}) == len(route.rules)
    pairs = [(name, value) for route in made for rule in route.rules for name in rule.models for value in rule.callers]
    assert sorted(pairs) == sorted((called, name) for called in ids for name in callers)


def test_who_watches_is_told_what_there_is_to_see() -> None:
    (offer,) = planned(**ordered()).ctx.offers(GatewayOffer)
    assert {"request_id", "tenant", "user", "model", "site", "total_tokens"} <= set(offer.log_fields)
    assert (offer.tenants, offer.providers, offer.prompts_logged) == (
        ("assist", "triage"),
        ("frontier", "sister"),
        False,
    )


def notes(**fields: Any) -> str:
    found = planned(**fields).ctx.offers(OperatorNote)
    return "\n".join(f"{note.says} {' '.join(note.commands)}" for note in found)


def test_a_person_is_told_how_to_get_a_key_and_a_first_answer() -> None:
    said = notes(sign_in={"keys": KEYS})
    assert '--from-file="$keys/assist.app"' in said
    assert "openssl rand -hex 32" in said
    assert 'https://door-assist.door.svc.cluster.local:8443/v1/chat/completions -H "Authorization: Bearer $KEY"' in said
    stored = notes(sign_in={"keys": {**KEYS, "source": {"store": "vault", "key": "ai/keys"}}})
    assert "openssl" not in stored
    assert "ClusterSecretStore vault has ai/keys with the properties assist_app, triage_mail" in stored


@pytest.mark.parametrize(
    ("kind", "entry", "lines"),
    [("aws-file", "credentials", True), ("gcp-file", "service_account.json", True), ("api-key", "apiKey", False)],
)
def test_a_key_of_a_provider_is_given_without_the_end_of_its_line_and_a_file_as_it_is(
    kind: str, entry: str, lines: bool
) -> None:
    clouds = {each["kind"]: in_cloud(number) for number, (_, _, _, each) in enumerate(CLOUDS)}
    backup = leads({"part": "sort"}, {"provider": "frontier", "order": 1})
    said = notes(**clouds.get(kind, {"models": [backup], "providers": [provider()]}))
    (line,) = (each for each in said.splitlines() if f"--from-file={entry}=/dev/stdin" in each)
    assert ("tr -d '\\n' | kubectl" in line) is not lines


def test_a_person_is_told_how_to_go_back_from_a_canary() -> None:
    legs = ({"part": "sort", "weight": 95}, {"part": "think", "weight": 5})
    said = notes(offers=(SMALL, LARGE), models=[leads(*legs)])
    assert "door-sort 95 %, door-think 5 %. To go back, write weights 100 and 0" in said
