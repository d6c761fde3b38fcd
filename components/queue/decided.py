"""A queue as decided: plain data, nothing left unset."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.offers import Taint
from aifactory.components.queue.quota import FlavorQuota


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


class QueuePlan(Struct, frozen=True):
    """Everything Kueue is told about one set of pools."""

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
