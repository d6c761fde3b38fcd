"""Rows in the cluster of a tier at AWS: volumes that show pods a bucket or a folder, and the Job that makes folders."""

from __future__ import annotations

import json
from collections.abc import Iterator

from msgspec import Struct

from aifactory.components import names, pods, quantities
from aifactory.components.pods import Volume
from aifactory.components.rows import Gate, KubernetesRow, Maker, Tree, Wave
from aifactory.components.storage_tier.aws.model import FILE_SYSTEM, AwsTierPlan, BucketPlan, FolderPlan, LustrePlan
from aifactory.components.storage_tier.decided import FOLDER_NAMESPACE, KEEPS_LABEL
from aifactory.components.storage_tier.paths import JOB_API, job_name
from aifactory.components.values import Format, Ref

S3_DRIVER, LUSTRE_DRIVER = "s3.csi.aws.com", "fsx.csi.aws.com"
EVERY_MODE = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"]
ROOT = "/files"
WITHIN_S = 900
SMALL: Tree = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}}
MAKE_FOLDERS = 'set -eu; for each in "$@"; do [ -d "$each" ] || { mkdir -p "$each"; chmod 0777 "$each"; }; done'
"""The folder is open to whoever sees it: only pods that mount its volume do. One that is there stays as it is."""


def rows(plan: AwsTierPlan, storage_class: str, maker: Maker) -> Iterator[KubernetesRow]:
    """Volumes and claims of all paths."""
    for bucket in plan.buckets:
        yield from _bucket(bucket, plan, maker)
    if plan.lustre:
        yield from _files(plan.lustre, plan.key, storage_class, maker)


class Shown(Struct, frozen=True):
    """A volume that is bound to one claim."""

    name: str
    """Of the PersistentVolume, which is also its handle: drivers look at a handle once."""
    namespace: str
    claim: str
    size_gib: int
    modes: tuple[str, ...]
    storage_class: str
    options: tuple[str, ...]
    source: Tree
    labels: tuple[tuple[str, str], ...] = ()


def _bucket(plan: BucketPlan, whole: AwsTierPlan, maker: Maker) -> Iterator[KubernetesRow]:
    """A bucket as pods see it. Whoever mounts it is let in by his own role."""
    user = quantities.count(pods.UNPRIVILEGED_USER)
    writes = ("allow-delete", "allow-overwrite", f"uid={user}", f"gid={user}")
    shown = Shown(
        name=job_name(plan.claim, f"{plan.namespace}/{plan.claim}"),
        namespace=plan.namespace,
        claim=plan.claim,
        size_gib=plan.size_gib,
        modes=(plan.mode,),
        storage_class="",
        options=(
            f"region {whole.base.region.region}",
            "allow-other",
            *(writes if plan.mode == "ReadWriteMany" else ("read-only",)),
        ),
        source={
            "driver": S3_DRIVER,
            "volumeAttributes": {"bucketName": plan.bucket, "authenticationSource": "pod"},
        },
        labels=((names.TENANT_LABEL, plan.tenant),),
    )
    volume = _volume(shown, maker, [])
    yield volume
    yield _claim(shown, maker, [volume.id])


def _files(plan: LustrePlan, tier: str, storage_class: str, maker: Maker) -> Iterator[KubernetesRow]:
    """The root for the Job that makes folders, then each folder as pods see it."""
    root = Shown(
        name=f"{tier}-root",
        namespace=FOLDER_NAMESPACE,
        claim=f"{tier}-root",
        size_gib=plan.capacity_gib,
        modes=("ReadWriteMany",),
        storage_class=storage_class,
        options=("flock",),
        source=_lustre(tier, ""),
    )
    made = [each for each in plan.folders if not each.linked]
    waits: list[str] = []
    if made:
        volume = _volume(root, maker, [])
        claim = _claim(root, maker, [volume.id])
        job = _job(plan, tier, made, maker, [claim.id])
        yield from (volume, claim, job)
        waits = [job.id]
    for each in plan.folders:
        labels = ((names.TENANT_LABEL, each.tenant), (KEEPS_LABEL, each.keeps)) if each.own_claim else ()
        shown = Shown(
            name=each.volume,
            namespace=each.namespace,
            claim=each.claim,
            size_gib=each.size_gib,
            modes=tuple(EVERY_MODE),
            storage_class=storage_class,
            options=("flock",),
            source=_lustre(tier, f"/{each.folder}"),
            labels=labels,
        )
        volume = _volume(shown, maker, [] if each.linked else waits)
        yield volume
        if each.own_claim:
            yield _claim(shown, maker, [volume.id])


def _lustre(tier: str, folder: str) -> Tree:
    """A folder of a file system. Source: kubernetes-sigs/aws-fsx-csi-driver examples/kubernetes/static_provisioning;
    pkg/driver/node.go mounts DNSNAME@tcp:/MOUNTNAME, and Lustre a folder below it."""
    row = names.cloud_id(FILE_SYSTEM, tier)
    mounted: object = Format((Ref(row, "mountName"), folder)) if folder else Ref(row, "mountName")
    return {"driver": LUSTRE_DRIVER, "volumeAttributes": {"dnsname": Ref(row, "dnsName"), "mountname": mounted}}


def _volume(shown: Shown, maker: Maker, after: list[str]) -> KubernetesRow:
    return maker.kubernetes(
        "v1",
        "PersistentVolume",
        shown.name,
        labels=dict(shown.labels),
        spec={
            "capacity": {"storage": quantities.gib(shown.size_gib)},
            "accessModes": list(shown.modes),
            "storageClassName": shown.storage_class,
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": shown.namespace,
                "name": shown.claim,
            },
            "mountOptions": list(shown.options),
            "csi": {**shown.source, "volumeHandle": shown.name},
        },
        after=after,
        wave=Wave.SERVING,
        protect=True,
        retain_on_delete=True,
    )


def _claim(shown: Shown, maker: Maker, after: list[str]) -> KubernetesRow:
    return maker.kubernetes(
        "v1",
        "PersistentVolumeClaim",
        shown.claim,
        shown.namespace,
        labels=dict(shown.labels),
        spec={
            "accessModes": [shown.modes[-1]],
            "storageClassName": shown.storage_class,
            "volumeName": shown.name,
            "resources": {"requests": {"storage": quantities.gib(shown.size_gib)}},
        },
        after=after,
        wave=Wave.SERVING,
        protect=True,
        retain_on_delete=True,
    )


def _job(plan: LustrePlan, tier: str, made: list[FolderPlan], maker: Maker, after: list[str]) -> KubernetesRow:
    """Runs once for each set of folders. It is root without capabilities: the root of a new file system is root's."""
    folders = [f"{ROOT}/{each.folder}" for each in made]
    files = Volume("files", f"{tier}-root", ROOT)
    container: Tree = {
        "name": "folders",
        "image": plan.image,
        "command": ["/bin/sh", "-c", MAKE_FOLDERS, "folders"],
        "args": folders,
        "resources": SMALL,
        "securityContext": {**pods.confined(), "readOnlyRootFilesystem": True},
        "volumeMounts": pods.mounts([files]),
    }
    pod: Tree = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "OnFailure",
        "securityContext": pods.pod_security(0),
        "containers": [container],
        "volumes": pods.sources([files]),
    }
    return maker.kubernetes(
        JOB_API,
        "Job",
        job_name(f"{tier}-folders", json.dumps([plan.image, folders])),
        FOLDER_NAMESPACE,
        spec={
            "backoffLimit": 6,
            "activeDeadlineSeconds": WITHIN_S,
            "template": {"metadata": {"labels": maker.pod_labels()}, "spec": pod},
        },
        after=after,
        wave=Wave.SERVING,
        gate=Gate(condition="Complete", timeout_s=WITHIN_S),
    )
