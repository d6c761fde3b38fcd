"""How much tenants may use, and what every request gets: one policy of the whole gateway."""

from __future__ import annotations

from aifactory.components.gateway.decided import METADATA, TENANT_HEADER, GatewayPlan, LimitPlan
from aifactory.components.gateway.objects.doors import gateway_id
from aifactory.components.gateway.objects.kinds import ENVOY_API, GATEWAY
from aifactory.components.rows import KubernetesRow, Maker, Tree

SERVER_IDLE_S = 90
"""Time after which a proxy closes an idle connection to a server. Shorter than the server's own, 120 s: one that closes
first answers a request that just left with a reset."""


def policy(plan: GatewayPlan, maker: Maker) -> KubernetesRow:
    """Limits, bounds and retries of all routes. An answer that streams is never asked for twice."""
    spec: Tree = {
        "targetRefs": [{"group": GATEWAY, "kind": "Gateway", "name": plan.identity}],
        "timeout": {"http": {"connectionIdleTimeout": f"{SERVER_IDLE_S}s"}},
        "retry": {"numRetries": 1, "retryOn": {"triggers": ["connect-failure", "reset-before-request"]}},
        "circuitBreaker": {"maxParallelRequests": 4096, "maxPendingRequests": 1024},
    }
    if plan.limits:
        rules = [_rule(limit, by_client=plan.by_client) for limit in plan.limits]
        spec["rateLimit"] = {"type": "Global", "global": {"rules": rules}}
    after = [gateway_id(plan)]
    return maker.kubernetes(ENVOY_API, "BackendTrafficPolicy", plan.identity, plan.identity, spec=spec, after=after)


def _rule(limit: LimitPlan, *, by_client: bool) -> Tree:
    """One bucket for the tenant, whichever of its clients asks and for whichever model."""
    header: Tree = {"name": TENANT_HEADER, "type": "Exact", "value": limit.tenant}
    if by_client:
        header |= {"type": "RegularExpression", "value": rf"{limit.tenant}(\..+)?"}
    rule: Tree = {
        "clientSelectors": [{"headers": [header]}],
        "limit": {"requests": limit.amount, "unit": limit.unit},
        "shared": True,
    }
    if limit.counts != "requests":
        # Nothing is taken when a request comes: it is let in while there is something left, and charged at its end.
        rule["cost"] = {
            "request": {"from": "Number", "number": 0},
            "response": {"from": "Metadata", "metadata": {"namespace": METADATA, "key": limit.counts}},
        }
    return rule
