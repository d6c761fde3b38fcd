"""The estimate as rows of a bill in the FinOps Open Cost and Usage Specification (FOCUS 1.2), and as OpenCost takes
prices.

What is owned is bought once and used for years: the purchase is billed and costs nothing in effect, each month of use
is billed nothing and costs its share. So the sum of EffectiveCost is what things cost, and that of BilledCost the cash.
Source: focus.finops.org, specification 1.2; OpenCost, pricing by CSV.
"""

from __future__ import annotations

import csv
import io
import json
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext

from aifactory.blueprints.site import AwsSite
from aifactory.components.economics.figures import EXACTLY, Figure, total
from aifactory.components.economics.powering import HOURS
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.data import harmless
from aifactory.stacks.estimate.model import Line, SiteEstimate, Term
from aifactory.stacks.estimate.owned import counted

DIGITS = Decimal("0.000001")
FOCUS = (
    *("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "BillingCurrency", "BillingPeriodStart"),
    *("BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ChargeClass"),
    *("ChargeDescription", "ChargeFrequency", "PricingCategory", "PricingQuantity", "PricingUnit"),
    *("ConsumedQuantity", "ConsumedUnit", "ListUnitPrice", "ContractedUnitPrice", "ProviderName", "PublisherName"),
    *("InvoiceIssuerName", "BillingAccountId", "BillingAccountName", "SubAccountId", "RegionId", "RegionName"),
    *("ServiceCategory", "ServiceName", "ResourceId", "ResourceName", "ResourceType", "SkuId", "SkuPriceId", "Tags"),
    *("x_Estimate", "x_CostLow", "x_CostHigh", "x_Site", "x_Part", "x_PriceSource", "x_PriceDate"),
)
"""Columns: those that the specification wants always, then ours."""


def focus_csv(site: SiteEstimate, case: Case, month: str) -> str:
    """One month of a site as FOCUS rows. `month` is the day in it that prices count from, YYYY-MM-DD.

    Lines without a price have no row: FOCUS knows no unknown cost.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, FOCUS, lineterminator="\n", restval="")
    writer.writeheader()
    for line in site.lines:
        if line.known:
            for row in _charges(line, site, case, month):
                writer.writerow({name: harmless(value) for name, value in row.items()})
    return out.getvalue()


def _charges(line: Line, site: SiteEstimate, case: Case, month: str) -> Iterator[dict[str, str]]:
    owned, price, effective = line.formula == "F1", line.price, line.amount.expected
    base = {**_period(month), **_parties(site, case), **_thing(line, site)}
    if owned and line.terms:
        yield _purchase(base, line, line.terms[0])
    yield {
        **base,
        "BilledCost": "0" if owned else _text(effective),
        "EffectiveCost": _text(effective),
        "ListCost": _text(effective),
        "ContractedCost": _text(effective),
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "PricingQuantity": _text(line.quantity.expected),
        "PricingUnit": line.unit,
        "ConsumedQuantity": _text(line.quantity.expected),
        "ConsumedUnit": line.unit,
        "ListUnitPrice": _text(price.value.expected) if price else "",
        "ContractedUnitPrice": _text(price.value.expected) if price else "",
        "x_CostLow": _text(line.amount.low),
        "x_CostHigh": _text(line.amount.high),
    }


def _period(month: str) -> dict[str, str]:
    """The month that a day lies in; its end is the beginning of the next, as FOCUS has it."""
    start = date.fromisoformat(month).replace(day=1)
    end = date(start.year + start.month // 12, start.month % 12 + 1, 1)
    first, last = f"{start}T00:00:00Z", f"{end}T00:00:00Z"
    return {
        "BillingCurrency": "USD",
        "BillingPeriodStart": first,
        "BillingPeriodEnd": last,
        "ChargePeriodStart": first,
        "ChargePeriodEnd": last,
    }


def _parties(site: SiteEstimate, case: Case) -> dict[str, str]:
    """Who provides, who bills, whose account it is, and where."""
    place = case.site.location
    aws = case.site.aws if isinstance(case.site, AwsSite) else None
    provider = "AWS" if aws else place.operator.name
    return {
        "ProviderName": provider,
        "PublisherName": provider,
        "InvoiceIssuerName": place.operator.name,
        "BillingAccountId": aws.account if aws else site.site,
        "BillingAccountName": site.site,
        "RegionId": aws.region if aws else site.site,
        "RegionName": place.city or place.country,
        "x_Site": site.site,
    }


def _thing(line: Line, site: SiteEstimate) -> dict[str, str]:
    """What is charged for."""
    price = line.price
    return {
        "ChargeDescription": line.item,
        "PricingCategory": _category(line),
        "ServiceCategory": "AI and Machine Learning" if line.pool else "Compute" if line.node_group else "Other",
        "ServiceName": line.item,
        "ResourceId": f"{site.stack}/{line.part}/{line.item}",
        "ResourceName": line.item,
        "ResourceType": line.unit,
        "SkuId": line.item,
        "SkuPriceId": price.source if price else "",
        "Tags": json.dumps({"aifactory:site": site.site, "aifactory:part": line.part}),
        "x_Estimate": "true",
        "x_Part": line.part,
        "x_PriceSource": price.source if price else "",
        "x_PriceDate": price.seen if price else "",
    }


def _purchase(base: Mapping[str, str], line: Line, price: Term) -> dict[str, str]:
    """What is paid when a thing comes: the cash of all its years."""
    paid = line.quantity.times(price.value)
    return {
        **base,
        "BilledCost": _text(paid.expected),
        "EffectiveCost": "0",
        "ListCost": _text(paid.expected),
        "ContractedCost": _text(paid.expected),
        "ChargeCategory": "Purchase",
        "ChargeFrequency": "One-Time",
        "ChargeDescription": f"purchase of {line.item}",
        "PricingQuantity": _text(line.quantity.expected),
        "PricingUnit": line.unit,
        "ListUnitPrice": _text(price.value.expected),
        "ContractedUnitPrice": _text(price.value.expected),
        "x_CostLow": _text(paid.low),
        "x_CostHigh": _text(paid.high),
    }


def _category(line: Line) -> str:
    if "spot" in line.item:
        return "Dynamic"
    return "Committed" if line.formula == "F1" or "capacity-block" in line.item else "Standard"


OPENCOST = (
    *("EndTimestamp", "InstanceID", "Region", "AssetClass", "InstanceIDField", "InstanceType"),
    *("MarketPriceHourly", "Version"),
)
NODE_NAME = "metadata.name"
NODE_TYPE = "metadata.labels.node.kubernetes.io/instance-type"


def opencost_csv(site: SiteEstimate, case: Case, month: str) -> str:
    """Prices of nodes by the hour, so that OpenCost's sums are those of the estimate: what nodes share is spread over
    them evenly.

    Owned nodes go by name, those of AWS by type.
    """
    day = date.fromisoformat(month)
    last = day.replace(day=monthrange(day.year, day.month)[1])
    out = io.StringIO()
    writer = csv.DictWriter(out, OPENCOST, lineterminator="\n", restval="")
    writer.writeheader()
    for name, kind, price in sorted(_hourly(site, case)):
        aws = isinstance(case.site, AwsSite)
        writer.writerow(
            {
                "EndTimestamp": f"{last} 23:59:59 UTC",
                "InstanceID": name,
                "AssetClass": "node",
                "InstanceIDField": NODE_TYPE if aws else NODE_NAME,
                "InstanceType": kind,
                "MarketPriceHourly": _text(price),
            }
        )
    return out.getvalue()


def _hourly(site: SiteEstimate, case: Case) -> Iterator[tuple[str, str, Decimal]]:
    """Node or type, server, and USD an hour."""
    own: dict[str, tuple[list[str], str, Decimal]] = {}
    if isinstance(case.site, AwsSite):
        for pool in case.pools:
            own[pool.part] = ([pool.instance_type], pool.instance_type, _nodes_of(site.lines, pool.part))
        system = case.site.aws.system_nodes
        own["cluster"] = ([system.instance_type], system.instance_type, Decimal(system.nodes))
    else:
        for nodes in counted(case):
            key = nodes.pool or nodes.group.group
            names = _names(case, nodes.pool, nodes.group.group, nodes.nodes)
            own[key] = (names, nodes.group.server, Decimal(nodes.nodes))
    paid = {key: _paid_for(site.lines, key) for key in own}
    known = total(line.amount for line in site.lines if line.known).expected
    everything = sum((count for _, _, count in own.values()), Decimal(0))
    with localcontext(EXACTLY):
        shared = (known - sum(paid.values(), Decimal(0))) / everything if everything else Decimal(0)
        for key, (names, kind, count) in own.items():
            price = (paid[key] / count + shared) / HOURS if count else Decimal(0)
            yield from ((name, kind, price) for name in names)


def _nodes_of(lines: Iterable[Line], pool: str) -> Decimal:
    hours = sum((line.quantity.expected for line in lines if line.pool == pool and line.unit == "hour"), Decimal(0))
    with localcontext(EXACTLY):
        return hours / HOURS


def _paid_for(lines: Iterable[Line], key: str) -> Decimal:
    """What is paid for nodes of a pool or of a group without GPUs alone."""
    mine: list[Figure] = []
    for line in lines:
        if line.known and (line.pool == key or (not line.pool and line.node_group == key)):
            mine.append(line.amount)
    return total(mine).expected


def _names(case: Case, pool: str, group: str, count: int) -> list[str]:
    if pool:
        plan = next(each.plan for each in case.pools if each.part == pool)
        return [node for rack in plan.racks for node in rack.nodes]
    taken = {node for each in case.pools for rack in each.plan.racks for node in rack.nodes}
    names = [node for node in case.groups[group].nodes if node not in taken]
    return names[:count]


def opencost_values(site: SiteEstimate) -> dict[str, object]:
    """Values of OpenCost's chart that make it read that file, from a ConfigMap of its name."""
    name, folder = "aifactory-prices", "/prices"
    return {
        "opencost": {
            "exporter": {
                "extraEnv": {"USE_CSV_PROVIDER": "true", "CSV_PATH": f"{folder}/opencost-prices.csv"},
                "extraVolumeMounts": [{"name": name, "mountPath": folder, "readOnly": True}],
                "defaultClusterId": site.stack,
            },
        },
        "extraVolumes": [{"name": name, "configMap": {"name": name}}],
    }


def _text(value: Decimal) -> str:
    return format(value.quantize(DIGITS, ROUND_HALF_UP).normalize(), "f")
