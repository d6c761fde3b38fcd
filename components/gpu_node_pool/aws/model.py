"""A pool at AWS as decided."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from aifactory.components.aws_nodes import NodesOffer
from aifactory.components.counting import counted
from aifactory.components.gpu_node_pool.drafts import Resolved, Sized
from aifactory.components.gpu_node_pool.model import GpuNodePoolPlan, Pairs
from aifactory.components.gpu_node_pool.spec import FlexNodes
from aifactory.components.offers import Taint
from aifactory.components.values import Ref

CapacityType = Literal["ON_DEMAND", "SPOT", "CAPACITY_BLOCK"]


class NetworkCard(Struct, frozen=True):
    """An interface of a node."""

    card: int
    device: int
    kind: Literal["interface", "efa-only"]
    """interface: has an address, and carries IP. efa-only: has none, and carries EFA alone."""


class UserData(Struct, frozen=True):
    """What nodeadm is told at the first boot."""

    max_pods: int
    topology_policy: str
    reserved_cpus: int
    reserved_memory_gib: int
    local_raid: bool
    """Whether local drives become one RAID 0, which holds images, logs and scratch volumes."""
    lock_bytes: int
    """Memory that a container may lock. 0: as the AMI has it."""
    hugepages_2mi: int
    """Huge pages of 2 MiB. 0: as the kernel has it."""
    lustre_over_efa: bool = False
    """Whether LNet is set up for EFA at each boot, before a file system of FSx is mounted."""


class NodeGroupPlan(Struct, frozen=True):
    """What the base makes for a pool."""

    name: str
    ground: NodesOffer
    zones: tuple[str, ...]
    instance_type: str
    capacity: CapacityType
    reservation: str
    """Reservation or Capacity Block, empty for none."""
    placement_group: str
    """Placement group by name, empty for none."""
    makes_placement_group: bool
    ami_type: str
    ami_release: str
    nodes: int
    disk_gib: int
    cards: tuple[NetworkCard, ...]
    fabric_group: Ref | None
    """Security group of the fabric. None: no fabric."""
    user_data: UserData
    labels: Pairs
    taints: tuple[Taint, ...]


class FlexShare(Struct, frozen=True):
    """Nodes of a flex pool that are bought in one way."""

    name: str
    instance_type: str
    capacity: Literal["reserved", "spot", "on-demand"]
    zones: tuple[str, ...]
    reservation: str
    nodes: int
    """The most of them."""
    weight: int
    """Shares of a higher weight are used first."""
    ami_release: str
    disk_gib: int
    user_data: UserData


class FlexPlan(Struct, frozen=True):
    """What Karpenter is told of a pool."""

    ground: NodesOffer
    shares: tuple[FlexShare, ...]
    labels: Pairs
    taints: tuple[Taint, ...]
    empty_after_s: int
    expire_after: str


class AwsFlexPlan(GpuNodePoolPlan, frozen=True, kw_only=True):
    """GPU nodes that come and go, decided."""

    flex: FlexPlan

    @property
    def in_short(self) -> str:
        """The plan in one line, for a person."""
        shares = " + ".join(f"{each.nodes} x {each.instance_type} {each.capacity}" for each in self.flex.shares)
        return f"{shares} at most, as pods need them"


class AwsPoolPlan(GpuNodePoolPlan, frozen=True, kw_only=True):
    """GPU nodes of one type that are rented, decided."""

    node_group: NodeGroupPlan

    @property
    def in_short(self) -> str:
        """The plan in one line, for a person."""
        group = self.node_group
        gpus = counted(group.nodes * self.gpus_per_node, "GPU")
        return f"{group.nodes} x {group.instance_type} in {' and '.join(group.zones)}, {gpus}"


class Rentable(Struct, frozen=True):
    """After the first pass: the site may rent such nodes."""

    draft: Resolved
    flex: FlexNodes | None


class Rented(Struct, frozen=True):
    """After the second pass: which nodes, and how they are bought."""

    sized: Sized
    made: NodeGroupPlan | FlexPlan


class TakenNodes(Struct, frozen=True):
    """Nodes of a group that a pool has. Offered to other pools of the site."""

    part: str
    group: str
    nodes: int
