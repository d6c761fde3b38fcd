"""Clusters of sites, as the verbs that look at them need them."""

from __future__ import annotations

from pathlib import Path

from aifactory.cli.reaching import kubeconfig_file
from aifactory.cli.work import Work
from aifactory.components.given import Kubeconfig
from aifactory.components.problems import Path as TreePath
from aifactory.components.problems import Position
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.live.connection import Connection, KubeconfigConnection


def connect(given: Kubeconfig, root: Path, instead: Path | None) -> Connection:
    """A connection to the cluster of a site; `instead` is the file of `--kubeconfig`.

    Raises `Unreachable` if the credentials can't be had.
    """
    return KubeconfigConnection(kubeconfig_file(given, root, instead), given.context)


def part_position(work: Work, stack: str, part: str, row: str = "") -> Position:
    """Where a part of a stack is written; the override of a row, if that is named and has one.

    The site file, for a part that the planner derived from it.
    """
    plan: Stack = work.stacks[stack]
    site = plan.plan.place.site
    notes = [note for each in plan.plan.parts for note in each.overrides if row and note.row == row]
    if notes:
        return work.loaded.position(notes[-1].where)
    for index, spec in enumerate(work.loaded.sites[site].blueprint.parts):
        if spec.name == part:
            path: TreePath = ("parts", index)
            return work.loaded.position(path)
    return work.loaded.position(("cluster",), "site", site)
