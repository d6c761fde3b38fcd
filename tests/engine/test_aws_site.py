"""A site at AWS, base and platform: made by one up, unchanged by the next, and removed so that nothing stays behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.lanes import STAND_IN
from support.proving.aws_controllers import BALANCER, VOLUME, Controllers
from support.proving.aws_yard import BASE, PLATFORM, AwsYard
from support.proving.control_plane import ControlPlane
from support.proving.tools import Missing
from support.schemas import Schemas

pytestmark = pytest.mark.engine
CLAIM = "PersistentVolumeClaim/team/data"


@pytest.fixture
def yard(plane: ControlPlane, schemas: Schemas, tmp_path: Path, request: pytest.FixtureRequest) -> AwsYard:
    """The site, with a cluster behind it."""
    try:
        made = AwsYard(tmp_path, plane, schemas)
    except Missing as missing:
        pytest.skip(str(missing))
    request.node.user_properties += [(STAND_IN, "pulumi-resource-aws"), (STAND_IN, "controllers of AWS")]
    status = {"cpu": "8", "memory": "32Gi", "pods": "110"}
    plane.add_nodes(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": f"system-{index}", "labels": {"kubernetes.io/hostname": f"system-{index}"}},
            "status": {"capacity": status, "allocatable": status},
        }
        for index in range(2)
    )
    return made


def team(plane: ControlPlane) -> None:
    """What a team of the cluster has made: a namespace with a Service that has a load balancer, and a claim."""
    storage = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "gp3"},
        "provisioner": "ebs.csi.aws.com",
    }
    metadata = {"namespace": "team"}
    for body in (
        storage,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "door", **metadata},
            "spec": {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb", "ports": [{"port": 443}]},
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", **metadata},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "gp3",
                "resources": {"requests": {"storage": "8Gi"}},
            },
        },
    ):
        plane.api.apply(body)


def test_a_site_goes_up_stays_and_goes_with_all_that_its_controllers_made(yard: AwsYard, plane: ControlPlane) -> None:
    foreseen = yard.data("preview")
    assert set(foreseen[BASE]["changes"]) == set(foreseen[PLATFORM]["changes"]) == {"create"}
    assert yard.account.things == []
    first = yard.data("up")
    assert list(first) == [BASE, PLATFORM]
    assert len([one for one in yard.account.log if one[0] == "create"]) == len(yard.base_rows)
    handoff = first[BASE]["outputs"]["handoff"]
    assert handoff["values"]["aws:eks/cluster:Cluster/cluster#endpoint"] == plane.api.url
    again = yard.data("up")
    assert [(one["changes"].keys(), one["rows"]) for one in again.values()] == [({"same"}, []), ({"same"}, [])]
    _folders_do_the_same(yard, handoff)
    with Controllers(plane.api, yard.account) as controllers:
        team(plane)
        made = (BALANCER, VOLUME)
        plane.wait(lambda: all(map(yard.account.of, made)), "controllers make what is asked")
        _, said = yard.run("destroy", code=1)
        assert f"{CLAIM} is not of this factory" in said
        assert f"--remove-protected {CLAIM}" in said
        assert "delete" not in dict(yard.account.log)
        assert len(yard.state(PLATFORM)) > 10, "nothing was removed"
        gone = yard.data("destroy", "--remove-protected", CLAIM)
        assert {stack: one["result"] for stack, one in gone.items()} == {PLATFORM: "succeeded", BASE: "succeeded"}
        assert not controllers.broken
    assert yard.account.things == []
    _in_reverse(yard)


def _folders_do_the_same(yard: AwsYard, handoff: Any) -> None:
    """Plain `pulumi` in the generated folders sees what the verbs made, by the file that the base's output fills."""
    out = yard.root / "out"
    yard.run("generate", "--out", str(out))
    printed = yard.pulumi(out / BASE, "stack", "output", "handoff", "--json", f"--stack={BASE}")
    assert json.loads(printed) == handoff
    (out / PLATFORM / "handoff.json").write_text(printed, encoding="utf-8")
    yard.pulumi(out / PLATFORM, "preview", "--expect-no-changes", f"--stack={PLATFORM}")


def _in_reverse(yard: AwsYard) -> None:
    """No row went before one that waits for it. Rows of several kinds may have one name: the last one counts."""
    removed = [name.removeprefix("cluster/") for did, name in yard.account.log if did == "delete"]
    assert len(removed) == len(yard.base_rows)
    by_id = {row.id: row.name for row in yard.base_rows}
    for row in yard.base_rows:
        for name in {by_id[each] for each in row.after} - {row.name}:
            last = len(removed) - 1 - removed[::-1].index(name)
            assert removed.index(row.name) < last, (row.id, name, removed)
