"""What an endpoint decides."""

from typing import Any

import pytest

from aifactory.components.base import PlanContext, SitePlan
from aifactory.components.catalog import Catalog
from aifactory.components.endpoint.decided import EndpointPlan
from aifactory.components.endpoint.plan import RULES, resolve, size
from aifactory.components.endpoint.shape import rows
from aifactory.components.endpoint.spec import EndpointSpec
from aifactory.components.offers import EndpointOffer, ModelOffer, OperatorNote
from aifactory.components.rows import KubernetesRow, Maker, Wave
from aifactory.components.rules import table
from support.planning import place

GIVEN = {"domain": "ai.example.com", "clients": ["192.0.2.0/24"]}
CHAT = ModelOffer("chat-a", "a", "team", "InferencePool", "a", 8000, (), "team", "", 600)


def planned(given: dict[str, Any] | None, **fields: Any) -> tuple[EndpointPlan, PlanContext]:
    at = place(endpoints=given) if given else place()
    ctx = PlanContext(
        SitePlan(at, Catalog.shipped(), "demo", table(*RULES), offers=[CHAT]), fields.get("name", "door"), ("parts", 0)
    )
    draft = resolve(EndpointSpec.model_validate({"kind": "endpoint", "name": "door"} | fields), ctx)
    assert draft is not None
    plan = size(draft, ctx)
    assert plan is not None
    return plan, ctx


def test_a_route_waits_for_the_longest_answer_and_the_offer_says_where() -> None:
    plan, ctx = planned(GIVEN, reach="site")
    assert [(route.path, route.timeout_s) for route in plan.routes] == [("/a/v1", 630)]
    assert ctx.offers(EndpointOffer)[0].urls == (("a", "https://door.ai.example.com/a/v1"),)
    asked = {each.capability for each in ctx.site_plan.requirements}
    assert {"ai-gateway", "inference-extension", "load-balancer"} <= asked


def test_a_renamed_endpoint_offers_the_name_that_its_proxies_carry() -> None:
    plan, ctx = planned(None, callers=["team"], name="front", renamed_from="door")
    (offer,) = ctx.offers(EndpointOffer)
    assert offer.gateway == plan.identity == "door"


@pytest.mark.parametrize(
    ("given", "reach", "host", "issuer", "service"),
    [
        (None, "cluster", "door.door.svc.cluster.local", "", "ClusterIP"),
        (GIVEN, "cluster", "door.door.svc.cluster.local", "", "ClusterIP"),
        (
            {**GIVEN, "certificates": {"cluster_issuer": "corp"}},
            "cluster",
            "door.door.svc.cluster.local",
            "",
            "ClusterIP",
        ),
        (GIVEN, "site", "door.ai.example.com", "", "LoadBalancer"),
        ({**GIVEN, "certificates": {"cluster_issuer": "corp"}}, "site", "door.ai.example.com", "corp", "LoadBalancer"),
    ],
)
def test_whoever_may_call_can_resolve_the_name_and_trust_the_certificate(
    given: dict[str, Any] | None, reach: str, host: str, issuer: str, service: str
) -> None:
    plan, ctx = planned(given, reach=reach, callers=["app"] if reach == "cluster" else [])
    assert (plan.host, plan.cluster_issuer) == (host, issuer)
    told = [each.says for each in ctx.offers(OperatorNote) if "is made by nobody here" in each.says]
    assert [says.split()[1] for says in told] == ([issuer] if issuer else []), "cert-manager comes with the stack"
    assert ("load-balancer" in {each.capability for each in ctx.site_plan.requirements}) == (reach == "site")
    made = {
        row.id: row for row in rows(plan, Maker("demo", "lab", "door", Wave.GATEWAY)) if isinstance(row, KubernetesRow)
    }
    proxies = made["EnvoyProxy.gateway.envoyproxy.io/envoy-gateway-system/door"].body["spec"]
    assert proxies["provider"]["kubernetes"]["envoyService"]["type"] == service
    assert ("Service/door/door" in made) == (reach == "cluster")
