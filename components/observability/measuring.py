"""Where the first token of a model is measured: at its door, as users see it, or at its engine."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.observability.decided import ObservabilityPlan, WatchedBudget, WatchedModel
from aifactory.components.offers import GatewayOffer, ModelOffer

LONGEST_MS, LONGEST_WHOLE_MS = 10_000.0, 81_920.0
"""Highest bounds of the door's histograms of the first token, and of whole requests: nothing above can be told.
Source: envoyproxy/ai-gateway internal/metrics/genai.go."""


class AtDoor(Struct, frozen=True):
    """Gateways that publish a model, and its names there."""

    doors: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


def at_door(offer: ModelOffer, promised_ms: float, ctx: PlanContext) -> AtDoor:
    """Where clients ask for a served model. Nowhere, if no governed door leads to it or its histogram ends before what
    is promised."""
    longest = LONGEST_WHOLE_MS if offer.dimension else LONGEST_MS
    found = [
        (gate.namespace, name)  # named as its Gateway is
        for gate in ctx.offers(GatewayOffer)
        for model in gate.priced
        if offer.part in model.parts
        for name in model.ids
    ]
    if not found or promised_ms > longest:
        return AtDoor()
    return AtDoor(*(tuple(dict.fromkeys(each)) for each in zip(*found, strict=True)))


def budgets(ctx: PlanContext) -> tuple[WatchedBudget, ...]:
    """What tenants may spend a month, and what tokens cost them."""
    return tuple(
        WatchedBudget(gate.namespace, tenant, usd, _prices(gate))
        for gate in ctx.offers(GatewayOffer)
        for tenant, usd in gate.budgets
    )


def _prices(gate: GatewayOffer) -> tuple[tuple[tuple[str, ...], float, float], ...]:
    return tuple(
        (model.ids, model.input_usd, model.output_usd)
        for model in gate.priced
        if model.input_usd is not None and model.output_usd is not None
    )


def explain(plan: ObservabilityPlan, ctx: PlanContext) -> None:
    """Say of each model where its promise is measured, and of each tenant what its spend is compared with."""
    models = [model for model in plan.watched.models if model.ttft_p99_ms]
    if models:
        ctx.decide(
            "first_token",
            {model.model: "gateway" if model.doors else "engine" for model in models},
            _why(models),
            rejected=[Rejected("engines alone", "they see no queue of a router, no limit of a tenant and no network")]
            if any(model.doors for model in models)
            else [],
            source=("promises",),
        )
    if plan.watched.budgets:
        ctx.decide(
            "budgets",
            {f"{each.gateway}/{each.tenant}": each.usd for each in plan.watched.budgets},
            f"tokens that the door counted, at the highest price of the places that may have answered, in the door's "
            f"own windows of 30 days; {plan.limit.budget_percent} percent warns, and all of it calls",
            rejected=[
                Rejected(
                    "counts of the rate limiter", "its metrics name two levels of a limit, and a tenant is the third"
                ),
                Rejected(
                    "the last 30 days",
                    "a busy end of one window would call through the next, and needs a month of data",
                ),
            ],
            source=("limits", "budget_percent"),
        )


def _why(models: Iterable[WatchedModel]) -> str:
    at = [model.model for model in models if model.doors]
    behind = [model.model for model in models if not model.doors]
    found = (
        [f"{', '.join(at)}: from the headers of a request to the first token of a streamed answer, at the door"]
        if at
        else []
    )
    if behind:
        found.append(f"{', '.join(behind)}: no governed door leads to it, or what is promised is beyond its histogram")
    return "; ".join(found)
