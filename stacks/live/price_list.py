"""What the Price List API of AWS answers, read with suspicion: one price, of a known unit, in USD, above zero.

A document is what `get_products` returns for one product, as text: its attributes and, under `terms.OnDemand`, one
price for each band of use. (AWS Billing User Guide, reading service price list files.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

_PLAIN = re.compile(r"[0-9]{1,15}(\.[0-9]{1,12})?\Z")
"""How AWS writes a price: no sign, no exponent, no separator of thousands."""


class PriceError(Exception):
    """An answer that isn't the one price that was asked for. Says what of it is wrong."""


class Wanted(Struct, frozen=True):
    """Which products of an offer are meant, and in what unit their price is ours."""

    service: str
    usage: str = ""
    """Usage type, without the prefix of its region. Empty: whichever."""
    match: Mapping[str, str] = {}
    units: Mapping[str, int] = {}
    """Units of AWS, and how many of ours each is."""
    region_field: str = "regionCode"


class Listed(Struct, frozen=True):
    """A price on the list."""

    usd: Decimal
    """Of one unit of ours, in the first band that is paid."""
    included: Decimal = Decimal(0)
    """Units a month below that band, which cost nothing."""
    tiers: tuple[tuple[Decimal, Decimal], ...] = ()
    """Where a further band begins, and its price."""
    effective: str = ""
    """Day from which AWS names this price, YYYY-MM-DD."""


def filters(wanted: Wanted, region: str) -> list[dict[str, str]]:
    """The arguments of `get_products`: only equality is to be had, so usage types are chosen from the answer."""
    equal = {wanted.region_field: region, **wanted.match}
    return [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in equal.items()]


def listed(documents: Sequence[object], wanted: Wanted, region: str) -> Listed | None:
    """The price that all products meant by `wanted` have; None when AWS lists no such product.

    Raises `PriceError` if an answer is malformed, or two products differ in price.
    """
    products = [each for each in map(_document, documents) if _is_meant(each, wanted, region)]
    found = {_price(product, wanted) for product in products}
    if len(found) > 1:
        raise PriceError(f"{len(found)} different prices for {_said(wanted)} in {region}: {_prices(found)}")
    return found.pop() if found else None


def _document(text: object) -> Mapping[str, Any]:
    if not isinstance(text, str):
        raise PriceError(f"a product is {type(text).__name__}, not text")
    try:
        found = json.loads(text)
    except ValueError:
        raise PriceError("a product is not JSON") from None
    if not isinstance(found, dict):
        raise PriceError("a product is not a mapping")
    return found


def _is_meant(document: Mapping[str, Any], wanted: Wanted, region: str) -> bool:
    """By its usage type: `EUN1-NatGateway-Hours`, `eu-north-1-KMS-Keys` or, in us-east-1, without a prefix."""
    if not wanted.usage:
        return True
    usage = str(_at(document, "product", "attributes").get("usagetype", ""))
    prefix = usage.removesuffix(wanted.usage)
    if prefix == usage:
        return False
    return prefix in {"", f"{region}-"} or re.fullmatch(r"[A-Z]{2,4}[0-9]?-", prefix) is not None


def _price(document: Mapping[str, Any], wanted: Wanted) -> Listed:
    terms = _at(document, "terms", "OnDemand")
    if len(terms) != 1:
        raise PriceError(f"{_said(wanted)} has {len(terms)} terms on demand, not one")
    (term,) = terms.values()
    bands = sorted(_bands(term, wanted))
    if not bands:
        raise PriceError(f"{_said(wanted)} has no price")
    paid = [band for band in bands if band[1] > 0]
    if not paid:
        raise PriceError(f"the price of {_said(wanted)} is 0, which is no list price")
    included, usd = paid[0]
    if paid != bands[bands.index(paid[0]) :]:
        raise PriceError(f"{_said(wanted)} is free between bands that are paid")
    return Listed(usd, included, tuple(paid[1:]), str(term.get("effectiveDate", ""))[:10])


def _bands(term: Mapping[str, Any], wanted: Wanted) -> Iterator[tuple[Decimal, Decimal]]:
    """Where each band begins, and its price, in units of ours."""
    for band in _at(term, "priceDimensions").values():
        unit = band.get("unit") if isinstance(band, dict) else None
        if not isinstance(unit, str) or unit not in wanted.units:
            raise PriceError(f"{_said(wanted)} is in {unit}, not in {' or '.join(wanted.units)}")
        ours = wanted.units[unit]
        usd = _at(band, "pricePerUnit").get("USD")
        if usd is None:
            raise PriceError(f"{_said(wanted)} has no price in USD, but in {', '.join(band['pricePerUnit']) or 'none'}")
        yield _number(band.get("beginRange", "0"), wanted) * ours, _number(usd, wanted) / ours


def _number(text: object, wanted: Wanted) -> Decimal:
    if not isinstance(text, str) or not _PLAIN.match(text):
        raise PriceError(f"{text!r} is not a price or bound of {_said(wanted)}")
    return Decimal(text)


def _at(found: Any, *steps: str) -> Mapping[str, Any]:
    for step in steps:
        found = found.get(step) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise PriceError(f"a product has no {'.'.join(steps)}")
    return found


def _said(wanted: Wanted) -> str:
    return " ".join(filter(None, (wanted.service, wanted.usage or wanted.match.get("instanceType", ""))))


def _prices(found: set[Listed]) -> str:
    return ", ".join(f"{each.usd.normalize():f}" for each in sorted(found, key=lambda each: each.usd))
