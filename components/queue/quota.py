"""Quotas as numbers: what a count of GPUs means in CPU, memory and devices, and who may borrow what."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from aifactory.components import pods, quantities
from aifactory.components.offers import PoolOffer

Shares = Mapping[str, int]
"""GPUs by pool."""

_WRITERS: dict[str, Callable[[int], str]] = {"cpu": quantities.count, "memory": quantities.mib}


class Claim(Struct, frozen=True):
    """What a tenant may use of one pool, in GPUs."""

    gpus: int
    borrow: int
    lend: int
    reserved: bool = False
    """Whether servers hold them outside of the queue's admission."""


class Quota(Struct, frozen=True):
    """Quota of one resource of one flavor, as Kubernetes quantities."""

    resource: str
    nominal: str
    borrowing: str
    lending: str


class FlavorQuota(Struct, frozen=True):
    """Quotas of one flavor, one for each resource that the queue covers."""

    flavor: str
    quotas: tuple[Quota, ...]


class Stock(Struct, frozen=True):
    """What a pool has, in units that add up: whole CPUs, MiB, devices."""

    flavor: str
    nodes: int
    gpus_per_node: int
    per_node: dict[str, int]
    sliced: bool
    """Whether GPUs are handed out in slices, so that nobody takes whole nodes."""

    @property
    def gpus(self) -> int:
        """All GPUs of the pool."""
        return self.nodes * self.gpus_per_node

    def amount(self, resource: str, gpus: int) -> int:
        """The part of a resource that belongs to a number of GPUs. 0 of what the pool doesn't have."""
        return self.per_node.get(resource, 0) * gpus // self.gpus_per_node

    def total(self, resource: str) -> int:
        """All of a resource."""
        return self.per_node.get(resource, 0) * self.nodes


def stock(flavor: str, pool: PoolOffer) -> Stock:
    """What the nodes of a pool have for pods. Slices of GPUs stand in for the GPUs they were cut from."""
    node = pods.allocatable(pool)
    devices = dict(pool.slice_resources) or {pool.gpu_resource: pool.gpus_per_node}
    per_node = {"cpu": node.cpus, "memory": node.memory_mib, **devices}
    return Stock(flavor, pool.nodes, pool.gpus_per_node, per_node, bool(pool.slice_resources))


def covered(stocks: Mapping[str, Stock]) -> tuple[str, ...]:
    """Resources that the queue counts: CPU and memory first, so that one flavor gives all that a pod
    needs."""
    found: dict[str, None] = {}
    for pool in stocks.values():
        found.update(dict.fromkeys(pool.per_node))
    return tuple(found)


def tenant_quotas(
    stocks: Mapping[str, Stock], resources: tuple[str, ...], claims: Mapping[str, Claim]
) -> tuple[FlavorQuota, ...]:
    """Quotas of a tenant. CPU and memory follow the GPUs, so that none of them runs out before the GPUs
    do."""
    return tuple(
        FlavorQuota(pool.flavor, tuple(_quota(pool, name, claims[key]) for name in resources))
        for key, pool in stocks.items()
    )


def spare_quotas(
    stocks: Mapping[str, Stock], resources: tuple[str, ...], claims: Mapping[str, list[Claim]]
) -> tuple[FlavorQuota, ...]:
    """What no tenant is guaranteed, and what servers lend: it belongs to the cohort, and who borrows gets it."""
    found = []
    for key, pool in stocks.items():
        quotas = []
        for name in resources:
            held = [claim.gpus - (min(claim.lend, claim.gpus) if claim.reserved else 0) for claim in claims[key]]
            given = sum(pool.amount(name, gpus) for gpus in held)
            quotas.append(Quota(name, _written(name, pool.total(name) - given), "", ""))
        found.append(FlavorQuota(pool.flavor, tuple(quotas)))
    return tuple(found)


def _quota(pool: Stock, resource: str, claim: Claim) -> Quota:
    nominal = pool.amount(resource, claim.gpus)
    return Quota(
        resource,
        _written(resource, nominal),
        _written(resource, pool.amount(resource, claim.gpus + claim.borrow) - nominal),
        _written(resource, pool.amount(resource, claim.lend)),
    )


def _written(resource: str, amount: int) -> str:
    return _WRITERS.get(resource, quantities.count)(amount)
