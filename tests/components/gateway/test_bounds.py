"""What the server and Envoy hold a gateway to: sizes of lists, pods that outlive a node, and when a place is gone."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.gateway import failing
from aifactory.components.offers import BoundedRoute, GatewayOffer
from support.edges import edge_data
from support.gateways import FULL, LARGE, SMALL, leads, planned
from support.schemas import Schemas

CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"}


def crowd(tenants: int) -> dict[str, Any]:
    """So many tenants with tokens, of which each may use one model."""
    names = [f"t-{number:03}" for number in range(tenants)]
    models = [
        leads({"part": "sort"}, name=f"m-{start}", id=f"m-{start}", tenants=names[start : start + 50])
        for start in range(0, tenants, 50)
    ]
    return {"offers": (SMALL,), "models": models}


@pytest.mark.schema
@pytest.mark.parametrize(("tenants", "routes"), [(127, 1), (128, 2), (129, 2), (257, 3)])
def test_the_server_takes_a_list_for_any_number_of_tenants(schemas: Schemas, tenants: int, routes: int) -> None:
    """128 matches of a route and 128 values of a claim are all that there are."""
    made = planned(**crowd(tenants)).objects
    problems = {name: schemas.problems(body) for name, body in made.items()}
    assert {name: found for name, found in problems.items() if found} == {}
    named = []
    for name, policy in made.items():
        if name.startswith("SecurityPolicy/") and "door-models-" in name:
            (principal,) = (rule["principal"] for rule in policy["spec"]["authorization"]["rules"])
            (claim,), (header,) = principal["jwt"]["claims"], principal["headers"]
            assert claim["values"] == header["values"]
            named.append(header["values"])
    assert sorted(caller for callers in named for caller in callers) == [f"t-{number:03}" for number in range(tenants)]
    assert max(len(callers) for callers in named) <= 127
    assert len(named) == routes  # a list of 50 isn't torn apart


@pytest.mark.schema
def test_the_server_refuses_more_callers_than_a_claim_has_values(schemas: Schemas) -> None:
    policy = planned(**crowd(100)).objects["SecurityPolicy/door-models-tokens"]
    (rule,) = policy["spec"]["authorization"]["rules"]
    rule["principal"]["jwt"]["claims"][0]["values"] = [f"t-{number}" for number in range(129)]
    assert schemas.problems(policy)


@pytest.mark.schema
def test_the_server_takes_a_list_for_as_many_keys_as_a_tenant_may_have(schemas: Schemas) -> None:
    clients = [{"tenant": "triage", "name": f"c-{number}"} for number in range(200)]
    made = planned((SMALL,), sign_in={"keys": {"secret": "door-keys", "clients": clients}}).objects
    problems = {name: schemas.problems(body) for name, body in made.items()}
    assert {name: found for name, found in problems.items() if found} == {}
    (rule,) = made["SecurityPolicy/door-models-keys-triage"]["spec"]["authorization"]["rules"]
    assert len(rule["principal"]["headers"][0]["values"]) == 200


def counted(**fields: Any) -> dict[str, Any]:
    """What Envoy Gateway is told about counting."""
    made = planned(tenants=[{"name": name, "tokens_per_day": 9} for name in ("assist", "triage")], **fields)
    assert made.plan is not None, made.says
    (values,) = (each.values for each in made.ctx.site_plan.requirements if "config" in each.values)
    found: Any = values["config"]
    assert found["envoyGateway"]["rateLimit"]["failClosed"] is True
    told: dict[str, Any] = found["envoyGateway"]["provider"]["kubernetes"]
    return told


def test_what_counts_outlives_a_node_where_there_is_another() -> None:
    told = counted()
    assert told["rateLimitDeployment"]["replicas"] >= 2
    assert told["rateLimitPDB"] == {"minAvailable": 1}
    pod = told["rateLimitDeployment"]["pod"]
    (apart,) = pod["topologySpreadConstraints"]
    assert apart["labelSelector"]["matchLabels"]["app.kubernetes.io/name"] == "envoy-ratelimit"
    assert CONTROL_PLANE in pod["tolerations"]
    assert told["rateLimitDeployment"]["container"]["resources"]["requests"].keys() == {"cpu", "memory"}


def test_one_node_has_one_that_counts_and_no_budget_that_would_hold_a_drain() -> None:
    told = counted(site=edge_data())
    assert told["rateLimitDeployment"]["replicas"] == 1
    assert "rateLimitPDB" not in told


def test_proxies_may_run_on_control_plane_nodes() -> None:
    """Where all other nodes are tainted GPU nodes nothing else is left for them."""
    spec = planned().objects["EnvoyProxy/door"]["spec"]
    assert CONTROL_PLANE in spec["provider"]["kubernetes"]["envoyDeployment"]["pod"]["tolerations"]


def test_a_place_is_not_gone_at_a_rolling_restart_or_for_bad_requests_of_one_caller() -> None:
    """A Service is one host to Envoy, so all that it counts is of the pool."""
    spec = planned(**FULL).objects["BackendTrafficPolicy/door-auto"]["spec"]
    passive = spec["healthCheck"]["passive"]
    assert passive["consecutiveLocalOriginFailures"] >= 5
    assert passive["consecutiveGatewayErrors"] >= 5
    assert passive["consecutive5XxErrors"] >= 20
    assert spec["timeout"] == {"tcp": {"connectTimeout": "2s"}}


def test_the_plan_says_when_a_place_is_passed_over() -> None:
    decisions = planned(**FULL).ctx.site_plan.decisions
    assert failing.SAYS in decisions["door.model.auto"].reason
    assert failing.SAYS not in decisions["door.model.chat"].reason


BOUND = [{"name": "triage", "parallel_requests": 8}]


def bounded(aliases: int, clients: int) -> dict[str, Any]:
    """A model with aliases, for a tenant with a bound and so many callers: its token, and keys."""
    keys = [{"tenant": "triage", "name": f"c-{number}"} for number in range(clients - 1)]
    sign_in: dict[str, Any] = {"oidc": {"issuer": "https://a.example.com", "jwks": "https://a.example.com/keys"}}
    sign_in["oidc"]["audiences"] = ["ai"]
    if keys:
        sign_in["keys"] = {"secret": "door-keys", "clients": keys}
    model = leads({"part": "think"}, id="m", aliases=[f"a-{number}" for number in range(aliases)])
    return {"offers": (LARGE,), "models": [model], "tenants": BOUND, "sign_in": sign_in, "replicas": 2}


@pytest.mark.schema
@pytest.mark.parametrize(("aliases", "clients"), [(0, 1), (12, 1), (2, 20), (0, 60)])
def test_a_bound_is_one_for_all_names_of_a_model(schemas: Schemas, aliases: int, clients: int) -> None:
    """Each rule has a circuit breaker of its own: two of them would let twice as many through."""
    made = planned(**bounded(aliases, clients)).objects
    policies = [
        body["spec"]
        for name, body in made.items()
        if name.startswith("BackendTrafficPolicy/") and "sectionName" in body["spec"]["targetRefs"][0]
    ]
    assert [policy["circuitBreaker"]["maxParallelRequests"] for policy in policies] == [4]  # of each of two proxies
    rules = [
        rule for name, body in made.items() if name.startswith("AIGatewayRoute/") for rule in body["spec"]["rules"]
    ]
    (rule,) = rules
    assert rule["name"] == policies[0]["targetRefs"][0]["sectionName"]
    assert len(rule["matches"]) == (aliases + 1) * clients
    problems = {name: schemas.problems(body) for name, body in made.items()}
    assert {name: found for name, found in problems.items() if found} == {}


@pytest.mark.parametrize(("aliases", "clients"), [(12, 5), (0, 61)])
def test_a_bound_that_no_rule_holds_is_refused(aliases: int, clients: int) -> None:
    made = planned(**bounded(aliases, clients))
    assert made.plan is None
    assert "GTW-030" in made.broken
    assert f"{(aliases + 1) * clients} pairs" in made.says


def test_who_watches_is_told_which_rules_have_a_bound() -> None:
    """Aliases fill a route with rules of tenants without a bound; those with one stand at its end, or in the next."""
    names = ["t-1", "t-2", "t-3"]
    model = leads({"part": "sort"}, id="m", aliases=[f"a-{number}" for number in range(12)], tenants=["assist", *names])
    tenants = [{"name": name, "parallel_requests": 8} for name in names]
    made = planned((SMALL,), models=[model])
    (offer,) = made.ctx.offers(GatewayOffer)
    assert offer.bounded_routes == ()
    made = planned((SMALL,), models=[model], tenants=tenants)
    (offer,) = made.ctx.offers(GatewayOffer)
    (decided,) = made.sound.models
    first, second = decided.routes
    assert [rule.callers for rule in (*first.rules[13:], *second.rules)] == [(name,) for name in names]
    assert offer.bounded_routes == (
        BoundedRoute(decided.namespace, first.name, (13, 14)),
        BoundedRoute(decided.namespace, second.name, (0,)),
    )


def test_no_route_has_a_dot_in_its_name_or_the_name_of_another() -> None:
    """Envoy cuts the label of a cluster at the first dot: two routes would be one in its metrics."""
    for fields in (crowd(300), FULL, bounded(2, 20), filled("m", "m-2")):
        made = planned(**fields).objects
        routes = [name.partition("/")[2] for name in made if name.startswith(("AIGatewayRoute/", "HTTPRoute/"))]
        assert routes
        assert [name for name in routes if "." in name] == []
        assert len(set(routes)) == len(routes)


def filled(*names: str) -> dict[str, Any]:
    """Models with more rules than a route has, and models called as their second routes might be."""
    called = dict.fromkeys([*names, *(f"{name}{sign}2" for name in names for sign in ("-", "--"))])
    tenants = [f"t-{number}" for number in range(20)]
    models = [
        leads({"part": "sort"}, name=name, id=name, aliases=[f"{name}-a{at}" for at in range(12)], tenants=tenants)
        for name in called
    ]
    return {"offers": (SMALL,), "models": models}
