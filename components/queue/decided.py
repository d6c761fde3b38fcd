"""A queue as decided: plain data, nothing left unset."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.offers import Taint
from aifactory.components.queue.quota import FlavorQuota

ACCELERATORS = ("/gpu", "/mig-", "/neuron")
"""What resources of accelerators, or of slices of them, are told by."""
_NAMED = 6


class Flavor(Struct, frozen=True):
    """Nodes of one pool, as Kueue sees them."""

    name: str
    pool: str
    labels: tuple[tuple[str, str], ...]
    taints: tuple[Taint, ...]
    topology: str
    """Topology of the nodes, empty when nodes aren't told apart."""


class Topology(Struct, frozen=True):
    """Node labels from coarse to fine."""

    name: str
    levels: tuple[str, ...]


class PriorityPlan(Struct, frozen=True):
    """A priority that jobs may name by label."""

    name: str
    value: int
    description: str


class TenantPlan(Struct, frozen=True):
    """A tenant's queue."""

    tenant: str
    namespace: str
    cluster_queue: str
    weight: int
    quotas: tuple[FlavorQuota, ...]

    @property
    def guaranteed_gpus(self) -> int:
        """GPUs, or slices of them, that it is guaranteed over all pools."""
        quotas = (quota for flavor in self.quotas for quota in flavor.quotas)
        return sum(int(quota.nominal) for quota in quotas if any(word in quota.resource for word in ACCELERATORS))


class ServerTenant(Struct, frozen=True):
    """A tenant whose servers reserve GPUs, outside of admission."""

    tenant: str
    namespace: str
    gpus: int
    lends: int


class QueuePlan(Struct, frozen=True):
    """Everything Kueue is told about one set of pools, and who holds GPUs beside it."""

    cohort: str
    covered: tuple[str, ...]
    spare: tuple[FlavorQuota, ...]
    """Quotas of the cohort itself: what no tenant is guaranteed."""
    flavors: tuple[Flavor, ...]
    topologies: tuple[Topology, ...]
    priorities: tuple[PriorityPlan, ...]
    tenants: tuple[TenantPlan, ...]
    local_queue: str
    strategy: str
    reclaim: str
    within: str
    servers: tuple[ServerTenant, ...] = ()
    serving_priority: str = ""
    """PriorityClass of servers, empty without inference tenants."""

    @property
    def in_short(self) -> str:
        """The plan in one line, for a person."""
        shares = [f"{tenant.tenant} {tenant.guaranteed_gpus}" for tenant in self.tenants[:_NAMED]]
        more = f" and {len(self.tenants) - _NAMED} more" if len(self.tenants) > _NAMED else ""
        jobs = f"{len(self.tenants)} tenants, GPUs guaranteed: {', '.join(shares)}{more}" if self.tenants else ""
        held = ", ".join(f"{tenant.tenant} {tenant.gpus}" for tenant in self.servers[:_NAMED])
        return "; ".join([*([jobs] if jobs else []), *([f"GPUs reserved for models: {held}"] if held else [])])
