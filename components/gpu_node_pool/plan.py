"""Plans GPU nodes: which, with which driver, handed out how, and what other parts may use of them."""

from __future__ import annotations

from aifactory.components.aws_place import AwsPlace
from aifactory.components.base import PlanContext
from aifactory.components.gpu_node_pool.aws import planning as at_aws
from aifactory.components.gpu_node_pool.aws.model import Rentable, Rented
from aifactory.components.gpu_node_pool.aws.rules import RULES as AWS_RULES
from aifactory.components.gpu_node_pool.drafts import Resolved, Sized
from aifactory.components.gpu_node_pool.model import GpuNodePoolPlan
from aifactory.components.gpu_node_pool.resolving import resolved
from aifactory.components.gpu_node_pool.rules import RULES as POOL_RULES
from aifactory.components.gpu_node_pool.settling import settled
from aifactory.components.gpu_node_pool.sizing import sized
from aifactory.components.gpu_node_pool.spec import GpuNodePoolSpec

__all__ = ["RULES", "GpuNodePoolPlan", "resolve", "settle", "size"]

RULES = (*POOL_RULES, *AWS_RULES)


def resolve(spec: GpuNodePoolSpec, ctx: PlanContext) -> Resolved | Rentable | None:
    """Check that the GPU model, its sharing and its driver can be run at the site."""
    return at_aws.resolved(spec, ctx) if isinstance(ctx.place, AwsPlace) else resolved(spec, ctx)


def size(draft: Resolved | Rentable, ctx: PlanContext) -> Sized | Rented | None:
    """Choose nodes, fabric and driver, and offer the pool. Queues have said by now what they guarantee."""
    return at_aws.sized(draft, ctx) if isinstance(draft, Rentable) else sized(draft, ctx)


def settle(draft: Sized | Rented, ctx: PlanContext) -> GpuNodePoolPlan:
    """Ask for operators with the values of all pools, and decide labels, host files and checks."""
    return at_aws.settled(draft, ctx) if isinstance(draft, Rented) else settled(draft, ctx)
