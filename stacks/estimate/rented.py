"""What a region of AWS costs: nodes by the hour, each row of the base by its token, and what the site says it uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from aifactory.blueprints.site import AwsSite
from aifactory.components.economics.figures import Figure, just
from aifactory.components.economics.powering import HOURS
from aifactory.components.given_aws_nodes import Purchase
from aifactory.components.given_costs import AwsCostsGiven
from aifactory.components.gpu_node_pool.aws.model import AwsFlexPlan, AwsPoolPlan, FlexShare
from aifactory.components.rows import CloudRow
from aifactory.stacks.estimate.case import Case, Pool
from aifactory.stacks.estimate.energy import running
from aifactory.stacks.estimate.model import Lack, Line, Term
from aifactory.stacks.estimate.prices import SERVICES
from aifactory.stacks.estimate.supporting import support
from aifactory.stacks.estimate.volumes import ask, sold, volumes

MONTH = just(HOURS)
DAYS_OF_MONTH = Decimal("30.4166666667")
"""730 hours. Logs that are kept longer than that pile up to so many months of them."""
CAPACITY: Mapping[str, Purchase] = {"SPOT": "spot", "CAPACITY_BLOCK": "capacity-block", "ON_DEMAND": "on-demand"}


class Metered(Struct, frozen=True):
    """One thing that AWS counts of a row."""

    token: str
    """Row's token without `aws:` and its type, as the catalog has it."""
    meter: str
    item: str
    unit: str
    quantity: Callable[[CloudRow], Decimal]
    """Units a month of one row."""


def _hours(row: CloudRow) -> Decimal:
    del row
    return HOURS


def _zones(row: CloudRow) -> Decimal:
    """An interface endpoint is paid for in each zone, a gateway endpoint not at all."""
    if row.properties.get("vpcEndpointType") != "Interface":
        return Decimal(0)
    subnets = row.properties.get("subnetIds")
    return HOURS * (len(subnets) if isinstance(subnets, list | tuple) else 0)


def _one(row: CloudRow) -> Decimal:
    del row
    return Decimal(1)


def _lustre_gb(row: CloudRow) -> Decimal:
    return Decimal(str(row.properties["storageCapacity"]))


METERS: tuple[Metered, ...] = (
    Metered("eks/cluster", "hour", "EKS clusters", "hour", _hours),
    Metered("ec2/natGateway", "hour", "NAT gateways", "hour", _hours),
    Metered("ec2/eip", "hour", "public addresses", "hour", _hours),
    Metered("ec2/vpcEndpoint", "hour", "interface endpoints", "hour", _zones),
    Metered("ec2transitgateway/vpcAttachment", "hour", "transit gateway attachments", "hour", _hours),
    Metered("kms/key", "month", "keys", "month", _one),
)


class Used(Struct, frozen=True):
    """Something that only the site knows the volume of."""

    field: str
    """Field of `costs.usage`."""
    meters: tuple[tuple[str, str], ...]
    """What is paid for each unit, as token and meter."""
    item: str
    unit: str
    needs: tuple[str, ...]
    """Tokens of rows without which there is none of it; empty: there always is."""
    times: int = 1


USED: tuple[Used, ...] = (
    Used("nat_gb", (("ec2/natGateway", "processed"),), "through NAT", "GB", ("ec2/natGateway",)),
    Used("endpoint_gb", (("ec2/vpcEndpoint", "processed"),), "through endpoints", "GB", ("ec2/vpcEndpoint:Interface",)),
    Used(
        "attachment_gb",
        (("ec2transitgateway/vpcAttachment", "processed"),),
        "into the transit gateway",
        "GB",
        ("ec2transitgateway/vpcAttachment",),
    ),
    Used("log_gb", (("ec2/flowLog", "ingest"),), "logs that arrive", "GB", ("ec2/flowLog",)),
    Used("internet_gb", (("transfer", "to-internet"),), "out to the internet", "GB", ("ec2/natGateway",)),
    Used("between_zones_gb", (("transfer", "between-zones"),), "between zones, both ways", "GB", (), 2),
    Used("registry_gb", (("ecr/repository", "stored"),), "copies of images", "GB", ("ecr/repository",)),
    Used("objects_gb", (("s3/bucket", "standard"),), "objects", "GB", ("s3/bucket",)),
    Used("object_writes", (("s3/bucket", "writes"),), "requests that write objects", "request", ("s3/bucket",)),
    Used("object_requests", (("s3/bucket", "reads"),), "requests that read objects", "request", ("s3/bucket",)),
    Used("key_requests", (("kms/key", "requests"),), "requests to keys", "request", ("kms/key",)),
    Used("queue_requests", (("sqs/queue", "requests"),), "requests to queues", "request", ("sqs/queue",)),
)
COUNTED_OTHERWISE = {"ec2/flowLog", "ecr/repository", "s3/bucket", "sqs/queue", "cloudwatch/logGroup"}
"""Rows whose volume the site states."""


def lines(case: Case) -> Iterator[Line]:
    """Everything that is paid to AWS."""
    if not isinstance(case.site, AwsSite):
        return
    found = [
        *_nodes(case),
        *_rows(case),
        *_used(case, case.site.costs),
        *_kept_logs(case, case.site.costs),
        *_balancers(case, case.site.costs),
        *volumes(case, case.site.costs),
        *_unknown(case),
    ]
    yield from found
    yield support(case, case.site.costs, found)


class Hire(Struct, frozen=True):
    """Nodes of a pool that are rented alike."""

    instance_type: str
    purchase: Purchase
    nodes: Figure
    disk_gib: int


def hires(pool: Pool, case: Case) -> Iterator[Hire]:
    """Nodes of a pool by type and way of buying: as planned, or all in the way that is asked about."""
    instead = case.what_if.purchase
    if isinstance(pool.plan, AwsPoolPlan):
        group = pool.plan.node_group
        how: Purchase = "reserved" if group.reservation and group.capacity == "ON_DEMAND" else CAPACITY[group.capacity]
        yield Hire(group.instance_type, instead or how, just(group.nodes), group.disk_gib)
    elif isinstance(pool.plan, AwsFlexPlan):
        for share, nodes in _in_turn(pool, case):
            yield Hire(share.instance_type, instead or share.capacity, nodes, share.disk_gib)


def _nodes(case: Case) -> Iterator[Line]:
    """Nodes of pools, system nodes, and their disks."""
    for pool in case.pools:
        for hire in hires(pool, case):
            yield from _hired(case, pool.part, hire.instance_type, hire.purchase, hire.nodes, hire.disk_gib, pool.part)
    site = case.site
    assert isinstance(site, AwsSite)  # noqa: S101 - asked before
    system = site.aws.system_nodes
    yield from _hired(case, "cluster", system.instance_type, "on-demand", just(system.nodes), system.disk_gib)


def _in_turn(pool: Pool, case: Case) -> Iterator[tuple[FlexShare, Figure]]:
    """Nodes that run, by share: those of the highest weight first, as Karpenter takes them."""
    plan = pool.plan
    assert isinstance(plan, AwsFlexPlan)  # noqa: S101 - asked before
    left = running(pool, case).value
    for share in sorted(plan.flex.shares, key=lambda each: -each.weight):
        most = Decimal(share.nodes)
        taken = Figure(min(left.low, most), min(left.expected, most), min(left.high, most))
        left = Figure(left.low - taken.low, left.expected - taken.expected, left.high - taken.high)
        yield share, taken


def _hired(
    case: Case, part: str, kind: str, how: Purchase, nodes: Figure, disk_gib: int, pool: str = ""
) -> Iterator[Line]:
    hours = nodes.times(HOURS)
    terms = (Term("nodes", nodes, "nodes", f"{part}"), Term("hours of a month", MONTH, "h"))
    yield sold(Line(part, f"{kind}, {how}", hours, "hour", "F7", terms=terms, pool=pool), case.book.instance(kind, how))
    disk = Line(part, f"disks of {kind}", nodes.times(Decimal(disk_gib)), "GB", "F18", pool=pool)
    yield sold(disk, case.book.service("ebs/volume", "gp3", "USD/GB-month"))


def _rows(case: Case) -> Iterator[Line]:
    """Rows that cost by the hour or the month, kind by kind and part by part."""
    for meter in METERS:
        by_part: dict[str, list[CloudRow]] = {}
        for row in case.cloud_rows:
            if token_of(row) == meter.token:
                by_part.setdefault(row.part, []).append(row)
        for part, rows in by_part.items():
            quantity = sum((meter.quantity(row) for row in rows), Decimal(0))
            if not quantity:
                continue
            line = Line(part, meter.item, just(quantity), meter.unit, "F18")
            yield sold(line, case.book.service(meter.token, meter.meter, f"USD/{meter.unit}"))
    yield from _rotations(case)
    for row in case.cloud_rows:
        if token_of(row) == "fsx/lustreFileSystem":
            rate = row.properties.get("perUnitStorageThroughput")
            line = Line(row.part, "FSx for Lustre", just(_lustre_gb(row)), "GB", "F18")
            yield sold(line, case.book.service("fsx/lustreFileSystem", f"persistent2-{rate}", "USD/GB-month"))
            if row.properties.get("automaticBackupRetentionDays"):
                # A first backup holds all that is written; each that follows what changed: no less than the whole.
                copies = Line(row.part, "backups of FSx for Lustre", just(_lustre_gb(row)), "GB", "F18")
                yield sold(copies, case.book.service("fsx/lustreFileSystem", "backup", "USD/GB-month"))


def _rotations(case: Case) -> Iterator[Line]:
    """Keys that rotate cost more after the first and the second year, and no more after that."""
    turning = sum(
        1 for row in case.cloud_rows if token_of(row) == "kms/key" and row.properties.get("enableKeyRotation")
    )
    if turning:
        often = Figure(Decimal(0), Decimal(turning), Decimal(2 * turning))
        line = Line("site", "earlier material of keys that rotate", often, "month", "F18")
        yield sold(line, case.book.service("kms/key", "rotation-month", "USD/month"))


def _used(case: Case, costs: AwsCostsGiven | None) -> Iterator[Line]:
    """What the site says of a month."""
    there = {token_of(row) for row in case.cloud_rows}
    there |= {
        "ec2/vpcEndpoint:Interface"
        for row in case.cloud_rows
        if token_of(row) == "ec2/vpcEndpoint" and row.properties.get("vpcEndpointType") == "Interface"
    }
    for used in USED:
        if used.needs and not there.intersection(used.needs):
            continue
        stated = getattr(costs.usage, used.field) if costs else None
        for token, meter in used.meters:
            if stated is None:
                yield Line("site", used.item, just(0), used.unit, "F18", lacks=ask(case, used.field, used.item))
                continue
            amount = just(stated).times(Decimal(used.times))
            line = Line(
                "site",
                used.item,
                _beyond(case, token, meter, amount),
                used.unit,
                "F18",
                terms=(_said(costs, used, amount),),
            )
            yield sold(line, case.book.service(token, meter, f"USD/{used.unit}"))


def _beyond(case: Case, token: str, meter: str, amount: Figure) -> Figure:
    """What is left once what an account doesn't pay for is taken off. Only of requests: traffic that is included is the
    account's, and others use it, too."""
    row = case.book.row(token, meter)
    included = (
        Decimal(str(row.number_or_zero("included"))) if row is not None and row.data.get("unit") == "request" else 0
    )
    return Figure(*(max(Decimal(0), end - included) for end in (amount.low, amount.expected, amount.high)))


def _said(costs: AwsCostsGiven | None, used: Used, amount: Figure) -> Term:
    assert costs is not None  # noqa: S101 - it stated the amount
    return Term(f"usage.{used.field}", amount, used.unit, costs.source, costs.seen, example=costs.example)


def _kept_logs(case: Case, costs: AwsCostsGiven | None) -> Iterator[Line]:
    """Logs pile up until the first of them are deleted: as many months of them as they are kept."""
    groups = [row for row in case.cloud_rows if token_of(row) == "cloudwatch/logGroup"]
    if not groups:
        return
    stated = costs.usage.log_gb if costs else None
    line = Line("site", "logs that are kept", just(0), "GB", "F18")
    if stated is None:
        yield replace(line, lacks=ask(case, "log_gb", "logs that arrive"))
        return
    days = max(Decimal(str(row.properties.get("retentionInDays", 0))) for row in groups)
    line = replace(line, quantity=just(stated).times(days / DAYS_OF_MONTH))
    yield sold(line, case.book.service("cloudwatch/logGroup", "stored", "USD/GB-month"))


def _balancers(case: Case, costs: AwsCostsGiven | None) -> Iterator[Line]:
    """Network load balancers that the controller makes for doors, and what goes through them."""
    doors = [part for part in case.plan.parts if part.kind in ("gateway", "endpoint")]
    for part in doors:
        line = Line(part.name, "network load balancer", MONTH, "hour", "F18")
        yield sold(line, case.book.service("lb/loadBalancer", "network-hour", "USD/hour"))
    if not doors:
        return
    stated = costs.usage.balancer_units if costs else None
    line = Line("site", "capacity of network load balancers", just(stated or 0).times(HOURS), "NLCU-hour", "F18")
    if stated is None:
        yield replace(line, lacks=ask(case, "balancer_units", "capacity units of load balancers"))
    else:
        yield sold(line, case.book.service("lb/loadBalancer", "network-capacity", "USD/NLCU-hour"))


def _unknown(case: Case) -> Iterator[Line]:
    """Rows of which nothing says that they cost, or that they don't."""
    known = {meter.token for meter in METERS} | COUNTED_OTHERWISE | {"fsx/lustreFileSystem"}
    for token in sorted({token_of(row) for row in case.cloud_rows} - known):
        if case.catalog.find(f"{SERVICES}.free", token) is None:
            hint = f"add {SERVICES}.free/{token}, or its price, with the source"
            lack = Lack(f"nothing says what {token} costs, or that it costs nothing", hint)
            yield Line("site", token, just(1), "row", "F18", lacks=lack)


def token_of(row: CloudRow) -> str:
    """`aws:ec2/vpc:Vpc` as `ec2/vpc`."""
    return row.token.split(":")[1]
