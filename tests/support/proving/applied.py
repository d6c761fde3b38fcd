"""Rows of shipped stacks on a control plane, as an `up` would leave them: objects, and Helm's records of releases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aifactory.components.rows import HelmRow, KubernetesRow
from aifactory.components.values import plain
from support import shipped
from support.proving.api import Refused
from support.proving.control_plane import ControlPlane
from support.schemas import Schemas


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


def space(name: str) -> Any:
    """A namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def record(namespace: str, name: str, status: str = "deployed", revision: int = 1) -> Any:
    """Helm's record of a release, without content."""
    labels = {"owner": "helm", "name": name, "status": status, "version": str(revision)}
    metadata = {"name": f"sh.helm.release.v1.{name}.v{revision}", "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "metadata": metadata}


def define(plane: ControlPlane, rows: list[KubernetesRow], schemas: Schemas) -> list[Any]:
    """The definitions of the rows' kinds, served, as charts bring them. Returns them."""
    return plane.define(definitions(rows, schemas), "helm")


def apply(plane: ControlPlane, rows: list[KubernetesRow]) -> list[str]:
    """Apply objects. Returns what was refused."""
    refused = []
    for row in rows:
        if row.namespace and plane.api.get(space(row.namespace)) is None:
            plane.api.apply(space(row.namespace))  # of a release, whose chart makes it
        try:
            plane.api.apply(body(row))
        except Refused as error:
            refused.append(f"{row.id}: {error}")
    return refused


def deploy(plane: ControlPlane, name: str, schemas: Schemas) -> list[Any]:
    """A whole stack, as if it had been deployed. Returns the definitions that it brought."""
    rows = objects(name)
    made = define(plane, rows, schemas)
    assert apply(plane, rows) == []
    for row in shipped.stacks()[name].rows:
        if isinstance(row, HelmRow):
            plane.api.apply(record(row.namespace, row.name))
    return made
