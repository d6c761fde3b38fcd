"""Why a gateway is as it is, for whoever reads the plan."""

from __future__ import annotations

from aifactory.components import issuing
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.gateway import failing
from aifactory.components.gateway.decided import GatewayPlan, ModelPlan
from aifactory.components.gateway.objects.doors import ONLY_OURS
from aifactory.components.gateway.published import QUEUE_MARGIN_S
from aifactory.components.gateway.published_model import Published
from aifactory.components.gateway.spec import GatewaySpec


def explain(plan: GatewayPlan, models: list[Published], spec: GatewaySpec, ctx: PlanContext) -> None:
    """All decisions with their reasons."""
    _reach(plan, spec, ctx)
    _signing_in(plan, ctx)
    _timeouts(plan, spec, ctx)
    _issuer(plan, ctx)
    _privacy(plan, ctx)
    _limits(plan, spec, ctx)
    for decided, model in zip(plan.models, models, strict=True):
        _model(decided, model, ctx)
        _prices(model, ctx)


def _reach(plan: GatewayPlan, spec: GatewaySpec, ctx: PlanContext) -> None:
    ctx.decide(
        "reach",
        {"from": plan.reach, "networks": plan.callers or plan.clients},
        "Services inside the cluster; a policy lets these namespaces through and nobody else"
        if plan.reach == "cluster"
        else "a load balancer whose source addresses a policy compares with the networks that the site names",
        source=("reach",),
    )
    ctx.decide(
        "proxies",
        plan.replicas,
        "each carries any route and reads bodies in a container beside it; 0.75 CPU and 768 MiB to start with, to be "
        "measured",
        source=("replicas",) if spec.replicas else (),
    )
    ctx.decide(
        "base_url",
        f"https://{plan.host}/v1",
        "one for all models: Envoy AI Gateway reads the model from the body and chooses the route then",
        rejected=[
            Rejected("a path for each model", "each client would need one for each model, and no failover has one")
        ],
    )


def _signing_in(plan: GatewayPlan, ctx: PlanContext) -> None:
    ctx.decide(
        "sign_in",
        {listener.name: listener.host for listener in plan.listeners},
        "closed unless a token or key names a tenant of the model, said twice: by a policy, and by routes that match "
        f"the tenant. The tenant comes from the token or key alone: of clients, {', '.join(ONLY_OURS)} are removed",
        rejected=[
            Rejected("one host name for tokens and keys", "a policy with both asks each caller for both"),
            Rejected(
                "a policy on each route", "it would be read before the body, for the first route that matches all"
            ),
        ],
        source=("sign_in",),
    )


def _timeouts(plan: GatewayPlan, spec: GatewaySpec, ctx: PlanContext) -> None:
    ctx.decide(
        "timeouts",
        {
            f"{model.name}.{what}": seconds
            for model in plan.models
            for what, seconds in (("request_s", model.timeout_s), ("silence_s", model.silence_s))
        },
        f"the longest answer of each model and {QUEUE_MARGIN_S} s in its queue; Envoy AI Gateway's own 60 s would cut "
        "streams"
        if spec.request_timeout_s is None
        else "as written, and no less than the longest answer",
        rejected=[
            Rejected("retry answers", "a stream that broke would begin again: only what sent no byte is tried twice"),
            Rejected("a timeout for each try", "Envoy counts it to the end of an answer, so it would cut streams, too"),
        ],
        source=("request_timeout_s",),
    )


def _issuer(plan: GatewayPlan, ctx: PlanContext) -> None:
    issuing.tell(plan.cluster_issuer, f"the door of {plan.identity}", ctx)
    ctx.decide(
        "issuer",
        plan.cluster_issuer or "private CA",
        "the site's ClusterIssuer"
        if plan.cluster_issuer
        else "no issuer vouches for names of the cluster; clients must trust the CA's certificate"
        if plan.reach == "cluster"
        else "the site names no issuer for its endpoints; clients must trust the CA's certificate",
    )


def _privacy(plan: GatewayPlan, ctx: PlanContext) -> None:
    ctx.decide(
        "prompts_logged",
        plan.log_prompts,
        "each data class allows it, and the blueprint asks for it"
        if plan.log_prompts
        else "the access log has request, tenant, user, model, place and counts of tokens, and no body; traces have "
        "none either",
        source=("log_prompts",) if plan.log_prompts else (),
    )


def _limits(plan: GatewayPlan, spec: GatewaySpec, ctx: PlanContext) -> None:
    for index, tenant in enumerate(spec.tenants):
        ctx.decide(
            f"limits.{tenant.name}",
            tenant.model_dump(exclude={"name"}, exclude_none=True),
            "by tenant, over all models and all of its callers; parallel_requests for each model",
            because=[f"{ctx.part}.limit_store"] if plan.limits else (),
            source=("tenants", index),
        )


def _model(plan: ModelPlan, model: Published, ctx: PlanContext) -> None:
    order = sorted(plan.legs, key=lambda leg: leg.order)
    ctx.decide(
        f"model.{plan.name}",
        {
            "asked_for_as": plan.ids,
            "tenants": plan.tenants,
            "data_classes": [name for name, _, _ in plan.residency],
            "goes_to": [f"{leg.order}: {leg.name} at {leg.place}, {leg.weight} %" for leg in order],
        },
        _why(plan),
        because=[f"{offer.part}.data_class" for offer in model.parts if offer.data_class],
        source=model.at() if model.index >= 0 else (),
    )


def _prices(model: Published, ctx: PlanContext) -> None:
    prices = {place.backend: price for place in model.places if (price := place.leg.price or model.spec.price)}
    if prices:
        ctx.decide(
            f"price.{model.spec.name}",
            {
                f"{name}.{what}": usd
                for name, price in prices.items()
                for what, usd in (("input", price.input_usd), ("output", price.output_usd))
            },
            "USD per million tokens; each request is charged in units of 10 micro-dollars, rounded up, by its place",
            source=model.at("price") if model.spec.price else model.at("legs"),
        )


def _why(plan: ModelPlan) -> str:
    legs = plan.legs
    if legs[0].backend == "InferencePool":
        return "the pool's own router picks the server; a rule that leads to one has no second backend"
    if plan.fails_over:
        asked = "the next order is asked when a connection fails or 429, 502 or 503 comes before the first byte"
        return f"{asked}. {failing.SAYS}"
    if len(legs) > 1:
        return "shares by weight; going back is another weight, which changes this route alone"
    return "one place answers"
