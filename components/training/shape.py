"""The rows of a training run: account, volume, and the gang itself."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components import names, pods, quantities
from aifactory.components.pods import Volume
from aifactory.components.rows import KubernetesRow, Maker, Row, Tree, capability
from aifactory.components.training.checks import JOB
from aifactory.components.training.decided import CheckpointPlan, TrainingPlan

API = "jobset.x-k8s.io/v1alpha2"
KUEUE = "kueue.x-k8s.io/v1beta2"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
PRIORITY_LABEL = "kueue.x-k8s.io/priority-class"
TIME_LABEL = "kueue.x-k8s.io/max-exec-time-seconds"
DISRUPTED = "nodeDisruption"
"""Name of the rule for pods that were taken from the gang, such as by a drain."""


def rows(plan: TrainingPlan, maker: Maker) -> Iterator[Row]:
    """Everything the run needs in its tenant's namespace."""
    account: Tree = {"automountServiceAccountToken": False}
    if plan.pull_secrets:
        account["imagePullSecrets"] = [{"name": name} for name in plan.pull_secrets]
    labels = {names.TENANT_LABEL: plan.tenant}
    own = [maker.kubernetes("v1", "ServiceAccount", plan.service_account, plan.namespace, labels=labels, body=account)]
    if plan.checkpoint:
        own.append(_volume(plan, plan.checkpoint, maker))
    if plan.claim_template:
        own.append(
            maker.kubernetes(
                "resource.k8s.io/v1",
                "ResourceClaimTemplate",
                plan.claim_template,
                plan.namespace,
                labels=labels,
                spec=pods.claim_spec(plan.contract),
            )
        )
    yield from own
    yield _gang(plan, maker, after=[row.id for row in own])


def _volume(plan: TrainingPlan, checkpoint: CheckpointPlan, maker: Maker) -> KubernetesRow:
    """The checkpoints. Deleting the run or the stack leaves them."""
    return maker.kubernetes(
        "v1",
        "PersistentVolumeClaim",
        checkpoint.claim,
        plan.namespace,
        labels={names.TENANT_LABEL: plan.tenant},
        spec={
            "accessModes": [checkpoint.access],
            "storageClassName": checkpoint.storage_class,
            "resources": {"requests": {"storage": quantities.gib(checkpoint.size_gib)}},
        },
        protect=True,
        retain_on_delete=True,
    )


def _labels(plan: TrainingPlan) -> dict[str, str]:
    """Whose run it is, and of which data."""
    found = {names.TENANT_LABEL: plan.tenant}
    return {**found, names.DATA_CLASS_LABEL: plan.data_class} if plan.data_class else found


def _gang(plan: TrainingPlan, maker: Maker, after: list[str]) -> KubernetesRow:
    labels = {
        **_labels(plan),
        QUEUE_LABEL: plan.local_queue,
        PRIORITY_LABEL: plan.priority_class,
    }
    if plan.time_limit_s:
        labels[TIME_LABEL] = str(plan.time_limit_s)
    around = [
        names.object_id(KUEUE, "LocalQueue", plan.namespace, plan.local_queue),
        names.object_id(KUEUE, "WorkloadPriorityClass", "", plan.priority_class),
        capability("kueue"),
    ]
    for each in plan.datasets:
        claim = names.object_id("v1", "PersistentVolumeClaim", plan.namespace, each.claim)
        around += [claim, *([each.fill] if each.fill else [])]
    if plan.contract.settings:
        around.append(names.object_id("v1", "ConfigMap", plan.namespace, plan.contract.settings))
    return maker.kubernetes(
        API,
        "JobSet",
        plan.run,
        plan.namespace,
        labels=labels,
        spec=_spec(plan, maker),
        after=[*after, *around],
    )


def _spec(plan: TrainingPlan, maker: Maker) -> Tree:
    """`suspend` is missing on purpose: it is Kueue's to write."""
    return {
        "network": {"enableDNSHostnames": True, "publishNotReadyAddresses": True, "subdomain": plan.run},
        "successPolicy": {"operator": "All", "targetReplicatedJobs": [JOB]},
        "failurePolicy": {
            "maxRestarts": plan.max_restarts,
            "restartStrategy": "BlockingRecreate",
            "rules": [
                {
                    "name": DISRUPTED,
                    "action": "RestartJobSetAndIgnoreMaxRestarts",
                    "onJobFailureReasons": ["PodFailurePolicy"],
                    "targetReplicatedJobs": [JOB],
                }
            ],
        },
        "replicatedJobs": [{"name": JOB, "replicas": 1, "template": {"spec": _job(plan, maker)}}],
    }


def _job(plan: TrainingPlan, maker: Maker) -> Tree:
    """One pod a node, numbered. Any pod that fails ends the Job, and so restarts the gang."""
    metadata: Tree = {"labels": {**maker.pod_labels(), **_labels(plan)}}
    annotations = {**pods.pod_annotations(plan.contract), **dict(plan.topology)}
    if annotations:
        metadata["annotations"] = annotations
    saved = (Volume("checkpoints", plan.checkpoint.claim, plan.checkpoint.path),) if plan.checkpoint else ()
    read = (
        Volume(f"dataset-{index}", each.claim, each.mount, read_only=True) for index, each in enumerate(plan.datasets)
    )
    spec = pods.pod_spec(
        plan.contract,
        plan.program,
        service_account=plan.service_account,
        grace_s=plan.grace_s,
        volumes=(*saved, *read),
        claim_template=plan.claim_template,
    )
    return {
        "completionMode": "Indexed",
        "completions": plan.nodes,
        "parallelism": plan.nodes,
        "backoffLimit": 0,
        "podFailurePolicy": {
            "rules": [{"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
        },
        "template": {"metadata": metadata, "spec": spec},
    }
