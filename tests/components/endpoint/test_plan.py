"""What an endpoint decides."""

from aifactory.components.base import PlanContext, SitePlan
from aifactory.components.catalog import Catalog
from aifactory.components.endpoint.plan import RULES, EndpointPlan, size
from aifactory.components.endpoint.spec import EndpointSpec
from aifactory.components.offers import EndpointOffer, ModelOffer
from aifactory.components.rules import table
from support.planning import place

CHAT = ModelOffer("chat-a", "a", "team", "InferencePool", "a", 8000, (), "team", "", 600)


def test_a_route_waits_for_the_longest_answer_and_the_offer_says_where() -> None:
    at = place(endpoints={"domain": "ai.example.com"})
    ctx = PlanContext(SitePlan(at, Catalog.shipped(), "demo", table(*RULES), offers=[CHAT]), "door", ("parts", 0))
    plan = size(EndpointSpec.model_validate({"kind": "endpoint", "name": "door"}), ctx)
    assert isinstance(plan, EndpointPlan)
    assert [(route.path, route.timeout_s) for route in plan.routes] == [("/a/v1", 630)]
    assert ctx.offers(EndpointOffer)[0].urls == (("a", "https://door.ai.example.com/a/v1"),)
    assert [each.capability for each in ctx.site_plan.requirements] == ["ai-gateway", "inference-extension"]
