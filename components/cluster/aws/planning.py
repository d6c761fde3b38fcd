"""Decides the cluster at AWS: region, network, who gets in, add-ons and system nodes."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from aifactory.components import names
from aifactory.components.aws_place import AwsPlace, AwsRegion, region_of
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.catalog import Row
from aifactory.components.cluster.aws import addresses, balancer
from aifactory.components.cluster.aws.addons import decide_addons
from aifactory.components.cluster.aws.making import Cloud
from aifactory.components.cluster.aws.model import (
    EksPlan,
    EndpointPlan,
    SystemNodesPlan,
    VpcPlan,
    WayPlan,
    handed,
)
from aifactory.components.cluster.aws.shape import cloud_rows
from aifactory.components.counting import counted
from aifactory.components.offers import AddressDemand, CloudOffer, ClusterAccessOffer, OperatorNote
from aifactory.components.rows import Maker, Wave

EKS_PODS_AT_MOST = 110
"""Pods of a node that Kubernetes is tested with. Source: kubernetes.io docs, considerations for large clusters."""
SURGE_PER_ZONE = 2
"""Nodes of a zone that an update of a node group starts before old ones go. Source: Amazon EKS User Guide,
managed-node-update-behavior: up to two instances per Availability Zone."""
AMI_TYPES = {"amd64": "AL2023_x86_64_STANDARD", "arm64": "AL2023_ARM_64_STANDARD"}


def decide(place: AwsPlace, ctx: PlanContext) -> EksPlan | None:
    """The cluster, before other parts have said what they put into its network. None where it can't be made."""
    region = _region(place, ctx)
    reached = _reached(place, ctx)
    addons = decide_addons(place, ctx)
    if region is None or not reached or addons is None:
        return None
    images = _images(place, region, ctx)
    vpc = _vpc(place, region, ctx)
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
    )
    _decide_entry(place, plan, ctx)
    ctx.offer(CloudOffer(region.partition, region.account, region.region))
    given = handed()
    access = ClusterAccessOffer(given["cluster_name"], given["endpoint"], given["certificate_authority"], region.region)
    ctx.offer(access)
    balancer.require(plan, ctx)
    return plan


def settle(plan: EksPlan, ctx: PlanContext) -> EksPlan | None:
    """Hold subnets against all that wants addresses, and list what carries no tags."""
    if not _addresses_suffice(plan, ctx):
        return None
    maker = Maker(ctx.factory, ctx.place.site, ctx.part, Wave.FOUNDATION)
    untagged = tuple(row.id for row in cloud_rows(Cloud(maker, plan)) if "tags" not in row.properties)
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


def _region(place: AwsPlace, ctx: PlanContext) -> AwsRegion | None:
    aws = place.aws
    region = region_of(aws, ctx.catalog)
    row = ctx.catalog.find("regions", f"aws:{aws.region}")
    known = ctx.check(
        "AWS-104",
        region is not None,
        f"{aws.region} is in no partition of AWS that the catalog has read up on",
        ("aws", "region"),
        ctx.catalog.hint("regions", f"aws:{aws.region}")
        if row is None
        else f"its partition is {row.text('partition')}; those read up on are {', '.join(ctx.catalog.keys('aws-eks'))}",
        "site",
    )
    if not known or region is None or row is None:
        return None
    stated = (place.location.country, place.location.operator.nationality)
    found = (row.text("country"), row.text("operator_nationality"))
    at = ("location", "country") if stated[0] != found[0] else ("location", "operator", "nationality")
    true = ctx.check(
        "AWS-104",
        stated == found,
        lambda: (
            f"{aws.region} stands in {found[0]} and is run from {found[1]}; the site says {stated[0]} and {stated[1]}"
        ),
        at,
        f"write country: {found[0]} and nationality: {found[1]}, or name a region that is where the site is",
        "site",
    )
    ctx.decide(
        "aws.partition",
        region.partition,
        f"{aws.region} is in it: ARNs, suffixes and registries follow, and nothing refers to another partition",
        facts=region.refs,
        source=("aws", "region"),
        document="site",
    )
    return region if true else None


def _reached(place: AwsPlace, ctx: PlanContext) -> bool:
    given = place.aws.reached_from
    held = ctx.check(
        "AWS-103",
        bool(given),
        f"nobody reaches the API of {place.site}: it has no public endpoint, and the site names no way to the private "
        "one",
        ("aws",),
        "add reached_from: [{networks: [10.0.0.0/16], through: tgw-...}], the network of whoever runs up among them",
        "site",
    )
    ctx.decide(
        "aws.api",
        "private",
        "the API server answers inside the VPC, and to "
        + (", ".join(f"{' and '.join(each.networks)} through {each.through}" for each in given) or "nobody"),
        rejected=[Rejected("public", "the API of the cluster would stand on the internet behind a list of addresses")],
        source=("aws", "reached_from"),
        document="site",
    )
    for each in given:
        if each.kind == "vpc":
            says = f"Whoever owns {each.through} accepts the peering and routes {place.aws.vpc.cidr} to it."
        else:
            says = f"Whoever owns {each.through} accepts the attachment and routes {place.aws.vpc.cidr} to it."
        ctx.offer(OperatorNote(ctx.part, "before", says))
    return held


def _images(place: AwsPlace, region: AwsRegion, ctx: PlanContext) -> bool:
    held = ctx.check(
        "AWS-105",
        bool(region.registry_account),
        f"no source names the account of EKS's images in {region.region}",
        ("aws",),
        "add registry_account, as the image of any EKS add-on there shows it",
        "site",
    )
    if held:
        ctx.decide(
            "aws.registry",
            region.registry,
            "images of EKS come from the registry of the region, which nodes reach without the internet",
            rejected=[Rejected("public.ecr.aws", "it is one place for the world, and on the internet")],
            facts=region.refs,
        )
    if place.aws.vpc.egress == "none":
        says = (
            f"Copy the images of the platform into ECR of account {region.account}, or set up pull-through caches "
            "there: nodes reach no other registry."
        )
        ctx.offer(OperatorNote(ctx.part, "before", says))
    return held


def _vpc(place: AwsPlace, region: AwsRegion, ctx: PlanContext) -> VpcPlan | None:
    given, zones = place.aws.vpc, place.aws.zones
    nat = given.egress == "nat"
    subnets = addresses.divided(given.cidr, zones, nat=nat)
    held = ctx.check(
        "AWS-102",
        subnets is not None,
        f"{given.cidr} doesn't divide into subnets of {counted(len(zones), 'zone')}",
        ("aws", "vpc", "cidr"),
        "choose a larger network, such as a /16: it costs nothing",
        "site",
    )
    if not held or subnets is None:
        return None
    ctx.decide(
        "aws.subnets",
        {subnet.name: subnet.cidr for subnet in subnets},
        f"one of {addresses.slices(len(zones))} equal parts a zone for nodes and pods, which take addresses alike; the "
        "last part holds what is small. Subnets keep their networks as zones are added, up to three and from four on",
        rejected=[
            Rejected("a second network for pods", "it is routed nowhere, so what pods call can't tell them apart")
        ],
        source=("aws", "vpc", "cidr"),
        document="site",
    )
    ctx.decide(
        "aws.egress",
        given.egress,
        "a NAT gateway in each zone: traffic stays in its zone, and a zone falls alone"
        if nat
        else "nothing in the VPC reaches the internet: no gateway exists that could",
        rejected=[
            Rejected("one NAT gateway", "each zone's traffic would fall with its zone, and pay between zones")
            if nat
            else Rejected("nat", "the site asks for no way out; APIs of AWS are reached through endpoints")
        ],
        source=("aws", "vpc", "egress"),
        document="site",
    )
    ways = tuple(
        WayPlan(
            each.kind,  # type: ignore[arg-type]
            each.through,
            tuple(each.networks),
            each.account or region.account,
            each.region or region.region,
        )
        for each in place.aws.reached_from
    )
    return VpcPlan(given.cidr, subnets, _endpoints(given.egress, region, ctx), ways, nat)


def _endpoints(egress: str, region: AwsRegion, ctx: PlanContext) -> tuple[EndpointPlan, ...]:
    rows = [row for row in ctx.catalog.rows("aws-eks.endpoints") if row.text("when") in ("always", egress)]
    for row in rows:
        ctx.decide(
            f"aws.endpoint.{row.key}", region.endpoint(row.key), row.text("why"), facts=[row.ref, *region.refs[1:2]]
        )
    return tuple(
        EndpointPlan(row.key, region.endpoint(row.key), row.text("kind") == "Interface", row.text("why"))
        for row in rows
    )


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


def _addresses_suffice(plan: EksPlan, ctx: PlanContext) -> bool:
    demands = ctx.offers(AddressDemand)
    attachments = sum(way.kind == "tgw" for way in plan.vpc.ways)
    interfaces = sum(endpoint.interface for endpoint in plan.vpc.endpoints)
    held = []
    for subnet in plan.vpc.subnets:
        if subnet.kind == "public":
            continue
        needed = (
            addresses.in_zone(demands, subnet.zone)
            if subnet.kind == "nodes"
            else addresses.in_control(interfaces, attachments)
        )
        there = addresses.room(subnet.cidr)
        held.append(
            ctx.check(
                "AWS-101",
                needed <= there,
                f"{_wants(demands, subnet.zone)} want {needed} addresses in {subnet.zone}, and its subnet "
                f"{subnet.cidr} has {there}",
                ("aws", "vpc", "cidr"),
                _larger(len(plan.vpc.of_kind("nodes")), needed),
                "site",
            )
        )
        if subnet.kind == "nodes":
            ctx.decide(
                f"aws.addresses.{subnet.zone_id}",
                needed,
                f"{_wants(demands, subnet.zone)}, full and while an update runs, and a load balancer; {subnet.cidr} "
                f"has {there}",
            )
    return all(held)


def _wants(demands: Iterable[AddressDemand], zone: str) -> str:
    return " and ".join(
        f"{each.nodes_per_zone} {each.nodes} of {each.part} with {addresses.of_node(each)} addresses each"
        for each in demands
        if zone in each.zones
    )


def _larger(zones: int, needed: int) -> str:
    length = addresses.shortest_that_fits(zones, needed)
    if length is None:
        return "no VPC has so many in a zone: spread the nodes over more sites, or lower pods per node"
    return f"choose a /{length} or larger as aws.vpc.cidr"
