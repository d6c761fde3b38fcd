"""What a cloud calls a resource before anybody has seen it made: for kinds whose id is what their inputs say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aifactory.components.names import OWNER_TAGS

_IDS = {
    "aws:cloudwatch/logGroup:LogGroup": "{name}",
    "aws:ec2/placementGroup:PlacementGroup": "{name}",
    "aws:eks/accessEntry:AccessEntry": "{clusterName}:{principalArn}",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": "{clusterName}#{principalArn}#{policyArn}",
    "aws:eks/addon:Addon": "{clusterName}:{addonName}",
    "aws:eks/cluster:Cluster": "{name}",
    "aws:eks/nodeGroup:NodeGroup": "{clusterName}:{nodeGroupName}",
    "aws:iam/instanceProfile:InstanceProfile": "{name}",
    "aws:iam/role:Role": "{name}",
    "aws:iam/rolePolicy:RolePolicy": "{role}:{name}",
    "aws:kms/alias:Alias": "{name}",
    "aws:s3/bucket:Bucket": "{bucket}",
}
"""Source: the section Import of each resource's page in the provider's documentation."""
_TAGS = (*OWNER_TAGS, "aifactory:part")


def foreseen_id(resource: Mapping[str, Any]) -> str:
    """The id that a resource gets, or got, by its inputs; empty where the cloud alone knows it."""
    form, inputs = _IDS.get(str(resource["type"]), ""), resource.get("inputs") or {}
    try:
        return form.format_map(inputs)
    except KeyError:
        return ""


def is_tagged_alike(sent: Mapping[str, Any], has: Mapping[str, Any]) -> bool:
    """Whether what is there carries our tags as they were to be sent. What takes no tags has its name alone."""
    wanted = {name: value for name, value in (sent.get("tags") or {}).items() if name in _TAGS}
    return wanted.items() <= (has.get("tags") or has.get("tagsAll") or {}).items()
