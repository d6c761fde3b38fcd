"""Files that are read straight into GPU memory: what must be there, as cuFile otherwise takes the CPU unseen."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.base import PlanContext
from aifactory.components.offers import OperatorNote, PoolOffer
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_tier.found import class_of


def served(draft: Draft, ctx: PlanContext) -> bool:
    """Whether storage, driver and GPUs read past the CPU, where the tier promises it. Pools are known by now."""
    if not draft.spec.gds:
        return ctx.check("STO-027", True, "")
    lacking = [*_storage(draft, ctx), *_pools(ctx)]
    says, hint = lacking[0] if lacking else ("", "")
    if not ctx.check("STO-027", not lacking, says, ("gds",), hint):
        return False
    ctx.decide(
        "gds",
        value=True,
        reason="the storage, the driver of all pools and their GPUs have what it needs; cuFile falls back without a "
        "word, so gdscheck is asked before GPUs depend on it",
        source=("gds",),
    )
    says = (
        f"Before GPUs depend on tier {draft.spec.name}, gdscheck -p on a GPU node says that its file system is "
        "supported, and Secure Boot is off: cuFile copies through the CPU otherwise, and says nothing."
    )
    ctx.offer(OperatorNote(ctx.part, "running", says))
    return True


def _storage(draft: Draft, ctx: PlanContext) -> Iterator[tuple[str, str]]:
    spec = draft.spec
    if spec.engine == "rook-ceph":
        says = f"tier {spec.name} lies on Ceph, and no source says that its kernel clients read past the CPU"
        yield says, "delete gds, or use engine existing, nfs-rdma or topolvm"
    if spec.engine == "fsx-lustre" and spec.lustre and not spec.lustre.efa:
        yield f"the file system of tier {spec.name} has no EFA, past which no GPU reads it", "set lustre.efa to true"
    given = class_of(spec, ctx) if spec.engine == "existing" else None
    if given is not None and given.system is not None and not given.system.gds:
        says = f"{ctx.place.site} doesn't say that clients of the {given.system.vendor} system serve GPUDirect Storage"
        yield says, "set gds of the system in the site file to true if its vendor supports it, or delete gds"


def _pools(ctx: PlanContext) -> Iterator[tuple[str, str]]:
    for pool in ctx.offers(PoolOffer):
        if ctx.catalog.row("accelerators", pool.accelerator).value("gds_supported") is False:
            says = f"GPUs {pool.accelerator} of pool {pool.part} have no GPUDirect Storage: their driver runs CDMM"
            yield says, "delete gds of the tier"
        elif not pool.gds:
            says = f"pool {pool.part} loads no nvidia-fs, which reads past the CPU"
            yield says, f"set gds of {pool.part} to true"
        elif not pool.own_driver:
            says = f"hosts of pool {pool.part} own their driver, and nothing here loads nvidia-fs beside it"
            yield says, "delete host.driver of the node group, so that the GPU Operator brings driver and nvidia-fs"
