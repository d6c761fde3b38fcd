"""A real API server with the real definitions takes every object of every shipped stack, in the order of the plan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from aifactory.components.rows import KubernetesRow
from aifactory.components.values import plain
from support import shipped
from support.proving.api import Refused
from support.proving.control_plane import ControlPlane
from support.schemas import Schemas

pytestmark = pytest.mark.cluster


def objects(name: str) -> list[KubernetesRow]:
    """Objects of a stack, in an order in which each comes after what it waits for."""
    return [row for row in shipped.stacks()[name].rows if isinstance(row, KubernetesRow)]


def body(row: KubernetesRow) -> Any:
    """An object as it is sent."""
    return plain(row.body, lambda ref: ref.row)


def definitions(rows: list[KubernetesRow], schemas: Schemas) -> Iterator[Any]:
    """Definitions of their kinds, without the servers that would convert between versions."""
    kinds = {(str(row.body["apiVersion"]).rpartition("/")[0], str(row.body["kind"])) for row in rows}
    for group, kind in sorted(kinds):
        found = schemas.definition(group, kind) if "." in group else None
        if found is not None:
            found["spec"].pop("conversion", None)
            yield found


@pytest.mark.parametrize("name", shipped.STACKS)
def test_an_api_server_takes_every_object(plane: ControlPlane, schemas: Schemas, name: str) -> None:
    rows = objects(name)
    made = list(definitions(rows, schemas))
    for definition in made:
        plane.api.apply(definition)
    plane.wait(lambda: all(_is_served(plane.api.get(each)) for each in made), "definitions are served")
    refused = []
    for row in rows:
        sent = body(row)
        if row.namespace and plane.api.get(_space(row.namespace)) is None:
            plane.api.apply(_space(row.namespace))  # of a release, whose chart makes it
        try:
            plane.api.apply(sent)
        except Refused as error:
            refused.append(f"{row.id}: {error}")
    assert refused == []
    kept = {row.id: plane.api.get(body(row)) for row in rows}
    changed = [(row.id, body(row), kept[row.id]) for row in rows if _differs(body(row), kept[row.id])]
    assert changed == [], "the server dropped or changed what it was sent"


def _space(name: str) -> Any:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _is_served(definition: Any) -> bool:
    conditions = (definition or {}).get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


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
