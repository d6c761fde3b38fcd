"""What bases hand to their platforms, and how clusters that bases make are reached."""

from __future__ import annotations

import atexit
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from aifactory.cli import clusters
from aifactory.cli.redacting import redacted
from aifactory.cli.work import Work
from aifactory.components import names
from aifactory.components.given import Kubeconfig
from aifactory.stacks.assembly.handing import is_placeholder, placeholder_of
from aifactory.stacks.assembly.rowset import HANDOFF, RowSet, row_set
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.live.cluster import Cluster
from aifactory.stacks.live.connection import Declined, Unreachable
from aifactory.stacks.program.engine import EngineError
from aifactory.stacks.program.handoff import HandoffError, of_outputs

Outputs = Mapping[str, Any]
"""Outputs of a stack, by name; empty when it isn't deployed."""


def base_of(stack: Stack) -> str:
    """Name of the base of a platform."""
    return names.stack_name(stack.plan.factory, stack.plan.place.site, "base")


def complete_rows(work: Work, stack: Stack, base: Outputs) -> RowSet:
    """The rows of a stack with what its base hands over. Raises `EngineError` if that is missing or of other rows."""
    rows = row_set(stack, work.digest)
    if not rows.awaits:
        return rows
    try:
        return of_outputs(base, rows, base_of(stack))
    except HandoffError as error:
        raise EngineError(error.says, error.hint) from None


def rows_to_preview(work: Work, stack: Stack, base: Outputs) -> tuple[RowSet, int]:
    """The rows of a stack with what its base hands over so far, and how many values are not known yet."""
    rows = row_set(stack, work.digest)
    known = values(base)
    unknown = [name for name in rows.awaits if name not in known]
    return rows.with_handed({name: known.get(name, placeholder_of(name)) for name in rows.awaits}), len(unknown)


def values(base: Outputs) -> dict[str, str]:
    """What a base hands over, whatever rows it was made from."""
    handoff = base.get(HANDOFF)
    found = handoff.get("values") if isinstance(handoff, Mapping) else None
    known = {str(name): value for name, value in (found or {}).items() if isinstance(value, str) and value}
    return {name: value for name, value in known.items() if not is_placeholder(value)}


def way_to(rows: RowSet) -> Kubeconfig | None:
    """How the cluster of these rows is reached; None as long as it isn't known.

    The kubeconfig of a cluster that we make is written to a folder that goes with this process. It holds a command
    that signs in, and no credentials.
    """
    if rows.layer == "base":
        return None
    made = rows.cluster.kubeconfig
    if made is None:
        return Kubeconfig(file=rows.cluster.kubeconfig_file, context=rows.cluster.context)
    if rows.awaits:
        return None
    return Kubeconfig(file=str(_written(rows.cluster.identifier, json.dumps(made))), context=rows.cluster.context)


def reach(rows: RowSet, root: Path, kubeconfig: Path | None) -> None:
    """Ask a cluster that the base has made for an answer. Raises `EngineError` if it gives none."""
    way = way_to(rows)
    assert way is not None  # noqa: S101 - what the base hands over is taken in
    try:
        Cluster(clusters.connect(way, root, kubeconfig)).kinds()
    except (Unreachable, Declined) as error:
        says = f"the base of {rows.site} is there, and its cluster can't be reached: {redacted(error.says)}"
        hint = "its API is private: run from a network that the site lists, with credentials that it lists, then again"
        raise EngineError(says, hint) from None


def written_content(content: str, identifier: str) -> str:
    """A path for a kubeconfig: itself, or a file of this process when it is the content, as in a state."""
    return str(_written(identifier, content)) if content.lstrip().startswith("{") else content


_FOLDER: list[Path] = []


def _written(name: str, text: str) -> Path:
    if not _FOLDER:
        folder = Path(mkdtemp(prefix="aifactory-kubeconfig-"))
        _FOLDER.append(folder)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = _FOLDER[0] / f"{name}.json"
    path.write_text(text, encoding="utf-8")
    return path
