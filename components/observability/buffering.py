"""What waits on disk while the uplink of a site is gone: how much comes, how much room that takes, whether there is
any."""

from __future__ import annotations

import math

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.observability.decided import OFFSETS, Buffer
from aifactory.components.observability.places import Ways
from aifactory.components.observability.spec import ObservabilitySpec
from aifactory.components.observability.volumes import Disk, disk_of
from aifactory.components.offers import ModelOffer
from aifactory.components.problems import Path

GIB = 2**30
HOUR_S = 3_600
FORWARD_S = 60
"""Time between two readings of metrics that leave the site."""
SCRAPE_S = 30
"""Time between two readings of a target."""
SAMPLE_BYTES = 2
"""Of a sample in Prometheus. Source: prometheus.io docs, storage: 1 to 2 bytes a sample."""
SPAN_BYTES, LINE_BYTES, POINT_BYTES = 1_024, 768, 256
"""Of a span, a line and a point of a metric as they wait in a queue, with all attributes that pass. The first two are
measured in tests/engine/test_store_and_forward.py; a point has no more labels than a line has attributes."""
LINES_PER_REQUEST = 2
"""The proxy writes one and the engine another."""
SLACK = 1.25
"""Room of a queue's file over what is in it: pages that are not full, and the copy that is made once it is empty."""
FILE_BYTES = 16 * 2**20
"""By which the file of a queue grows. Source: go.etcd.io/bbolt, DefaultAllocSize; measured as SLACK is."""
LEAST_BYTES = 8 * 2**20
"""Of a queue: a collector refuses one that no whole batch fits in."""
WAL_HOURS = 2
"""Time that Prometheus sends later what it could not send. Source: prometheus.io docs, remote write tuning: after two
hours the write-ahead log is compacted, and unsent data is lost."""
USUAL_GIB = 200
LEAST_GIB = 10
SERIES_OF_A_SITE, SERIES_OF_A_NODE = 40_000, 4_000
"""Of Kubernetes and its controllers, and of a node with its GPUs. Starting points, to be measured:
prometheus_tsdb_head_series."""


def away_hours(ctx: PlanContext) -> float:
    """Longest time without an uplink, 0 where it is always there."""
    return ctx.place.uplink.outage_hours if ctx.place.uplink else 0.0


def series_of(spec: ObservabilitySpec, ctx: PlanContext) -> int:
    """Series that Prometheus keeps."""
    return spec.rates.series or SERIES_OF_A_SITE + SERIES_OF_A_NODE * ctx.place.node_count


def metrics_gib(spec: ObservabilitySpec, disk: Disk, ctx: PlanContext) -> int:
    """Volume of Prometheus: as written, the usual one, or what the series need where the disk is small."""
    keep, series = spec.retention, series_of(spec, ctx)
    needed = _history_gib(spec, ctx)
    small = disk.holds_gib is not None and disk.holds_gib < 10 * USUAL_GIB
    counted = (
        f"{series} series, one sample in {SCRAPE_S} s of {SAMPLE_BYTES} bytes, {keep.metrics_days} days, and as much "
        f"again for what is being written: {needed} GiB, {LEAST_GIB} at least"
    )
    value = keep.metrics_gib or (needed if small else USUAL_GIB)
    return ctx.decide(
        "metrics_volume",
        {"gib": value, "days": keep.metrics_days},
        f"as written; {counted}"
        if keep.metrics_gib
        else f"{counted}. {disk.name} holds {disk.holds_gib} GiB"
        if small
        else f"room to grow: {counted}",
        rejected=[Rejected(f"{USUAL_GIB} GiB", "over a tenth of the disk")] if small and not keep.metrics_gib else [],
        source=("retention", "metrics_gib") if keep.metrics_gib else (),
    )["gib"]


def _history_gib(spec: ObservabilitySpec, ctx: PlanContext) -> int:
    """What the series need for the days that they are kept."""
    return max(LEAST_GIB, math.ceil(_history_bytes(series_of(spec, ctx), spec.retention.metrics_days) / GIB))


def _history_bytes(series: int, days: int) -> float:
    return 2 * series * SAMPLE_BYTES * days * 24 * HOUR_S / SCRAPE_S


def rates(spec: ObservabilitySpec, found: Ways, ctx: PlanContext) -> dict[str, float]:
    """Bytes per s of each signal that leaves by the uplink, at the peak of each model all the time."""
    asked = {offer.model: ctx.demand_of(offer.model) for offer in ctx.offers(ModelOffer)}
    per_s = sum(each[1].rate[1] for each in asked.values() if each)
    given = spec.rates
    lines = given.log_lines_per_s * ctx.place.node_count + LINES_PER_REQUEST * per_s
    every = {
        "traces": per_s * given.spans_per_request * spec.traces_percent / 100 * SPAN_BYTES,
        "logs": lines * LINE_BYTES,
        "sent": given.program_lines_per_s * LINE_BYTES,
        "metrics": given.forwarded_series * POINT_BYTES / FORWARD_S,
    }
    leaving = {signal for signal, sink in found.sinks if sink.kind != "alerts"}
    leaving |= {"sent"} if "logs" in leaving else set()
    return {signal: rate for signal, rate in every.items() if signal in leaving}


def buffer_of(
    spec: ObservabilitySpec, found: Ways, replicas: int, own_gib: int, ctx: PlanContext
) -> tuple[bool, Buffer | None]:
    """Whether all that leaves the site waits out its longest outage, and where. No buffer where nothing has to wait."""
    hours = away_hours(ctx)
    if not hours:
        return True, None
    kinds = _kinds_wait(found, hours, ctx)
    leaving = rates(spec, found, ctx)
    if not kinds or not leaving:
        return kinds, None
    seconds, nodes, disk = hours * HOUR_S, ctx.place.node_count, disk_of(spec, ctx)
    queues = {signal: _queue(rate * seconds) for signal, rate in leaving.items() if signal != "logs"}
    on_nodes = _queue(leaving["logs"] / nodes * seconds) if "logs" in leaving else 0
    buffer = Buffer(
        hours=hours,
        queues=tuple((name.replace("sent", "logs"), size) for name, size in queues.items()),
        agent_bytes=on_nodes,
        volume_gib=_file_gib(*queues.values()),
        storage_class=disk.name,
    )
    fits = _fits(buffer, disk, replicas, own_gib, spec, ctx)
    carried = _carried(sum(leaving.values()), ctx)
    _explain(buffer, leaving, disk, ctx)
    return fits and carried, buffer


def _queue(needed: float) -> int:
    return max(LEAST_BYTES, math.ceil(needed))


def _file_gib(*queues: int) -> int:
    return math.ceil(sum(map(_file_bytes, queues)) / GIB)


def _file_bytes(size: int) -> float:
    return size * SLACK + FILE_BYTES


def _kinds_wait(found: Ways, hours: float, ctx: PlanContext) -> bool:
    held = True
    remote = found.sink("metrics")
    if remote is not None and remote.kind == "prometheus":
        at: Path = next((way.at for way in found.all if "metrics" in way.signals), ())
        held = ctx.check(
            "OBS-013",
            hours <= WAL_HOURS,
            f"{ctx.place.site} may be without its uplink for {hours:g} hours, and Prometheus sends to {remote.name} "
            f"again what it could not send for {WAL_HOURS}",
            at,
            "write kind: otlp and signals: [metrics]: a collector then reads Prometheus and keeps what can't be sent",
            "site",
        )
    if found.store is not None:
        held = ctx.check(
            "OBS-013",
            False,
            f"{' and '.join(signal for signal, _ in found.stored)} would be kept in {found.store.endpoint}, which "
            f"{ctx.place.site} may be without for {hours:g} hours; Loki and Tempo hold minutes",
            ("telemetry", "store"),
            "add a sink of kind otlp that takes them: collectors keep what can't be sent",
            "site",
        )
    return held


def _fits(buffer: Buffer, disk: Disk, replicas: int, own_gib: int, spec: ObservabilitySpec, ctx: PlanContext) -> bool:
    at: Path = ("cluster", "storage_classes")
    on_nodes = _file_gib(buffer.agent_bytes) * ctx.place.node_count if buffer.agent_bytes else 0
    needed = own_gib + buffer.volume_gib * replicas + on_nodes
    # Once the disk is known, the volume of metrics follows from it.
    least = needed - own_gib + (spec.retention.metrics_gib or _history_gib(spec, ctx) if own_gib else 0)
    known = ctx.check(
        "OBS-012",
        bool(disk.name) and disk.holds_gib is not None,
        f"telemetry waits for {buffer.hours:g} hours on disk, and "
        + (f"nobody says what {disk.name} holds" if disk.name else f"{ctx.place.site} has no default StorageClass"),
        at,
        f"add system: {{vendor: other, usable_tib: {_tib(least)}}} with what it holds, {least} GiB at least",
        "site",
    )
    if not known or disk.holds_gib is None:
        return False
    spare = disk.holds_gib - (needed - own_gib)
    days = math.floor(spare * GIB / _history_bytes(series_of(spec, ctx), 1)) if spare >= LEAST_GIB else 0
    less = f", or retention.metrics_days to {min(days, spec.retention.metrics_days)}" if days else ""
    return ctx.check(
        "OBS-011",
        needed <= disk.holds_gib,
        f"{buffer.hours:g} hours without the uplink need {needed} GiB on {disk.name}, {own_gib} of them for metrics "
        f"that stay, and it holds {disk.holds_gib}",
        at,
        f"give it {_tib(needed)} TiB{less}",
        "site",
    )


def _tib(gib: int) -> float:
    return math.ceil(gib / 1024 * 1_000) / 1_000


def _carried(bytes_per_s: float, ctx: PlanContext) -> bool:
    uplink = ctx.place.uplink
    if uplink is None:
        return True
    daily = bytes_per_s * 24 * HOUR_S / 1e6
    return ctx.check(
        "OBS-014",
        daily <= uplink.megabytes_per_day,
        f"telemetry of {ctx.place.site} makes {daily:.0f} MB a day, and its uplink carries "
        f"{uplink.megabytes_per_day:.0f}",
        ("uplink",),
        f"lower traces_percent or rates to {100 * uplink.megabytes_per_day / daily:.0f} percent of that",
        "site",
    )


def _explain(buffer: Buffer, leaving: dict[str, float], disk: Disk, ctx: PlanContext) -> None:
    uplink = ctx.place.uplink
    total = sum(leaving.values())
    parts = ", ".join(f"{name.replace('sent', 'lines of programs')} {rate:.0f}" for name, rate in leaving.items())
    free = (uplink.mbit_per_s * 1e6 / 8 if uplink else 0.0) - total
    drains = f"; the uplink then takes {total * buffer.hours / free:.1f} hours for it" if free > 0 else ""
    ctx.decide(
        "buffer",
        {
            "hours": buffer.hours,
            "gateway_gib": buffer.volume_gib,
            "agent_mib": math.ceil(_file_bytes(buffer.agent_bytes) / 2**20) if buffer.agent_bytes else 0,
            "on": disk.name,
        },
        f"bytes per s at peak: {parts}; for {buffer.hours:g} hours, with a quarter more for the file{drains}. "
        + (
            f"The agent of a node keeps its own in {OFFSETS} there, on the node's own disk. "
            if buffer.agent_bytes
            else ""
        )
        + "What can't be sent is tried without end, and survives restarts",
        rejected=[
            Rejected("queues in memory", "a restart, or an hour, loses them"),
            Rejected("remote write of Prometheus", f"it sends again for {WAL_HOURS} hours, and forgets at a restart"),
        ],
        because=[f"{ctx.part}.traces_percent"] if "traces" in leaving else [],
        source=("uplink",),
        document="site",
    )
    ctx.decide(
        "beyond_the_outage",
        "the newest is dropped",
        f"after {buffer.hours:g} hours queues are full: new spans, points of metrics and lines that programs send "
        "are refused, and what waits is kept. Lines of pods wait in the files of their node until the kubelet rotates "
        "these. Metrics stay in Prometheus for as long as it keeps any. Alerts are sent while their cause lasts: one "
        "that began and ended without an uplink is never told. What a destination refuses for good, such as with 401, "
        "is dropped at once",
        rejected=[Rejected("drop the oldest", "a queue on disk gives its records back in order, and forgets none")],
    )
