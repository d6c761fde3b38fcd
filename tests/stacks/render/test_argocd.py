"""Applications of Argo CD: they hold every row once, in the order of the steps, and fit its schema."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any

import pytest
import yaml

from aifactory.components.rows import Gate, HelmRow, KubernetesRow, Row, Wave
from aifactory.stacks.assembly.handing import placeholder
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.argocd import argocd_files
from aifactory.stacks.render.manifests import steps
from support import shipped
from support.planning import place
from support.schemas import Schemas
from support.stacking import MAKE, release, stack_of

DELIVERY = {"url": "https://git.example.com/x.git", "path": "some/where"}
WAVE = "argocd.argoproj.io/sync-wave"


AT_AWS = [name for name in shipped.PLATFORMS if name.removesuffix("-platform") + "-base" in shipped.STACKS]
"""Platforms whose base we make: their files hold placeholders."""
DELIVERED = [name for name in shipped.PLATFORMS if name not in AT_AWS]


def documents(stack: Stack) -> dict[str, dict[str, Any]]:
    return {path: yaml.safe_load(text) for path, text in argocd_files(stack, steps(stack))}


def delivered(*rows: Row, **delivery: str) -> dict[str, dict[str, Any]]:
    return documents(stack_of(*rows, at=place(delivery={**DELIVERY, **delivery})))


def applications(found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [found[path] for path in sorted(found) if path.startswith("argocd/apps/")]


def test_a_site_without_delivery_has_none() -> None:
    assert documents(stack_of(MAKE.kubernetes("v1", "ConfigMap", "a"))) == {}


def test_the_root_finds_the_applications_and_nothing_else() -> None:
    found = delivered(MAKE.kubernetes("v1", "ConfigMap", "a"), revision="v1.2", argocd_namespace="cd")
    root = found["argocd/root.yaml"]
    assert root["spec"]["source"] == {
        "repoURL": DELIVERY["url"],
        "targetRevision": "v1.2",
        "path": "some/where/demo-lab-platform/argocd/apps",
    }
    assert root["metadata"]["namespace"] == root["spec"]["destination"]["namespace"] == "cd"
    assert not [path for path in found if path.startswith("argocd/apps/") and found[path]["kind"] != "Application"]


@pytest.mark.parametrize(
    ("repository", "named"),
    [
        ("oci://registry.example.com/charts/", "registry.example.com/charts"),
        ("https://charts.example.com", "https://charts.example.com"),
    ],
)
def test_a_chart_is_named_as_argo_cd_takes_it(repository: str, named: str) -> None:
    (application,) = applications(delivered(release("op", repository=repository, values={"replicas": 2})))
    assert application["spec"]["source"] == {
        "repoURL": named,
        "chart": "op",
        "targetRevision": "1.2.3",
        "helm": {"releaseName": "op", "valuesObject": {"replicas": 2}},
    }
    assert application["spec"]["destination"]["namespace"] == "op"


@pytest.mark.parametrize("name", DELIVERED)
def test_every_row_is_in_one_application_in_the_order_of_the_steps(name: str) -> None:
    stack = shipped.stacks()[name]
    delivery = stack.plan.place.delivery
    assert delivery
    ordered = steps(stack)
    files = [step.path(part) for step in ordered for part, _ in step.objects]
    found: list[str] = []
    waves = []
    for application in applications(documents(stack)):
        waves.append(int(application["metadata"]["annotations"][WAVE]))
        source = application["spec"]["source"]
        if "chart" in source:
            found.append(source["helm"]["releaseName"])
            continue
        folder = source["path"].removeprefix(f"{delivery.path}/{name}/")
        patterns = source["directory"]["include"].strip("{}").split(",")
        found += [
            path
            for path in files
            if path.rpartition("/")[0] == folder and any(fnmatch(path.rpartition("/")[2], one) for one in patterns)
        ]
    assert found == [
        thing
        for step in ordered
        for thing in [*(row.name for row in step.releases), *(step.path(part) for part, _ in step.objects)]
    ]
    assert waves == sorted(set(waves))


def test_names_of_applications_differ_where_releases_share_a_name() -> None:
    found = applications(delivered(release("op", "a"), release("op", "b")))
    assert [one["metadata"]["name"] for one in found] == ["demo-lab-platform-a.op", "demo-lab-platform-b.op"]


def test_nothing_is_deleted_or_taken_back_by_itself() -> None:
    found = delivered(MAKE.kubernetes("v1", "ConfigMap", "a"), release("op"))
    for application in [found["argocd/root.yaml"], *applications(found)]:
        assert application["spec"]["syncPolicy"]["automated"] == {"prune": False, "selfHeal": False}
        assert "finalizers" not in application["metadata"]


def test_what_kueue_writes_is_no_difference() -> None:
    run = MAKE.kubernetes("jobset.x-k8s.io/v1alpha2", "JobSet", "run", "a")
    (application,) = applications(delivered(run))
    ignored = {"group": "jobset.x-k8s.io", "kind": "JobSet", "jsonPointers": ["/spec/suspend"]}
    assert application["spec"]["ignoreDifferences"] == [ignored]


def test_every_gate_of_a_custom_kind_is_a_health_check() -> None:
    found = delivered(
        MAKE.kubernetes("x.example.com/v1", "Driver", "a", gate=Gate(path=".status.state", value="ready")),
        MAKE.kubernetes("kueue.x-k8s.io/v1beta2", "ClusterQueue", "q", gate=Gate(condition="Active")),
        MAKE.kubernetes("batch/v1", "Job", "j", "a", gate=Gate(condition="Complete")),
        MAKE.kubernetes("admissionregistration.k8s.io/v1", "X", "x", gate=Gate(condition="Ready")),
        MAKE.kubernetes("x.example.com/v1", "Free", "f", wave=Wave.WORKLOADS),
    )
    checks = found["argocd/argocd-cm.yaml"]["data"]
    prefix = "resource.customizations.health."
    assert {key.removeprefix(prefix) for key in checks} == {
        "argoproj.io_Application",
        "kueue.x-k8s.io_ClusterQueue",
        "x.example.com_Driver",
    }
    assert 'ipairs({"status", "state"})' in checks[f"{prefix}x.example.com_Driver"]
    assert 'condition.type == "Active"' in checks[f"{prefix}kueue.x-k8s.io_ClusterQueue"]


@pytest.mark.schema
@pytest.mark.parametrize("name", DELIVERED)
def test_argo_cd_takes_every_document(name: str, schemas: Schemas) -> None:
    stack = shipped.stacks()[name]
    found = documents(stack)
    assert len(found) > 10
    assert {path: problems for path, one in found.items() if (problems := schemas.problems(one))} == {}
    assert any(isinstance(row, HelmRow) for row in stack.rows)
    assert any(isinstance(row, KubernetesRow) and row.gate for row in stack.rows)


@pytest.mark.parametrize("name", AT_AWS)
def test_no_placeholder_of_a_base_reaches_a_cluster_by_argo_cd(name: str) -> None:
    """Argo CD applies what is committed: where a file of the folder holds one, there is nothing to apply."""
    files = {path: content.decode() for path, content in shipped.files(name).items()}
    applied = {path: text for path, text in files.items() if path.startswith(("manifests/", "helm/", "argocd/"))}
    placeholders = {placeholder(ref) for ref in shipped.stacks()[name].handed}
    holding = [path for path, text in applied.items() if any(each in text for each in placeholders)]
    assert placeholders
    assert bool(holding) == bool(shipped.stacks()[name].awaited)
    assert not holding or not [path for path in applied if path.startswith("argocd/")]
    if holding and shipped.stacks()[name].plan.place.delivery:
        assert "There is no `argocd/` here" in files["README.md"]
        assert all(f"`{row}`" in files["README.md"] for row in shipped.stacks()[name].awaited)
        assert "for awaited in" in files["apply.sh"], "the script refuses to begin"


def test_a_folder_without_placeholders_is_delivered() -> None:
    stack = shipped.stacks()["training-roce-fra-dc1-platform"]
    assert not stack.awaited
    assert any(path.startswith("argocd/apps/") for path in shipped.files(stack.name))
