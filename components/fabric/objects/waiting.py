"""The Job that waits for rails, and what it may read."""

from __future__ import annotations

from aifactory.components import pods
from aifactory.components.fabric.model import Acceptance
from aifactory.components.rows import Tree


def rules() -> list[Tree]:
    """What the Job may read."""
    return [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]}]


def binding(found: Acceptance) -> Tree:
    """ClusterRoleBinding of the Job's account, without metadata."""
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": found.account}
    subject = {"kind": "ServiceAccount", "name": found.account, "namespace": found.namespace}
    return {"roleRef": role, "subjects": [subject]}


def job(found: Acceptance, labels: dict[str, str]) -> Tree:
    """Job. Its own pod may stand on a node that is drained; that is no failure, and it starts elsewhere."""
    control = {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"}
    pod: Tree = {
        "serviceAccountName": found.account,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "tolerations": [*(taint.toleration() for taint in found.tolerations), control],
        "securityContext": pods.pod_security(65532),
        "containers": [_wait(found, index) for index in range(len(found.resources))],
    }
    drained = {"type": "DisruptionTarget", "status": "True"}
    return {
        "backoffLimit": 20,
        "activeDeadlineSeconds": found.timeout_s,
        "podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [drained]}]},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }


def _wait(found: Acceptance, index: int) -> Tree:
    resource, count = found.resources[index]
    path = resource.replace(".", "\\.")
    return {
        "name": f"rail-{index}",
        "image": found.image,
        "args": [
            "wait",
            f"--for=jsonpath={{.status.allocatable.{path}}}={count}",
            f"--timeout={found.timeout_s}s",
            *found.objects,
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
