"""Decides an endpoint: its host name, its routes, who may call, and who signs its certificate."""

from __future__ import annotations

from aifactory.components import issuing
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.endpoint import rules, using
from aifactory.components.endpoint.decided import HTTPS_PORT, PROXY_NAMESPACE, EndpointPlan, RoutePlan
from aifactory.components.endpoint.spec import EndpointSpec
from aifactory.components.offers import EndpointOffer, ModelOffer, QueueOffer
from aifactory.components.outside import reach
from aifactory.components.problems import nearest
from aifactory.components.rules import Rule
from aifactory.components.tracing import GRPC, explain_spans, span_sink

RULES: tuple[Rule, ...] = rules.RULES
QUEUE_MARGIN_S = 30
COMMON_NAME_CHARS = 64


def resolve(spec: EndpointSpec, ctx: PlanContext) -> EndpointSpec | None:
    """Ask for what makes listeners and certificates."""
    ctx.require("gateway-api", "Gateway and routes of the endpoint")
    ctx.require("envoy-gateway", "proxies of the endpoint")
    ctx.require("cert-manager", "the certificate of its listener")
    given = ctx.place.endpoints
    if spec.reach == "site":
        ctx.require("load-balancer", "an address that the site's clients reach the endpoint at")
    fine = spec.reach == "cluster" or ctx.check(
        "END-002",
        given is not None and bool(given.clients),
        f"reach is site, and site {ctx.place.site} names no client networks",
        ("reach",),
        "add endpoints.clients to the site file, or set reach to cluster",
    )
    outlives = ctx.place.is_one_node or spec.replicas != 1
    ctx.check("END-006", outlives, "one proxy has no other to take over", ("replicas",), "set replicas to 2")
    return spec if fine else None


def size(spec: EndpointSpec, ctx: PlanContext) -> EndpointPlan | None:
    """Routes to all models, which are known once serving parts have their size."""
    models = _models(spec, ctx)
    host = _host(spec, ctx)
    if not models or host is None or not _fit(spec, models, ctx):
        return None
    plan = _plan(spec, host, models, ctx)
    _around_it(plan, models, ctx)
    return plan


def settle(plan: EndpointPlan, ctx: PlanContext) -> EndpointPlan:
    """See that every model has a route, once all endpoints are known. One of them speaks for all."""
    doors = ctx.offers(EndpointOffer)
    if doors[0].part == ctx.part:
        reached = {model for door in doors for model in door.parts}
        left = [offer for offer in ctx.offers(ModelOffer) if offer.part not in reached]
        ctx.check(
            "END-008",
            not left,
            lambda: f"no endpoint leads to {', '.join(f'{offer.model} of part {offer.part}' for offer in left)}",
            ("models",),
            f"add {' and '.join(offer.part for offer in left)} to models, or add an endpoint that leads there",
        )
    return plan


def _models(spec: EndpointSpec, ctx: PlanContext) -> list[ModelOffer]:
    known = {offer.part: offer for offer in ctx.offers(ModelOffer)}
    if spec.models is None:
        if known or not ctx.site_plan.refused:
            hint = "add a serving part, or delete the endpoint"
            ctx.check("END-001", bool(known), f"no part serves a model at {ctx.place.site}", (), hint)
        return list(known.values())
    for index, name in enumerate(spec.models):
        if name not in known and not ctx.has_refused(name):
            ctx.refuse(f'"{name}" is no part that serves a model', ("models", index), nearest(name, known))
    found = [known[name] for name in spec.models if name in known]
    return found if len(found) == len(spec.models) else []


def _host(spec: EndpointSpec, ctx: PlanContext) -> str | None:
    given = ctx.place.endpoints if spec.reach == "site" else None
    first = spec.host or spec.identity
    domain = given.domain if given else f"{spec.identity}.svc.cluster.local"
    host = f"{first}.{domain}"
    says = f"host name {host} has {len(host)} characters, {COMMON_NAME_CHARS} at most"
    if not ctx.check("END-005", len(host) <= COMMON_NAME_CHARS, says, ("host",), "shorten host"):
        return None
    reason = "below the domain of the site" if given else "a Service of the cluster, which its DNS knows"
    return ctx.decide("host", host, reason, source=("host",) if spec.host else ())


def _fit(spec: EndpointSpec, models: list[ModelOffer], ctx: PlanContext) -> bool:
    paths = [offer.model for offer in models]
    double = sorted({path for path in paths if paths.count(path) > 1})
    apart = ctx.check(
        "END-003",
        not double,
        lambda: f"two parts serve {double[0]} on one path",
        ("models",),
        "list one of them here and the other in a second endpoint",
    )
    longest = max(models, key=lambda offer: offer.longest_s)
    enough = spec.request_timeout_s is None or spec.request_timeout_s >= longest.longest_s
    says = f"{spec.request_timeout_s} s, and an answer of {longest.model} may take {longest.longest_s} s"
    hint = f"set it to {longest.longest_s} or more"
    return ctx.check("END-004", enough, says, ("request_timeout_s",), hint) and apart


def _plan(spec: EndpointSpec, host: str, models: list[ModelOffer], ctx: PlanContext) -> EndpointPlan:
    given = ctx.place.endpoints
    inside = spec.reach == "cluster"
    issuer = given.certificates.cluster_issuer if given and given.certificates and not inside else ""
    callers, clients = _callers(spec, ctx), tuple(given.clients) if given and not inside else ()
    routes = tuple(_route(spec, offer) for offer in models)
    _explain(issuer, inside, ctx)
    _explain_reach(spec, callers, clients, routes, ctx)
    replicas, spans = _proxies(spec, ctx), span_sink(ctx)
    return EndpointPlan(
        identity=spec.identity,
        host=host,
        reach=spec.reach,
        callers=callers,
        clients=clients,
        address=(given.address or "") if given and not inside else "",
        load_balancer_class=(given.load_balancer_class or "") if given and not inside else "",
        cluster_issuer=issuer,
        replicas=replicas,
        idle_timeout_s=spec.idle_timeout_s,
        routes=routes,
        site=ctx.place.site,
        spans=explain_spans(spans, "a span for each request, with model, site and request id", ctx),
        reaches=reach(
            ctx.place,
            (route.namespace for route in routes),
            collector=(spans.namespace, (GRPC,)) if spans else None,
        ),
    )


def _callers(spec: EndpointSpec, ctx: PlanContext) -> tuple[str, ...]:
    """Namespaces whose pods may call, where nobody outside of the cluster may."""
    if spec.reach != "cluster":
        return ()
    found = tuple(sorted({*_tenants(ctx), *spec.callers}))
    ctx.check(
        "END-007",
        bool(found),
        f"no namespace may call {spec.name}: no queue has tenants, and callers names none",
        ("callers",) if spec.callers else (),
        "set callers to the namespaces of its clients",
    )
    return found


def _tenants(ctx: PlanContext) -> list[str]:
    """Namespaces of those who queue work."""
    return [tenant.namespace for queue in ctx.offers(QueueOffer) for tenant in queue.tenants]


def _explain_reach(
    spec: EndpointSpec,
    callers: tuple[str, ...],
    clients: tuple[str, ...],
    routes: tuple[RoutePlan, ...],
    ctx: PlanContext,
) -> None:
    ctx.decide(
        "reach",
        {"from": spec.reach, "callers": callers or clients},
        "a Service inside the cluster; a policy lets these namespaces through and nobody else"
        if spec.reach == "cluster"
        else "a load balancer whose source addresses a policy compares with the networks that the site names. Pods of "
        "the cluster are not among them: an endpoint of their own, of reach cluster, is for those",
        rejected=[Rejected("open to all", "nothing here knows who calls: tokens come with a gateway")],
        source=("reach",),
    )
    ctx.decide(
        "timeouts",
        {route.path: route.timeout_s for route in routes},
        f"the longest answer of each model and {QUEUE_MARGIN_S} s in its queue; the proxy's own 15 s would cut streams"
        if spec.request_timeout_s is None
        else "as written, and no less than the longest answer",
        rejected=[Rejected("retry answers", "a stream that broke would begin again: only connections are tried twice")],
        because=[f"{route.name.removeprefix(f'{spec.identity}-')}.longest_tokens" for route in routes],
        source=("request_timeout_s",),
    )


def _proxies(spec: EndpointSpec, ctx: PlanContext) -> int:
    alone = ctx.place.is_one_node
    return ctx.decide(
        "proxies",
        spec.replicas or (1 if alone else 2),
        "each carries any route; starting points of 0.5 CPU and 512 MiB, to be measured"
        + (". The site has one node, with which all of them end" if alone else ""),
        source=("replicas",) if spec.replicas else (),
    )


def _route(spec: EndpointSpec, offer: ModelOffer) -> RoutePlan:
    return RoutePlan(
        name=f"{spec.identity}-{offer.part}",
        namespace=offer.namespace,
        model=offer.model,
        path=f"/{offer.model}/v1",
        backend=offer.backend,
        backend_name=offer.backend_name,
        port=offer.port,
        timeout_s=spec.request_timeout_s or offer.longest_s + QUEUE_MARGIN_S,
        after=(offer.row,) if offer.row else (),
    )


def _explain(issuer: str, inside: bool, ctx: PlanContext) -> None:
    issuing.tell(issuer, "the endpoint", ctx)
    ctx.decide(
        "paths",
        "/MODEL/v1",
        "a base URL for each model: the OpenAI API names the model in the body, which a route doesn't read",
        rejected=[
            Rejected("route by body", "needs routes of Envoy AI Gateway, and a proxy that buffers each prompt"),
            Rejected("host name by model", "needs a wildcard certificate, or a new one for each model"),
        ],
    )
    ctx.decide(
        "issuer",
        issuer or "private CA",
        "the site's ClusterIssuer"
        if issuer
        else "no issuer vouches for names of the cluster; clients must trust the CA's certificate"
        if inside
        else "the site names no issuer for its endpoints; clients must trust the CA's certificate",
    )


def _around_it(plan: EndpointPlan, models: list[ModelOffer], ctx: PlanContext) -> None:
    """Its namespace, a way in to those of models, and the offer."""
    ctx.namespace(NamespaceRequest(name=plan.identity, part=ctx.part, purpose="Gateway and certificates"))
    for namespace in sorted({offer.namespace for offer in models}):
        ctx.namespace(
            NamespaceRequest(
                name=namespace, part=ctx.part, purpose="Routes of the endpoint", ingress_from=(PROXY_NAMESPACE,)
            )
        )
    for tenant in _tenants(ctx) if plan.callers else ():
        # A tenant's pods reach nothing by default. Namespaces in `callers` are not ours.
        way = ((PROXY_NAMESPACE, HTTPS_PORT),)
        ctx.namespace(NamespaceRequest(tenant, ctx.part, "Callers of the endpoint", egress_to=way))
    if any(offer.backend == "InferencePool" for offer in models):
        ctx.require("ai-gateway", "routes that lead to pools of model servers")
        ctx.require("inference-extension", "pools that routes lead to")
    urls = tuple((offer.model, f"https://{plan.host}/{offer.model}/v1") for offer in models)
    parts = tuple(each.part for each in models)
    offer = EndpointOffer(part=ctx.part, gateway=plan.identity, host=plan.host, urls=urls, parts=parts)
    ctx.offer(offer)
    for note in using.notes(ctx.part, plan, offer):
        ctx.offer(note)
