"""What observability asks of the site: Prometheus with its neighbours, collectors, and what keeps logs and traces."""

from __future__ import annotations

from typing import Any

from aifactory.components.base import PlanContext
from aifactory.components.observability import buffering, footprint, values, volumes
from aifactory.components.observability.decided import LOKI, TEMPO
from aifactory.components.observability.footprint import Footprint
from aifactory.components.observability.places import Ways
from aifactory.components.observability.spec import ObservabilitySpec
from aifactory.components.observability.volumes import Disk


def collects(spec: ObservabilitySpec, found: Ways) -> bool:
    """Whether there are collectors."""
    return bool(spec.signals) or forwards(found)


def forwards(found: Ways) -> bool:
    """Whether a collector takes metrics out of the site."""
    sink = found.sink("metrics")
    return sink is not None and sink.kind == "otlp"


def own_prometheus(spec: ObservabilitySpec, ctx: PlanContext) -> Footprint | None:
    """What our Prometheus asks for, None where the site gives one."""
    if "metrics" in ctx.place.cluster.provides:
        return None
    if not _shares_nodes(ctx):
        return footprint.USUAL_PROMETHEUS
    mib = footprint.prometheus_mib(buffering.series_of(spec, ctx))
    return Footprint(footprint.PROMETHEUS.milli_cpus, mib)


def _shares_nodes(ctx: PlanContext) -> bool:
    """Whether controllers stand beside models, so that each GiB is counted."""
    return ctx.place.names_every_node


def require(spec: ObservabilitySpec, found: Ways, ctx: PlanContext) -> int | None:
    """Ask for what collects and keeps. Returns the volume of our Prometheus; None after a problem."""
    disk = volumes.disk_of(spec, ctx)
    given = "metrics" in ctx.place.cluster.provides
    gib = 0
    if given:
        ctx.require("metrics", "metrics, alerts and dashboards of the site")
    elif volumes.fit(disk, spec, ctx):
        gib = _require_metrics(spec, found, disk, ctx)
    else:
        return None
    if collects(spec, found):
        signals = [*spec.signals, *(["metrics"] if forwards(found) else [])]
        ctx.require("opentelemetry-operator", f"collectors of {' and '.join(signals)}")
    store, named = found.store, disk.name if disk.written else ""
    after = (disk.row,) if disk.row else ()
    for signal, bucket in found.stored if store else ():
        of = values.loki if signal == "logs" else values.tempo
        name = LOKI if signal == "logs" else TEMPO
        wanted = of(spec, store, bucket, named) if store else {}
        ctx.require(name, f"{signal} of the site", wanted, after=after)
    return gib


def managers(ctx: PlanContext) -> int:
    """How many Alertmanagers there are."""
    return 1 if ctx.place.is_one_node else 2


def tells(found: Ways) -> bool:
    """Whether there is an Alertmanager."""
    return any(found.sink(signal) for signal in ("alerts", "heartbeat"))


def _require_metrics(spec: ObservabilitySpec, found: Ways, disk: Disk, ctx: PlanContext) -> int:
    remote = found.sink("metrics")
    gib = buffering.metrics_gib(spec, disk, ctx)
    named = disk.name if disk.written else ""
    wanted = values.prometheus(
        spec,
        ctx.factory,
        ctx.place.site,
        gib=gib,
        managers=managers(ctx),
        remote=remote if remote and remote.kind == "prometheus" else None,
        pager=found.sink("alerts"),
        heartbeat=found.sink("heartbeat"),
        stored=[signal for signal, _ in found.stored],
        storage_class=named,
    )
    changes: list[Any] = []
    if disk.name:
        changes.append(values.claim(gib, named))
    own = own_prometheus(spec, ctx)
    if own and _shares_nodes(ctx):
        changes.append(values.small(own.mib, own.milli_cpus))
    for change in changes:
        wanted["prometheus"]["prometheusSpec"].update(change["prometheus"]["prometheusSpec"])  # type: ignore[index]
    ctx.require("metrics", "metrics, alerts and dashboards of the site", wanted)
    return gib if disk.name else 0
