"""Rows of a tier: its place in the Ceph cluster, its classes, and what tenants have in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aifactory.components import names, pods, quantities, trusting
from aifactory.components.pods import Volume
from aifactory.components.rows import KubernetesRow, Maker, Row, Tree, Wave, capability
from aifactory.components.storage_tier import ceph_rows, keeping_rows
from aifactory.components.storage_tier.aws import volumes
from aifactory.components.storage_tier.aws.rows import cloud_rows
from aifactory.components.storage_tier.decided import (
    CEPHFS_DRIVER,
    KEEPS_LABEL,
    NFS_DRIVER,
    RBD_DRIVER,
    AwsClassPlan,
    AwsStorageTierPlan,
    ClassPlan,
    FillPlan,
    PathPlan,
    StorageTierPlan,
)
from aifactory.components.storage_tier.jobs import SCRATCH, Once, once
from aifactory.components.storage_tier.paths import BUCKET_API
from aifactory.components.values import SecretRef

CEPH_DRIVERS = (RBD_DRIVER, CEPHFS_DRIVER)
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
CLASS_API = "storage.k8s.io/v1"
TARGET = "/data"
RETRIES, LONGEST_PAUSE_S = 12, 300
"""A container that fails starts again after 10 s, 20 s and so on up to 300 s, of which the first five take as long as
one of the others; six more are for the copy. Source: kubernetes.io docs, Pod Lifecycle, container restarts."""
COPYING: Tree = {"requests": {"cpu": "4", "memory": "8Gi"}, "limits": {"memory": "8Gi"}}


def rows(plan: StorageTierPlan, maker: Maker) -> Iterator[Row]:
    """Everything of one tier. A class of the site is used, and no row names it but claims."""
    if isinstance(plan, AwsStorageTierPlan):
        yield from cloud_rows(plan.aws, maker)
    below = list(ceph_rows.rows(plan, maker))
    yield from below
    stands_on = [row.id for row in below[-1:]]
    if plan.made_class:
        # What mounts the volumes, too: `destroy` keeps whatever a protected volume waits for.
        stands_on += _mounted_by(plan.made_class)
        made = _class(plan.made_class, maker, stands_on)
        stands_on = [made.id]
        yield made
    for each in (plan.snapshots, plan.scheduled_class):
        if each:
            yield keeping_rows.snapshot_class(each, maker, stands_on)
    if plan.trust:
        for space in sorted({path.namespace for path in plan.paths}):
            yield trusting.trusted(maker, plan.trust, space, plan.issuer)
    yield from _paths(plan, maker, stands_on)
    for fill in plan.fills:
        yield from _fill(fill, maker)
    for rules in plan.retention:
        yield from keeping_rows.retention(rules, maker)
    yield from keeping_rows.schedules(plan, maker)


def _mounted_by(made: ClassPlan) -> list[str]:
    """The driver of a class on Ceph, in the tier that makes the cluster or beside it."""
    return [ceph_rows.driver_row(made.provisioner)] if made.provisioner in CEPH_DRIVERS else []


def _paths(plan: StorageTierPlan, maker: Maker, after: list[str]) -> Iterator[KubernetesRow]:
    """What tenants have in the tier."""
    if isinstance(plan, AwsStorageTierPlan):
        yield from volumes.rows(plan.aws, plan.storage_class, maker)
        return
    for path in plan.paths:
        yield _bucket(plan, path, maker, after) if path.bucket else _volume(plan, path, maker, after)


def _class(plan: ClassPlan, maker: Maker, after: list[str]) -> KubernetesRow:
    """A class holds no data: its volumes stay when it goes."""
    body: Tree = {
        "provisioner": plan.provisioner,
        "parameters": {**dict(plan.parameters), **dict(plan.references if isinstance(plan, AwsClassPlan) else ())},
        "reclaimPolicy": plan.reclaim,
        "volumeBindingMode": "WaitForFirstConsumer" if plan.waits else "Immediate",
    }
    if plan.expands:
        body["allowVolumeExpansion"] = True
    if plan.mount_options:
        body["mountOptions"] = list(plan.mount_options)
    nfs = plan.provisioner == NFS_DRIVER
    return maker.kubernetes(
        CLASS_API,
        "StorageClass",
        plan.name,
        annotations={DEFAULT_CLASS: "true"} if plan.default else None,
        body=body,
        after=[*after, *([capability("csi-driver-nfs")] if nfs else [])],
        # RDMA mounts need the NIC driver, which comes with the hardware.
        wave=Wave.HARDWARE if nfs else None,
    )


def _labels(path: PathPlan) -> dict[str, str]:
    return {names.TENANT_LABEL: path.tenant, KEEPS_LABEL: path.keeps}


def _bucket(plan: StorageTierPlan, path: PathPlan, maker: Maker, after: list[str]) -> KubernetesRow:
    """A bucket; its Secret and its ConfigMap get its name."""
    return maker.kubernetes(
        BUCKET_API,
        "ObjectBucketClaim",
        path.name,
        path.namespace,
        labels=_labels(path),
        spec={
            "generateBucketName": path.name[:BUCKET_CHARS].rstrip("-"),
            "storageClassName": plan.storage_class,
            "additionalConfig": {"maxSize": quantities.gib(path.size_gib)},
        },
        after=after,
        wave=Wave.SERVING,
        protect=True,
        retain_on_delete=True,
    )


BUCKET_CHARS = 26
"""The provisioner adds - and a UUID to it, and a bucket has 63 characters. Source: kube-object-storage/
lib-bucket-provisioner pkg/provisioner, composeBucketName."""


def _volume(plan: StorageTierPlan, path: PathPlan, maker: Maker, after: list[str]) -> KubernetesRow:
    return maker.kubernetes(
        "v1",
        "PersistentVolumeClaim",
        path.name,
        path.namespace,
        labels=_labels(path),
        spec={
            "accessModes": ["ReadWriteMany"],
            "storageClassName": plan.storage_class,
            "resources": {"requests": {"storage": quantities.gib(path.size_gib)}},
        },
        after=after,
        wave=Wave.SERVING,
        protect=True,
        retain_on_delete=True,
    )


def _fill(fill: FillPlan, maker: Maker) -> Iterator[KubernetesRow]:
    claim = names.object_id("v1", "PersistentVolumeClaim", fill.namespace, fill.claim)
    job = Once(
        job=fill.job,
        account=fill.claim,
        namespace=fill.namespace,
        tenant=fill.tenant,
        queue=fill.queue,
        within_s=fill.wait_s + fill.within_s,
        retries=RETRIES + fill.wait_s // LONGEST_PAUSE_S,
        after=(claim, fill.bucket_row, *trusting.rows(fill.trust, fill.namespace)),
    )
    yield from once(job, _pod(fill), maker)


def _pod(fill: FillPlan) -> Tree:
    volumes = (Volume("target", fill.claim, TARGET), SCRATCH)
    source = f"src:$(BUCKET_NAME)/{fill.folder}"
    first = f"{source.removesuffix('/')}/{fill.complete}" if fill.complete else source
    # Copies nothing, and ends with 9 where there is nothing to copy, or no such object. Source: rclone documentation,
    # Global Flags; 1.60.1 tried at an S3 server.
    waits = ["copy", "--dry-run", "--error-on-no-transfer", "--quiet", first, f"{SCRATCH.path}/nothing"]
    fills = ["copy", "--checksum", "--transfers=32", source, TARGET]
    return {
        "initContainers": [_rclone("wait", waits, (SCRATCH,), fill)],
        "containers": [_rclone("fill", fills, volumes, fill)],
        "volumes": [*pods.sources(volumes), *trusting.sources(fill.trust)],
    }


def _rclone(name: str, args: list[str], volumes: Iterable[Volume], fill: FillPlan) -> Tree:
    return {
        "name": name,
        "image": fill.image,
        "command": ["rclone"],
        "args": args,
        "env": list(_environment(fill)),
        "resources": COPYING,
        "securityContext": {**pods.confined(), "readOnlyRootFilesystem": True},
        "volumeMounts": [*pods.mounts(volumes), *trusting.mounts(fill.trust)],
    }


def _environment(fill: FillPlan) -> Iterator[Tree]:
    """rclone's remote `src`, and the name of the bucket. Source: rclone documentation, Environment variables."""
    yield {"name": "BUCKET_NAME", "valueFrom": {"configMapKeyRef": {"name": fill.bucket, "key": "BUCKET_NAME"}}}
    plain = {"TYPE": "s3", "PROVIDER": "Ceph", "ENDPOINT": fill.endpoint}
    yield {"name": "RCLONE_CONFIG", "value": "/tmp/none.conf"}  # noqa: S108 - a file that isn't there: no settings
    if fill.trust:
        yield {"name": "RCLONE_CA_CERT", "value": trusting.authority_path()}
    for name, value in plain.items():
        yield {"name": f"RCLONE_CONFIG_SRC_{name}", "value": value}
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        reference = SecretRef(fill.bucket, f"AWS_{name}")
        yield {"name": f"RCLONE_CONFIG_SRC_{name}", "valueFrom": {"secretKeyRef": reference}}
