"""Rows that keep data as long as it was said: CronJobs that take snapshots, and Jobs that tell buckets their rules."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from aifactory.components import names, pods, quantities, trusting
from aifactory.components.rows import KubernetesRow, Maker, Tree, Wave, capability
from aifactory.components.storage_tier.decided import (
    SNAPSHOT_NAMESPACE,
    RetentionPlan,
    SchedulePlan,
    SnapshotPlan,
    StorageTierPlan,
)
from aifactory.components.storage_tier.jobs import SCRATCH, Once, once
from aifactory.components.storage_tier.paths import JOB_API
from aifactory.components.values import SecretRef

SNAPSHOT_API = "snapshot.storage.k8s.io/v1"
RBAC, RBAC_GROUP = "rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io"
SCHEDULE_LABEL = "aifactory.io/snapshot-schedule"
SCRIPT, SCRIPTS = "snapshot.sh", "/scripts"
READY_WITHIN_S = 300
"""Time that a snapshot of Ceph gets until it is ready: it copies nothing."""
SMALL: Tree = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}}
CALLING: Tree = {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}}
BUCKET_RULES_WITHIN_S = 900


def snapshot_class(plan: SnapshotPlan, maker: Maker, after: list[str]) -> KubernetesRow:
    """A class of snapshots."""
    return maker.kubernetes(
        SNAPSHOT_API,
        "VolumeSnapshotClass",
        plan.name,
        body={"driver": plan.driver, "deletionPolicy": plan.deletion, "parameters": dict(plan.parameters)},
        after=[capability("volume-snapshots"), *after],
    )


def schedules(plan: StorageTierPlan, maker: Maker) -> Iterator[KubernetesRow]:
    """What takes the snapshots of a tier: one account, which may do nothing but that, and a CronJob a schedule."""
    if not plan.schedules or plan.scheduled_class is None:
        return
    account = maker.kubernetes(
        "v1",
        "ServiceAccount",
        plan.identity,
        SNAPSHOT_NAMESPACE,
        body={"automountServiceAccountToken": False},
        wave=Wave.SERVING,
    )
    script = maker.kubernetes(
        "v1",
        "ConfigMap",
        f"{plan.identity}-snapshots",
        SNAPSHOT_NAMESPACE,
        body={"data": {SCRIPT: script_text()}},
        wave=Wave.SERVING,
    )
    yield account
    yield script
    allowed: list[str] = []
    for space in sorted({space for each in plan.schedules for space, _ in each.claims}):
        for row in _permission(plan.identity, space, maker, account.id):
            allowed.append(row.id)
            yield row
    made = names.object_id(SNAPSHOT_API, "VolumeSnapshotClass", "", plan.scheduled_class.name)
    for each in plan.schedules:
        claims = [names.object_id("v1", "PersistentVolumeClaim", space, claim) for space, claim in each.claims]
        yield _cron_job(plan, each, maker, [account.id, script.id, *allowed, made, *claims])


def script_text() -> str:
    """What a CronJob runs."""
    return files("aifactory.components.storage_tier").joinpath(SCRIPT).read_text("utf-8")


def _permission(identity: str, space: str, maker: Maker, account: str) -> Iterator[KubernetesRow]:
    """To make, read and delete snapshots in one tenant's namespace. They are another kind than claims and volumes."""
    name = f"{identity}-snapshots"
    rule: Tree = {
        "apiGroups": ["snapshot.storage.k8s.io"],
        "resources": ["volumesnapshots"],
        "verbs": ["create", "get", "list", "watch", "delete"],
    }
    role = maker.kubernetes(RBAC, "Role", name, space, body={"rules": [rule]}, wave=Wave.SERVING)
    yield role
    binding: Tree = {
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": identity, "namespace": SNAPSHOT_NAMESPACE}],
    }
    yield maker.kubernetes(RBAC, "RoleBinding", name, space, body=binding, after=[role.id, account], wave=Wave.SERVING)


def _cron_job(plan: StorageTierPlan, each: SchedulePlan, maker: Maker, after: list[str]) -> KubernetesRow:
    job: Tree = {
        "backoffLimit": 1,
        "activeDeadlineSeconds": READY_WITHIN_S * (len(each.claims) + 1),
        "template": {"metadata": {"labels": maker.pod_labels()}, "spec": _snapshot_pod(plan, each)},
    }
    return maker.kubernetes(
        JOB_API,
        "CronJob",
        each.name,
        SNAPSHOT_NAMESPACE,
        spec={
            "schedule": each.cron,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3_600,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {"spec": job},
        },
        after=after,
        wave=Wave.SERVING,
    )


def _snapshot_pod(plan: StorageTierPlan, each: SchedulePlan) -> Tree:
    settings = {
        "SCHEDULE": each.name,
        "KEEP": quantities.count(each.keep),
        "SNAPSHOT_CLASS": plan.scheduled_class.name if plan.scheduled_class else "",
        "SCHEDULE_LABEL": SCHEDULE_LABEL,
        "READY_WITHIN_S": quantities.count(READY_WITHIN_S),
        "HOME": "/tmp",  # noqa: S108 - kubectl caches what the API server has; gone with the pod
    }
    container: Tree = {
        "name": "snapshots",
        "image": each.image,
        "command": ["/bin/sh", f"{SCRIPTS}/{SCRIPT}"],
        "args": [f"{space}/{claim}" for space, claim in each.claims],
        "env": [{"name": name, "value": value} for name, value in settings.items()],
        "resources": SMALL,
        "securityContext": {**pods.confined(), "readOnlyRootFilesystem": True},
        "volumeMounts": [{"name": "scripts", "mountPath": SCRIPTS, "readOnly": True}, *pods.mounts([SCRATCH])],
    }
    return {
        "serviceAccountName": plan.identity,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "securityContext": pods.pod_security(),
        "containers": [container],
        "volumes": [
            {"name": "scripts", "configMap": {"name": f"{plan.identity}-snapshots"}},
            *pods.sources([SCRATCH]),
        ],
    }


def retention(plan: RetentionPlan, maker: Maker) -> Iterator[KubernetesRow]:
    """A Job that tells a bucket how long it keeps what, with its account."""
    containers = [_call(plan, name, words) for name, words in plan.steps]
    pod: Tree = {
        "initContainers": containers[:-1],
        "containers": containers[-1:],
        "volumes": [*pods.sources([SCRATCH]), *trusting.sources(plan.trust)],
    }
    yield from once(
        Once(
            job=plan.job,
            account=plan.claim,
            namespace=plan.namespace,
            tenant=plan.tenant,
            queue=plan.queue,
            within_s=BUCKET_RULES_WITHIN_S,
            after=(plan.bucket_row, *trusting.rows(plan.trust, plan.namespace)),
        ),
        pod,
        maker,
    )


def _call(plan: RetentionPlan, name: str, words: tuple[str, ...]) -> Tree:
    call, *rest = words
    return {
        "name": name,
        "image": plan.image,
        "command": ["aws"],
        "args": ["s3api", call, "--bucket", "$(BUCKET_NAME)", *rest],
        "env": list(_environment(plan)),
        "resources": CALLING,
        "securityContext": {**pods.confined(), "readOnlyRootFilesystem": True},
        "volumeMounts": [*pods.mounts([SCRATCH]), *trusting.mounts(plan.trust)],
    }


def _environment(plan: RetentionPlan) -> Iterator[Tree]:
    """The bucket, its key, and nothing of Amazon's. Source: AWS CLI user guide, Environment variables."""
    yield {"name": "BUCKET_NAME", "valueFrom": {"configMapKeyRef": {"name": plan.claim, "key": "BUCKET_NAME"}}}
    plain = {
        "AWS_ENDPOINT_URL": plan.endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "HOME": SCRATCH.path,
    }
    if plan.trust:
        plain["AWS_CA_BUNDLE"] = trusting.authority_path()
    for name, value in plain.items():
        yield {"name": name, "value": value}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        yield {"name": name, "valueFrom": {"secretKeyRef": SecretRef(plan.claim, name)}}
