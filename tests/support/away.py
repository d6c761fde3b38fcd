"""The observability of an edge site that is without its uplink for days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from support.edges import CLUSTER, nodes
from support.watching import CHAT, DOOR, HERE, PAGER, Seen, watched

CENTRE: dict[str, Any] = {
    "name": "centre",
    "kind": "otlp",
    "signals": ["logs", "traces", "metrics"],
    "url": "https://otlp.example.com",
    "secret": "centre",
    "networks": ["192.0.2.0/24"],
    "place": HERE,
}
ABOUT = {"sinks": [CENTRE, PAGER]}
UPLINK: dict[str, Any] = {"mbit_per_s": 20.0, "longest_outage_hours": 72.0}
ALWAYS: dict[str, Any] = {"mbit_per_s": 20.0, "hours_per_day": 24.0}
REMOTE = {**PAGER, "name": "long", "kind": "prometheus", "url": "https://metrics.example.com/api/v1/write"}
STORE = {
    "endpoint": "s3.example.com",
    "logs": "depot-logs",
    "traces": "depot-traces",
    "secret": "store",
    "networks": ["192.0.2.0/24"],
    "place": HERE,
}


def disk(tib: float | None = 0.125, **fields: Any) -> dict[str, Any]:
    """A cluster whose own class lies on a disk that holds so much."""
    system = {"system": {"vendor": "other", "usable_tib": tib}} if tib else {}
    given = {"name": "local-path", "access": ["ReadWriteOnce"], "default": True, **system}
    return {**CLUSTER, "storage_classes": [given], **fields}


def away(
    given: dict[str, Any] = ABOUT,
    uplink: dict[str, Any] = UPLINK,
    cluster: dict[str, Any] | None = None,
    count: int = 1,
    offers: Sequence[object] = (CHAT, DOOR),
    **fields: Any,
) -> Seen:
    """The part at an edge site, which is without its uplink for 72 hours."""
    site = {
        "venue": "edge",
        "cluster": cluster or disk(),
        "nodes": [nodes(count)],
        "network": {"pod_cidr": "10.42.0.0/16", "service_cidr": "10.43.0.0/16"},
        "uplink": uplink,
    }
    return watched(given, offers=offers, site=site, **fields)
