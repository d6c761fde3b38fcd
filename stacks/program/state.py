"""What a stack's state holds, in terms of rows. Read without the blueprint: it may have changed since."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from msgspec import Struct

from aifactory.components.names import HELM_RELEASE_TOKEN
from aifactory.stacks.program.identity import CLOUD_PROVIDER_TYPES, PROVIDER_TYPE, is_of_cloud, row_of


class StateRow(Struct, frozen=True):
    """A row as the state has it."""

    urn: str
    row: str
    """Identity of the row, as `plan` prints it."""
    part: str
    protected: bool
    kept: bool
    """Whether its object stays in the cluster when it leaves the stack."""
    id: str = ""
    """What a cloud calls it; empty for a row of a cluster."""

    @property
    def token(self) -> str:
        """Its Pulumi type token."""
        return self.urn.split("::")[2].rpartition("$")[2]


class StateRelease(Struct, frozen=True):
    """A Helm release as the state has it."""

    row: str
    part: str
    namespace: str
    name: str
    chart: str
    """Name of the chart, without the registry that it comes from."""
    version: str


def state_rows(resources: Iterable[Mapping[str, Any]]) -> list[StateRow]:
    """The rows among the resources of a state: no components or providers, no leftovers of a replacement."""
    found = []
    for resource in resources:
        urn = str(resource["urn"])
        named = row_of(urn)
        if named is not None and not resource.get("delete"):
            part, row = named
            protected, kept = bool(resource.get("protect")), bool(resource.get("retainOnDelete"))
            cloud_id = str(resource.get("id") or "") if is_of_cloud(resource) else ""
            found.append(StateRow(urn, row, part, protected, kept, cloud_id))
    return found


def let_go(exported: Mapping[str, Any], urns: Collection[str]) -> dict[str, Any]:
    """An exported state in which these resources may be removed or replaced, and their objects with them."""
    deployment = exported["deployment"]
    resources = [
        {**one, "protect": False, "retainOnDelete": False} if one["urn"] in urns else one
        for one in deployment.get("resources") or []
    ]
    return {**exported, "deployment": {**deployment, "resources": resources}}


def state_releases(resources: Iterable[Mapping[str, Any]]) -> list[StateRelease]:
    """The Helm releases among the resources of a state, with chart and version as they were sent."""
    found = []
    for resource in resources:
        named = row_of(str(resource["urn"])) if resource.get("type") == HELM_RELEASE_TOKEN else None
        if named is not None and not resource.get("delete"):
            inputs = resource.get("inputs") or {}
            words = {name: str(inputs.get(name) or "") for name in ("namespace", "name", "version")}
            found.append(
                StateRelease(named[1], named[0], chart=str(inputs.get("chart") or "").rpartition("/")[2], **words)
            )
    return found


def protection(resources: Iterable[Mapping[str, Any]], urns: Collection[str]) -> list[dict[str, Any]]:
    """How these resources are protected now."""
    keys = ("protect", "retainOnDelete")
    return [{"urn": one["urn"], **{key: bool(one.get(key)) for key in keys}} for one in resources if one["urn"] in urns]


def protected_again(exported: Mapping[str, Any], before: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """An exported state in which resources that are still there have the protection that they had before."""
    flags = {str(one["urn"]): {key: value for key, value in one.items() if key != "urn" and value} for one in before}
    deployment = exported["deployment"]
    resources = [{**one, **flags.get(str(one["urn"]), {})} for one in deployment.get("resources") or []]
    return {**exported, "deployment": {**deployment, "resources": resources}}


def provider_resources(resources: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The providers among the resources of a state."""
    return [resource for resource in resources if resource.get("type") == PROVIDER_TYPE]


def reaching(resources: Iterable[Mapping[str, Any]], kubeconfig: str) -> list[dict[str, Any]]:
    """The same resources with providers that read this kubeconfig: the one they name may be on another machine."""
    found = []
    for one in resources:
        if one.get("type") == PROVIDER_TYPE:
            settings = {key: {**(one.get(key) or {}), "kubeconfig": kubeconfig} for key in ("inputs", "outputs")}
            found.append({**one, **settings})
        else:
            found.append(dict(one))
    return found


def reached_by(exported: Mapping[str, Any], kubeconfig: str) -> dict[str, Any]:
    """An exported state whose provider reads this kubeconfig; as it was, without one."""
    if not kubeconfig:
        return dict(exported)
    deployment = exported["deployment"]
    resources = reaching(deployment.get("resources") or [], kubeconfig)
    return {**exported, "deployment": {**deployment, "resources": resources}}


def region_of(resources: Iterable[Mapping[str, Any]]) -> str:
    """Region of the cloud that a base works in; empty for a platform."""
    kinds = set(CLOUD_PROVIDER_TYPES.values())
    found = (str((one.get("inputs") or {}).get("region", "")) for one in resources if one.get("type") in kinds)
    return next(found, "")


def provider_inputs(resources: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """How the state says that the cluster is reached; empty if it says nothing."""
    return next((dict(provider.get("inputs") or {}) for provider in provider_resources(resources)), {})
