"""Deletes the resource definitions of removed releases, once nothing uses them."""

from __future__ import annotations

from typing import Any

from aifactory.stacks.live.cluster import Cluster, Thing
from aifactory.stacks.live.connection import METADATA_LIST, Declined
from aifactory.stacks.live.deleting import delete
from aifactory.stacks.live.ours import RELEASE_NAME, RELEASE_NAMESPACE, Held

VERSION = "apiextensions.k8s.io/v1"
_OURS = ("helm", "pulumi")


def delete_unused(cluster: Cluster, held: Held) -> list[str]:
    """Delete the CRDs of releases that are gone, if no object of theirs exists. Returns those deleted, as
    `plural.group`.

    Each is looked at again just before: an object made meanwhile keeps it. The deletion names the uid and version
    that were looked at, so that another definition of that name, or a changed one, stays.
    """
    kind = cluster.kind(VERSION, "CustomResourceDefinition")
    deleted: list[str] = []
    if kind is None:
        return deleted
    for name, release in sorted(held.definitions.items()):
        if release.stays not in ("", "kept"):
            continue
        found = cluster.object(kind, "", name)
        if found is None or found["metadata"].get("deletionTimestamp") or _is_foreign(found, held):
            continue
        if _is_used(cluster, found):
            continue
        if delete(cluster, Thing(kind, found["metadata"]), unchanged=True):
            deleted.append(name)
    return deleted


def _is_foreign(found: dict[str, Any], held: Held) -> bool:
    """Whether it came with anything but a release that the stack held.

    Helm marks what it renders. Files of a chart's crds/ folder it leaves unmarked: of those the field manager tells,
    which is Helm's, or that of Pulumi's provider, in whose process Helm runs.
    """
    metadata = found["metadata"]
    annotations: dict[str, str] = metadata.get("annotations") or {}
    name, namespace = annotations.get(RELEASE_NAME, ""), annotations.get(RELEASE_NAMESPACE, "")
    if name:
        return held.release(namespace, name) is None
    managers = [str(each.get("manager", "")).lower() for each in metadata.get("managedFields") or []]
    return not any(manager.startswith(_OURS) for manager in managers)


def _is_used(cluster: Cluster, found: dict[str, Any]) -> bool:
    """Whether an object of its kind exists. Also if that can't be known.

    The stored version is asked: no webhook of a release that is gone has to convert it.
    """
    spec = found["spec"]
    served = [version for version in spec["versions"] if version.get("served")]
    served.sort(key=lambda version: not version.get("storage"))
    if not served:
        return True
    path = f"/apis/{spec['group']}/{served[0]['name']}/{spec['names']['plural']}"
    try:
        page = cluster.connection.call("GET", path, {"limit": "1"}, accept=METADATA_LIST)
    except Declined:
        return True
    return bool(page.get("items"))
