"""The gateway of another site of the blueprint as a place that answers: where it is, and what must hold for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.gateway import residency
from aifactory.components.gateway.published_model import Place, Published
from aifactory.components.gateway.spec import GatewaySpec
from aifactory.components.gateway.spec_providers import Provider
from aifactory.components.problems import nearest


def host(provider: Provider, spec: GatewaySpec, ctx: PlanContext) -> str:
    """Host name of a provider. That of a site is the one at which its gateway of this part takes tokens."""
    other = residency.own_site(provider, ctx)
    if provider.site is None or other is None or other.endpoints is None:
        return provider.host or ""
    return f"{spec.host or spec.identity}.{other.endpoints.domain}"


def known(index: int, provider: Provider, spec: GatewaySpec, ctx: PlanContext) -> bool:
    """Whether a site that is named is there, has this gateway, and is what is written of it."""
    if provider.site is None:
        return True
    at, other = ("providers", index, "site"), residency.own_site(provider, ctx)
    if not ctx.check(
        "GTW-031",
        other is not None and (not spec.sites or provider.site in spec.sites) and spec.reach == "site",
        f"{provider.site} has no gateway {spec.name} that {ctx.place.site} could hand requests on to"
        + ("" if spec.reach == "site" else ": it is reached from inside its cluster alone"),
        at,
        "set reach to site" if spec.reach != "site" else nearest(provider.site, _others(spec, ctx)),
    ):
        return False
    assert other is not None  # noqa: S101 - the check saw it
    if not ctx.check(
        "GTW-031",
        other.endpoints is not None and bool(other.endpoints.clients),
        f"site {provider.site} names no domain and no client networks",
        at,
        "add endpoints.domain and endpoints.clients to its file, with the networks that requests come from",
    ):
        return False
    facts = (
        ("host", provider.host, host(provider, spec, ctx)),
        ("country", provider.country, other.location.country),
        ("operator", provider.operator, other.location.operator.nationality),
    )
    wrong = [
        f"{field} is {written}, and {provider.site} has {is_so}"
        for field, written, is_so in facts
        if written and written != is_so
    ]
    return ctx.check(
        "GTW-032",
        not wrong,
        f"{provider.name}: {'; '.join(wrong)}",
        at,
        "delete host, country and operator: they follow from the site",
    )


def _others(spec: GatewaySpec, ctx: PlanContext) -> list[str]:
    return [other.site for other in ctx.site_plan.others if not spec.sites or other.site in spec.sites]


def handed_on(model: Published, models: Sequence[Published], spec: GatewaySpec, ctx: PlanContext) -> Iterator[bool]:
    """Whether requests go to another site once, and are let in there."""
    ours = {provider.name for provider in spec.providers if provider.site}
    for number, place in enumerate(model.places):
        if place.leg.provider in ours:
            yield _once(place, number, model, models, ours, ctx)
            yield _let_in(place, number, model, spec, ctx)
            yield from _bursts(place, number, model, ctx)


def _bursts(place: Place, number: int, model: Published, ctx: PlanContext) -> Iterator[bool]:
    """Whether requests may go on to a flex site, and only when none of the places here answers."""
    flex, site = ctx.site_plan.flex, place.target.name
    other = next((each for each in ctx.site_plan.others if each.site == site), None)
    if flex is None or other is None or site not in flex.sites or ctx.place.site in flex.sites:
        return
    allowed = ", ".join(flex.data_classes)
    wrong = sorted(set(model.classes) - set(flex.data_classes))
    held = ctx.check(
        "FLX-002",
        bool(model.classes) and not wrong,
        f"requests for {model.spec.name} have {f'class {wrong[0]}' if wrong else 'no class'}, and {site} is a flex "
        f"site, where {allowed} data may go",
        model.at("legs", number),
        "delete the leg, or "
        + (f"add {wrong[0]} to placement.flex.data_classes" if wrong else f"state data_class, one of {allowed}"),
    )
    yield held
    home = [each.leg.order for each in model.places if each.offer is not None]
    after = bool(home) and place.leg.order > max(home)
    yield ctx.check(
        "FLX-004",
        after,
        f"{model.spec.name} asks {site} "
        + ("beside or before the core" if home else "and nobody here")
        + ", and a flex site is asked when no replica here answers",
        model.at("legs", number, "order"),
        f"set order to {max(home, default=0) + 1}" if home else "add a leg to a part of this site before it",
    )
    if held and after:
        ctx.decide(
            f"burst.{model.id}",
            site,
            f"asked when no replica of {model.spec.name} here answers; {', '.join(model.classes)} data may go there",
            rejected=[Rejected("a share of the requests", "its nodes would never go")],
        )


def _once(
    place: Place, number: int, model: Published, models: Sequence[Published], ours: set[str], ctx: PlanContext
) -> bool:
    called = place.leg.model or model.id
    there = next((each for each in models if called in (each.id, *each.spec.aliases)), None)
    open_to = set(there.tenants) if there else set()
    back = there is not None and any(each.leg.provider in ours for each in there.places)
    says = f"{place.target.name} would hand requests for {called} on again" if back else ""
    says = says or f"{called} is a model that {', '.join(sorted(set(model.tenants) - open_to))} may not use there"
    return ctx.check(
        "GTW-033",
        there is not None and not back and set(model.tenants) <= open_to,
        f"{model.spec.name}: {says}",
        model.at("legs", number, "model"),
        "name a model of this gateway that leads to parts alone, for the same tenants",
    )


def _let_in(place: Place, number: int, model: Published, spec: GatewaySpec, ctx: PlanContext) -> bool:
    keys = {client.tenant for client in spec.sign_in.keys.clients} if spec.sign_in.keys else set()
    locked = sorted(keys & set(model.tenants))
    return ctx.check(
        "GTW-034",
        spec.sign_in.oidc is not None and not locked,
        f"{model.spec.name}: {', '.join(locked) or 'its callers'} may come with a key, which doesn't go along to "
        f"{place.target.name}",
        model.at("legs", number),
        "let callers of this model sign in with tokens alone",
    )
