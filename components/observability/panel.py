"""The form of dashboards, and how Grafana reads them."""

from __future__ import annotations

from hashlib import sha256

from msgspec import Struct

from aifactory.components.observability.decided import ObservabilityPlan
from aifactory.components.observability.texts import shown

Tree = dict[str, object]
SCHEMA = 41
"""Version of Grafana's form of dashboards; newer programs read older forms."""
PROMETHEUS: Tree = {"type": "prometheus", "uid": "prometheus"}
"""The data source that kube-prometheus-stack makes, by its uid."""


class Curve(Struct, frozen=True):
    """One query and the name of its line."""

    query: str
    legend: str


class Panel(Struct, frozen=True):
    """A chart."""

    title: str
    unit: str
    curves: tuple[Curve, ...]


class Dashboard(Struct, frozen=True):
    """Charts about one subject."""

    name: str
    title: str
    panels: tuple[Panel, ...]


def quantiles(series: str, own: str) -> tuple[Curve, ...]:
    """Lines of a histogram whose labels `own` selects."""

    def at(share: str) -> str:
        return f"histogram_quantile({share}, sum by (le) (rate({series}_bucket{own}[5m])))"

    return tuple(Curve(at(share), name) for share, name in (("0.5", "half"), ("0.95", "95 of 100"), ("0.99", "99")))


def document(plan: ObservabilityPlan, found: Dashboard) -> Tree:
    """A dashboard as Grafana reads it."""
    told = f"{plan.factory}/{plan.site}/{plan.identity}/{found.name}"
    return {
        "uid": f"aif-{sha256(told.encode()).hexdigest()[:16]}",
        "title": shown(f"{plan.factory} {plan.site}: {found.title}"),
        "tags": ["aifactory"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": False,
        "timezone": "utc",
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": []},
        "annotations": {"list": []},
        "panels": [_panel(panel, index) for index, panel in enumerate(found.panels)],
    }


def _panel(panel: Panel, index: int) -> Tree:
    targets = [
        {"refId": chr(ord("A") + number), "datasource": PROMETHEUS, "expr": curve.query, "legendFormat": curve.legend}
        for number, curve in enumerate(panel.curves)
    ]
    return {
        "id": index + 1,
        "type": "timeseries",
        "title": shown(panel.title),
        "datasource": PROMETHEUS,
        "gridPos": {"x": index % 2 * 12, "y": index // 2 * 8, "w": 12, "h": 8},
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": targets,
    }
