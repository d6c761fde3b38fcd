"""What is forever: names and types that Pulumi knows resources by."""

from __future__ import annotations

import pytest

from aifactory.components import names
from aifactory.stacks.assembly.rowset import PartEntry
from aifactory.stacks.program import identity
from support.made_up import CLAIM, NAMESPACE, PLACE, POLICY, POOL, QUEUE, RELEASE, row_set


def test_types_and_names_are_pinned() -> None:
    assert identity.PROJECT == "aifactory"
    assert identity.FACTORY_TYPE == "aifactory:index:AiFactory"
    assert identity.PROVIDER_TYPE == "pulumi:providers:kubernetes"
    assert names.HELM_RELEASE_TOKEN == "kubernetes:helm.sh/v3:Release"


@pytest.mark.parametrize(
    ("kind", "layer", "expected"),
    [
        ("cluster", 1, "aifactory:layer1:Cluster"),
        ("fabric", 1, "aifactory:layer1:Fabric"),
        ("gpu-node-pool", 1, "aifactory:layer1:GpuNodePool"),
        ("queue", 2, "aifactory:layer2:Queue"),
        ("training", 2, "aifactory:layer2:Training"),
    ],
)
def test_the_type_of_each_part_is_pinned(kind: str, layer: int, expected: str) -> None:
    assert identity.part_type(PartEntry("any", kind, layer, "")) == expected


def test_a_urn_names_the_part_and_the_object() -> None:
    assert identity.urns(row_set()) == {
        f"{PLACE}{POOL}$kubernetes:core/v1:Namespace::train/ml": NAMESPACE.id,
        f"{PLACE}{POOL}$kubernetes:helm.sh/v3:Release::train/ml/operator": RELEASE.id,
        f"{PLACE}{POOL}$kubernetes:example.com/v1:Policy::train/rails": POLICY.id,
        f"{PLACE}{QUEUE}$kubernetes:core/v1:PersistentVolumeClaim::teams/ml/data": CLAIM.id,
    }


def test_a_row_is_found_again_from_its_urn_alone() -> None:
    rows = row_set()
    parts = {row.id: row.part for row in identity.cluster_rows(rows)}
    for urn, row in identity.urns(rows).items():
        assert identity.row_of(urn) == (parts[row], row)


@pytest.mark.parametrize(
    "urn",
    [
        f"{PLACE}pulumi:pulumi:Stack::aifactory-demo-lab-platform",
        f"{PLACE}aifactory:index:AiFactory::demo",
        f"{PLACE}{POOL}::train",
        f"{PLACE}aifactory:index:AiFactory$pulumi:providers:kubernetes::demo-lab",
    ],
)
def test_components_and_providers_are_no_rows(urn: str) -> None:
    assert identity.row_of(urn) is None
