"""The one program of the root project: plans what the stack's settings name, and registers it."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi

from aifactory.components.problems import Refused
from aifactory.stacks.program.adapter import Factory, register_stack
from aifactory.stacks.program.folder import check_stack, handed_over
from aifactory.stacks.program.handoff import HANDOFF_FILE
from aifactory.stacks.program.identity import layer_of
from aifactory.stacks.program.planned import planned_rows, problems_text


def register_configured(root: Path) -> Factory:
    """Plan the blueprint and site of the stack's settings, register the rows and export their outputs.

    Settings: `aifactory:blueprint` (a path from `root`), `aifactory:site`, and if need be
    `aifactory:parameters` (a map), `aifactory:kubeconfig` (a file to use instead of the site's) and
    `aifactory:handoff` (what the base hands over, default `handoff.json`). The stack's name says its layer. Raises
    `pulumi.RunError` that lists every problem if the blueprint can't be built or another stack is selected.
    """
    config = pulumi.Config("aifactory")
    blueprint = config.require("blueprint")
    parameters = json.loads(config.get("parameters") or "{}")
    try:
        planned = planned_rows(root / blueprint, config.require("site"), parameters, layer_of(pulumi.get_stack()))
    except Refused as refused:
        raise pulumi.RunError(problems_text(f"{blueprint} can't be built:", refused.problems)) from None
    check_stack(planned.rows.stack, pulumi.get_stack())
    rows = handed_over(planned.rows, root / (config.get("handoff") or HANDOFF_FILE))
    return register_stack(rows, planned.root, config.get("kubeconfig") or "")
