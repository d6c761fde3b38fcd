"""Shipped gateways: who reaches which model, and where its data goes, from rows alone."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.rows import KubernetesRow
from support import doors, shipped

STACKS = ("sovereign-inference-fra-dc1-platform", "sovereign-inference-ams-colo1-platform")


def bodies(name: str) -> list[dict[str, Any]]:
    stack = shipped.stacks()[name]
    return [dict(stack.plain_tree(row)) for row in stack.rows if isinstance(row, KubernetesRow)]


def test_these_are_all_stacks_with_a_gateway() -> None:
    found = [name for name in shipped.STACKS if doors.of(bodies(name), "SecurityPolicy")]
    assert tuple(found) == STACKS


@pytest.mark.parametrize("name", STACKS)
def test_each_model_is_reached_by_exactly_the_tenant_whose_gpus_it_runs_on(name: str) -> None:
    made = bodies(name)
    marks = [body["metadata"]["labels"] for body in doors.of(made, "InferencePool")]
    owners: dict[str, set[str]] = {}
    for labels in marks:
        owners.setdefault(labels["aifactory.io/model"], set()).add(labels["aifactory.io/tenant"])
    assert owners
    assert doors.callers(made) == owners
    assert doors.half_open(made) == set()
    assert doors.unguarded(made) == []


@pytest.mark.parametrize("name", STACKS)
def test_no_route_leads_out_of_what_its_data_class_allows(name: str) -> None:
    made = bodies(name)
    routes = doors.of(made, "AIGatewayRoute")
    assert routes
    assert all(doors.RESIDENCY in route["metadata"]["annotations"] for route in routes)
    assert doors.misplaced(made, Catalog.shipped()) == []
