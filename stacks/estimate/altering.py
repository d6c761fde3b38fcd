"""Changes one input of a site's estimate, and knows which inputs a site has."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from aifactory.blueprints.site import AwsSite
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.rented import hires


class Bounds(Struct, frozen=True):
    """Values that a key takes."""

    least: Decimal
    most: Decimal
    hint: str
    above: bool = False
    """Whether the least itself is none of them."""


def _bounds(least: str, most: str, what: str, *, above: bool = False) -> Bounds:
    words = f"above {least}" if above else f"{least} or more"
    return Bounds(Decimal(least), Decimal(most), f"{what}: a number, {words}, at most {most}", above)


KEYS: Mapping[str, Bounds] = {
    "usd_per_kwh": _bounds("0", "10", "USD for a kWh", above=True),
    "pue": _bounds("1", "5", "energy of the hall over that of its machines"),
    "life_years": _bounds("0", "15", "years until machines are replaced", above=True),
    "residual_percent": _bounds("0", "100", "worth of machines at the end of their life, in percent"),
    "cost_of_capital_percent": _bounds("0", "100", "interest a year, in percent"),
    "utilisation_percent": _bounds("0", "100", "share of the time that GPUs in use work, in percent", above=True),
    "capex": _bounds("0", "100", "what prices of owned things are multiplied with", above=True),
    "speed": _bounds("0", "100", "what the speed of replicas is multiplied with", above=True),
    "demand": _bounds("0", "10000", "what the requests of all models are multiplied with", above=True),
}
"""Keys of estimates; beside them stand the names of all types that a site rents."""
OF_INSTANCE = _bounds("0", "1000000", "USD for an hour of the instance type", above=True)
OF_POWER = ("usd_per_kwh", "pue")
OF_OWNED = ("life_years", "residual_percent")
OF_COSTS = (*OF_OWNED, "cost_of_capital_percent")


def types_of(case: Case) -> frozenset[str]:
    """Instance types that a site rents."""
    if not isinstance(case.site, AwsSite):
        return frozenset()
    found = {hire.instance_type for pool in case.pools for hire in hires(pool, case)}
    return frozenset({*found, case.site.aws.system_nodes.instance_type})


def reason(case: Case, key: str) -> str:
    """Why a key means nothing at a site; empty: it does."""
    site, rented = case.site, isinstance(case.site, AwsSite)
    if key in (*OF_POWER, *OF_OWNED, "capex") and rented:
        return f"nothing of that is owned at {site.site}"
    if key in OF_COSTS and site.costs is None:
        return f"{site.site} has no costs in its file"
    if key in ("utilisation_percent", "speed", "demand") and not (case.served or key == "utilisation_percent"):
        return f"no model is served at {site.site}"
    if key not in KEYS and key not in types_of(case):
        return f"{site.site} rents none"
    return ""


def altered(case: Case, key: str, value: Decimal) -> Case:
    """The site with another value of one key. Its plan stays."""
    what = case.what_if
    if key in OF_POWER or key in OF_COSTS:
        table = "power" if key in OF_POWER else "costs"
        changed = getattr(case.site, table).model_copy(update={key: float(value)})
        site = case.site.model_copy(update={table: changed})
        return replace(case, here=replace(case.here, site=site))
    if key == "utilisation_percent":
        return replace(case, what_if=replace(what, use=value / 100))
    if key in ("capex", "speed"):
        return replace(case, what_if=replace(what, **{key: value}))
    return replace(case, book=replace(case.book, instead={**case.book.instead, key: value}))
