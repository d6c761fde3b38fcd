"""Alerts and charts of storage: the Ceph cluster, drives of nodes, and every volume that somebody claims."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.observability.alert import Alert, Group
from aifactory.components.observability.decided import ObservabilityPlan
from aifactory.components.observability.panel import Curve, Dashboard, Panel
from aifactory.components.observability.texts import any_of

CEPH, LOCAL, KUBELET = "ceph", "topolvm", "kubelet"
"""Rows of the catalog's exporters."""
NAMED = "on(pool_id) group_left(name) max by (pool_id, name) (ceph_pool_metadata)"
"""Gives a series of a pool its name. Source: ceph/ceph monitoring/ceph-mixin."""
FULL = "OSD_FULL|POOL_FULL"
DAMAGED = "PG_DAMAGED|OSD_SCRUB_ERRORS"
"""Health checks of Ceph. Source: docs.ceph.com, health checks."""
FULL_PERCENT = 97
"""Fill of a volume at which whoever writes to it is about to stop."""


def groups(plan: ObservabilityPlan) -> Iterator[Group]:
    """Alerts of all storage that is there."""
    for name, found in ((CEPH, _ceph(plan)), ("volumes", _volumes(plan))):
        alerts = tuple(found)
        if alerts:
            yield Group(f"{plan.identity}-{name}", alerts)


def _ceph(plan: ObservabilityPlan) -> Iterator[Alert]:
    if CEPH not in plan.watched.exporters:
        return
    yield Alert(
        "CephUnseen",
        "absent(ceph_health_status)",
        "10m",
        "critical",
        "No manager of Ceph reports: none runs, or nobody can reach its metrics.",
    )
    yield Alert(
        "CephInError",
        "max(ceph_health_status) == 2",
        "5m",
        "critical",
        "Ceph is in state HEALTH_ERR: data is out of reach or at risk. ceph health detail says why.",
    )
    yield Alert(
        "CephWarns",
        "max(ceph_health_status) == 1",
        "30m",
        "warning",
        "Ceph has been in state HEALTH_WARN for half an hour. ceph health detail says why.",
    )
    yield Alert(
        "CephDrivesDown",
        "count(ceph_osd_up == 0) > 0",
        "5m",
        "warning",
        "Drives of Ceph are down: their data has fewer copies until it is made good.",
    )
    yield from _placement()
    yield from _fill(plan)


def _placement() -> Iterator[Alert]:
    """Placement groups: what is read and written at all."""
    yield Alert(
        "CephDataUnreachable",
        f"sum by (name) ((ceph_pg_total - ceph_pg_active) * {NAMED}) > 0",
        "5m",
        "critical",
        "Placement groups of a pool are not active: what lies in them can't be read or written.",
    )
    yield Alert(
        "CephDataThin",
        f"sum by (name) ((ceph_pg_total - ceph_pg_clean) * {NAMED}) > 0",
        "1h",
        "warning",
        "Placement groups of a pool have had fewer copies than they should for an hour.",
    )
    yield Alert(
        "CephDataDamaged",
        f'max(ceph_health_detail{{name=~"{DAMAGED}"}}) > 0',
        "5m",
        "critical",
        "Ceph found copies that differ. ceph health detail names their placement groups.",
    )
    yield Alert(
        "CephSlow",
        "max(ceph_healthcheck_slow_ops) > 0",
        "10m",
        "warning",
        "Operations of Ceph have been waiting for 30 s and more: a drive or a network is slow.",
    )


def _fill(plan: ObservabilityPlan) -> Iterator[Alert]:
    share, limit = plan.limit.storage_percent, plan.watched.ceph_fill_percent
    yield Alert(
        "CephPoolFills",
        f"max by (name) (ceph_pool_percent_used * {NAMED}) > {share / 100:g}",
        "30m",
        "warning",
        f"A pool of Ceph is over {share} percent full.",
    )
    yield Alert(
        "CephBeyondFillLimit",
        f"max(ceph_cluster_total_used_raw_bytes / ceph_cluster_total_bytes) > {limit / 100:g}",
        "30m",
        "warning",
        f"The drives of Ceph are over {limit} percent full: when a host is lost, the others may not hold its data.",
    )
    yield Alert(
        "CephFull",
        f'max(ceph_health_detail{{name=~"{FULL}"}}) > 0',
        "1m",
        "critical",
        "Ceph is full, and takes no more writes.",
    )


def _volumes(plan: ObservabilityPlan) -> Iterator[Alert]:
    share, there = plan.limit.storage_percent, plan.watched.exporters
    if KUBELET in there and plan.watched.namespaces:
        fill = _claims(plan)
        yield Alert(
            "VolumeFills",
            f"{fill} > {share / 100:g}",
            "30m",
            "warning",
            f"A volume is over {share} percent full.",
        )
        yield Alert(
            "VolumeFull",
            f"{fill} > {FULL_PERCENT / 100:g}",
            "5m",
            "critical",
            f"A volume is over {FULL_PERCENT} percent full: whoever writes to it is about to stop.",
        )
    if LOCAL in there:
        used = "1 - topolvm_volumegroup_available_bytes / topolvm_volumegroup_size_bytes"
        yield Alert(
            "LocalDrivesFill",
            f"max by (node) ({used}) > {share / 100:g}",
            "30m",
            "warning",
            f"Volumes take over {share} percent of the drives of a node: soon none fits there.",
        )
        yield Alert(
            "LocalDrivesUnseen",
            "absent(topolvm_volumegroup_size_bytes)",
            "15m",
            "warning",
            "No node reports what its drives hold: the driver of local volumes doesn't run, or can't be reached.",
        )


def _claims(plan: ObservabilityPlan) -> str:
    """Fill of each volume in namespaces of ours. A claim that several nodes mount is reported by each of them."""
    own = f"{{namespace=~{any_of(plan.watched.namespaces)}}}"
    used, whole = (f"kubelet_volume_stats_{what}_bytes{own}" for what in ("used", "capacity"))
    return f"max by (namespace, persistentvolumeclaim) ({used} / {whole})"


def dashboards(plan: ObservabilityPlan) -> Iterator[Dashboard]:
    """Charts of all storage that is there."""
    panels = tuple(_panels(plan))
    if panels:
        yield Dashboard("storage", "Storage", panels)


def _panels(plan: ObservabilityPlan) -> Iterator[Panel]:
    there = plan.watched.exporters
    if CEPH in there:
        yield Panel("Ceph: state (0 well, 1 warns, 2 in error)", "short", (Curve("max(ceph_health_status)", "state"),))
        drives = (
            Curve("sum(ceph_osd_up)", "up"),
            Curve("sum(ceph_osd_in)", "in use"),
            Curve("count(ceph_osd_up)", "all"),
        )
        yield Panel("Ceph: drives", "short", drives)
        full = f"max by (name) (ceph_pool_percent_used * {NAMED})"
        yield Panel("Ceph: pools", "percentunit", (Curve(full, "{{name}}"),))
        raw = Curve("max(ceph_cluster_total_used_raw_bytes)", "used"), Curve("max(ceph_cluster_total_bytes)", "whole")
        yield Panel("Ceph: drives' bytes", "bytes", raw)
        groups = (
            Curve("sum(ceph_pg_total)", "all"),
            Curve("sum(ceph_pg_active)", "active"),
            Curve("sum(ceph_pg_clean)", "clean"),
        )
        yield Panel("Ceph: placement groups", "short", groups)
        yield Panel("Ceph: slow operations", "short", (Curve("max(ceph_healthcheck_slow_ops)", "slow"),))
    if LOCAL in there:
        free = "sum by (node) (topolvm_volumegroup_available_bytes)"
        yield Panel("Local drives: free", "bytes", (Curve(free, "{{node}}"),))
    if KUBELET in there and plan.watched.namespaces:
        yield Panel("Volumes", "percentunit", (Curve(_claims(plan), "{{namespace}} {{persistentvolumeclaim}}"),))
