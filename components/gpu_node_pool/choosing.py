"""The nodes of a pool: which group, which racks, and whether there are enough of them, with power."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.given import NodeGroup
from aifactory.components.gpu_node_pool import placing, power
from aifactory.components.gpu_node_pool.demanded import FOLLOWING
from aifactory.components.gpu_node_pool.drafts import Wishes
from aifactory.components.gpu_node_pool.placing import Placing
from aifactory.components.gpu_node_pool.power import Budget, shown
from aifactory.components.offers import PoolOffer, RackShare


class Option(Struct, frozen=True):
    """A node group that the pool could use."""

    group: NodeGroup
    budget: Budget
    unpowered: tuple[RackShare, ...]
    """Free nodes, whether or not their racks power them."""
    racks: tuple[RackShare, ...]
    """Free nodes that their racks power."""

    @property
    def free(self) -> int:
        """Nodes that no pool has."""
        return placing.size(self.unpowered)

    @property
    def powered(self) -> int:
        """Free nodes that their racks power."""
        return placing.size(self.racks)


def chosen(
    wishes: Wishes, accelerator: str, wanted: int | None, joined: bool, ctx: PlanContext
) -> tuple[NodeGroup, Placing] | None:
    """The group and the nodes taken of it; None after a problem. `wanted` None is all that there are."""
    options = [
        _opened(group, ctx)
        for group in ctx.place.nodes
        if group.accelerator == accelerator and (group.nics or not joined)
    ]

    def available(option: Option) -> int:
        return min(placing.largest(option.racks, wishes.within), option.budget.nodes)

    most = max(options, key=available)
    option = next((option for option in options if wanted and available(option) >= wanted), most)
    ctx.decide(
        "group",
        option.group.group,
        f"the site's nodes with {accelerator}: {option.group.server}",
        rejected=[
            Rejected(other.group.group, f"{available(other)} nodes that are free, powered and together")
            for other in options
            if other is not option
        ],
        facts=[f"accelerators/{accelerator}"],
        source=("nodes", ctx.place.nodes.index(option.group)),
        document="site",
    )
    sound = (
        _fill_a_board(option.group, ctx)
        and _exist(wishes, option, wanted, ctx)
        and _have_rack_power(wishes, option, wanted, ctx)
        and _lie_together(wishes, option, wanted, ctx)
        and _have_site_power(wishes, option, wanted, ctx)
    )
    found = sound and placing.place(option.racks, wanted or available(option), wishes.within)
    if not found:
        return None
    _decide(wishes, option, found, ctx)
    return option.group, found


def nodes_text(count: int | None) -> str:
    """`1 node`, `8 nodes`, `all nodes`."""
    return f"{'all' if count is None else count} node{'' if count == 1 else 's'}"


def _opened(group: NodeGroup, ctx: PlanContext) -> Option:
    taken = _taken(ctx)
    budget = power.budget(ctx.place, group, taken.keys())
    everywhere = {rack.rack: len(rack.nodes) for rack in group.racks}
    powered = {rack: budget.nodes_in(rack) for rack in everywhere}
    return Option(group, budget, placing.free(group, taken, everywhere), placing.free(group, taken, powered))


def _taken(ctx: PlanContext) -> Mapping[str, str]:
    """Nodes that pools planned before have, with the pool."""
    return {node: offer.pool for offer in ctx.offers(PoolOffer) for rack in offer.racks for node in rack.nodes}


def _fill_a_board(group: NodeGroup, ctx: PlanContext) -> bool:
    """SXM modules sit on one baseboard behind NVSwitch. A card takes whatever slots a server has."""
    row = ctx.catalog.row("accelerators", str(group.accelerator))
    most = row.value("interconnect.scale_up_domain")
    board = row.text("form_factor").startswith("SXM") and isinstance(most, int)
    if not ctx.check(
        "GPU-027",
        not board or group.gpus_per_node <= int(str(most)),
        f"nodes of {group.group} have {group.gpus_per_node} GPUs each; a baseboard of {group.accelerator} has "
        f"{most} at most",
        ("nodes", ctx.place.nodes.index(group), "gpus_per_node"),
        f"set gpus_per_node to {most}",
        "site",
    ):
        return False
    watts = row.value("power_w")
    known = watts if isinstance(watts, int) else 0
    gpus = power.kw(known * group.gpus_per_node) / 1000
    ctx.check(
        "GPU-028",
        power.kw(group.kw_per_node) >= gpus,
        f"nodes of {group.group} draw {shown(power.kw(group.kw_per_node))} kW at most, and their "
        f"{group.gpus_per_node} GPUs of {known} W alone {shown(gpus)} kW",
        ("nodes", ctx.place.nodes.index(group), "kw_per_node"),
        f"set kw_per_node to the vendor's figure, above {shown(gpus)}, or cap the GPUs' power on the hosts",
        "site",
    )
    return True


def _exist(wishes: Wishes, option: Option, wanted: int | None, ctx: PlanContext) -> bool:
    group, taken = option.group, _taken(ctx)
    takers = sorted({taken[node] for node in group.nodes if node in taken})
    belong = f", and {len(group.nodes) - option.free} belong to {', '.join(takers)}" if takers else ""
    return ctx.check(
        "GPU-012",
        (wanted or 1) <= option.free,
        f"pool {ctx.part} wants {nodes_text(wanted)} with {group.accelerator}; group {group.group} has "
        f"{len(group.nodes)}{belong}: {option.free} left",
        ("nodes",),
        f"{_fewer(wishes, option.free, (wanted or 1) - option.free)}add {nodes_text((wanted or 1) - option.free)}"
        + (", or take nodes from the other pools" if takers else ""),
    )


def _have_rack_power(wishes: Wishes, option: Option, wanted: int | None, ctx: PlanContext) -> bool:
    budget = option.budget
    return ctx.check(
        "GPU-013",
        (wanted or 1) <= option.powered,
        lambda: (
            f"pool {ctx.part} wants {nodes_text(wanted)} of {shown(budget.kw_per_node)} kW; racks of "
            f"{shown(budget.kw_per_rack)} kW power {option.powered} of the {option.free} that are free"
        ),
        ("nodes",),
        _fewer(wishes, option.powered, (wanted or 1) - option.powered)
        + f"set power.kw_per_rack to {_rack_need(option)}",
    )


def _lie_together(wishes: Wishes, option: Option, wanted: int | None, ctx: PlanContext) -> bool:
    within = wishes.within
    together = placing.largest(option.racks, within)
    return ctx.check(
        "GPU-015",
        (wanted or 1) <= together,
        f"pool {ctx.part} wants {nodes_text(wanted)} within one {within}; the most that are free and "
        f"powered in one are {together}",
        ("within",),
        f"{_fewer(wishes, together, (wanted or 1) - together)}set within to site",
    )


def _have_site_power(wishes: Wishes, option: Option, wanted: int | None, ctx: PlanContext) -> bool:
    budget = option.budget
    needed = budget.kw_used + (wanted or 1) * budget.kw_per_node
    return ctx.check(
        "GPU-014",
        (wanted or 1) <= budget.nodes,
        f"pool {ctx.part} wants {nodes_text(wanted)} of {shown(budget.kw_per_node)} kW beside "
        f"{shown(budget.kw_used)} kW of others; {ctx.place.site} has {shown(budget.kw_total)} kW",
        ("nodes",),
        f"{_fewer(wishes, budget.nodes, (wanted or 1) - budget.nodes)}set power.kw_total to {shown(needed)}",
    )


def _rack_need(option: Option) -> str:
    """Power of the rack that needs most, with all free nodes on."""
    budget = option.budget
    needs = (budget.used_by_rack.get(rack.rack, 0) + len(rack.nodes) * budget.kw_per_node for rack in option.unpowered)
    return shown(max(needs, default=budget.kw_per_rack))


def follows(wishes: Wishes) -> bool:
    """Whether others decide how many nodes there are."""
    return wishes.nodes in FOLLOWING


def _fewer(wishes: Wishes, count: int, missing: int) -> str:
    """The way out that needs no more nodes, as far as there is one."""
    if follows(wishes):
        return f"take the load of {missing} node{'' if missing == 1 else 's'} off demand or quotas, or "
    return f"set nodes to {count}, or " if count else ""


def _decide(wishes: Wishes, option: Option, found: Placing, ctx: PlanContext) -> None:
    budget, count = option.budget, len(found.nodes)
    most = min(option.powered, budget.nodes)
    group_at = ("nodes", ctx.place.nodes.index(option.group))
    gpus = count * option.group.gpus_per_node
    ctx.decide(
        "nodes",
        count,
        f"{nodes_text(count)} of {option.group.gpus_per_node} GPUs, {gpus} GPUs; fixed, because "
        + ("models reserve them" if wishes.workload == "inference" else "a gang needs every rank"),
        rejected=[
            Rejected(
                "autoscaling",
                ("" if wishes.workload == "inference" else "a gang that loses a node stops, and ")
                + "machines in racks don't come and go",
            ),
            *(
                [Rejected(most, "the group has and powers so many; the blueprint asks for fewer")]
                if count < most
                else []
            ),
        ],
        facts=[f"accelerators/{option.group.accelerator}"],
        because=[
            *([f"{ctx.part}.demand"] if follows(wishes) else []),
            f"{ctx.part}.group",
        ],
        source=("nodes",),
    )
    ctx.decide(
        "racks",
        [f"{rack.rack} ({rack.block}): {len(rack.nodes)}" for rack in found.racks],
        "the fewest blocks that hold the pool, and in them the fewest racks, so that collectives stay near",
        rejected=[
            Rejected(name, "not needed, or it would have left the pool more spread") for name in found.passed_over
        ],
        because=[f"{ctx.part}.nodes"],
        source=(*group_at, "racks"),
        document="site",
    )
    ctx.decide(
        "power",
        f"{shown(count * budget.kw_per_node)} kW",
        f"{nodes_text(count)} of at most {shown(budget.kw_per_node)} kW beside {shown(budget.kw_used)} kW of "
        f"others; {shown(budget.kw_total)} kW at the site, {shown(budget.kw_per_rack)} kW a rack. GPU nodes "
        "of no pool count as off",
        because=[f"{ctx.part}.racks"],
        source=(*group_at, "kw_per_node"),
        document="site",
    )
