"""A real API server with the real definitions takes every object of every shipped stack, in the order of the plan."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support import shipped
from support.proving import applied
from support.proving.applied import body
from support.proving.control_plane import ControlPlane
from support.schemas import Schemas

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("name", shipped.STACKS)
def test_an_api_server_takes_every_object(plane: ControlPlane, schemas: Schemas, name: str) -> None:
    rows = applied.objects(name)
    applied.define(plane, rows, schemas)
    refused = applied.apply(plane, rows)
    assert refused == []
    kept = {row.id: plane.api.get(body(row)) for row in rows}
    changed = [(row.id, body(row), kept[row.id]) for row in rows if _differs(body(row), kept[row.id])]
    assert changed == [], "the server dropped or changed what it was sent"


def _differs(sent: Any, kept: Any) -> bool:
    """Whether a value that was sent is not there, or another. What the server adds is no difference."""
    if isinstance(sent, dict) and isinstance(kept, dict):
        return any(_differs(value, kept.get(key)) for key, value in sent.items())
    if isinstance(sent, list | tuple) and isinstance(kept, list):
        return len(kept) != len(sent) or any(_differs(one, other) for one, other in zip(sent, kept, strict=True))
    if kept is None:
        return bool(sent)  # zero values are not kept
    return bool(sent != kept) and _amount(sent) != _amount(kept)


POWERS = {"m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4}


def _amount(value: Any) -> Any:
    """A quantity as a number, for the server writes 1000 as 1k; anything else as it is."""
    found = re.fullmatch(r"([0-9.]+)([mkMGT]?)(i?)", str(value))
    return float(found[1]) * (1024 if found[3] else 1000) ** POWERS[found[2]] if found else value
