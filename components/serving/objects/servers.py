"""The replicas: a Deployment, a LeaderWorkerSet where a replica spans nodes, or an InferenceService of KServe."""

from __future__ import annotations

from aifactory.components import names, pods
from aifactory.components.pods import Program
from aifactory.components.rows import Gate, KubernetesRow, Tree, capability
from aifactory.components.serving.decided import KSERVE_API, ServingPlan
from aifactory.components.serving.objects.marks import Marks

LWS = "leaderworkerset.x-k8s.io/v1"
GROUP = "leaderworkerset.sigs.k8s.io/group-key"
"""Label by which LeaderWorkerSet tells the pods of one replica from those of another."""
REVISIONS = 3
SURE_S = 30
"""Time that a replica must be ready before the next is replaced. Unit: s."""


def server(plan: ServingPlan, marks: Marks, after: list[str]) -> KubernetesRow:
    """The replicas."""
    if plan.stack == "kserve":
        return _inference_service(plan, marks, after)
    return _group(plan, marks, after) if plan.layout.nodes > 1 else _deployment(plan, marks, after)


def _deployment(plan: ServingPlan, marks: Marks, after: list[str]) -> KubernetesRow:
    spec: Tree = {
        **_count(plan),
        "selector": {"matchLabels": dict(plan.selector)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
        "minReadySeconds": SURE_S,
        "progressDeadlineSeconds": plan.step_s,
        "revisionHistoryLimit": REVISIONS,
        "template": marks.template(_pod(plan, plan.programs[0]), labels=dict(plan.selector)),
    }
    gate = Gate(condition="Available", timeout_s=plan.ready_s)
    return marks.object(
        "apps/v1", "Deployment", plan.identity, spec=spec, after=after, gate=gate, timeout_s=plan.ready_s
    )


def _group(plan: ServingPlan, marks: Marks, after: list[str]) -> KubernetesRow:
    """Each replica is a group of pods, one a node, that start and end together."""
    first, other = plan.programs
    selector = plan.replica_labels
    leader = marks.template(_pod(plan, first), labels=selector, annotations=pods.pod_annotations(plan.contract))
    worker = marks.template(_pod(plan, other), labels=selector, annotations=pods.pod_annotations(plan.contract))
    spec: Tree = {
        **_count(plan),
        "leaderWorkerTemplate": {
            "size": plan.layout.nodes,
            "restartPolicy": "RecreateGroupOnPodRestart",
            "leaderTemplate": leader,
            "workerTemplate": worker,
        },
        "networkConfig": {"subdomainPolicy": "UniquePerReplica"},
        "rolloutStrategy": {
            "type": "RollingUpdate",
            "rollingUpdateConfiguration": {"maxSurge": 0, "maxUnavailable": 1},
        },
        "startupPolicy": "LeaderCreated",
    }
    settings = names.object_id("v1", "ConfigMap", plan.namespace, plan.contract.settings)
    gate = Gate(condition="Available", timeout_s=plan.ready_s)
    return marks.object(
        LWS,
        "LeaderWorkerSet",
        plan.identity,
        spec=spec,
        after=[*after, *([settings] if plan.contract.settings else []), capability("lws")],
        gate=gate,
        timeout_s=plan.ready_s,
    )


def _inference_service(plan: ServingPlan, marks: Marks, after: list[str]) -> KubernetesRow:
    """Standard mode: KServe makes a Deployment and a Service of this pod, and leaves its number to KEDA."""
    pod = _pod(plan, plan.programs[0])
    floor = plan.scaling.floor if plan.scaling else plan.replicas
    spec: Tree = {
        "predictor": {
            "minReplicas": floor,
            "maxReplicas": plan.replicas,
            "deploymentStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "labels": {**marks.labels, **dict(plan.selector)},
            "annotations": marks.annotations,
            **pod,
        }
    }
    external = "external" if plan.scaling else "none"
    return marks.object(
        KSERVE_API,
        "InferenceService",
        plan.identity,
        annotations={
            "serving.kserve.io/deploymentMode": "Standard",
            "serving.kserve.io/autoscalerClass": external,
        },
        spec=spec,
        after=[*after, capability("kserve")],
        gate=Gate(condition="Ready", timeout_s=plan.ready_s),
        timeout_s=plan.ready_s,
    )


def _count(plan: ServingPlan) -> Tree:
    """`replicas` is missing where KEDA writes it: a deployment that set it would undo what the load asked for."""
    return {} if plan.scaling else {"replicas": plan.replicas}


def _pod(plan: ServingPlan, program: Program) -> Tree:
    spec = pods.pod_spec(
        plan.contract,
        program,
        service_account=plan.identity,
        grace_s=plan.grace_s,
        volumes=(*plan.volumes, *([plan.offload.volume] if plan.offload and plan.offload.volume else [])),
        claim_template=plan.claim_template,
        restart_policy="Always",
    )
    spec["topologySpreadConstraints"] = _spread(plan)
    if plan.layout.nodes > 1:
        spec["affinity"] = _together()
    if plan.priority_class:
        spec["priorityClassName"] = plan.priority_class
    return spec


def _spread(plan: ServingPlan) -> list[object]:
    labels = [names.RACK_LABEL, names.HOSTNAME_LABEL] if plan.racks > 1 else [names.HOSTNAME_LABEL]
    return [pods.spread(dict(plan.selector), label) for label in labels]


def _together() -> Tree:
    """The pods of one replica lie under one set of leaf switches; those of another may lie elsewhere."""
    term = {
        "topologyKey": names.BLOCK_LABEL,
        "labelSelector": {"matchExpressions": [{"key": GROUP, "operator": "Exists"}]},
        "matchLabelKeys": [GROUP],
    }
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def budget(plan: ServingPlan, marks: Marks) -> KubernetesRow:
    """Drains take one replica at a time, as the spare one allows."""
    return marks.budget(plan.identity, plan.replica_labels, maxUnavailable=1)


def service(plan: ServingPlan, marks: Marks) -> KubernetesRow:
    """Round-robin over the replicas, for the benchmark and for whoever needs no router."""
    spec: Tree = {
        "selector": dict(plan.selector),
        "ports": [{"name": "http", "port": plan.port, "targetPort": "http", "appProtocol": "http"}],
    }
    return marks.object("v1", "Service", plan.identity, spec=spec)
