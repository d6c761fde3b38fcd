"""A plan of observability in which every name is hostile, as if no form had refused it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from aifactory.components.observability.decided import (
    Destination,
    WatchedBounds,
    WatchedModel,
    WatchedPool,
    WatchedQueue,
)
from aifactory.components.offers import BoundedRoute
from support.watching import bodies_of, watched

HOSTILE = (
    'x"} or vector(1) #',
    "x\\",
    'x\\"} or up{a="',
    "{{ $labels.instance }}",
    "{{ query `up` | first }}",
    "${env:AWS_SECRET_ACCESS_KEY}",
    "$${file:/etc/passwd}",
    "$datasource and ${__all} and [[user]]",
    'a", "datasource": {"uid": "evil"}, "b": "',
    "x|.*",
    "x\n  - alert: Evil",
    "\u202ex",
)
"""Texts that would be code in PromQL, YAML, or templates of Prometheus, Grafana and collectors."""


def poisoned(text: str) -> dict[str, Any]:
    """Objects of a plan in which every name is this text, by `Kind/name`."""
    plan = watched().plan
    model = WatchedModel("chat", text, text, text, True, text, 40, 2000)
    seen = replace(
        plan.watched,
        models=(model,),
        pools=(WatchedPool(text, (text, "n2"), 8, "nvidia.com/gpu"),),
        queues=(WatchedQueue(text, (text,)),),
        doors=(text,),
        bounded=(WatchedBounds(text, (BoundedRoute(text, text, (0, 3)),)),),
        namespaces=(text,),
    )
    logs = Destination("logs", f"https://{text}", "sink a", "token", text)
    return bodies_of(replace(plan, watched=seen, factory=text, site=text, logs=logs))
