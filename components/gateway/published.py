"""The models behind a gateway: their names, where requests go, and what these places may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aifactory.components import names
from aifactory.components.aws_place import AwsPlace
from aifactory.components.base import PlanContext
from aifactory.components.gateway import cost, door, own_sites, residency
from aifactory.components.gateway.decided import LegPlan, ModelPlan
from aifactory.components.gateway.published_model import Place, Published
from aifactory.components.gateway.spec import GatewaySpec
from aifactory.components.gateway.spec_models import Leg, Price, PublishedModel
from aifactory.components.gateway.spec_providers import Provider
from aifactory.components.gateway.splitting import MOST_MATCHES_OF_A_RULE, routes
from aifactory.components.offers import ModelOffer
from aifactory.components.problems import Path, nearest

QUEUE_MARGIN_S = 30
PROFILES = ("us", "us-gov", "eu", "apac", "ap", "au", "ca", "jp", "global")
"""How names of inference profiles of Bedrock begin. Source: Amazon Bedrock user guide, cross-region inference."""
PROVIDER_TIMEOUT_S = 600
"""Longest answer where providers alone answer, whose limits nobody states."""
AI_GATEWAY = "aigateway.envoyproxy.io/v1beta1"


def published(spec: GatewaySpec, ctx: PlanContext) -> list[Published] | None:
    """All models with what they lead to, None where one leads nowhere."""
    offers = {offer.part: offer for offer in ctx.offers(ModelOffer)}
    if spec.models is None and not offers:
        if not ctx.site_plan.refused:
            hint = "add a serving part, or write models that lead to providers"
            ctx.check("GTW-001", False, f"no part serves a model at {ctx.place.site}", (), hint)
        return None
    ctx.check("GTW-001", True, "")
    written = spec.models or [PublishedModel(name=offer.part, legs=[Leg(part=offer.part)]) for offer in offers.values()]
    providers = {provider.name: provider for provider in spec.providers}
    for index, name in enumerate(providers):
        if name in offers:
            ctx.refuse(
                f'"{name}" is a serving part, too', ("providers", index, "name"), "give the provider another name"
            )
            return None
    found = [
        _published(index if spec.models else -1, model, spec, offers, providers, ctx)
        for index, model in enumerate(written)
    ]
    return None if None in found else [each for each in found if each]


def _published(
    index: int,
    model: PublishedModel,
    spec: GatewaySpec,
    offers: Mapping[str, ModelOffer],
    providers: Mapping[str, Provider],
    ctx: PlanContext,
) -> Published | None:
    places = [
        _place(leg, ("models", index, "legs", number), spec, offers, providers, ctx)
        for number, leg in enumerate(model.legs)
    ]
    if None in places:
        return None
    known = [place for place in places if place]
    first = known[0]
    called = model.id or (first.offer.model if first.offer else first.leg.model) or model.name
    tenants = model.tenants or sorted({place.offer.tenant for place in known if place.offer and place.offer.tenant})
    classes = {place.offer.data_class for place in known if place.offer and place.offer.data_class}
    classes |= {model.data_class} if model.data_class else set()
    return Published(index, model, called, tuple(tenants), tuple(sorted(classes)), tuple(known))


def _place(
    leg: Leg,
    at: Path,
    spec: GatewaySpec,
    offers: Mapping[str, ModelOffer],
    providers: Mapping[str, Provider],
    ctx: PlanContext,
) -> Place | None:
    if leg.provider is not None:
        provider = providers.get(leg.provider)
        if provider is None:
            ctx.refuse(f'"{leg.provider}" is no provider', (*at, "provider"), nearest(leg.provider, providers))
            return None
        return Place(leg, residency.of(provider, ctx), None, f"{spec.identity}-{provider.name}")
    part = leg.part or ""
    offer = offers.get(part)
    if offer is None:
        if not ctx.has_refused(part):
            ctx.refuse(f'"{part}" is no part that serves a model', (*at, "part"), nearest(part, offers))
        return None
    return Place(leg, residency.here(ctx), offer, f"{spec.identity}-{part}")


def sound(models: list[Published], spec: GatewaySpec, ctx: PlanContext) -> bool:
    """Whether each model keeps the rules, with all problems said."""
    return all([_distinct(models, ctx), *(_sound(model, models, spec, ctx) for model in models)])


def _distinct(models: list[Published], ctx: PlanContext) -> bool:
    owners: dict[str, str] = {}
    fine = True
    for model in models:
        for called in (model.id, *model.spec.aliases):
            owner = owners.setdefault(called, model.spec.name)
            fine &= ctx.check(
                "GTW-003",
                owner == model.spec.name,
                f'"{called}" stands for {owner} and for {model.spec.name}',
                model.at("id"),
                "give one of them another id",
            )
    return fine


def _sound(model: Published, models: list[Published], spec: GatewaySpec, ctx: PlanContext) -> bool:
    _routed(model, models, ctx)
    return all(
        [
            *_weighed(model, ctx),
            *_ordered(model, ctx),
            *_resident(model, ctx),
            *_in_region(model, spec, ctx),
            _lasting(model, spec, ctx),
            _reachable(model, spec, ctx),
            *_bounded(model, spec, ctx),
            *own_sites.handed_on(model, models, spec, ctx),
        ]
    )


def _routed(model: Published, models: list[Published], ctx: PlanContext) -> None:
    """Says what is lost, unless the same tenants may ask the router under another name. It refuses nothing."""
    pools = [offer.part for offer in model.parts if offer.backend != "Service"]
    if pools:
        routed = {each.pool.part for each in models if each.pool and set(model.tenants) <= set(each.tenants)}
        ctx.check(
            "GTW-009",
            set(pools) <= routed,
            f"{model.spec.name} has aliases, shares or something next in order, so the router of {', '.join(pools)} "
            "isn't asked which server is best",
            model.at("legs"),
            "leave it one leg, no alias and the id that the part serves, and make another model for the rest",
        )


def _weighed(model: Published, ctx: PlanContext) -> Iterator[bool]:
    for order in sorted({place.leg.order for place in model.places}):
        legs = [place.leg for place in model.places if place.leg.order == order]
        total = sum(leg.weight for leg in legs)
        yield ctx.check(
            "GTW-010",
            total == 100,
            f"weights of {model.spec.name} at order {order} sum to {total}",
            model.at("legs"),
            "make them sum to 100" if len(legs) > 1 else "set weight to 100, or delete it",
        )


def _ordered(model: Published, ctx: PlanContext) -> Iterator[bool]:
    orders = sorted({place.leg.order for place in model.places})
    yield ctx.check(
        "GTW-019",
        orders == list(range(len(orders))),
        f"{model.spec.name} has the orders {', '.join(str(order) for order in orders)}",
        model.at("legs"),
        "number them 0, 1, 2",
    )


def _resident(model: Published, ctx: PlanContext) -> Iterator[bool]:
    for number, place in enumerate(model.places):
        why = residency.forbids(model.classes, place.target, ctx)
        yield ctx.check(
            "GTW-011",
            not why,
            f"{model.spec.name}: {why}",
            model.at("legs", number),
            "delete the leg, or state country and operator of the provider and data_class of the model",
        )


def _in_region(model: Published, spec: GatewaySpec, ctx: PlanContext) -> Iterator[bool]:
    """An inference profile of Bedrock answers from several regions, whichever one is asked."""
    aws = {provider.name for provider in spec.providers if provider.api.startswith("aws-")}
    for number, place in enumerate(model.places):
        called = place.leg.model or model.id
        profile = profile_of(called) if place.leg.provider in aws else ""
        if profile:
            why = _leaves(model, called, profile, ctx)
            yield ctx.check(
                "GTW-023",
                not why,
                f"{model.spec.name}: {called} is an inference profile, which answers from {why}",
                model.at("legs", number),
                "name the model without it, or a profile that every data class allows",
            )


def _leaves(model: Published, called: str, profile: str, ctx: PlanContext) -> str:
    """Where a profile answers from that a class of the model's data forbids, empty for nowhere.

    Each region is judged where the regions are known. Else the name says which part of the world it is, and of the EU
    alone there is a rule.
    """
    regions = regions_of(called, ctx)
    if regions is None:
        known = ctx.site_plan.residency.data_classes if ctx.site_plan.residency else {}
        in_eu = all(name in known and "eu" in known[name].jurisdictions for name in model.classes)
        return "" if profile == "eu" and in_eu else f"any region of {profile}"
    for name in regions:
        why = residency.forbids(model.classes, residency.of_region(f"aws:{name}", ctx), ctx)
        if why:
            return f"{', '.join(regions)}: {why}"
    return ""


def profile_of(called: str) -> str:
    """How the name of an inference profile begins, empty for a model's own name."""
    first = called.partition(".")[0]
    return first if first in PROFILES else ""


def regions_of(profile: str, ctx: PlanContext) -> tuple[str, ...] | None:
    """Regions that a profile answers from: as the site states them, else as the catalog has it; None for neither."""
    place = ctx.place
    stated = place.aws.inference_profiles if isinstance(place, AwsPlace) else []
    for each in stated:
        if each.profile == profile:
            return tuple(each.regions)
    row = ctx.catalog.find("aws-bedrock", profile)
    return row.texts("regions") if row else None


def _lasting(model: Published, spec: GatewaySpec, ctx: PlanContext) -> bool:
    longest = max((offer.longest_s for offer in model.parts), default=0)
    asked = spec.request_timeout_s
    return ctx.check(
        "GTW-004",
        asked is None or asked >= longest,
        f"{asked} s, and an answer of {model.id} may take {longest} s",
        ("request_timeout_s",),
        f"set it to {longest} or more",
    )


def _reachable(model: Published, spec: GatewaySpec, ctx: PlanContext) -> bool:
    keys = {client.tenant for client in spec.sign_in.keys.clients} if spec.sign_in.keys else set()
    locked = [name for name in model.tenants if spec.sign_in.oidc is None and name not in keys]
    says = f"{', '.join(locked)} may use {model.spec.name} and has no key" if locked else ""
    return ctx.check(
        "GTW-012",
        bool(model.tenants) and not locked,
        says or f"{model.spec.name} has no tenant",
        model.at("tenants"),
        "add clients of theirs to sign_in.keys" if locked else "set tenants",
    )


def _bounded(model: Published, spec: GatewaySpec, ctx: PlanContext) -> Iterator[bool]:
    """Whether one rule holds all that a tenant with a bound may ask: two would let twice as many through."""
    called, named = 1 + len(model.spec.aliases), callers(model.tenants, spec)
    for index, tenant in enumerate(spec.tenants):
        if tenant.parallel_requests and tenant.name in named:
            who = len(named[tenant.name])
            yield ctx.check(
                "GTW-030",
                called * who <= MOST_MATCHES_OF_A_RULE,
                f"{model.spec.name} has {called} names, and {tenant.name} {who} callers: {called * who} pairs, and a "
                f"rule of a route has {MOST_MATCHES_OF_A_RULE}",
                ("tenants", index, "parallel_requests"),
                "give the model fewer aliases or the tenant fewer clients, or delete the bound",
            )


def callers(tenants: tuple[str, ...], spec: GatewaySpec) -> dict[str, tuple[str, ...]]:
    """Values of the tenant's header by tenant: its name by token, its clients by key."""
    clients = spec.sign_in.keys.clients if spec.sign_in.keys else []
    by_token = spec.sign_in.oidc is not None
    return {
        name: (*((name,) if by_token else ()), *(client.id for client in clients if client.tenant == name))
        for name in tenants
    }


def plan_of(model: Published, spec: GatewaySpec, ctx: PlanContext) -> ModelPlan:
    """The model with its routes."""
    pool = model.pool
    namespace = pool.namespace if pool else spec.identity
    timeout = spec.request_timeout_s or max(
        [offer.longest_s + QUEUE_MARGIN_S for offer in model.parts], default=PROVIDER_TIMEOUT_S
    )
    ids = (model.id, *model.spec.aliases)
    named = callers(model.tenants, spec)
    parallel = {
        tenant.name: max(1, tenant.parallel_requests // door.proxies(spec, ctx))
        for tenant in spec.tenants
        if tenant.parallel_requests and tenant.name in named
    }
    return ModelPlan(
        name=model.spec.name,
        namespace=namespace,
        ids=ids,
        tenants=model.tenants,
        callers=tuple(value for values in named.values() for value in values),
        legs=tuple(_leg(place, model, ids, namespace) for place in model.places),
        residency=residency.rules_of(model.classes, ctx),
        timeout_s=timeout,
        silence_s=min(spec.silence_s or timeout, timeout),
        cost=cost.expression([(place.backend, _price(place, model)) for place in model.places]),
        routes=routes(f"{spec.identity}-{model.spec.name}", ids, named, parallel),
    )


def _price(place: Place, model: Published) -> Price | None:
    return place.leg.price or model.spec.price


def _leg(place: Place, model: Published, ids: tuple[str, ...], namespace: str) -> LegPlan:
    offer = place.offer
    if model.pool:
        return LegPlan("InferencePool", model.pool.backend_name, "", 0, 100, place.target.name, (model.pool.row,))
    there = place.leg.model or (offer.model if offer else model.id)
    # Only a rewrite of its own keeps an alias from reaching a server that doesn't know it.
    override = "" if ids == (there,) else there
    row = names.object_id(AI_GATEWAY, "AIServiceBackend", namespace, place.backend)
    leg = place.leg
    return LegPlan("AIServiceBackend", place.backend, override, leg.order, leg.weight, place.target.name, (row,))
