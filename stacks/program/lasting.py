"""Which rows of a platform go last: those whose controllers remove, for others, what is outside of the cluster."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from aifactory.stacks.program.state import StateRow, state_releases, state_rows

Resource = Mapping[str, Any]


def first_to_go(resources: Collection[Resource], charts: Collection[str]) -> list[str]:
    """URNs of the rows that may go while releases of these charts are still at work.

    Not among them: those releases with all that is in their namespaces, as what their pods may reach; what is
    protected; and what either needs. Leftovers of a replacement go by themselves.
    """
    rows = state_rows(resources)
    spaces = {one.namespace for one in state_releases(resources) if one.chart in charts}
    staying = {row.urn for row in rows if row.protected or _namespace(row) in spaces}
    needed = needs(resources, staying)
    return [row.urn for row in rows if row.urn not in needed]


def needs(resources: Iterable[Resource], urns: Iterable[str]) -> set[str]:
    """These, and everything that they stand on: what they depend on, parents and providers."""
    by_urn = {str(one["urn"]): one for one in resources if not one.get("delete")}
    found: set[str] = set()
    pending = [urn for urn in urns if urn in by_urn]
    while pending:
        urn = pending.pop()
        if urn in found or urn not in by_urn:
            continue
        found.add(urn)
        one = by_urn[urn]
        above = (one.get("parent") or "", str(one.get("provider") or "").rpartition("::")[0])
        pending += [*(one.get("dependencies") or ()), *above]
    return found


def _namespace(row: StateRow) -> str:
    """The namespace of a row, or that which it is; empty for what is in none."""
    kind, _, rest = row.row.partition("/")
    return rest if kind == "Namespace" else rest.rpartition("/")[0]
