"""Vector stores are watched as far as they are there."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from aifactory.components.observability import alerts, dashboards
from aifactory.components.offers import DatabaseOffer
from support.watching import CHAT, watched

VECTORS = DatabaseOffer("vectors", "vectors", "vectors", 3, backs_up=True)
ALONE = {"DatabaseUnseen"}
FOLLOWED = {"DatabaseInstanceDown", "DatabaseLags", "DatabaseAlone"}
BACKED_UP = {"DatabaseArchiveWaits", "DatabaseBackupOld"}


@pytest.mark.parametrize(
    ("offers", "names"),
    [
        ((), set()),
        ((VECTORS,), ALONE | FOLLOWED | BACKED_UP),
        ((replace(VECTORS, backs_up=False),), ALONE | FOLLOWED),
        ((replace(VECTORS, instances=1),), ALONE | BACKED_UP),
        ((replace(VECTORS, instances=1, backs_up=False),), ALONE),
    ],
)
def test_alerts_are_about_what_a_database_has(offers: tuple[DatabaseOffer, ...], names: set[str]) -> None:
    plan = watched(offers=(CHAT, *offers)).plan
    found = {alert.name for group in alerts.groups(plan) for alert in group.alerts}
    assert {name for name in found if name.startswith("Database")} == names
    charts = [each for each in dashboards.dashboards(plan) if each.name == "databases"]
    assert len(charts) == bool(offers)
    assert ("cnpg" in plan.watched.exporters) == bool(offers)


def test_a_monitor_reads_the_instances_of_one_database() -> None:
    spec = watched(offers=(CHAT, VECTORS)).bodies["PodMonitor/watch-vectors"]["spec"]
    assert spec["selector"] == {"matchLabels": {"cnpg.io/cluster": "vectors"}}
    assert spec["namespaceSelector"] == {"matchNames": ["vectors"]}
    assert spec["podTargetLabels"] == ["cnpg.io/cluster"]
    assert spec["podMetricsEndpoints"][0]["port"] == "metrics"
