"""Pools of rented nodes are watched by their label: nobody knows the names of their nodes before they start."""

from __future__ import annotations

from typing import Any

from aifactory.components.rows import HelmRow, KubernetesRow
from support.aws_sites import POOL, rented

WATCH: dict[str, Any] = {"kind": "observability", "name": "watch", "signals": []}


def test_a_pool_of_rented_nodes_is_known_by_its_label() -> None:
    found = rented(pools=(POOL, WATCH))
    rules = str([row.body for row in found.stack.rows if isinstance(row, KubernetesRow) and "PrometheusRule" in row.id])
    assert 'kube_node_labels{label_aifactory_io_pool="train"}' in rules
    assert 'resource="nvidia_com_gpu"} >= 8 and on (node) kube_node_labels' in rules
    assert "or vector(0)) < 2" in rules
    (prometheus,) = (row for row in found.stack.rows if isinstance(row, HelmRow) and "prometheus" in row.chart)
    values: Any = prometheus.values
    assert values["kube-state-metrics"]["metricLabelsAllowlist"] == ["nodes=[aifactory.io/pool]"]
