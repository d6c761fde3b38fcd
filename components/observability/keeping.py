"""Which volumes keep telemetry in the cluster, and how large they are: whoever has their class counts them."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.base import PlanContext
from aifactory.components.capabilities import log_copies
from aifactory.components.observability.buffering import Disk
from aifactory.components.observability.decided import ObservabilityPlan
from aifactory.components.observability.places import Ways
from aifactory.components.offers import StorageUse

STORE_GIB = 10
"""Volume of a Loki replica, and of Tempo: what is not in the object store yet. Source: charts loki 18.11.0, value
singleBinary.persistence.size, and tempo, value persistence.size."""


def volumes(
    plan: ObservabilityPlan, found: Ways, disk: Disk, metrics_gib: int, ctx: PlanContext
) -> Iterator[StorageUse]:
    """Volumes of this part on the cluster's classes. Alertmanager has none, and agents write to disks of their
    nodes."""

    def on(storage_class: str, gib: int, what: str) -> StorageUse:
        return StorageUse(ctx.part, 0, storage_class, "telemetry", gib, what=what)

    if metrics_gib:
        yield on(disk.name, metrics_gib, "Prometheus")
    if plan.buffer and plan.buffer.storage_class:
        yield on(plan.buffer.storage_class, plan.buffer.volume_gib * plan.replicas, "queues of collectors")
    # Their charts make volumes where the cluster has a default class, and then on the one that is named.
    stores = {signal for signal, _ in found.stored}
    if any(each.default for each in ctx.place.cluster.storage_classes):
        if "logs" in stores:
            yield on(disk.name, STORE_GIB * log_copies(ctx.place.node_count), "Loki")
        if "traces" in stores:
            yield on(disk.name, STORE_GIB, "Tempo")
