"""Shipped gateways: who reaches which model, and where its data goes, from rows alone."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import yaml

from aifactory.components.catalog import Catalog
from aifactory.components.rows import HelmRow, KubernetesRow
from aifactory.components.serving.decided import ServingPlan
from aifactory.stacks.assembly.stack import Stack
from support import doors, shipped
from support.flows import wrong_flows
from support.gateways import ENDPOINTS, OIDC, RESIDENCY, provider
from support.graph import unreached
from support.planning import place, plan_site
from support.served import plans

OWN = ("sovereign-inference-fra-dc1-platform", "sovereign-inference-ams-colo1-platform")
"""Where tenants ask models on GPUs of their own."""
SHARED = "rag-private-fra-dc1-platform"
"""Where a tenant serves, and others ask."""
SMALL = ("edge-slm-lys-edge1-platform", "inference-l4-muc-lab1-platform")
"""Where one namespace asks, by keys: nothing there asks an identity provider."""
PUBLIC = tuple(f"public-inference-{site}-platform" for site in ("fra-dc1", "sto-aws", "iad-aws", "eusc-de"))
"""Where anybody's programs ask for public data, in a room and in regions of AWS."""
BURST = ("cloud-burst-fra-dc1-platform", "cloud-burst-sto-aws-platform")
"""Where public questions go on to the other site."""
STACKS = (*BURST, *SMALL, *PUBLIC, SHARED, *OWN)
ANYWHERE = "llama-3.3-70b-anywhere"
"""Name under which another site answers, too."""
TENANTS = {
    "edge-slm-lys-edge1-platform": {"qwen3-4b": {"depot"}},
    "inference-l4-muc-lab1-platform": {"qwen3-8b": {"playground"}},
    **{name: {"llama-3.1-8b": {"web"}} for name in PUBLIC},
    **{name: {"llama-3.1-8b": {"web"}, "llama-3.1-8b-anywhere": {"web"}} for name in BURST},
    SHARED: {"llama-3.1-8b": {"legal", "research"}, "bge-m3": {"legal", "research"}},
    **{name: {"llama-3.3-70b": {"assist"}, ANYWHERE: {"assist"}, "llama-3.1-8b": {"triage"}} for name in OWN},
}
"""Who may ask for what, as the blueprints mean it."""


def bodies(name: str) -> list[dict[str, Any]]:
    stack = shipped.stacks()[name]
    return [dict(stack.plain_tree(row)) for row in stack.rows if isinstance(row, KubernetesRow)]


def test_each_stack_that_serves_models_has_a_gateway_and_no_other() -> None:
    found = [name for name in shipped.STACKS if doors.of(bodies(name), "SecurityPolicy")]
    serving = [name for name in shipped.PLATFORMS if plans(shipped.stacks()[name].plan, ServingPlan)]
    assert tuple(found) == tuple(serving) == STACKS


@pytest.mark.parametrize("name", STACKS)
def test_each_served_model_is_reached_by_exactly_its_tenants_and_past_the_gateway_by_nobody(name: str) -> None:
    made = bodies(name)
    served = {plan.model for plan in plans(shipped.stacks()[name].plan, ServingPlan).values()}
    assert doors.callers(made) == TENANTS[name]
    assert {model for model in TENANTS[name] if not model.endswith("-anywhere")} == served
    assert (doors.half_open(made), doors.unguarded(made), doors.past(made)) == (set(), [], [])


def test_a_plain_route_to_a_model_would_be_found() -> None:
    made = bodies(SMALL[0])
    (backend,) = doors.of(made, "AIServiceBackend")
    plain = {
        "kind": "HTTPRoute",
        "metadata": {"name": "plain", "namespace": "helper"},
        "spec": {"rules": [{"backendRefs": [{"name": "helper-predictor", "port": 80}]}]},
    }
    assert backend
    assert doors.past([*made, plain]) == ["helper/plain leads to helper-predictor"]


@pytest.mark.parametrize("name", SMALL)
def test_keys_alone_are_asked_for_where_an_identity_provider_may_be_out_of_reach(name: str) -> None:
    policies = [each for each in doors.of(bodies(name), "SecurityPolicy") if "authorization" in each["spec"]]
    assert policies
    for policy in policies:
        assert "apiKeyAuth" in policy["spec"], policy["metadata"]["name"]
        assert not {"jwt", "oidc", "extAuth"} & set(policy["spec"]), policy["metadata"]["name"]


@pytest.mark.parametrize("name", OWN)
def test_each_model_is_reached_by_exactly_the_tenant_whose_gpus_it_runs_on(name: str) -> None:
    made = bodies(name)
    marks = [body["metadata"]["labels"] for body in doors.of(made, "InferencePool")]
    owners: dict[str, set[str]] = {}
    for labels in marks:
        owners.setdefault(labels["aifactory.io/model"], set()).add(labels["aifactory.io/tenant"])
    assert owners
    assert doors.callers(made) == {**owners, ANYWHERE: owners["llama-3.3-70b"]}
    assert doors.lent(made) == []
    assert doors.half_open(made) == set()
    assert doors.unguarded(made) == []


def test_models_of_documents_are_reached_by_exactly_those_who_have_vectors() -> None:
    """The tenant whose GPUs they run on serves, and asks nothing. Vectors have a route of their own."""
    made = bodies(SHARED)
    readers = {body["metadata"]["labels"]["aifactory.io/tenant"] for body in doors.of(made, "Database")}
    assert readers == {"legal", "research"}
    assert doors.callers(made) == {"llama-3.1-8b": readers, "bge-m3": readers}
    assert doors.half_open(made) == set()
    assert doors.unguarded(made) == []
    (route,) = [body for body in doors.of(made, "AIGatewayRoute") if body["metadata"]["namespace"] == "desk"]
    (backend,) = doors.of(made, "AIServiceBackend")
    assert route["spec"]["rules"][0]["backendRefs"][0]["name"] == backend["metadata"]["name"] == "desk-embed"
    assert backend["spec"]["schema"]["name"] == "OpenAI"


@pytest.mark.parametrize("name", STACKS)
def test_each_tenant_is_told_of_exactly_the_models_that_it_may_use(name: str) -> None:
    made = bodies(name)
    told = doors.told(made)
    assert told
    assert told == doors.usable(made)


@pytest.mark.parametrize("name", STACKS)
def test_no_route_leads_out_of_what_its_data_class_allows(name: str) -> None:
    made = bodies(name)
    routes = doors.of(made, "AIGatewayRoute")
    assert routes
    assert all(doors.RESIDENCY in route["metadata"]["annotations"] for route in routes)
    assert doors.misplaced(made, Catalog.shipped()) == []


@pytest.mark.parametrize("name", STACKS)
def test_each_route_stands_where_the_file_of_its_site_says(name: str) -> None:
    """The view above believes routes about pools of their own site."""
    site = shipped.stacks()[name].plan.place.site
    location = yaml.safe_load((shipped.ROOT / f"blueprints/sites/{site}.yaml").read_text(encoding="utf-8"))["location"]
    for route in doors.of(bodies(name), "AIGatewayRoute"):
        labels = route["metadata"]["labels"]
        assert labels[doors.PLACE] == labels[doors.SITE] == site
        stands = labels[doors.COUNTRY], labels[doors.OPERATOR]
        assert stands == (location["country"], location["operator"]["nationality"]), route["metadata"]["name"]


PLACES = {OWN[0]: ("fra-dc1", "ams-colo1", "NL"), OWN[1]: ("ams-colo1", "fra-dc1", "DE")}


@pytest.mark.parametrize("name", OWN)
def test_the_other_site_is_asked_when_the_pool_is_gone_and_asks_nobody_else(name: str) -> None:
    here, there, country = PLACES[name]
    made = bodies(name)
    (backend,) = (each for each in doors.of(made, "Backend") if each["metadata"]["name"] == "gate-other")
    labels = backend["metadata"]["labels"]
    assert (labels[doors.PLACE], labels[doors.COUNTRY], labels[doors.OPERATOR]) == (there, country, country)
    places = {model: {way.place for way in doors.ways(made) if way.model == model} for model in TENANTS[name]}
    assert places == {"llama-3.3-70b": {here}, ANYWHERE: {here, there}, "llama-3.1-8b": {here}}
    (route,) = (each for each in doors.of(made, "AIGatewayRoute") if each["metadata"]["name"] == "gate-chat-anywhere")
    legs = route["spec"]["rules"][0]["backendRefs"]
    assert [(leg["name"], leg["priority"]) for leg in legs] == [("gate-chat", 0), ("gate-other", 1)]
    # There it is asked for by a name whose only place is that site itself.
    (other,) = (each for each in OWN if each != name)
    asked = legs[1]["modelNameOverride"]
    assert {way.place for way in doors.ways(bodies(other)) if way.model == asked} == {there}
    (listener,) = doors.of(bodies(other), "Gateway")[0]["spec"]["listeners"]
    assert backend["spec"]["endpoints"][0]["fqdn"]["hostname"] == listener["hostname"]


@pytest.mark.parametrize("label", [doors.COUNTRY, doors.OPERATOR])
@pytest.mark.parametrize("value", ["US", None])
def test_a_shipped_route_out_of_the_class_of_its_data_is_found(label: str, value: str | None) -> None:
    """A place that is elsewhere, and one of which nobody says where it is."""
    made = deepcopy(bodies(OWN[0]))
    (backend,) = (each for each in doors.of(made, "Backend") if each["metadata"]["name"] == "gate-other")
    del backend["metadata"]["labels"][label]
    if value:
        backend["metadata"]["labels"][label] = value
    assert doors.misplaced(made, Catalog.shipped()) == ["gate-chat-anywhere leads customer data to ams-colo1"]


def test_a_shipped_pool_of_another_site_or_tenant_is_found() -> None:
    made = deepcopy(bodies(OWN[0]))
    (pool,) = (each for each in doors.of(made, "InferencePool") if each["metadata"]["name"] == "chat")
    pool["metadata"]["labels"][doors.SITE] = "sto-aws"
    pool["metadata"]["labels"][doors.OWNER] = "triage"
    assert doors.misplaced(made, Catalog.shipped()) == ["gate-chat leads customer data to sto-aws"]
    assert doors.lent(made) == ["assist reaches chat of triage"]


def test_the_limits_of_a_shipped_gateway_hold_its_own_demand_with_its_growth() -> None:
    """A tenant that is cut off at what its blueprint says it needs was limited by mistake."""
    written = yaml.safe_load((shipped.LIBRARY / "sovereign-inference.yaml").read_text())
    values = {name: each["default"] for name, each in written["parameters"].items()}
    (gate,) = (part for part in written["parts"] if part["kind"] == "gateway")
    serving = {part["name"]: part for part in written["parts"] if part["kind"] == "serving"}
    demand = {each["name"]: each for each in written["demand"]["models"]}
    limits = {each["name"]: each for each in gate["tenants"]}
    for model in gate["models"]:
        part = serving[model["legs"][0]["part"]]
        need, limit, price = demand[part["model"]], limits[part["tenant"]], model["price"]
        growth = 1 + need.get("growth_percent", 0) / 100
        mean, peak = (values[need["requests_per_s"][what]["parameter"]] * growth for what in ("mean", "peak"))
        tokens = need["input_tokens"] + need["output_tokens"]
        usd = (need["input_tokens"] * price["input_usd"] + need["output_tokens"] * price["output_usd"]) / 1_000_000
        assert limit["tokens_per_minute"] >= peak * tokens * 60
        assert limit["tokens_per_day"] >= mean * tokens * 86_400
        assert limit["usd_per_month"] >= mean * usd * 86_400 * 31


PARTS: list[dict[str, Any]] = [
    {"kind": "gpu-node-pool", "name": "serve", "accelerator": "h200", "nodes": "demand", "workload": "inference"},
    {
        "kind": "queue",
        "name": "teams",
        "pools": ["serve"],
        "tenants": [{"name": "product", "workload": "inference", "gpus": "demand"}],
    },
    {
        "kind": "serving",
        "name": "chat",
        "model": "llama-3.1-8b",
        "pool": "serve",
        "tenant": "product",
        "precision": "fp8",
        "weights": {"kind": "oci", "image": "registry.example.com/models/llama:1"},
    },
    {
        "kind": "gateway",
        "name": "door",
        "reach": "site",
        "sign_in": {
            "oidc": {**OIDC, "ca": "login-ca"},
            "keys": {
                "secret": "door-keys",
                "source": {"store": "vault", "key": "ai/keys"},
                "clients": [{"tenant": "product", "name": "app"}],
            },
        },
        "providers": [provider()],
        "models": [
            {
                "name": "chat",
                "data_class": "customer",
                "legs": [{"part": "chat"}, {"provider": "frontier", "model": "large-1", "order": 1}],
                "price": {"input_usd": 0.5, "output_usd": 1.5},
            }
        ],
        "tenants": [{"name": "product", "usd_per_month": 100.0, "tokens_per_day": 1000, "parallel_requests": 8}],
    },
]
DEMAND = {
    "models": [
        {
            "name": "llama-3.1-8b",
            "data_class": "customer",
            "requests_per_s": {"mean": 1.0, "peak": 4.0},
            "input_tokens": 800,
            "output_tokens": 200,
            "itl_ms": 40.0,
        }
    ]
}
GIVEN = {
    "version": "1.35.6",
    "kubeconfig": {"context": "lab"},
    "provides": {"inference-extension": {"version": "v1.6.0"}, "load-balancer": {"version": "v0.15.2"}},
}


def full() -> Stack:
    """A gateway with everything, at a site that gives little."""
    return plan_site(PARTS, place(endpoints=ENDPOINTS, cluster=GIVEN), demand=DEMAND, residency=RESIDENCY).stack


def test_each_kind_of_a_gateway_with_everything_comes_with_a_release_that_it_waits_for() -> None:
    stack = full()
    rows = {row.id: row for row in stack.rows}
    owner = {crd.partition(".")[2]: row.id for row in stack.rows if isinstance(row, HelmRow) for crd in row.crds}
    kinds = set()
    for row in stack.rows:
        if not isinstance(row, KubernetesRow) or row.part != "door":
            continue
        group = str(row.body["apiVersion"]).rpartition("/")[0]
        if ("." in group and not group.endswith("networking.k8s.io")) or group == "gateway.networking.k8s.io":
            kinds.add(str(row.body["kind"]))
            pending, seen = list(row.after), set()
            while pending:
                name = pending.pop()
                if name not in seen:
                    seen.add(name)
                    pending.extend(rows[name].after)
            assert owner[group] in seen, row.id
    assert kinds >= {
        "AIGatewayRoute",
        "AIServiceBackend",
        "BackendSecurityPolicy",
        "GatewayConfig",
        "Backend",
        "BackendTLSPolicy",
        "BackendTrafficPolicy",
        "ClientTrafficPolicy",
        "SecurityPolicy",
        "EnvoyProxy",
        "ExternalSecret",
        "Gateway",
    }


def test_a_gateway_with_everything_is_whole_and_closed() -> None:
    stack = full()
    made = [dict(stack.plain_tree(row)) for row in stack.rows if isinstance(row, KubernetesRow)]
    assert unreached(stack) == []
    assert wrong_flows(stack) == []
    assert doors.callers(made) == {"llama-3.1-8b": {"product"}}
    assert (doors.half_open(made), doors.unguarded(made)) == (set(), [])
    assert doors.told(made) == doors.usable(made) == {caller: {"llama-3.1-8b"} for caller in ("product", "product.app")}
    assert doors.misplaced(made, Catalog.shipped()) == []
    assert {(way.caller, way.place) for way in doors.ways(made)} == {
        ("product", "lab"),
        ("product", "frontier"),
        ("product.app", "lab"),
        ("product.app", "frontier"),
    }


def test_a_door_and_a_gateway_stand_side_by_side() -> None:
    parts = [*PARTS, {"kind": "endpoint", "name": "plain", "callers": ["app"]}]
    made = plan_site(parts, place(endpoints=ENDPOINTS, cluster=GIVEN), demand=DEMAND, residency=RESIDENCY)
    assert made.errors == []
