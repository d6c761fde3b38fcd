"""Second pass: which nodes, how many, on which power, and what other parts may use of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aifactory.components import names
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.given import NodeGroup
from aifactory.components.gpu_node_pool import hosts, placing, power, sharing
from aifactory.components.gpu_node_pool.drafts import Resolved, Sized, Wishes
from aifactory.components.gpu_node_pool.driving import driver_plan
from aifactory.components.gpu_node_pool.joining import Joined, joined
from aifactory.components.gpu_node_pool.labels import TAINT, TOPOLOGY_LEVELS
from aifactory.components.gpu_node_pool.needs import PoolNeeds, of_site
from aifactory.components.gpu_node_pool.power import Budget, shown
from aifactory.components.gpu_node_pool.siting import agrees
from aifactory.components.offers import PoolOffer, QuotaDemand, RackShare, Taint

GPU_CLASS = "gpu.nvidia.com"
"""DeviceClass of whole GPUs, which the DRA driver brings."""


@dataclass(frozen=True, slots=True)
class Option:
    """A node group that the pool could use."""

    group: NodeGroup
    budget: Budget
    unpowered: tuple[RackShare, ...]
    """Free nodes, whether or not their racks power them."""
    racks: tuple[RackShare, ...]
    """Free nodes that their racks power."""


def sized(draft: Resolved, ctx: PlanContext) -> Sized | None:
    """The pool with its nodes, offered to queues and workloads; None after a problem."""
    wishes = draft.wishes
    fabric = joined(wishes.fabric, draft.card.key, ctx)
    count = _count(draft, ctx)
    if fabric is None or count is None:
        return None
    option, wanted = _option(draft, count, fabric, ctx)
    found = _placing(wishes, option, wanted, ctx)
    if found is None or not _several_share_a_fabric(draft, len(found.nodes), ctx):
        return None
    plan = driver_plan(draft, option.group, fabric, ctx)
    shares = sharing.shared(draft.sharing, option.group.gpus_per_node)
    if plan is None:
        return None
    result = Sized(
        wishes=wishes,
        card=draft.card,
        group=option.group.group,
        placing=found,
        gpus_per_node=option.group.gpus_per_node,
        gpu_resource=sharing.GPU_RESOURCE,
        fabric=fabric.part,
        driver=plan,
        sharing=shares,
        reserve=hosts.reserve(option.group.cpus, option.group.memory_gib),
        taints=_taints(wishes, ctx),
    )
    needs = _needs(result)
    if not agrees(needs, of_site(ctx), ctx):
        return None
    ctx.offer(needs)
    ctx.offer(_offer(result, option.group, ctx))
    return result


def _count(draft: Resolved, ctx: PlanContext) -> int | str | None:
    """How many nodes are wanted; `all` stays for the choice of the group. None after a problem."""
    wanted = draft.wishes.nodes
    if wanted != "quotas":
        return wanted
    demands = [demand for demand in ctx.offers(QuotaDemand) if demand.pool == draft.wishes.name]
    gpus = sum(demand.gpus for demand in demands)
    holds = ctx.check(
        "GPU-020",
        gpus > 0,
        f"nodes: quotas, and no queue guarantees GPUs on pool {draft.wishes.name}",
        ("nodes",),
        "give a tenant of a queue GPUs of this pool, or set nodes to a number",
    )
    if not holds:
        return None
    group = ctx.place.group_of(draft.card.key)
    assert group is not None  # noqa: S101 - the first pass found it
    count = -(-gpus // group.gpus_per_node)
    queues = ", ".join(sorted({demand.part for demand in demands}))
    return ctx.decide(
        "demand",
        count,
        f"{gpus} GPUs guaranteed by {queues}, {group.gpus_per_node} a node, in whole nodes",
        source=("nodes",),
    )


def _option(draft: Resolved, count: int | str, fabric: Joined, ctx: PlanContext) -> tuple[Option, int]:
    """The group to use and the nodes wanted of it: the first that has enough, else the one that has most."""
    options = [
        _opened(group, ctx)
        for group in ctx.place.nodes
        if group.accelerator == draft.card.key and (group.nics or not fabric.part)
    ]
    within = draft.wishes.within

    def available(option: Option) -> int:
        return min(placing.largest(option.racks, within), option.budget.nodes)

    most = max(options, key=available)
    if isinstance(count, str):
        return most, available(most)
    return next((option for option in options if available(option) >= count), most), count


def _opened(group: NodeGroup, ctx: PlanContext) -> Option:
    taken = set(_taken(ctx))
    budget = power.budget(ctx.place, group, taken)
    everywhere = {rack.rack: len(rack.nodes) for rack in group.racks}
    powered = {rack: budget.nodes_in(rack) for rack in everywhere}
    return Option(group, budget, placing.free(group, taken, everywhere), placing.free(group, taken, powered))


def _taken(ctx: PlanContext) -> Mapping[str, str]:
    """Nodes that pools planned before have, with the pool."""
    return {
        node: offer.pool for offer in ctx.offers(PoolOffer) for rack in offer.racks for node in rack.nodes
    }


def _placing(wishes: Wishes, option: Option, count: int, ctx: PlanContext) -> placing.Placing | None:
    group = option.group
    ctx.decide(
        "group",
        group.group,
        f"the site's nodes with {group.accelerator}: {group.server}",
        facts=[f"accelerators/{group.accelerator}"],
    )
    found = (
        placing.place(option.racks, count, wishes.within) if _is_there(wishes, option, count, ctx) else None
    )
    if found is None:
        return None
    _decide_power(option, found, ctx)
    gpus = len(found.nodes) * group.gpus_per_node
    ctx.decide(
        "nodes",
        len(found.nodes),
        f"{len(found.nodes)} nodes of {group.gpus_per_node} GPUs, {gpus} GPUs; fixed, because a gang needs "
        "every rank",
        because=[f"{ctx.part}.demand"] if wishes.nodes == "quotas" else [],
        source=("nodes",),
    )
    ctx.decide(
        "racks",
        [f"{rack.rack} ({rack.block}): {len(rack.nodes)}" for rack in found.racks],
        "the fewest blocks that hold the pool, and in them the fewest racks, so that collectives stay near",
        rejected=[
            Rejected(name, "not needed, or it would have left the pool more spread")
            for name in found.passed_over
        ],
        because=[f"{ctx.part}.nodes"],
    )
    return found


def _is_there(wishes: Wishes, option: Option, count: int, ctx: PlanContext) -> bool:
    group, budget = option.group, option.budget
    free, powered = placing.size(option.unpowered), placing.size(option.racks)
    takers = sorted({pool for node, pool in _taken(ctx).items() if node in set(group.nodes)})
    belongs = f", and {len(group.nodes) - free} belong to {', '.join(takers)}" if takers else ""
    if not ctx.check(
        "GPU-012",
        0 < count <= free or (count == 0 < free),
        f"{count or 'all'} nodes with {group.accelerator} are wanted; group {group.group} has "
        f"{len(group.nodes)}{belongs}: {free} are free",
        ("nodes",),
        f"set nodes to {free}" if free else "take nodes from the other pools, or add some to the site",
    ):
        return False
    if not ctx.check(
        "GPU-013",
        0 < count <= powered or (count == 0 < powered),
        lambda: (
            f"{count or 'all'} nodes are wanted, and racks of {shown(budget.kw_per_rack)} kW power "
            f"{powered} of the {free} free ones: {shown(budget.kw_per_node)} kW each"
        ),
        ("nodes",),
        f"{_set_nodes(powered)}power.kw_per_rack to {_rack_need(option)}",
    ):
        return False
    together = placing.largest(option.racks, wishes.within)
    if not ctx.check(
        "GPU-015",
        count <= together,
        lambda: (
            f"{count} nodes within one {wishes.within} are wanted; the most that are free and powered are "
            f"{together}"
        ),
        ("within",),
        f"set nodes to {together}, or within to site",
    ):
        return False
    return ctx.check(
        "GPU-014",
        0 < count <= budget.nodes,
        lambda: (
            f"{count or 'all'} nodes of {shown(budget.kw_per_node)} kW and {shown(budget.kw_used)} kW of "
            f"other nodes are more than the {shown(budget.kw_total)} kW of {ctx.place.site}"
        ),
        ("nodes",),
        f"{_set_nodes(budget.nodes)}power.kw_total to "
        f"{shown(budget.kw_used + max(count, 1) * budget.kw_per_node)}",
    )


def _decide_power(option: Option, found: placing.Placing, ctx: PlanContext) -> None:
    budget = option.budget
    drawn = len(found.nodes) * budget.kw_per_node
    ctx.decide(
        "power",
        f"{shown(drawn)} kW",
        f"{len(found.nodes)} nodes of {shown(budget.kw_per_node)} kW at most, beside {shown(budget.kw_used)} "
        f"kW of others; {shown(budget.kw_total)} kW at the site, {shown(budget.kw_per_rack)} kW a rack. GPU "
        "nodes of no pool count as off",
        because=[f"{ctx.part}.racks"],
    )


def _rack_need(option: Option) -> str:
    budget = option.budget
    needs = (
        budget.used_by_rack.get(rack.rack, 0) + len(rack.nodes) * budget.kw_per_node
        for rack in option.unpowered
    )
    return shown(max(needs))


def _set_nodes(count: int) -> str:
    return f"set nodes to {count}, or " if count else "set "


def _several_share_a_fabric(draft: Resolved, count: int, ctx: PlanContext) -> bool:
    wishes = draft.wishes
    alone = count == 1 or wishes.workload == "inference" or draft.sharing.kind != "none"
    return ctx.check(
        "GPU-016",
        alone or wishes.fabric != "none",
        f"nodes: {wishes.nodes} makes {count} training nodes, without a fabric",
        ("fabric",),
        "set fabric to rdma, nodes to 1, or workload to inference, where each job stays on one node",
    )


def _taints(wishes: Wishes, ctx: PlanContext) -> tuple[Taint, ...]:
    given = ctx.place.cluster.provides.get("node-feature-discovery")
    able = given is None or "taints" in given.features
    ctx.check(
        "GPU-025",
        able or not wishes.dedicated,
        f"the node-feature-discovery of {ctx.place.site} doesn't set taints, so nothing keeps other pods off",
        ("dedicated",),
        "switch enableTaints on there and say features: [taints] in the site file, or set dedicated to false",
    )
    if wishes.dedicated and able:
        text = f"{TAINT.key}={TAINT.value}:{TAINT.effect}"
        ctx.decide(
            "taint",
            text,
            "only pods that ask for GPUs run here, and daemons of the GPU Operator tolerate it by default",
            rejected=[
                Rejected(
                    "registerWithTaints",
                    "a kubelet sets it once, when the node joins: not on nodes that are there",
                ),
                Rejected(
                    "startup taint",
                    "no pod gets a GPU before the validator passed: until then a node offers none",
                ),
            ],
            source=("dedicated",),
        )
        return (TAINT,)
    why = (
        "the blueprint doesn't ask for it" if able else "the given node-feature-discovery doesn't set taints"
    )
    ctx.decide("taint", "none", why, source=("dedicated",))
    return ()


def _needs(sized: Sized) -> PoolNeeds:
    return PoolNeeds(
        part=sized.wishes.name,
        identity=sized.wishes.identity,
        device_management=sized.wishes.device_management,
        owner=sized.driver.owner,
        driver_version=sized.driver.version,
        sharing=sized.sharing.kind,
        strategy=sized.sharing.strategy,
        profiles=sized.sharing.profiles,
        replicas=sized.sharing.replicas,
        gds=sized.wishes.gds,
        gdrcopy=sized.driver.gdrcopy is not None,
        interval_s=sized.wishes.interval_s,
        profiling=sized.wishes.profiling,
        nvlink=sized.card.nvlink,
    )


def _offer(sized: Sized, group: NodeGroup, ctx: PlanContext) -> PoolOffer:
    cpus, memory_gib = sized.reserve
    ctx.decide(
        "reserve",
        {"cpus": cpus, "memory_gib": memory_gib},
        "kept from pods for kubelet, container runtime and operating system: 3 percent of the CPUs in "
        f"whole cores and 1 percent of the memory. Pods see {group.cpus - cpus} CPUs and "
        f"{group.memory_gib - memory_gib} GiB a node",
    )
    ctx.decide(
        "topology",
        list(TOPOLOGY_LEVELS),
        "block is a set of leaf switches, rack shares power and cooling; both come from the site's inventory",
        rejected=[
            Rejected(
                "rail", "every node has all rails and a job uses all of them, so a rail divides no nodes"
            ),
            Rejected("topograph", "it asks a cloud or a fabric manager for what the site file already says"),
        ],
    )
    return PoolOffer(
        part=ctx.part,
        pool=sized.wishes.name,
        accelerator=sized.card.key,
        architecture=group.architecture,
        nodes=len(sized.placing.nodes),
        gpus_per_node=group.gpus_per_node,
        gpu_resource=sized.gpu_resource,
        slice_resources=sized.sharing.slices,
        cpus_per_node=group.cpus - cpus,
        memory_gib_per_node=group.memory_gib - memory_gib,
        node_labels=((names.POOL_LABEL, sized.wishes.identity),),
        taints=sized.taints,
        topology_levels=TOPOLOGY_LEVELS,
        racks=sized.placing.racks,
        fabric=sized.fabric,
        device_claim=GPU_CLASS if sized.wishes.device_management == "dra" else "",
    )
