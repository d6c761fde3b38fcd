"""Asking the sizing kernel about cards and models of the shipped catalog."""

from __future__ import annotations

import math
from typing import Any

from aifactory.components.catalog import Catalog
from aifactory.components.sizing.card import Card, card
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.found import Refusal
from aifactory.components.sizing.geometry import Geometry, geometry
from aifactory.components.sizing.known import known
from aifactory.components.sizing.options import Options
from aifactory.components.sizing.size import Sizing, size

CATALOG = Catalog.shipped()
FIXED = known(CATALOG)
CHAT = Demand(12.0, 40.0, 1_800, 350, 40.0)
PRECISIONS = ("bf16", "fp8", "fp4", "mxfp4")


def model(name: str) -> Geometry:
    return geometry(CATALOG.row("models", name))


def accelerator(name: str) -> Card:
    return card(CATALOG.row("accelerators", name))


def sized(demand: Demand = CHAT, name: str = "llama-3.1-70b", on: str = "h200", **options: Any) -> Sizing | Refusal:
    wishes: dict[str, Any] = {"precision": "fp8", "gpus_per_node": 8, **options}
    return size(demand, model(name), accelerator(on), Options(**wishes), FIXED)


def fits(*args: Any, **options: Any) -> Sizing:
    found = sized(*args, **options)
    assert isinstance(found, Sizing), found
    return found


def refused(*args: Any, **options: Any) -> Refusal:
    found = sized(*args, **options)
    assert isinstance(found, Refusal), found
    return found


def gpus(demand: Demand, shape: Geometry, on: Card, options: Options) -> float:
    """GPUs that a sizing takes of its nodes; infinitely many when it is refused."""
    found = size(demand, shape, on, options, FIXED)
    return found.occupied_gpus if isinstance(found, Sizing) else math.inf
