"""The driver of a pool: owner, release, modules and how it is replaced."""

from __future__ import annotations

from aifactory.components.base import Document, PlanContext, Rejected
from aifactory.components.given import HostGiven, NodeGroup
from aifactory.components.gpu_node_pool import driver
from aifactory.components.gpu_node_pool.drafts import Resolved, Wishes
from aifactory.components.gpu_node_pool.driver import Owner
from aifactory.components.gpu_node_pool.joining import Joined
from aifactory.components.gpu_node_pool.labels import DRA_LABEL
from aifactory.components.gpu_node_pool.model import DriverPlan
from aifactory.components.problems import Path

KERNEL_FLOOR = (6, 8)
ENTITLED = frozenset({"rhel-9", "openshift"})
"""Operating systems whose kernel packages need a subscription."""


def driver_plan(draft: Resolved, group: NodeGroup, fabric: Joined, ctx: PlanContext) -> DriverPlan | None:
    """The driver decided; None after a problem."""
    host, wishes = group.host, draft.wishes
    owner = driver.owner(host, ctx.place)
    at = ("nodes", ctx.place.nodes.index(group), "host")
    if not _owner_is_known(owner, host, wishes, at, ctx):
        return None
    _decide_owner(owner, at, ctx)
    found = _release(owner, draft, host, at, ctx)
    if found is None:
        return None
    release, repository, image = found
    _warn_of_kernel(group, fabric, ctx)
    ours = owner == "operator"
    plan = DriverPlan(
        owner=owner,
        version=release,
        repository=repository,
        image=image,
        rdma=ours and bool(fabric.part),
        host_ofed=host.ofed is not None,
        gdrcopy=driver.image(ctx.catalog, "gdrdrv") if ours and fabric.part and wishes.workload == "training" else None,
        gds=driver.image(ctx.catalog, "nvidia-fs") if ours and wishes.gds else None,
        automatic=wishes.automatic,
        max_parallel=wishes.max_parallel,
        max_unavailable=f"{wishes.max_unavailable_percent}%",
        deletes_scratch=wishes.workload == "inference",
        manager_environment=(("NODE_LABEL_FOR_GPU_POD_EVICTION", DRA_LABEL),)
        if wishes.device_management == "dra"
        else (),
    )
    if ours:
        _decide_build(host, ctx)
        _decide_modules(plan, ctx)
    return plan


def _owner_is_known(owner: Owner, host: HostGiven, wishes: Wishes, at: Path, ctx: PlanContext) -> bool:
    if not ctx.check(
        "GPU-002",
        owner == "host" or host.os not in driver.IMMUTABLE,
        f"hosts with {host.os} take a driver only in their image, and the site names none",
        at,
        "put the driver's extension into the image, and its version into host.driver of the node group",
        "site",
    ):
        return False
    pin = wishes.driver_version
    says, hint = "", ""
    if owner == "host" and pin and pin != host.driver:
        says = f"driver {pin} is wanted, and the hosts own driver {host.driver}"
        hint = f'set driver.version to "{host.driver}", or leave it out'
    elif owner == "given" and pin:
        says = f"driver {pin} is wanted, and the GPU Operator of {ctx.place.site} sets its own"
        hint = f"say features: [{driver.DRIVER_FEATURE}] of it if it leaves drivers to NVIDIADriver resources"
    return ctx.check("GPU-002", not says, says, ("driver", "version"), hint)


def _decide_owner(owner: Owner, at: Path, ctx: PlanContext) -> None:
    rejected = {
        "operator": [
            Rejected("ClusterPolicy.driver", "one release and one operating system for all nodes of the site"),
            Rejected("host", "the site names no driver on these hosts"),
        ],
        "host": [Rejected("operator", "a driver container on such a host fails or is ignored")],
        "given": [Rejected("operator", f"the site's GPU Operator doesn't list {driver.DRIVER_FEATURE}")],
    }[owner]
    source: dict[Owner, Path] = {
        "operator": at,
        "host": (*at, "driver"),
        "given": ("cluster", "provides", "gpu-operator"),
    }
    ctx.decide(
        "driver.owner",
        owner,
        driver.OWNERS[owner],
        rejected=rejected,
        source=source[owner],
        document="site",
    )


def _release(owner: Owner, draft: Resolved, host: HostGiven, at: Path, ctx: PlanContext) -> tuple[str, str, str] | None:
    """Release, repository and image; None after a problem."""
    card, because = draft.card, [f"{ctx.part}.driver.owner"]
    if owner == "given":
        return "", "", ""
    if owner == "host":
        version = str(host.driver)
        source = (*at, "driver")
        ctx.decide(
            "driver.version",
            version,
            "what the hosts have",
            because=because,
            facts=[card.ref],
            source=source,
            document="site",
        )
        return (version, "", "") if _runs(version, draft, source, "site", ctx) else None
    pin = draft.wishes.driver_version
    found = driver.pinned_release(ctx.catalog, pin) if pin else driver.default_release(ctx.catalog, card)
    if found is None:
        ctx.refuse(
            f"the catalog has no driver release from {driver.floor_text(card.driver_floor)} on for {card.key}",
            ("accelerator",),
            "add a row with its source to a private catalog folder",
        )
        return None
    ctx.decide(
        "driver.version",
        found.version,
        "the blueprint names it"
        if pin
        else f"newest release of the oldest branch in the catalog that drives {card.key}",
        rejected=found.rejected,
        facts=[found.row.ref, card.ref],
        because=because,
        source=("driver", "version") if pin else (),
    )
    if not _runs(found.version, draft, ("driver", "version"), "blueprint", ctx):
        return None
    return found.version, found.row.text("repository"), found.row.text("image")


def _runs(release: str, draft: Resolved, at: Path, document: Document, ctx: PlanContext) -> bool:
    floor = draft.card.driver_floor
    return ctx.check(
        "GPU-003",
        driver.runs(release, floor),
        f"driver {release} is too old for {draft.card.key}, which needs {driver.floor_text(floor)} or newer",
        at,
        f"use {driver.floor_text(floor)} or newer",
        document,
    )


def _decide_build(host: HostGiven, ctx: PlanContext) -> None:
    needs = "needs packages of the kernel from a mirror of the distribution"
    if host.os in ENTITLED:
        needs = f"needs an entitlement of {host.os} on the node, or no kernel headers are found"
    ctx.decide(
        "driver.build",
        "on the node",
        f"compiled for Linux {host.kernel} when its pod starts, within 20 minutes; it {needs}",
        rejected=[Rejected("precompiled", "it excludes GPUDirect Storage and gdrcopy, and exists for few kernels")],
        because=[f"{ctx.part}.driver.owner"],
    )


def _decide_modules(plan: DriverPlan, ctx: PlanContext) -> None:
    ctx.decide(
        "driver.modules",
        "open",
        "GPUDirect Storage and DMA-BUF need the open kernel module, and Blackwell runs on no other",
        rejected=[Rejected("auto", "it may pick the proprietary module")],
        because=[f"{ctx.part}.driver.version"],
    )
    ctx.decide(
        "driver.rdma",
        plan.rdma,
        "nvidia_peermem serves libraries without DMA-BUF; the driver waits for OFED "
        f"{'on the host' if plan.host_ofed else 'of the Network Operator'}"
        if plan.rdma
        else "no fabric, so no OFED symbols: nvidia_peermem would keep the driver from getting ready",
        because=[f"{ctx.part}.fabric"],
    )
    ctx.decide(
        "driver.upgrade",
        "automatic" if plan.automatic else "manual",
        f"{plan.max_parallel} node at a time and {plan.max_unavailable} at most; a node with pods of Jobs "
        "is cordoned and waited for, so no gang is killed"
        + (
            "; pods of servers are deleted, their scratch space too, and start on another node"
            if plan.deletes_scratch
            else "; a pod of no Job that has scratch space stops the upgrade of its node"
        )
        if plan.automatic
        else "a new release waits until somebody restarts the driver pods",
        source=("driver", "upgrade"),
    )


def _warn_of_kernel(group: NodeGroup, fabric: Joined, ctx: PlanContext) -> None:
    host = group.host
    major, minor = (int(part) for part in host.kernel.split("-")[0].split(".")[:2])
    ctx.check(
        "GPU-024",
        not fabric.part or not host.os.startswith("ubuntu") or (major, minor) >= KERNEL_FLOOR,
        f"nodes of group {group.group} run Linux {host.kernel}; GPU nodes with RDMA are tested from 6.8 on",
        ("nodes", ctx.place.nodes.index(group), "host", "kernel"),
        f"install a kernel from {KERNEL_FLOOR[0]}.{KERNEL_FLOOR[1]} on, such as the hardware enablement kernel "
        "of the release, or set fabric of the pool to none",
        "site",
    )
