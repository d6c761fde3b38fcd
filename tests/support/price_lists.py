"""Products as the Price List API returns them: text of JSON, with one term on demand and its bands."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from aifactory.stacks.live.price_list import Wanted

NAT = Wanted("AmazonEC2", "NatGateway-Hours", {"productFamily": "NAT Gateway"}, {"Hrs": 1})
QUEUE = Wanted("AWSQueueService", "Requests-RBP", {"queueType": "Standard"}, {"Requests": 1})
RATE = Wanted("AmazonEC2", "EBS:VolumeP-Throughput.gp3", {"volumeApiName": "gp3"}, {"GiBps-mo": 1024, "MiBps-mo": 1})

Bands = list[tuple[str, str, str]]
"""Where a band begins and ends, and its price."""


def product(usage: str, bands: Bands, unit: str = "Hrs", sku: str = "M2YSHUBETB3JX4M4", **attributes: str) -> str:
    """One product, priced in USD."""
    return json.dumps(document(usage, bands, unit, sku, **attributes))


def document(usage: str, bands: Bands, unit: str = "Hrs", sku: str = "M2YSHUBETB3JX4M4", **more: str) -> dict[str, Any]:
    """The same before it is text, for a test to break."""
    term = f"{sku}.JRTCKXETXF"
    dimensions = {
        f"{term}.{index}": {
            "unit": unit,
            "beginRange": begin,
            "endRange": end,
            "description": f"${usd} per {unit}",
            "appliesTo": [],
            "rateCode": f"{term}.{index}",
            "pricePerUnit": {"USD": usd},
        }
        for index, (begin, end, usd) in enumerate(bands)
    }
    attributes = {"regionCode": "eu-north-1", "usagetype": usage, "servicename": "Amazon", **more}
    on_demand = {
        term: {"priceDimensions": dimensions, "sku": sku, "effectiveDate": "2026-11-01T00:00:00Z", "termAttributes": {}}
    }
    return {
        "product": {"productFamily": "NAT Gateway", "attributes": attributes, "sku": sku},
        "serviceCode": "AmazonEC2",
        "terms": {"OnDemand": on_demand, "Reserved": {}},
        "version": "20261124194712",
        "publicationDate": "2026-11-24T19:47:12Z",
    }


def flat(usage: str, usd: str, unit: str = "Hrs", **more: str) -> str:
    """One band alone."""
    return product(usage, [("0", "Inf", usd)], unit, **more)


class Raw(io.BytesIO):
    """A body as urllib3 hands it to botocore."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """All at once."""
        yield self.getvalue()


class Api:
    """The Price List API behind a real client: what it is asked is kept, what it answers is told by a test."""

    def __init__(self, answers: Callable[[dict[str, Any]], list[str]]) -> None:
        """`answers` has the arguments of GetProducts and gives products."""
        self.answers = answers
        self.asked: list[dict[str, Any]] = []
        self.error: tuple[int, str] | Exception | None = None

    def attach(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Every client that boto3 makes asks here, with made-up credentials."""
        for name, value in (("AWS_ACCESS_KEY_ID", "made-up"), ("AWS_SECRET_ACCESS_KEY", "made-up")):
            monkeypatch.setenv(name, value)
        made = boto3.Session.client

        def client(session: Any, *args: Any, **options: Any) -> Any:
            found = made(session, *args, **options)
            found.meta.events.register("before-send.pricing.GetProducts", self._answer)
            return found

        monkeypatch.setattr(boto3.Session, "client", client)

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        if isinstance(self.error, Exception):
            raise self.error
        body = json.loads(request.body)
        self.asked.append(body)
        if self.error:
            code, name = self.error
            return _response(request.url, code, {"__type": name, "message": "no"})
        page = int(body.get("NextToken", "0"))
        products = self.answers(body)
        more = {"NextToken": str(page + 1)} if page + 1 < len(products) else {}
        return _response(request.url, 200, {"FormatVersion": "aws_v1", "PriceList": products[page : page + 1], **more})


def _response(url: str, code: int, data: dict[str, Any]) -> AWSResponse:
    return AWSResponse(url, code, {"content-type": "application/x-amz-json-1.1"}, Raw(json.dumps(data).encode()))


def fields(asked: dict[str, Any]) -> dict[str, str]:
    """The filters of a question, by field."""
    assert all(each["Type"] == "TERM_MATCH" for each in asked["Filters"])
    return {each["Field"]: each["Value"] for each in asked["Filters"]}
