"""What a blueprint may say about the cluster."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from aifactory.components.cluster.spec import ClusterSpec


def spec(**fields: Any) -> ClusterSpec:
    return ClusterSpec.model_validate({"kind": "cluster", **fields})


def test_a_cluster_needs_nothing_but_its_kind() -> None:
    assert spec().name == "cluster"
    assert spec().webhook_replicas is None
    assert spec().namespaces.report_pod_security == "restricted"


@pytest.mark.parametrize(
    ("fields", "at", "says"),
    [
        ({"kind": "clusters"}, "kind", "cluster"),
        ({"webhook_replicas": 0}, "webhook_replicas", "greater than or equal to 1"),
        ({"webhook_replicas": 6}, "webhook_replicas", "less than or equal to 5"),
        ({"webhook_replicas": "2"}, "webhook_replicas", "integer"),
        ({"capabilities": ["metrics", "metrics"]}, "", "names metrics twice"),
        ({"capabilities": ["Metrics"]}, "capabilities", "pattern"),
        ({"capabilities": ("metrics",)}, "capabilities", "list"),
        ({"namespaces": {"report_pod_security": "strict"}}, "report_pod_security", "restricted"),
        ({"namespaces": {"container_defaults": {"cpu_milli": 1}}}, "cpu_milli", "10"),
        ({"namespaces": {"container_defaults": {"memory_mib": 8}}}, "memory_mib", "16"),
        ({"replicas": 2}, "replicas", "not permitted"),
        ({"name": "The Cluster"}, "name", "pattern"),
    ],
)
def test_what_is_wrong_is_refused_where_it_stands(fields: dict[str, Any], at: str, says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        spec(**fields)
    (error,) = refused.value.errors()
    assert at in ".".join(str(step) for step in error["loc"])
    assert says in error["msg"]


def test_a_specification_never_changes() -> None:
    with pytest.raises(ValidationError):
        spec().webhook_replicas = 1  # type: ignore[misc]  # that it is refused is what is tested
