"""What AWS' own API says: its closed sets of words, partitions and regions, from the data that botocore ships."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader
from msgspec import Struct

_SERVICES = {
    "alb": "elbv2",
    "cloudwatch": "logs",
    "ebs": "ec2",
    "lb": "elbv2",
    "vpc": "ec2",
}
"""The service of a module of the SDK, where it has another name."""
_OPERATIONS = {
    "aws:autoscaling/group:Group": "CreateAutoScalingGroup",
    "aws:ec2/capacityBlockReservation:CapacityBlockReservation": "PurchaseCapacityBlock",
    "aws:ec2/eip:Eip": "AllocateAddress",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": "AssociateAccessPolicy",
    "aws:fsx/lustreFileSystem:LustreFileSystem": "CreateFileSystem",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "PutBucketLifecycleConfiguration",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "PutBucketOwnershipControls",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "PutBucketEncryption",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "AuthorizeSecurityGroupEgress",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "AuthorizeSecurityGroupIngress",
}
"""The operation that makes a resource, where it isn't `Create`, or `Put`, and the name of the resource."""
_SHAPES = {
    ("aws:ebs/volume:Volume", "type"): ("ec2", "VolumeType"),
    ("aws:ec2/launchTemplate:LaunchTemplate", "interfaceType"): ("ec2", "NetworkInterfaceCreationType"),
    ("aws:eks/addon:Addon", "resolveConflictsOnCreate"): ("eks", "ResolveConflicts"),
    ("aws:eks/addon:Addon", "resolveConflictsOnUpdate"): ("eks", "ResolveConflicts"),
    ("aws:eks/cluster:Cluster", "enabledClusterLogTypes"): ("eks", "LogType"),
    ("aws:fsx/lustreFileSystem:LustreFileSystem", "dataCompressionType"): ("fsx", "DataCompressionType"),
    ("aws:fsx/lustreFileSystem:LustreFileSystem", "deploymentType"): ("fsx", "LustreDeploymentType"),
    ("aws:lb/loadBalancer:LoadBalancer", "loadBalancerType"): ("elbv2", "LoadBalancerTypeEnum"),
    (
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "sseAlgorithm",
    ): ("s3", "ServerSideEncryption"),
}
"""Where the API has another name for a property, takes plain text that means one of a set, or shares an operation."""
_PROVIDERS_OWN = {("aws:s3/bucketVersioning:BucketVersioning", "status"): {"Disabled"}}
"""Words that the provider takes beside the API's. Source: the SDK's text on the property."""
_INSTANCE_TYPES = ("instanceType", "instanceTypes")
"""Plain text to some services, and an instance type of EC2 to all of them."""


class Partition(Struct, frozen=True):
    """A part of AWS with accounts, ARNs and names of its own."""

    name: str
    suffix: str
    """Of DNS names."""
    regions: tuple[str, ...]


@cache
def partitions() -> Mapping[str, Partition]:
    """Every partition, by name."""
    found = Loader().load_data("endpoints")["partitions"]
    return {
        each["partition"]: Partition(each["partition"], each["dnsSuffix"], tuple(each["regions"])) for each in found
    }


def partition_of(region: str) -> Partition | None:
    """The partition of a region; None when botocore knows no such region."""
    return next((each for each in partitions().values() if region in each.regions), None)


@cache
def words(token: str, name: str) -> frozenset[str]:
    """The words that the API takes for a property of a resource; none when it takes any text, or isn't known to be
    asked.

    A name is looked for in all that the operation takes. When it is free text at one place, it is free everywhere.
    """
    if name in _INSTANCE_TYPES:
        return frozenset(_model("ec2")["shapes"]["InstanceType"]["enum"])
    if (token, name) in _SHAPES:
        service, shape = _SHAPES[token, name]
        return frozenset(_model(service)["shapes"][shape]["enum"])
    service, operation = _operation(token)
    if not operation:
        return frozenset()
    found: set[str] = set()
    for member, shape in _members(service, operation):
        if member.lower() == name.lower():
            if "enum" not in shape:
                return frozenset()
            found |= set(shape["enum"])
    return frozenset(found | _PROVIDERS_OWN.get((token, name), set())) if found else frozenset()


def wrong_places(text: str) -> Iterator[str]:
    """What is wrong with the partitions and regions in the ARNs of a text."""
    for partition, service, region in re.findall(r"\barn:([\w-]+):([\w-]+):([\w-]*):", text):
        if partition not in partitions():
            yield f"{partition} is no partition of AWS: {', '.join(sorted(partitions()))}"
        elif region and region not in partitions()[partition].regions:
            yield f"{service} in {region}: no region of partition {partition}"


def _operation(token: str) -> tuple[str, str]:
    """Service and operation that make a resource; no operation when none has its name."""
    _, module, name = token.split(":")
    service = module.split("/")[0]
    service = _SERVICES.get(service, service)
    if service not in _services():
        return service, ""
    known = _model(service)["operations"]
    if token in _OPERATIONS:
        return service, _OPERATIONS[token]
    likely = {f"{verb}{name}{plural}".lower() for verb in ("Create", "Put") for plural in ("", "s")}
    return service, next((operation for operation in known if operation.lower() in likely), "")


@cache
def _services() -> frozenset[str]:
    return frozenset(Loader().list_available_services("service-2"))


@cache
def _model(service: str) -> Any:
    return Loader().load_service_model(service, "service-2")


@cache
def _members(service: str, operation: str) -> list[tuple[str, Any]]:
    """Each member that an operation takes, at any depth, with the shape of its texts."""
    shapes = _model(service)["shapes"]
    pending = [_model(service)["operations"][operation]["input"]["shape"]]
    seen = set(pending)
    found = []
    while pending:
        for name, member in shapes[pending.pop()].get("members", {}).items():
            target = _innermost(shapes, member["shape"])
            found.append((name, shapes[target]))
            if target not in seen and shapes[target]["type"] == "structure":
                seen.add(target)
                pending.append(target)
    return found


def _innermost(shapes: Any, name: str) -> str:
    """What a list, or a list of lists, or a map holds."""
    while shapes[name]["type"] in ("list", "map"):
        name = shapes[name]["member" if shapes[name]["type"] == "list" else "value"]["shape"]
    return name
