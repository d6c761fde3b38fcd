"""What all managers beside a control plane need: their kinds defined, and a word when they are well."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterable
from typing import Any

from support.proving.control_plane import ControlPlane


def answers(url: str) -> bool:
    """Whether a server says that it is well."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def define(plane: ControlPlane, definitions: Iterable[Any]) -> None:
    """Make definitions, and wait until their kinds can be used."""
    made = list(definitions)
    for each in made:
        plane.api.apply(each)
    plane.wait(lambda: all(_is_served(plane.api.get(each)) for each in made), "definitions are served")


def _is_served(definition: Any) -> bool:
    conditions = (definition or {}).get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
