"""Whether what tenants may use is what the blueprint says that they ask for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from aifactory.components.base import PlanContext
from aifactory.components.demand import ModelDemand
from aifactory.components.gateway.published_model import Published
from aifactory.components.gateway.spec import GatewaySpec
from aifactory.components.gateway.spec_tenants import TenantLimits
from aifactory.components.offers import ModelOffer

MINUTE_S, DAY_S = 60, 86_400


def _calls(demand: ModelDemand, rate: float) -> float:
    """Calls per s, with those that one request makes and with growth: what the GPUs are bought for."""
    return rate * demand.agentic_factor * (1 + demand.growth_percent / 100)


def _tokens(demand: ModelDemand) -> int:
    return demand.input_tokens + demand.output_tokens


ASKED: Mapping[str, Callable[[ModelDemand], float]] = {
    "requests_per_minute": lambda each: _calls(each, each.rate[1]) * MINUTE_S,
    "tokens_per_minute": lambda each: _calls(each, each.rate[1]) * _tokens(each) * MINUTE_S,
    "tokens_per_day": lambda each: _calls(each, each.rate[0]) * _tokens(each) * DAY_S,
}
"""What a limit must hold of the demand for a model, by the field of the limit: minutes at peak, days at the mean."""


def carried(spec: GatewaySpec, models: list[Published], ctx: PlanContext) -> None:
    """Warn of limits below the demand. A model of several tenants is asked for by all of them together."""
    callers = _callers(models)
    for field, asked in ASKED.items():
        for tenants in dict.fromkeys(callers.values()):
            _judge(spec, field, tenants, list(_within(callers, tenants, asked, ctx)), ctx)


def _callers(models: list[Published]) -> dict[ModelOffer, frozenset[str]]:
    """Who may call each served model, under whichever name."""
    found: dict[ModelOffer, frozenset[str]] = {}
    for model in models:
        for offer in model.parts:
            found[offer] = found.get(offer, frozenset()) | frozenset(model.tenants)
    return found


def _within(
    callers: Mapping[ModelOffer, frozenset[str]],
    tenants: frozenset[str],
    asked: Callable[[ModelDemand], float],
    ctx: PlanContext,
) -> Iterator[tuple[str, float]]:
    """Models that nobody but these tenants calls, with the demand for each. Two parts may serve one model."""
    outside = {offer.model for offer, named in callers.items() if not named <= tenants}
    for model in dict.fromkeys(offer.model for offer in callers if offer.model not in outside):
        demand = ctx.demand_of(model)
        if demand is not None:
            yield model, asked(demand[1])


def _judge(
    spec: GatewaySpec, field: str, tenants: frozenset[str], asked: list[tuple[str, float]], ctx: PlanContext
) -> None:
    limited = [(index, each) for index, each in enumerate(spec.tenants) if each.name in tenants and _of(each, field)]
    if len(limited) < len(tenants) or not asked:
        return  # one without a limit may ask for all of it
    allowed, needed = sum(_of(each, field) for _, each in limited), sum(amount for _, amount in asked)
    names = " and ".join(each.name for _, each in limited)
    ctx.check(
        "GTW-024",
        allowed >= needed,
        lambda: (
            f"{names} may use {allowed} {field.replace('_', ' ')}, and the demand for "
            f"{' and '.join(model for model, _ in asked)} is {math.ceil(needed)}"
        ),
        ("tenants", limited[0][0], field),
        f"set {field} to {math.ceil(needed)} or more{' together' if len(limited) > 1 else ''}, or lower demand",
    )


def _of(tenant: TenantLimits, field: str) -> int:
    """A limit, 0 for none."""
    value: int | None = getattr(tenant, field)
    return value or 0
