"""The rules of an endpoint: each fires on what breaks it, and on nothing else."""

from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.base import PlanContext, SitePlan
from aifactory.components.catalog import Catalog
from aifactory.components.endpoint.plan import RULES, resolve, settle, size
from aifactory.components.endpoint.spec import EndpointSpec
from aifactory.components.offers import ModelOffer
from aifactory.components.rules import table
from support.planning import place

CHAT = ModelOffer("chat-a", "a", "team", "Service", "a", 80, (), "team", "", 600)
OTHER = replace(CHAT, part="chat-b", model="b")


def broken(offers: list[ModelOffer], given: dict[str, Any] | None, **fields: Any) -> list[str]:
    """Ids of the rules that found something."""
    at = place(endpoints=given) if given else place()
    site_plan = SitePlan(at, Catalog.shipped(), "demo", table(*RULES), offers=list(offers))
    ctx = PlanContext(site_plan, "door", ("parts", 0))
    draft = resolve(EndpointSpec.model_validate({"kind": "endpoint", "name": "door", **fields}), ctx)
    plan = size(draft, ctx) if draft is not None else None
    if plan is not None:
        settle(plan, ctx)
    return [problem.rule for problem in site_plan.problems]


@pytest.mark.parametrize(
    ("offers", "given", "fields", "rules"),
    [
        ([CHAT, OTHER], None, {"request_timeout_s": 600, "callers": ["app"]}, []),
        ([CHAT], None, {}, ["END-007"]),
        ([CHAT], {"domain": "ai.example.com", "clients": ["192.0.2.0/24"]}, {"reach": "site"}, []),
        ([], None, {}, ["END-001"]),
        ([CHAT], None, {"reach": "site"}, ["END-002"]),
        ([CHAT], {"domain": "ai.example.com"}, {"reach": "site"}, ["END-002"]),
        ([CHAT, replace(OTHER, model="a")], None, {}, ["END-003"]),
        ([CHAT], None, {"request_timeout_s": 599}, ["END-004"]),
        ([CHAT], {"domain": f"{'a' * 60}.example.com", "clients": ["192.0.2.0/24"]}, {"reach": "site"}, ["END-005"]),
        ([CHAT], {"domain": f"{'a' * 60}.example.com"}, {"callers": ["app"]}, []),
        ([CHAT, OTHER], None, {"models": ["chat-a"], "callers": ["app"]}, ["END-008"]),
        ([CHAT], None, {"replicas": 1, "callers": ["app"]}, ["END-006"]),
        ([CHAT], None, {"models": ["chat-c"]}, [""]),
    ],
)
def test_a_rule_finds_what_breaks_it(
    offers: list[ModelOffer], given: dict[str, Any] | None, fields: dict[str, Any], rules: list[str]
) -> None:
    assert broken(offers, given, **fields) == rules
