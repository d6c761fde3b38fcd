"""Rows of the base of a pool: placement group, launch template and node group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aifactory.components.aws_rows import AwsRows
from aifactory.components.gpu_node_pool.aws.model import NetworkCard, NodeGroupPlan
from aifactory.components.gpu_node_pool.aws.nodeadm import user_data
from aifactory.components.rows import CloudRow, Maker
from aifactory.components.values import Format

PLACEMENT_GROUP = "aws:ec2/placementGroup:PlacementGroup"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
NODES_TIMEOUT_S = 3_600
"""GPU nodes boot within minutes; capacity is waited for."""
EFFECTS = {"NoSchedule": "NO_SCHEDULE", "NoExecute": "NO_EXECUTE"}


REPAIR = {"enabled": True, "maxParallelNodesRepairedCount": 1}
"""One node after the other, so that a reservation never has to give two at once."""


def base_rows(plan: NodeGroupPlan, maker: Maker) -> Iterator[CloudRow]:
    """What the base makes for a pool."""
    ground = plan.ground
    rows = AwsRows(maker, ground.cluster, dict(ground.tags))
    placement: CloudRow | None = None
    if plan.makes_placement_group:
        properties = {"name": plan.placement_group, "strategy": "cluster"}
        placement = rows.tagged(PLACEMENT_GROUP, plan.name, properties)
        yield placement
    template = rows.tagged(TEMPLATE, plan.name, _template(plan, placement, rows))
    yield template
    yield rows.tagged(
        NODE_GROUP, plan.name, _node_group(plan, template), after=[ground.first], timeout_s=NODES_TIMEOUT_S
    )


def _template(plan: NodeGroupPlan, placement: CloudRow | None, rows: AwsRows) -> dict[str, object]:
    """No public address, tokens for metadata that pods don't reach, a disk that the account's key encrypts."""
    ground = plan.ground
    disk = {
        "volumeType": "gp3",
        "volumeSize": plan.disk_gib,
        "encrypted": "true",
        "kmsKeyId": ground.disk_key,
        "deleteOnTermination": "true",
    }
    groups = [ground.security_group, *((plan.fabric_group,) if plan.fabric_group else ())]
    kinds = ("instance", "volume", "network-interface")
    properties: dict[str, object] = {
        "name": ground.name(plan.name, 128),
        "updateDefaultVersion": True,
        "instanceType": plan.instance_type,
        "metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": disk}],
        "networkInterfaces": [_interface(card, groups, alone=len(plan.cards) == 1) for card in plan.cards],
        "tagSpecifications": [{"resourceType": kind, "tags": rows.tags(plan.name)} for kind in kinds],
        "userData": user_data(plan.user_data),
    }
    if placement is not None:
        properties["placement"] = {"groupName": placement.output("name")}
    elif plan.placement_group:
        properties["placement"] = {"groupName": plan.placement_group}
    if plan.reservation:
        target = {"capacityReservationId": plan.reservation}
        properties["capacityReservationSpecification"] = {"capacityReservationTarget": target}
    if plan.capacity == "CAPACITY_BLOCK":
        properties["instanceMarketOptions"] = {"marketType": "capacity-block"}
    return properties


def _interface(card: NetworkCard, groups: Sequence[object], *, alone: bool) -> dict[str, object]:
    """An interface. EC2 refuses to be told of public addresses where there are several: the subnet gives none."""
    found: dict[str, object] = {
        "networkCardIndex": card.card,
        "deviceIndex": card.device,
        "deleteOnTermination": "true",
        "securityGroups": list(groups),
    }
    if alone:
        found["associatePublicIpAddress"] = "false"
    if card.kind != "interface":
        found["interfaceType"] = card.kind
    return found


def _node_group(plan: NodeGroupPlan, template: CloudRow) -> dict[str, object]:
    """A node group of a fixed size. The instance type stands in the template alone: EKS takes it from one place."""
    ground = plan.ground
    return {
        "clusterName": ground.cluster_ref,
        "nodeGroupName": plan.name,
        "nodeRoleArn": ground.role,
        "subnetIds": [each.subnet for each in ground.in_zones(plan.zones)],
        "scalingConfig": {"minSize": plan.nodes, "maxSize": plan.nodes, "desiredSize": plan.nodes},
        "amiType": plan.ami_type,
        "releaseVersion": plan.ami_release,
        "version": ground.kubernetes,
        "capacityType": plan.capacity,
        # A node group wants text, and the template has a number.
        "launchTemplate": {"id": template.output("id"), "version": Format((template.output("latestVersion"),))},
        "labels": dict(plan.labels),
        "taints": [{"key": taint.key, "value": taint.value, "effect": EFFECTS[taint.effect]} for taint in plan.taints],
        # There is no node more to rent while an update runs: old ones go first.
        "updateConfig": {"maxUnavailable": 1, "updateStrategy": "MINIMAL"},
        "nodeRepairConfig": REPAIR,
    }
