"""Variants as plain data: JSON, and rows for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from aifactory.components.economics.figures import CENT
from aifactory.stacks.estimate.data import harmless
from aifactory.stacks.estimate.json_numbers import FINE, ends, number
from aifactory.stacks.estimate.model import SiteEstimate
from aifactory.stacks.estimate.varying import Variant

ENDS = ("low", "expected", "high")


def variant_data(variant: Variant) -> dict[str, Any]:
    """One combination."""
    values = dict(variant.values)
    if variant.refused:
        return {"values": values, "refused": variant.refused}
    per_million = variant.per_million
    return {
        "values": values,
        "refused": None,
        "usd_per_month": ends(variant.cost, CENT),
        "usd_per_million_output_tokens": ends(per_million, FINE) if per_million else None,
        "energy_kwh_per_month": ends(variant.summed("energy"), FINE),
        "kg_co2e_per_month": ends(variant.summed("carbon") + variant.summed("embodied"), FINE),
        "complete": not any(site.cost.lacks for site in variant.sites),
        "sites": {site.site: _site(site) for site in variant.sites},
    }


def _site(site: SiteEstimate) -> dict[str, Any]:
    return {
        "gpus": site.gpus,
        "usd_per_month": ends(site.cost.figure, CENT),
        "usd_per_million_output_tokens": ends(site.usd_per_million.figure, FINE) if site.usd_per_million else None,
        "utilisation": ends(site.utilisation.figure, FINE),
    }


def variants_csv(variants: Sequence[Variant]) -> str:
    """A row for each combination: its values first."""
    names = [name for name, _ in variants[0].values] if variants else []
    figures = [f"{what}_{end}" for what in ("usd_per_month", "usd_per_million", "kwh", "kg_co2e") for end in ENDS]
    out = io.StringIO()
    writer = csv.DictWriter(out, [*names, *figures, "refused"], lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(_row(variant) for variant in variants)
    return out.getvalue()


def _row(variant: Variant) -> Mapping[str, object]:
    row: dict[str, object] = {name: harmless(value) for name, value in variant.values}
    if variant.refused:
        return {**row, "refused": harmless(variant.refused)}
    found = (
        ("usd_per_month", variant.cost, CENT),
        ("usd_per_million", variant.per_million, FINE),
        ("kwh", variant.summed("energy"), FINE),
        ("kg_co2e", variant.summed("carbon") + variant.summed("embodied"), FINE),
    )
    for what, figure, step in found:
        if figure is not None:
            row |= {f"{what}_{end}": number(getattr(figure, end), step) for end in ENDS}
    return row
