"""A stack ready to be registered: its rows, its parts and the cluster they go to. The form of `rows.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from aifactory.components.rows import HelmRow, KubernetesRow, Row
from aifactory.components.values import Ref
from aifactory.stacks.assembly.codec import decode, decode_tree, encode, encode_tree
from aifactory.stacks.assembly.stack import Stack

SCHEMA = "aifactory-rows/v1"
_OUTPUT_KINDS = {"Namespace": "namespaces", "LocalQueue": "local_queues", "JobSet": "training_runs"}


class PartEntry(Struct, frozen=True):
    """A part as its component needs it."""

    name: str
    kind: str
    layer: int
    renamed_from: str
    also_renamed_from: tuple[str, ...] = ()

    @property
    def former_names(self) -> tuple[str, ...]:
        """Every name that the part had, the first one first."""
        return (*([self.renamed_from] if self.renamed_from else []), *self.also_renamed_from)


class ClusterEntry(Struct, frozen=True):
    """How the cluster is reached: by reference, never with credentials."""

    kubeconfig_file: str
    context: str
    identifier: str
    """Pins the provider to this cluster, so that another path to it replaces nothing."""


class RowSet(Struct, frozen=True):
    """Everything that the Pulumi program registers for one stack."""

    stack: str
    factory: str
    site: str
    plan_digest: str
    cluster: ClusterEntry
    parts: tuple[PartEntry, ...]
    rows: tuple[Row, ...]
    steps: Mapping[str, int]
    outputs: Mapping[str, Any]


def row_set(stack: Stack, plan_digest: str) -> RowSet:
    """The row set of an assembled stack."""
    plan = stack.plan
    kubeconfig = plan.place.cluster.kubeconfig
    return RowSet(
        stack=stack.name,
        factory=plan.factory,
        site=plan.place.site,
        plan_digest=plan_digest,
        cluster=ClusterEntry(kubeconfig.file, kubeconfig.context, f"{plan.factory}-{plan.place.site}"),
        parts=tuple(
            PartEntry(part.name, part.kind, part.part.layer, part.renamed_from, part.also_renamed_from)
            for part in plan.parts
        ),
        rows=stack.rows,
        steps=stack.steps,
        outputs=_outputs(stack, plan_digest),
    )


def to_data(rows: RowSet) -> dict[str, Any]:
    """The row set as JSON-like data."""
    return {
        "schema": SCHEMA,
        "stack": rows.stack,
        "factory": rows.factory,
        "site": rows.site,
        "plan_digest": rows.plan_digest,
        "cluster": {
            "kubeconfig_file": rows.cluster.kubeconfig_file,
            "context": rows.cluster.context,
            "identifier": rows.cluster.identifier,
        },
        "parts": [
            {
                "name": part.name,
                "kind": part.kind,
                "layer": part.layer,
                "renamed_from": part.renamed_from,
                "also_renamed_from": list(part.also_renamed_from),
            }
            for part in rows.parts
        ],
        "rows": [encode(row, rows.steps[row.id]) for row in rows.rows],
        "outputs": encode_tree(dict(rows.outputs)),
    }


def from_data(data: Mapping[str, Any]) -> RowSet:
    """A row set from its data. Raises ValueError for another schema."""
    if data.get("schema") != SCHEMA:
        raise ValueError(f"these rows have schema {data.get('schema')!r}; this version reads {SCHEMA!r}")
    decoded = [decode(row) for row in data["rows"]]
    return RowSet(
        stack=data["stack"],
        factory=data["factory"],
        site=data["site"],
        plan_digest=data["plan_digest"],
        cluster=ClusterEntry(**data["cluster"]),
        parts=tuple(
            PartEntry(**{**part, "also_renamed_from": tuple(part.get("also_renamed_from", ()))})
            for part in data["parts"]
        ),
        rows=tuple(row for row, _ in decoded),
        steps={row.id: step for row, step in decoded},
        outputs=decode_tree(data["outputs"]),
    )


def _outputs(stack: Stack, plan_digest: str) -> dict[str, Any]:
    """What an operator, or another program, needs to know of a running stack. No secrets, nothing unknown."""
    found: dict[str, Any] = {"plan_digest": plan_digest, "releases": {}}
    found.update({name: {} for name in _OUTPUT_KINDS.values()})
    for row in stack.rows:
        if isinstance(row, HelmRow):
            found["releases"][f"{row.namespace}/{row.name}"] = Ref(row.id, "version")
        elif isinstance(row, KubernetesRow) and str(row.body["kind"]) in _OUTPUT_KINDS:
            key = f"{row.namespace}/{row.name}" if row.namespace else row.name
            found[_OUTPUT_KINDS[str(row.body["kind"])]][key] = Ref(row.id, "metadata.name")
    return found
