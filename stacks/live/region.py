"""Whether an account and a region have what a base asks for: a site's facts, held against what AWS says today."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from aifactory.components.aws_place import AwsPlace
from aifactory.components.catalog import Catalog, Row
from aifactory.components.counting import counted
from aifactory.components.rows import CloudRow
from aifactory.components.values import pointed
from aifactory.stacks.live.account import Account, Declined
from aifactory.stacks.live.caller import looked_at_caller, looked_at_way, roles_of
from aifactory.stacks.live.finding import Finding, guarded
from aifactory.stacks.live.served import served, spot_role

NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
PURCHASES = {"ON_DEMAND": "on-demand", "SPOT": "spot", "CAPACITY_BLOCK": "capacity-block"}
_AMI_TYPE = re.compile(r"AL2023_(x86_64|ARM_64)_([A-Z]+)")
_ARCHITECTURES = {"x86_64": "x86_64", "ARM_64": "arm64"}


class Group(Struct, frozen=True):
    """A node group as its row has it."""

    name: str
    types: tuple[str, ...]
    nodes: int
    purchase: str
    zones: tuple[str, ...]
    image: str
    """Name of its AMI, empty for one that is no release of EKS."""
    reservation: str
    """Id of its reservation or Capacity Block, empty for none."""


def groups(rows: Mapping[str, CloudRow]) -> tuple[Group, ...]:
    """The node groups of a base, by its rows."""
    return tuple(_group(row, rows) for row in rows.values() if row.token == NODE_GROUP)


def examined(
    place: AwsPlace, rows: Mapping[str, CloudRow], catalog: Catalog, account: Account, address: str | None
) -> Iterator[Finding]:
    """Everything that a site states of its account, and that its node groups need.

    `address` is that of this machine towards the VPC, None where there is no route.
    """
    found = groups(rows)
    yield from guarded("account", _whose, place, account)
    for role in roles_of(place.aws):
        yield from guarded(f"admin {role}", _admin, role, account)
    yield looked_at_way(place.aws, address)
    yield from guarded("zones", _zones, place, account)
    for name in dict.fromkeys(group.image for group in found if group.image):
        yield from guarded(f"AMI {name}", _image, name, account)
    for group in found:
        yield from guarded(f"offers of {group.name}", _offered, group, account)
        if group.reservation:
            yield from guarded(f"reservation of {group.name}", _reserved, group, account)
    yield from guarded("quotas", _quotas, found, catalog, account)
    yield from served(rows, catalog, account)
    if any(group.purchase == "spot" for group in found):
        yield from guarded("role of Spot", spot_role, account)


def _whose(place: AwsPlace, account: Account) -> Iterator[Finding]:
    who = account.ask("sts", "get_caller_identity")
    if who["Account"] == place.aws.account:
        yield Finding("account", "ok", f"{who['Account']}, as {who['Arn']}")
        yield looked_at_caller(str(who["Arn"]), place.aws)
        return
    says = f"these credentials are of {who['Account']}, and {place.site} is in {place.aws.account}"
    yield Finding("account", "broken", says, "sign in to the account of the site, or correct aws.account")


def _admin(role: str, account: Account) -> Iterator[Finding]:
    """Whether a role exists under the very ARN that the site has: EKS takes no other."""
    name = role.rpartition("/")[2]
    try:
        there = str(account.ask("iam", "get_role", RoleName=name)["Role"]["Arn"])
    except Declined as declined:
        if declined.code != "NoSuchEntity":
            raise
        yield Finding(f"admin {role}", "broken", "this account has no such role", "make it, or correct aws.admins")
        return
    if there == role:
        yield Finding(f"admin {role}", "ok", "it exists")
    else:
        yield Finding(f"admin {role}", "broken", f"its ARN is {there}", f"write {there} in aws.admins, with its path")


def _zones(place: AwsPlace, account: Account) -> Iterator[Finding]:
    answer = account.ask("ec2", "describe_availability_zones")
    there = {each["ZoneName"]: each for each in answer["AvailabilityZones"]}
    for given in place.aws.zones:
        name, zone = f"zone {given.zone}", there.get(given.zone)
        if zone is None:
            known = ", ".join(f"{each} ({zone['ZoneId']})" for each, zone in sorted(there.items()))
            yield Finding(name, "broken", "this account has no such zone", f"name some of {known}")
        elif zone["ZoneId"] != given.id:
            says = f"it is {zone['ZoneId']} in this account, and the site says {given.id}"
            yield Finding(name, "broken", says, f"write id: {zone['ZoneId']}; names are shuffled between accounts")
        elif zone["State"] != "available":
            yield Finding(name, "broken", f"it is {zone['State']}", "choose another zone until it is back")
        else:
            yield Finding(name, "ok", given.id)


def _image(name: str, account: Account) -> Iterator[Finding]:
    asked = [{"Name": "name", "Values": [name]}]
    images = account.ask("ec2", "describe_images", Owners=["amazon"], Filters=asked)["Images"]
    there = [image["ImageId"] for image in images if image["State"] == "available"]
    if there:
        yield Finding(f"AMI {name}", "ok", str(there[0]))
        return
    says = "no such release is there for this region"
    yield Finding(f"AMI {name}", "broken", says, "name a release of github.com/awslabs/amazon-eks-ami")


def _offered(group: Group, account: Account) -> Iterator[Finding]:
    asked = [{"Name": "instance-type", "Values": list(group.types)}]
    kind = "availability-zone"
    listed = account.every(
        "ec2", "describe_instance_type_offerings", "InstanceTypeOfferings", LocationType=kind, Filters=asked
    )
    there = {(each["InstanceType"], each["Location"]) for each in listed}
    for instance in group.types:
        name = f"{instance} for {group.name}"
        lacking = [zone for zone in group.zones if (instance, zone) not in there]
        if not lacking:
            yield Finding(name, "ok", f"offered in {', '.join(group.zones)}")
            continue
        offered = sorted(zone for each, zone in there if each == instance)
        advice = f"it is in {', '.join(offered)}" if offered else "no zone of this region has it"
        yield Finding(name, "broken", f"not offered in {', '.join(lacking)}", advice)


def _reserved(group: Group, account: Account) -> Iterator[Finding]:
    name = f"reservation of {group.name}"
    asked = [group.reservation]
    (there,) = account.ask("ec2", "describe_capacity_reservations", CapacityReservationIds=asked)[
        "CapacityReservations"
    ]
    wrong = [
        says
        for holds, says in (
            (there["State"] in ("active", "scheduled"), f"it is {there['State']}"),
            (there["InstanceType"] in group.types, f"it is of {there['InstanceType']}"),
            (there["AvailabilityZone"] in group.zones, f"it is in {there['AvailabilityZone']}"),
            (
                there["TotalInstanceCount"] >= group.nodes,
                f"it has {counted(there['TotalInstanceCount'], 'instance')}, and {group.name} wants {group.nodes}",
            ),
        )
        if not holds
    ]
    if wrong:
        yield Finding(name, "broken", f"{group.reservation}: {'; '.join(wrong)}", "name another, or change the pool")
        return
    end = there.get("EndDate")
    until = f", until {end:%Y-%m-%d %H:%M} UTC" if end else ""
    count = f"{there['AvailableInstanceCount']} of {there['TotalInstanceCount']} free"
    yield Finding(name, "ok", f"{group.reservation} is {there['State']}, {count}{until}")


def _quotas(found: tuple[Group, ...], catalog: Catalog, account: Account) -> Iterator[Finding]:
    types = sorted({group.types[0] for group in found})
    if not types:
        return
    answer = account.ask("ec2", "describe_instance_types", InstanceTypes=types)
    vcpus = {each["InstanceType"]: int(each["VCpuInfo"]["DefaultVCpus"]) for each in answer["InstanceTypes"]}
    wanted: dict[str, int] = {}
    rows: dict[str, Row] = {}
    for group in found:
        row = _quota_of(group, catalog)
        if row is not None:
            rows[row.text("code")] = row
            wanted[row.text("code")] = wanted.get(row.text("code"), 0) + group.nodes * vcpus[group.types[0]]
        elif group.purchase != "capacity-block":
            says = f"no source names the quota of {group.purchase} {group.types[0]}"
            yield Finding(f"quota of {group.name}", "missing", says, "look at Service Quotas, EC2")
    for code, needed in wanted.items():
        yield from guarded(rows[code].text("name"), _quota, rows[code], needed, account)


def _quota(row: Row, needed: int, account: Account) -> Iterator[Finding]:
    code, name = row.text("code"), row.text("name")
    value = float(
        account.ask("service-quotas", "get_service_quota", ServiceCode="ec2", QuotaCode=code)["Quota"]["Value"]
    )
    found = f"{value:g} vCPU, and these node groups take {needed}"
    if value >= needed:
        yield Finding(name, "ok", f"{found}; what else runs there counts too")
        return
    ask = f"aws service-quotas request-service-quota-increase --service-code ec2 --quota-code {code}"
    yield Finding(name, "broken", found, f"{ask} --desired-value {needed}")


def _quota_of(group: Group, catalog: Catalog) -> Row | None:
    letters = re.match(r"[a-z]+", group.types[0])
    for row in catalog.rows("aws-quotas"):
        if letters and letters[0] in row.texts("letters") and row.text("purchase") == group.purchase:
            return row
    return None


def _group(row: CloudRow, rows: Mapping[str, CloudRow]) -> Group:
    properties: dict[str, Any] = dict(row.properties)
    template = rows.get(pointed(properties.get("launchTemplate", {}).get("id")))
    target = _inside(template, "capacityReservationSpecification", "capacityReservationTarget")
    subnets = [rows[pointed(subnet)] for subnet in properties["subnetIds"]]
    return Group(
        name=str(properties["nodeGroupName"]),
        types=tuple(properties.get("instanceTypes") or [_inside(template, "instanceType")]),
        nodes=int(properties["scalingConfig"]["maxSize"]),
        purchase=PURCHASES[properties.get("capacityType", "ON_DEMAND")],
        zones=tuple(str(subnet.properties["availabilityZone"]) for subnet in subnets),
        image=_image_name(str(properties.get("amiType", "")), str(properties.get("releaseVersion", ""))),
        reservation=str((target or {}).get("capacityReservationId", "")),
    )


def _image_name(ami_type: str, release: str) -> str:
    """Name of the AMI of a release. Source: awslabs/amazon-eks-ami, releases."""
    kind = _AMI_TYPE.fullmatch(ami_type)
    version, _, day = release.partition("-")
    if kind is None or not day:
        return ""
    minor = ".".join(version.split(".")[:2])
    return f"amazon-eks-node-al2023-{_ARCHITECTURES[kind[1]]}-{kind[2].lower()}-{minor}-v{day}"


def _inside(row: CloudRow | None, *steps: str) -> Any:
    found: Any = row.properties if row is not None else None
    for step in steps:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found
