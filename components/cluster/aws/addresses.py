"""Arithmetic of addresses at AWS: how a VPC divides, and how many addresses nodes and pods take."""

from __future__ import annotations

import math
from ipaddress import IPv4Network

from aifactory.components.cluster.aws.model import SubnetPlan
from aifactory.components.given_aws import ZoneGiven
from aifactory.components.offers import AddressDemand

AWS_OWN = 5
"""Addresses of each subnet that AWS keeps. Source: Amazon VPC User Guide, subnet sizing."""
WARM_ADDRESSES = 5
"""Addresses that the network plugin keeps ready on a node beside those of its pods: WARM_IP_TARGET."""
BALANCER_ADDRESSES = 8
"""Free addresses that a load balancer wants in a subnet. Source: Elastic Load Balancing User Guide, subnets."""
CONTROL_PLANE_ADDRESSES = 16
"""Addresses that EKS wants for interfaces of its control plane. Source: Amazon EKS User Guide, network-reqs."""
CONTROL_LENGTH = 26
PUBLIC_LENGTH = 27
LONGEST = 28
"""Lengths of subnets, and the longest one that AWS makes."""
FEW_ZONES = 3


def slices(zones: int) -> int:
    """Equal parts that a VPC is divided in: one a zone for nodes, and the last for everything small."""
    return 4 if zones <= FEW_ZONES else 8


def divided(cidr: str, zones: list[ZoneGiven], *, nat: bool) -> tuple[SubnetPlan, ...] | None:
    """The subnets of a VPC; None where it is too small for them."""
    vpc = IPv4Network(cidr)
    length = vpc.prefixlen + int(math.log2(slices(len(zones))))
    if length > LONGEST:
        return None
    parts = list(vpc.subnets(new_prefix=length))
    last = parts[-1]
    small = len(zones) * 2 ** (32 - CONTROL_LENGTH)
    needed = small + (len(zones) * 2 ** (32 - PUBLIC_LENGTH) if nat else 0)
    if last.num_addresses < needed:
        return None
    start = int(last.network_address)
    found = [SubnetPlan("nodes", zone.zone, zone.id, str(part)) for zone, part in zip(zones, parts, strict=False)]
    for index, zone in enumerate(zones):
        network = IPv4Network((start + index * 2 ** (32 - CONTROL_LENGTH), CONTROL_LENGTH))
        found.append(SubnetPlan("control", zone.zone, zone.id, str(network)))
    for index, zone in enumerate(zones if nat else []):
        network = IPv4Network((start + small + index * 2 ** (32 - PUBLIC_LENGTH), PUBLIC_LENGTH))
        found.append(SubnetPlan("public", zone.zone, zone.id, str(network)))
    return tuple(found)


def room(cidr: str) -> int:
    """Addresses of a subnet that can be used."""
    return IPv4Network(cidr).num_addresses - AWS_OWN


def of_node(demand: AddressDemand) -> int:
    """Addresses that one node takes when it is full: pods, those kept ready, and one for each interface.

    The interfaces of pods each take one for themselves; an interface of type efa takes one, too, and one of type
    efa-only none.
    """
    for_pods = demand.pods_per_node + WARM_ADDRESSES
    interfaces = math.ceil(for_pods / (demand.addresses_per_interface - 1))
    return for_pods + interfaces + demand.interfaces


def in_zone(demands: list[AddressDemand], zone: str) -> int:
    """Addresses that a zone's subnet of nodes must have: full nodes, and a load balancer's."""
    return BALANCER_ADDRESSES + sum(
        demand.nodes_per_zone * of_node(demand) for demand in demands if zone in demand.zones
    )


def in_control(endpoints: int, attachments: int, balancers: int = 0) -> int:
    """Addresses that a zone's subnet of the control plane must have."""
    return CONTROL_PLANE_ADDRESSES + endpoints + attachments + balancers * BALANCER_ADDRESSES


def shortest_that_fits(zones: int, needed: int) -> int | None:
    """Length of the smallest VPC whose subnets of nodes have so many addresses; None where /16 doesn't."""
    bits = math.ceil(math.log2(needed + AWS_OWN)) + int(math.log2(slices(zones)))
    return 32 - bits if bits <= 16 else None
