"""Gatekeeper is real: its templates decide which pods a control plane takes."""

from __future__ import annotations

from typing import Any

import pytest

from support.proving.api import Refused
from support.proving.control_plane import ControlPlane
from support.proving.gatekeeper import start_gatekeeper
from support.proving.tools import Missing

pytestmark = pytest.mark.cluster
RULE = """\
package fewgpus

violation contains {"msg": msg} if {
	some container in input.review.object.spec.containers
	asked := to_number(container.resources.limits["nvidia.com/gpu"])
	asked > input.parameters.most
	msg := sprintf("%d GPUs asked, %d allowed", [asked, input.parameters.most])
}
"""
PARAMETERS = {"type": "object", "properties": {"most": {"type": "integer"}}}
TARGET = {
    "target": "admission.k8s.gatekeeper.sh",
    "code": [{"engine": "Rego", "source": {"version": "v1", "rego": RULE}}],
}
TEMPLATE = {
    "apiVersion": "templates.gatekeeper.sh/v1",
    "kind": "ConstraintTemplate",
    "metadata": {"name": "fewgpus"},
    "spec": {
        "crd": {"spec": {"names": {"kind": "FewGpus"}, "validation": {"openAPIV3Schema": PARAMETERS}}},
        "targets": [TARGET],
    },
}
CONSTRAINT = {
    "apiVersion": "constraints.gatekeeper.sh/v1beta1",
    "kind": "FewGpus",
    "metadata": {"name": "two-at-most"},
    "spec": {"match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}, "parameters": {"most": 2}},
}


@pytest.fixture
def guarded(plane: ControlPlane) -> ControlPlane:
    """A control plane with Gatekeeper."""
    try:
        start_gatekeeper(plane)
    except Missing as missing:
        pytest.skip(str(missing))
    return plane


def pod(name: str, gpus: int) -> dict[str, Any]:
    container = {"name": "c", "image": "example.com/none", "resources": {"limits": {"nvidia.com/gpu": gpus}}}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


def applied(plane: ControlPlane, body: dict[str, Any]) -> bool:
    """Whether an object is taken; not while its kind isn't there."""
    try:
        plane.api.apply(body)
    except Refused as refused:
        if refused.code == 404:
            return False
        raise
    return True


def is_enforced(plane: ControlPlane) -> bool:
    """Whether the manager says of itself that it holds the constraint."""
    reports = (plane.api.get(CONSTRAINT).get("status") or {}).get("byPod") or []
    return any(each.get("enforced") and "webhook" in each["operations"] for each in reports)


def test_a_template_in_rego_v1_decides_which_pods_come_in(guarded: ControlPlane) -> None:
    guarded.api.apply(pod("before", 8))
    guarded.api.apply(TEMPLATE)
    guarded.wait(lambda: applied(guarded, CONSTRAINT), "the template makes a kind")
    guarded.wait(lambda: is_enforced(guarded), "the constraint is enforced")
    with pytest.raises(Refused) as refused:
        guarded.api.apply(pod("many", 8))
    assert refused.value.code == 403
    assert "[two-at-most] 8 GPUs asked, 2 allowed" in refused.value.says
    assert guarded.api.get(pod("many", 8)) is None
    guarded.api.apply(pod("few", 2))
    assert guarded.api.get(pod("few", 2)) is not None
    server = guarded.servers["gatekeeper"]
    assert server.alive
    guarded.__exit__()
    assert not server.alive
