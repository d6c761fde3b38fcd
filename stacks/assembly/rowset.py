"""A stack ready to be registered: its rows, its parts and the cluster they go to. The form of `rows.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, structs

from aifactory.components.names import Layer
from aifactory.components.offers import CloudOffer, ClusterAccessOffer
from aifactory.components.rows import HelmRow, KubernetesRow, Row
from aifactory.components.values import Ref
from aifactory.stacks.assembly.codec import decode, decode_tree, encode, encode_tree
from aifactory.stacks.assembly.handing import Handed, key, taken_in, tree_taken_in
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
    kubeconfig: Mapping[str, Any] | None = None
    """A whole kubeconfig, in the algebra of values: of a cluster that the base makes, with a command that signs in
    and no credentials. None where the site names a file."""


class CloudEntry(Struct, frozen=True):
    """The account and region that the base works in."""

    package: str
    account: str
    region: str


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
    layer: Layer = "platform"
    cloud: CloudEntry | None = None
    awaits: tuple[str, ...] = ()
    """Keys of what the base hands over, as long as it isn't taken in."""
    base_digest: str = ""
    """Digest of the rows of the base, in base and platform; empty where there is none."""

    def with_handed(self, handed: Handed) -> RowSet:
        """The platform with what its base hands over. Raises KeyError for the first that is missing."""
        for name in self.awaits:
            if name not in handed:
                raise KeyError(name)
        given = self.cluster.kubeconfig
        cluster = structs.replace(self.cluster, kubeconfig=tree_taken_in(given, handed)) if given else self.cluster
        return structs.replace(self, rows=tuple(taken_in(row, handed) for row in self.rows), cluster=cluster, awaits=())


HANDOFF = "handoff"
"""Output of a base that holds what its platform needs, as `stacks/program/handoff.py` reads it."""
HANDOFF_SCHEMA = "aifactory-handoff/v1"


def row_set(stack: Stack, plan_digest: str) -> RowSet:
    """The row set of an assembled stack."""
    plan = stack.plan
    kubeconfig = plan.place.cluster.kubeconfig
    made = plan.reached_by
    return RowSet(
        stack=stack.name,
        factory=plan.factory,
        site=plan.place.site,
        plan_digest=plan_digest,
        cluster=ClusterEntry(
            kubeconfig.file if made is None else "",
            kubeconfig.context if made is None else _CONTEXT,
            f"{plan.factory}-{plan.place.site}",
            _kubeconfig(made) if made is not None and stack.layer == "platform" else None,
        ),
        parts=tuple(
            PartEntry(part.name, part.kind, part.part.layer, part.renamed_from, part.also_renamed_from)
            for part in plan.parts
        ),
        rows=stack.rows,
        steps=stack.steps,
        outputs=_outputs(stack, plan_digest) if stack.layer == "platform" else _base_outputs(stack, plan_digest),
        layer=stack.layer,
        cloud=_cloud(plan.cloud) if stack.layer == "base" else None,
        awaits=tuple(key(ref) for ref in stack.handed) if stack.layer == "platform" else (),
        base_digest=stack.base_digest,
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
            **({"kubeconfig": encode_tree(rows.cluster.kubeconfig)} if rows.cluster.kubeconfig else {}),
        },
        **({"layer": rows.layer} if rows.layer != "platform" else {}),
        **({"cloud": {name: getattr(rows.cloud, name) for name in CloudEntry.__struct_fields__}} if rows.cloud else {}),
        **({"awaits": list(rows.awaits)} if rows.awaits else {}),
        **({"base_digest": rows.base_digest} if rows.base_digest else {}),
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
        cluster=ClusterEntry(**{name: decode_tree(value) for name, value in data["cluster"].items()}),
        parts=tuple(
            PartEntry(**{**part, "also_renamed_from": tuple(part.get("also_renamed_from", ()))})
            for part in data["parts"]
        ),
        rows=tuple(row for row, _ in decoded),
        steps={row.id: step for row, step in decoded},
        outputs=decode_tree(data["outputs"]),
        layer=data.get("layer", "platform"),
        cloud=CloudEntry(**data["cloud"]) if "cloud" in data else None,
        awaits=tuple(data.get("awaits", ())),
        base_digest=data.get("base_digest", ""),
    )


_CONTEXT = "aifactory"
"""Name of the one context of a kubeconfig that we make."""


def _kubeconfig(made: ClusterAccessOffer) -> dict[str, Any]:
    """A kubeconfig whose user signs in by a command, so that it holds no credentials and may lie in a state.

    Source: EKS user guide, "Create or update a kubeconfig file for an Amazon EKS cluster".
    """
    sign_in = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": ["eks", "get-token", "--output", "json", "--cluster-name", made.name, "--region", made.region],
        "interactiveMode": "Never",
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": _CONTEXT,
        "contexts": [{"name": _CONTEXT, "context": {"cluster": _CONTEXT, "user": _CONTEXT}}],
        "clusters": [
            {
                "name": _CONTEXT,
                "cluster": {"server": made.endpoint, "certificate-authority-data": made.authority},
            }
        ],
        "users": [{"name": _CONTEXT, "user": {"exec": sign_in}}],
    }


def _cloud(offer: CloudOffer | None) -> CloudEntry | None:
    return CloudEntry("aws", offer.account, offer.region) if offer is not None else None


def _base_outputs(stack: Stack, plan_digest: str) -> dict[str, Any]:
    """What the base hands to its platform. No secrets."""
    handoff = {
        "schema": HANDOFF_SCHEMA,
        "stack": stack.name,
        "base_digest": stack.base_digest,
        "values": {key(ref): ref for ref in stack.handed},
    }
    return {"plan_digest": plan_digest, HANDOFF: handoff}


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
