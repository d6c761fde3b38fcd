"""Jobs that do one thing for a tenant once: filling a volume, telling a bucket its rules."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from aifactory.components import names, pods
from aifactory.components.pods import Volume
from aifactory.components.rows import Gate, KubernetesRow, Maker, Tree, Wave, capability
from aifactory.components.storage_tier.paths import JOB_API

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
KUEUE = "kueue.x-k8s.io/v1beta2"
SCRATCH = Volume("scratch", "", "/tmp", scratch_gib=1)  # noqa: S108 - the pod's own, gone with it


class Once(Struct, frozen=True):
    """A Job of a tenant, beside its pod."""

    job: str
    account: str
    """ServiceAccount that is made for it."""
    namespace: str
    tenant: str
    queue: str
    """LocalQueue that admits it, empty where none does."""
    within_s: int
    """Longest time that it may take, what it waits for included. Unit: s."""
    after: tuple[str, ...]
    retries: int = 6
    """How often containers of its pod may start again; with OnFailure those that wait count, too."""


def once(job: Once, pod: Tree, maker: Maker) -> Iterator[KubernetesRow]:
    """The Job and its account, which may ask the API server nothing. Readers of its row wait until it is done."""
    labels = {names.TENANT_LABEL: job.tenant}
    account = maker.kubernetes(
        "v1",
        "ServiceAccount",
        job.account,
        job.namespace,
        labels=labels,
        body={"automountServiceAccountToken": False},
        wave=Wave.SERVING,
    )
    yield account
    queue = [names.object_id(KUEUE, "LocalQueue", job.namespace, job.queue), capability("kueue")] if job.queue else []
    whole: Tree = {
        "serviceAccountName": job.account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "OnFailure",
        "securityContext": pods.pod_security(owns_volumes=True),
        **pod,
    }
    yield maker.kubernetes(
        JOB_API,
        "Job",
        job.job,
        job.namespace,
        labels={**labels, **({QUEUE_LABEL: job.queue} if job.queue else {})},
        spec={
            "backoffLimit": job.retries,
            "activeDeadlineSeconds": job.within_s,
            "template": {"metadata": {"labels": {**maker.pod_labels(), **labels}}, "spec": whole},
        },
        after=[account.id, *job.after, *queue],
        wave=Wave.SERVING,
        gate=Gate(condition="Complete", timeout_s=job.within_s),
    )
