"""How Ceph gets its drives: as encrypted local volumes where a Vault has their keys, else of hosts by name.

Rook fetches keys from a Vault for drives that are volumes alone; of drives of hosts Ceph's monitors keep them, whatever
`security.kms` says. Sources: rook/rook pkg/operator/ceph/cluster/osd/provision_spec.go, provisionOSDContainer;
rook/rook#13410; deploy/examples/cluster-on-local-pvc.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from aifactory.components import quantities
from aifactory.components.names import HOSTNAME_LABEL
from aifactory.components.rows import KubernetesRow, Maker, Tree
from aifactory.components.storage_tier import ceph_placing
from aifactory.components.storage_tier.decided import NO_DRIVER, CephPlan, NodeDevices

CLASS_API = "storage.k8s.io/v1"
ONE_NODE = "ReadWriteOnce"


def volumes(plan: CephPlan, maker: Maker) -> Iterator[KubernetesRow]:
    """A local block volume for each drive, and their class. Nothing where Ceph takes drives of hosts."""
    if not plan.drive_class:
        return
    body: Tree = {
        "provisioner": NO_DRIVER,
        "reclaimPolicy": "Retain",
        # Bound where the pod that prepares the drive is placed: on nodes with the label of their rack.
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    made = maker.kubernetes(CLASS_API, "StorageClass", plan.drive_class, body=body)
    yield made
    for devices in plan.nodes:
        for path in devices.paths:
            yield _volume(plan, devices.node, path, maker, made.id)


def _volume(plan: CephPlan, node: str, path: str, maker: Maker, after: str) -> KubernetesRow:
    """One drive. Its name follows from node and path, which can't be changed: another path is another volume. A drive
    that is swapped below `by_path` has the same, which stays Released until somebody clears its `claimRef`."""
    here: Tree = {"key": HOSTNAME_LABEL, "operator": "In", "values": [node]}
    spec: Tree = {
        "accessModes": [ONE_NODE],
        "capacity": {"storage": quantities.count(plan.drive_bytes)},
        "local": {"path": path},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": plan.drive_class,
        "volumeMode": "Block",
    }
    name = f"{plan.drive_class}-{sha256(f'{node} {path}'.encode()).hexdigest()[:10]}"
    # Not protected by itself, so that a broken drive may leave the site file; the protected cluster waits for it, so
    # `destroy` keeps it with the cluster. It holds no data: what is on the drive stays when the object goes.
    return maker.kubernetes("v1", "PersistentVolume", name, spec=spec, after=[after])


def taken(plan: CephPlan) -> Tree:
    """The part of `storage` of a CephCluster that says which drives it takes."""
    if plan.drive_class:
        return {"storageClassDeviceSets": [_set(plan)]}
    config: Tree = {"config": {"encryptedDevice": "true"}} if plan.encrypted else {}
    return {**config, "nodes": [_node(each) for each in plan.nodes]}


def _set(plan: CephPlan) -> Tree:
    claim: Tree = {
        "accessModes": [ONE_NODE],
        "resources": {"requests": {"storage": quantities.count(plan.drive_bytes)}},
        "storageClassName": plan.drive_class,
        "volumeMode": "Block",
    }
    return {
        "name": plan.drives,
        "count": plan.osds,
        "encrypted": True,
        # A local volume goes nowhere: in Ceph's map it stays below its host.
        "portable": False,
        # What `placement` and `resources` of the cluster say of drives is for those of hosts.
        "placement": ceph_placing.racked(plan),
        "preparePlacement": ceph_placing.racked(plan),
        "resources": ceph_placing.RESOURCES["osd"],
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
    }


def _node(devices: NodeDevices) -> Tree:
    if devices.filter:
        return {"name": devices.node, "deviceFilter": devices.filter}
    return {"name": devices.node, "devices": [{"name": path} for path in devices.paths]}
