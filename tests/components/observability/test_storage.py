"""What watches storage: Ceph, drives of nodes, and every claim of a stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.observability import alerts, dashboards
from aifactory.components.rows import HelmRow, KubernetesRow
from support import shipped
from support.watching import BLOCK, CHAT, SCRATCH, watched

OBJECTS = replace(BLOCK, name="objects", part="objects", tier="object", fill_percent=63)
WATCHED = [name for name in shipped.STACKS if name.startswith(("sovereign-inference", "rag-private", "edge-slm"))]


def named(*offers: object) -> set[str]:
    plan = watched(before=offers, offers=(CHAT,)).plan
    return {alert.name for group in alerts.groups(plan) for alert in group.alerts}


def test_storage_is_watched_as_far_as_it_is_there() -> None:
    assert {name for name in named() if name.startswith(("Ceph", "Local"))} == set()
    assert {name for name in named(SCRATCH) if name.startswith(("Ceph", "Local"))} == {
        "LocalDrivesFill",
        "LocalDrivesUnseen",
    }
    assert {name for name in named(OBJECTS) if name.startswith(("Ceph", "Local"))} == {
        "CephUnseen",
        "CephInError",
        "CephWarns",
        "CephDrivesDown",
        "CephDataUnreachable",
        "CephDataThin",
        "CephDataDamaged",
        "CephSlow",
        "CephPoolFills",
        "CephBeyondFillLimit",
        "CephFull",
    }


def test_the_lowest_fill_limit_of_tiers_in_ceph_is_that_of_its_drives() -> None:
    plan = watched(before=(OBJECTS, replace(BLOCK, fill_percent=60), replace(SCRATCH, fill_percent=10))).plan
    assert plan.watched.ceph_fill_percent == 60
    (alert,) = [each for group in alerts.groups(plan) for each in group.alerts if each.name == "CephBeyondFillLimit"]
    assert alert.expression.endswith("> 0.6")


def test_charts_of_storage_are_those_of_what_is_there() -> None:
    def titles(*offers: object) -> list[str]:
        plan = watched(before=offers, offers=(CHAT,)).plan
        return [panel.title for each in dashboards.dashboards(plan) if each.name == "storage" for panel in each.panels]

    assert titles() == ["Volumes"]
    assert titles(SCRATCH) == ["Local drives: free", "Volumes"]
    assert len(titles(OBJECTS)) == 7


def test_a_monitor_reads_the_active_manager_of_ceph() -> None:
    bodies = watched(before=(OBJECTS, SCRATCH)).bodies
    spec = bodies["ServiceMonitor/watch-ceph"]["spec"]
    assert spec["selector"] == {"matchLabels": {"app": "rook-ceph-mgr", "rook_cluster": "rook-ceph"}}
    assert [each["port"] for each in spec["endpoints"]] == ["http-metrics"]
    assert bodies["PodMonitor/watch-local-drives"]["spec"]["namespaceSelector"] == {"matchNames": ["topolvm-system"]}
    assert not [name for name in watched().bodies if name.endswith(("-ceph", "-local-drives"))]


def claims(body: Mapping[str, Any], namespace: str) -> Iterator[str]:
    """Namespaces of the volumes that an object claims."""
    kind, spec = body.get("kind"), body.get("spec", {})
    claiming = kind == "PersistentVolumeClaim" or "volumeClaimTemplates" in spec
    if claiming or (kind == "Cluster" and "storage" in spec):
        yield body["metadata"].get("namespace", namespace)


@pytest.mark.parametrize("name", WATCHED)
def test_every_claim_of_a_stack_lies_in_a_namespace_whose_volumes_are_watched(name: str) -> None:
    stack = shipped.stacks()[name]
    (plan,) = [part.plan for part in stack.plan.parts if part.kind == "observability"]
    rows = [row for row in stack.rows if isinstance(row, KubernetesRow)]
    found = {space for row in rows for space in claims(dict(stack.plain_tree(row)), "")}
    found |= {row.namespace for row in stack.rows if isinstance(row, HelmRow) and row.name in ("loki", "tempo")}
    found |= {"monitoring"}
    assert found <= set(plan.watched.namespaces)
    assert len(found) > 1
    rules: list[Any] = [dict(stack.plain_tree(row)) for row in rows if row.id.startswith("PrometheusRule.")]
    fills = [
        rule["expr"] for each in rules for group in each["spec"]["groups"] for rule in group["rules"]
        if rule.get("alert") in ("VolumeFills", "VolumeFull")
    ]  # fmt: skip
    assert len(fills) == 2
    assert all(space in expression for space in found for expression in fills)


@pytest.mark.parametrize("name", [name for name in WATCHED if not name.startswith("edge")])
def test_what_watches_a_shipped_site_lies_on_devices_of_a_block_tier(name: str) -> None:
    stack = shipped.stacks()[name]
    assert stack.plan.decisions["watch.storage"].value == "volumes"
    (tier,) = [part.plan for part in stack.plan.parts if part.name == "volumes"]
    assert (tier.tier, tier.engine, tier.failure_domain) == ("block", "rook-ceph", "node")
