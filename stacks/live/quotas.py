"""Whether quotas of an account have room for a site: for all of its nodes at once, and for what its base makes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from aifactory.components import names
from aifactory.components.catalog import Catalog, Row
from aifactory.components.rows import CloudRow
from aifactory.stacks.live.account import Account, Declined
from aifactory.stacks.live.finding import Finding, guarded
from aifactory.stacks.live.nodes import RESERVED, Group


def of_nodes(found: Iterable[Group], catalog: Catalog, account: Account) -> Iterator[Finding]:
    """vCPUs by family and purchase, with as many nodes as there may be: what flexes may do so in a single minute."""
    counted = []
    for group in found:
        try:
            counted.append(_counted_as(group, account))
        except Declined as declined:
            yield Finding(f"quota of {group.name}", "missing", f"not seen: {declined.says}", declined.hint)
    types = sorted({group.types[0] for group in counted})
    if not types:
        return
    answer = account.ask("ec2", "describe_instance_types", InstanceTypes=types)
    vcpus = {each["InstanceType"]: int(each["VCpuInfo"]["DefaultVCpus"]) for each in answer["InstanceTypes"]}
    wanted: dict[str, int] = {}
    rows: dict[str, Row] = {}
    for group in counted:
        row = _quota_of(group, catalog)
        if row is not None:
            rows[row.text("code")] = row
            wanted[row.text("code")] = wanted.get(row.text("code"), 0) + group.nodes * vcpus[group.types[0]]
        elif group.purchase != "capacity-block":
            says = f"no source names the quota of {group.purchase} {group.types[0]}"
            yield Finding(f"quota of {group.name}", "missing", says, "look at Service Quotas, EC2")
    for code, needed in wanted.items():
        says = f" vCPU, and these nodes take {needed} at the most; what else runs there counts too"
        yield from guarded(rows[code].text("name"), _held, rows[code], "ec2", needed, says, account)


def of_the_base(rows: Mapping[str, CloudRow], catalog: Catalog, account: Account) -> Iterator[Finding]:
    """Resources that count one by one. What an earlier run of this base made is what it asks for."""
    for quota in catalog.rows("aws-quotas.each"):
        made = [row for row in rows.values() if row.token == quota.text("token")]
        if made:
            yield from guarded(quota.text("name"), _room, quota, made, account)


def _room(row: Row, made: list[CloudRow], account: Account) -> Iterator[Finding]:
    listed = account.ask("ec2", row.text("ask"))[row.text("lists")]
    others = sum(not _is_ours(each, made[0]) for each in listed)
    says = f": others have {others}, and this base makes {len(made)}"
    yield from _held(row, row.text("service"), others + len(made), says, account)


def _held(row: Row, service: str, needed: int, says: str, account: Account) -> Iterator[Finding]:
    """The finding about one quota."""
    name, code = row.text("name"), row.text("code")
    answer = account.ask("service-quotas", "get_service_quota", ServiceCode=service, QuotaCode=code)
    value = float(answer["Quota"]["Value"])
    if value >= needed:
        yield Finding(name, "ok", f"{value:g}{says}")
        return
    ask = f"aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code}"
    yield Finding(name, "broken", f"{value:g}{says}", f"{ask} --desired-value {needed}")


def _counted_as(group: Group, account: Account) -> Group:
    """A group by the purchase that quotas know: a reservation says whether it is a Capacity Block."""
    if group.purchase != RESERVED:
        return group
    asked = [group.reservation]
    (there,) = account.ask("ec2", "describe_capacity_reservations", CapacityReservationIds=asked)[
        "CapacityReservations"
    ]
    block = there.get("ReservationType") == "capacity-block"
    return replace(group, purchase="capacity-block" if block else "on-demand")


def _quota_of(group: Group, catalog: Catalog) -> Row | None:
    letters = re.match(r"[a-z]+", group.types[0])
    for row in catalog.rows("aws-quotas"):
        if letters and letters[0] in row.texts("letters") and row.text("purchase") == group.purchase:
            return row
    return None


def _is_ours(there: Mapping[str, Any], made: CloudRow) -> bool:
    tags = {tag["Key"]: tag["Value"] for tag in there.get("Tags", ())}
    own: Any = made.properties.get("tags", {})
    return all(tags.get(name) == own.get(name) is not None for name in names.OWNER_TAGS)
