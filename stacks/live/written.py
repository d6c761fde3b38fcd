"""Compares an object with the plan alone, where the server won't say what it would make of the plan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from aifactory.stacks.live.fields import ABSENT, FieldPath

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|Ki|Mi|Gi|Ti|Pi|M|G|T|P)?\Z")
_POWERS = {"m": -1, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5}


def contained(live: Any, planned: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Any, Any]]:
    """Paths at which a value of the plan isn't there, or another is. What the server adds is no difference."""
    if isinstance(planned, dict) and isinstance(live, dict):
        for key, value in planned.items():
            yield from contained(live.get(key, ABSENT), value, (*path, key))
    elif isinstance(planned, list | tuple) and isinstance(live, list) and len(planned) == len(live):
        for index, (now, value) in enumerate(zip(live, planned, strict=True)):
            yield from contained(now, value, (*path, index))
    elif live is ABSENT:
        if planned:  # zero values are not kept
            yield path, live, planned
    elif live != planned and _amount(live) != _amount(planned):
        yield path, live, planned


def _amount(value: Any) -> Any:
    """A quantity as a number, for the server writes 1000 as 1k; anything else as it is."""
    found = _QUANTITY.match(str(value)) if isinstance(value, str | int | float) else None
    if found is None:
        return value
    unit = found[2] or ""
    return float(found[1]) * (1024 if unit.endswith("i") else 1000) ** _POWERS.get("k" if unit == "Ki" else unit[:1], 0)
