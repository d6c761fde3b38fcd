"""What observability asks of nodes, and whether that is there where controllers have no node of their own."""

from __future__ import annotations

import math

from msgspec import Struct

from aifactory.components.base import PlanContext
from aifactory.components.observability.places import Ways
from aifactory.components.offers import PoolOffer
from aifactory.components.pods import CONTROLLER_CPUS, CONTROLLER_MEMORY_GIB

OTHER_CPUS, OTHER_MEMORY_GIB = 2.75, 4.5
"""What other controllers of a small site request, of what is kept for all of them. A test adds it up."""
BURST = 2
"""Of memory, as much again is left for bursts."""
PROMETHEUS_BASE_MIB, PROMETHEUS_KIB_PER_SERIES = 512, 8
"""Of a Prometheus without series, and of each series in its head. Starting points, to be measured."""


class Footprint(Struct, frozen=True):
    """Requests of everything that this part brings."""

    milli_cpus: int
    mib: int


PROMETHEUS = Footprint(200, 0)
USUAL_PROMETHEUS = Footprint(500, 4_096)
"""Source: components/cluster/telemetry.py."""
GRAFANA = Footprint(100, 256)
ALERTMANAGER = Footprint(50, 200)
"""The operator of Prometheus gives it 200Mi. Source: prometheus-operator, cmd/operator defaults."""
OPERATOR = Footprint(50, 128)
GATEWAY = Footprint(200, 512)
AGENT = Footprint(100, 256)
LOKI, TEMPO = Footprint(500, 1_024), Footprint(200, 512)


def prometheus_mib(series: int) -> int:
    """Memory that a Prometheus with so many series asks for, in steps of 256 MiB."""
    return math.ceil((PROMETHEUS_BASE_MIB + series * PROMETHEUS_KIB_PER_SERIES / 1024) / 256) * 256


def footprint(
    found: Ways, replicas: int, prometheus: Footprint | None, *, collects: bool, ctx: PlanContext
) -> Footprint:
    """Requests of all pods. `prometheus`: None where the site gives one."""
    alone = ctx.place.is_one_node
    stored = {signal for signal, _ in found.stored}
    counts = [
        (prometheus or Footprint(0, 0), 1),
        (GRAFANA, 1 if prometheus else 0),
        (ALERTMANAGER, (1 if alone else 2) if prometheus and (found.sink("alerts") or found.sink("heartbeat")) else 0),
        (OPERATOR, (1 if alone else 2) if collects else 0),
        (GATEWAY, replicas if collects else 0),
        (AGENT, ctx.place.node_count if collects else 0),
        (LOKI, 1 if "logs" in stored else 0),
        (TEMPO, 1 if "traces" in stored else 0),
    ]
    return Footprint(sum(each.milli_cpus * n for each, n in counts), sum(each.mib * n for each, n in counts))


def fits(asked: Footprint, ctx: PlanContext) -> bool:
    """Whether it has room where it shares nodes with models. Elsewhere nodes without GPUs carry it."""
    nodes = sum(pool.nodes for pool in ctx.offers(PoolOffer) if pool.holds_controllers)
    if not nodes:
        return True
    cpus = CONTROLLER_CPUS * nodes - OTHER_CPUS
    gib = CONTROLLER_MEMORY_GIB * nodes / BURST - OTHER_MEMORY_GIB
    held = ctx.check(
        "OBS-015",
        asked.milli_cpus <= cpus * 1_000 and asked.mib <= gib * 1_024,
        f"telemetry asks for {asked.milli_cpus / 1_000:g} CPUs and {asked.mib / 1_024:.1f} GiB, and beside models and "
        f"other controllers there are {cpus:g} CPUs and {gib:g} GiB",
        (),
        "lower rates.series to what prometheus_tsdb_head_series shows, take signals out, or let sinks keep them",
    )
    if held:
        ctx.decide(
            "footprint",
            {"cpus": asked.milli_cpus / 1_000, "gib": round(asked.mib / 1_024, 1)},
            f"of {cpus:g} CPUs and {gib:g} GiB that models and other controllers leave; of memory as much again is "
            "left for bursts",
        )
    return held
