"""Whether a region serves what a base asks of it by name: versions of EKS and of its add-ons,
services behind endpoints, and the role that Spot needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aifactory.components.counting import counted
from aifactory.components.rows import CloudRow
from aifactory.components.values import pointed
from aifactory.stacks.live.account import Account, Declined
from aifactory.stacks.live.finding import Finding, guarded

CLUSTER, ADDON, ENDPOINT = "aws:eks/cluster:Cluster", "aws:eks/addon:Addon", "aws:ec2/vpcEndpoint:VpcEndpoint"
SPOT_ROLE = "AWSServiceRoleForEC2Spot"
UNSUPPORTED = "UNSUPPORTED"
Rows = Mapping[str, CloudRow]


def served(rows: Rows, account: Account) -> Iterator[Finding]:
    """Each question by itself: one that is declined keeps no other from being asked."""
    for row in _of(rows, CLUSTER):
        version = str(row.properties["version"])
        yield from guarded(f"Kubernetes {version}", _version, version, account)
        for addon in _of(rows, ADDON):
            name, build = str(addon.properties["addonName"]), str(addon.properties["addonVersion"])
            yield from guarded(f"add-on {name}", _addon, name, build, version, account)
    endpoints = _of(rows, ENDPOINT)
    if endpoints:
        yield from guarded("endpoint services", _services, endpoints, rows, account)


def spot_role(account: Account) -> Iterator[Finding]:
    """Whether the account has the role by which EC2 runs Spot instances: who launches the first one must make it.

    Source: Amazon EC2 User Guide, Service-linked role for EC2 Spot Instance requests.
    """
    try:
        account.ask("iam", "get_role", RoleName=SPOT_ROLE)
    except Declined as declined:
        if declined.code != "NoSuchEntity":
            raise
        make = "aws iam create-service-linked-role --aws-service-name spot.amazonaws.com"
        yield Finding("role of Spot", "broken", f"this account has no {SPOT_ROLE}", make)
        return
    yield Finding("role of Spot", "ok", SPOT_ROLE)


def _version(version: str, account: Account) -> Iterator[Finding]:
    listed = account.every("eks", "describe_cluster_versions", "clusterVersions", includeAll=True)
    known = {each["clusterVersion"]: each for each in listed}
    there = known.get(version)
    if there is None or there.get("versionStatus") == UNSUPPORTED:
        offered = sorted(name for name, each in known.items() if each.get("versionStatus") != UNSUPPORTED)
        says = "EKS doesn't offer it here"
        yield Finding(f"Kubernetes {version}", "broken", says, f"take one of {', '.join(offered)}")
        return
    end = there.get("endOfStandardSupportDate")
    until = f" until {end:%Y-%m-%d}" if end else ""
    extended = there.get("versionStatus") == "EXTENDED_SUPPORT"
    says = "in extended support, which costs more by the hour" if extended else f"in standard support{until}"
    yield Finding(f"Kubernetes {version}", "ok", says)


def _addon(name: str, build: str, version: str, account: Account) -> Iterator[Finding]:
    asked = {"addonName": name, "kubernetesVersion": version}
    found = account.every("eks", "describe_addon_versions", "addons", **asked)
    builds: dict[str, Any] = {each["addonVersion"]: each for addon in found for each in addon["addonVersions"]}
    if build in builds:
        yield Finding(f"add-on {name}", "ok", build)
        return
    default = [
        each
        for each, row in builds.items()
        if any(fits["defaultVersion"] for fits in row["compatibilities"] if fits["clusterVersion"] == version)
    ]
    says = f"{build} is none of {counted(len(builds), 'build')} for Kubernetes {version} here"
    advice = f"the default is {default[0]}" if default else "aws eks describe-addon-versions lists what there is"
    yield Finding(f"add-on {name}", "broken", says, advice)


def _services(endpoints: list[CloudRow], rows: Rows, account: Account) -> Iterator[Finding]:
    """Services that aren't there, or not in a zone that an endpoint has a subnet in."""
    listed = account.every("ec2", "describe_vpc_endpoint_services", "ServiceDetails")
    zones = {each["ServiceName"]: set(each["AvailabilityZones"]) for each in listed}
    lacking = []
    for row in endpoints:
        service = str(row.properties["serviceName"])
        subnets: Any = row.properties.get("subnetIds", ())
        wanted = {str(rows[pointed(each)].properties["availabilityZone"]) for each in subnets}
        if service not in zones:
            lacking.append(service)
        else:
            lacking += [f"{service} in {zone}" for zone in sorted(wanted - zones[service])]
    if lacking:
        advice = "give the VPC egress: nat, or name zones that have them"
        yield Finding("endpoint services", "broken", f"the region has no {', no '.join(lacking)}", advice)
        return
    yield Finding("endpoint services", "ok", f"{len(endpoints)}, in all zones that are asked")


def _of(rows: Rows, token: str) -> list[CloudRow]:
    return [row for row in rows.values() if row.token == token]
