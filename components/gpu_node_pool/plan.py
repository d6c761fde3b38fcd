"""Plans GPU nodes: which, with which driver, handed out how, and what other parts may use of them."""

from __future__ import annotations

from aifactory.components.base import PlanContext
from aifactory.components.gpu_node_pool.drafts import Resolved, Sized
from aifactory.components.gpu_node_pool.model import GpuNodePoolPlan
from aifactory.components.gpu_node_pool.resolving import resolved
from aifactory.components.gpu_node_pool.rules import RULES
from aifactory.components.gpu_node_pool.settling import settled
from aifactory.components.gpu_node_pool.sizing import sized
from aifactory.components.gpu_node_pool.spec import GpuNodePoolSpec

__all__ = ["RULES", "GpuNodePoolPlan", "resolve", "settle", "size"]


def resolve(spec: GpuNodePoolSpec, ctx: PlanContext) -> Resolved | None:
    """Check that the GPU model, its sharing and its driver can be run at the site."""
    return resolved(spec, ctx)


def size(draft: Resolved, ctx: PlanContext) -> Sized | None:
    """Choose nodes, fabric and driver, and offer the pool. Queues have said by now what they guarantee."""
    return sized(draft, ctx)


def settle(draft: Sized, ctx: PlanContext) -> GpuNodePoolPlan:
    """Ask for operators with the values of all pools, and decide labels, host files and checks."""
    return settled(draft, ctx)
