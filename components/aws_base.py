"""What the base of a site at AWS gives to other parts that make rows in it, and what they ask of the cluster there."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.aws_place import AwsRegion, fitting
from aifactory.components.values import Ref


class ZoneSubnet(Struct, frozen=True):
    """The subnet of nodes in one zone."""

    zone: str
    zone_id: str
    subnet: Ref
    """Its id."""


class BaseOffer(Struct, frozen=True):
    """Where rows of the base stand: region, cluster and network. One a site."""

    region: AwsRegion
    cluster: str
    vpc: Ref
    """Its id."""
    node_group: Ref
    """Security group of all nodes of the cluster, and of its control plane: the one that EKS makes."""
    subnets: tuple[ZoneSubnet, ...]
    """Of nodes, in order of zones."""
    volume_driver: Ref
    """ARN of the role of the driver that makes volumes of EBS."""
    tags: tuple[tuple[str, str], ...]
    """Tags beside those of every row, such as the cost centre's."""

    def name(self, what: str, characters: int = 64) -> str:
        """A name of something of the cluster's that fits what AWS takes."""
        return fitting(f"{self.cluster}-{what}", characters)


class KeptIn(Struct, frozen=True):
    """Says that something stays in a zone when the stack goes: so do its subnet and the VPC, which hold its
    interfaces."""

    part: str
    zone: str


class AddonDemand(Struct, frozen=True):
    """An EKS add-on that a part needs, beside those that every cluster has."""

    part: str
    addon: str
    why: str
