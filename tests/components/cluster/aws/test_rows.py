"""Rows of the base of a cluster in Stockholm: private, tagged, encrypted, in an order that comes up and goes down."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from aifactory.components.aws_place import fitting
from aifactory.components.cluster.aws import model
from aifactory.components.cluster.aws.eks import user_data
from aifactory.components.names import tags
from aifactory.components.rows import CloudRow, HelmRow
from aifactory.components.values import Format, Ref, refs
from aifactory.stacks.assembly.rowset import row_set, to_data
from support.aws_sites import ACCOUNT, base_rows, planned, sovereign_site
from support.planning import Planned
from support.proving.aws_rows import check_rows, untaggable, untagged

PEERS = [
    {"networks": ["10.0.0.0/16", "10.9.0.0/16"], "through": "tgw-0123456789abcdef0"},
    {"networks": ["10.1.0.0/16"], "through": "vgw-0123456789abcdef0"},
    {"networks": ["10.2.0.0/16"], "through": "vpc-0123456789abcdef0"},
    {
        "networks": ["10.3.0.0/16"],
        "through": "vpc-0123456789abcdef1",
        "account": "444455556666",
        "region": "eu-west-1",
    },
]


@cache
def stockholm() -> Planned:
    """Without a way out."""
    return planned()


@cache
def with_egress() -> Planned:
    """With NAT gateways, each kind of way in, and a cost centre."""
    return planned(vpc={"egress": "nat"}, reached_from=PEERS, cost_centre="ai-42")


@cache
def sovereign() -> Planned:
    """In the European sovereign cloud, which is a partition of its own."""
    return planned(**sovereign_site())


@cache
def on_arm() -> Planned:
    """With system nodes of another architecture."""
    return planned(system_nodes={"instance_type": "m8g.xlarge"})


def of_token(found: Planned, token: str) -> dict[str, CloudRow]:
    return {row.name: row for row in base_rows(found).values() if row.token.endswith(f":{token}")}


def one(found: Planned, token: str) -> CloudRow:
    (row,) = of_token(found, token).values()
    return row


def before(found: Planned, row: CloudRow) -> set[str]:
    """Everything that a row waits for, at any distance."""
    rows, seen, pending = base_rows(found), set[str](), list(base_rows(found)[row.id].after)
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending += rows[name].after
    return seen


@pytest.mark.parametrize("found", [stockholm, with_egress, sovereign, on_arm], ids=lambda found: found.__name__)
def test_aws_would_take_all_rows_of_the_base(found: Callable[[], Planned]) -> None:
    rows = list(base_rows(found()).values())
    assert len(rows) > 50
    assert check_rows(rows) == []
    wanted = tags("demo", "sto-lab", "cluster")
    assert untagged(rows, wanted) == []


def test_what_takes_no_tags_only_links_or_belongs_to_what_does() -> None:
    assert untaggable(base_rows(with_egress()).values()) == [
        "aws:ec2/route:Route",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        "aws:ec2/vpnGatewayAttachment:VpnGatewayAttachment",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:kms/alias:Alias",
    ]


def test_without_egress_nothing_reaches_the_internet() -> None:
    for token in ("NatGateway", "InternetGateway", "Eip"):
        assert of_token(stockholm(), token) == {}
    for route in of_token(stockholm(), "Route").values():
        assert route.properties["destinationCidrBlock"] != "0.0.0.0/0"


def test_with_egress_each_zone_has_a_gateway_of_its_own() -> None:
    found = with_egress()
    assert set(of_token(found, "NatGateway")) == {"nat-eun1-az1", "nat-eun1-az2", "nat-eun1-az3"}
    for zone in ("eun1-az1", "eun1-az2", "eun1-az3"):
        nat = of_token(found, "NatGateway")[f"nat-{zone}"]
        assert nat.properties["subnetId"] == of_token(found, "Subnet")[f"public-{zone}"].output("id")
        route = of_token(found, "Route")[f"nat-{zone}"].properties
        assert route["natGatewayId"] == nat.output("id")
        assert route["routeTableId"] == of_token(found, "RouteTable")[f"private-{zone}"].output("id")


@pytest.mark.parametrize(
    ("found", "services"),
    [
        (
            stockholm,
            {
                "s3", "ecr.api", "ecr.dkr", "sts", "ec2", "eks", "eks-auth", "logs", "elasticloadbalancing",
                "autoscaling", "kms",
            },
        ),
        (with_egress, {"s3"}),
    ],
)  # fmt: skip
def test_apis_of_aws_are_reached_through_endpoints_where_there_is_no_way_out(found: Any, services: set[str]) -> None:
    endpoints = of_token(found(), "VpcEndpoint")
    assert {row.properties["serviceName"] for row in endpoints.values()} == {
        f"com.amazonaws.eu-north-1.{service}" for service in services
    }
    assert endpoints["s3"].properties["vpcEndpointType"] == "Gateway"
    for name, row in endpoints.items():
        if name != "s3":
            assert row.properties["privateDnsEnabled"] is True
            assert row.properties["subnetIds"] == [
                subnet.output("id")
                for name, subnet in of_token(found(), "Subnet").items()
                if name.startswith("control")
            ]


def test_endpoints_of_the_sovereign_cloud_are_named_as_it_names_them() -> None:
    found = sovereign()
    names = {row.properties["serviceName"] for row in of_token(found, "VpcEndpoint").values()}
    assert {"eu.amazonaws.eusc-de-east-1.ecr.dkr", "com.amazonaws.eusc-de-east-1.sts"} <= names
    data = str(to_data(row_set(found.stacks[0], "digest")))
    assert "arn:aws:" not in data, "nothing refers to another partition"
    assert "arn:aws-eusc:iam::aws:policy/AmazonEKSClusterPolicy" in data
    release = next(row for row in found.stack.rows if isinstance(row, HelmRow))
    assert "444455556666.dkr.ecr.eusc-de-east-1.amazonaws.eu/amazon" in str(release.values)


def test_the_api_is_private_and_admits_the_networks_that_the_site_names() -> None:
    cluster = one(with_egress(), "Cluster").properties
    network: Any = cluster["vpcConfig"]
    assert (network["endpointPrivateAccess"], network["endpointPublicAccess"]) == (True, False)
    api = of_token(with_egress(), "SecurityGroup")["api"]
    assert network["securityGroupIds"] == [api.output("id")]
    admitted = {
        row.properties["cidrIpv4"]
        for row in of_token(with_egress(), "SecurityGroupIngressRule").values()
        if row.properties["securityGroupId"] == api.output("id")
    }
    assert admitted == {"10.0.0.0/16", "10.9.0.0/16", "10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"}


@pytest.mark.parametrize(
    ("way", "network", "target"),
    [
        ("tgw-0123456789abcdef0", "10.9.0.0-16", {"transitGatewayId": "tgw-0123456789abcdef0"}),
        ("vgw-0123456789abcdef0", "10.1.0.0-16", {"gatewayId": "vgw-0123456789abcdef0"}),
        (
            "vpc-0123456789abcdef1",
            "10.3.0.0-16",
            {
                "vpcPeeringConnectionId": Ref(
                    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection/vpc-0123456789abcdef1", "id"
                )
            },
        ),
    ],
)
def test_packets_find_back_to_each_network_from_each_zone(way: str, network: str, target: dict[str, object]) -> None:
    for zone in ("eun1-az1", "eun1-az2", "eun1-az3"):
        route = of_token(with_egress(), "Route")[f"{zone}-{way}-{network}"]
        assert target.items() <= route.properties.items()
        assert any(way in name for name in route.after), "a route to what isn't attached is refused"


def test_routes_to_a_transit_gateway_wait_for_its_owner_to_accept_and_no_others_do() -> None:
    """While AWS doesn't know the gateway the provider asks again, for as long as the route may take, else 5 minutes."""
    for name, route in of_token(with_egress(), "Route").items():
        assert (route.timeout_s >= 1_800) is ("tgw-" in name), name
        assert route.timeout_s or "tgw-" not in name


def notes(found: Planned, when: str) -> dict[str, tuple[str, ...]]:
    """What people are told of the cluster, with commands."""
    told = found.stack.plan.notes
    return {note.says: note.commands for note in told if note.part == "cluster" and note.when == when}


def test_the_owner_of_a_transit_gateway_is_told_what_to_do_while_up_waits() -> None:
    (says,) = [each for each in notes(with_egress(), "before") if "tgw-0123456789abcdef0" in each]
    assert "up waits 60 minutes" in says
    assert "accept-transit-gateway-vpc-attachment --region eu-north-1" in says
    (peer,) = [each for each in notes(with_egress(), "before") if "vpc-0123456789abcdef1" in each]
    assert "accepts the peering" in peer


def test_a_site_is_said_to_take_one_factory() -> None:
    (says,) = [each for each in notes(stockholm(), "before") if "No other factory" in each]
    assert "10.80.0.0/16" in says


def test_what_stays_or_comes_back_is_told_with_its_removal() -> None:
    commands = [command for each in notes(stockholm(), "removal").values() for command in each]
    group = of_token(stockholm(), "LogGroup")["control-plane"].properties["name"]
    assert f"aws logs delete-log-group --region eu-north-1 --log-group-name {group}" in commands
    assert any("Values=com.amazonaws.eu-north-1.guardduty-data" in command for command in commands)


def test_somebody_gets_in_when_no_admin_can() -> None:
    (commands,) = notes(sovereign(), "running").values()
    assert "--cluster-name demo-sto-lab --region eusc-de-east-1" in commands[0]
    granted = one(sovereign(), "AccessPolicyAssociation").properties["policyArn"]
    assert f"--policy-arn {granted}" in commands[1]


def test_a_peer_is_accepted_at_once_where_it_is_our_own() -> None:
    peers = of_token(with_egress(), "VpcPeeringConnection")
    own, other = peers["vpc-0123456789abcdef0"].properties, peers["vpc-0123456789abcdef1"].properties
    assert (own.get("autoAccept"), own.get("peerRegion")) == (True, None)
    assert (other.get("autoAccept"), other.get("peerRegion")) == (None, "eu-west-1")
    assert other["peerOwnerId"] == "444455556666"


@pytest.mark.parametrize("found", [stockholm, with_egress])
def test_everything_has_tags_but_what_the_plan_lists(found: Any) -> None:
    untagged = {row.id for row in base_rows(found()).values() if "tags" not in row.properties}
    assert set(found().decisions["cluster.aws.untagged"].value) == untagged
    assert {name.split(":")[2].split("/")[0] for name in untagged} <= {
        "AccessPolicyAssociation", "Alias", "RolePolicy", "RolePolicyAttachment", "Route", "RouteTableAssociation",
        "VpnGatewayAttachment",
    }  # fmt: skip
    for row in base_rows(found()).values():
        tags: Any = row.properties.get("tags", {"aifactory:factory": "demo", "aifactory:site": "sto-lab"})
        assert tags["aifactory:factory"] == "demo"
        assert tags["aifactory:site"] == "sto-lab"


def test_a_cost_centre_is_on_everything_and_on_what_controllers_make() -> None:
    found = with_egress()
    for row in base_rows(found).values():
        if "tags" in row.properties:
            tags: Any = row.properties["tags"]
            assert tags["aifactory:cost-centre"] == "ai-42"
    volumes: Any = of_token(found, "Addon")["aws-ebs-csi-driver"].properties["configurationValues"]
    assert volumes.tree["controller"]["extraVolumeTags"]["aifactory:cost-centre"] == "ai-42"
    release = next(row for row in found.stack.rows if isinstance(row, HelmRow))
    balancers: Any = release.values["defaultTags"]
    assert balancers["aifactory:cost-centre"] == "ai-42"


def test_secrets_logs_and_disks_are_encrypted() -> None:
    found = stockholm()
    keys = of_token(found, "Key")
    assert all(key.properties["enableKeyRotation"] is True for key in keys.values())
    encryption: Any = one(found, "Cluster").properties["encryptionConfig"]
    assert encryption == {"provider": {"keyArn": keys["secrets"].output("arn")}, "resources": ["secrets"]}
    for group in of_token(found, "LogGroup").values():
        assert group.properties["kmsKeyId"] == keys["logs"].output("arn")
        assert group.properties["retentionInDays"] == 365
    template = one(found, "LaunchTemplate").properties
    disks: Any = template["blockDeviceMappings"]
    assert [(disk["ebs"]["volumeType"], disk["ebs"]["encrypted"]) for disk in disks] == [("gp3", "true")]


def test_nodes_have_no_public_address_and_keep_their_role_to_themselves() -> None:
    template = one(stockholm(), "LaunchTemplate").properties
    assert template["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }
    (interface,) = template["networkInterfaces"]  # type: ignore[misc]  # a list of one
    assert interface["associatePublicIpAddress"] == "false"
    assert all(row.properties["mapPublicIpOnLaunch"] is False for row in of_token(stockholm(), "Subnet").values())
    text = base64.b64decode(user_data(110)).decode()
    assert "kind: NodeConfig" in text
    assert "maxPods: 110" in text
    assert template["userData"] == user_data(110)


def test_the_node_group_is_of_a_fixed_size_and_release() -> None:
    group = one(stockholm(), "NodeGroup").properties
    assert group["scalingConfig"] == {"minSize": 3, "maxSize": 3, "desiredSize": 3}
    assert (group["amiType"], group["releaseVersion"]) == ("AL2023_x86_64_STANDARD", "1.35.3-20261105")
    template = one(stockholm(), "LaunchTemplate")
    version = Format((template.output("latestVersion"),))
    assert group["launchTemplate"] == {"id": template.output("id"), "version": version}
    arm = on_arm()
    assert one(arm, "NodeGroup").properties["amiType"] == "AL2023_ARM_64_STANDARD"
    # 4 interfaces of 15 addresses: 4 x 14 + 2
    assert one(arm, "LaunchTemplate").properties["userData"] == user_data(58)


def test_only_principals_that_the_site_names_get_in() -> None:
    access: Any = one(stockholm(), "Cluster").properties["accessConfig"]
    assert access == {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}
    entry, grant = one(stockholm(), "AccessEntry"), one(stockholm(), "AccessPolicyAssociation")
    assert entry.properties["principalArn"] == f"arn:aws:iam::{ACCOUNT}:role/platform"
    assert grant.properties["principalArn"] == entry.properties["principalArn"]
    assert grant.after
    assert entry.id in before(stockholm(), grant)


@pytest.mark.parametrize("found", [stockholm, with_egress])
def test_each_row_comes_after_what_it_cannot_do_without(found: Any) -> None:
    rows = base_rows(found())
    cluster, nodes = before(found(), one(found(), "Cluster")), before(found(), one(found(), "NodeGroup"))
    assert "aws:cloudwatch/logGroup:LogGroup/control-plane" in cluster, "EKS would make it, without key and end"
    assert any("AmazonEKSClusterPolicy" in name for name in cluster)
    addons = of_token(found(), "Addon")
    first = {addons[name].id for name in ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")}
    assert first <= nodes
    assert addons["eks-pod-identity-agent"].id in before(found(), addons["vpc-cni"])
    for name in ("coredns", "aws-ebs-csi-driver", "metrics-server"):
        assert one(found(), "NodeGroup").id in before(found(), addons[name])
    ways = [row for row in rows.values() if row.token.endswith((":VpcEndpoint", ":Route", ":RouteTableAssociation"))]
    assert ways
    assert {row.id for row in ways} <= nodes, "nodes join, and leave, over them"
    for policy in of_token(found(), "RolePolicyAttachment").values():
        if policy.name.startswith("node-"):
            assert policy.id in nodes
    for row in rows.values():
        assert {ref.row for ref in refs(row.properties)} <= set(row.after)


def test_pods_get_roles_by_pod_identity_and_the_node_has_none_of_theirs() -> None:
    found = stockholm()
    addons = of_token(found, "Addon")
    for name, account in (("vpc-cni", "aws-node"), ("aws-ebs-csi-driver", "ebs-csi-controller-sa")):
        role = of_token(found, "Role")[name]
        assert addons[name].properties["podIdentityAssociations"] == [
            {"roleArn": role.output("arn"), "serviceAccount": account}
        ]
    attached = {row.name for row in of_token(found, "RolePolicyAttachment").values() if row.name.startswith("node-")}
    assert attached == {"node-AmazonEKSWorkerNodePolicy", "node-AmazonEC2ContainerRegistryPullOnly"}


def test_the_platform_gets_what_the_base_hands_over_and_nothing_else() -> None:
    found = stockholm()
    base, platform = found.stacks
    assert {ref.row for ref in base.handed} <= set(base_rows(found))
    assert set(base.handed) == set(model.handed().values())
    assert platform.handed == base.handed
    release = next(row for row in platform.rows if isinstance(row, HelmRow))
    assert release.values["vpcId"] == model.vpc_id()
    assert release.values["clusterName"] == "demo-sto-lab"
    association = one(found, "PodIdentityAssociation").properties
    assert (association["namespace"], association["serviceAccount"]) == (
        release.namespace,
        "aws-load-balancer-controller",
    )


def test_a_part_that_wants_a_load_balancer_waits_for_the_controller() -> None:
    release = next(row for row in stockholm().stack.rows if isinstance(row, HelmRow))
    assert release.provides == ("aws-load-balancer-controller", "load-balancer")


def test_names_of_rows_are_forever() -> None:
    """A change replaces what users run: add to this list, and never change it."""
    assert {
        "aws:ec2/vpc:Vpc/cluster",
        "aws:ec2/subnet:Subnet/nodes-eun1-az1",
        "aws:ec2/subnet:Subnet/control-eun1-az1",
        "aws:eks/cluster:Cluster/cluster",
        "aws:eks/nodeGroup:NodeGroup/system",
        "aws:kms/key:Key/secrets",
        "aws:kms/key:Key/logs",
        "aws:iam/role:Role/node",
        "aws:eks/accessEntry:AccessEntry/111122223333-role-platform",
    } <= set(base_rows(stockholm()))


def test_a_long_name_fits_what_iam_takes_and_stays_its_own() -> None:
    long = fitting("a" * 70, 64)
    assert len(long) == 64
    assert long != fitting("a" * 71, 64)
    assert fitting("short", 64) == "short"
