"""Nodes that a site rents at AWS, read from rows: node groups of its base, and NodePools of its platform."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from aifactory.components.catalog import Catalog
from aifactory.components.rows import CloudRow, ClusterRow, KubernetesRow
from aifactory.components.values import pointed

NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
PURCHASES = {"ON_DEMAND": "on-demand", "SPOT": "spot", "CAPACITY_BLOCK": "capacity-block"}
RESERVED = "reserved"
"""What Karpenter calls nodes on a reservation, whether that is of capacity on demand or a Capacity Block."""
CAPACITY_TYPE, INSTANCE_TYPE = "karpenter.sh/capacity-type", "node.kubernetes.io/instance-type"
ZONE = "topology.kubernetes.io/zone"
_GPU_IMAGE = "amazon-eks-node-al2023-{machine}-nvidia-{kubernetes}-{version}"
"""What an alias of Karpenter means for GPUs of NVIDIA, for which alone pools flex.
Source: aws/karpenter-provider-aws pkg/providers/amifamily/al2023.go, resolvePath."""
_AMI_TYPE = re.compile(r"AL2023_(x86_64|ARM_64)_([A-Z]+)")
_MACHINES = {"amd64": "x86_64", "arm64": "arm64"}
_ARCHITECTURES = {"x86_64": "x86_64", "ARM_64": "arm64"}


class Group(Struct, frozen=True):
    """Nodes of one kind, bought in one way, as their rows have them."""

    name: str
    types: tuple[str, ...]
    nodes: int
    """The most of them."""
    purchase: str
    zones: tuple[str, ...]
    image: str
    """Name of its AMI, empty for one that is no release of EKS."""
    reservation: str
    """Id of its reservation or Capacity Block, empty for none."""


def groups(rows: Mapping[str, CloudRow]) -> tuple[Group, ...]:
    """The node groups of a base, by its rows."""
    return tuple(_group(row, rows) for row in rows.values() if row.token == NODE_GROUP)


def flexing(rows: Iterable[ClusterRow], kubernetes: str, catalog: Catalog) -> tuple[Group, ...]:
    """The NodePools of a platform, by its rows: nodes that Karpenter starts as pods need them.

    `kubernetes` is the minor version of the cluster, which the AMI behind an alias is for.
    """
    listed = [row for row in rows if isinstance(row, KubernetesRow)]
    classes = {row.name: row.body for row in listed if row.body["kind"] == "EC2NodeClass"}
    return tuple(_flexing(row, classes, kubernetes, catalog) for row in listed if row.body["kind"] == "NodePool")


def _group(row: CloudRow, rows: Mapping[str, CloudRow]) -> Group:
    properties: dict[str, Any] = dict(row.properties)
    template = rows.get(pointed(properties.get("launchTemplate", {}).get("id")))
    target = _inside(template, "capacityReservationSpecification", "capacityReservationTarget")
    subnets = [rows[pointed(subnet)] for subnet in properties["subnetIds"]]
    return Group(
        name=str(properties["nodeGroupName"]),
        types=tuple(properties.get("instanceTypes") or [_inside(template, "instanceType")]),
        nodes=int(properties["scalingConfig"]["maxSize"]),
        purchase=PURCHASES[properties.get("capacityType", "ON_DEMAND")],
        zones=tuple(str(subnet.properties["availabilityZone"]) for subnet in subnets),
        image=_image_name(str(properties.get("amiType", "")), str(properties.get("releaseVersion", ""))),
        reservation=str((target or {}).get("capacityReservationId", "")),
    )


def _flexing(row: KubernetesRow, classes: Mapping[str, Mapping[str, Any]], kubernetes: str, catalog: Catalog) -> Group:
    spec: Any = row.body["spec"]
    inner = spec["template"]["spec"]
    wanted = {each["key"]: tuple(each["values"]) for each in inner["requirements"]}
    (purchase,) = wanted[CAPACITY_TYPE]
    nodes: Any = classes[inner["nodeClassRef"]["name"]]["spec"]
    (image,) = nodes["amiSelectorTerms"]
    (instance_type,) = wanted[INSTANCE_TYPE]
    machine = _MACHINES[catalog.row("aws-instances", instance_type).text("arch")]
    version = image["alias"].partition("@")[2]
    reserved = nodes.get("capacityReservationSelectorTerms") or [{"id": ""}]
    return Group(
        name=row.name,
        types=wanted[INSTANCE_TYPE],
        nodes=int(spec["limits"]["nodes"]),
        purchase=purchase,
        zones=wanted[ZONE],
        image=_GPU_IMAGE.format(machine=machine, kubernetes=kubernetes, version=version),
        reservation=str(reserved[0]["id"]),
    )


def _image_name(ami_type: str, release: str) -> str:
    """Name of the AMI of a release. Source: awslabs/amazon-eks-ami, releases."""
    kind = _AMI_TYPE.fullmatch(ami_type)
    version, _, day = release.partition("-")
    if kind is None or not day:
        return ""
    minor = ".".join(version.split(".")[:2])
    return f"amazon-eks-node-al2023-{_ARCHITECTURES[kind[1]]}-{kind[2].lower()}-{minor}-v{day}"


def _inside(row: CloudRow | None, *steps: str) -> Any:
    found: Any = row.properties if row is not None else None
    for step in steps:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found
