"""The rows of a gateway."""

from typing import Any

import pytest

from support.gateways import FULL, KEYS, LARGE, POOL, SMALL, leads, planned, provider, weighed
from support.schemas import Schemas


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


def test_the_cost_and_limits_of_a_full_gateway_are_one_policy() -> None:
    rules = planned(**FULL).objects["BackendTrafficPolicy/door"]["spec"]["rateLimit"]["global"]["rules"]
    assert all(rule["shared"] for rule in rules)
    assert {rule["clientSelectors"][0]["headers"][0]["value"] for rule in rules} == {r"assist(\..+)?", r"triage(\..+)?"}
    costs = [rule["cost"]["response"]["metadata"]["key"] for rule in rules if "cost" in rule]
    assert costs == ["llm_total_token", "llm_total_token", "llm_cost", "llm_cost"]


def changed_rows(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Rows that came, went or differ."""
    one, other = planned(**before).rows, planned(**after).rows
    return {name for name in {*one, *other} if name not in one or name not in other or one[name] != other[name]}


@pytest.mark.parametrize(("first", "second"), [(90, 10), (50, 50), (0, 100)])
def test_another_weight_changes_one_row(first: int, second: int) -> None:
    """And so does the way back."""
    route = {"AIGatewayRoute.aigateway.envoyproxy.io/door/door-model"}
    assert changed_rows(weighed(100, 0), weighed(first, second)) == route
    assert changed_rows(weighed(first, second), weighed(100, 0)) == route


def test_a_version_at_hand_has_no_share() -> None:
    (rule,) = planned(**weighed(100, 0)).objects["AIGatewayRoute/door-model"]["spec"]["rules"]
    assert [backend["weight"] for backend in rule["backendRefs"]] == [100, 0]


def test_the_next_in_order_is_asked_when_one_is_dead() -> None:
    made = planned(**FULL).objects
    rules = made["AIGatewayRoute/door-auto"]["spec"]["rules"]
    assert [(leg["name"], leg["priority"]) for leg in rules[0]["backendRefs"]] == [
        ("door-sort", 0),
        ("door-think", 0),
        ("door-frontier", 1),
        ("door-blue", 2),
        ("door-claude", 3),
    ]
    spec = made["BackendTrafficPolicy/door-auto"]["spec"]
    assert spec["mergeType"] == "StrategicMerge"  # or limits of the gateway would be gone
    assert (spec["retry"]["numAttemptsPerPriority"], spec["retry"]["numRetries"]) == (1, 4)
    assert spec["healthCheck"]["passive"]["maxEjectionPercent"] == 100


def test_nothing_is_asked_for_again_after_its_first_byte() -> None:
    triggers = {"connect-failure", "reset-before-request", "retriable-status-codes"}
    for name, body in planned(**FULL).objects.items():
        retry = body["spec"].get("retry") if name.startswith("BackendTrafficPolicy/") else None
        if retry:
            assert set(retry["retryOn"]["triggers"]) <= triggers
            assert "perRetry" not in retry  # Envoy counts it to the end of an answer


def test_a_tenant_of_low_priority_has_a_rule_and_a_bound_of_its_own() -> None:
    made = planned(**FULL).objects
    names = [rule["name"] for rule in made["AIGatewayRoute/door-auto"]["spec"]["rules"]]
    assert names == ["model", "model.triage", "alias-1", "alias-1.triage", "alias-2", "alias-2.triage"]
    spec = made["BackendTrafficPolicy/door-auto.model.triage"]["spec"]
    assert spec["targetRefs"][0]["sectionName"] == "model.triage"
    assert spec["circuitBreaker"]["maxParallelRequests"] == 16


@pytest.mark.parametrize("part", ["sort", "think"])
def test_no_order_is_lost_when_a_pool_is_gone(part: str) -> None:
    """What is planned without it asks the rest in the same order."""
    left = SMALL if part == "think" else LARGE
    legs = [leg for leg in FULL["models"][1]["legs"] if leg.get("part") != part]
    legs[0] = {**legs[0], "weight": 100}
    made = planned(offers=(POOL, left), models=[{**FULL["models"][1], "legs": legs}], providers=FULL["providers"])
    (rule, *_) = made.objects["AIGatewayRoute/door-auto"]["spec"]["rules"]
    assert [leg["name"] for leg in rule["backendRefs"]][1:] == ["door-frontier", "door-blue", "door-claude"]


def test_callers_say_nothing_of_themselves() -> None:
    removed = planned().objects["ClientTrafficPolicy/door"]["spec"]["headers"]["earlyRequestHeaders"]["remove"]
    assert {"x-tenant-id", "x-user-id", "x-ai-eg-model", "x-gateway-inference-objective"} <= set(removed)


def test_nobody_outside_learns_who_asks_and_no_credential_of_a_client_goes_along() -> None:
    made = planned(**FULL).objects
    for name in ("frontier", "blue", "claude"):
        removed = made[f"AIServiceBackend/door-{name}"]["spec"]["headerMutation"]["remove"]
        assert removed == ["x-tenant-id", "x-user-id"]  # its own credential replaces the client's
    assert made["AIServiceBackend/door-sort"]["spec"]["headerMutation"]["remove"] == ["authorization"]
    free = planned(offers=(SMALL,), models=[leads({"provider": "frontier"}, tenants=["a"], data_class="customer")])
    assert free.plan is None  # no such provider
    open_one = planned(
        offers=(SMALL,),
        providers=[{**provider(), "credential": None}],
        models=[leads({"provider": "frontier"}, tenants=["a"], data_class="customer")],
    )
    removed = open_one.objects["AIServiceBackend/door-frontier"]["spec"]["headerMutation"]["remove"]
    assert removed == ["x-tenant-id", "x-user-id", "authorization"]


def test_every_place_outside_is_reached_by_tls_with_a_name_that_is_checked() -> None:
    made = planned(**FULL).objects
    outside = {"frontier", "blue", "claude", "sign-in"}
    checked = {body["spec"]["targetRefs"][0]["name"]: body for name, body in made.items() if "BackendTLSPolicy" in name}
    assert set(checked) == {f"door-{name}" for name in outside}
    for name, body in checked.items():
        host = made[f"Backend/{name}"]["spec"]["endpoints"][0]["fqdn"]["hostname"]
        assert body["spec"]["validation"]["hostname"] == host
    assert checked["door-claude"]["spec"]["validation"]["caCertificateRefs"][0]["name"] == "corp-ca"
    assert checked["door-frontier"]["spec"]["validation"]["wellKnownCACertificates"] == "System"


def test_no_row_holds_a_secret_and_each_is_named() -> None:
    made = planned(**FULL).objects
    assert not [name for name in made if name.startswith("Secret/")]
    assert made["ExternalSecret/door-keys"]["spec"]["data"][0] == {
        "secretKey": "assist.app",
        "remoteRef": {"key": "ai/door/keys", "property": "assist_app"},
    }
    assert made["BackendSecurityPolicy/door-blue"]["spec"]["azureAPIKey"]["secretRef"]["name"] == "b"


def test_the_log_says_who_asked_what_where_and_holds_no_body() -> None:
    (setting,) = planned().objects["EnvoyProxy/door"]["spec"]["telemetry"]["accessLog"]["settings"]
    line = setting["format"]["json"]
    assert {"request_id", "tenant", "user", "model", "site", "input_tokens", "output_tokens"} <= set(line)
    assert line["site"] == "lab"
    logged = " ".join(line.values()).upper()
    assert not [word for word in ("PATH", "AUTHORIZATION", "COOKIE", "BODY", "QUERY") if word in logged]


@pytest.mark.parametrize(("allowed", "hidden", "captured"), [(False, "true", "false"), (True, "false", "true")])
def test_traces_hold_prompts_only_where_the_class_allows_it(allowed: bool, hidden: str, captured: str) -> None:
    rules = {"customer": {"jurisdictions": ["eu"], "operators": ["eu"], "prompts_in_telemetry": allowed}}
    made = planned(residency=rules, log_prompts=allowed).objects["GatewayConfig/door"]
    values = {each["name"]: each["value"] for each in made["spec"]["extProc"]["kubernetes"]["env"]}
    assert values["OPENINFERENCE_HIDE_INPUTS"] == values["OPENINFERENCE_HIDE_OUTPUTS"] == hidden
    assert values["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] == captured


def test_a_proxy_lives_and_waits_until_the_longest_answer_has_ended() -> None:
    made = planned().objects
    assert made["EnvoyProxy/door"]["spec"]["shutdown"]["drainTimeout"] == "630s"
    assert made["ClientTrafficPolicy/door"]["spec"]["timeout"]["http"]["streamIdleTimeout"] == "630s"
    (rule,) = made["AIGatewayRoute/door-chat"]["spec"]["rules"]
    assert (rule["timeouts"]["request"], rule["streamIdleTimeout"]) == ("630s", "630s")


def test_routes_attach_from_where_pools_are_and_from_the_gateway_alone() -> None:
    made = planned().objects
    (listener,) = made["Gateway/door"]["spec"]["listeners"]
    (chosen,) = listener["allowedRoutes"]["namespaces"]["selector"]["matchExpressions"]
    assert chosen["values"] == ["assist", "door"]
    assert made["AIGatewayRoute/door-chat"]["metadata"]["namespace"] == "assist"
    assert made["AIGatewayRoute/door-sort"]["metadata"]["namespace"] == "door"


def test_a_route_waits_for_the_gateway_and_for_what_it_leads_to() -> None:
    made = planned().rows
    assert made["AIGatewayRoute.aigateway.envoyproxy.io/assist/door-chat"].after == (
        "Gateway.gateway.networking.k8s.io/door/door",
        "InferencePool.inference.networking.k8s.io/assist/chat",
    )
    for row in made.values():
        if row.body["kind"] == "AIGatewayRoute":
            assert all(name in made or name.startswith("InferencePool") for name in row.after)
