"""Core, flex and break-even as plain data."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from aifactory.components.economics.figures import CENT, Figure
from aifactory.stacks.estimate.json_numbers import FINE, ends, number
from aifactory.stacks.estimate.model import FORMULAS
from aifactory.stacks.estimate.splits import BreakEven, CoreFlex, Renting


def core_flex_data(found: CoreFlex) -> dict[str, Any]:
    """One model."""
    core = found.core
    return {
        "part": found.part,
        "model": found.model,
        "pool": found.pool,
        "says": found.says,
        "load_gpus": [_plain(hour) for hour in found.load],
        "gpus_of_a_replica": found.step,
        "owned_usd_per_gpu_hour": _optional(found.owned),
        "rented": _renting(found.rented),
        "not_rented_at": [{"site": each.site, "says": each.says} for each in found.barred],
        "warm_up_h": float(found.warm_up_h) if found.warm_up_h is not None else None,
        "rented_usd_per_gpu_hour_with_warm_up": _optional(found.rented_with_warm_up),
        "break_even_utilisation": _optional(found.break_even),
        "core_gpus": dict(zip(("low", "expected", "high"), map(_plain, core), strict=True)) if core else None,
        "flex_gpu_hours_per_day": _plain(found.flex_hours) if found.flex_hours is not None else None,
        "usd_per_hour": number(found.cost_per_hour, CENT) if found.cost_per_hour is not None else None,
        "formulas": {name: FORMULAS[name] for name in ("F13", "F14", "F15")},
    }


def break_even_data(found: BreakEven) -> dict[str, Any]:
    """One owned pool."""
    return {
        "pool": found.pool,
        "gpus": found.gpus,
        "owned_usd_per_gpu_hour": ends(found.owned, FINE),
        "rented": _renting(found.rented),
        "break_even_utilisation": ends(found.share, FINE),
        "utilisation": ends(found.use, FINE),
        "formula": "F15",
    }


def _renting(found: Renting | None) -> dict[str, Any] | None:
    if found is None:
        return None
    usd = ends(found.usd_per_gpu_hour, FINE)
    return {"site": found.site, "what": found.what, "usd_per_gpu_hour": usd, "sources": list(found.sources)}


def _optional(figure: Figure | None) -> dict[str, float | int] | None:
    return ends(figure, FINE) if figure else None


def _plain(value: Decimal) -> float | int:
    return int(value) if value == value.to_integral_value() else float(value)
