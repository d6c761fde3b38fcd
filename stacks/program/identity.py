"""What Pulumi knows resources by. Forever: a change here replaces what users run, and a test pins it.

Imports no Pulumi, so that files and progress can name resources without the SDK.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aifactory.components import names
from aifactory.components.names import Layer
from aifactory.components.rows import CloudRow, ClusterRow, HelmRow, KubernetesRow, ResourceRow
from aifactory.stacks.assembly.rowset import PartEntry, RowSet

PROJECT = "aifactory"
"""Name of the Pulumi project: one for the root project, generated folders and verbs, which make one stack."""

MINIMUM_ENGINE = "3.250.0"
"""Oldest `pulumi` command that this version is tried with."""

FACTORY_TYPE = "aifactory:index:AiFactory"
PROVIDER_TYPE = "pulumi:providers:kubernetes"
CLOUD_PROVIDER_TYPES = {"aws": "pulumi:providers:aws"}
"""By package of the cloud."""


def layer_of(stack: str) -> Layer:
    """The layer that the name of a stack says."""
    return "base" if stack.endswith("-base") else "platform"


def resource_name(row: ResourceRow) -> str:
    """The Pulumi name of a row."""
    return former_name(row, row.part)


def former_name(row: ResourceRow, former: str) -> str:
    """The Pulumi name that a row had while its part was called `former`."""
    return names.resource_name(former, "" if isinstance(row, CloudRow) else row.namespace, row.name)


def part_type(part: PartEntry) -> str:
    """The Pulumi type of a part's component."""
    return names.component_type(part.layer, part.kind)


def resource_rows(rows: RowSet) -> list[ResourceRow]:
    """The rows that become resources; files for hosts and switches don't."""
    return [row for row in rows.rows if isinstance(row, (KubernetesRow, HelmRow, CloudRow))]


def cluster_rows(rows: RowSet) -> list[ClusterRow]:
    """The rows that exist inside the cluster."""
    return [row for row in rows.rows if isinstance(row, (KubernetesRow, HelmRow))]


def factory_urn(rows: RowSet) -> str:
    """URN of the component of a whole factory, as the stack's own program makes it."""
    return f"urn:pulumi:{rows.stack}::{PROJECT}::{FACTORY_TYPE}::{rows.factory}"


def provider_urn(rows: RowSet) -> str:
    """URN of the provider of the stack's cluster."""
    return f"urn:pulumi:{rows.stack}::{PROJECT}::{FACTORY_TYPE}${PROVIDER_TYPE}::{rows.cluster.identifier}"


def part_urn(rows: RowSet, part: PartEntry) -> str:
    """URN of a part's component."""
    return f"urn:pulumi:{rows.stack}::{PROJECT}::{FACTORY_TYPE}${part_type(part)}::{part.name}"


def row_urn(rows: RowSet, part: PartEntry, row: ResourceRow) -> str:
    """URN of a row of `part`."""
    kinds = f"{FACTORY_TYPE}${part_type(part)}${row.token}"
    return f"urn:pulumi:{rows.stack}::{PROJECT}::{kinds}::{resource_name(row)}"


def urns(rows: RowSet) -> dict[str, str]:
    """The row id of each URN that the stack's own program makes."""
    parts = {part.name: part for part in rows.parts}
    return {row_urn(rows, parts[row.part], row): row.id for row in resource_rows(rows)}


def is_of_cloud(resource: Mapping[str, Any]) -> bool:
    """Whether a resource of a state belongs to a cloud."""
    return str(resource.get("type", "")).partition(":")[0] in CLOUD_PROVIDER_TYPES


def row_of(urn: str) -> tuple[str, str] | None:
    """Part and row id that a URN stands for, None for a component, a provider or the stack itself."""
    kind = urn.split("::")[2].rpartition("$")[2]
    package, _, module_and_kind = kind.partition(":")
    if package in CLOUD_PROVIDER_TYPES:
        part, _, name = urn.rpartition("::")[2].partition("/")
        return part, names.cloud_id(kind, name)
    if package != "kubernetes":
        return None
    group_version, _, kind = module_and_kind.rpartition(":")
    part, *namespaces, name = urn.rpartition("::")[2].split("/")
    namespace = "/".join(namespaces)
    if f"{package}:{module_and_kind}" == names.HELM_RELEASE_TOKEN:
        return part, names.release_id(namespace, name)
    return part, names.object_id(group_version.removeprefix("core/"), kind, namespace, name)
