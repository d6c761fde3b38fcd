"""Rows of Ceph: the cluster on named drives, its drivers, and the pool, files or buckets of a tier."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components import names, quantities
from aifactory.components.names import HOSTNAME_LABEL
from aifactory.components.rows import Gate, KubernetesRow, Maker, Tree, capability
from aifactory.components.storage_tier.arithmetic import GIB, Redundancy
from aifactory.components.storage_tier.classes import DATA_POOL
from aifactory.components.storage_tier.decided import (
    CEPH_CLUSTER,
    CEPH_NAMESPACE,
    CephPlan,
    NodeDevices,
    PoolPlan,
    StorageTierPlan,
)

CEPH, CSI = "ceph.rook.io/v1", "csi.ceph.io/v1"
IMAGES = "rook-csi-operator-image-set-configmap"
"""ConfigMap of the operator's chart with the drivers' images."""
OPERATOR_CONFIG = "ceph-csi-operator-config"
"""The one name that the drivers' operator reads. Source: ceph/ceph-csi-operator docs, OperatorConfig."""
READY = ".status.phase"
THREE = Redundancy(replicas=3)
CRITICAL = {"mon": "system-node-critical", "osd": "system-node-critical", "mgr": "system-cluster-critical"}
RESOURCES: Tree = {
    "mon": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
    "mgr": {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
    "osd": {"requests": {"cpu": "1", "memory": "4Gi"}, "limits": {"memory": "4Gi"}},
}
"""Source: rook/rook deploy/charts/rook-ceph-cluster/values.yaml @v1.20.6; 4Gi is what an OSD's cache is tuned for."""
CLUSTER_TIMEOUT_S, POOL_TIMEOUT_S = 3_600, 900


def rows(plan: StorageTierPlan, maker: Maker) -> Iterator[KubernetesRow]:
    """What the tier makes of Ceph, the pool last. Nothing for a tier on another engine."""
    if plan.ceph:
        yield from _drivers(plan.ceph, maker)
        yield _object("CephCluster", CEPH_CLUSTER, maker, _cluster(plan.ceph), [], CLUSTER_TIMEOUT_S)
    if plan.pool:
        yield from _POOLS[plan.pool.kind](plan.identity, plan.pool, maker)


def _object(
    kind: str, name: str, maker: Maker, spec: Tree, after: list[str], timeout_s: int = POOL_TIMEOUT_S
) -> KubernetesRow:
    """An object of Rook that holds data: protected, and left behind by `destroy`."""
    return maker.kubernetes(
        CEPH,
        kind,
        name,
        CEPH_NAMESPACE,
        spec=spec,
        after=[capability("rook-ceph"), *after],
        gate=Gate(path=READY, value="Ready", timeout_s=timeout_s),
        protect=True,
        retain_on_delete=True,
        timeout_s=timeout_s,
    )


def _drivers(plan: CephPlan, maker: Maker) -> Iterator[KubernetesRow]:
    """Since 1.20 Rook leaves its CSI drivers to an operator of theirs, which reads these."""
    if not plan.drivers:
        return
    defaults: Tree = {
        "imageSet": {"name": IMAGES},
        "nodePlugin": {"priorityClassName": "system-node-critical", "tolerations": [{"operator": "Exists"}]},
        "controllerPlugin": {"priorityClassName": "system-cluster-critical", "replicas": 2},
        "snapshotPolicy": "volumeSnapshot" if plan.snapshots else "none",
    }
    after = [capability("rook-ceph"), *([capability("volume-snapshots")] if plan.snapshots else [])]
    config = maker.kubernetes(
        CSI, "OperatorConfig", OPERATOR_CONFIG, CEPH_NAMESPACE, spec={"driverSpecDefaults": defaults}, after=after
    )
    yield config
    for name in plan.drivers:
        yield maker.kubernetes(CSI, "Driver", name, CEPH_NAMESPACE, spec={"fsGroupPolicy": "File"}, after=[config.id])


def _cluster(plan: CephPlan) -> Tree:
    spec: Tree = {
        "cephVersion": {"image": plan.image, "allowUnsupported": False},
        "dataDirHostPath": "/var/lib/rook",
        "mon": {"count": 3, "allowMultiplePerNode": False},
        "mgr": {"count": 2, "allowMultiplePerNode": False},
        "dashboard": {"enabled": False},
        "network": {
            "provider": "host",
            "connections": {"requireMsgr2": True, "encryption": {"enabled": plan.encrypted}},
        },
        "placement": {"all": {"nodeAffinity": _on([each.node for each in plan.nodes])}},
        "priorityClassNames": CRITICAL,
        "resources": RESOURCES,
        "storage": _storage(plan),
        "disruptionManagement": {"managePodBudgets": True},
        "cleanupPolicy": {"confirmation": "", "allowUninstallWithVolumes": False},
    }
    security = _security(plan)
    return {**spec, "security": security} if security else spec


def _security(plan: CephPlan) -> Tree:
    found: Tree = {"cephx": {"csi": {"keyType": plan.csi_key_type}}} if plan.csi_key_type else {}
    if plan.vault:
        vault = {
            "KMS_PROVIDER": "vault",
            "VAULT_ADDR": plan.vault,
            "VAULT_BACKEND_PATH": plan.path,
            "VAULT_SECRET_ENGINE": "kv",
        }
        found["kms"] = {"connectionDetails": vault, "tokenSecretName": plan.token}
    return found


def _storage(plan: CephPlan) -> Tree:
    """Named nodes and drives, never all: an empty drive that somebody adds isn't Ceph's."""
    return {
        "useAllNodes": False,
        "useAllDevices": False,
        **({"config": {"encryptedDevice": "true"}} if plan.encrypted else {}),
        "nodes": [_node(each) for each in plan.nodes],
        "nearFullRatio": 0.85,
        "backfillFullRatio": 0.9,
        "fullRatio": 0.95,
    }


def _node(devices: NodeDevices) -> Tree:
    if devices.filter:
        return {"name": devices.node, "deviceFilter": devices.filter}
    return {"name": devices.node, "devices": [{"name": path} for path in devices.paths]}


def _on(nodes: list[str]) -> Tree:
    here: Tree = {"key": HOSTNAME_LABEL, "operator": "In", "values": nodes}
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}}


def _pool(plan: PoolPlan, redundancy: Redundancy, *, limited: bool = False) -> Tree:
    found: Tree = {"failureDomain": plan.failure_domain}
    if redundancy.data:
        found["erasureCoded"] = {"dataChunks": redundancy.data, "codingChunks": redundancy.parity}
    else:
        safe = redundancy.replicas > 1
        found["replicated"] = {"size": redundancy.replicas, "requireSafeReplicaSize": safe}
    if limited:
        found["quotas"] = {"maxSize": quantities.gib(plan.max_bytes // GIB)}
    return found


def _cluster_id() -> str:
    return names.object_id(CEPH, "CephCluster", CEPH_NAMESPACE, CEPH_CLUSTER)


def _block(name: str, plan: PoolPlan, maker: Maker) -> Iterator[KubernetesRow]:
    yield _object("CephBlockPool", name, maker, _pool(plan, plan.redundancy, limited=True), [_cluster_id()])


def _files(name: str, plan: PoolPlan, maker: Maker) -> Iterator[KubernetesRow]:
    spec: Tree = {
        "metadataPool": _pool(plan, THREE),
        "dataPools": [{"name": DATA_POOL, **_pool(plan, plan.redundancy, limited=True)}],
        "preserveFilesystemOnDelete": True,
        "metadataServer": {"activeCount": 1, "activeStandby": True},
    }
    files = _object("CephFilesystem", name, maker, spec, [_cluster_id()])
    yield files
    group: Tree = {"name": "csi", "filesystemName": name, "pinning": {"distributed": 1}}
    yield _object("CephFilesystemSubVolumeGroup", f"{name}-csi", maker, group, [files.id])


def _objects(name: str, plan: PoolPlan, maker: Maker) -> Iterator[KubernetesRow]:
    spec: Tree = {
        "metadataPool": _pool(plan, THREE),
        "dataPool": _pool(plan, plan.redundancy, limited=True),
        "preservePoolsOnDelete": True,
        # In the pod network, so that policies say which tenants reach it.
        "gateway": {"port": 80, "instances": plan.gateways, "hostNetwork": False},
    }
    yield _object("CephObjectStore", name, maker, spec, [_cluster_id()])


_POOLS = {"block": _block, "files": _files, "objects": _objects}
