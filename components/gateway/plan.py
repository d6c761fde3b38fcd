"""Decides a gateway: its host names, who may call, which models lead where, and what each tenant may use."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from aifactory.components.base import PlanContext
from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.gateway import (
    balancing,
    bedrock,
    demanded,
    door,
    explaining,
    listing,
    places,
    published,
    reaching,
    rules,
    store,
    usage,
    using,
)
from aifactory.components.gateway.decided import (
    HTTPS_PORT,
    PROXY_NAMESPACE,
    TENANT_HEADER,
    USER_HEADER,
    GatewayPlan,
    ModelPlan,
    VenueGatewayPlan,
)
from aifactory.components.gateway.objects.doors import ACCESS_LOG, HANDED_ON
from aifactory.components.gateway.published_model import Published
from aifactory.components.gateway.spec import GatewaySpec
from aifactory.components.offers import BoundedRoute, EndpointOffer, GatewayOffer, ModelOffer, PricedModel
from aifactory.components.rules import Rule
from aifactory.components.tracing import collector_of, explain_spans, span_sink

RULES: tuple[Rule, ...] = rules.RULES


def resolve(spec: GatewaySpec, ctx: PlanContext) -> GatewaySpec | None:
    """Ask for what makes listeners, certificates and routes that read the body."""
    ctx.require("gateway-api", "Gateway and routes of the gateway")
    ctx.require("envoy-gateway", "proxies of the gateway")
    tenant = f"{TENANT_HEADER}:tenant.id"  # no user among the labels of metrics: each would be a series of its own
    labels: dict[str, object] = {
        "controller": {
            "metricsRequestHeaderAttributes": tenant,
            "spanRequestHeaderAttributes": f"{tenant},{USER_HEADER}:enduser.id",
        }
    }
    ctx.require("ai-gateway", "routes that read the model from the body, and count tokens", labels)
    ctx.require("cert-manager", "the certificate of its listeners")
    if any(places.sources(spec)):
        ctx.require("external-secrets", "keys that come from a store outside of the cluster")
    if spec.reach == "site":
        ctx.require("load-balancer", "an address that the site's clients reach the gateway at")
    outlives = ctx.place.is_one_node or spec.replicas != 1
    ctx.check("GTW-006", outlives, "one proxy has no other to take over", ("replicas",), "set replicas to 2")
    held = [door.known(spec, ctx), balancing.fits(spec, ctx), places.signed(spec, ctx), bedrock.reachable(spec, ctx)]
    return spec if all(held) else None


def size(spec: GatewaySpec, ctx: PlanContext) -> GatewayPlan | None:
    """Routes to all models, which are known once serving parts have their size."""
    models = published.published(spec, ctx)
    listeners = door.listeners(spec, ctx)
    if not models or listeners is None:
        return None
    held = [published.sound(models, spec, ctx), usage.sound(spec, models, ctx), _private(models, spec, ctx)]
    if not all([*held, bedrock.exact(models, spec, ctx)]):
        return None
    limits = usage.limits(spec)
    decided = tuple(published.plan_of(model, spec, ctx) for model in models)
    backends = places.backends(models, spec, ctx)
    collector = collector_of(ctx)
    plan = GatewayPlan(
        identity=spec.identity,
        site=ctx.place.site,
        reach=spec.reach,
        listeners=listeners,
        callers=door.callers(spec, ctx),
        replicas=door.proxies(spec, ctx),
        idle_timeout_s=spec.idle_timeout_s,
        backends=backends,
        models=decided,
        lists=listing.lists(spec.identity, listeners, decided),
        limits=limits,
        store=store.of(limits, ctx),
        by_client=spec.sign_in.keys is not None,
        log_prompts=spec.log_prompts,
        country=ctx.place.location.country,
        operator=ctx.place.location.operator.nationality,
        spans=explain_spans(span_sink(ctx), "a span for each request, with tenant, model, site and request id", ctx),
        reaches=reaching.reach(models, listeners, backends, collector, ctx),
        traces_to=collector.otlp_http if collector else "",
        **door.ground(spec, ctx),
    )
    plan = _at_venue(plan, models, spec, ctx)
    reaching.ask(plan.identity, plan.reaches, counts=bool(limits), ctx=ctx)
    if plan.store:
        store.ask(plan.store, ctx)
    demanded.carried(spec, models, ctx)
    explaining.explain(plan, models, spec, ctx)
    _around_it(plan, models, spec, ctx)
    return plan


def _at_venue(plan: GatewayPlan, models: list[Published], spec: GatewaySpec, ctx: PlanContext) -> GatewayPlan:
    """The plan with what the venue makes for it, and itself where that is nothing."""
    balancer, account = balancing.decide(spec, plan.models, ctx), bedrock.ask(models, spec, ctx)
    if balancer is None and not account:
        return plan
    return VenueGatewayPlan(**structs.asdict(plan), balancer=balancer, service_account=account)


def settle(plan: GatewayPlan, ctx: PlanContext) -> GatewayPlan:
    """See that every model has a route, once all doors are known. One of them speaks for all."""
    doors = ctx.offers(EndpointOffer)
    if doors[0].part == ctx.part:
        reached = {model for each in doors for model in each.parts}
        left = [offer for offer in ctx.offers(ModelOffer) if offer.part not in reached]
        ctx.check(
            "GTW-008",
            not left,
            lambda: f"no door leads to {', '.join(f'{offer.model} of part {offer.part}' for offer in left)}",
            ("models",),
            f"add a model that leads to {' and to '.join(offer.part for offer in left)}",
        )
    return plan


def _private(models: list[Published], spec: GatewaySpec, ctx: PlanContext) -> bool:
    """Whether prompts are written down only where the class of each model allows it."""
    if not spec.log_prompts:
        return True
    known = ctx.site_plan.residency.data_classes if ctx.site_plan.residency else {}
    forbidding = [
        model.spec.name
        for model in models
        if not model.classes or not all(name in known and known[name].prompts_in_telemetry for name in model.classes)
    ]
    return ctx.check(
        "GTW-017",
        not forbidding,
        f"prompts of {', '.join(forbidding)} may not be logged: their data class doesn't allow it or is unknown",
        ("log_prompts",),
        "delete log_prompts, or set prompts_in_telemetry of each data class",
    )


def _around_it(plan: GatewayPlan, models: list[Published], spec: GatewaySpec, ctx: PlanContext) -> None:
    """Its namespace, a way in to those of models, and what it offers."""
    ctx.namespace(NamespaceRequest(name=plan.identity, part=ctx.part, purpose="Gateway, policies and keys"))
    parts = {offer.part: offer for model in models for offer in model.parts}
    for namespace in sorted({offer.namespace for offer in parts.values()}):
        ctx.namespace(
            NamespaceRequest(
                name=namespace, part=ctx.part, purpose="Models of the gateway", ingress_from=(PROXY_NAMESPACE,)
            )
        )
    for tenant in door.tenants(ctx) if plan.callers else ():
        # A tenant's pods reach nothing by default. Namespaces in `callers` are not ours.
        way = ((PROXY_NAMESPACE, HTTPS_PORT),)
        ctx.namespace(NamespaceRequest(tenant, ctx.part, "Callers of the gateway", egress_to=way))
    if any(model.pool for model in models):
        ctx.require("inference-extension", "pools that routes lead to")
    ctx.offer(
        EndpointOffer(
            part=ctx.part,
            gateway=plan.identity,
            host=plan.host,
            urls=tuple((called, f"https://{_host(plan, model)}/v1") for model in plan.models for called in model.ids),
            parts=tuple(parts),
        )
    )
    ctx.offer(_offer(plan, models, spec, ctx.part))
    for note in using.notes(ctx.part, plan):
        ctx.offer(note)


def _host(plan: GatewayPlan, model: ModelPlan) -> str:
    """Where callers of the model ask first: each of their host names leads to it."""
    return next(each.host for each in plan.listeners if any(map(each.takes, model.callers)))


def _offer(plan: GatewayPlan, models: list[Published], spec: GatewaySpec, part: str) -> GatewayOffer:
    return GatewayOffer(
        part=part,
        host=plan.host,
        namespace=plan.identity,
        proxy_namespace=PROXY_NAMESPACE,
        proxy_labels=tuple(door.owner(plan.identity).items()),
        metrics_ports=(("envoy", 19_001), ("genai", 1_064)),
        metric_attributes=("tenant.id",),
        log_fields=(*ACCESS_LOG, *(HANDED_ON if plan.hands_on else ())),
        tenants=tuple(sorted({tenant for model in plan.models for tenant in model.tenants})),
        models=tuple(called for model in plan.models for called in model.ids),
        providers=tuple(backend.place for backend in plan.backends if backend.place != plan.site),
        prompts_logged=plan.log_prompts,
        priced=tuple(_priced(model) for model in models),
        budgets=tuple((tenant.name, tenant.usd_per_month) for tenant in spec.tenants if tenant.usd_per_month),
        bounded_routes=tuple(_bounded_routes(plan)),
    )


def _bounded_routes(plan: GatewayPlan) -> Iterator[BoundedRoute]:
    for model in plan.models:
        for route in model.routes:
            rules = tuple(number for number, rule in enumerate(route.rules) if rule.parallel)
            if rules:
                yield BoundedRoute(model.namespace, route.name, rules)


def _priced(model: Published) -> PricedModel:
    """Metrics don't say which place answered: the highest price calls early, and never late."""
    prices = [price for place in model.places if (price := place.leg.price or model.spec.price)]
    known = len(prices) == len(model.places)
    return PricedModel(
        ids=(model.id, *model.spec.aliases),
        parts=tuple(dict.fromkeys(offer.part for offer in model.parts)),
        input_usd=max(price.input_usd for price in prices) if known else None,
        output_usd=max(price.output_usd for price in prices) if known else None,
    )
