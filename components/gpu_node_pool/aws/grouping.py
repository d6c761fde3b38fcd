"""Decides the node group of a pool: where, on which interfaces, with which AMI, and how many pods it takes."""

from __future__ import annotations

from msgspec import structs

from aifactory.components import names
from aifactory.components.aws_base import LustreOverEfa
from aifactory.components.aws_nodes import NodesOffer
from aifactory.components.aws_place import AwsPlace, aws_place, principal
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.given_aws_nodes import RentedNodesGiven
from aifactory.components.gpu_node_pool import hosts
from aifactory.components.gpu_node_pool.aws import buying, neuron
from aifactory.components.gpu_node_pool.aws.cards import PODS_AT_MOST, InstanceFacts
from aifactory.components.gpu_node_pool.aws.joining import JoinedByEfa
from aifactory.components.gpu_node_pool.aws.model import NetworkCard, NodeGroupPlan, UserData
from aifactory.components.gpu_node_pool.drafts import Resolved
from aifactory.components.gpu_node_pool.labels import TAINT
from aifactory.components.gpu_node_pool.model import Pairs
from aifactory.components.offers import AddressDemand, FabricOffer, OperatorNote

AMI_TYPES = {"amd64": "AL2023_x86_64_NVIDIA", "arm64": "AL2023_ARM_64_NVIDIA"}
HUGE_PAGES = 5_128
"""Huge pages of 2 MiB of a node with EFA, as its AMI has them. Source: Amazon EKS User Guide, node-efa."""
GIB = 1024**3


def decide_group(
    draft: Resolved,
    group: RentedNodesGiven,
    nodes: int,
    facts: InstanceFacts,
    fabric: JoinedByEfa,
    ground: NodesOffer,
    ctx: PlanContext,
) -> NodeGroupPlan | None:
    """The node group; None after a problem."""
    place = aws_place(ctx.place)
    name = f"pool-{draft.wishes.identity}"
    cards = _cards(group, facts, fabric, ctx)
    placed = buying.placed(group, nodes, ground.name(name, 255), joined=bool(fabric.part), place=place, ctx=ctx)
    pods = pods_of(group, facts, cards, place, ctx) if cards else None
    if cards is None or placed is None or pods is None:
        return None
    zones = (group.zone,) if group.zone else tuple(zone.zone for zone in place.aws.zones)
    _decide_zones(group, nodes, zones, place, ctx)
    _decide_repair(ctx)
    offer_demand(name, nodes, zones, pods, facts, ctx)
    note(group, place, ctx)
    return NodeGroupPlan(
        name=name,
        ground=ground,
        zones=zones,
        instance_type=group.instance_type,
        capacity=buying.CAPACITY[group.purchase],
        reservation=group.reservation or "",
        placement_group=placed.group,
        makes_placement_group=placed.ours,
        ami_type=_ami(draft, group, facts, place, ctx),
        ami_release=group.ami_release,
        nodes=nodes,
        disk_gib=group.disk_gib,
        cards=cards,
        fabric_group=fabric.offer.security_group if fabric.offer else None,
        user_data=told(draft, facts, pods, fabric.offer, ctx),
        labels=labels_of(draft, group, place),
        taints=(neuron.TAINT if neuron.is_neuron(draft.card) else TAINT,) if draft.wishes.dedicated else (),
    )


def _cards(
    group: RentedNodesGiven, facts: InstanceFacts, fabric: JoinedByEfa, ctx: PlanContext
) -> tuple[NetworkCard, ...] | None:
    cards = facts.cards(efa=bool(fabric.part))
    if not ctx.check(
        "AWS-110",
        cards is not None,
        f"which cards of {group.instance_type} have EFA is unknown",
        ("fabric",),
        "set fabric to none, or add a row of networks with its source to a private catalog folder",
    ):
        return None
    efa = sum(card.kind == "efa-only" for card in cards or ())
    ctx.decide(
        "interfaces",
        [f"{card.card}/{card.device} {card.kind}" for card in cards or ()],
        f"card and device of each: one interface with an address, and {efa} of EFA alone, one a card, which take none"
        if efa
        else "one interface: each job stays on its node",
        rejected=[Rejected("efa", "an interface of that type takes an address of the VPC, and carries IP nobody needs")]
        if efa
        else [],
        facts=facts.refs,
        because=[f"{ctx.part}.fabric"],
    )
    return cards


def pods_of(
    group: RentedNodesGiven,
    facts: InstanceFacts,
    cards: tuple[NetworkCard, ...],
    place: AwsPlace,
    ctx: PlanContext,
    key: str = "max_pods",
) -> int | None:
    """Pods of a node; None after a problem."""
    known = facts.pods(cards)
    pods = group.pods_per_node or known
    if not ctx.check(
        "AWS-113",
        pods is not None and pods <= (known or PODS_AT_MOST),
        f"no source says how many addresses an interface of {group.instance_type} takes"
        if pods is None
        else f"{pods} pods on {group.instance_type}, whose interfaces have addresses for {known}",
        at := buying.at(place, group, *(("pods_per_node",) if group.pods_per_node else ())),
        f"set pods_per_node to {known} or less"
        if pods
        else "add pods_per_node, as aws ec2 describe-instance-types has it",
        "site",
    ):
        return None
    ctx.decide(
        key,
        pods,
        "the site says so"
        if group.pods_per_node
        else f"the network plugin uses card 0 alone, and Kubernetes is tested with {PODS_AT_MOST}",
        facts=facts.refs,
        source=at if group.pods_per_node else (),
        document="site" if group.pods_per_node else "blueprint",
    )
    return pods


def _decide_zones(
    group: RentedNodesGiven, nodes: int, zones: tuple[str, ...], place: AwsPlace, ctx: PlanContext
) -> None:
    ctx.decide(
        "racks",
        [f"{group.group} ({' and '.join(zones)}): {nodes}"],
        "nobody but AWS knows its racks: nodes that are placed or reserved together count as one",
        because=[f"{ctx.part}.nodes"],
    )
    ctx.decide(
        "zones",
        zones,
        "where its reservation lies"
        if group.reservation
        else "as the site says: EFA and clusters of nodes don't leave a zone"
        if group.zone
        else "spread, so that a zone falls without all of them",
        source=buying.at(place, group, "zone") if group.zone else (),
        document="site" if group.zone else "blueprint",
    )


def _decide_repair(ctx: PlanContext) -> None:
    """Source: Amazon EKS User Guide, node-repair and node-health-nma."""
    ctx.decide(
        "repair",
        "a node that isn't Ready for 30 minutes is replaced, one after the other",
        "its jobs are lost by then, and nobody but EKS can end its instance: the replacement takes the same place in a "
        "reservation",
        rejected=[
            Rejected("none", "a node whose kubelet is gone keeps its GPUs, paid for, until a person looks"),
            Rejected(
                "eks-node-monitoring-agent",
                "it has nodes rebooted or replaced 10 minutes after an error of one GPU, under jobs that run on the "
                "others: errors of GPUs call a person",
            ),
        ],
    )


def offer_demand(
    name: str, nodes: int, zones: tuple[str, ...], pods: int, facts: InstanceFacts, ctx: PlanContext
) -> None:
    """Addresses of nodes: none more while an update runs, for there old nodes go first."""
    in_one = nodes if len(zones) == 1 else -(-nodes // (len(zones) - 1))
    ctx.offer(
        AddressDemand(
            part=ctx.part,
            nodes=f"nodes of {name}",
            zones=zones,
            nodes_per_zone=in_one,
            pods_per_node=pods,
            addresses_per_interface=facts.addresses_per_interface or pods + 6,
        )
    )


def note(group: RentedNodesGiven, place: AwsPlace, ctx: PlanContext) -> None:
    """Tell people of a Capacity Block's beginning and end, and of what Spot wants once in an account."""
    if group.purchase == "spot":
        says = (
            f"Account {place.aws.account} has the role AWSServiceRoleForEC2Spot, as any has that used Spot before. EC2 "
            "makes it once, for whoever may call iam:CreateServiceLinkedRole, which the roles of the base may not: aws "
            "iam get-role --role-name AWSServiceRoleForEC2Spot, else aws iam create-service-linked-role "
            f"--aws-service-name {principal('spot')}."
        )
        ctx.offer(OperatorNote(ctx.part, "before", says))
    if group.purchase == "capacity-block":
        says = (
            f"Run up of {place.site} after Capacity Block {group.reservation} has begun, and end its jobs before "
            f"{group.ends}: AWS takes the nodes 30 minutes earlier."
        )
        ctx.offer(OperatorNote(ctx.part, "before", says))


def _ami(draft: Resolved, group: RentedNodesGiven, facts: InstanceFacts, place: AwsPlace, ctx: PlanContext) -> str:
    family = neuron.AMI_TYPE if neuron.is_neuron(draft.card) else AMI_TYPES[facts.row.text("arch")]
    return ctx.decide(
        "ami",
        family,
        f"release {group.ami_release} of the accelerated AMI: it has the driver, and the site pins it",
        rejected=[
            Rejected("the newest release", "the same file would make other nodes tomorrow, with another driver"),
            Rejected("Bottlerocket", "GPUs and EFA are paired by topology there with DRA alone"),
        ],
        facts=[facts.row.ref],
        source=buying.at(place, group, "ami_release"),
        document="site",
    )


def told(draft: Resolved, facts: InstanceFacts, pods: int, fabric: FabricOffer | None, ctx: PlanContext) -> UserData:
    """What nodeadm is told."""
    wishes = draft.wishes
    numa = wishes.numa or ("best-effort" if wishes.workload == "training" else "restricted")
    ctx.decide("numa", numa, hosts.NUMA[numa], source=("numa",) if wishes.numa else ())
    ctx.decide(
        "scratch",
        "RAID 0 of local drives" if facts.has_drives else "root disk",
        "images, logs and scratch volumes of pods lie on it; it dies with the node"
        if facts.has_drives
        else "the type has no local drives, or no source names them",
        facts=[facts.row.ref],
    )
    ctx.decide(
        "disk",
        {"encrypted_by": "key of the account", "metadata_hops": 1},
        "pods don't reach the metadata service, and so not the node's role",
    )
    cpus, memory_gib = hosts.reserve(facts.cpus, facts.memory_gib)
    return UserData(
        max_pods=pods,
        topology_policy=numa,
        reserved_cpus=cpus,
        reserved_memory_gib=memory_gib,
        local_raid=facts.has_drives,
        lock_bytes=facts.memory_gib * GIB if fabric is not None and not fabric.ipc_lock else 0,
        hugepages_2mi=HUGE_PAGES if fabric is not None else 0,
    )


def reading_lustre(group: NodeGroupPlan, ctx: PlanContext) -> NodeGroupPlan:
    """The group with LNet over EFA, where a file system in its zone is reached so. All have told by `settle`."""
    near = [each.part for each in ctx.offers(LustreOverEfa) if each.zone in group.zones]
    if not near or not any(card.kind == "efa-only" for card in group.cards):
        return group
    ctx.decide(
        "lustre_network",
        "EFA",
        f"nodeadm sets up LNet for EFA at each boot, by AWS's own script in the AMI, before {' and '.join(near)} is "
        "mounted; EFA doesn't leave the zone",
        rejected=[
            Rejected("TCP", "a node reads with 100 Gbps at most, and nothing says that it does"),
            Rejected("the script from the internet", "it would be another one tomorrow, and there may be no way out"),
        ],
    )
    return structs.replace(group, user_data=structs.replace(group.user_data, lustre_over_efa=True))


def labels_of(draft: Resolved, group: RentedNodesGiven, place: AwsPlace) -> Pairs:
    """What node groups set in place of rules of node-feature-discovery: the same labels as elsewhere."""
    found = [(names.POOL_LABEL, draft.wishes.identity), (names.ACCELERATOR_LABEL, draft.card.key)]
    zone = next((each.id for each in place.aws.zones if each.zone == group.zone), "")
    if zone:
        found += [(names.BLOCK_LABEL, zone), (names.RACK_LABEL, group.group)]
    return tuple(found)
