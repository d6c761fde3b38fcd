"""Plans as plain data: what is written to `plan.json`, compared by `diff` and covered by the digest."""

from __future__ import annotations

import hashlib
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


def data_of(value: object) -> Any:
    """JSON-like data: records by field, sequences as lists, numbers with a fraction as text, so no reader rounds."""
    if isinstance(value, Enum):
        return value.value
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

    Plans hold no fractions as numbers, so `canonical_json` equals RFC 8785 for them; keys are ASCII, so sorting by
    code point equals sorting by UTF-16 unit.
    """
    return f"sha256:{hashlib.sha256(canonical_json(data).encode()).hexdigest()}"
