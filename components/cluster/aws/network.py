"""Rows of the network: a VPC with its subnets, ways out and in, endpoints, and a record of its flows."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from aifactory.components.cluster.aws import policies
from aifactory.components.cluster.aws.asked import passing
from aifactory.components.cluster.aws.making import Cloud
from aifactory.components.cluster.aws.model import CLUSTER, SUBNET_TOKEN, VPC_TOKEN, EndpointPlan, SubnetPlan, WayPlan
from aifactory.components.rows import CloudRow
from aifactory.components.values import Ref

ROUTE, ROUTE_TABLE = "aws:ec2/route:Route", "aws:ec2/routeTable:RouteTable"
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
EVERYWHERE = "0.0.0.0/0"
HTTPS = 443
ACCEPTED_S = 3_600
"""How long `up` waits for a person to accept an attachment.

AWS knows no route to a transit gateway of another account before that, and the provider asks again for as long as the
route may take, 5 minutes by itself. Source: hashicorp/terraform-provider-aws internal/service/ec2/vpc_route.go, retries
at InvalidTransitGatewayID.NotFound.
"""


class Network(Struct, frozen=True):
    """Rows of the network that others refer to."""

    rows: tuple[CloudRow, ...]
    vpc: CloudRow
    nodes: tuple[CloudRow, ...]
    control: tuple[CloudRow, ...]
    api: CloudRow
    """Security group of the control plane's interfaces, which admits networks from outside of the VPC."""


def network(cloud: Cloud) -> Network:
    """All of it. Nothing in it has a public address but NAT gateways, where there are any."""
    plan = cloud.plan.vpc
    properties = {"cidrBlock": plan.cidr, "enableDnsSupport": True, "enableDnsHostnames": True}
    vpc = cloud.tagged(VPC_TOKEN, CLUSTER, properties)
    # Made with each VPC, and used by whatever names no other: so it admits nothing.
    default = {"vpcId": vpc.output("id"), "ingress": [], "egress": []}
    closed = cloud.tagged("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "closed", default)
    subnets = {subnet.name: _subnet(subnet, vpc, cloud) for subnet in plan.subnets}
    tables = {
        subnet.zone_id: cloud.tagged(ROUTE_TABLE, f"private-{subnet.zone_id}", {"vpcId": vpc.output("id")})
        for subnet in plan.of_kind("nodes")
    }
    nodes, control = (tuple(subnets[subnet.name] for subnet in plan.of_kind(kind)) for kind in ("nodes", "control"))
    api = _group("api", "Who reaches the API server from outside of the VPC", vpc, cloud)
    rows = [vpc, closed, *subnets.values(), *tables.values(), api]
    rows += [
        _association(subnet, subnets[subnet.name], tables[subnet.zone_id], cloud)
        for subnet in (*plan.of_kind("nodes"), *plan.of_kind("control"))
    ]
    rows += _way_out(vpc, subnets, tables, cloud) if plan.nat else []
    rows += _ways_in(vpc, control, tables, api, cloud)
    rows += _endpoints(vpc, control, tables, cloud)
    return Network(tuple(rows), vpc, nodes, control, api)


def _subnet(subnet: SubnetPlan, vpc: CloudRow, cloud: Cloud) -> CloudRow:
    """A subnet. Load balancers of Services find theirs by tag, and those of clients inside the network are internal."""
    role = {"nodes": "internal-elb", "public": "elb"}.get(subnet.kind)
    found_by = {f"kubernetes.io/role/{role}": "1", f"kubernetes.io/cluster/{cloud.plan.name}": "shared"} if role else {}
    properties = {
        "vpcId": vpc.output("id"),
        "cidrBlock": subnet.cidr,
        "availabilityZone": subnet.zone,
        "mapPublicIpOnLaunch": False,
    }
    return cloud.tagged(SUBNET_TOKEN, subnet.name, properties, tags=found_by)


def _association(subnet: SubnetPlan, row: CloudRow, table: CloudRow, cloud: Cloud) -> CloudRow:
    properties = {"subnetId": row.output("id"), "routeTableId": table.output("id")}
    return cloud.untagged(ASSOCIATION, subnet.name, properties)


def _group(name: str, description: str, vpc: CloudRow, cloud: Cloud) -> CloudRow:
    properties = {"vpcId": vpc.output("id"), "name": f"{cloud.plan.name}-{name}", "description": description}
    return cloud.tagged(GROUP, name, properties)


def _admit(name: str, group: CloudRow, cidr: str, description: str, cloud: Cloud) -> CloudRow:
    properties = {
        "securityGroupId": group.output("id"),
        "cidrIpv4": cidr,
        "ipProtocol": "tcp",
        "fromPort": HTTPS,
        "toPort": HTTPS,
        "description": description,
    }
    return cloud.tagged(INGRESS, name, properties)


def _way_out(
    vpc: CloudRow, subnets: dict[str, CloudRow], tables: dict[str, CloudRow], cloud: Cloud
) -> Iterator[CloudRow]:
    """A NAT gateway a zone: one for all would charge traffic between zones, and fall with its own."""
    gateway = cloud.tagged("aws:ec2/internetGateway:InternetGateway", CLUSTER, {"vpcId": vpc.output("id")})
    public = cloud.tagged(ROUTE_TABLE, "public", {"vpcId": vpc.output("id")})
    to_internet = {
        "routeTableId": public.output("id"),
        "destinationCidrBlock": EVERYWHERE,
        "gatewayId": gateway.output("id"),
    }
    out = cloud.untagged(ROUTE, "public-internet", to_internet)
    yield from (gateway, public, out)
    for subnet in cloud.plan.vpc.of_kind("public"):
        yield _association(subnet, subnets[subnet.name], public, cloud)
        address = cloud.tagged("aws:ec2/eip:Eip", f"nat-{subnet.zone_id}", {"domain": "vpc"}, after=[gateway.id])
        properties = {"allocationId": address.output("id"), "subnetId": subnets[subnet.name].output("id")}
        nat = cloud.tagged(
            "aws:ec2/natGateway:NatGateway", f"nat-{subnet.zone_id}", properties, after=[gateway.id, out.id]
        )
        route = {
            "routeTableId": tables[subnet.zone_id].output("id"),
            "destinationCidrBlock": EVERYWHERE,
            "natGatewayId": nat.output("id"),
        }
        yield from (address, nat, cloud.untagged(ROUTE, f"nat-{subnet.zone_id}", route))


def _ways_in(
    vpc: CloudRow, control: tuple[CloudRow, ...], tables: dict[str, CloudRow], api: CloudRow, cloud: Cloud
) -> Iterator[CloudRow]:
    for way in cloud.plan.vpc.ways:
        attached, target = _attachment(way, vpc, control, cloud)
        yield attached
        for cidr in way.networks:
            name = f"{way.id}-{cidr.replace('/', '-')}"
            yield _admit(name, api, cidr, f"From {cidr} through {way.id}", cloud)
            for zone_id, table in tables.items():
                route = {"routeTableId": table.output("id"), "destinationCidrBlock": cidr, **target}
                waits = ACCEPTED_S if way.kind == "tgw" else 0
                yield cloud.untagged(ROUTE, f"{zone_id}-{name}", route, after=[attached.id], timeout_s=waits)


def _attachment(
    way: WayPlan, vpc: CloudRow, control: tuple[CloudRow, ...], cloud: Cloud
) -> tuple[CloudRow, dict[str, object]]:
    """What joins the VPC to a way, and the target of its routes."""
    if way.kind == "tgw":
        properties: dict[str, object] = {
            "transitGatewayId": way.id,
            "vpcId": vpc.output("id"),
            "subnetIds": [subnet.output("id") for subnet in control],
            "dnsSupport": "enable",
        }
        token = "aws:ec2transitgateway/vpcAttachment:VpcAttachment"  # noqa: S105 - a Pulumi type token, no secret
        return cloud.tagged(token, way.id, properties), {"transitGatewayId": way.id}
    if way.kind == "vgw":
        properties = {"vpnGatewayId": way.id, "vpcId": vpc.output("id")}
        row = cloud.untagged("aws:ec2/vpnGatewayAttachment:VpnGatewayAttachment", way.id, properties)
        return row, {"gatewayId": way.id}
    own = way.account == cloud.plan.region.account and way.region == cloud.plan.region.region
    properties = {"vpcId": vpc.output("id"), "peerVpcId": way.id, "peerOwnerId": way.account}
    # AWS takes autoAccept only of a peer that the same call can speak for, and peerRegion only without it.
    properties |= {"autoAccept": True} if own else {"peerRegion": way.region}
    row = cloud.tagged("aws:ec2/vpcPeeringConnection:VpcPeeringConnection", way.id, properties)
    return row, {"vpcPeeringConnectionId": row.output("id")}


def _endpoints(
    vpc: CloudRow, control: tuple[CloudRow, ...], tables: dict[str, CloudRow], cloud: Cloud
) -> Iterator[CloudRow]:
    plan = cloud.plan.vpc
    group: CloudRow | None = None
    if any(endpoint.interface for endpoint in plan.endpoints):
        group = _group("endpoints", "Who reaches endpoints of AWS inside the VPC", vpc, cloud)
        yield group
        yield _admit("endpoints", group, plan.cidr, "From the VPC", cloud)
    for endpoint in plan.endpoints:
        yield _endpoint(endpoint, vpc, control, tables, group, cloud)


def _endpoint(
    endpoint: EndpointPlan,
    vpc: CloudRow,
    control: tuple[CloudRow, ...],
    tables: dict[str, CloudRow],
    group: CloudRow | None,
    cloud: Cloud,
) -> CloudRow:
    properties: dict[str, object] = {"vpcId": vpc.output("id"), "serviceName": endpoint.name}
    if endpoint.interface and group is not None:
        properties |= {
            "vpcEndpointType": "Interface",
            "subnetIds": [subnet.output("id") for subnet in control],
            "securityGroupIds": [group.output("id")],
            "privateDnsEnabled": True,
        }
        if endpoint.grants:
            properties["policy"] = policies.document(passing(cloud.plan, endpoint.grants))
    else:
        properties |= {
            "vpcEndpointType": "Gateway",
            "routeTableIds": [table.output("id") for table in tables.values()],
            "policy": policies.document(policies.s3_endpoint(cloud.plan.region, nat=cloud.plan.vpc.nat)),
        }
    return cloud.tagged(ENDPOINT, endpoint.service.replace(".", "-"), properties)


def flow_log(cloud: Cloud, vpc: CloudRow, group: Ref, role: Ref, after: list[str]) -> CloudRow:
    """A record of every connection into, out of and inside the VPC."""
    properties = {
        "vpcId": vpc.output("id"),
        "trafficType": "ALL",
        "logDestinationType": "cloud-watch-logs",
        "logDestination": group,
        "iamRoleArn": role,
        "maxAggregationInterval": 600,
    }
    return cloud.tagged("aws:ec2/flowLog:FlowLog", CLUSTER, properties, after=after)
