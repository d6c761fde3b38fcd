"""The rows of a gateway: the door, who may call, how much, and where requests go."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.gateway.decided import GatewayPlan
from aifactory.components.gateway.objects import access, doors, elsewhere, limits, listing, routes
from aifactory.components.rows import Maker, Row


def rows(plan: GatewayPlan, maker: Maker) -> Iterator[Row]:
    """Everything between a client and the places that answer."""
    yield from doors.rows(plan, maker)
    yield from elsewhere.rows(plan, maker)
    yield from access.rows(plan, maker)
    yield limits.policy(plan, maker)
    yield from routes.rows(plan, maker)
    yield from listing.rows(plan, maker)
