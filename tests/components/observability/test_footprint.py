"""What watches a site fits beside what it watches, or is refused."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.observability.footprint import prometheus_mib
from support.away import away
from support.offered import pool
from support.watching import CHAT, DOOR

SHARED = (CHAT, DOOR, pool("edge", nodes=1, holds_controllers=True))
APART = (CHAT, DOOR, pool("edge", nodes=1))


def test_requests_are_added_up_as_by_hand() -> None:
    """Prometheus 0.2 and 1,024 MiB, Grafana 0.1 and 256, Alertmanager 0.05 and 200, operator 0.05 and 128, collectors
    0.2 and 512, and 0.1 and 256."""
    found = away(offers=SHARED)
    assert found.broken == []
    assert found.site_plan.decisions["watch.footprint"].value == {"cpus": 0.7, "gib": 2.3}


@pytest.mark.parametrize(("series", "mib"), [(1_000, 768), (44_000, 1_024), (100_000, 1_536), (1_000_000, 8_448)])
def test_memory_of_prometheus_follows_its_series(series: int, mib: int) -> None:
    assert prometheus_mib(series) == mib
    spec = away(offers=SHARED[:2], rates={"series": series}).asked("metrics")["prometheus"]["prometheusSpec"]
    assert spec["resources"]["requests"] == {"cpu": "200m", "memory": f"{mib}Mi"}


@pytest.mark.parametrize(
    ("offers", "series", "rules"),
    [(SHARED, 44_000, []), (SHARED, 400_000, ["OBS-015"]), (APART, 400_000, [])],
)
def test_more_than_the_node_has_is_refused_where_models_share_it(
    offers: tuple[Any, ...], series: int, rules: list[str]
) -> None:
    found = away(offers=offers, rates={"series": series}, retention={"metrics_days": 3})
    assert found.broken == rules
    if rules:
        (problem,) = found.problems
        assert problem.says == (
            "telemetry asks for 0.7 CPUs and 5.1 GiB, and beside models and other controllers there are 1.25 CPUs and "
            "3.5 GiB"
        )


def test_on_one_node_nothing_has_a_second_replica() -> None:
    found = away(offers=SHARED)
    assert found.plan.replicas == 1
    body = found.bodies["OpenTelemetryCollector/watch-gateway"]["spec"]
    assert "podDisruptionBudget" not in body
    assert found.asked("metrics")["alertmanager"]["alertmanagerSpec"]["replicas"] == 1
    assert away(count=3).bodies["OpenTelemetryCollector/watch-gateway"]["spec"]["podDisruptionBudget"]
