"""Plans as plain data: what is written to `plan.json`, compared by `diff` and covered by the digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

from msgspec import Struct
from pydantic import BaseModel

from aifactory.components.catalog import Catalog
from aifactory.components.values import canonical_json
from aifactory.stacks.planning.model import FactoryPlan, StackPlan

SCHEMA = "aifactory-plan/v1"
EXACT = 2**53
"""Whole numbers below it are the same in every reader of JSON; RFC 8785 knows no others."""


def data_of(value: object) -> Any:
    """JSON-like data: records by field, sequences as lists, and as text the numbers that a reader could round:
    those with a fraction, and those beyond 2^53."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, int) and abs(value) >= EXACT:
        return str(value)
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, (float, Decimal)):
        return format(Decimal(repr(value)) if isinstance(value, float) else value, "f")
    if isinstance(value, (tuple, list)):
        return [data_of(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(data_of(item) for item in value)
    if isinstance(value, Mapping):
        return {str(key): data_of(item) for key, item in value.items()}
    if isinstance(value, BaseModel):
        return data_of(value.model_dump())
    if isinstance(value, Struct):
        return {name: data_of(getattr(value, name)) for name in value.__struct_fields__}
    raise TypeError(f"a plan holds a {type(value).__name__}, which has no plain form")


def stack_data(plan: StackPlan) -> dict[str, Any]:
    """One stack of a plan."""
    return {
        "site": plan.place.site,
        "place": data_of(plan.place),
        "parts": [
            {
                "name": part.name,
                "kind": part.kind,
                "renamed_from": part.renamed_from,
                "also_renamed_from": list(part.also_renamed_from),
                "plan": data_of(part.plan),
                "overrides": [
                    {"row": note.row, "patch": data_of(note.patch), "reason": note.reason} for note in part.overrides
                ],
            }
            for part in plan.parts
        ],
        "decisions": [
            {
                "path": decision.path,
                "value": data_of(decision.value),
                "reason": decision.reason,
                "rejected": [{"value": data_of(other.value), "reason": other.reason} for other in decision.rejected],
                "facts": list(decision.facts),
                "because": list(decision.because),
            }
            for decision in plan.decisions.values()
        ],
        "promises": data_of(plan.promises),
    }


def factory_data(plan: FactoryPlan, catalog: Catalog) -> dict[str, Any]:
    """A whole plan with the catalog rows it rests on, without the digest."""
    used = {fact for stack in plan.stacks.values() for decision in stack.decisions.values() for fact in decision.facts}
    return {
        "schema": SCHEMA,
        "factory": plan.factory,
        "release_train": plan.train,
        "stacks": {name: stack_data(stack) for name, stack in plan.stacks.items()},
        "facts": data_of(catalog.digest(used)),
    }


def digest_of(data: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON (RFC 8785) of data, as `sha256:…`.

    `data_of` leaves no number whose text could differ, so only the order of keys does: RFC 8785 sorts by UTF-16
    unit, and `canonical_json` by code point, which is the same below U+10000.
    """
    text = canonical_json(data)
    if not text.isascii():
        text = json.dumps(_by_utf16_unit(data), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _by_utf16_unit(tree: Any) -> Any:
    if isinstance(tree, Mapping):
        return {key: _by_utf16_unit(tree[key]) for key in sorted(tree, key=lambda key: key.encode("utf-16-be"))}
    return [_by_utf16_unit(item) for item in tree] if isinstance(tree, list) else tree
