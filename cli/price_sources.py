"""Who is asked for prices: AWS itself, with credentials, or the catalog of gpuhunt, an extra."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from importlib import import_module
from typing import Any

from aifactory.components.problems import Problem, Refused
from aifactory.stacks.live.account import Account, AccountError
from aifactory.stacks.live.price_list import Listed, PriceError, Wanted, filters, listed

PRICE_LIST, GPUHUNT = "price-list", "gpuhunt"

_HOME = "us-east-1"
"""A region whose endpoint has the prices of all regions; few have one."""


class PriceList:
    """The Price List API. Needs credentials that may do pricing:GetProducts; asks nothing else."""

    says = "AWS Price List API, GetProducts"

    def __init__(self) -> None:
        """Raises `Refused` if there is no boto3, or no credentials."""
        try:
            self._account = Account(_HOME)
        except AccountError as error:
            raise _unasked(error) from None

    def price(self, wanted: Wanted, region: str) -> Listed | None:
        """Raises `Refused` when AWS doesn't answer, `PriceError` for an answer that is no price."""
        asked = {"ServiceCode": wanted.service, "Filters": filters(wanted, region), "FormatVersion": "aws_v1"}
        try:
            documents = self._account.every("pricing", "get_products", "PriceList", **asked)
        except AccountError as error:
            raise _unasked(error) from None
        return listed(documents, wanted, region)


class Gpuhunt:
    """The catalog that dstack publishes: instances alone. Needs a network, no credentials, and has no promise."""

    says = "gpuhunt, catalog of provider aws"

    def __init__(self, query: Callable[..., Sequence[Any]] | None = None) -> None:
        """`query` is `gpuhunt.query` by default. Raises `Refused` if it isn't installed, or has no catalog."""
        asked = query or _gpuhunt_query()
        try:
            self._items = list(asked(provider="aws", spot=False))
        except Exception as error:  # noqa: BLE001 - whatever its clients raise, there is no price
            says = f"gpuhunt gives no catalog: {type(error).__name__}: {error}"
            hint = "it downloads one: see that its host is reached from here"
            raise Refused([Problem(says, hint=hint)]) from None

    def price(self, wanted: Wanted, region: str) -> Listed | None:
        """Of an instance type. Raises `PriceError` for one that has two prices, or none above zero."""
        kind = wanted.match.get("instanceType", "")
        found = {str(item.price) for item in self._items if (item.instance_name, item.location) == (kind, region)}
        if len(found) > 1:
            raise PriceError(f"{len(found)} different prices for {kind} in {region}")
        return Listed(_usd(found.pop(), kind)) if found else None


def source(name: str) -> PriceList | Gpuhunt:
    """By the name that `--refresh` has. Raises `Refused` where it can't be asked."""
    return Gpuhunt() if name == GPUHUNT else PriceList()


def _usd(text: str, kind: str) -> Decimal:
    try:
        usd = Decimal(text)
    except InvalidOperation:
        raise PriceError(f"{text!r} is not a price of {kind}") from None
    if not usd.is_finite() or usd <= 0:
        raise PriceError(f"{text} is not a price of {kind}: it is not above zero")
    return usd


def _gpuhunt_query() -> Callable[..., Sequence[Any]]:
    try:
        query = import_module("gpuhunt").query
    except ImportError:
        hint = "pip install 'ai-factory-blueprints[prices]'"
        raise Refused([Problem("gpuhunt is not installed", hint=hint)]) from None
    found: Callable[..., Sequence[Any]] = query
    return found


def _unasked(error: AccountError) -> Refused:
    return Refused([Problem(f"prices can't be asked for: {error.says}", hint=error.hint)])
