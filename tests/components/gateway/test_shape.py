"""The rows of a gateway."""

from typing import Any

import pytest

from support.gateways import (
    CLOUDS,
    ENDPOINTS,
    FULL,
    KEYS,
    LARGE,
    OIDC,
    POOL,
    SMALL,
    in_cloud,
    leads,
    planned,
    provider,
    weighed,
)
from support.schemas import Schemas

CILIUM = {
    "cluster": {"version": "1.35.6", "kubeconfig": {"context": "lab"}, "provides": {"cilium": {"version": "1.18.4"}}}
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
        *(in_cloud(number) for number in range(len(CLOUDS))),
        {**FULL, "site": CILIUM, "given": {**ENDPOINTS, "outside": []}},
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
    assert names == ["model", "alias-1", "alias-2", "model.triage"]
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


def test_a_tenant_with_a_key_and_no_model_is_told_of_none() -> None:
    clients = [*KEYS["clients"], {"tenant": "idle", "name": "app"}]
    made = planned(sign_in={"keys": {**KEYS, "clients": clients}}).objects
    listed = made["HTTPRouteFilter/door-models-keys-idle-1"]["spec"]["directResponse"]["body"]["inline"]
    assert listed == '{"data":[],"object":"list"}'
    (rule,) = made["HTTPRoute/door-models-keys-idle"]["spec"]["rules"]
    assert rule["matches"] == [{"path": {"type": "Exact", "value": "/v1/models"}}]
    assert made["SecurityPolicy/door-keys-idle"]["spec"]["authorization"]["rules"] == []


def test_a_token_of_no_tenant_here_is_told_nothing() -> None:
    made = planned().objects
    *_, last = made["HTTPRoute/door-models-tokens"]["spec"]["rules"]
    assert last["matches"] == [{"path": {"type": "Exact", "value": "/v1/models"}}]
    answer = made[f"HTTPRouteFilter/{last['filters'][0]['extensionRef']['name']}"]["spec"]["directResponse"]
    assert answer["statusCode"] == 403
    assert "llama" not in answer["body"]["inline"]


def test_many_lists_are_shared_out_among_routes_that_the_server_takes() -> None:
    """A HTTPRoute has 16 rules, and a rule 64 matches."""
    tenants = [f"t-{number}" for number in range(90)]
    models = [
        leads({"part": "sort"}, name=f"m-{n}", id=f"m-{n}", tenants=tenants[n * 2 : n * 2 + 2]) for n in range(20)
    ]
    models.append(leads({"part": "sort"}, name="all", id="all", tenants=tenants[40:]))
    models.append(leads({"part": "chat"}, name="more", id="more", tenants=tenants[:40]))
    made = planned(models=models).objects
    routes = [body for name, body in made.items() if name.startswith("HTTPRoute/")]
    assert [len(route["spec"]["rules"]) for route in routes] == [15, 7]
    matched = [match for route in routes for rule in route["spec"]["rules"] for match in rule["matches"]]
    assert len(matched) == 91
    assert len([match for match in matched if "headers" not in match]) == 1


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


def test_a_cloud_is_signed_in_to_without_a_key_in_a_row() -> None:
    kinds = {}
    for number in range(len(CLOUDS)):
        made = planned(**in_cloud(number)).objects
        spec = made["BackendSecurityPolicy/door-cloud"]["spec"]
        kinds[CLOUDS[number][3]["kind"]] = spec["type"]
    assert kinds == {
        "aws-oidc": "AWSCredentials",
        "aws-file": "AWSCredentials",
        "gcp-oidc": "GCPCredentials",
        "gcp-file": "GCPCredentials",
        "azure-secret": "AzureCredentials",
        "azure-oidc": "AzureCredentials",
    }


def test_a_place_in_a_cloud_is_marked_as_its_region_has_it() -> None:
    labels = planned(**in_cloud(0)).objects["Backend/door-cloud"]["metadata"]["labels"]
    assert (labels["aifactory.io/country"], labels["aifactory.io/operator"]) == ("DE", "US")


def egress(made: dict[str, Any]) -> list[Any]:
    return list(made["NetworkPolicy/door-clients"]["spec"]["egress"])


def test_hosts_outside_are_open_at_their_networks_alone() -> None:
    made = planned(**FULL).objects
    blocks = [peer["ipBlock"] for rule in egress(made) for peer in rule["to"] if "ipBlock" in peer]
    assert {block["cidr"] for block in blocks} == {"169.254.20.10/32", "198.51.100.128/25"}
    assert "CiliumNetworkPolicy/door-hosts" not in made


def test_a_host_of_unknown_networks_opens_its_port_outside_of_the_cluster_and_says_so() -> None:
    made = planned(given={**ENDPOINTS, "outside": []})
    *_, last = egress(made.objects)
    (peer,) = last["to"]
    assert peer["ipBlock"]["cidr"] == "0.0.0.0/0"
    assert "169.254.0.0/16" in peer["ipBlock"]["except"]  # credentials of machines
    assert last["ports"] == [{"protocol": "TCP", "port": 443}]
    assert "nobody states networks of login.example.com:443" in made.says


def test_cilium_holds_hosts_by_name() -> None:
    made = planned(**FULL, site=CILIUM, given={**ENDPOINTS, "outside": []}).objects
    assert "0.0.0.0/0" not in str(egress(made))
    rules = made["CiliumNetworkPolicy/door-hosts"]["spec"]["egress"]
    hosts = {name["matchName"] for rule in rules for name in rule.get("toFQDNs", ())}
    assert hosts == {f"{name}.example.com" for name in ("login", "api.frontier", "api.blue", "api.claude")}


def test_keys_of_tokens_in_the_cluster_are_reached_there() -> None:
    inside = {**OIDC, "jwks": "https://keycloak.sso.svc.cluster.local/keys"}
    made = planned(sign_in={"oidc": inside}).objects
    assert {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "sso"}}}]} in egress(made)


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
