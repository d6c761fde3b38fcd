"""Releases that make storage of drives and shares: Ceph's operator, local volumes, NFS."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.cluster.recipe import Need, Recipe, Setting, Terms, spread, tolerate_control_nodes
from aifactory.components.rows import Wave

_KERNEL = "its daemons and drivers work on drives and mounts of the node, which Pod Security otherwise forbids"


def _rook_ceph(terms: Terms) -> Iterator[Setting]:
    yield Setting("crds.enabled", True, "the definitions come with the operator; the chart keeps them on uninstall")
    yield Setting("csi.installCsiOperator", True, "since 1.20 the drivers are made by it alone")
    yield Setting("currentNamespaceOnly", True, "it must not take over a Ceph cluster of somebody else")
    yield Setting("enableDiscoveryDaemon", False, "drives are named by the site, never found")
    yield Setting("allowLoopDevices", False, "a loop device is a file, and no drive")
    why = "512Mi, the chart's limit, is small for a cluster of hundreds of drives"
    yield Setting("resources", {"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}, why)
    yield Setting("priorityClassName", terms.priority_class, "volumes wait for it before workloads do")
    yield from tolerate_control_nodes("tolerations")


def _topolvm(terms: Terms) -> Iterator[Setting]:
    yield Setting("storageClasses", [], "classes are the tiers': the chart's own has no tier and no failure domain")
    yield Setting("lvmd.managed", True, "nothing is installed on hosts; the volume group alone is theirs")
    yield Setting("webhook.certManager", True, "its webhook takes its certificate from there")
    yield Setting("cert-manager.enabled", False, "the cluster has one cert-manager")
    yield Setting("snapshot.enabled", False, "thick volumes take none, and its controller asks for their kinds")
    yield Setting("controller.replicaCount", terms.replicas, "a drained node must not stop new volumes")
    if terms.replicas == 1:
        why = "the chart keeps its pods apart, so at an update the new one would wait for ever for the old one's node"
        yield Setting("controller.affinity", "", why)
    yield from tolerate_control_nodes("controller.tolerations")


def _csi_driver_nfs(_: Terms) -> Iterator[Setting]:
    yield Setting("storageClass.create", False, "classes are the tiers'")
    yield Setting("controller.replicas", 2, "a drained node must not stop new volumes")
    yield Setting("controller.enableSnapshotter", False, "its snapshots are archives that block while they are made")
    yield Setting("controller.defaultOnDeletePolicy", "retain", "a deleted claim must not delete a folder of data")
    yield Setting("externalSnapshotter.enabled", False, "the cluster has one snapshot controller")


def _cloudnative_pg(terms: Terms) -> Iterator[Setting]:
    yield Setting("crds.create", True, "the definitions come with the operator that reads them")
    yield Setting("replicaCount", terms.replicas, "a drained node must not leave databases without a failover")
    yield Setting("config.clusterWide", True, "databases lie in the namespaces of their parts")
    why = "requests keep it scheduled, the limit stops a leak"
    yield Setting("resources", {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}}, why)
    yield Setting("priorityClassName", terms.priority_class, "databases wait for it to choose a new primary")
    label = "app.kubernetes.io/name"
    why = "two replicas on one node fall together"
    yield Setting("topologySpreadConstraints", spread(label, "cloudnative-pg"), why)
    yield Setting("monitoring.podMonitorEnabled", terms.scraped, "its monitor needs the kind")
    yield from tolerate_control_nodes("tolerations")


ROOK_CEPH = Recipe(
    wave=Wave.TELEMETRY,
    timeout_s=900,
    settings=_rook_ceph,
    purpose="Ceph's operator, and its cluster",
    pod_security="privileged",
    to=("any",),
    to_why=f"monitors and drives answer at addresses of nodes; {_KERNEL}",
    critical_pods=True,
    uses_priority_class=True,
)
CLOUDNATIVE_PG = Recipe(
    wave=Wave.TELEMETRY,
    timeout_s=600,
    settings=_cloudnative_pg,
    purpose="PostgreSQL databases",
    to=("any",),
    to_why="it asks each instance of a database for its state, in whatever namespace that is",
    webhooks=(9443,),
    metrics=(8080,),
    uses_priority_class=True,
    # A database that `destroy` keeps needs it for each failover, and its definitions come and go with the release.
    retain_on_delete=True,
)
TOPOLVM = Recipe(
    wave=Wave.TELEMETRY,
    timeout_s=900,
    settings=_topolvm,
    purpose="Volumes on drives of the node",
    pod_security="privileged",
    webhooks=(9443,),
    metrics=(8080,),
    critical_pods=True,
    needs=(Need("cert-manager", "its webhook takes its certificate from there", "webhook.certManager"),),
)
CSI_DRIVER_NFS = Recipe(
    wave=Wave.HARDWARE,
    timeout_s=600,
    settings=_csi_driver_nfs,
    purpose="Mounts of NFS shares",
    pod_security="privileged",
    to=("any",),
    to_why=f"servers stand outside of the cluster; {_KERNEL}",
    critical_pods=True,
    after=("network-operator",),  # OFED reloads rpcrdma, and mounts over it hang (network-operator#1830)
)
