"""Accounts of AWS as moto answers for them, with what it doesn't know held to botocore's own model."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.stub import Stubber

from aifactory.components.catalog import Catalog
from aifactory.stacks.live.account import Account
from aifactory.stacks.live.copied import Copies
from aifactory.stacks.live.finding import Finding
from aifactory.stacks.live.region import examined
from support.aws_sites import aws_place, base_rows, planned

HERE = "123456789012"
"""The account that moto answers for."""
REGION = "eu-north-1"
INSIDE = "10.0.3.4"
"""An address that the site lets in."""
ADMIN = f"arn:aws:iam::{HERE}:role/team/platform"
IMAGE = "amazon-eks-node-al2023-x86_64-standard-1.35-v20261105"
SITE: dict[str, Any] = {"account": HERE, "admins": [ADMIN], "system_nodes": {"instance_type": "r5.xlarge"}}
STANDARD = "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"
ADDON, ENDPOINT = "aws:eks/addon:Addon", "aws:ec2/vpcEndpoint:VpcEndpoint"
ADDONS = ("eks-pod-identity-agent", "vpc-cni", "kube-proxy", "aws-ebs-csi-driver", "coredns", "metrics-server")
OCI = "application/vnd.oci.image.manifest.v1+json"
RESERVED = "cr-0123456789abcdef0"


def eks(**builds: str) -> dict[str, Any]:
    """What the region says it serves, of which moto knows little: what the site asks for, but for named builds."""
    rows = base_rows(planned(**SITE)).values()
    there = {
        str(row.properties["addonName"]): str(row.properties["addonVersion"]) for row in rows if row.token == ADDON
    }
    fits = [{"clusterVersion": "1.35", "defaultVersion": True}]
    addons = [
        {"addonName": name, "addonVersions": [{"addonVersion": build, "compatibilities": fits}]}
        for name, build in {**there, **builds}.items()
    ]
    end = datetime(2027, 3, 27, tzinfo=UTC)
    versions = [
        {"clusterVersion": "1.35", "versionStatus": "STANDARD_SUPPORT", "endOfStandardSupportDate": end},
        {"clusterVersion": "1.31", "versionStatus": "EXTENDED_SUPPORT"},
        {"clusterVersion": "1.27", "versionStatus": "UNSUPPORTED"},
    ]
    services = [str(row.properties["serviceName"]) for row in rows if row.token == ENDPOINT]
    zones = [f"{REGION}{letter}" for letter in "abc"]
    return {
        "describe_addon_versions": {"addons": addons},
        "describe_cluster_versions": {"clusterVersions": versions},
        "describe_vpc_endpoint_services": {
            "ServiceDetails": [{"ServiceName": name, "AvailabilityZones": zones} for name in services]
        },
    }


def answering(account: Account, answers: dict[str, Any]) -> None:
    """Let lists be answered so, held to botocore's own model of them."""
    genuine = Account.every

    def every(service: str, operation: str, listed: str, **arguments: Any) -> list[Any]:
        if operation not in answers:
            return genuine(account, service, operation, listed, **arguments)
        client = account._clients.setdefault(service, account._session.client(service))
        answer = answers[operation]
        if operation == "describe_addon_versions":
            answer = {"addons": [each for each in answer["addons"] if each["addonName"] == arguments["addonName"]]}
        with Stubber(client) as stub:
            stub.add_response(operation, answer, arguments)
            return genuine(account, service, operation, listed, **arguments)

    account.every = every  # type: ignore[method-assign]


def look(account: Account, /, **changes: Any) -> dict[str, Finding]:
    """What is found at the made-up site in Stockholm, by name."""
    asked = {**SITE, **changes}
    rows = base_rows(planned(**asked))
    return {each.name: each for each in examined(aws_place(**asked), rows, Catalog.shipped(), account, INSIDE)}


def reservations(account: Account, answer: dict[str, Any]) -> None:
    """moto has no reservations: the answer is held to botocore's own model of it."""
    genuine = account.ask

    def ask(service: str, operation: str, **arguments: Any) -> Any:
        if operation != "describe_capacity_reservations":
            return genuine(service, operation, **arguments)
        with Stubber(account._clients["ec2"]) as stub:
            expected: Any = {"CapacityReservationIds": [RESERVED]}
            stub.add_response(operation, {"CapacityReservations": [answer]}, expected)
            return genuine(service, operation, **arguments)

    account.ask = ask  # type: ignore[method-assign]


def fill(wanted: Copies, region: str = REGION) -> None:
    """Do the part of a base, which makes repositories, and of copy-images.sh: an image for each tag, one at least."""
    client = boto3.Session(region_name=region).client("ecr")  # a new one has the credentials of now
    for repository, versions in wanted.items():
        client.create_repository(repositoryName=repository)
        for tag in versions or ("1",):
            config = {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": f"sha256:{tag}"}
            manifest = {"schemaVersion": 2, "mediaType": OCI, "config": config, "layers": []}
            client.put_image(repositoryName=repository, imageManifest=json.dumps(manifest), imageTag=tag)
