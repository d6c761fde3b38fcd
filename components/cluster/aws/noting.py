"""What people are told of a cluster at AWS: how somebody gets in when no admin can, and what stays where it was."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.cluster.aws.eks import ADMIN_POLICY
from aifactory.components.cluster.aws.model import EksPlan
from aifactory.components.offers import OperatorNote


def decide_end(plan: EksPlan, ctx: PlanContext) -> None:
    """Whether AWS itself refuses to delete the cluster, and what people are told of its end."""
    ctx.decide(
        "aws.deletion_protection",
        False,
        "destroy asks first, stops at data and at claims of others, and ends load balancers before their controller",
        rejected=[
            Rejected(
                "True",
                "AWS would refuse when the platform is gone already; to turn it off takes an up, which needs that",
            )
        ],
    )
    for note in (_alone(plan, ctx), _way_in(plan, ctx.part), *_left(plan, ctx.part)):
        ctx.offer(note)


def _alone(plan: EksPlan, ctx: PlanContext) -> OperatorNote:
    says = (
        f"No other factory has a base at {ctx.place.site}: a second one would make a network of the same addresses, "
        f"{plan.vpc.cidr}. aifactory up refuses that where the states of both lie in one backend; pulumi stack ls "
        f"shows them as well, by names that end in -{ctx.place.site}-base."
    )
    return OperatorNote(ctx.part, "before", says)


def _way_in(plan: EksPlan, part: str) -> OperatorNote:
    """Source: Amazon EKS User Guide, access-entries: whoever may call the API of EKS lets principals in."""
    who = f"--cluster-name {plan.name} --region {plan.region.region} --principal-arn ROLE"
    scope = f"--access-scope type=cluster --policy-arn {plan.region.access_policy(ADMIN_POLICY)}"
    says = (
        "If no admin that the site names gets in any more, whoever may call eks:CreateAccessEntry in account "
        f"{plan.region.account} lets in another. Then add it to admins of the site file, or delete its entry: up knows "
        "only those."
    )
    commands = (f"aws eks create-access-entry {who}", f"aws eks associate-access-policy {who} {scope}")
    return OperatorNote(part, "running", says, commands)


def _left(plan: EksPlan, part: str) -> Iterator[OperatorNote]:
    """Sources: terraform-aws-modules/terraform-aws-eks#2486 and #2763, where EKS's own service role makes the group;
    Amazon GuardDuty User Guide, how-runtime-monitoring-works-eks and runtime-monitoring-agent-resource-clean-up."""
    region = plan.region.region
    says = (
        "EKS may write the last lines of its control plane after all is gone, into a log group that it makes anew, "
        "without key and end. The next up would find it in its way:"
    )
    group = f"aws logs delete-log-group --region {region} --log-group-name {plan.log_groups[0]}"
    yield OperatorNote(part, "removal", says, (group,))
    says = (
        "Where GuardDuty's Runtime Monitoring manages its agents, it has put an endpoint and a security group "
        "(GuardDutyManagedSecurityGroup) into the VPC, and these keep its subnets. Delete both when the nodes are gone:"
    )
    service = plan.region.endpoint("guardduty-data")
    find = (
        f"aws ec2 describe-vpc-endpoints --region {region} --filters Name=service-name,Values={service} "
        "--query 'VpcEndpoints[].[VpcEndpointId,VpcId]' --output text"
    )
    delete = f"aws ec2 delete-vpc-endpoints --region {region} --vpc-endpoint-ids ENDPOINT"
    yield OperatorNote(part, "removal", says, (find, delete))
