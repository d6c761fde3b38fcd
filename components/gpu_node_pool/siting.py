"""What pools of one site must agree on, because the site has it once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aifactory.components.base import PlanContext
from aifactory.components.gpu_node_pool.needs import PoolNeeds


def agrees(pool: PoolNeeds, others: Sequence[PoolNeeds], ctx: PlanContext) -> bool:
    """Whether a pool goes with the pools that were planned before it, and with what the site gives."""
    return all(
        [
            _hands_out_alike(pool, others, ctx),
            _has_one_driver_root(pool, others, ctx),
            _cuts_alike(pool, others, ctx),
            _reads_storage_alike(pool, others, ctx),
            _has_storage_to_read(pool, ctx),
            _asks_no_more_than_given(pool, ctx),
        ]
    )


def _hands_out_alike(pool: PoolNeeds, others: Sequence[PoolNeeds], ctx: PlanContext) -> bool:
    other = _first(others, lambda known: known.device_management != pool.device_management)
    if other is None:
        return ctx.check("GPU-001", True, "")
    return ctx.check(
        "GPU-001",
        False,
        f"pool {pool.part} hands out GPUs by {pool.device_management}, pool {other.part} of the same site "
        f"by {other.device_management}",
        ("device_management",),
        f"set both to {other.device_management}",
    )


def _has_one_driver_root(pool: PoolNeeds, others: Sequence[PoolNeeds], ctx: PlanContext) -> bool:
    other = _first(others, lambda known: (known.owner == "operator") != (pool.owner == "operator"))
    if other is None or pool.device_management != "dra":
        return ctx.check("GPU-004", True, "")
    return ctx.check(
        "GPU-004",
        False,
        f"the driver of pool {pool.part} is owned by the {pool.owner}, that of pool {other.part} by the {other.owner}",
        ("device_management",),
        "give the hosts of both pools a driver or of neither, or use the device plugin",
    )


def _cuts_alike(pool: PoolNeeds, others: Sequence[PoolNeeds], ctx: PlanContext) -> bool:
    other = _first(others, lambda known: known.sharing == "mig" and known.strategy != pool.strategy)
    if other is None or pool.sharing != "mig":
        return ctx.check("GPU-009", True, "")
    return ctx.check(
        "GPU-009",
        False,
        f"pool {pool.part} has MIG strategy {pool.strategy}, pool {other.part} of the same site {other.strategy}",
        ("sharing", "strategy"),
        "set strategy of both to mixed",
    )


def _reads_storage_alike(pool: PoolNeeds, others: Sequence[PoolNeeds], ctx: PlanContext) -> bool:
    other = _first(others, lambda known: known.gds != pool.gds)
    if other is None:
        return ctx.check("GPU-011", True, "")
    on, off = (pool.part, other.part) if pool.gds else (other.part, pool.part)
    return ctx.check(
        "GPU-011",
        False,
        f"gds is on for pool {on} and off for pool {off}; the site's validator waits for it on all GPU "
        "nodes or on none",
        ("gds",),
        "set gds of both alike",
    )


def _has_storage_to_read(pool: PoolNeeds, ctx: PlanContext) -> bool:
    classes = ctx.place.cluster.storage_classes
    return ctx.check(
        "GPU-011",
        not pool.gds or any("ReadWriteMany" in given.access for given in classes),
        f"gds is on, and no StorageClass of {ctx.place.site} serves ReadWriteMany",
        ("gds",),
        "set gds to false, or describe the StorageClass of the file system in the site file",
    )


def _asks_no_more_than_given(pool: PoolNeeds, ctx: PlanContext) -> bool:
    wanted = [f"sharing {pool.sharing}"] if pool.sharing != "none" else []
    wanted += ["gds"] if pool.gds else []
    return ctx.check(
        "GPU-019",
        not wanted or "gpu-operator" not in ctx.place.cluster.provides,
        f"{' and '.join(wanted)} needs settings of the GPU Operator that {ctx.place.site} gives",
        (wanted[0].split()[0],) if wanted else (),
        "leave it out, or remove gpu-operator from provides so that the stack brings it",
    )


def _first(others: Sequence[PoolNeeds], differs: Callable[[PoolNeeds], bool]) -> PoolNeeds | None:
    return next((other for other in others if differs(other)), None)
