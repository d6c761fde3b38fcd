"""Where weights lie: the volume that a Job fills, or the pods that keep an image of weights on each node."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components import names, pods, quantities
from aifactory.components.rows import Gate, KubernetesRow, Tree
from aifactory.components.serving.decided import FetchPlan, ServingPlan
from aifactory.components.serving.engine import WEIGHTS_PATH
from aifactory.components.serving.objects.marks import Marks
from aifactory.components.serving.reaching import marked
from aifactory.components.values import SecretRef

SMALL: Tree = {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}}
FETCHING: Tree = {"requests": {"cpu": "2", "memory": "8Gi"}, "limits": {"memory": "16Gi"}}


def rows(plan: ServingPlan, marks: Marks) -> Iterator[KubernetesRow]:
    """The volume and its Job, or the pods that keep the image; nothing for other sources."""
    if plan.weights.fetch:
        volume = _volume(plan.weights.fetch, marks)
        yield volume
        yield _fetch(plan, plan.weights.fetch, marks, after=[volume.id])
    if plan.weights.node_cache:
        yield _keeper(plan, marks)


def _volume(fetch: FetchPlan, marks: Marks) -> KubernetesRow:
    spec: Tree = {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": fetch.storage_class,
        "resources": {"requests": {"storage": quantities.gib(fetch.size_gib)}},
    }
    return marks.object("v1", "PersistentVolumeClaim", fetch.claim, spec=spec, keep=True)


def _fetch(plan: ServingPlan, fetch: FetchPlan, marks: Marks, after: list[str]) -> KubernetesRow:
    """Runs once for each content: its name has a digest of what it fetches."""
    environment: list[Tree] = [{"name": name, "value": value} for name, value in fetch.environment]
    if fetch.token:
        reference = SecretRef(fetch.token, "token")
        environment.append({"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": reference}})
    container: Tree = {
        "name": "fetch",
        "image": plan.programs[0].image,
        "command": ["hf"],
        "args": list(fetch.arguments),
        "env": environment,
        "resources": FETCHING,
        "securityContext": pods.confined(),
        "volumeMounts": [
            {"name": "weights", "mountPath": WEIGHTS_PATH},
            {"name": "cache", "mountPath": _cache(plan)},
        ],
    }
    pod = {
        **_account(plan),
        "restartPolicy": "OnFailure",
        "containers": [container],
        "volumes": [
            {"name": "weights", "persistentVolumeClaim": {"claimName": fetch.claim}},
            {"name": "cache", "emptyDir": {}},
        ],
    }
    spec: Tree = {
        "backoffLimit": 6,
        "activeDeadlineSeconds": fetch.timeout_s,
        "template": marks.template(pod, labels=marked("fetch", fetch.claim)),
    }
    gate = Gate(condition="Complete", timeout_s=fetch.timeout_s)
    account = names.object_id("v1", "ServiceAccount", plan.namespace, plan.identity)
    return marks.object("batch/v1", "Job", fetch.job, spec=spec, after=[*after, account], gate=gate)


def _keeper(plan: ServingPlan, marks: Marks) -> KubernetesRow:
    """A pod on each node of the pool that does nothing: the kubelet pulls its images, and keeps what is in use."""
    name = f"{plan.identity}-weights"
    selector = marked("weights", name)
    volumes = [volume for volume in plan.volumes if volume.image]
    container: Tree = {
        "name": "keep",
        "image": plan.programs[0].image,
        "command": ["sleep", "infinity"],
        "resources": SMALL,
        "securityContext": {**pods.confined(), "readOnlyRootFilesystem": True},
        "volumeMounts": pods.mounts(volumes),
    }
    pod = {
        **_account(plan),
        "terminationGracePeriodSeconds": 1,
        "nodeSelector": dict(plan.contract.node_selector),
        "tolerations": [taint.toleration() for taint in plan.contract.tolerations],
        "containers": [container],
        "volumes": pods.sources(volumes),
    }
    spec: Tree = {
        "selector": {"matchLabels": selector},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}},
        "template": marks.template(pod, labels=selector),
    }
    account = names.object_id("v1", "ServiceAccount", plan.namespace, plan.identity)
    return marks.object("apps/v1", "DaemonSet", name, spec=spec, after=[account])


def _account(plan: ServingPlan) -> Tree:
    return {
        "serviceAccountName": plan.identity,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pods.pod_security(owns_volumes=True),
    }


def _cache(plan: ServingPlan) -> str:
    return next(volume.path for volume in plan.volumes if volume.scratch_gib)
