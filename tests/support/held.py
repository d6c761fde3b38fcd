"""A small stack that was removed, and objects that it may have left."""

from __future__ import annotations

from typing import Any

from aifactory.components import names
from aifactory.components.catalog import Catalog
from aifactory.stacks.live.ours import Held, HeldRelease, HeldRow, Stays, definitions_of

FACTORY, SITE = "demo", "lab"
LABELS = names.labels(FACTORY, SITE, "teams")


def held(stays: dict[str, Stays] | None = None, *, version: str = "0.19.2") -> Held:
    """A namespace, a queue, a claim, and the release kueue; `stays` says why a row does."""
    why = stays or {}
    ids = {
        "Namespace/research": "cluster",
        "Namespace/kueue-system": "cluster",
        "ClusterQueue.kueue.x-k8s.io/teams": "teams",
        "PersistentVolumeClaim/research/data": "train",
        "Release/kueue-system/kueue": "cluster",
    }
    rows = {row: HeldRow(row, part, why.get(row, "")) for row, part in ids.items()}
    stay = why.get("Release/kueue-system/kueue", "")
    release = HeldRelease("kueue-system", "kueue", "kueue", version, "cluster", stay)
    return Held(FACTORY, SITE, rows, (release,), definitions_of(Catalog.shipped(), [release]))


def thing(version: str, kind: str, name: str, namespace: str = "", **metadata: Any) -> dict[str, Any]:
    """An object with nothing but metadata."""
    space = {"namespace": namespace} if namespace else {}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **space, **metadata}}


def definition(name: str, **metadata: Any) -> dict[str, Any]:
    """A definition, as `plural.group`, that came with a chart."""
    metadata.setdefault("managedFields", [{"manager": "helm", "operation": "Update"}])
    plural, _, group = name.partition(".")
    spec = {
        "group": group,
        "names": {"plural": plural},
        "versions": [
            {"name": "v1beta1", "served": True, "storage": False},
            {"name": "v1beta2", "served": True, "storage": True},
        ],
    }
    return {**thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", name, **metadata), "spec": spec}
