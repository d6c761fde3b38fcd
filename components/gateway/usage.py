"""How much tenants may use: limits of requests, tokens and spend, and the store that all proxies count in."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.gateway.decided import UNITS_PER_USD, LimitPlan
from aifactory.components.gateway.published import Published
from aifactory.components.gateway.spec import GatewaySpec
from aifactory.components.gateway.spec_tenants import TenantLimits
from aifactory.components.problems import nearest

STORE_TIMEOUT = "250ms"
"""Time to wait for a count. Envoy's own 20 ms would refuse requests at each pause of the store, now that it fails
closed."""


def sound(spec: GatewaySpec, models: list[Published], ctx: PlanContext) -> bool:
    """Whether limits are of callers, countable and priced."""
    counted = [tenant for tenant in spec.tenants if set(tenant.model_fields_set) - {"name", "parallel_requests"}]
    given = ctx.place.endpoints
    store = given.limit_store if given else None
    stored = ctx.check(
        "GTW-013",
        not counted or store is not None,
        f"{len(counted)} tenants have limits, and site {ctx.place.site} names no store to count in",
        ("tenants",),
        "add endpoints.limit_store to the site file: the host and port of a Redis, or delete the limits",
    )
    return all([stored, *_known(spec, models, ctx), *_priced(spec, models, ctx)])


def _known(spec: GatewaySpec, models: list[Published], ctx: PlanContext) -> Iterator[bool]:
    callers = sorted({name for model in models for name in model.tenants})
    for index, tenant in enumerate(spec.tenants):
        yield ctx.check(
            "GTW-016",
            tenant.name in callers,
            f'"{tenant.name}" may use no model here',
            ("tenants", index, "name"),
            nearest(tenant.name, callers),
        )
    limited = {tenant.name for tenant in spec.tenants if tenant.tokens_per_minute or tenant.tokens_per_day}
    left = [name for name in callers if name not in limited]
    ctx.check(
        "GTW-015",
        not left,
        f"{', '.join(left)} may use as many tokens as there are",
        ("tenants",),
        "set tokens_per_minute or tokens_per_day for each tenant",
    )


def _priced(spec: GatewaySpec, models: list[Published], ctx: PlanContext) -> Iterator[bool]:
    for index, tenant in enumerate(spec.tenants):
        if not tenant.spends:
            continue
        free = [
            model.spec.name
            for model in models
            if tenant.name in model.tenants
            and any(place.leg.price is None and model.spec.price is None for place in model.places)
        ]
        yield ctx.check(
            "GTW-014",
            not free,
            f"{tenant.name} has a limit of spend, and {', '.join(free)} has no price",
            ("tenants", index, "name"),
            "set price on the model, or on each of its legs",
        )


def limits(spec: GatewaySpec) -> tuple[LimitPlan, ...]:
    """All limits, in order of tenants."""
    return tuple(limit for tenant in spec.tenants for limit in _limits(tenant))


def _limits(tenant: TenantLimits) -> Iterator[LimitPlan]:
    if tenant.requests_per_minute:
        yield LimitPlan(tenant.name, "Minute", tenant.requests_per_minute, "requests")
    if tenant.tokens_per_minute:
        yield LimitPlan(tenant.name, "Minute", tenant.tokens_per_minute, "llm_total_token")
    if tenant.tokens_per_day:
        yield LimitPlan(tenant.name, "Day", tenant.tokens_per_day, "llm_total_token")
    if tenant.usd_per_day:
        yield LimitPlan(tenant.name, "Day", int(tenant.usd_per_day * UNITS_PER_USD), "llm_cost")
    if tenant.usd_per_month:
        yield LimitPlan(tenant.name, "Month", int(tenant.usd_per_month * UNITS_PER_USD), "llm_cost")


def ask_for_store(planned: tuple[LimitPlan, ...], ctx: PlanContext) -> None:
    """The operator of the proxies counts in the site's store, and refuses what it can't count."""
    given = ctx.place.endpoints
    if not planned or given is None or given.limit_store is None:
        return
    count: dict[str, object] = {
        "backend": {"type": "Redis", "redis": {"url": given.limit_store}},
        "failClosed": True,
        "timeout": STORE_TIMEOUT,
    }
    ctx.require("envoy-gateway", "limits of tenants", {"config": {"envoyGateway": {"rateLimit": count}}})
    ctx.check(
        "GTW-018",
        "envoy-gateway" not in ctx.place.cluster.provides,
        f"site {ctx.place.site} gives envoy-gateway: whether it refuses requests while {given.limit_store} is gone is "
        "its own setting",
        ("tenants",),
        "see that its rateLimit has failClosed: true and this store",
    )
    ctx.decide(
        "limit_store",
        given.limit_store,
        "all proxies count here; without it nobody gets an answer. What fails open: tokens are known when an answer "
        "ends, so requests that run when a limit is reached are answered",
        rejected=[
            Rejected(
                "QuotaPolicy",
                "v1alpha1 counts in a second service of its own that Envoy AI Gateway lets fail open, and knows "
                "AIServiceBackends alone",
            ),
            Rejected("limits in each proxy", "two proxies would grant twice as much"),
        ],
        source=("endpoints", "limit_store"),
        document="site",
    )
