"""The form of alerts and of what they are computed from."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.observability.texts import said

Labels = tuple[tuple[str, str], ...]


class Alert(Struct, frozen=True):
    """One alert."""

    name: str
    expression: str
    for_: str
    severity: str
    summary: str
    labels: Labels = ()


class Record(Struct, frozen=True):
    """A series that Prometheus computes."""

    name: str
    expression: str
    labels: Labels = ()


class Group(Struct, frozen=True):
    """The alerts of one subject."""

    name: str
    alerts: tuple[Alert, ...]
    records: tuple[Record, ...] = ()
    """Computed before the alerts, in order."""
    interval_s: int = 0
    """Time between two evaluations. 0: as Prometheus does."""


def document(group: Group) -> dict[str, object]:
    """The group as Prometheus reads it."""
    rules = [*(_record(each) for each in group.records), *(_alert(each) for each in group.alerts)]
    every: dict[str, object] = {"interval": f"{group.interval_s}s"} if group.interval_s else {}
    return {"name": group.name, **every, "rules": rules}


def _alert(alert: Alert) -> dict[str, object]:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.for_,
        "labels": {"severity": alert.severity, **_labels(alert.labels)},
        "annotations": {"summary": said(alert.summary)},
    }


def _record(record: Record) -> dict[str, object]:
    return {"record": record.name, "expr": record.expression, "labels": _labels(record.labels)}


def _labels(labels: Labels) -> dict[str, str]:
    return {name: said(value) for name, value in labels}
