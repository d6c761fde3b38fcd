"""Where requests go: a route for each model, and how long and how often it tries."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.gateway.decided import (
    MODEL_HEADER,
    TENANT_HEADER,
    GatewayPlan,
    LegPlan,
    ModelPlan,
    RoutePlan,
    RulePlan,
)
from aifactory.components.gateway.failing import AWAY_S, CONNECT_TIMEOUT_S, ERRORS_IN_A_ROW, FAILURES_IN_A_ROW
from aifactory.components.gateway.objects.doors import gateway_id
from aifactory.components.gateway.objects.kinds import (
    AI_API,
    COUNTRY_LABEL,
    ENVOY_API,
    GATEWAY,
    OPERATOR_LABEL,
    PLACE_LABEL,
    POOLS,
)
from aifactory.components.names import DATA_CLASS_LABEL
from aifactory.components.rows import KubernetesRow, Maker, Tree, Wave
from aifactory.components.values import canonical_json

RESIDENCY_ANNOTATION = "aifactory.io/residency"
LABEL_CHARS = 63
RETRIED_CODES = [429, 502, 503]
"""Answers that say that another place may do better: full, or gone."""


def rows(plan: GatewayPlan, maker: Maker) -> Iterator[KubernetesRow]:
    """Routes and their traffic."""
    for model in plan.models:
        for route in model.routes:
            made = _route(plan, model, route, maker)
            yield made
            yield from _traffic(model, route, maker, made)


def _route(plan: GatewayPlan, model: ModelPlan, route: RoutePlan, maker: Maker) -> KubernetesRow:
    counts: list[Tree] = [
        {"metadataKey": "llm_input_token", "type": "InputToken"},
        {"metadataKey": "llm_output_token", "type": "OutputToken"},
        {"metadataKey": "llm_total_token", "type": "TotalToken"},
    ]
    if model.cost:
        counts.append({"metadataKey": "llm_cost", "type": "CEL", "cel": model.cost})
    spec = {
        "parentRefs": [
            {"group": GATEWAY, "kind": "Gateway", "name": plan.identity, "namespace": plan.identity},
        ],
        "llmRequestCosts": counts,
        "rules": [_rule(model, rule) for rule in route.rules],
    }
    where = {PLACE_LABEL: plan.site, COUNTRY_LABEL: plan.country, OPERATOR_LABEL: plan.operator}
    classes = ".".join(name for name, _, _ in model.residency)
    if classes and len(classes) <= LABEL_CHARS:
        where[DATA_CLASS_LABEL] = classes
    bounds = {
        name: {"jurisdictions": list(jurisdictions), "operators": list(operators)}
        for name, jurisdictions, operators in model.residency
    }
    return maker.kubernetes(
        AI_API,
        "AIGatewayRoute",
        route.name,
        model.namespace,
        labels=where,
        annotations={RESIDENCY_ANNOTATION: canonical_json(bounds)} if bounds else None,
        spec=spec,
        after=[gateway_id(plan), *dict.fromkeys(row for leg in model.legs for row in leg.after)],
        wave=Wave.WORKLOADS,
    )


def _rule(model: ModelPlan, rule: RulePlan) -> Tree:
    matches = [
        {
            "headers": [
                {"type": "Exact", "name": MODEL_HEADER, "value": called},
                {"type": "Exact", "name": TENANT_HEADER, "value": caller},
            ]
        }
        for called in rule.models
        for caller in rule.callers
    ]
    return {
        "name": rule.name,
        "matches": matches,
        "backendRefs": [_leg(leg) for leg in model.legs],
        "timeouts": {"request": f"{model.timeout_s}s", "backendRequest": f"{model.timeout_s}s"},
        "streamIdleTimeout": f"{model.silence_s}s",
    }


def _leg(leg: LegPlan) -> Tree:
    if leg.backend == "InferencePool":
        return {"group": POOLS, "kind": "InferencePool", "name": leg.name}
    found: Tree = {"name": leg.name, "weight": leg.weight, "priority": leg.order}
    return {**found, "modelNameOverride": leg.override} if leg.override else found


def _traffic(model: ModelPlan, route: RoutePlan, maker: Maker, made: KubernetesRow) -> Iterator[KubernetesRow]:
    """What differs from the gateway's own policy: the next place when one is gone, and shares of low priority."""
    kind, after, wave = "BackendTrafficPolicy", [made.id], Wave.WORKLOADS
    target: Tree = {"group": GATEWAY, "kind": "HTTPRoute", "name": route.name}
    if model.fails_over:
        spec = {"targetRefs": [target], "mergeType": "StrategicMerge", **_failover(model)}
        yield maker.kubernetes(ENVOY_API, kind, route.name, model.namespace, spec=spec, after=after, wave=wave)
    for rule in route.rules:
        if rule.parallel:
            share = {"maxParallelRequests": rule.parallel, "maxPendingRequests": rule.parallel}
            spec = {
                "targetRefs": [{**target, "sectionName": rule.name}],
                "mergeType": "StrategicMerge",
                **(_failover(model) if model.fails_over else {}),
                "circuitBreaker": share,
            }
            name = f"{route.name}.{rule.name}"
            yield maker.kubernetes(ENVOY_API, kind, name, model.namespace, spec=spec, after=after, wave=wave)


def _failover(model: ModelPlan) -> Tree:
    """The next order when one is gone. Nothing is asked for again once a byte has reached the client."""
    orders = len({leg.order for leg in model.legs})
    return {
        "retry": {
            "numRetries": orders,
            "numAttemptsPerPriority": 1,
            "retryOn": {
                "triggers": ["connect-failure", "reset-before-request", "retriable-status-codes"],
                "httpStatusCodes": RETRIED_CODES,
            },
        },
        "timeout": {"tcp": {"connectTimeout": f"{CONNECT_TIMEOUT_S}s"}},
        "healthCheck": {
            "passive": {
                "consecutiveLocalOriginFailures": FAILURES_IN_A_ROW,
                "consecutiveGatewayErrors": FAILURES_IN_A_ROW,
                "consecutive5XxErrors": ERRORS_IN_A_ROW,
                "splitExternalLocalOriginErrors": True,
                "interval": "2s",
                "baseEjectionTime": f"{AWAY_S}s",
                "maxEjectionPercent": 100,  # below that the last server of a dead pool would be asked for ever
            }
        },
    }
