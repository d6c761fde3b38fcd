"""What the base of a site at AWS gives to parts that make nodes in it, and how they make their rows."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from aifactory.components.aws_place import AwsRegion, fitting
from aifactory.components.values import Ref


class NodeSubnet(Struct, frozen=True):
    """The subnet of nodes in one zone."""

    zone: str
    zone_id: str
    subnet: Ref
    """Its id."""


class NodesOffer(Struct, frozen=True):
    """What node groups stand on. One a site."""

    region: AwsRegion
    cluster: str
    """Name of the cluster, as it is written."""
    cluster_ref: Ref
    """The same name, once the cluster is there."""
    kubernetes: str
    vpc: Ref
    """Its id."""
    security_group: Ref
    """Group of all nodes of the cluster and of its control plane: the one that EKS makes."""
    role: Ref
    """ARN of the role of nodes: they join, and pull images. Pods never have it."""
    disk_key: Ref
    """ARN of the key of the account that root disks are encrypted with."""
    subnets: tuple[NodeSubnet, ...]
    """In order of zones."""
    first: str
    """Row of the system nodes: network, endpoints, roles and add-ons are there before it."""
    tags: tuple[tuple[str, str], ...]
    """Tags beside those of every row, such as the cost centre's."""

    def name(self, what: str, characters: int = 64) -> str:
        """A name of something of the cluster's that fits what AWS takes."""
        return fitting(f"{self.cluster}-{what}", characters)

    def in_zones(self, zones: Iterable[str]) -> tuple[NodeSubnet, ...]:
        """Subnets of these zones, in order of zones."""
        wanted = set(zones)
        return tuple(subnet for subnet in self.subnets if subnet.zone in wanted)
