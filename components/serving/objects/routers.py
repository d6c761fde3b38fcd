"""The pool of replicas, and the endpoint picker that chooses among them."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components import pods
from aifactory.components.rows import Gate, KubernetesRow, Tree, capability
from aifactory.components.serving.decided import POOL_API, RouterPlan, ServingPlan
from aifactory.components.serving.objects.marks import Marks
from aifactory.components.serving.reaching import marked
from aifactory.components.values import Json

POOL_GROUP = POOL_API.partition("/")[0]
CONFIG = "router.yaml"
RBAC = "rbac.authorization.k8s.io/v1"


def rows(plan: ServingPlan, router: RouterPlan, marks: Marks) -> Iterator[KubernetesRow]:
    """Account, rights, configuration, router, its Service, and the pool that names it."""
    account = marks.object("v1", "ServiceAccount", router.name)
    role = _role(router, marks)
    yield account
    yield role
    binding = {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": router.name},
        "subjects": [{"kind": "ServiceAccount", "name": router.name, "namespace": plan.namespace}],
    }
    bound = marks.object(RBAC, "RoleBinding", router.name, body=binding, after=[role.id, account.id])
    configuration = marks.object("v1", "ConfigMap", router.name, body={"data": {CONFIG: Json(_configuration(router))}})
    yield bound
    yield configuration
    service = _service(router, marks)
    yield service
    pool = _pool(plan, router, marks, after=[service.id])
    yield pool
    yield _router(plan, router, marks, after=[bound.id, configuration.id, pool.id])
    yield marks.budget(router.name, _selector(router), minAvailable=1)
    yield marks.monitor(router.name, _selector(router), "metrics")


def _role(router: RouterPlan, marks: Marks) -> KubernetesRow:
    """What it watches: pods and its pool. Nothing is written."""
    rules = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [POOL_GROUP], "resources": ["inferencepools"], "verbs": ["get", "list", "watch"]},
        {
            "apiGroups": ["llm-d.ai"],
            "resources": ["inferenceobjectives", "inferencemodelrewrites"],
            "verbs": ["get", "list", "watch"],
        },
    ]
    return marks.object(RBAC, "Role", router.name, body={"rules": rules})


def _configuration(router: RouterPlan) -> Tree:
    """Scorers alone; the picker, the parser and the source of metrics are the router's defaults."""
    return {
        "apiVersion": "llm-d.ai/v1alpha1",
        "kind": "EndpointPickerConfig",
        "plugins": [{"type": name} for name, _ in router.scorers],
        "schedulingProfiles": [
            {"name": "default", "plugins": [{"pluginRef": name, "weight": weight} for name, weight in router.scorers]}
        ],
    }


def _selector(router: RouterPlan) -> dict[str, str]:
    return marked("router", router.name)


def _service(router: RouterPlan, marks: Marks) -> KubernetesRow:
    ports = [
        {"name": "grpc-ext-proc", "port": router.port},  # TLS, with a certificate of its own making
        {"name": "metrics", "port": router.metrics_port},
    ]
    return marks.object("v1", "Service", router.name, spec={"selector": _selector(router), "ports": ports})


def _pool(plan: ServingPlan, router: RouterPlan, marks: Marks, after: list[str]) -> KubernetesRow:
    spec: Tree = {
        "selector": {"matchLabels": dict(plan.selector)},
        "targetPorts": [{"number": plan.port}],
        "appProtocol": "http",
        "endpointPickerRef": {
            "name": router.name,
            "port": {"number": router.port},
            "failureMode": "FailOpen",
        },
    }
    return marks.object(
        POOL_API, "InferencePool", plan.identity, spec=spec, after=[*after, capability("inference-extension")]
    )


def _router(plan: ServingPlan, router: RouterPlan, marks: Marks, after: list[str]) -> KubernetesRow:
    """All of them choose. None may be missing during a rollout: without one, nobody gets an answer.

    After the signal to stop one serves for 30 s more, then ends running streams: the grace period covers the longest.
    Source: llm-d/llm-d-router#1885.
    """
    labels = _selector(router)
    spec: Tree = {
        "replicas": router.replicas,
        "selector": {"matchLabels": labels},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "revisionHistoryLimit": 3,
        "template": marks.template(_pod(plan, router), labels=labels),
    }
    gate = Gate(condition="Available", timeout_s=600)
    return marks.object("apps/v1", "Deployment", router.name, spec=spec, after=after, gate=gate)


def _pod(plan: ServingPlan, router: RouterPlan) -> Tree:
    return {
        **({"priorityClassName": plan.priority_class} if plan.priority_class else {}),
        "topologySpreadConstraints": [pods.spread(_selector(router))],
        "serviceAccountName": router.name,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": plan.grace_s,
        "securityContext": pods.pod_security(),
        "containers": [_container(plan, router)],
        "volumes": [{"name": "config", "configMap": {"name": router.name}}],
    }


def _container(plan: ServingPlan, router: RouterPlan) -> Tree:
    health = {"grpc": {"port": router.health_port, "service": "inference-extension"}}
    return {
        "name": "router",
        "image": router.image,
        "args": [
            f"--pool-name={plan.identity}",
            f"--pool-namespace={plan.namespace}",
            f"--pool-group={POOL_GROUP}",
            f"--config-file=/config/{CONFIG}",
            f"--grpc-port={router.port}",
            f"--grpc-health-port={router.health_port}",
            f"--metrics-port={router.metrics_port}",
            "--metrics-endpoint-auth=false",
            "--tracing=false",
            "--zap-encoder=json",
        ],
        "env": [{"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}],
        "ports": [
            {"name": "grpc", "containerPort": router.port},
            {"name": "grpc-health", "containerPort": router.health_port},
            {"name": "metrics", "containerPort": router.metrics_port},
        ],
        "livenessProbe": {**health, "initialDelaySeconds": 5, "periodSeconds": 10},
        "readinessProbe": {**health, "periodSeconds": 2},
        "resources": {"requests": {"cpu": "4", "memory": "8Gi"}, "limits": {"memory": "16Gi"}},
        "securityContext": {**pods.confined(), "readOnlyRootFilesystem": True},
        "volumeMounts": [{"name": "config", "mountPath": "/config", "readOnly": True}],
    }
