"""What /v1/models says, to whom: a plain route, because those of models answer everybody the same."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.gateway.decided import TENANT_HEADER, GatewayPlan, ListenerPlan, ListPlan, ListRulePlan
from aifactory.components.gateway.objects import access
from aifactory.components.gateway.objects.doors import gateway_id
from aifactory.components.gateway.objects.kinds import ENVOY, ENVOY_API, GATEWAY
from aifactory.components.rows import KubernetesRow, Maker, Tree, capability
from aifactory.components.values import canonical_json

PATH = "/v1/models"
NOBODY = "nobody"


def rows(plan: GatewayPlan, maker: Maker) -> Iterator[KubernetesRow]:
    """Answers, the route to them, and the policy that says who gets one."""
    listeners = {listener.name: listener for listener in plan.listeners}
    for each in plan.lists:
        answers = list(_answers(plan, each, maker))
        yield from answers
        route = _route(plan, each, answers, maker)
        yield route
        yield _policy(plan, each, listeners[each.listener], maker, route)


def _answers(plan: GatewayPlan, each: ListPlan, maker: Maker) -> Iterator[KubernetesRow]:
    """One for each rule, and one for whom no rule is."""
    for number, rule in enumerate(each.rules, 1):
        yield _answer(plan, f"{each.name}-{number}", 200, _models(plan, rule), maker)
    if each.chosen and each.first:
        # What nobody has looked at yet has no tenant, and needs a route for the policy to be of.
        yield _answer(plan, f"{each.name}-{NOBODY}", 403, {"error": {"message": "no model is yours"}}, maker)


def _models(plan: GatewayPlan, rule: ListRulePlan) -> Tree:
    """As OpenAI has it. When a model was made is known to nobody here, and a clock would change each plan."""
    data = [{"id": name, "object": "model", "created": 0, "owned_by": plan.site} for name in rule.models]
    return {"object": "list", "data": data}


def _answer(plan: GatewayPlan, name: str, code: int, content: Tree, maker: Maker) -> KubernetesRow:
    body = {"type": "Inline", "inline": canonical_json(content)}
    spec = {"directResponse": {"statusCode": code, "contentType": "application/json", "body": body}}
    after = [capability("envoy-gateway")]
    return maker.kubernetes(ENVOY_API, "HTTPRouteFilter", name, plan.identity, spec=spec, after=after)


def _route(plan: GatewayPlan, each: ListPlan, answers: list[KubernetesRow], maker: Maker) -> KubernetesRow:
    # No method: what no rule here takes goes to routes of models, whose processor answers any method with all names.
    path: Tree = {"path": {"type": "Exact", "value": PATH}}
    matches = [_matches(path, rule) if each.chosen else [path] for rule in each.rules]
    matches += [[path]] * (len(answers) - len(matches))  # for whom no rule is
    rules = [{"matches": met, "filters": [_filter(answer.name)]} for met, answer in zip(matches, answers, strict=True)]
    parent = {
        "group": GATEWAY,
        "kind": "Gateway",
        "name": plan.identity,
        "namespace": plan.identity,
        "sectionName": each.listener,
    }
    spec = {"parentRefs": [parent], "rules": rules}
    after = [gateway_id(plan), *(answer.id for answer in answers)]
    return maker.kubernetes(f"{GATEWAY}/v1", "HTTPRoute", each.name, plan.identity, spec=spec, after=after)


def _matches(path: Tree, rule: ListRulePlan) -> list[Tree]:
    header = {"type": "Exact", "name": TENANT_HEADER}
    return [{**path, "headers": [{**header, "value": caller}]} for caller in rule.callers]


def _filter(name: str) -> Tree:
    return {"type": "ExtensionRef", "extensionRef": {"group": ENVOY, "kind": "HTTPRouteFilter", "name": name}}


def _policy(
    plan: GatewayPlan, each: ListPlan, listener: ListenerPlan, maker: Maker, route: KubernetesRow
) -> KubernetesRow:
    """It takes the place of the listener's own, which asks for the name of a model."""
    callers = [caller for rule in each.rules for caller in rule.callers]
    principal: Tree = {"headers": [{"name": TENANT_HEADER, "values": callers}], **access.claim(listener, callers)}
    spec = {
        "targetRefs": [{"group": GATEWAY, "kind": "HTTPRoute", "name": each.name}],
        **access.signed_in(listener),
        "authorization": {
            "defaultAction": "Deny",
            "rules": [{"name": "models", "action": "Allow", "principal": principal}],
        },
    }
    after = [route.id, *access.needed(plan, listener)]
    return maker.kubernetes(ENVOY_API, "SecurityPolicy", each.name, plan.identity, spec=spec, after=after)
