"""One side of a comparison: a plan with its rows, from memory or from a generated folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from aifactory.components.problems import Problem, Refused
from aifactory.stacks.assembly.codec import encode
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.planning.data import stack_data


class StackSnapshot(Struct, frozen=True):
    """A stack as plain data."""

    name: str
    site: str
    parts: Mapping[str, Mapping[str, Any]]
    """By name."""
    decisions: Mapping[str, Mapping[str, Any]]
    """By path."""
    rows: Mapping[str, Mapping[str, Any]]
    """By identity."""


Snapshot = Mapping[str, StackSnapshot]
"""Stacks by name."""


def of_stacks(stacks: Iterable[Stack]) -> Snapshot:
    """The snapshot of stacks in memory."""
    found = {}
    for stack in stacks:
        rows = (encode(row, stack.steps[row.id]) for row in stack.rows)
        found[stack.name] = _snapshot(stack.name, stack_data(stack.plan), rows, stack.layer)
    return found


def of_folder(folder: Path) -> Snapshot:
    """The snapshot of a generated stack folder, or of a folder of them. Raises `Refused` when it holds none."""
    folders = (
        [folder] if (folder / "plan.json").is_file() else sorted(path.parent for path in folder.glob("*/plan.json"))
    )
    if not folders:
        raise Refused([Problem(f"{folder} holds no generated stack", hint="name a folder that `generate` wrote")])
    found = {}
    for each in folders:
        plan, rows = _read(each / "plan.json"), _read(each / "rows.json")
        try:
            name = plan["stack"]["name"]
            found[name] = _snapshot(name, plan["stack"], rows["rows"], rows.get("layer", "platform"))
        except (KeyError, TypeError):
            raise Refused([Problem(f"{each} was not written by this version", hint="generate it again")]) from None
    return found


def _snapshot(name: str, data: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], layer: str) -> StackSnapshot:
    """Parts and decisions of a site are told once, with its platform; its base shows rows alone."""
    parts, decisions = (data["parts"], data["decisions"]) if layer == "platform" else ((), ())
    return StackSnapshot(
        name,
        data["site"],
        {part["name"]: part for part in parts},
        {decision["path"]: decision for decision in decisions},
        {row["id"]: row for row in rows},
    )


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused([Problem(f"{path} can't be read: {error}", hint="generate the folder again")]) from None
