"""JSON that people and git can compare: the outer containers over several lines, each thing inside on one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def dumps(tree: Mapping[str, Any], levels: int) -> str:
    """The tree as JSON, ending in a newline. A container up to `levels` deep has a line for each thing in it.

    The compact lines come from the encoder that is written in C; with an indent json uses the one in Python,
    which takes ten times as long.
    """
    return "".join(_written(tree, levels)) + "\n"


def _written(tree: Any, levels: int) -> Iterator[str]:
    if not levels or not tree or not isinstance(tree, (dict, list, tuple)):
        yield _compact(tree)
        return
    pairs = tree.items() if isinstance(tree, dict) else ((None, value) for value in tree)
    separator = "{\n" if isinstance(tree, dict) else "[\n"
    for key, value in pairs:
        yield separator
        if key is not None:
            yield f"{_compact(key)}:"
        yield from _written(value, levels - 1)
        separator = ",\n"
    yield "\n}" if isinstance(tree, dict) else "\n]"
