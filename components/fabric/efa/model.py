"""EFA at one site, decided."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.aws_nodes import NodesOffer
from aifactory.components.fabric.model import Acceptance

RESOURCE = "vpc.amazonaws.com/efa"
"""Extended resource of one EFA device. Source: aws-efa-k8s-device-plugin."""
GROUP_TOKEN = "aws:ec2/securityGroup:SecurityGroup"  # noqa: S105 - a Pulumi type token, no secret


class EfaPlan(Struct, frozen=True):
    """The fabric of a site at AWS, decided."""

    fabric: str
    ground: NodesOffer
    group: str
    """Name of the row of its security group."""
    pools: tuple[tuple[str, int], ...]
    """Pools on it, with the EFA devices of a node."""
    acceptance: tuple[Acceptance, ...]
    """What nodes must offer, pool by pool."""
    settings_name: str
    settings: tuple[tuple[str, str], ...]
    settings_namespaces: tuple[str, ...]

    @property
    def in_short(self) -> str:
        """The plan in one line, for a person."""
        return "EFA, " + (", ".join(f"{pool} with {count} a node" for pool, count in self.pools) or "on no pool")
