"""Policies of IAM, and of keys and endpoints: each statement with what it allows, on what, and why so widely."""

from __future__ import annotations

from aifactory.components.aws_place import AwsRegion, principal
from aifactory.components.aws_policies import EVERY, OF_THE_KEY, Statement, administration, document, of_pods
from aifactory.components.cluster.aws.model import EksPlan, vpc_id
from aifactory.components.values import Format, Ref

__all__ = ["Statement", "document"]

_NO_RESOURCE = "these actions know no resource: they list"
BALANCER_TAG = "elbv2.k8s.aws/cluster"
"""Tag that the load balancer controller puts on what it makes, with the cluster's name."""


def trust(service: str) -> tuple[Statement, ...]:
    """Who may take a role: one AWS service."""
    return (Statement("Assume", ("sts:AssumeRole",), principals={"Service": principal(service)}),)


def pod_trust(plan: EksPlan) -> tuple[Statement, ...]:
    """Who may take a role of pods: Pod Identity, for this cluster."""
    return of_pods(plan.region, plan.name)


def flow_trust(plan: EksPlan) -> tuple[Statement, ...]:
    """Who may take the role that writes flows: flow logs of this account."""
    condition = {"StringEquals": {"aws:SourceAccount": plan.region.account}}
    return (
        Statement(
            "FlowLogs", ("sts:AssumeRole",), principals={"Service": principal("vpc-flow-logs")}, condition=condition
        ),
    )


def flows(plan: EksPlan, group: Ref) -> tuple[Statement, ...]:
    """What the writer of flows may do: write streams of its log group."""
    inside = plan.region.arn("logs", f"log-group:{plan.log_groups[1]}:*")
    actions = ("logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams")
    return (
        Statement("WriteFlows", actions, (group, inside)),
        Statement("FindGroup", ("logs:DescribeLogGroups",), EVERY, why=_NO_RESOURCE),
    )


def secrets_key(plan: EksPlan, cluster_role: Ref) -> tuple[Statement, ...]:
    """The key of Secrets: the control plane uses it, and whoever makes the cluster lets EKS use it."""
    region = plan.region
    use = ("kms:Encrypt", "kms:Decrypt", "kms:DescribeKey", "kms:ListGrants")
    for_aws = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    root = {"AWS": region.arn("iam", "root", region="")}
    return (
        administration(region),
        Statement("ControlPlane", use, EVERY, {"AWS": cluster_role}, why=OF_THE_KEY),
        Statement("GrantToEks", ("kms:CreateGrant",), EVERY, root, for_aws, why=OF_THE_KEY),
    )


def logs_key(plan: EksPlan) -> tuple[Statement, ...]:
    """The key of logs: CloudWatch Logs uses it for the groups of this cluster."""
    region = plan.region
    verbs = ("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "DescribeKey")
    groups = [region.arn("logs", f"log-group:{name}") for name in plan.log_groups]
    condition = {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": groups}}
    service = {"Service": region.logs_principal}
    actions = tuple(f"kms:{verb}" for verb in verbs)
    return (administration(region), Statement("Logs", actions, EVERY, service, condition, why=OF_THE_KEY))


def s3_endpoint(region: AwsRegion, *, nat: bool) -> tuple[Statement, ...]:
    """What passes the endpoint of S3: buckets of the account, and layers of ECR's images. So no pod carries data to
    the bucket of another account by this way.

    With a way out any bucket may be read besides: what pods ask of S3 in the region passes the endpoint and no NAT
    gateway, and registries on the internet send pulls to buckets of theirs there (registry.k8s.io, Docker Hub, quay).
    Source: kubernetes/registry.k8s.io cmd/archeio/internal/app/buckets.go; prometheus-community/helm-charts#2421 and
    moby/moby#34185: pulls end in 403 where the endpoint's policy names buckets.
    """
    everyone = {"AWS": "*"}
    own = (
        *_READS, "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts",
        "s3:ListBucketMultipartUploads",
    )  # fmt: skip
    of_account = {"StringEquals": {"aws:ResourceAccount": region.account}}
    why = "every bucket of the account: the condition keeps others out, and policies of roles say who"
    written = Statement("OwnBuckets", own, EVERY, everyone, of_account, why=why)
    if nat:
        why = "a NAT gateway reads any bucket of another region anyway, and reading carries nothing out"
        return written, Statement("ReadAnyBucket", _READS, EVERY, everyone, why=why)
    layers = region.arn("s3", f"{region.layer_bucket}/*", region="", account="")
    return written, Statement("ImageLayers", ("s3:GetObject",), (layers,), everyone)


_READS = ("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:GetBucketLocation")


def balancer(plan: EksPlan) -> tuple[Statement, ...]:
    """What the load balancer controller may do: network load balancers, and only those of this cluster.

    Source: kubernetes-sigs/aws-load-balancer-controller docs/install/iam_policy.json, without what application load
    balancers, WAF, Shield, Cognito, ACM and Outposts need, and with the cluster's name where upstream asks for any. As
    there, the tag that says whose something is comes with its making and never later, or whoever may tag could take
    the load balancers of others; other tags may change on what is owned.
    """
    region = plan.region
    groups, network = region.arn("ec2", "security-group/*"), Format((region.arn("ec2", "vpc/"), vpc_id()))
    made = tuple(
        region.arn("elasticloadbalancing", kind) for kind in ("loadbalancer/net/*", "targetgroup/*", "listener/net/*")
    )
    asked = {"StringEquals": {f"aws:RequestTag/{BALANCER_TAG}": plan.name}}
    owned = {"StringEquals": {f"aws:ResourceTag/{BALANCER_TAG}": plan.name}}
    of_nodes = {"StringEquals": {f"aws:ResourceTag/kubernetes.io/cluster/{plan.name}": "owned"}}
    elb = "elasticloadbalancing:"
    at_making = {"StringEquals": {**asked["StringEquals"], "ec2:CreateAction": "CreateSecurityGroup"}}
    making = ("CreateLoadBalancer", "CreateTargetGroup", "CreateListener")
    made_now = {"StringEquals": {**asked["StringEquals"], f"{elb}CreateAction": list(making)}}
    other_tags = {**owned, "Null": {f"aws:RequestTag/{BALANCER_TAG}": "true"}}
    rules = ("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress")
    service_role = region.role(f"aws-service-role/{principal('elasticloadbalancing')}/*")
    only_elb = {"StringEquals": {"iam:AWSServiceName": principal("elasticloadbalancing")}}
    return (
        Statement("ServiceRole", ("iam:CreateServiceLinkedRole",), (service_role,), condition=only_elb),
        Statement("Look", _LOOKS, EVERY, why=_NO_RESOURCE),
        Statement("RulesOfNodes", rules, (groups,), condition=of_nodes),
        Statement("InNetwork", ("ec2:CreateSecurityGroup", "ec2:GetSecurityGroupsForVpc"), (network,)),
        Statement("MakeTaggedGroup", ("ec2:CreateSecurityGroup",), (groups,), condition=asked),
        Statement("TagNewGroup", ("ec2:CreateTags",), (groups,), condition=at_making),
        Statement("TagOwnGroup", ("ec2:CreateTags", "ec2:DeleteTags"), (groups,), condition=other_tags),
        Statement("OwnGroups", (*rules, "ec2:DeleteSecurityGroup"), (groups,), condition=owned),
        Statement("Make", tuple(f"{elb}{verb}" for verb in making), made, condition=asked),
        Statement("TagNew", (f"{elb}AddTags",), made, condition=made_now),
        Statement("TagOwn", (f"{elb}AddTags", f"{elb}RemoveTags"), made, condition=other_tags),
        Statement("Own", tuple(f"{elb}{verb}" for verb in _OWN), made, condition=owned),
    )


_LOOKS = (
    "ec2:DescribeAccountAttributes", "ec2:DescribeAddresses", "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInstances", "ec2:DescribeInternetGateways", "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeTags",
    "ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs",
    "elasticloadbalancing:DescribeCapacityReservation", "elasticloadbalancing:DescribeListenerAttributes",
    "elasticloadbalancing:DescribeListenerCertificates", "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeSSLPolicies",
    "elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth",
)  # fmt: skip
_OWN = (
    "ModifyLoadBalancerAttributes", "ModifyCapacityReservation", "SetSecurityGroups", "SetSubnets",
    "SetIpAddressType", "DeleteLoadBalancer", "CreateListener", "ModifyListener", "DeleteListener",
    "ModifyListenerAttributes", "ModifyTargetGroup", "ModifyTargetGroupAttributes", "RegisterTargets",
    "DeregisterTargets", "DeleteTargetGroup",
)  # fmt: skip
