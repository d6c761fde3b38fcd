"""What a run may make, as resources of a state: enough to ask the cluster afterwards whether it did."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from aifactory.components.rows import ClusterRow, HelmRow
from aifactory.components.values import Ref
from aifactory.stacks.assembly.rowset import PartEntry, RowSet
from aifactory.stacks.program import identity
from aifactory.stacks.program.inputs import inputs, plugin_version, provider_inputs
from aifactory.stacks.program.state import provider_resources

STACK_TYPE = "pulumi:pulumi:Stack"
Resource = Mapping[str, Any]
_OF_A_RELEASE = ("chart", "name", "namespace", "version")


class _HasReference(Exception):
    """Part of what a row sends is known to the engine alone."""


def claims(rows: RowSet, resources: Collection[Resource], root: Path, kubeconfig: str = "") -> list[Resource]:
    """The rows that the state doesn't hold yet, and above them the provider and the components, if those lack too.

    A row that the state holds under a former name of its part is none: the engine takes that over.
    """
    known = {str(resource["urn"]) for resource in resources}
    parts = {part.name: part for part in rows.parts}
    new = [row for row in identity.cluster_rows(rows) if known.isdisjoint(_urns(rows, parts[row.part], row))]
    if not new:
        return []
    above = list(_above(rows, resources, root, kubeconfig))
    provider = next(resource for resource in (*above, *resources) if resource["type"] == identity.PROVIDER_TYPE)
    urns = {row.id: identity.row_urn(rows, parts[row.part], row) for row in identity.cluster_rows(rows)}
    made = [_claim(row, parts[row.part], rows, urns, f"{provider['urn']}::{provider['id']}") for row in new]
    return [resource for resource in above if resource["urn"] not in known] + made


def object_id(urn: str) -> str:
    """The id that the provider gives to the object of a row: `namespace/name`, or `name`."""
    return urn.rpartition("::")[2].partition("/")[2]


def _urns(rows: RowSet, part: PartEntry, row: ClusterRow) -> set[str]:
    urn = identity.row_urn(rows, part, row)
    place = urn.rpartition("::")[0]
    return {urn, *(f"{place}::{identity.former_name(row, former)}" for former in part.former_names)}


def _above(rows: RowSet, resources: Collection[Resource], root: Path, kubeconfig: str) -> Iterator[Resource]:
    stack = f"urn:pulumi:{rows.stack}::{identity.PROJECT}::{STACK_TYPE}::{identity.PROJECT}-{rows.stack}"
    yield {"urn": stack, "custom": False, "type": STACK_TYPE}
    factory = identity.factory_urn(rows)
    yield {"urn": factory, "custom": False, "type": identity.FACTORY_TYPE, "parent": stack}
    if not provider_resources(resources):
        settings = {**provider_inputs(rows.cluster, kubeconfig, root), "version": plugin_version()}
        yield {
            "urn": identity.provider_urn(rows),
            "custom": True,
            "id": str(uuid.uuid4()),
            "type": identity.PROVIDER_TYPE,
            "inputs": {"__internal": {}, **settings},
            "outputs": settings,
            "parent": factory,
        }
    for part in rows.parts:
        kind = identity.part_type(part)
        yield {"urn": identity.part_urn(rows, part), "custom": False, "type": kind, "parent": factory}


def _claim(row: ClusterRow, part: PartEntry, rows: RowSet, urns: Mapping[str, str], provider: str) -> Resource:
    urn = urns[row.id]
    return {
        "urn": urn,
        "custom": True,
        "id": object_id(urn),
        "type": row.token,
        "inputs": _sent(row),
        "outputs": {},
        "parent": identity.part_urn(rows, part),
        "dependencies": [urns[name] for name in row.after if name in urns],
        "provider": provider,
        **({"protect": True} if row.protect else {}),
        **({"retainOnDelete": True} if row.retain_on_delete else {}),
    }


def _sent(row: ClusterRow) -> dict[str, Any]:
    """What the row sends, for the provider to read back just that much. Never a secret: rows hold references.

    Of a release only what tells it from another; nothing of a row that sends an output of another row.
    """
    try:
        sent = inputs(row, _refuse)
    except _HasReference:
        return {}
    return {key: sent[key] for key in _OF_A_RELEASE if key in sent} if isinstance(row, HelmRow) else sent


def _refuse(_: Ref) -> Any:
    raise _HasReference
