"""How much tenants may use: limits of requests, tokens and spend."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.base import PlanContext
from aifactory.components.gateway.decided import UNITS_PER_USD, LimitPlan
from aifactory.components.gateway.published_model import Published
from aifactory.components.gateway.spec import GatewaySpec
from aifactory.components.gateway.spec_tenants import TenantLimits
from aifactory.components.problems import nearest


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
    given = ctx.place.endpoints
    stored = given is not None and given.limit_store is not None
    # A store beyond the uplink would close the door with it: there, tenants are held by requests at a time.
    alone = ctx.place.venue_facts.starts_offline and not stored
    limited = {
        tenant.name
        for tenant in spec.tenants
        if tenant.tokens_per_minute or tenant.tokens_per_day or (alone and tenant.parallel_requests)
    }
    left = [name for name in callers if name not in limited]
    ctx.check(
        "GTW-015",
        not left,
        f"{', '.join(left)} may use as many tokens as there are",
        ("tenants",),
        "set parallel_requests for each tenant"
        if alone
        else "set tokens_per_minute or tokens_per_day for each tenant"
        + ("" if stored else ", and add endpoints.limit_store to the site file"),
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
