"""The rows of a pool: labels, driver, acceptance, alerts and files for its hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aifactory.components import names, pods
from aifactory.components.gpu_node_pool.aws.flex_rows import flex_rows
from aifactory.components.gpu_node_pool.aws.model import AwsFlexPlan, AwsPoolPlan
from aifactory.components.gpu_node_pool.aws.rows import base_rows
from aifactory.components.gpu_node_pool.labels import OPERANDS_LABEL, TAINT
from aifactory.components.gpu_node_pool.model import (
    Acceptance,
    Alert,
    Check,
    DriverPlan,
    GpuNodePoolPlan,
    Image,
    NodeLabels,
)
from aifactory.components.gpu_node_pool.settling import BUILD_S
from aifactory.components.rows import Gate, HostRow, KubernetesRow, Maker, Row, capability

Tree = dict[str, object]

NFD = "nfd.k8s-sigs.io/v1alpha1"
NVIDIA = "nvidia.com/v1alpha1"
RBAC = "rbac.authorization.k8s.io/v1"


def rows(plan: GpuNodePoolPlan, maker: Maker) -> Iterator[Row]:
    """Everything of the pool, hosts first."""
    for file in plan.host_files:
        yield HostRow(
            f"Host/{plan.identity}-{file.name}",
            maker.part,
            plan.nodes,
            file.path,
            file.content,
            file.why,
            file.reboot,
        )
    after: list[str] = []
    if isinstance(plan, AwsPoolPlan):
        yield from base_rows(plan.node_group, maker)
    elif isinstance(plan, AwsFlexPlan):
        yield from flex_rows(plan.flex, maker)
    else:
        features = _node_features(plan, maker)
        yield features
        after.append(features.id)
    if plan.idle_nodes:
        yield _idle_features(plan, maker)
    if plan.driver.owner == "operator":
        driver = _driver(plan, maker, after)
        yield driver
        after.append(driver.id)
    if not isinstance(plan, AwsFlexPlan):  # its nodes are there when pods need them, and their gate is the NodePool's
        yield from _acceptance(plan, maker, after)
    if plan.alert_nodes:
        yield _alerts(plan, plan.alert_nodes, maker)


def _node_features(plan: GpuNodePoolPlan, maker: Maker) -> KubernetesRow:
    rules = [_rule(found) for found in plan.node_labels]
    return maker.kubernetes(NFD, "NodeFeatureRule", f"{plan.identity}-nodes", spec={"rules": rules})


def _rule(found: NodeLabels) -> Tree:
    taints = [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in found.taints]
    rule: Tree = {
        "name": f"rack {found.rack}",
        "labels": dict(found.labels),
        "matchFeatures": _named(found.nodes),
    }
    return {**rule, "taints": taints} if taints else rule


def _idle_features(plan: GpuNodePoolPlan, maker: Maker) -> KubernetesRow:
    rule = {
        "name": "GPU nodes of no pool",
        "labels": {OPERANDS_LABEL: "false"},
        "matchFeatures": _named(plan.idle_nodes),
    }
    return maker.kubernetes(NFD, "NodeFeatureRule", f"{plan.identity}-idle-nodes", spec={"rules": [rule]})


def _named(nodes: tuple[str, ...]) -> list[Tree]:
    expression = {"nodename": {"op": "In", "value": list(nodes)}}
    return [{"feature": "system.name", "matchExpressions": expression}]


def _driver(plan: GpuNodePoolPlan, maker: Maker, features: list[str]) -> KubernetesRow:
    driver = plan.driver
    spec: Tree = {
        "default": False,
        "driverType": "gpu",
        "repository": driver.repository,
        "image": driver.image,
        "version": driver.version,
        "kernelModuleType": "open",
        "usePrecompiled": False,
        "nodeSelector": {names.POOL_LABEL: plan.identity},
        "priorityClassName": "system-node-critical",
        "tolerations": [{"key": TAINT.key, "operator": "Exists", "effect": TAINT.effect}],
        "startupProbe": {
            "initialDelaySeconds": 60,
            "periodSeconds": 10,
            "timeoutSeconds": 60,
            "failureThreshold": 120,
        },
        "rdma": {"enabled": driver.rdma, "useHostMofed": driver.rdma and driver.host_ofed},
        "gdrcopy": _side_module(driver.gdrcopy),
        "gds": _side_module(driver.gds),
        "upgradePolicy": _upgrade_policy(driver),
    }
    if driver.manager_environment:
        environment = [{"name": name, "value": value} for name, value in driver.manager_environment]
        spec["manager"] = {"env": environment}
    return maker.kubernetes(
        NVIDIA,
        "NVIDIADriver",
        plan.identity,
        spec=spec,
        after=[
            *features,
            capability("gpu-operator"),
            *([capability("network-operator")] if plan.fabric else []),
        ],
        gate=Gate(path=".status.state", value="ready", timeout_s=BUILD_S * (2 if plan.fabric else 1)),
        timeout_s=BUILD_S * (2 if plan.fabric else 1),
    )


def _side_module(image: Image | None) -> Tree:
    if image is None:
        return {"enabled": False}
    return {
        "enabled": True,
        "repository": image.repository,
        "image": image.image,
        "version": image.version,
    }


def _upgrade_policy(driver: DriverPlan) -> Tree:
    return {
        "autoUpgrade": driver.automatic,
        "maxParallelUpgrades": driver.max_parallel,
        "maxUnavailable": driver.max_unavailable,
        # A pod of any Job: the node is cordoned, and keeps its driver until the gang is done. 0 is for ever.
        "waitForCompletion": {"podSelector": "batch.kubernetes.io/job-name", "timeoutSeconds": 0},
        "podDeletion": {"force": False, "timeoutSeconds": 300, "deleteEmptyDir": driver.deletes_scratch},
        "drain": {"enable": False},
    }


def _acceptance(plan: GpuNodePoolPlan, maker: Maker, after: list[str]) -> Iterator[Row]:
    found, name = plan.acceptance, f"{plan.identity}-gpu-acceptance"
    account = maker.kubernetes(
        "v1", "ServiceAccount", name, found.namespace, body={"automountServiceAccountToken": False}
    )
    rules = [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["nvidia.com"], "resources": ["clusterpolicies"], "verbs": ["get", "list", "watch"]},
    ]
    role = maker.kubernetes(RBAC, "ClusterRole", name, body={"rules": rules})
    binding = maker.kubernetes(
        RBAC,
        "ClusterRoleBinding",
        name,
        body={
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": found.namespace}],
        },
        after=[role.id, account.id],
    )
    yield account
    yield role
    yield binding
    yield maker.kubernetes(
        "batch/v1",
        "Job",
        found.name,
        found.namespace,
        spec=_job(found, name, maker),
        after=[*after, binding.id, capability("gpu-operator")],
        gate=Gate(condition="Complete", timeout_s=found.timeout_s),
        timeout_s=found.timeout_s,
    )


def _job(found: Acceptance, account: str, maker: Maker) -> Tree:
    containers = [_wait(found, index, check) for index, check in enumerate(found.checks)]
    pod: Tree = {
        "serviceAccountName": account,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "tolerations": [
            *(taint.toleration() for taint in found.tolerations),
            {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"},
        ],
        "securityContext": pods.pod_security(65532),
        "containers": containers,
    }
    return {
        "backoffLimit": 20,
        "activeDeadlineSeconds": found.timeout_s,
        # Its own pod may stand on a node that is drained for NIC settings: it starts elsewhere.
        "podFailurePolicy": {
            "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
        },
        "template": {"metadata": {"labels": maker.pod_labels()}, "spec": pod},
    }


def _wait(found: Acceptance, index: int, check: Check) -> Tree:
    return {
        "name": f"check-{index}",
        "image": found.image,
        "args": [
            "wait",
            f"--for=jsonpath={check.path}={check.value}",
            f"--timeout={found.timeout_s}s",
            *check.objects,
        ],
        "resources": {
            "requests": {"cpu": "10m", "memory": "64Mi"},
            "limits": {"cpu": "200m", "memory": "128Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _alerts(plan: GpuNodePoolPlan, nodes: Alert, maker: Maker) -> KubernetesRow:
    rules: list[Mapping[str, object]] = [
        {"record": nodes.name, "expr": nodes.expression},
        *(_alert(plan, found) for found in plan.alerts),
    ]
    return maker.kubernetes(
        "monitoring.coreos.com/v1",
        "PrometheusRule",
        f"{plan.identity}-gpu-health",
        plan.acceptance.namespace,
        spec={"groups": [{"name": f"{plan.identity}-gpu-health", "rules": rules}]},
        after=[capability("metrics")],
    )


def _alert(plan: GpuNodePoolPlan, found: Alert) -> Tree:
    return {
        "alert": found.name,
        "expr": found.expression,
        "for": found.for_,
        "labels": {"severity": found.severity, "pool": plan.identity},
        "annotations": {"summary": found.summary},
    }
