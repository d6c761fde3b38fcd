"""Second pass: which nodes, how many, on which power, and what other parts may use of them."""

from __future__ import annotations

from aifactory.components import names
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.given import NodeGroup
from aifactory.components.gpu_node_pool import demanded, hosts, sharing
from aifactory.components.gpu_node_pool.choosing import chosen
from aifactory.components.gpu_node_pool.drafts import Resolved, Sized, Wishes
from aifactory.components.gpu_node_pool.driving import driver_plan
from aifactory.components.gpu_node_pool.joining import joined
from aifactory.components.gpu_node_pool.labels import TAINT, TOPOLOGY_LEVELS
from aifactory.components.gpu_node_pool.needs import PoolNeeds, of_site
from aifactory.components.gpu_node_pool.siting import agrees
from aifactory.components.offers import PoolOffer, Taint
from aifactory.components.pods import CONTROLLER_CPUS, CONTROLLER_MEMORY_GIB

GPU_CLASS = "gpu.nvidia.com"
"""DeviceClass of whole GPUs, which the DRA driver brings."""

UNSEEN_PERCENT = 2
"""Installed memory that firmware and kernel keep to themselves: a node of 2 TiB reports about 2015 GiB."""


def sized(draft: Resolved, ctx: PlanContext) -> Sized | None:
    """The pool with its nodes, offered to queues and workloads; None after a problem."""
    wishes = draft.wishes
    fabric = joined(wishes.fabric, draft.card.key, ctx)
    if fabric is None or not demanded.is_demanded(draft, ctx):
        return None
    choice = chosen(wishes, draft.card.key, _wanted(draft, ctx), bool(fabric.part), ctx)
    if choice is None or not several_share_a_fabric(draft, len(choice[1].nodes), ctx):
        return None
    group, found = choice
    plan = driver_plan(draft, group, fabric, ctx)
    shares = sharing.shared(draft.sharing, group.gpus_per_node)
    if plan is None:
        return None
    result = Sized(
        wishes=wishes,
        card=draft.card,
        group=group.group,
        placing=found,
        gpus_per_node=group.gpus_per_node,
        gpu_resource=sharing.GPU_RESOURCE,
        fabric=fabric.part,
        driver=plan,
        sharing=shares,
        reserve=hosts.reserve(group.cpus, group.memory_gib),
        taints=_taints(wishes, ctx),
    )
    needs = needs_of(result)
    if not agrees(needs, of_site(ctx), ctx):
        return None
    ctx.offer(needs)
    ctx.offer(_offer(result, group, ctx))
    return result


def _wanted(draft: Resolved, ctx: PlanContext) -> int | None:
    """How many nodes are wanted; None for all that there are."""
    nodes = draft.wishes.nodes
    if nodes == "all":
        return None
    if isinstance(nodes, int):
        return nodes
    group = ctx.place.group_of(draft.card.key)
    assert group is not None  # noqa: S101 - the first pass found it
    return demanded.demanded(draft, group.gpus_per_node, ctx)


def several_share_a_fabric(draft: Resolved, count: int, ctx: PlanContext) -> bool:
    """Whether training nodes that are several are joined."""
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
        ("cluster", "provides", "node-feature-discovery") if given else ("cluster",),
        "switch enableTaints on there and say features: [taints], or set dedicated of the pool to false",
        "site",
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
    why = "the blueprint doesn't ask for it" if able else "the given node-feature-discovery doesn't set taints"
    ctx.decide("taint", "none", why, source=("dedicated",))
    return ()


def needs_of(sized: Sized) -> PoolNeeds:
    """What the pool wants of what its site has once."""
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
    left_gib = group.memory_gib - group.memory_gib * UNSEEN_PERCENT // 100 - memory_gib
    ctx.decide(
        "reserve",
        {"cpus": cpus, "memory_gib": memory_gib},
        "kept from pods for kubelet, container runtime and operating system: 3 percent of the CPUs in whole cores "
        f"and 1 percent of the memory. {UNSEEN_PERCENT} percent of the installed memory never reach the kubelet: "
        f"firmware and kernel have them. Pods see {group.cpus - cpus} CPUs and {left_gib} GiB a node",
    )
    others = sum(len(each.nodes) for each in ctx.place.nodes if each.accelerator is None)
    holds_controllers = ctx.place.names_every_node and not others and not sized.wishes.dedicated
    if holds_controllers:
        ctx.decide(
            "controllers",
            {"cpus": CONTROLLER_CPUS, "memory_gib": CONTROLLER_MEMORY_GIB},
            "kept from workloads on each node: the site has no other for Prometheus, proxies and operators",
            source=("dedicated",),
        )
    ctx.decide(
        "topology",
        list(TOPOLOGY_LEVELS),
        "block is a set of leaf switches, rack shares power and cooling; both come from the site's inventory",
        rejected=[
            Rejected("rail", "every node has all rails and a job uses all of them, so a rail divides no nodes"),
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
        memory_gib_per_node=left_gib,
        node_labels=((names.POOL_LABEL, sized.wishes.identity),),
        taints=sized.taints,
        topology_levels=TOPOLOGY_LEVELS,
        racks=sized.placing.racks,
        fabric=sized.fabric,
        device_claim=GPU_CLASS if sized.wishes.device_management == "dra" else "",
        holds_controllers=holds_controllers,
        gds=sized.wishes.gds,
        own_driver=group.host.driver is None,
    )
