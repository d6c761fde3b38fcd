"""On a cluster that others use nothing of theirs is touched; what stands in the way is said before anything is made."""

from __future__ import annotations

from typing import Any

import pytest

from support.proving.charts import write_chart
from support.proving.ground import Operators
from support.proving.yard import Edit, Yard

pytestmark = pytest.mark.engine
STACK = "training-roce-ams-colo1-platform"
GIVEN: Edit = (
    "sites/ams-colo1.yaml",
    "    node-feature-discovery:",
    "    gpu-operator: {version: v26.7.0}\n    node-feature-discovery:",
)
RELEASES = {"gpu-operator": "v26.7.0", "node-feature-discovery": "0.19.0", "cert-manager": "v1.21.1"}
"""What the cluster has already, as the site file says."""
OF_A_MOMENT = ("resourceVersion", "managedFields", "generation")
PASSED = ("Lease.", "Event.", "APIService.")
CLASS = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": "training-roce-control"},
    "value": 7,
}


def test_what_the_cluster_has_already_is_left_as_it_is(yards: Any) -> None:
    yard: Yard = yards(STACK, GIVEN)
    for name, version in RELEASES.items():
        install(yard, name, version)
    yard.plane.api.apply(rule("of-others"))
    before = lasting(yard)
    with Operators(yard.plane.api):
        told = yard.data("up", "--yes")
        made = {row["row"] for row in told["rows"]}
        assert not [row for row in made if row.startswith("Release/") and row.rpartition("/")[2] in RELEASES]
        assert changed(before, lasting(yard)) == {}
        named = [word for row in yard.protected() for word in ("--remove-protected", row)]
        yard.data("destroy", "--yes", *named)
    assert changed(before, lasting(yard)) == {}


def test_what_stands_in_the_way_is_said_before_anything_is_made(yards: Any) -> None:
    yard: Yard = yards(STACK)
    yard.plane.api.apply(CLASS)
    before = set(yard.plane.api.all())
    ran = yard.run("up", "--yes")
    assert ran.returncode == 1
    assert "PriorityClass.scheduling.k8s.io/training-roce-control exists and is not in the state" in ran.stderr
    assert "aifactory-proving made it" in ran.stderr
    assert "pulumi import kubernetes:scheduling.k8s.io/v1:PriorityClass" in ran.stderr
    assert set(yard.plane.api.all()) == before
    assert yard.resources() == []
    shown = yard.run("preview")
    assert shown.returncode == 0
    assert "warning: " in shown.stderr
    assert "training-roce-control" in shown.stderr


def test_a_plan_that_promises_more_than_its_nodes_fails_before_up(yards: Any) -> None:
    yard: Yard = yards(STACK)
    path = yard.root / "factory.yaml"
    path.write_text(path.read_text("utf-8").replace("pretrain_nodes: 2", "pretrain_nodes: 5"), encoding="utf-8")
    before = set(yard.plane.api.all())
    ran = yard.run("up", "--yes")
    assert ran.returncode == 1
    assert "pretrain" in ran.stderr
    assert "Nothing was written." in ran.stderr
    assert set(yard.plane.api.all()) == before


def install(yard: Yard, name: str, version: str) -> None:
    """A release of others, in the namespace of its own."""
    write_chart(yard.charts, name, version, (), [], yard.schemas)
    words = [str(yard.helm), "install", name, str(yard.charts / f"{name}-{version}"), f"--namespace={name}"]
    ran = yard.call([*words, "--create-namespace", "--wait=legacy", f"--kubeconfig={yard.kubeconfig}"])
    assert ran.returncode == 0, ran.stderr


def rule(name: str) -> dict[str, Any]:
    """A rule of node labels."""
    spec = {"rules": [{"name": "theirs", "labels": {"example.com/theirs": "yes"}}]}
    return {
        "apiVersion": "nfd.k8s-sigs.io/v1alpha1",
        "kind": "NodeFeatureRule",
        "metadata": {"name": name},
        "spec": spec,
    }


def lasting(yard: Yard) -> dict[str, Any]:
    """Every object of the cluster, without what changes by itself."""
    found = {}
    for name, body in yard.plane.api.all().items():
        if not name.startswith(PASSED):
            metadata = {key: value for key, value in body["metadata"].items() if key not in OF_A_MOMENT}
            found[name] = {**{key: value for key, value in body.items() if key != "status"}, "metadata": metadata}
    return found


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Objects of before that are another, or gone."""
    return {name: (body, after.get(name)) for name, body in before.items() if after.get(name) != body}
