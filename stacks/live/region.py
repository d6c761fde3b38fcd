"""Whether an account and a region have what a base asks for: a site's facts, held against what AWS says today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from aifactory.components.aws_place import AwsPlace
from aifactory.components.catalog import Catalog
from aifactory.components.counting import counted
from aifactory.components.rows import CloudRow, ClusterRow
from aifactory.stacks.live import quotas
from aifactory.stacks.live.account import Account, Declined
from aifactory.stacks.live.caller import looked_at_way, roles_of, whose
from aifactory.stacks.live.finding import Finding, guarded
from aifactory.stacks.live.models import answered
from aifactory.stacks.live.nodes import Group, flexing, groups
from aifactory.stacks.live.served import served, spot_role


def examined(
    place: AwsPlace,
    rows: Mapping[str, CloudRow],
    catalog: Catalog,
    account: Account,
    address: str | None,
    above: Iterable[ClusterRow] = (),
) -> Iterator[Finding]:
    """Everything that a site states of its account, and that its nodes need.

    `address` is that of this machine towards the VPC, None where there is no route. `above` are the rows of the
    platform, whose NodePools take from the same account.
    """
    found = (*groups(rows), *flexing(above, place.aws.kubernetes, catalog))
    yield from guarded("account", whose, place.site, place.aws, account)
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
    yield from guarded("quotas", quotas.of_nodes, found, catalog, account)
    yield from served(rows, account)
    yield from quotas.of_the_base(rows, catalog, account)
    yield from answered(rows, account)
    if any(group.purchase == "spot" for group in found):
        yield from guarded("role of Spot", spot_role, account)


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
