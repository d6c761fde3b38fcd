"""A small base layer, written by hand, that AWS would take: what the checks and the stand-in are tried on."""

from __future__ import annotations

from typing import Any

from aifactory.components.names import cloud_id, tags
from aifactory.components.rows import CloudRow
from aifactory.components.values import Format, Json, Ref

REGION = "eu-north-1"
VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
KEY = "aws:kms/key:Key"
ROLE = "aws:iam/role:Role"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
CLUSTER = "aws:eks/cluster:Cluster"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
NODES = "aws:eks/nodeGroup:NodeGroup"
IDENTITY = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
BUCKET = "aws:s3/bucket:Bucket"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
LUSTRE = "aws:fsx/lustreFileSystem:LustreFileSystem"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
TAGS = tags("acme", "sto-aws", "cluster")


def row(token: str, name: str, properties: dict[str, Any], *, after: tuple[str, ...] = ()) -> CloudRow:
    """A row of the part `cluster`."""
    return CloudRow(cloud_id(token, name), "cluster", token, name, properties, after=after)


def ref(token: str, name: str, path: str) -> Ref:
    """An output of one of these rows."""
    return Ref(cloud_id(token, name), path)


def trust(service: str) -> Json:
    """A trust policy for one service."""
    actions = ["sts:AssumeRole", "sts:TagSession"] if service.startswith("pods.") else ["sts:AssumeRole"]
    return policy(Effect="Allow", Action=actions, Principal={"Service": service})


def policy(**statement: Any) -> Json:
    """A policy of one statement."""
    return Json({"Version": "2012-10-17", "Statement": [statement]})


def base() -> list[CloudRow]:
    """Network, key, cluster, nodes, a bucket with who reads it, and a file system; in order of making."""
    return [*_network(), *_cluster(), *_nodes(), *_storage()]


def _network() -> list[CloudRow]:
    vpc = ref(VPC, "main", "id")
    return [
        row(VPC, "main", {"cidrBlock": "10.64.0.0/16", "enableDnsHostnames": True, "tags": TAGS}),
        *(
            row(
                SUBNET,
                f"nodes-{zone}",
                {"vpcId": vpc, "cidrBlock": block, "availabilityZone": f"{REGION}{zone}", "tags": TAGS},
            )
            for zone, block in (("a", "10.64.0.0/18"), ("b", "10.64.64.0/18"))
        ),
        row(GROUP, "efa", {"vpcId": vpc, "name": "acme-efa", "description": "EFA among GPU nodes", "tags": TAGS}),
    ]


def _cluster() -> list[CloudRow]:
    role = ref(ROLE, "control-plane", "arn")
    attached = row(
        ATTACHMENT,
        "control-plane",
        {
            "role": ref(ROLE, "control-plane", "name"),
            "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy",
        },
    )
    return [
        row(KEY, "secrets", {"description": "Secrets of the cluster", "enableKeyRotation": True, "tags": TAGS}),
        row(
            ROLE,
            "control-plane",
            {"name": "acme-control-plane", "assumeRolePolicy": trust("eks.amazonaws.com"), "tags": TAGS},
        ),
        attached,
        row(
            CLUSTER,
            "main",
            {
                "name": "acme",
                "version": "1.35",
                "roleArn": role,
                "accessConfig": {"authenticationMode": "API"},
                "enabledClusterLogTypes": ["api", "audit"],
                "encryptionConfig": {
                    "provider": {"keyArn": ref(KEY, "secrets", "arn")},
                    "resources": ["secrets"],
                },
                "vpcConfig": {
                    "endpointPrivateAccess": True,
                    "endpointPublicAccess": False,
                    "subnetIds": [ref(SUBNET, "nodes-a", "id"), ref(SUBNET, "nodes-b", "id")],
                },
                "tags": TAGS,
            },
            after=(attached.id,),
        ),
    ]


def _nodes() -> list[CloudRow]:
    return [
        row(ROLE, "node", {"name": "acme-node", "assumeRolePolicy": trust("ec2.amazonaws.com"), "tags": TAGS}),
        row(
            TEMPLATE,
            "gpu",
            {
                "name": "acme-gpu",
                "metadataOptions": {"httpTokens": "required"},
                "networkInterfaces": [
                    {
                        "deviceIndex": 0,
                        "interfaceType": "efa",
                        "securityGroups": [
                            ref(GROUP, "efa", "id"),
                            ref(CLUSTER, "main", "vpcConfig.clusterSecurityGroupId"),
                        ],
                    }
                ],
                "tags": TAGS,
            },
        ),
        row(
            NODES,
            "gpu",
            {
                "clusterName": ref(CLUSTER, "main", "name"),
                "nodeGroupName": "gpu",
                "nodeRoleArn": ref(ROLE, "node", "arn"),
                "subnetIds": [ref(SUBNET, "nodes-a", "id")],
                "amiType": "AL2023_x86_64_NVIDIA",
                "capacityType": "ON_DEMAND",
                "instanceTypes": ["p5.48xlarge"],
                "launchTemplate": {
                    "id": ref(TEMPLATE, "gpu", "id"),
                    "version": Format((ref(TEMPLATE, "gpu", "latestVersion"),)),
                },
                "scalingConfig": {"desiredSize": 2, "maxSize": 2, "minSize": 2},
                "tags": TAGS,
            },
        ),
    ]


def _storage() -> list[CloudRow]:
    objects = Format((ref(BUCKET, "weights", "arn"), "/*"))
    return [
        row(BUCKET, "weights", {"bucket": "acme-sto-aws-weights", "tags": TAGS}),
        row(
            VERSIONING,
            "weights",
            {"bucket": ref(BUCKET, "weights", "bucket"), "versioningConfiguration": {"status": "Enabled"}},
        ),
        row(
            ROLE,
            "weights",
            {"name": "acme-weights", "assumeRolePolicy": trust("pods.eks.amazonaws.com"), "tags": TAGS},
        ),
        row(
            ROLE_POLICY,
            "weights",
            {
                "name": "read",
                "role": ref(ROLE, "weights", "name"),
                "policy": policy(Sid="Read", Effect="Allow", Action="s3:GetObject", Resource=objects),
            },
        ),
        row(
            IDENTITY,
            "weights",
            {
                "clusterName": ref(CLUSTER, "main", "name"),
                "namespace": "serving",
                "serviceAccount": "weights",
                "roleArn": ref(ROLE, "weights", "arn"),
                "tags": TAGS,
            },
        ),
        row(
            LUSTRE,
            "scratch",
            {
                "deploymentType": "PERSISTENT_2",
                "perUnitStorageThroughput": 500,
                "securityGroupIds": [ref(GROUP, "efa", "id")],
                "storageCapacity": 4800,
                "subnetIds": ref(SUBNET, "nodes-a", "id"),
                "tags": TAGS,
            },
        ),
    ]
