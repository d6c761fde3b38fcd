"""A real API server with the real definitions takes a gateway with everything, and one route changes with a weight."""

from __future__ import annotations

from typing import Any

import pytest

from support.gateways import FULL, Planned, planned, weighed
from support.proving import applied
from support.proving.applied import body
from support.proving.control_plane import ControlPlane
from support.schemas import Schemas

pytestmark = pytest.mark.cluster


def deployed(plane: ControlPlane, schemas: Schemas, made: Planned) -> dict[str, Any]:
    """Objects of a gateway as the server has them, by row."""
    rows = list(made.rows.values())
    applied.define(plane, rows, schemas)
    assert applied.apply(plane, rows) == []
    return {row.id: plane.api.get(body(row)) for row in rows}


@pytest.mark.parametrize("reach", ["cluster", "site"])
def test_an_api_server_takes_a_gateway_with_everything(plane: ControlPlane, schemas: Schemas, reach: str) -> None:
    found = deployed(plane, schemas, planned(**FULL, reach=reach))
    assert [name for name, kept in found.items() if kept is None] == []


def test_another_weight_changes_one_route_and_back(plane: ControlPlane, schemas: Schemas) -> None:
    def asked(first: int, second: int) -> dict[str, Any]:
        found = deployed(plane, schemas, planned(**weighed(first, second)))
        # Not its status: on this ground that is written anew.
        return {name: {key: kept[key] for key in kept.keys() - {"metadata", "status"}} for name, kept in found.items()}

    before, canary, back = asked(100, 0), asked(90, 10), asked(100, 0)
    assert back == before
    route = {"AIGatewayRoute.aigateway.envoyproxy.io/door/door-model"}
    assert {name for name in before if before[name] != canary[name]} == route
    assert {name for name in canary if canary[name] != back[name]} == route
