"""Which volumes keep telemetry in the cluster, and how large they are: whoever has their class counts them."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.base import PlanContext
from aifactory.components.capabilities import log_copies
from aifactory.components.observability.asking import managers, tells
from aifactory.components.observability.decided import ObservabilityPlan
from aifactory.components.observability.places import Ways
from aifactory.components.observability.volumes import ALERTMANAGER_GIB, KEEPER_GIB, Disk
from aifactory.components.offers import StorageUse


def volumes(
    plan: ObservabilityPlan, found: Ways, disk: Disk, metrics_gib: int, ctx: PlanContext
) -> Iterator[StorageUse]:
    """Volumes of this part on the cluster's classes. Agents write to disks of their nodes."""

    def on(storage_class: str, gib: int, what: str) -> StorageUse:
        return StorageUse(ctx.part, 0, storage_class, "telemetry", gib, what=what)

    if metrics_gib:
        yield on(disk.name, metrics_gib, "Prometheus")
    if plan.buffer and plan.buffer.storage_class:
        yield on(plan.buffer.storage_class, plan.buffer.volume_gib * plan.replicas, "queues of collectors")
    if disk.written and metrics_gib and tells(found):
        yield on(disk.name, ALERTMANAGER_GIB * managers(ctx), "Alertmanager")
    stores = {signal for signal, _ in found.stored}
    if disk.name:
        if "logs" in stores:
            yield on(disk.name, KEEPER_GIB * log_copies(ctx.place.node_count), "Loki")
        if "traces" in stores:
            yield on(disk.name, KEEPER_GIB, "Tempo")
