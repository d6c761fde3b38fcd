"""Where data of a class may go. What nobody states is unknown, and unknown refuses."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from aifactory.components.base import Place as SitePlace
from aifactory.components.base import PlanContext
from aifactory.components.catalog import Row, binds
from aifactory.components.gateway.spec_providers import Provider


class Target(Struct, frozen=True):
    """A place that requests may go to."""

    name: str
    local: bool
    """Whether it is this site itself."""
    country: str
    operator: str


class Region(Struct, frozen=True):
    """What is known of a cloud's region. Texts are empty where it isn't sure, which refuses."""

    name: str
    country: str
    operator: str


def region(provider: Provider, ctx: PlanContext) -> Region | None:
    """The region of a provider, None where none is written. One that isn't open to all, or not surely where it is said
    to be, is in no country."""
    row = ctx.catalog.find("regions", provider.region) if provider.region else None
    if row is None:
        return None
    return Region(row.key.partition(":")[2], _sure(row, "country"), _sure(row, "operator_nationality"))


def of_region(key: str, ctx: PlanContext) -> Target:
    """A cloud's region itself, such as aws:eu-north-1."""
    row = ctx.catalog.find("regions", key)
    name = key.partition(":")[2]
    return Target(name, local=False, country=_sure(row, "country"), operator=_sure(row, "operator_nationality"))


def _sure(row: Row | None, field: str) -> str:
    """A fact of a region that is open to all, and surely where it is said to be; else empty."""
    sure = row is not None and row.text("status") == "ga" and row.text("confidence") != "low"
    return row.text(field) if row is not None and sure else ""


def of(provider: Provider, ctx: PlanContext) -> Target:
    """A place outside: as its site's file or its region has it, else as it is written."""
    if provider.site is not None:
        other = own_site(provider, ctx)
        if other is None:
            return Target(provider.site, local=False, country="", operator="")
        there = other.location
        return Target(provider.site, local=False, country=there.country, operator=there.operator.nationality)
    known = region(provider, ctx)
    country, operator = (known.country, known.operator) if known else (provider.country, provider.operator)
    return Target(provider.name, local=False, country=country or "", operator=operator or "")


def own_site(provider: Provider, ctx: PlanContext) -> SitePlace | None:
    """The other site of the blueprint that a provider is, None where it is none."""
    return next((other for other in ctx.site_plan.others if other.site == provider.site), None)


def here(ctx: PlanContext) -> Target:
    """This site."""
    location = ctx.place.location
    return Target(ctx.place.site, local=True, country=location.country, operator=location.operator.nationality)


def rules_of(classes: Iterable[str], ctx: PlanContext) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    """Each class with the jurisdictions and the operators that it allows; none for a class without rules."""
    known = ctx.site_plan.residency.data_classes if ctx.site_plan.residency else {}
    return tuple(
        (name, tuple(known[name].jurisdictions), tuple(known[name].operators)) if name in known else (name, (), ())
        for name in classes
    )


def forbids(classes: tuple[str, ...], target: Target, ctx: PlanContext) -> str:
    """Why data of these classes may not go there, empty when it may."""
    if not classes:
        return "" if target.local else "its requests have no data class, and without one they stay at the site"
    return next((why for name in classes if (why := _forbids(name, target, ctx))), "")


def _forbids(name: str, target: Target, ctx: PlanContext) -> str:
    residency = ctx.site_plan.residency
    rules = residency.data_classes.get(name) if residency else None
    if rules is None:
        return f'data class "{name}" has no rules, and unknown rules allow nothing'
    for what, value, allowed in (
        ("country", target.country, rules.jurisdictions),
        ("operator", target.operator, rules.operators),
    ):
        if not value:
            return f"{target.name} states no {what}, and unknown is no permission for {name} data"
        if not binds(ctx.catalog, value, allowed):
            where = f"{target.name} stands in {value}" if what == "country" else f"{target.name} is run from {value}"
            return (
                f"{name} data may be in {_listed(allowed)}; {where}"
                if what == "country"
                else (f"{name} data may be run by operators of {_listed(allowed)}; {where}")
            )
    return ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
