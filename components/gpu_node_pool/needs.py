"""What each pool needs of the one GPU Operator of its site, and what follows for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from aifactory.components.base import PlanContext


class PoolNeeds(Struct, frozen=True):
    """One pool's wishes for what its site has once. Offered to the site's other pools only."""

    part: str
    identity: str
    device_management: Literal["device-plugin", "dra"]
    owner: Literal["operator", "host", "given"]
    driver_version: str
    sharing: Literal["none", "mig", "time-slicing"]
    strategy: str
    profiles: tuple[tuple[str, int], ...]
    replicas: int
    gds: bool
    gdrcopy: bool
    interval_s: int
    profiling: bool
    nvlink: bool


def of_site(ctx: PlanContext) -> list[PoolNeeds]:
    """Needs of all pools that were sized so far, in order of planning."""
    return ctx.offers(PoolNeeds)


def leads(part: str, pools: Sequence[PoolNeeds]) -> bool:
    """Whether a pool is the one that asks for what the site has once: the first of them."""
    return bool(pools) and pools[0].part == part
