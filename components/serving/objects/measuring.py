"""What watches the replicas, scales them, and measures them when somebody asks."""

from __future__ import annotations

from aifactory.components import pods
from aifactory.components.pods import Program
from aifactory.components.rows import KubernetesRow, Tree, capability
from aifactory.components.serving import operating
from aifactory.components.serving.decided import ScalingPlan, ServingPlan
from aifactory.components.serving.objects.marks import Marks
from aifactory.components.serving.objects.servers import LWS
from aifactory.components.serving.reaching import marked

NEVER = "0 0 31 2 *"
"""A day that doesn't exist. The CronJob is suspended too: people start it by hand."""


def scaling(plan: ServingPlan, scaled: ScalingPlan, marks: Marks, after: list[str]) -> KubernetesRow:
    """Replicas by KEDA, up at once and down slowly."""
    spec: Tree = {
        "scaleTargetRef": _target(plan),
        "minReplicaCount": scaled.floor,
        "maxReplicaCount": scaled.ceiling,
        "pollingInterval": 15,
        "fallback": {"failureThreshold": 4, "replicas": scaled.ceiling},
        "triggers": [_trigger(scaled, *trigger) for trigger in scaled.triggers],
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior(scaled)}},
    }
    wait = [*after, capability("keda"), capability("metrics")]
    return marks.object("keda.sh/v1alpha1", "ScaledObject", plan.identity, spec=spec, after=wait)


def _target(plan: ServingPlan) -> Tree:
    if plan.layout.nodes > 1:
        return {"apiVersion": LWS, "kind": "LeaderWorkerSet", "name": plan.identity}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": plan.service[0]}


def _trigger(scaled: ScalingPlan, name: str, query: str, value: int) -> Tree:
    return {
        "type": "prometheus",
        "name": name,
        "metricType": "AverageValue",
        "metadata": {
            "serverAddress": scaled.prometheus,
            "query": query,
            "threshold": str(value),
            # No series is a broken scrape, not an idle model: then the fallback holds, instead of the floor.
            "ignoreNullValues": "false",
        },
    }


def _behavior(scaled: ScalingPlan) -> Tree:
    return {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "policies": [{"type": "Percent", "value": 100, "periodSeconds": 60}],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": scaled.settle_s,
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 300}],
        },
    }


def benchmark(plan: ServingPlan, marks: Marks, after: list[str]) -> KubernetesRow:
    """The load test, as a CronJob that never starts: `kubectl create job --from=cronjob/NAME first`."""
    found = plan.benchmark
    pod: Tree = {
        "serviceAccountName": plan.identity,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "nodeSelector": dict(plan.contract.node_selector),
        "tolerations": [taint.toleration() for taint in plan.contract.tolerations],
        "securityContext": pods.pod_security(),
        "containers": [_container(plan, plan.benchmark_program, found.arguments)],
        "volumes": pods.sources(plan.volumes),
    }
    if plan.benchmark_first:
        pod["initContainers"] = [_container(plan, plan.benchmark_first, ())]
    job: Tree = {"backoffLimit": 0, "template": marks.template(pod, labels=marked("benchmark", found.name))}
    spec: Tree = {
        "schedule": NEVER,
        "suspend": True,
        "concurrencyPolicy": "Forbid",
        "jobTemplate": {"spec": job},
    }
    annotations = {"kubernetes.io/description": _how_to_measure(plan)}
    return marks.object("batch/v1", "CronJob", found.name, annotations=annotations, spec=spec, after=after)


def _container(plan: ServingPlan, program: Program, more: tuple[str, ...]) -> Tree:
    return {
        "name": program.name,
        "image": program.image,
        "command": list(program.command),
        "args": [*program.args, *more],
        "env": pods.variables(program),
        "resources": {"requests": {"cpu": "1", "memory": "4Gi"}, "limits": {"memory": "16Gi"}},
        "securityContext": pods.confined(),
        "volumeMounts": pods.mounts(plan.volumes),
    }


def _how_to_measure(plan: ServingPlan) -> str:
    return "Load of the peak, on the replicas without their router: " + "; ".join(operating.load_test(plan))
