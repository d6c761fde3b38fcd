"""A comparison as plain data: JSON, and rows for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from aifactory.components.economics.figures import CENT, Figure
from aifactory.stacks.estimate.comparing import Comparison
from aifactory.stacks.estimate.data import harmless, lack_data
from aifactory.stacks.estimate.json_numbers import FINE, ends, number
from aifactory.stacks.estimate.model import FORMULAS
from aifactory.stacks.estimate.options import Option
from aifactory.stacks.estimate.rivals import UNCHECKED, UNKNOWN, Rival
from aifactory.stacks.estimate.split_data import break_even_data, core_flex_data
from aifactory.stacks.estimate.tornado import Swing
from aifactory.stacks.estimate.variant_data import variant_data, variants_csv
from aifactory.stacks.estimate.verdicts import Verdict
from aifactory.stacks.estimate.years import Flow, Span

SCHEMA = "aifactory-compare/v1"


def comparison_data(found: Comparison) -> dict[str, Any]:
    """All of a comparison."""
    return {
        "schema": SCHEMA,
        "factory": found.factory,
        "as_of": found.as_of,
        "years": list(found.years),
        "formula": "F16",
        "text": FORMULAS["F16"],
        "options": [option_data(option) for option in found.options],
        "not_offered": [
            {"site": each.site, "how": each.how, "says": each.says, "hint": each.hint} for each in found.left_out
        ],
        "rivals": [rival_data(each) for each in found.rivals],
        "verdicts": [verdict_data(each) for each in found.verdicts],
        "sites": {
            site.site: {
                "break_even": [break_even_data(each) for each in site.break_evens],
                "core_flex": [core_flex_data(each) for each in site.core_flex],
            }
            for site in found.estimate.sites
        },
        "tornado": [swing_data(each) for each in found.swings],
        "one_number": [{"site": each.site, "key": each.key, "value": float(each.value)} for each in found.still],
        "variants": [variant_data(each) for each in found.variants],
    }


def option_data(option: Option) -> dict[str, Any]:
    """One way to have a site."""
    site = option.estimate
    return {
        "option": option.name,
        "site": option.site,
        "how": option.how,
        "as_planned": option.planned,
        "gpus": site.gpus,
        "usd_per_month": ends(site.cost.figure, CENT),
        "usd_per_gpu_hour": _optional(option.gpu_hour),
        "usd_per_million_output_tokens": ends(site.usd_per_million.figure, FINE) if site.usd_per_million else None,
        "kg_co2e_per_month": ends(site.carbon.figure + site.embodied.figure, FINE),
        "utilisation": ends(site.utilisation.figure, FINE),
        "life_years": _optional(option.life),
        "idle_is_paid": option.idle_is_paid,
        "quoted": option.quoted,
        "example": option.example,
        "complete": option.complete,
        "missing": [lack_data(lack) for lack in site.cost.lacks],
        "spans": [span_data(span) for span in option.spans],
    }


def span_data(span: Span) -> dict[str, Any]:
    """So many years of it."""
    return {
        "years": span.years,
        "net_present_usd": ends(span.present, CENT) if span.present else None,
        "net_present_usd_per_million_output_tokens": _optional(span.per_million),
        "paid_at_once_usd": ends(span.figure("first"), CENT),
        "paid_by_year_usd": [ends(span.figure("yearly", year), CENT) for year in range(1, span.years + 1)],
        "left_at_the_end_usd": ends(span.figure("left"), CENT),
    }


def rival_data(rival: Rival) -> dict[str, Any]:
    """GPU hours of somebody else."""
    return {
        "instead_of": rival.site,
        "vendor": rival.vendor,
        "accelerator": rival.accelerator,
        "gpus": rival.gpus,
        "region": rival.region,
        "operator": UNKNOWN,
        "residency": UNCHECKED,
        "note": rival.note,
        "usd_per_gpu_hour": number(rival.price.value.expected, FINE),
        "source": rival.price.source,
        "seen": rival.price.seen,
        "usd_per_month": number(rival.month.expected, CENT),
        "break_even_utilisation": _optional(rival.break_even),
    }


def verdict_data(verdict: Verdict) -> dict[str, Any]:
    """An owned site against a rented one."""
    return {
        "owned": verdict.owned,
        "rented": verdict.rented,
        "years": verdict.years,
        "basis": verdict.basis,
        "owned_usd": _optional(verdict.owned_usd),
        "rented_usd": _optional(verdict.rented_usd),
        "cheaper": verdict.cheaper or None,
        "says": verdict.says,
        "rival_usd_per_gpu_hour": _optional(verdict.rival_usd_per_gpu_hour),
        "owned_usd_per_gpu_hour": _optional(verdict.owned_usd_per_gpu_hour),
        "owned_utilisation": ends(verdict.owned_utilisation, FINE),
        "rented_utilisation": ends(verdict.rented_utilisation, FINE),
        "life_years": _optional(verdict.life_years),
        "owned_idle_is_paid": verdict.owned_idle_is_paid,
        "rented_idle_is_paid": verdict.rented_idle_is_paid,
    }


def swing_data(swing: Swing) -> dict[str, Any]:
    """One input at either end of its range, all others as expected."""
    rates = (swing.base_per_million, swing.low_per_million, swing.high_per_million)
    base, low, high = (None if rate is None else number(rate, FINE) for rate in rates)
    return {
        "site": swing.site,
        "key": swing.key,
        "range": ends(swing.range, FINE),
        "range_is_stated": swing.stated,
        "usd_per_month": number(swing.base_usd, CENT),
        "usd_per_month_at_low": number(swing.low_usd, CENT),
        "usd_per_month_at_high": number(swing.high_usd, CENT),
        "usd_per_million_output_tokens": base,
        "usd_per_million_output_tokens_at_low": low,
        "usd_per_million_output_tokens_at_high": high,
    }


def _optional(figure: Figure | None) -> dict[str, float | int] | None:
    return ends(figure, FINE) if figure else None


COLUMNS = (
    *("option", "site", "how", "as_planned", "years", "year", "usd_low", "usd_expected", "usd_high"),
    *("net_present_usd_low", "net_present_usd_expected", "net_present_usd_high", "complete", "example"),
)


def csv_text(found: Comparison) -> str:
    """The cash flow of every option as CSV: a row for what is paid at once (year 0) and for each year, what is left at
    the end of the last one taken off. Where variants were asked for, those."""
    if found.variants:
        return variants_csv(found.variants)
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for option in found.options:
        for span in option.spans:
            writer.writerows(_rows(option, span))
    return out.getvalue()


def _rows(option: Option, span: Span) -> Iterator[Mapping[str, object]]:
    present = span.present.cents if span.present else None
    for year in range(span.years + 1):
        paid = sorted(_paid(flow, year) for flow in span.flows)
        yield {
            "option": harmless(option.name),
            "site": option.site,
            "how": option.how,
            "as_planned": option.planned,
            "years": span.years,
            "year": year,
            **{f"usd_{end}": number(each, CENT) for end, each in zip(("low", "expected", "high"), paid, strict=True)},
            **{
                f"net_present_usd_{end}": getattr(present, end) if present and not year else ""
                for end in ("low", "expected", "high")
            },
            "complete": option.complete,
            "example": option.example,
        }


def _paid(flow: Flow, year: int) -> Decimal:
    if not year:
        return flow.first
    return flow.yearly[year - 1] - (flow.left if year == len(flow.yearly) else 0)
