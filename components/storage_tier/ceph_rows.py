"""Rows of Ceph: the cluster on named drives, its drivers, and the pool, files or buckets of a tier."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components import names, quantities, trusting
from aifactory.components.rows import Gate, KubernetesRow, Maker, Tree, capability
from aifactory.components.storage_tier import ceph_drives, ceph_placing
from aifactory.components.storage_tier.arithmetic import GIB, Redundancy
from aifactory.components.storage_tier.classes import DATA_POOL
from aifactory.components.storage_tier.decided import (
    CEPH_CLUSTER,
    CEPH_NAMESPACE,
    RACK_LABEL,
    SECURE_PORT,
    CephPlan,
    PoolPlan,
    StorageTierPlan,
    service_of,
)

CEPH, CSI = "ceph.rook.io/v1", "csi.ceph.io/v1"
IMAGES = "rook-csi-operator-image-set-configmap"
"""ConfigMap of the operator's chart with the drivers' images."""
OPERATOR_CONFIG = "ceph-csi-operator-config"
"""The one name that the drivers' operator reads. Source: ceph/ceph-csi-operator docs, OperatorConfig."""
READY = ".status.phase"
THREE = Redundancy(replicas=3)
NFD = "nfd.k8s-sigs.io/v1alpha1"
CLUSTER_TIMEOUT_S, POOL_TIMEOUT_S = 3_600, 900


def rows(plan: StorageTierPlan, maker: Maker) -> Iterator[KubernetesRow]:
    """What the tier makes of Ceph, the pool last. Nothing for a tier on another engine."""
    if plan.ceph:
        yield from _drivers(plan.ceph, maker)
        labels, drives = _racks(plan, plan.ceph, maker), list(ceph_drives.volumes(plan.ceph, maker))
        yield labels
        yield from drives
        after = [labels.id, *(row.id for row in drives)]
        yield _object("CephCluster", CEPH_CLUSTER, maker, _cluster(plan.ceph), after, CLUSTER_TIMEOUT_S)
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


def _racks(plan: StorageTierPlan, ceph: CephPlan, maker: Maker) -> KubernetesRow:
    """Racks of the nodes with drives, in the label that Rook makes Ceph's map from."""
    rules = [
        {
            "name": f"rack {rack}",
            "labels": {RACK_LABEL: rack},
            "matchFeatures": [
                {"feature": "system.name", "matchExpressions": {"nodename": {"op": "In", "value": list(nodes)}}}
            ],
        }
        for rack, nodes in ceph.racks
    ]
    after = [capability("node-feature-discovery")]
    return maker.kubernetes(NFD, "NodeFeatureRule", f"{plan.identity}-racks", spec={"rules": rules}, after=after)


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
        "placement": ceph_placing.cluster(plan),
        "priorityClassNames": ceph_placing.PRIORITIES,
        "resources": ceph_placing.RESOURCES,
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
            **({"VAULT_CACERT": plan.ca} if plan.ca else {}),
        }
        found["kms"] = {"connectionDetails": vault, "tokenSecretName": plan.token}
    return found


def _storage(plan: CephPlan) -> Tree:
    """Named nodes and drives, never all: an empty drive that somebody adds isn't Ceph's."""
    return {
        "useAllNodes": False,
        "useAllDevices": False,
        **ceph_drives.taken(plan),
        "nearFullRatio": 0.85,
        "backfillFullRatio": 0.9,
        "fullRatio": 0.95,
    }


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


def driver_row(provisioner: str) -> str:
    """Row of the CSI driver that mounts volumes of a class."""
    return names.object_id(CSI, "Driver", CEPH_NAMESPACE, provisioner)


def _cluster_id() -> str:
    return names.object_id(CEPH, "CephCluster", CEPH_NAMESPACE, CEPH_CLUSTER)


def _block(name: str, plan: PoolPlan, maker: Maker) -> Iterator[KubernetesRow]:
    yield _object("CephBlockPool", name, maker, _pool(plan, plan.redundancy, limited=True), [_cluster_id()])


def _files(name: str, plan: PoolPlan, maker: Maker) -> Iterator[KubernetesRow]:
    spec: Tree = {
        "metadataPool": _pool(plan, THREE),
        "dataPools": [{"name": DATA_POOL, **_pool(plan, plan.redundancy, limited=True)}],
        "preserveFilesystemOnDelete": True,
        "metadataServer": {
            "activeCount": 1,
            "activeStandby": True,
            "placement": ceph_placing.metadata_servers(plan, name),
            "priorityClassName": ceph_placing.CLUSTER_CRITICAL,
            "resources": ceph_placing.METADATA,
        },
    }
    files = _object("CephFilesystem", name, maker, spec, [_cluster_id()])
    yield files
    group: Tree = {"name": "csi", "filesystemName": name, "pinning": {"distributed": 1}}
    yield _object("CephFilesystemSubVolumeGroup", f"{name}-csi", maker, group, [files.id])


def _objects(name: str, plan: PoolPlan, maker: Maker) -> Iterator[KubernetesRow]:
    after = [_cluster_id()]
    if plan.issuer:
        hosts = [f"{service_of(name)}", f"{service_of(name)}.cluster.local"]
        certificate = trusting.serving(maker, f"{name}-gateway-tls", CEPH_NAMESPACE, hosts, plan.issuer)
        yield certificate
        after.append(certificate.id)
    spec: Tree = {
        "metadataPool": _pool(plan, THREE),
        "dataPool": _pool(plan, plan.redundancy, limited=True),
        "preservePoolsOnDelete": True,
        "gateway": {
            **(
                {"securePort": SECURE_PORT, "sslCertificateRef": f"{name}-gateway-tls"} if plan.issuer else {"port": 80}
            ),
            "instances": plan.gateways,
            # In the pod network, so that policies say which tenants reach it.
            "hostNetwork": False,
            "placement": ceph_placing.gateways(plan, name),
            "priorityClassName": ceph_placing.CLUSTER_CRITICAL,
            "resources": ceph_placing.GATEWAY,
        },
    }
    yield _object("CephObjectStore", name, maker, spec, after)


_POOLS = {"block": _block, "files": _files, "objects": _objects}
