"""Decides the cluster at AWS: region, network, who gets in, add-ons and system nodes."""

from __future__ import annotations

from msgspec.structs import replace

from aifactory.components import names
from aifactory.components.aws_place import AwsPlace
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.catalog import Row
from aifactory.components.cluster.aws import asked, balancer
from aifactory.components.cluster.aws.addons import decide_addons
from aifactory.components.cluster.aws.bursting import decide_classes
from aifactory.components.cluster.aws.dividing import addresses_suffice, decide_vpc
from aifactory.components.cluster.aws.drivers import asked_addons, decide_kept
from aifactory.components.cluster.aws.ground import offer_nodes, with_flex
from aifactory.components.cluster.aws.making import Cloud
from aifactory.components.cluster.aws.model import (
    EksPlan,
    SystemNodesPlan,
    handed,
)
from aifactory.components.cluster.aws.noting import decide_end
from aifactory.components.cluster.aws.registry import decide_registry
from aifactory.components.cluster.aws.shape import cloud_rows
from aifactory.components.cluster.aws.standing import decide_definitions, decide_images, decide_reached, decide_region
from aifactory.components.controller_nodes import ControllerNodesOffer
from aifactory.components.offers import AddressDemand, CloudOffer, ClusterAccessOffer
from aifactory.components.rows import Maker, Wave

EKS_PODS_AT_MOST = 110
"""Pods of a node that Kubernetes is tested with. Source: kubernetes.io docs, considerations for large clusters."""
SURGE_PER_ZONE = 2
"""Nodes of a zone that an update of a node group starts before old ones go. Source: Amazon EKS User Guide,
managed-node-update-behavior: up to two instances per Availability Zone."""
AMI_TYPES = {"amd64": "AL2023_x86_64_STANDARD", "arm64": "AL2023_ARM_64_STANDARD"}


def decide(place: AwsPlace, ctx: PlanContext) -> EksPlan | None:
    """The cluster, before other parts have said what they put into its network. None where it can't be made."""
    region = decide_region(place, ctx)
    reached = decide_reached(place, ctx)
    addons = decide_addons(place, ctx)
    if region is None or not reached or addons is None:
        return None
    found = decide_images(region, ctx), decide_definitions(place, ctx), decide_registry(place, region, ctx)
    images = all(found)
    vpc = decide_vpc(place, region, ctx)
    if vpc is None or not images:
        return None
    aws = place.aws
    centre = {"aifactory:cost-centre": aws.cost_centre} if aws.cost_centre else {}
    plan = EksPlan(
        name=f"{ctx.factory}-{place.site}",
        kubernetes=aws.kubernetes,
        service_cidr=aws.vpc.service_cidr,
        region=region,
        vpc=vpc,
        admins=tuple(aws.admins),
        log_retention_days=aws.logs.retention_days,
        addons=addons,
        system_nodes=_system_nodes(place, ctx),
        tags=centre,
        flex_classes=decide_classes(ctx),
        copies=aws.image_registry is not None,
    )
    _decide_entry(place, plan, ctx)
    decide_end(plan, ctx)
    ctx.offer(CloudOffer(region.partition, region.account, region.region))
    given = handed()
    access = ClusterAccessOffer(given["cluster_name"], given["endpoint"], given["certificate_authority"], region.region)
    ctx.offer(access)
    asked.offer_vpc(vpc, ctx)
    offer_nodes(plan, ctx)
    balancer.require(plan, ctx)
    return plan


def settle(plan: EksPlan, ctx: PlanContext) -> EksPlan | None:
    """Hold subnets against all that wants addresses, and list what carries no tags."""
    plan = asked.with_asked(with_flex(plan, ctx), ctx)
    drivers = asked_addons(ctx)
    if not addresses_suffice(plan, ctx) or drivers is None:
        return None
    plan = replace(plan, addons=(*plan.addons, *drivers), kept_zones=decide_kept(ctx))
    maker = Maker(ctx.factory, ctx.place.site, ctx.part, Wave.FOUNDATION)
    untagged = tuple(row.id for row in cloud_rows(Cloud.of(maker, plan)) if "tags" not in row.properties)
    kinds = sorted({name.partition(":")[2].partition("/")[2].partition(":")[2].partition("/")[0] for name in untagged})
    ctx.decide(
        "aws.untagged",
        untagged,
        f"AWS gives no tags to {', '.join(kinds)}; each belongs to a row that has them, and goes with it",
    )
    ctx.decide(
        "aws.tags",
        names.tags(ctx.factory, ctx.place.site, ctx.part, plan.tags),
        "everything that AWS tags can be found, charged and removed by them; volumes and load balancers that "
        "controllers make get them, too",
    )
    return replace(plan, untagged=untagged)


def _system_nodes(place: AwsPlace, ctx: PlanContext) -> SystemNodesPlan:
    given, zones = place.aws.system_nodes, place.aws.zones
    row = ctx.catalog.row("aws-eks.instances", given.instance_type)
    pods = min(pods_of(row), EKS_PODS_AT_MOST)
    ctx.decide(
        "aws.system_nodes",
        f"{given.nodes} x {row.key}",
        "controllers run on them before there is any other node, and none of them needs a GPU",
        rejected=[Rejected("EKS Auto Mode", "it has no DRA, and its nodes and their images are AWS's to choose")],
        facts=[row.ref],
        source=("aws", "system_nodes"),
        document="site",
    )
    ctx.decide(
        "aws.system_nodes.max_pods",
        pods,
        f"{row.key} has {row.count('interfaces')} interfaces of {row.count('addresses_per_interface')} addresses; "
        f"Kubernetes is tested with {EKS_PODS_AT_MOST}",
        facts=[row.ref],
    )
    ctx.decide(
        "aws.system_nodes.template",
        "IMDSv2 with one hop, an encrypted gp3 disk, no public address",
        "pods can't ask the metadata service for the node's role; Pod Identity gives each its own",
        rejected=[Rejected("IMDSv1", "a request that a server is tricked into sending reads the node's credentials")],
    )
    # While a zone is out, its nodes are started in the others.
    in_one_zone = -(-given.nodes // (len(zones) - 1)) + SURGE_PER_ZONE
    ctx.offer(
        AddressDemand(
            part=ctx.part,
            nodes="system nodes",
            zones=tuple(zone.zone for zone in zones),
            nodes_per_zone=in_one_zone,
            pods_per_node=pods,
            addresses_per_interface=row.count("addresses_per_interface"),
        )
    )
    ctx.offer(ControllerNodesOffer(given.nodes, row.count("cpus"), row.count("memory_gib")))
    return SystemNodesPlan(
        row.key, AMI_TYPES[row.text("architecture")], given.ami_release, given.nodes, given.disk_gib, pods
    )


def pods_of(row: Row) -> int:
    """Pods that a node of a type can have: all addresses but one an interface, and two on the host's network.

    Source: aws/amazon-vpc-cni-k8s misc/eni-max-pods.txt.
    """
    return row.count("interfaces") * (row.count("addresses_per_interface") - 1) + 2


def _decide_entry(place: AwsPlace, plan: EksPlan, ctx: PlanContext) -> None:
    ctx.decide(
        "aws.admins",
        plan.admins,
        "access entries of EKS name them, and nobody else gets in, not even whoever makes the cluster",
        rejected=[Rejected("the ConfigMap aws-auth", "whoever may edit it in the cluster makes himself its admin")],
        source=("aws", "admins"),
        document="site",
    )
    ctx.decide(
        "aws.identity",
        "Pod Identity",
        "a pod gets the role that an association names for its ServiceAccount, for this cluster alone",
        rejected=[
            Rejected("OIDC", "each cluster's issuer would be written into each role's trust, and be reached by AWS"),
            Rejected("the node's role", "every pod of the node would have it"),
        ],
    )
    ctx.decide(
        "aws.secrets_key",
        f"alias/{plan.name}-secrets",
        "Secrets are encrypted by a key of the account, which rotates each year, before they reach etcd",
        rejected=[Rejected("AWS's own key", "nobody but AWS could take it away, and its use is in no log of yours")],
    )
    ctx.decide(
        "aws.logs",
        plan.log_groups,
        f"logs of the control plane, and flows of the VPC, lie in {place.aws.region} "
        f"({place.location.country}) for {plan.log_retention_days} days, encrypted by a key of the account; the group "
        "is made before the cluster, for EKS would make one without key and end",
        source=("aws", "logs"),
        document="site",
    )
