"""A real API server with the real definitions takes every object of every shipped stack, in the order of the plan."""

from __future__ import annotations

from typing import Any

import pytest

from support import shipped
from support.proving import applied
from support.proving.applied import body
from support.proving.comparing import amount
from support.proving.control_plane import ControlPlane
from support.schemas import Schemas

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("name", shipped.GIVEN)
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
    return bool(sent != kept) and amount(sent) != amount(kept)
