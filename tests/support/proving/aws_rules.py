"""What AWS refuses: names that are taken, things that aren't there, and removals of what something still uses.

Codes are those of AWS' APIs. Source: the `Errors` section of each operation, and EC2's list of error codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from msgspec import Struct

from support.proving.aws_api import partition_of

Tree = Mapping[str, Any]
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INTERFACE = "aws:ec2/networkInterface:NetworkInterface"
CLUSTER, NODES = "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup"
BUCKET, SUBNET, VPC = "aws:s3/bucket:Bucket", "aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc"
ROLE = "aws:iam/role:Role"


class AwsError(Exception):
    """AWS refuses. Begins with the code."""


class Thing(Struct):
    """An object in the account."""

    token: str
    id: str
    urn: str
    """Empty for what no Pulumi made."""
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    owner: str = ""
    """Id of the object that it goes with."""
    hidden: int = 0
    """Readers that don't find it yet."""
    contents: int = 0
    """Objects in a bucket."""

    @property
    def names(self) -> set[str]:
        """What others know it by."""
        return {str(each) for each in (self.id, self.outputs.get("arn")) if each}


_TAKEN: dict[str, tuple[tuple[str, ...], str]] = {
    "aws:cloudwatch/logGroup:LogGroup": (("name",), "ResourceAlreadyExistsException"),
    "aws:ec2/launchTemplate:LaunchTemplate": (("name",), "InvalidLaunchTemplateName.AlreadyExistsException"),
    "aws:ec2/placementGroup:PlacementGroup": (("name",), "InvalidPlacementGroup.Duplicate"),
    GROUP: (("vpcId", "name"), "InvalidGroup.Duplicate"),
    "aws:eks/accessEntry:AccessEntry": (("clusterName", "principalArn"), "ResourceInUseException"),
    "aws:eks/addon:Addon": (("clusterName", "addonName"), "ResourceInUseException"),
    CLUSTER: (("name",), "ResourceInUseException"),
    NODES: (("clusterName", "nodeGroupName"), "ResourceInUseException"),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": (
        ("clusterName", "namespace", "serviceAccount"),
        "ResourceInUseException",
    ),
    "aws:iam/instanceProfile:InstanceProfile": (("name",), "EntityAlreadyExists"),
    "aws:iam/policy:Policy": (("name",), "EntityAlreadyExists"),
    ROLE: (("name",), "EntityAlreadyExists"),
    "aws:kms/alias:Alias": (("name",), "AlreadyExistsException"),
    "aws:lb/loadBalancer:LoadBalancer": (("name",), "DuplicateLoadBalancerName"),
    "aws:lb/targetGroup:TargetGroup": (("name",), "DuplicateTargetGroupName"),
    BUCKET: (("bucket",), "BucketAlreadyOwnedByYou"),
}
"""What may exist once, and how a second one is refused."""
_MISSING = (
    (r"vpc-[0-9a-f]{8,17}", "InvalidVpcID.NotFound"),
    (r"subnet-[0-9a-f]{8,17}", "InvalidSubnetID.NotFound"),
    (r"sg-[0-9a-f]{8,17}", "InvalidGroup.NotFound"),
    (r"rtb-[0-9a-f]{8,17}", "InvalidRouteTableID.NotFound"),
    (r"igw-[0-9a-f]{8,17}", "InvalidInternetGatewayID.NotFound"),
    (r"nat-[0-9a-f]{8,17}", "NatGatewayNotFound"),
    (r"eipalloc-[0-9a-f]{8,17}", "InvalidAllocationID.NotFound"),
    (r"lt-[0-9a-f]{8,17}", "InvalidLaunchTemplateId.NotFound"),
    (r"vpce-[0-9a-f]{8,17}", "InvalidVpcEndpointId.NotFound"),
    (r"cr-[0-9a-f]{8,17}", "InvalidCapacityReservationId.NotFound"),
    (r"fs-[0-9a-f]{8,17}", "FileSystemNotFound"),
    (r"arn:[\w-]+:iam::\d{12}:(role|policy|instance-profile)/.+", "NoSuchEntity"),
    (r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/.+", "NotFoundException"),
    (r"arn:[\w-]+:elasticloadbalancing:[\w-]+:\d{12}:targetgroup/.+", "TargetGroupNotFound"),
)
"""Texts that name an object, and what AWS answers when there is none."""
_BY_NAME = {
    "clusterName": (CLUSTER, "ResourceNotFoundException"),
    "bucket": (BUCKET, "NoSuchBucket"),
    "role": (ROLE, "NoSuchEntity"),
}
"""Properties that name an object of a token."""


class _Guard(Struct, frozen=True):
    """Why an object isn't removed while another names it."""

    code: str
    by: tuple[str, ...] = ()
    """Tokens of the others; any when empty."""
    but: tuple[str, ...] = ()
    """Tokens, or properties, that don't count."""


_GUARDS = {
    CLUSTER: _Guard("ResourceInUseException", by=(NODES, "aws:eks/fargateProfile:FargateProfile")),
    GROUP: _Guard("DependencyViolation", but=("securityGroupId", CLUSTER, "aws:ec2/launchTemplate:LaunchTemplate")),
    "aws:ec2/eip:Eip": _Guard("InvalidIPAddress.InUse"),
    "aws:ec2/routeTable:RouteTable": _Guard(
        "DependencyViolation", by=("aws:ec2/routeTableAssociation:RouteTableAssociation",)
    ),
    SUBNET: _Guard("DependencyViolation", but=("aws:ec2/routeTableAssociation:RouteTableAssociation",)),
    VPC: _Guard("DependencyViolation", but=("aws:ec2/flowLog:FlowLog", CLUSTER)),
    "aws:iam/policy:Policy": _Guard("DeleteConflict", by=("aws:iam/rolePolicyAttachment:RolePolicyAttachment",)),
    ROLE: _Guard(
        "DeleteConflict",
        by=(
            "aws:iam/instanceProfile:InstanceProfile",
            "aws:iam/rolePolicy:RolePolicy",
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        ),
    ),
    "aws:lb/targetGroup:TargetGroup": _Guard("ResourceInUse", by=("aws:lb/listener:Listener",)),
}


def leaves(tree: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Each text in a tree, with the name of the property that holds it."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from leaves(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from leaves(value, name)
    elif isinstance(tree, str):
        yield name, tree


def named(token: str, inputs: Tree) -> Iterator[tuple[str, str, str]]:
    """What a new object needs to be there: its token if that is sure, its name, and the code when it isn't."""
    for name, text in leaves(inputs):
        if name in _BY_NAME and (token, name) != (BUCKET, "bucket"):
            yield (_BY_NAME[name][0], text, _BY_NAME[name][1])
        for pattern, code in _MISSING:
            if re.fullmatch(pattern, text):
                yield "", text, code


def identity(token: str, inputs: Tree) -> tuple[Any, ...]:
    """What no two objects of a token may have in common; empty when they may be alike in all."""
    keys, _ = _TAKEN.get(token, ((), ""))
    return tuple(inputs.get(key) for key in keys)


def refuse_creation(token: str, inputs: Tree, things: Iterable[Thing], region: str) -> None:
    """Raises AwsError when the account can't have another such object."""
    alike = [thing for thing in things if thing.token == token]
    for thing in alike:
        if identity(token, inputs) and identity(token, thing.inputs) == identity(token, inputs):
            raise AwsError(f"{_TAKEN[token][1]}: {thing.id} already exists")
    if token == SUBNET:
        _refuse_subnet(inputs, alike, things, region)
    if token in (CLUSTER, NODES):
        _refuse_zones(token, inputs, things)


def refuse_removal(thing: Thing, things: Iterable[Thing]) -> None:
    """Raises AwsError while an object is protected, is full, or is used by another."""
    if thing.inputs.get("deletionProtection") or thing.inputs.get("enableDeletionProtection"):
        raise AwsError(f"OperationNotPermitted: {thing.id} has deletion protection on")
    if thing.token == BUCKET and thing.contents and not thing.inputs.get("forceDestroy"):
        raise AwsError(f"BucketNotEmpty: the bucket {thing.id} you tried to delete is not empty")
    guard = _GUARDS.get(thing.token)
    users = [other.id for other in things if guard and _uses(other, thing, guard)]
    if guard and users:
        raise AwsError(f"{guard.code}: {thing.id} has dependencies and cannot be deleted: {', '.join(sorted(users))}")


def _uses(other: Thing, thing: Thing, guard: _Guard) -> bool:
    if other.id == thing.id or other.owner == thing.id or other.token in guard.but:
        return False
    if guard.by and other.token not in guard.by:
        return False
    held = [*leaves(other.inputs), *leaves(other.outputs)]
    return any(
        text in thing.names for name, text in held if name not in guard.but and name not in ("id", "name", "arn")
    )


def _refuse_subnet(inputs: Tree, subnets: Iterable[Thing], things: Iterable[Thing], region: str) -> None:
    zone = str(inputs.get("availabilityZone", f"{region}a"))
    if partition_of(zone[:-1]) is None or zone[:-1] != region:
        raise AwsError(f"InvalidParameterValue: {zone} is no zone of {region}")
    if "cidrBlock" not in inputs:
        return
    block = ip_network(inputs["cidrBlock"])
    whole = next(ip_network(each.outputs["cidrBlock"]) for each in things if each.id == inputs["vpcId"])
    if block.version != whole.version or not block.subnet_of(whole):  # type: ignore[arg-type] # of one version here
        raise AwsError(f"InvalidSubnet.Range: {block} is not in {whole} of {inputs['vpcId']}")
    for each in subnets:
        if each.outputs["vpcId"] == inputs["vpcId"] and block.overlaps(ip_network(each.outputs["cidrBlock"])):
            raise AwsError(f"InvalidSubnet.Conflict: {block} is in {each.id}")


def _refuse_zones(token: str, inputs: Tree, things: Iterable[Thing]) -> None:
    """A control plane wants two zones. Source: EKS user guide, network requirements."""
    wanted = set(inputs["vpcConfig"]["subnetIds"] if token == CLUSTER else inputs["subnetIds"])
    zones = {thing.outputs.get("availabilityZone") for thing in things if thing.id in wanted}
    if token == CLUSTER and len(zones) < 2:
        raise AwsError("InvalidParameterException: subnets specified must be in at least two different AZs")
