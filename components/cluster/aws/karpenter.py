"""Karpenter: what the base makes for it, and how its release is run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aifactory.components.aws_place import AwsRegion, principal
from aifactory.components.aws_policies import EVERY, Statement, document
from aifactory.components.base import PlanContext
from aifactory.components.cluster.aws.making import Cloud
from aifactory.components.cluster.aws.model import EksPlan
from aifactory.components.cluster.recipe import Recipe, Setting, Terms
from aifactory.components.rows import CloudRow, Wave
from aifactory.components.values import Json, Ref

NAME = "karpenter"
"""Of its release, namespace, ServiceAccount, role and queue."""
PROFILE = "karpenter-nodes"
"""Name of the instance profile of its nodes, which have the role of all nodes."""
QUEUE, QUEUE_POLICY = "aws:sqs/queue:Queue", "aws:sqs/queuePolicy:QueuePolicy"
RULE, TARGET = "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget"
INSTANCE_PROFILE = "aws:iam/instanceProfile:InstanceProfile"
EVENTS: tuple[tuple[str, str, str], ...] = (
    ("health", "aws.health", "AWS Health Event"),
    ("spot", "aws.ec2", "EC2 Spot Instance Interruption Warning"),
    ("rebalance", "aws.ec2", "EC2 Instance Rebalance Recommendation"),
    ("state", "aws.ec2", "EC2 Instance State-change Notification"),
    ("reservation", "aws.ec2", "EC2 Capacity Reservation Instance Interruption Warning"),
)
"""Events that say that a node goes. Source: aws/karpenter-provider-aws cloudformation.yaml @v1.14.1."""
_LISTS = "these actions know no resource: they list"


def _settings(_: Terms) -> Iterable[Setting]:
    """What holds at every site; what differs follows from the pools."""
    yield Setting("replicas", 2, "one of them works while the node of the other is updated")
    why = "without a request it is the first to be evicted, and nobody starts nodes then"
    yield Setting("controller.resources", {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}, why)


KARPENTER = Recipe(
    wave=Wave.HARDWARE,
    timeout_s=900,
    settings=_settings,
    purpose="Nodes that come when pods wait",
    to=("any",),
    to_why="it calls EC2, EKS, SSM and SQS at addresses of their endpoints, and the agent of Pod Identity at the "
    "node's link-local one",
    metrics=(8080,),
    critical_pods=True,
)


def is_asked_for(ctx: PlanContext) -> bool:
    """Whether a part wants nodes that come and go."""
    return any(asked.capability == NAME for asked in ctx.site_plan.requirements)


def before_the_role(cloud: Cloud, node_role: Ref) -> Iterator[CloudRow]:
    """The queue first, what writes to it, and the profile of nodes."""
    plan = cloud.plan
    properties = {"name": plan.role_name(NAME), "messageRetentionSeconds": 300, "sqsManagedSseEnabled": True}
    queue = cloud.tagged(QUEUE, NAME, properties)
    yield queue
    policy = document(_queue_policy(plan, queue.output("arn")))
    yield cloud.untagged(QUEUE_POLICY, NAME, {"queueUrl": queue.output("id"), "policy": policy})
    for name, source, kind in EVENTS:
        pattern = Json({"source": [source], "detail-type": [kind]})
        rule = cloud.tagged(RULE, f"{NAME}-{name}", {"name": _rule_name(plan, name), "eventPattern": pattern})
        yield rule
        target = {"rule": rule.output("name"), "arn": queue.output("arn")}
        yield cloud.untagged(TARGET, f"{NAME}-{name}", target)
    profile = {"name": plan.role_name(PROFILE), "role": _name_of_role(plan)}
    yield cloud.tagged(INSTANCE_PROFILE, PROFILE, profile, after=[node_role.row])


def _name_of_role(plan: EksPlan) -> str:
    return plan.role_name("node")


def _rule_name(plan: EksPlan, name: str) -> str:
    return plan.role_name(f"{NAME}-{name}")


def _queue_policy(plan: EksPlan, queue: Ref) -> tuple[Statement, ...]:
    """EventBridge writes to it, for the rules above alone."""
    rules = [plan.region.arn("events", f"rule/{_rule_name(plan, name)}") for name, _, _ in EVENTS]
    condition = {"ArnEquals": {"aws:SourceArn": rules}}
    return (Statement("Events", ("sqs:SendMessage",), (queue,), {"Service": principal("events")}, condition),)


def statements(plan: EksPlan, queue: Ref, node_role: Ref) -> tuple[Statement, ...]:
    """What Karpenter may do: start instances that carry the cluster's tags, and end those that do.

    With a way out it also asks for prices and for the instance profiles of the account, whose API no endpoint leads to;
    in an isolated VPC it asks for neither (aws/karpenter-provider-aws#8617).

    Source: aws/karpenter-provider-aws website, v1.14, getting-started cloudformation.yaml, without what it needs to
    make instance profiles, and without zonal shift, which nothing here turns on.
    """
    region = plan.region
    abroad = (Statement("LookAbroad", ("iam:ListInstanceProfiles", "pricing:GetProducts"), EVERY, why=_LISTS),)
    parameters = region.arn("ssm", "parameter/aws/service/*", account="")
    profile = region.arn("iam", f"instance-profile/{plan.role_name(PROFILE)}", region="")
    to_ec2 = {"StringEquals": {"iam:PassedToService": principal("ec2")}}
    return (
        *_instances(plan),
        Statement("Look", _LOOKS, EVERY, condition=_here(region), why=_LISTS),
        *(abroad if plan.vpc.nat else ()),
        Statement("FindAmi", ("ssm:GetParameter",), (parameters,)),
        Statement("Told", ("sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"), (queue,)),
        Statement("GiveRole", ("iam:PassRole",), (node_role,), condition=to_ec2),
        Statement("FindProfile", ("iam:GetInstanceProfile",), (profile,)),
        Statement("FindCluster", ("eks:DescribeCluster",), (region.arn("eks", f"cluster/{plan.name}"),)),
    )


def _instances(plan: EksPlan) -> tuple[Statement, ...]:
    """Instances and launch templates: those that carry the cluster's tags, and no others."""
    region = plan.region
    owner = f"kubernetes.io/cluster/{plan.name}"
    a_pool = "karpenter.sh/nodepool"
    ours = {f"aws:RequestTag/{owner}": "owned", "aws:RequestTag/eks:eks-cluster-name": plan.name}
    asked = {"StringEquals": ours, "StringLike": {f"aws:RequestTag/{a_pool}": "*"}}
    owned = {
        "StringEquals": {f"aws:ResourceTag/{owner}": "owned"},
        "StringLike": {f"aws:ResourceTag/{a_pool}": "*"},
    }
    making = ["RunInstances", "CreateFleet", "CreateLaunchTemplate"]
    at_making = {**asked, "StringEquals": {**ours, "ec2:CreateAction": making}}
    later = {
        **owned,
        "StringEqualsIfExists": {"aws:RequestTag/eks:eks-cluster-name": plan.name},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"]},
    }
    made = _arns(region, *_MADE)
    used = (
        region.arn("ec2", "image/*", account=""),
        region.arn("ec2", "snapshot/*", account=""),
        *_arns(region, "security-group", "subnet", "capacity-reservation", "placement-group"),
    )
    start = ("ec2:RunInstances", "ec2:CreateFleet")
    end = ("ec2:TerminateInstances", "ec2:DeleteLaunchTemplate")
    return (
        Statement("Use", start, used),
        Statement("UseOwnTemplates", start, _arns(region, "launch-template"), condition=owned),
        Statement("Make", (*start, "ec2:CreateLaunchTemplate"), made, condition=asked),
        Statement("TagAtMaking", ("ec2:CreateTags",), made, condition=at_making),
        Statement("TagLater", ("ec2:CreateTags",), _arns(region, "instance"), condition=later),
        Statement("End", end, _arns(region, "instance", "launch-template"), condition=owned),
    )


def _arns(region: AwsRegion, *kinds: str) -> tuple[str, ...]:
    return tuple(region.arn("ec2", f"{kind}/*") for kind in kinds)


def _here(region: AwsRegion) -> dict[str, object]:
    return {"StringEquals": {"aws:RequestedRegion": region.region}}


_MADE = ("fleet", "instance", "volume", "network-interface", "launch-template", "spot-instances-request")
_LOOKS = (
    "ec2:DescribeCapacityReservations", "ec2:DescribeImages", "ec2:DescribeInstances",
    "ec2:DescribeInstanceStatus", "ec2:DescribeInstanceTypeOfferings", "ec2:DescribeInstanceTypes",
    "ec2:DescribeLaunchTemplates", "ec2:DescribePlacementGroups", "ec2:DescribeSecurityGroups",
    "ec2:DescribeSpotPriceHistory", "ec2:DescribeSubnets",
)  # fmt: skip
