"""Estimates as plain data: JSON as the design has it, and rows for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from aifactory.components.economics.figures import CENT, per_million, total
from aifactory.stacks.estimate.json_numbers import FINE, WHOLE, ends, number
from aifactory.stacks.estimate.model import FORMULAS, Estimate, Lack, Line, ModelCost, Result, SiteEstimate, Term
from aifactory.stacks.estimate.split_data import break_even_data, core_flex_data

SCHEMA = "aifactory-cost/v1"


def estimate_data(found: Estimate) -> dict[str, Any]:
    """All of an estimate."""
    return {
        "schema": SCHEMA,
        "factory": found.factory,
        "as_of": found.as_of,
        "stacks": {site.stack: site_data(site) for site in found.sites},
        "total": _total(found),
    }


def _total(found: Estimate) -> dict[str, Any]:
    sums = {
        "usd_per_month": ("cost", CENT),
        "energy_kwh_per_month": ("energy", FINE),
        "kg_co2e_per_month": ("carbon", FINE),
        "kg_co2e_embodied_per_month": ("embodied", FINE),
        "tokens_out_per_month": ("tokens_out", WHOLE),
        "tokens_per_s": ("tokens_per_s", WHOLE),
    }
    result: dict[str, Any] = {}
    for name, (field, step) in sums.items():
        each: list[Result] = [getattr(site, field) for site in found.sites]
        result[name] = {
            **ends(total(one.figure for one in each), step),
            "formula": "SUM",
            "text": FORMULAS["SUM"],
            "sources": [site.stack for site in found.sites],
            "complete": not any(one.lacks for one in each),
        }
    cost, tokens = (total(getattr(site, field).figure for site in found.sites) for field in ("cost", "tokens_out"))
    rate = per_million(cost, tokens)
    if rate is not None:
        result["usd_per_million_output_tokens"] = {
            **ends(rate, FINE),
            "formula": "F12",
            "text": FORMULAS["F12"],
            "sources": [site.stack for site in found.sites],
            "complete": result["usd_per_month"]["complete"],
        }
    return result


def site_data(site: SiteEstimate) -> dict[str, Any]:
    """One site."""
    return {
        "site": site.site,
        "venue": site.venue,
        "usd_per_month": result_data(site.cost, CENT),
        "usd_per_million_output_tokens": _optional(site.usd_per_million, FINE),
        "energy_kwh_per_month": result_data(site.energy, FINE),
        "kwh_per_million_output_tokens": _optional(site.kwh_per_million, FINE),
        "kg_co2e_per_month": result_data(site.carbon, FINE),
        "kg_co2e_embodied_per_month": result_data(site.embodied, FINE),
        "kg_co2e_per_million_output_tokens": _optional(site.kg_per_million, FINE),
        "water_l_per_month": result_data(site.water, FINE),
        "tokens_per_s": result_data(site.tokens_per_s, WHOLE),
        "tokens_out_per_month": result_data(site.tokens_out, WHOLE),
        "tokens_in_per_month": result_data(site.tokens_in, WHOLE),
        "utilisation": result_data(site.utilisation, FINE),
        "gpus": site.gpus,
        "lines": [line_data(line) for line in site.lines],
        "models": [model_data(model) for model in site.models],
        "tenants": [
            {
                "part": each.part,
                "tenant": each.tenant,
                "pool": each.pool,
                "gpus": number(each.gpus, FINE),
                "usd_per_month": ends(each.usd_per_month, CENT),
                "budget_usd_per_month": number(each.budget_usd_per_month.high, CENT)
                if each.budget_usd_per_month
                else None,
                "gpus_of_budget": each.gpus_of_budget,
            }
            for each in site.tenants
        ],
        "break_even": [break_even_data(each) for each in site.break_evens],
        "core_flex": [core_flex_data(each) for each in site.core_flex],
        "missing": [lack_data(lack) for lack in site.lacks],
    }


def model_data(model: ModelCost) -> dict[str, Any]:
    """One model."""
    data: dict[str, Any] = {
        "part": model.part,
        "model": model.model,
        "gpus": model.gpus,
        "usd_per_month": ends(model.usd_per_month, CENT),
        "tokens_in_per_month": number(model.tokens_in.expected, WHOLE),
        "tokens_out_per_month": number(model.tokens_out.expected, WHOLE),
        "utilisation": ends(model.utilisation, FINE),
    }
    for name, figure in (
        ("usd_per_million_input_tokens", model.usd_per_million_in),
        ("usd_per_million_output_tokens", model.usd_per_million_out),
        ("usd_per_million_output_tokens_all_in", model.usd_per_million),
    ):
        data[name] = ends(figure, FINE) if figure else None
    if model.price_in and model.price_out and model.margin_per_month:
        income, cost = model.margin_per_month
        data["price_usd_per_million_input_tokens"] = number(model.price_in.expected, FINE)
        data["price_usd_per_million_output_tokens"] = number(model.price_out.expected, FINE)
        data["income_usd_per_month"] = number(income.expected, CENT)
        data["margin_usd_per_month"] = {
            "low": number(income.low - cost.high, CENT),
            "expected": number(income.expected - cost.expected, CENT),
            "high": number(income.high - cost.low, CENT),
        }
    return data


def line_data(line: Line) -> dict[str, Any]:
    """One line."""
    price = line.price
    return {
        "part": line.part,
        "item": line.item,
        "quantity": ends(line.quantity, FINE),
        "unit": line.unit,
        "unit_price_usd": ends(price.value, Decimal("0.000001")) if price else None,
        "price_date": (price.seen or None) if price else None,
        "price_source": (price.source or None) if price else None,
        "usd_per_month": ends(line.amount, CENT) if line.known else None,
        "formula": line.formula,
        "text": FORMULAS[line.formula],
        "inputs": [term_data(term) for term in line.terms],
        "missing": lack_data(line.lacks) if line.lacks else None,
    }


def result_data(result: Result, step: Decimal) -> dict[str, Any]:
    """A figure with all that it rests on."""
    return {
        **ends(result.figure, step),
        "unit": result.unit,
        "formula": result.formula,
        "text": FORMULAS[result.formula],
        "sources": list(result.sources),
        "inputs": [term_data(term) for term in result.terms],
        "complete": not result.lacks,
    }


def _optional(result: Result | None, step: Decimal) -> dict[str, Any] | None:
    return result_data(result, step) if result else None


def term_data(term: Term) -> dict[str, Any]:
    """An input of a formula."""
    data = {"name": term.name, **ends(term.value, Decimal("0.000001")), "unit": term.unit, "source": term.source}
    return {**data, "seen": term.seen, "assumed": term.assumed, "example": term.example}


def lack_data(lack: Lack) -> dict[str, Any]:
    """What is missing."""
    return {"says": lack.says, "hint": lack.hint, "field": ".".join(map(str, lack.path))}


COLUMNS = (
    *("stack", "site", "part", "item", "quantity", "unit", "unit_price_usd", "price_date", "price_source"),
    *("usd_low", "usd_expected", "usd_high", "formula", "missing"),
)


def csv_text(found: Estimate) -> str:
    """All lines as CSV, one each."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for site in found.sites:
        writer.writerows(_csv_row(site, line) for line in site.lines)
    return out.getvalue()


def _csv_row(site: SiteEstimate, line: Line) -> Mapping[str, object]:
    amounts = line.amount.cents
    known = line.known
    price = line.price
    return {
        "stack": site.stack,
        "site": site.site,
        "part": line.part,
        "item": harmless(line.item),
        "quantity": line.quantity.expected.quantize(FINE, ROUND_HALF_UP),
        "unit": line.unit,
        "unit_price_usd": price.value.expected.quantize(Decimal("0.000001"), ROUND_HALF_UP) if price else "",
        "price_date": price.seen if price else "",
        "price_source": harmless(price.source) if price else "",
        "usd_low": amounts.low if known else "",
        "usd_expected": amounts.expected if known else "",
        "usd_high": amounts.high if known else "",
        "formula": line.formula,
        "missing": harmless(line.lacks.says) if line.lacks else "",
    }


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
