"""The StorageClass and the VolumeSnapshotClass of a tier. Parameters are those of the drivers' own examples."""

from __future__ import annotations

from msgspec.structs import replace

from aifactory.components import names
from aifactory.components.storage_tier.aws.model import KEY, key_name
from aifactory.components.storage_tier.aws_spec import EbsSpec
from aifactory.components.storage_tier.decided import (
    BUCKET_PROVISIONER,
    CEPH_NAMESPACE,
    CEPHFS_DRIVER,
    EBS_DRIVER,
    NFS_DRIVER,
    NO_DRIVER,
    RBD_DRIVER,
    TOPOLVM_DRIVER,
    AwsClassPlan,
    ClassPlan,
    Pairs,
    SnapshotPlan,
)
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.values import Ref

DATA_POOL = "data0"
_SECRETS = ("provisioner", "controller-expand", "controller-publish", "node-stage")
_CSI = "csi.storage.k8s.io"
RDMA_MOUNT = ("vers=4.1", "proto=rdma", "port=20049", "max_connect=16", "rsize=262144", "wsize=262144")
"""Source: kubernetes-csi/csi-driver-nfs deploy/example; linux Documentation/filesystems/nfs/nfs-rdma.rst."""


def made_class(draft: Draft) -> ClassPlan | None:
    """The class of the tier, None where the site has it."""
    spec = draft.spec
    reclaim, name = spec.reclaim, draft.storage_class
    if spec.engine in ("existing", "s3", "instance-store"):
        return None
    if spec.engine == "fsx-lustre":
        return ClassPlan(name, NO_DRIVER, (), reclaim="Retain", expands=False, default=spec.default)
    if spec.engine == "ebs":
        return _of_ebs(draft)
    if spec.engine == "topolvm":
        parameters: Pairs = (("topolvm.io/device-class", name), (f"{_CSI}/fstype", "xfs"))
        return ClassPlan(name, TOPOLVM_DRIVER, parameters, waits=True, reclaim="Delete", default=spec.default)
    if spec.engine == "nfs-rdma":
        on_delete = "retain" if reclaim == "Retain" else "delete"
        parameters = (("server", draft.server), ("share", draft.share), ("onDelete", on_delete))
        return ClassPlan(name, NFS_DRIVER, parameters, RDMA_MOUNT, reclaim=reclaim, default=spec.default)
    if spec.tier == "block":
        own: Pairs = (("pool", name), ("imageFormat", "2"), ("imageFeatures", "layering"), (f"{_CSI}/fstype", "ext4"))
        parameters = (("clusterID", CEPH_NAMESPACE), *own, *_secrets("rbd", _SECRETS))
        return ClassPlan(name, RBD_DRIVER, parameters, reclaim=reclaim, default=spec.default)
    if spec.tier == "parallel":
        own = (("fsName", name), ("pool", f"{name}-{DATA_POOL}"))
        uses = tuple(use for use in _SECRETS if use != "controller-publish")
        parameters = (("clusterID", CEPH_NAMESPACE), *own, *_secrets("cephfs", uses))
        return ClassPlan(name, CEPHFS_DRIVER, parameters, reclaim=reclaim, default=spec.default)
    parameters = (("objectStoreName", name), ("objectStoreNamespace", CEPH_NAMESPACE))
    return ClassPlan(name, BUCKET_PROVISIONER, parameters, reclaim=reclaim, expands=False)


def _of_ebs(draft: Draft) -> ClassPlan:
    """Source: kubernetes-sigs/aws-ebs-csi-driver docs/parameters.md."""
    spec = draft.spec
    wish = spec.ebs or EbsSpec()
    tags = {"aifactory:tier": spec.identity, "aifactory:data-class": spec.data_class or ""}
    parameters = {
        "type": wish.type,
        "iops": str(wish.iops or ""),
        "throughput": str(wish.mib_per_s or ""),
        "encrypted": "true",
        f"{_CSI}/fstype": "xfs",
        **{f"tagSpecification_{n}": f"{k}={v}" for n, (k, v) in enumerate(tags.items(), 1) if v},
    }
    return AwsClassPlan(
        draft.storage_class,
        EBS_DRIVER,
        tuple((key, value) for key, value in parameters.items() if value),
        waits=True,
        reclaim=spec.reclaim,
        default=spec.default,
        references=(("kmsKeyId", Ref(names.cloud_id(KEY, key_name(spec.identity)), "arn")),),
    )


def snapshots_of(draft: Draft) -> SnapshotPlan | None:
    """The class of its snapshots, None where it has none or the site's is used."""
    if draft.spec.snapshots and draft.spec.engine == "ebs":
        return SnapshotPlan(draft.storage_class, EBS_DRIVER, ())
    if not draft.spec.snapshots or not draft.on_ceph:
        return None
    kind, driver = ("rbd", RBD_DRIVER) if draft.spec.tier == "block" else ("cephfs", CEPHFS_DRIVER)
    secret = f"rook-csi-{kind}-provisioner"
    names = ((f"{_CSI}/snapshotter-secret-name", secret), (f"{_CSI}/snapshotter-secret-namespace", CEPH_NAMESPACE))
    return SnapshotPlan(draft.storage_class, driver, (("clusterID", CEPH_NAMESPACE), *names))


def scheduled_class(draft: Draft) -> SnapshotPlan | None:
    """The class of snapshots that schedules take. It lets go of a snapshot with its object: with Retain, those beyond
    the number kept would stay on the drives for ever, and no object would say so."""
    usual = snapshots_of(draft)
    if usual is None or draft.spec.scheduled is None:
        return None
    return replace(usual, name=f"{usual.name}-scheduled", deletion="Delete")


def _secrets(kind: str, uses: tuple[str, ...]) -> Pairs:
    """Secrets that Rook makes in its namespace, one for controllers and one for nodes."""
    return tuple(
        pair
        for use in uses
        for pair in (
            (f"{_CSI}/{use}-secret-name", f"rook-csi-{kind}-{'node' if use == 'node-stage' else 'provisioner'}"),
            (f"{_CSI}/{use}-secret-namespace", CEPH_NAMESPACE),
        )
    )
