"""Where daemons of Ceph run: on the nodes with its drives, apart from each other, with what each needs."""

from __future__ import annotations

from collections.abc import Iterable

from aifactory.components import pods
from aifactory.components.names import HOSTNAME_LABEL
from aifactory.components.offers import Taint
from aifactory.components.rows import Tree
from aifactory.components.storage_tier.decided import RACK_LABEL, CephPlan, PoolPlan

NODE_CRITICAL, CLUSTER_CRITICAL = "system-node-critical", "system-cluster-critical"
"""Classes that every cluster has, as Rook's chart gives them to its daemons."""
PRIORITIES: Tree = {"mon": NODE_CRITICAL, "osd": NODE_CRITICAL, "mgr": CLUSTER_CRITICAL}


def _needs(cpu: str, memory: str, limit: str = "") -> Tree:
    found: Tree = {"requests": {"cpu": cpu, "memory": memory}}
    return {**found, "limits": {"memory": limit}} if limit else found


RESOURCES: Tree = {
    "mon": _needs("1", "1Gi", "2Gi"),
    "mgr": _needs("500m", "512Mi", "1Gi"),
    "mgr-sidecar": _needs("100m", "40Mi", "100Mi"),
    "osd": _needs("1", "4Gi", "4Gi"),
    # No limit: it takes 1 to 2 GiB once for a large drive, and killed there it leaves the drive half made.
    "prepareosd": _needs("500m", "50Mi"),
    "crashcollector": _needs("100m", "60Mi", "60Mi"),
    "logcollector": _needs("100m", "100Mi", "1Gi"),
}
"""Source: rook/rook deploy/charts/rook-ceph-cluster/values.yaml, cephClusterSpec.resources; 4Gi is what an OSD's cache
is tuned for. Cores have no limit: a throttled monitor is lost to the others."""
GATEWAY, METADATA = _needs("1", "1Gi", "2Gi"), _needs("1", "4Gi", "4Gi")
"""Source: rook/rook deploy/charts/rook-ceph-cluster/values.yaml, cephObjectStores and cephFileSystems."""


def cluster(plan: CephPlan) -> Tree:
    """`placement` of a CephCluster. Drives wait for the label of their rack, which Ceph reads once."""
    nodes = [each.node for each in plan.nodes]
    found: Tree = {
        "all": {"nodeAffinity": _on(nodes), **_tolerating(plan.taints)},
    }
    if not plan.drive_class:
        found |= {"osd": racked(plan), "prepareosd": racked(plan)}
    if plan.apart_by_rack:
        # A lost rack must leave a majority.
        found["mon"] = {"topologySpreadConstraints": [_apart({"app": "rook-ceph-mon"}, RACK_LABEL)]}
    return found


def racked(plan: CephPlan) -> Tree:
    """`placement` of drives: on their nodes, once these have the label of their rack."""
    return {"nodeAffinity": _on([each.node for each in plan.nodes], [rack for rack, _ in plan.racks])}


def gateways(plan: PoolPlan, name: str) -> Tree:
    """`placement` of the gateways of an object store."""
    return _daemons(plan, {"app": "rook-ceph-rgw", "rook_object_store": name})


def metadata_servers(plan: PoolPlan, name: str) -> Tree:
    """`placement` of the metadata servers of a file system, the standby away from the active one."""
    return _daemons(plan, {"app": "rook-ceph-mds", "rook_file_system": name})


def _daemons(plan: PoolPlan, labels: dict[str, str]) -> Tree:
    over = [HOSTNAME_LABEL, *([RACK_LABEL] if plan.failure_domain == "rack" else [])]
    return {
        "nodeAffinity": _on(plan.nodes),
        "topologySpreadConstraints": [_apart(labels, label) for label in over],
        **_tolerating(plan.taints),
    }


def _apart(labels: dict[str, str], over: str) -> Tree:
    """A drained node doesn't count: its daemon may go where another is."""
    return {**pods.spread(labels, over), "whenUnsatisfiable": "DoNotSchedule", "nodeTaintsPolicy": "Honor"}


def _on(nodes: Iterable[str], racks: Iterable[str] = ()) -> Tree:
    here: list[Tree] = [{"key": HOSTNAME_LABEL, "operator": "In", "values": list(nodes)}]
    if racks:
        here.append({"key": RACK_LABEL, "operator": "In", "values": list(racks)})
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": here}]}}


def _tolerating(taints: Iterable[Taint]) -> Tree:
    found = [taint.toleration() for taint in taints]
    return {"tolerations": found} if found else {}
