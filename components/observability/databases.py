"""Alerts and charts of vector stores that CloudNativePG runs."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.observability.alert import Alert, Group
from aifactory.components.observability.decided import ObservabilityPlan, WatchedDatabase
from aifactory.components.observability.panel import Curve, Dashboard, Panel
from aifactory.components.observability.texts import matcher, quoted

CLUSTER = "cnpg_io_cluster"
"""Label of its series with the name of their database, as the monitor copies it."""
LAG_S = 60
WAITING_SEGMENTS = 10
"""Segments of the log, of 16 MiB, that wait for the archive. Starting point."""
BACKUP_HOURS = 36
"""Age of the last base backup: one is made each day, and may take some hours."""


def groups(plan: ObservabilityPlan) -> Iterator[Group]:
    """Alerts of each database."""
    for each in plan.watched.databases:
        yield Group(f"{plan.identity}-{each.part}", tuple(_alerts(each)))


def _own(each: WatchedDatabase) -> str:
    return matcher(namespace=each.namespace, **{CLUSTER: each.cluster})


def _alerts(each: WatchedDatabase) -> Iterator[Alert]:
    own, labels = _own(each), (("database", each.cluster),)
    yield Alert(
        "DatabaseUnseen",
        f"absent(cnpg_collector_up{own} == 1)",
        "5m",
        "critical",
        f"No instance of database {each.cluster} reports to be up: nobody finds a document.",
        labels,
    )
    if each.instances > 1:
        yield Alert(
            "DatabaseInstanceDown",
            f"count(cnpg_collector_up{own} == 1) < {each.instances}",
            "15m",
            "warning",
            f"Fewer than {each.instances} instances of database {each.cluster} are up.",
            labels,
        )
        yield Alert(
            "DatabaseLags",
            f"max(cnpg_pg_replication_lag{own}) > {LAG_S}",
            "10m",
            "warning",
            f"A replica of database {each.cluster} is over {LAG_S} s behind.",
            labels,
        )
        yield Alert(
            "DatabaseAlone",
            f"max(cnpg_pg_replication_streaming_replicas{own}) == 0",
            "5m",
            "critical",
            f"No replica follows database {each.cluster}: a write is in one place alone.",
            labels,
        )
    if each.backs_up:
        yield from _backups(each, own, labels)


def _backups(each: WatchedDatabase, own: str, labels: tuple[tuple[str, str], ...]) -> Iterator[Alert]:
    waiting = own.replace("{", "{" + f"value={quoted('ready')},", 1)
    yield Alert(
        "DatabaseArchiveWaits",
        f"max(cnpg_collector_pg_wal_archive_status{waiting}) > {WAITING_SEGMENTS}",
        "15m",
        "critical",
        f"Changes of database {each.cluster} don't reach the archive, and fill the volume of its log.",
        labels,
    )
    yield Alert(
        "DatabaseBackupOld",
        f"time() - max(cnpg_collector_last_available_backup_timestamp{own}) > {BACKUP_HOURS * 3_600}",
        "15m",
        "critical",
        f"The last backup of database {each.cluster} is over {BACKUP_HOURS} hours old, or there is none.",
        labels,
    )


def dashboards(plan: ObservabilityPlan) -> Iterator[Dashboard]:
    """Charts of all databases."""
    panels = tuple(panel for each in plan.watched.databases for panel in _panels(each))
    if panels:
        yield Dashboard("databases", "Vector stores", panels)


def _panels(each: WatchedDatabase) -> Iterator[Panel]:
    own, name = _own(each), each.cluster
    yield Panel(f"{name}: instances up", "short", (Curve(f"sum(cnpg_collector_up{own})", "up"),))
    size = f"max by (datname) (cnpg_pg_database_size_bytes{own})"
    yield Panel(f"{name}: size", "bytes", (Curve(size, "{{datname}}"),))
    yield Panel(f"{name}: connections", "short", (Curve(f"sum by (state) (cnpg_backends_total{own})", "{{state}}"),))
    if each.instances > 1:
        lag = f"max by (pod) (cnpg_pg_replication_lag{own})"
        yield Panel(f"{name}: replicas behind", "s", (Curve(lag, "{{pod}}"),))
    if each.backs_up:
        age = f"time() - max(cnpg_collector_last_available_backup_timestamp{own})"
        yield Panel(f"{name}: age of the last backup", "s", (Curve(age, "age"),))
