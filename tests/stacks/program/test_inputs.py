"""What is sent for a row, and for the provider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.rows import Gate, KubernetesRow, Wave
from aifactory.components.values import Ref
from aifactory.stacks.assembly.rowset import ClusterEntry
from aifactory.stacks.program.inputs import (
    inputs,
    kubeconfig_path,
    plugin_version,
    provider_inputs,
    timeouts,
    wait_for,
)
from support.made_up import CLAIM, NAMESPACE, POLICY, RELEASE
from support.recorder import resolved

CLUSTER = ClusterEntry("~/.kube/config", "lab", "demo-lab")


def resolve(ref: Ref) -> str:
    return f"<{ref.row}>"


def test_the_provider_gets_a_path_a_context_and_what_pins_it() -> None:
    assert provider_inputs(CLUSTER, "", Path("/project")) == {
        "clusterIdentifier": "demo-lab",
        "context": "lab",
        "enableConfigMapMutable": "true",
        "enablePatchForce": "true",
        "kubeconfig": "~/.kube/config",
    }


def test_the_ambient_kubeconfig_is_never_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ambient = tmp_path / "config"
    ambient.write_text("users: [{name: admin, user: {token: canary-token}}]")
    monkeypatch.setenv("KUBECONFIG", str(ambient))
    assert provider_inputs(CLUSTER, "", Path("/project"))["kubeconfig"] == "~/.kube/config"
    sent = provider_inputs(replace(CLUSTER, kubeconfig_file=str(ambient)), "", Path("/project"))
    assert "canary-token" not in str(sent)


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("~/.kube/config", "~/.kube/config"),
        ("clusters/lab.yaml", "/project/clusters/lab.yaml"),
        ("/etc/lab.yaml", "/etc/lab.yaml"),
    ],
)
def test_a_kubeconfig_path_counts_from_the_project(file: str, path: str) -> None:
    assert kubeconfig_path(file, Path("/project")) == path


def test_a_kubeconfig_given_on_this_machine_stands_in_for_the_sites() -> None:
    assert provider_inputs(CLUSTER, "/ci/kubeconfig", Path("/project"))["kubeconfig"] == "/ci/kubeconfig"


@pytest.mark.parametrize(
    ("gate", "text"),
    [
        (Gate(condition="Ready"), "condition=Ready"),
        (Gate(path=".status.state", value="ready"), "jsonpath={.status.state}=ready"),
    ],
)
def test_a_gate_is_what_the_provider_waits_for(gate: Gate, text: str) -> None:
    assert wait_for(gate) == text


def test_an_object_is_sent_whole_with_its_gate_beside_its_annotations() -> None:
    sent = resolved(lambda: inputs(POLICY, resolve))
    assert sent["metadata"]["annotations"] == {
        "example.com/kept": "yes",
        "pulumi.com/waitFor": "jsonpath={.status.state}=ready",
    }
    assert sent["apiVersion"] == "example.com/v1"
    assert sent["spec"]["namespace"] == "<Namespace/ml>"
    assert "annotations" in POLICY.body["metadata"]  # type: ignore[operator]  # it is a map
    assert "pulumi.com/waitFor" not in str(POLICY.body)


def test_an_object_without_a_gate_is_sent_as_it_is() -> None:
    assert inputs(NAMESPACE, resolve) is NAMESPACE.body


def test_nothing_without_a_gate_is_awaited_for_its_pods() -> None:
    """A Service whose pods come after it would never be there, and neither would they."""
    for kind in ("Service", "DaemonSet", "Deployment"):
        row = KubernetesRow("x", "ml", Wave.FOUNDATION, {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}})
        assert inputs(row, resolve)["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}


def test_a_release_of_an_oci_registry_is_named_by_its_reference() -> None:
    assert inputs(RELEASE, resolve) == {
        "chart": "oci://registry.example.com/charts/operator",
        "cleanupOnFail": True,
        "compat": "true",
        "maxHistory": 10,
        "name": "operator",
        "namespace": "ml",
        "timeout": 300,
        "values": {"replicas": 2, "watch": ["<Namespace/ml>"], "nested": {"on": True}},
        "version": "1.2.3",
    }


def test_a_release_of_a_repository_names_it() -> None:
    sent = inputs(replace(RELEASE, repository="https://charts.example.com"), resolve)
    assert sent["chart"] == "operator"
    assert sent["repositoryOpts"] == {"repo": "https://charts.example.com"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (NAMESPACE, None),
        (RELEASE, None),
        (POLICY, ("1200s", "1200s", None)),
        (CLAIM, ("90s", "90s", "90s")),
        (replace(CLAIM, gate=None), ("90s", "90s", "90s")),
    ],
)
def test_the_longer_of_gate_and_row_is_waited_for(row: Any, expected: object) -> None:
    found = timeouts(row)
    assert (found and (found.create, found.update, found.delete)) == expected


def test_the_version_of_the_plugin_is_that_of_the_installed_sdk() -> None:
    import json

    import pulumi_kubernetes

    described = Path(pulumi_kubernetes.__file__).parent / "pulumi-plugin.json"
    assert plugin_version() == json.loads(described.read_text())["version"]
