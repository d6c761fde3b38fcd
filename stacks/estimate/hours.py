"""What an hour of a GPU costs, owned or rented."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from aifactory.components.economics.figures import Figure, total
from aifactory.components.economics.powering import HOURS
from aifactory.stacks.estimate.case import Case, Pool
from aifactory.stacks.estimate.model import Lack, SiteEstimate
from aifactory.stacks.estimate.rented import hires


def owned_hour(site: SiteEstimate, pools: set[str], gpus: int) -> Figure | None:
    """Lines of these pools over their GPUs and hours. Unit: USD. None where one has no amount."""
    lines = [line for line in site.lines if line.pool in pools]
    if not gpus or not lines or not all(line.known for line in lines):
        return None
    return total(line.amount for line in lines).over(gpus * HOURS)


def rented_hour(pools: Iterable[Pool], case: Case) -> Figure | None:
    """What an hour of a GPU of these pools is rented for, by all their nodes. Unit: USD. None: one has no price."""
    usd: list[Figure] = []
    gpus = Decimal(0)
    for pool in pools:
        for hire in hires(pool, case):
            price = case.book.instance(hire.instance_type, hire.purchase)
            if isinstance(price, Lack):
                return None
            usd.append(price.value.times(hire.nodes.high))
            gpus += hire.nodes.high * pool.plan.gpus_per_node
    return total(usd).over(gpus) if gpus else None
