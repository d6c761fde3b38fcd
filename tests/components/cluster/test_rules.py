"""Planner rules of the cluster: each fires on what it forbids, and on nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.capabilities import NamespaceRequest, Requirement
from aifactory.components.cluster.plan import RULES
from aifactory.components.values import Json

GIVEN_VERSIONS = {
    "cert-manager": "v1.21.1",
    "node-feature-discovery": "0.19.0",
    "gpu-operator": "v26.7.0",
    "network-operator": "26.4.1",
    "kueue": "0.19.2",
    "jobset": "0.12.0",
    "metrics": "88.5.3",
}


def given(*names: str, **features: list[str]) -> dict[str, Any]:
    found = {name: {"version": GIVEN_VERSIONS[name]} for name in names}
    for name, listed in features.items():
        found[name.replace("_", "-")]["features"] = listed  # type: ignore[assignment]  # data of a site file
    return found


def need(capability: str, part: str = "pool", *, features: tuple[str, ...] = (), **values: Any) -> Requirement:
    return Requirement(capability, part, f"{part} uses it", values, features)


SHARED = {"access": ["ReadWriteMany"]}
ROOT = "/run/nvidia/driver"
NO_PLUGIN = need("gpu-operator", devicePlugin={"enabled": False})
GPUS_BY_DRA = [need("gpu-operator"), need("dra-driver-nvidia-gpu")]
COMPUTE_DOMAINS = [
    need("gpu-operator"),
    need("dra-driver-nvidia-gpu", resources={"gpus": {"enabled": False}}, nvidiaDriverRoot=ROOT),
]
SRIOV = [need("network-operator", "fabric", sriovNetworkOperator={"enabled": True})]
PLAIN_TEXT = need("kueue", "teams", managerConfig={"controllerManagerConfigYaml": "kind: Configuration"})
TEAM = NamespaceRequest("team", "teams", "a team", "privileged", tenant="team")


@pytest.mark.parametrize(
    ("rule", "fires", "holds"),
    [
        (
            "CLU-001",
            {"requirements": ["gpu-operator"], "version": "1.37"},
            {"requirements": ["gpu-operator"]},
        ),
        (
            "CLU-001",
            {"requirements": ["cert-manager"], "version": "1.32.9"},
            {"requirements": ["jobset"], "version": "1.31"},
        ),
        (
            "CLU-001",
            {
                "requirements": ["gpu-operator"],
                "version": "1.37",
                "provides": given("gpu-operator", "node-feature-discovery"),
            },
            {"requirements": ["gpu-operator"], "provides": given("gpu-operator", "node-feature-discovery")},
        ),
        (
            "CLU-002",
            {"provides": {"cert-manager": {"version": "v1.12.0"}}},
            {"provides": {"cert-manager": {"version": "v1.21.0"}}},
        ),
        (
            "CLU-002",
            {"provides": {"kueue": {"version": "0.17.0"}}},
            {"provides": {"kueue": {"version": "0.18.2"}}},
        ),
        (
            "CLU-003",
            {"requirements": [need("gpu-operator", nfd={"enabled": True})]},
            {"requirements": ["gpu-operator"]},
        ),
        (
            "CLU-003",
            {"requirements": ["gpu-operator", "node-feature-discovery"], "provides": given("gpu-operator")},
            {
                "requirements": ["gpu-operator", "node-feature-discovery"],
                "provides": given("gpu-operator", "node-feature-discovery"),
            },
        ),
        (
            "CLU-004",
            {"requirements": SRIOV, "provides": {"sriov-network-operator": {"version": "1.6.0"}}},
            {"requirements": SRIOV},
        ),
        ("CLU-005", {"requirements": GPUS_BY_DRA}, {"requirements": COMPUTE_DOMAINS}),
        (
            "CLU-005",
            {
                "requirements": ["dra-driver-nvidia-gpu", "gpu-operator"],
                "provides": given("gpu-operator", "node-feature-discovery"),
            },
            {
                "requirements": ["dra-driver-nvidia-gpu", "gpu-operator"],
                "provides": given("gpu-operator", "node-feature-discovery", gpu_operator=["dra-only"]),
            },
        ),
        (
            "CLU-005",
            {
                "requirements": ["gpu-operator"],
                "provides": {"dra-driver-nvidia-gpu": {"version": "0.4.1", "features": ["gpus"]}},
            },
            {
                "requirements": ["gpu-operator"],
                "provides": {"dra-driver-nvidia-gpu": {"version": "0.4.1"}},
            },
        ),
        (
            "CLU-006",
            {"requirements": [need("gpu-operator", gpuCluster={"deployCR": True})]},
            {"requirements": [need("gpu-operator", gpuCluster={"deployCR": True}, clusterPolicy={"deployCR": False})]},
        ),
        (
            "CLU-007",
            {"storage_classes": [{"name": name, **SHARED, "default": True} for name in ("nfs", "ceph")]},
            {"storage_classes": [{"name": "nfs", **SHARED, "default": True}, {"name": "ceph", **SHARED}]},
        ),
        (
            "CLU-014",
            {"storage_classes": []},
            {"storage_classes": [{"name": "nfs", **SHARED, "default": True}]},
        ),
        ("CLU-014", {"storage_classes": [{"name": "nfs", **SHARED}]}, {}),
        (
            "CLU-015",
            {"requirements": [need("gpu-operator", hostPaths={"driverInstallDir": "/"})]},
            {"requirements": [need("gpu-operator", hostPaths={"driverInstallDir": "/run/nvidia/driver"})]},
        ),
        (
            "CLU-015",
            {"requirements": [NO_PLUGIN, "dra-driver-nvidia-gpu"]},
            {"requirements": [NO_PLUGIN, need("dra-driver-nvidia-gpu", nvidiaDriverRoot=ROOT)]},
        ),
        (
            "CLU-015",
            {"requirements": [NO_PLUGIN, need("dra-driver-nvidia-gpu", nvidiaDriverRoot="/")]},
            {
                "requirements": [
                    need("gpu-operator", devicePlugin={"enabled": False}, driver={"enabled": False}),
                    need("dra-driver-nvidia-gpu", nvidiaDriverRoot="/"),
                ]
            },
        ),
        (
            "CLU-008",
            {"requirements": ["kueue"], "policy": {"webhook_replicas": 1}},
            {"requirements": ["kueue"]},
        ),
        (
            "CLU-008",
            {"requirements": ["jobset"], "policy": {"webhook_replicas": 1}},
            {"requirements": ["jobset"], "policy": {"webhook_replicas": 1}, "provides": given("jobset")},
        ),
        (
            "CLU-009",
            {"namespaces": [TEAM], "policy": {"namespaces": {"weakest_tenant_pod_security": "baseline"}}},
            {"namespaces": [TEAM]},
        ),
        (
            "CLU-010",
            {
                "requirements": [need("node-feature-discovery", features=("taints",))],
                "provides": given("node-feature-discovery"),
            },
            {
                "requirements": [need("node-feature-discovery", features=("taints",))],
                "provides": given("node-feature-discovery", node_feature_discovery=["taints"]),
            },
        ),
        (
            "CLU-011",
            {"namespaces": [NamespaceRequest("kube-system", "teams", "a team")]},
            {"namespaces": [NamespaceRequest("kubernetes-lab", "teams", "a team")]},
        ),
        ("CLU-011", {"namespaces": [NamespaceRequest("default", "teams", "a team")]}, {}),
        (
            "CLU-013",
            {"requirements": ["gateway-api"]},
            {"requirements": ["gateway-api"], "provides": {"gateway-api": {"version": "v1.6.1"}}},
        ),
        (
            "CLU-012",
            {"requirements": [PLAIN_TEXT]},
            {"requirements": [need("kueue", "teams", fullnameOverride="kueue")]},
        ),
        (
            "CLU-012",
            {"requirements": [need("kueue", "teams", enableCertManager=False)]},
            {
                "requirements": [
                    need(
                        "kueue",
                        "teams",
                        enableCertManager=False,
                        managerConfig={
                            "controllerManagerConfigYaml": Json({"internalCertManagement": {"enable": True}})
                        },
                    )
                ]
            },
        ),
    ],
)
def test_a_rule_fires_on_what_it_forbids_and_on_nothing_else(
    settle: Any, rule: str, fires: dict[str, Any], holds: dict[str, Any]
) -> None:
    level = next(known.level for known in RULES if known.id == rule)
    refused, passed = settle(**fires), settle(**holds)
    assert rule in refused.broken
    assert rule not in passed.broken
    assert passed.site_plan.evaluated[rule] >= 1 or rule == "CLU-002"
    assert (refused.plan is None) == (level == "error")
    assert passed.plan is not None


@pytest.mark.parametrize(
    ("site", "path", "hint"),
    [
        (
            {"requirements": ["gpu-operator"], "version": "1.37"},
            ("cluster", "version"),
            "run a cluster of an older version: 1.36 is the nearest that can be built",
        ),
        (
            {"provides": {"cert-manager": {"version": "v1.12.0"}}},
            ("cluster", "provides", "cert-manager", "version"),
            "bring the site's cert-manager to v1.21.1, or choose the release train that fits v1.12.0",
        ),
        (
            {
                "requirements": ["network-operator", "node-feature-discovery"],
                "provides": given("network-operator"),
            },
            ("cluster", "provides", "network-operator"),
            "name the site's under cluster.provides.node-feature-discovery, with its version",
        ),
        (
            {"requirements": SRIOV, "provides": {"sriov-network-operator": {"version": "1.4.0"}}},
            ("cluster", "provides", "sriov-network-operator"),
            "remove the site's, or let the fabric use a mode without SR-IOV",
        ),
        (
            {"storage_classes": [{"name": name, **SHARED, "default": True} for name in ("nfs", "ceph")]},
            ("cluster", "storage_classes", 1),
            "keep default: true of nfs, or of ceph, and take it off the others, in the cluster too",
        ),
        (
            {"storage_classes": [{"name": "nfs", **SHARED}, {"name": "ceph", **SHARED}]},
            ("cluster", "storage_classes"),
            "set default: true on nfs or ceph, if the cluster has it as default",
        ),
        (
            {
                "requirements": [need("node-feature-discovery", features=("taints", "worker"))],
                "provides": given("node-feature-discovery", node_feature_discovery=["master"]),
            },
            ("cluster", "provides", "node-feature-discovery", "features"),
            "switch it on there, then say features: [master, taints, worker]",
        ),
    ],
)
def test_what_a_site_file_can_mend_is_shown_there(
    settle: Any, site: dict[str, Any], path: tuple[str | int, ...], hint: str
) -> None:
    problems = [problem for problem in settle(**site).site_plan.problems if problem.document == "site"]
    assert [(problem.path, problem.hint) for problem in problems if problem.path == path] == [(path, hint)]


def test_every_rule_has_a_case_above() -> None:
    marks = test_a_rule_fires_on_what_it_forbids_and_on_nothing_else.pytestmark  # type: ignore[attr-defined]
    assert {case[0] for case in marks[0].args[1]} == {rule.id for rule in RULES if rule.id.startswith("CLU-")}, (
        "rules of clusters at AWS have theirs in aws/test_rules.py"
    )


def test_rules_say_why_and_where_from() -> None:
    for rule in RULES:
        assert rule.why.endswith(".")
        assert len(rule.source) > 10
