"""`apply.sh` of a generated folder, and the objects that it or `aifactory up` made."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from aifactory.components import names
from support.proving.tools import Missing, paths
from support.proving.yard import Yard

OF_A_RUN = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid", "ownerReferences")
OF_CONTROLLERS = ("pulumi.com/", "pv.kubernetes.io/", "volume.kubernetes.io/", "volume.beta.kubernetes.io/")
"""Notes that others write on an object. A claim has its provisioner's only if its volume came a moment later."""


def run_script(yard: Yard) -> subprocess.CompletedProcess[str]:
    """A run of the script of the generated folder, with kubectl and helm on PATH, and little else."""
    folder = yard.root / "out" / yard.name
    environment = {"KUBECONFIG": str(yard.kubeconfig), "PATH": f"{tools(yard)}:/usr/bin:/bin"}
    return yard.call(["bash", str(folder / "apply.sh")], environment, folder)


def tools(yard: Yard) -> str:
    """A folder with kubectl, and helm that takes charts from a folder."""
    try:
        kubectl = paths("kubectl")["kubectl"]
    except Missing as missing:
        pytest.skip(str(missing))
    folder = yard.script_tools()
    (folder / "kubectl").symlink_to(kubectl)
    return str(folder)


def ours(yard: Yard) -> dict[str, Any]:
    """Objects with the labels of the factory, without what differs from run to run."""
    labels = names.labels(yard.stack.plan.factory, yard.site, "")
    wanted = {key: value for key, value in labels.items() if value}.items()
    found = {}
    for name, body in yard.plane.api.all().items():
        labels = body["metadata"].get("labels") or {}
        # Endpoints are a controller's copy of a Service, with its labels and no owner.
        copy = body["metadata"].get("ownerReferences") or name.startswith("Endpoints.")
        if wanted <= labels.items() and not copy:
            found[name] = _lasting(body)
    return found


def _lasting(body: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in body["metadata"].items() if key not in OF_A_RUN}
    notes = metadata.pop("annotations", {})
    kept = {key: value for key, value in notes.items() if not key.startswith(OF_CONTROLLERS)}
    spec = body.get("spec") or {}
    left = {key: value for key, value in body.items() if key not in ("metadata", "status", "spec")}
    volatile = ("clusterIP", "clusterIPs", "volumeName")
    spec = {key: value for key, value in spec.items() if key not in volatile}
    found: dict[str, Any] = _without_uids({**left, "metadata": {**metadata, "annotations": kept}, "spec": spec})
    return found


def _without_uids(tree: Any) -> Any:
    """Without the labels by which a Job finds its pods."""
    if isinstance(tree, dict):
        return {key: _without_uids(value) for key, value in tree.items() if not key.endswith("controller-uid")}
    return [_without_uids(each) for each in tree] if isinstance(tree, list) else tree
