"""What node groups of other parts stand on, and the key of root disks."""

from __future__ import annotations

from msgspec import structs

from aifactory.components import names
from aifactory.components.aws_nodes import NodesOffer, NodeSubnet
from aifactory.components.aws_place import AwsRegion
from aifactory.components.aws_policies import EVERY, OF_THE_KEY, Statement, administration
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.cluster.aws import karpenter
from aifactory.components.cluster.aws.model import EksPlan, EndpointPlan, cluster_output, vpc_id
from aifactory.components.values import Ref

NODE_ROLE = "node"
"""Name of the role of nodes."""
DISKS = "disks"
"""Name of the key of root disks."""
SYSTEM = "system"
"""Name of the node group of controllers."""
SUBNET_TOKEN = "aws:ec2/subnet:Subnet"  # noqa: S105 - a Pulumi type token, no secret
ROLE_TOKEN = "aws:iam/role:Role"  # noqa: S105 - a Pulumi type token, no secret
KEY_TOKEN = "aws:kms/key:Key"  # noqa: S105 - a Pulumi type token, no secret
NODE_GROUP_TOKEN = "aws:eks/nodeGroup:NodeGroup"  # noqa: S105 - a Pulumi type token, no secret


def offer_nodes(plan: EksPlan, ctx: PlanContext) -> None:
    """Say what node groups of other parts may use."""
    ctx.decide(
        "aws.disk_key",
        f"alias/{plan.name}-{DISKS}",
        "root disks of all nodes are encrypted by a key of the account, which rotates each year",
        rejected=[Rejected("alias/aws/ebs", "nobody but AWS could take it away, and its use is shared with all else")],
    )
    ctx.offer(
        NodesOffer(
            region=plan.region,
            cluster=plan.name,
            cluster_ref=cluster_output("name"),
            kubernetes=plan.kubernetes,
            vpc=vpc_id(),
            security_group=cluster_output("vpcConfig.clusterSecurityGroupId"),
            role=Ref(names.cloud_id(ROLE_TOKEN, NODE_ROLE), "arn"),
            disk_key=Ref(names.cloud_id(KEY_TOKEN, DISKS), "arn"),
            subnets=tuple(
                NodeSubnet(subnet.zone, subnet.zone_id, Ref(names.cloud_id(SUBNET_TOKEN, subnet.name), "id"))
                for subnet in plan.vpc.of_kind("nodes")
            ),
            first=names.cloud_id(NODE_GROUP_TOKEN, SYSTEM),
            tags=tuple(plan.tags.items()),
        )
    )


def with_flex(plan: EksPlan, ctx: PlanContext) -> EksPlan:
    """The cluster with what Karpenter needs, where a part wants nodes that come and go."""
    if not karpenter.is_asked_for(ctx):
        return plan
    ctx.decide(
        "aws.karpenter",
        plan.role_name(karpenter.NAME),
        "its role starts instances that carry the cluster's tags and ends no others; a queue tells it that AWS takes a "
        "node back; its nodes have the role of all nodes, by a profile that it can't change",
        rejected=[Rejected("EKS Auto Mode", "it has no DRA, and its nodes and their images are AWS's to choose")],
    )
    there = {endpoint.service for endpoint in plan.vpc.endpoints}
    rows = [row for row in ctx.catalog.rows("aws-eks.endpoints") if row.text("when") == "flex"]
    more = [row for row in rows if not plan.vpc.nat and row.key not in there]
    for row in more:
        ctx.decide(f"aws.endpoint.{row.key}", plan.region.endpoint(row.key), row.text("why"), facts=[row.ref])
    added = (EndpointPlan(row.key, plan.region.endpoint(row.key), True, row.text("why")) for row in more)
    vpc = structs.replace(plan.vpc, endpoints=(*plan.vpc.endpoints, *added))
    return structs.replace(plan, vpc=vpc, karpenter=True)


def disks_key(region: AwsRegion) -> tuple[Statement, ...]:
    """The key of root disks: EC2 uses it for whoever may start instances in the account, as it does its own key.

    Source: Amazon EBS User Guide, the policy of the key aws/ebs. A policy that names the role of EC2 Auto Scaling is
    refused in an account that has never used it.
    """
    verbs = ("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "DescribeKey")
    more = ("GenerateDataKeyWithoutPlaintext", "CreateGrant")
    through = f"ec2.{region.region}.{region.dns_suffix}"
    condition = {"StringEquals": {"kms:CallerAccount": region.account, "kms:ViaService": through}}
    actions = tuple(f"kms:{verb}" for verb in (*verbs, *more))
    return (
        administration(region),
        Statement("DisksOfTheAccount", actions, EVERY, {"AWS": "*"}, condition, why=OF_THE_KEY),
    )
