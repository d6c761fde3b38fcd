"""What parts at AWS ask of the base, and what the base offers them. The cluster makes the rows: no part but those that
stand in a region knows of IAM or of a VPC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from aifactory.components.values import Ref

AGENT_ADDRESS = "169.254.170.23"
AGENT_PORT = 80
"""Where the Pod Identity agent of a node answers pods. Source: Amazon EKS User Guide, pod-id-how-it-works."""
BALANCER_CLASS = "service.k8s.aws/nlb"
"""Class of Services that the AWS Load Balancer Controller answers. Source: its guide, Service annotations."""


TAG_CHARS = 256
"""Longest value of a tag. Source: AWS, tag naming limits."""


def tags_of(part: str, data_classes: Iterable[str], tenants: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Tags of what a part has made for it: by the part that asked, the classes of its data and its tenants. What is
    longer than a value may be is left out, since half of a list would be wrong."""
    found = {
        "aifactory:part": part,
        "aifactory:data-class": " ".join(sorted(set(data_classes))),
        "aifactory:tenant": " ".join(sorted(set(tenants))),
    }
    return tuple((name, value) for name, value in found.items() if 0 < len(value) <= TAG_CHARS)


class Grant(Struct, frozen=True):
    """A statement of IAM: actions on resources, each by its ARN."""

    sid: str
    """Letters and digits, and its own among all of the same role."""
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Mapping[str, object] | None = None


class PodRoleDemand(Struct, frozen=True):
    """Permissions that pods of a part must have. The base gives their ServiceAccount a role, by Pod Identity."""

    part: str
    namespace: str
    service_account: str
    grants: tuple[Grant, ...]
    why: str
    tags: tuple[tuple[str, str], ...] = ()
    """Tags beside those of every row: whose data its pods see."""


class EndpointDemand(Struct, frozen=True):
    """A service of AWS that pods of a part call. Where nothing leaves the VPC the base makes an endpoint for it, which
    lets through what the part's role may do, and nobody else."""

    part: str
    service: str
    """Such as `bedrock-runtime`."""
    grants: tuple[Grant, ...]
    why: str


class BalancerDemand(Struct, frozen=True):
    """A load balancer in the subnets of the control plane, one interface a zone."""

    part: str


class VpcOffer(Struct, frozen=True):
    """The VPC as doors see it."""

    egress: str
    """nat, or none where nothing leaves it."""
    networks: tuple[str, ...]
    """Networks of the subnets in which load balancers and endpoints stand, and no pod."""
    subnets: tuple[Ref, ...]
    """Ids of these subnets."""
    reached_from: tuple[str, ...]
    """Networks that packets come from and go to: the VPC's own, and those of the ways to it."""
