"""The rows of an endpoint."""

from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.endpoint.decided import EndpointPlan, RoutePlan
from aifactory.components.endpoint.shape import rows
from aifactory.components.outside import Reach
from aifactory.components.rows import KubernetesRow, Maker, Wave
from aifactory.components.serving.engine import KEEP_ALIVE_S
from support.schemas import Schemas

POOL = RoutePlan(
    "chat-a",
    "team",
    "a",
    "/a/v1",
    "InferencePool",
    "a",
    8000,
    630,
    ("InferencePool.inference.networking.k8s.io/team/a",),
)
SERVICE = RoutePlan("chat-b", "team", "b", "/b/v1", "Service", "b", 80, 90, ())
PRIVATE = EndpointPlan(
    "chat",
    "chat.chat.svc.cluster.local",
    "cluster",
    ("team",),
    (),
    "",
    "",
    "",
    2,
    300,
    (POOL, SERVICE),
    "lab",
    None,
    Reach("kube-system", ("team",), (), (), by_name=False),
)
SITE = replace(
    PRIVATE,
    host="chat.ai.example.com",
    reach="site",
    callers=(),
    clients=("192.0.2.0/24",),
    address="192.0.2.9",
    load_balancer_class="metallb.io/metallb",
    cluster_issuer="company",
)


def made(plan: EndpointPlan) -> dict[str, Any]:
    """Objects by kind and name."""
    found = [row for row in rows(plan, Maker("demo", "lab", "chat", Wave.GATEWAY)) if isinstance(row, KubernetesRow)]
    return {f"{row.body['kind']}/{row.name}": row.body for row in found}


@pytest.mark.schema
@pytest.mark.parametrize("plan", [PRIVATE, SITE])
def test_the_server_takes_every_object(schemas: Schemas, plan: EndpointPlan) -> None:
    problems = {name: schemas.problems(body) for name, body in made(plan).items()}
    assert {name: found for name, found in problems.items() if found} == {}


def test_nobody_gets_through_where_nobody_is_named() -> None:
    assert made(replace(PRIVATE, callers=()))["NetworkPolicy/chat-clients"]["spec"]["ingress"] == []


def test_a_site_with_an_issuer_gets_no_ca() -> None:
    assert [name for name in made(SITE) if name.startswith(("Issuer", "Certificate"))] == ["Certificate/chat"]


def test_a_route_lasts_as_long_as_its_answer() -> None:
    (rule,) = made(PRIVATE)["HTTPRoute/chat-a"]["spec"]["rules"]
    assert rule["timeouts"] == {"request": "630s", "backendRequest": "630s"}


def test_a_route_waits_for_the_gateway_and_for_what_it_leads_to() -> None:
    after = {row.id: row.after for row in rows(PRIVATE, Maker("demo", "lab", "chat", Wave.GATEWAY))}
    assert after["HTTPRoute.gateway.networking.k8s.io/team/chat-a"] == (
        "Gateway.gateway.networking.k8s.io/chat/chat",
        "InferencePool.inference.networking.k8s.io/team/a",
    )


def test_a_pool_chooses_its_own_server_and_a_service_gets_the_least_loaded() -> None:
    objects = made(PRIVATE)
    assert "loadBalancer" not in objects["BackendTrafficPolicy/chat-a"]["spec"]
    assert objects["BackendTrafficPolicy/chat-b"]["spec"]["loadBalancer"] == {"type": "LeastRequest"}


def test_an_answer_that_began_is_never_asked_for_again() -> None:
    retry = made(PRIVATE)["BackendTrafficPolicy/chat-a"]["spec"]["retry"]
    assert retry["retryOn"]["triggers"] == ["connect-failure", "reset-before-request"]


def test_a_proxy_closes_idle_connections_before_the_server_does() -> None:
    http = made(PRIVATE)["BackendTrafficPolicy/chat-a"]["spec"]["timeout"]["http"]
    assert int(http["connectionIdleTimeout"].removesuffix("s")) < KEEP_ALIVE_S


def test_a_proxy_lives_until_the_longest_answer_has_ended() -> None:
    assert made(PRIVATE)["EnvoyProxy/chat"]["spec"]["shutdown"]["drainTimeout"] == "630s"


def test_proxies_may_run_where_control_planes_do() -> None:
    """Where all other nodes are tainted GPU nodes nothing else is left for them."""
    pod = made(PRIVATE)["EnvoyProxy/chat"]["spec"]["provider"]["kubernetes"]["envoyDeployment"]["pod"]
    assert [each["key"] for each in pod["tolerations"]] == ["node-role.kubernetes.io/control-plane"]


def test_one_proxy_gets_no_budget_that_would_block_a_drain() -> None:
    alone = made(replace(PRIVATE, replicas=1))["EnvoyProxy/chat"]["spec"]["provider"]["kubernetes"]
    assert "envoyPDB" not in alone


def test_the_log_holds_no_path_no_header_of_a_client_and_no_body() -> None:
    (setting,) = made(PRIVATE)["EnvoyProxy/chat"]["spec"]["telemetry"]["accessLog"]["settings"]
    logged = " ".join(setting["format"]["json"].values())
    assert not [word for word in ("PATH", "AUTHORIZATION", "COOKIE", "BODY") if word in logged.upper()]


def test_a_load_balancer_lets_the_networks_of_the_site_through_and_nobody_else() -> None:
    service = made(SITE)["EnvoyProxy/chat"]["spec"]["provider"]["kubernetes"]["envoyService"]
    assert service["loadBalancerSourceRanges"] == ["192.0.2.0/24"]
    (rule,) = made(SITE)["NetworkPolicy/chat-clients"]["spec"]["ingress"]
    assert rule["from"] == [{"ipBlock": {"cidr": "192.0.2.0/24"}}]


def test_routes_attach_from_the_namespaces_of_models_alone() -> None:
    (listener,) = made(PRIVATE)["Gateway/chat"]["spec"]["listeners"]
    (chosen,) = listener["allowedRoutes"]["namespaces"]["selector"]["matchExpressions"]
    assert chosen["values"] == ["team"]
