"""`apply.sh` of a generated folder makes the objects that `aifactory up` makes, in the order of the waves."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components import names
from support.proving.ground import Operators
from support.proving.tools import Missing, paths
from support.proving.yard import Yard

pytestmark = pytest.mark.engine
STACKS = ("training-roce-ams-colo1-platform", "inference-l4-muc-lab1-platform")
OF_A_RUN = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid", "ownerReferences")
OF_CONTROLLERS = ("pulumi.com/", "pv.kubernetes.io/", "volume.kubernetes.io/", "volume.beta.kubernetes.io/")
"""Notes that others write on an object. A claim has its provisioner's only if its volume came a moment later."""


@pytest.mark.parametrize("name", STACKS)
def test_the_script_makes_what_up_makes(yards: Any, name: str) -> None:
    yard: Yard = yards(name)
    with Operators(yard.plane.api):
        yard.data("up", "--yes")
        deployed = ours(yard)
        assert len(deployed) == len(yard.cluster_rows()) - len(yard.releases())
        releases = [(one["namespace"], one["name"], one["chart"]) for one in yard.helm_releases()]
        yard.data("destroy", "--yes", *(word for row in yard.protected() for word in ("--remove-protected", row)))
        assert ours(yard) == {}
        out = yard.root / "out"
        assert yard.run("generate", "--out", str(out)).returncode == 0
        ran = yard.call(
            ["bash", str(out / name / "apply.sh")],
            {"KUBECONFIG": str(yard.kubeconfig), "PATH": f"{tools(yard)}:/usr/bin:/bin"},
            out / name,
        )
        assert ran.returncode == 0, ran.stdout[-3_000:] + ran.stderr[-3_000:]
    assert ours(yard) == deployed
    assert [(one["namespace"], one["name"], one["chart"]) for one in yard.helm_releases()] == releases


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
        if wanted <= labels.items() and not body["metadata"].get("ownerReferences"):
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
