"""What a base hands to its platform: read from the base's state, or from `handoff.json` beside the platform's rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aifactory.stacks.assembly.handing import Handed, is_placeholder
from aifactory.stacks.assembly.rowset import HANDOFF, HANDOFF_SCHEMA, RowSet

HANDOFF_FILE = "handoff.json"
_LONGEST_BYTES = 1024 * 1024


class HandoffError(Exception):
    """What the base hands over is missing, or of another base. Carries what to do."""

    def __init__(self, says: str, hint: str) -> None:
        super().__init__(f"{says}; {hint}")
        self.says = says
        self.hint = hint


def with_handoff(platform: RowSet, path: Path) -> RowSet:
    """The rows of a platform with what the file says; as they are, if they await nothing. Raises `HandoffError`."""
    if not platform.awaits:
        return platform
    hint = f"deploy the base, then run there: pulumi stack output {HANDOFF} --json > {path}"
    try:
        if path.stat().st_size > _LONGEST_BYTES:
            raise HandoffError(f"{path} is too large for what a base hands over", hint)
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HandoffError(f"{path} can't be read: {error.strerror}", hint) from None
    except (ValueError, RecursionError):
        raise HandoffError(f"{path} is not JSON", hint) from None
    return platform.with_handed(handed(data, platform, str(path), hint))


def handed(data: object, platform: RowSet, where: str, hint: str) -> Handed:
    """The values of a handoff, once it is found to be that of this platform's base. Raises `HandoffError`."""
    if not isinstance(data, Mapping) or data.get("schema") != HANDOFF_SCHEMA:
        raise HandoffError(f"{where} is no handoff of schema {HANDOFF_SCHEMA}", hint)
    if data.get("base_digest") != platform.base_digest:
        raise HandoffError(f"{where} comes from a base of other rows than these were planned with", hint)
    values = data.get("values")
    found: dict[str, str] = {}
    for name in platform.awaits:
        value = values.get(name) if isinstance(values, Mapping) else None
        if not isinstance(value, str) or not value:
            raise HandoffError(f"{where} lacks {name}", hint)
        if is_placeholder(value):
            raise HandoffError(
                f"{where} has a placeholder where {name} should be: it comes from no deployed base", hint
            )
        found[name] = value
    return found


def of_outputs(outputs: Mapping[str, Any], platform: RowSet, stack: str) -> RowSet:
    """The rows of a platform with what the state of its base says. Raises `HandoffError`."""
    hint = "run aifactory up: it deploys the base first"
    return platform.with_handed(handed(outputs.get(HANDOFF), platform, f"the state of stack {stack}", hint))
