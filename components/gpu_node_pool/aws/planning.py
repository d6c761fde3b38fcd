"""Decides a pool at AWS in three passes: node groups in place of nodes in racks."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from aifactory.components import names
from aifactory.components.aws_nodes import NodesOffer
from aifactory.components.aws_place import aws_place
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.given_aws_nodes import RentedNodesGiven
from aifactory.components.gpu_node_pool import accelerators, demanded, health, hosts, sharing
from aifactory.components.gpu_node_pool.aws import buying, neuron
from aifactory.components.gpu_node_pool.aws.cards import InstanceFacts, facts_of
from aifactory.components.gpu_node_pool.aws.flexing import decide_flex, require_karpenter
from aifactory.components.gpu_node_pool.aws.grouping import decide_group, reading_lustre
from aifactory.components.gpu_node_pool.aws.joining import joined
from aifactory.components.gpu_node_pool.aws.model import (
    AwsFlexPlan,
    AwsPoolPlan,
    FlexPlan,
    NodeGroupPlan,
    Rentable,
    Rented,
    TakenNodes,
)
from aifactory.components.gpu_node_pool.aws.offering import offer_of
from aifactory.components.gpu_node_pool.drafts import Resolved, Sized, wishes
from aifactory.components.gpu_node_pool.labels import TAINT
from aifactory.components.gpu_node_pool.model import Acceptance, DriverPlan
from aifactory.components.gpu_node_pool.needs import leads, of_site
from aifactory.components.gpu_node_pool.placing import Placing
from aifactory.components.gpu_node_pool.resolving import devices_are_handed_out, is_run_here, profiles_fit, warn
from aifactory.components.gpu_node_pool.settling import (
    NAMESPACE,
    acceptance,
    common_labels,
    decide_operator,
    has_metrics,
    require,
    warn_of_neighbours,
)
from aifactory.components.gpu_node_pool.siting import agrees
from aifactory.components.gpu_node_pool.sizing import needs_of, several_share_a_fabric
from aifactory.components.gpu_node_pool.spec import GpuNodePoolSpec
from aifactory.components.offers import PoolCard, PoolOffer, RackShare, RentedShare, Taint
from aifactory.components.problems import nearest

NO_ACCEPTANCE = Acceptance(namespace=NAMESPACE, name="", image="", checks=(), tolerations=(), timeout_s=0)
"""Of a pool whose nodes come and go: there may be none."""


def resolved(spec: GpuNodePoolSpec, ctx: PlanContext) -> Rentable | None:
    """The pool once the site may rent nodes with its accelerator; None after a problem."""
    card = accelerators.card(ctx.catalog, spec.accelerator)
    own = neuron.is_neuron(card)
    runs = neuron.is_run_here(spec, card, ctx) if own else is_run_here(card, ctx)
    if not runs or not _may_be_rented(card.key, ctx):
        return None
    if not own and not all([devices_are_handed_out(spec, ctx), profiles_fit(spec, card, ctx)]):
        return None
    warn(spec, card, ctx)
    draft = Resolved(wishes(spec), card, spec.sharing)
    groups = _groups(card.key, ctx)
    facts = [facts_of(ctx.catalog, group.instance_type) for group in groups]
    ctx.offer(
        PoolCard(
            part=ctx.part,
            pool=spec.name,
            accelerator=card.key,
            gpus_per_node=min(each.accelerators for each in facts),
            nodes_at_most=sum(group.nodes for group in groups),
            several_join=spec.fabric != "none" and any(each.efa_devices for each in facts),
            whole_gpus=spec.sharing.kind == "none",
        )
    )
    return Rentable(draft, spec.flex)


def _groups(accelerator: str, ctx: PlanContext) -> list[RentedNodesGiven]:
    """Groups of the site with an accelerator, in its order."""
    rows = (
        (group, ctx.catalog.row("aws-instances", group.instance_type))
        for group in aws_place(ctx.place).aws.rented_nodes
    )
    return [group for group, row in rows if row.text("accelerator") == accelerator]


def _may_be_rented(accelerator: str, ctx: PlanContext) -> bool:
    rented = aws_place(ctx.place).aws.rented_nodes
    there = [ctx.catalog.row("aws-instances", group.instance_type).text("accelerator") for group in rented]
    return ctx.check(
        "GPU-012",
        accelerator in there,
        f"{ctx.place.site} rents no nodes with {accelerator}",
        ("accelerator",),
        nearest(accelerator, there) if there else "add aws.rented_nodes to the site file: which types, bought how",
    )


def sized(rentable: Rentable, ctx: PlanContext) -> Rented | None:
    """The pool with its nodes, offered to queues and workloads; None after a problem."""
    draft, place = rentable.draft, aws_place(ctx.place)
    (ground,) = ctx.offers(NodesOffer) or (None,)
    groups = _groups(draft.card.key, ctx)
    fabric = joined(draft.wishes.fabric, groups, ctx)
    if ground is not None and rentable.flex is not None and fabric is not None:
        return _flexible(rentable, groups, ground, ctx)
    if ground is None or fabric is None or not demanded.is_demanded(draft, ctx):
        return None
    choice = buying.chosen(draft.wishes, groups, _wanted(draft, groups, ctx), place, ctx)
    if choice is None or not several_share_a_fabric(draft, choice[1], ctx):
        return None
    group, nodes = choice
    facts = facts_of(ctx.catalog, group.instance_type)
    bought = [
        buying.is_sold(group, facts, place, ctx),
        buying.suits(group, nodes, draft.wishes, joined=fabric.offer is not None, ctx=ctx),
    ]
    made = decide_group(draft, group, nodes, facts, fabric, ground, ctx) if all(bought) else None
    if made is None:
        return None
    efa = sum(card.kind == "efa-only" for card in made.cards)
    zone = next((each.id for each in place.aws.zones if each.zone == group.zone), "")
    racks = (RentedShare(group.group, zone or group.group, (), count=nodes),)
    plan = _sized(draft, group, racks, facts, fabric.part, ctx)
    ctx.offer(TakenNodes(ctx.part, group.group, nodes))
    return _offered(plan, made, offer_of(plan, nodes, made.zones, efa, facts, ctx), ctx)


def _flexible(
    rentable: Rentable, groups: list[RentedNodesGiven], ground: NodesOffer, ctx: PlanContext
) -> Rented | None:
    draft, flex = rentable.draft, rentable.flex
    made = decide_flex(draft, flex, groups, ground, ctx) if flex else None
    if made is None:
        return None
    first = next(group for group in groups if group.instance_type == made.shares[0].instance_type)
    facts = facts_of(ctx.catalog, first.instance_type)
    nodes = sum(share.nodes for share in made.shares)
    plan = _sized(draft, first, (), facts, "", ctx)
    return _offered(plan, made, offer_of(plan, nodes, (), 0, facts, ctx), ctx)


def _offered(plan: Sized, made: NodeGroupPlan | FlexPlan, offer: PoolOffer, ctx: PlanContext) -> Rented | None:
    """The pool offered to queues and workloads, if it goes with other pools of the site."""
    needs = needs_of(plan)
    if not neuron.is_neuron(plan.card):
        if not agrees(needs, of_site(ctx), ctx):
            return None
        ctx.offer(needs)
    ctx.offer(offer)
    return Rented(plan, made)


def _wanted(draft: Resolved, groups: list[RentedNodesGiven], ctx: PlanContext) -> int | None:
    nodes = draft.wishes.nodes
    if nodes == "all":
        return None
    if isinstance(nodes, int):
        return nodes
    return demanded.demanded(draft, facts_of(ctx.catalog, groups[0].instance_type).accelerators, ctx)


def _sized(
    draft: Resolved,
    group: RentedNodesGiven,
    racks: tuple[RackShare, ...],
    facts: InstanceFacts,
    fabric: str,
    ctx: PlanContext,
) -> Sized:
    """The pool in the form that it has at other places."""
    own = neuron.is_neuron(draft.card)
    return Sized(
        wishes=draft.wishes,
        card=draft.card,
        group=group.group,
        placing=Placing(racks, ()),
        gpus_per_node=facts.accelerators,
        gpu_resource=neuron.RESOURCE if own else sharing.GPU_RESOURCE,
        fabric=fabric,
        driver=neuron.driver_plan(draft, group.ami_release, ctx) if own else _driver(draft, group, ctx),
        sharing=sharing.shared(draft.sharing, facts.accelerators),
        reserve=hosts.reserve(facts.cpus, facts.memory_gib),
        taints=_taints(draft, ctx),
    )


def _driver(draft: Resolved, group: RentedNodesGiven, ctx: PlanContext) -> DriverPlan:
    """The driver of the AMI."""
    place, release = aws_place(ctx.place), group.driver or ""
    source = buying.at(place, group, "driver")
    pin, floor = draft.wishes.driver_version, draft.card.driver_floor
    ctx.check(
        "GPU-002",
        not pin or pin == release,
        f"driver {pin} is wanted, and AMI release {group.ami_release} has {release}",
        ("driver", "version"),
        f'set driver.version to "{release}", leave it out, or name an AMI release that has it',
    )
    ctx.check(
        "GPU-003",
        accelerators.version(release) >= floor,
        f"driver {release} is too old for {draft.card.key}, which needs {accelerators.dotted(floor)} or newer",
        source,
        "name an AMI release with a newer driver",
        "site",
    )
    ctx.decide(
        "driver.owner",
        "host",
        "the accelerated AMI of EKS has driver, fabric manager, container toolkit and EFA, all of one test",
        rejected=[Rejected("operator", "a driver container on that AMI fails: the modules are loaded already")],
        facts=[draft.card.ref],
        source=buying.at(place, group, "ami_release"),
        document="site",
    )
    ctx.decide("driver.version", release, f"what AMI release {group.ami_release} has", source=source, document="site")
    return DriverPlan.of_image(release)


def _taints(draft: Resolved, ctx: PlanContext) -> tuple[Taint, ...]:
    if not draft.wishes.dedicated:
        ctx.decide("taint", "none", "the blueprint doesn't ask for it", source=("dedicated",))
        return ()
    taint = neuron.TAINT if neuron.is_neuron(draft.card) else TAINT
    ctx.decide(
        "taint",
        f"{taint.key}={taint.value}:{taint.effect}",
        "only pods that ask for its devices run here; a node has it before it takes its first pod",
        source=("dedicated",),
    )
    return (taint,)


def settled(draft: Rented, ctx: PlanContext) -> AwsPoolPlan | AwsFlexPlan:
    """The pool, with nothing left open."""
    plan = draft.sized
    own = neuron.is_neuron(plan.card)
    pools = of_site(ctx)
    if own:
        neuron.require(ctx)
        neuron.check_pods(ctx)
    else:
        warn_of_neighbours(plan, ctx)
        require(plan, pools, leads(ctx.part, pools), ctx, by_rules=False)
        decide_operator(plan, pools, has_metrics(ctx), ctx)
    metrics = has_metrics(ctx) and not own
    if metrics:
        ctx.require("metrics", f"tells which nodes are of pool {ctx.part}", health.LABELLED)
    common = common_labels(plan, pools)
    made = structs.replace(draft.made, labels=tuple(dict((*draft.made.labels, *common)).items()))
    identity = plan.wishes.identity
    shared: dict[str, Any] = {
        "identity": identity,
        "accelerator": plan.card.key,
        "group": plan.group,
        "racks": plan.placing.racks,
        "gpus_per_node": plan.gpus_per_node,
        "gpu_resource": plan.gpu_resource,
        "device_management": plan.wishes.device_management,
        "fabric": plan.fabric,
        "driver": plan.driver,
        "sharing": plan.sharing,
        "node_labels": (),
        "idle_nodes": (),
        "host_files": (),
        "alert_nodes": health.labelled_nodes(names.POOL_LABEL, identity) if metrics else None,
    }
    nodes = sum(rack.size for rack in plan.placing.racks)
    alerts = health.alerts(identity, nodes, plan.gpus_per_node) if metrics else ()
    if isinstance(made, NodeGroupPlan):
        made = reading_lustre(made, ctx)
        return AwsPoolPlan(**shared, acceptance=acceptance(plan, ctx), alerts=alerts, node_group=made)
    require_karpenter(made, ctx)
    ctx.decide("acceptance", "none", "nodes come with the pods that need them; Karpenter must be ready for them")
    alerts = tuple(alert for alert in alerts if alert.name != health.MISSING)
    return AwsFlexPlan(**shared, acceptance=NO_ACCEPTANCE, alerts=alerts, flex=made)
