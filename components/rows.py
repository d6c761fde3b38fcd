"""Rows: one plain record per thing to exist. Every consumer reads these and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Literal

from msgspec import Struct, field

from aifactory.components import names
from aifactory.components.values import Ref

Tree = dict[str, object]


class Wave(StrEnum):
    """When a row is installed. Fixed names in fixed order; they enter no identity.

    Source: facts on the order of installation, kept in docs/decisions/0005-waves-and-steps.md.
    """

    FOUNDATION = "00-foundation"
    CRDS = "01-crds"
    TRUST = "02-trust"
    ADMISSION = "03-admission"
    TELEMETRY = "04-telemetry"
    HARDWARE = "05-hardware"
    SCHEDULING = "06-scheduling"
    SCALING = "07-scaling"
    GATEWAY = "08-gateway"
    SERVING = "09-serving"
    WORKLOADS = "10-workloads"
    PORTALS = "11-portals"
    ENFORCEMENT = "12-enforcement"


class Gate(Struct, frozen=True):
    """What must be true of a row before its readers may start.

    `condition` is a condition type that must be True (`Ready`), or `path` a JSON path below the object
    (`.status.state`) that must equal `value`. `timeout_s` is in seconds.
    """

    condition: str = ""
    path: str = ""
    value: str = ""
    timeout_s: int = 600


class KubernetesRow(Struct, frozen=True):
    """A Kubernetes object as it is sent to the API server."""

    id: str
    part: str
    wave: Wave
    body: Tree
    after: tuple[str, ...] = ()
    gate: Gate | None = None
    protect: bool = False
    retain_on_delete: bool = False
    timeout_s: int = 0
    override: str = ""

    @property
    def namespace(self) -> str:
        """Namespace of the object, empty when it is cluster-scoped."""
        return str(_metadata(self.body).get("namespace", ""))

    @property
    def name(self) -> str:
        """Name of the object."""
        return str(_metadata(self.body)["name"])

    @property
    def token(self) -> str:
        """Pulumi type token of the object."""
        return names.kubernetes_token(str(self.body["apiVersion"]), str(self.body["kind"]))


class HelmRow(Struct, frozen=True):
    """A Helm release. Its CRDs come as `crds` says; its custom resources are rows of their own."""

    id: str
    part: str
    wave: Wave
    name: str
    namespace: str
    chart: str
    repository: str
    version: str
    values: Tree
    crds: tuple[str, ...] = ()
    """CRDs that arrive with it, as `plural.group`."""
    provides: tuple[str, ...] = ()
    """Capabilities it provides."""
    after: tuple[str, ...] = ()
    protect: bool = False
    retain_on_delete: bool = False
    timeout_s: int = 900
    override: str = ""
    gate: None = None

    @property
    def token(self) -> str:
        """Pulumi type token of a release."""
        return names.HELM_RELEASE_TOKEN


class HostRow(Struct, frozen=True):
    """A file on hosts outside Kubernetes, such as kernel arguments; applied by the operator before wave 05."""

    id: str
    part: str
    hosts: tuple[str, ...]
    path: str
    content: str
    why: str
    reboot: bool = False
    after: tuple[str, ...] = ()
    wave: Wave = Wave.HARDWARE
    override: str = ""


class SwitchRow(Struct, frozen=True):
    """The settings of one switch that the fabric relies on, in the form its operating system reads."""

    id: str
    part: str
    switch: str
    system: Literal["cumulus", "sonic", "eos", "nxos"]
    content: str
    why: str
    after: tuple[str, ...] = ()
    wave: Wave = Wave.HARDWARE
    override: str = ""


class CloudRow(Struct, frozen=True):
    """A resource of a cloud, as its Pulumi provider takes it; belongs to the base layer of a place."""

    id: str
    part: str
    token: str
    """Pulumi type token, such as `aws:ec2/vpc:Vpc`."""
    name: str
    """Unique among the stack's rows of this token; in what Pulumi knows the resource by, so forever."""
    properties: Tree
    """Inputs by wire name (camel case), in the algebra of values."""
    wave: Wave = Wave.FOUNDATION
    after: tuple[str, ...] = ()
    protect: bool = False
    retain_on_delete: bool = False
    timeout_s: int = 0
    override: str = ""
    gate: None = None

    def output(self, path: str) -> Ref:
        """One of its outputs, such as `arn` or `vpcConfig.vpcId`."""
        return Ref(self.id, path)


Row = KubernetesRow | HelmRow | CloudRow | HostRow | SwitchRow
ClusterRow = KubernetesRow | HelmRow
"""The rows that exist inside a cluster."""
ResourceRow = KubernetesRow | HelmRow | CloudRow
"""The rows that become Pulumi resources; the others are files that people apply."""


class Maker(Struct, frozen=True):
    """Makes the rows of one part at one site, with the labels and identity they all share."""

    factory: str
    site: str
    part: str
    wave: Wave
    extra_labels: Mapping[str, str] = field(default_factory=dict)
    identity: str = ""
    """The name that the part had first, empty when it has it still."""

    def labels(self) -> dict[str, str]:
        """The labels of this part's objects."""
        return {**names.labels(self.factory, self.site, self.part), **self.extra_labels}

    def pod_labels(self) -> dict[str, str]:
        """The labels of this part's pods, which no rename changes: the template of a Job can't be changed."""
        return {**names.labels(self.factory, self.site, self.identity or self.part), **self.extra_labels}

    def kubernetes(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str = "",
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        spec: object = None,
        after: Iterable[str] = (),
        wave: Wave | None = None,
        gate: Gate | None = None,
        protect: bool = False,
        retain_on_delete: bool = False,
        timeout_s: int = 0,
    ) -> KubernetesRow:
        """One object. `spec` is its `.spec`; `body` holds other top-level fields, such as `data`."""
        metadata: Tree = {"name": name}
        if namespace:
            metadata["namespace"] = namespace
        metadata["labels"] = {**self.labels(), **(labels or {})}
        if annotations:
            metadata["annotations"] = dict(annotations)
        tree: Tree = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **(body or {})}
        if spec is not None:
            tree["spec"] = spec
        return KubernetesRow(
            id=names.object_id(api_version, kind, namespace, name),
            part=self.part,
            wave=wave or self.wave,
            body=tree,
            after=tuple(after),
            gate=gate,
            protect=protect,
            retain_on_delete=retain_on_delete,
            timeout_s=timeout_s,
        )

    def cloud(
        self,
        token: str,
        name: str,
        properties: Mapping[str, object],
        *,
        after: Iterable[str] = (),
        wave: Wave = Wave.FOUNDATION,
        protect: bool = False,
        retain_on_delete: bool = False,
        timeout_s: int = 0,
    ) -> CloudRow:
        """One resource of a cloud. `name` must be unique among the stack's rows of this token."""
        return CloudRow(
            id=names.cloud_id(token, name),
            part=self.part,
            token=token,
            name=name,
            properties=dict(properties),
            wave=wave,
            after=tuple(after),
            protect=protect,
            retain_on_delete=retain_on_delete,
            timeout_s=timeout_s,
        )


def capability(name: str) -> str:
    """In a row's `after`: whatever provides this capability at the site. Nothing to wait for when it is given."""
    return f"capability:{name}"


def _metadata(body: Tree) -> Tree:
    metadata = body["metadata"]
    assert isinstance(metadata, dict)  # noqa: S101 - Maker and the loader of rows both make it so
    return metadata
