"""What a state holds, in terms of rows."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.stacks.program.state import (
    StateRelease,
    StateRow,
    provider_inputs,
    provider_resources,
    state_releases,
    state_rows,
)
from support.made_up import CLAIM, FACTORY, NAMESPACE, PLACE, POLICY, POOL, PROVIDER, QUEUE, RELEASE


def resource(urn: str, **fields: Any) -> dict[str, Any]:
    return {"urn": urn, "type": urn.split("::")[2].rpartition("$")[2], **fields}


RESOURCES = [
    resource(f"{PLACE}pulumi:pulumi:Stack::aifactory-demo-lab-platform"),
    resource(FACTORY),
    resource(PROVIDER, inputs={"kubeconfig": "~/.kube/config", "context": "lab"}),
    resource(f"{PLACE}{POOL}::train"),
    resource(f"{PLACE}{POOL}$kubernetes:core/v1:Namespace::train/ml", protect=True),
    resource(f"{PLACE}{POOL}$kubernetes:helm.sh/v3:Release::train/ml/operator"),
    resource(f"{PLACE}{POOL}$kubernetes:example.com/v1:Policy::train/rails", delete=True),
    resource(f"{PLACE}{POOL}$kubernetes:example.com/v1:Policy::train/rails"),
    resource(f"{PLACE}{QUEUE}$kubernetes:core/v1:PersistentVolumeClaim::teams/ml/data", retainOnDelete=True),
]


def test_rows_are_named_as_plans_name_them() -> None:
    rows = [(row.row, row.part, row.protected, row.kept) for row in state_rows(RESOURCES)]
    assert rows == [
        (NAMESPACE.id, "train", True, False),
        (RELEASE.id, "train", False, False),
        (POLICY.id, "train", False, False),
        (CLAIM.id, "teams", False, True),
    ]


def test_a_row_keeps_its_urn() -> None:
    first = state_rows(RESOURCES)[0]
    assert first == StateRow(
        f"{PLACE}{POOL}$kubernetes:core/v1:Namespace::train/ml", NAMESPACE.id, "train", True, False
    )


def test_the_provider_says_how_the_cluster_is_reached() -> None:
    assert provider_inputs(RESOURCES) == {"kubeconfig": "~/.kube/config", "context": "lab"}
    assert provider_inputs([]) == {}
    assert [one["urn"] for one in provider_resources(RESOURCES)] == [PROVIDER]


@pytest.mark.parametrize("chart", ["operator", "oci://charts.example.com/ours/operator"])
def test_a_release_has_the_chart_and_version_that_were_sent(chart: str) -> None:
    urn = f"{PLACE}{POOL}$kubernetes:helm.sh/v3:Release::train/ml/operator"
    inputs = {"chart": chart, "version": "v1.2.0", "name": "operator", "namespace": "ml", "values": {"a": 1}}
    resources = [*RESOURCES[:5], resource(urn, inputs=inputs), resource(f"{urn}-old", inputs=inputs, delete=True)]
    assert state_releases(resources) == [StateRelease(RELEASE.id, "train", "ml", "operator", "operator", "v1.2.0")]
