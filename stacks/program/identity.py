"""What Pulumi knows resources by. Forever: a change here replaces what users run, and a test pins it.

Imports no Pulumi, so that files and progress can name resources without the SDK.
"""

from __future__ import annotations

from aifactory.components import names
from aifactory.components.rows import ClusterRow, HelmRow, KubernetesRow
from aifactory.stacks.assembly.rowset import PartEntry, RowSet

PROJECT = "aifactory"
"""Name of the Pulumi project: one for the root project, generated folders and verbs, which make one stack."""

MINIMUM_ENGINE = "3.250.0"
"""Oldest `pulumi` command that this version is tried with."""

FACTORY_TYPE = "aifactory:index:AiFactory"
PROVIDER_TYPE = "pulumi:providers:kubernetes"


def resource_name(row: ClusterRow) -> str:
    """The Pulumi name of a row."""
    return names.resource_name(row.part, row.namespace, row.name)


def former_name(row: ClusterRow, former: str) -> str:
    """The Pulumi name that a row had while its part was called `former`."""
    return names.resource_name(former, row.namespace, row.name)


def part_type(part: PartEntry) -> str:
    """The Pulumi type of a part's component."""
    return names.component_type(part.layer, part.kind)


def cluster_rows(rows: RowSet) -> list[ClusterRow]:
    """The rows that become resources; files for hosts and switches don't."""
    return [row for row in rows.rows if isinstance(row, (KubernetesRow, HelmRow))]


def factory_urn(rows: RowSet) -> str:
    """URN of the component of a whole factory, as the stack's own program makes it."""
    return f"urn:pulumi:{rows.stack}::{PROJECT}::{FACTORY_TYPE}::{rows.factory}"


def provider_urn(rows: RowSet) -> str:
    """URN of the stack's provider."""
    return f"urn:pulumi:{rows.stack}::{PROJECT}::{FACTORY_TYPE}${PROVIDER_TYPE}::{rows.cluster.identifier}"


def part_urn(rows: RowSet, part: PartEntry) -> str:
    """URN of a part's component."""
    return f"urn:pulumi:{rows.stack}::{PROJECT}::{FACTORY_TYPE}${part_type(part)}::{part.name}"


def row_urn(rows: RowSet, part: PartEntry, row: ClusterRow) -> str:
    """URN of a row of `part`."""
    kinds = f"{FACTORY_TYPE}${part_type(part)}${row.token}"
    return f"urn:pulumi:{rows.stack}::{PROJECT}::{kinds}::{resource_name(row)}"


def urns(rows: RowSet) -> dict[str, str]:
    """The row id of each URN that the stack's own program makes."""
    parts = {part.name: part for part in rows.parts}
    return {row_urn(rows, parts[row.part], row): row.id for row in cluster_rows(rows)}


def row_of(urn: str) -> tuple[str, str] | None:
    """Part and row id that a URN stands for, None for a component, a provider or the stack itself."""
    kind = urn.split("::")[2].rpartition("$")[2]
    package, _, module_and_kind = kind.partition(":")
    if package != "kubernetes":
        return None
    group_version, _, kind = module_and_kind.rpartition(":")
    part, *namespaces, name = urn.rpartition("::")[2].split("/")
    namespace = "/".join(namespaces)
    if f"{package}:{module_and_kind}" == names.HELM_RELEASE_TOKEN:
        return part, names.release_id(namespace, name)
    return part, names.object_id(group_version.removeprefix("core/"), kind, namespace, name)
