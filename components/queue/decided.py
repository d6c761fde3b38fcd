"""A queue as decided: plain data, nothing left unset."""

from __future__ import annotations

from dataclasses import dataclass

from aifactory.components.offers import Taint
from aifactory.components.queue.quota import FlavorQuota


@dataclass(frozen=True, slots=True)
class Flavor:
    """Nodes of one pool, as Kueue sees them."""

    name: str
    pool: str
    labels: tuple[tuple[str, str], ...]
    taints: tuple[Taint, ...]
    topology: str
    """Topology of the nodes, empty when nodes aren't told apart."""


@dataclass(frozen=True, slots=True)
class Topology:
    """Node labels from coarse to fine."""

    name: str
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PriorityPlan:
    """A priority that jobs may name by label."""

    name: str
    value: int
    description: str


@dataclass(frozen=True, slots=True)
class TenantPlan:
    """A tenant's queue."""

    tenant: str
    namespace: str
    cluster_queue: str
    weight: int
    quotas: tuple[FlavorQuota, ...]


@dataclass(frozen=True, slots=True)
class QueuePlan:
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
