"""Rows of a file system of FSx for Lustre: its security group, itself, and its links to buckets."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.rows import CloudRow
from aifactory.components.storage_tier.aws.making import Making
from aifactory.components.storage_tier.aws.model import FILE_SYSTEM, VERSION, LustrePlan
from aifactory.components.values import Format, Ref

GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
LINK = "aws:fsx/dataRepositoryAssociation:DataRepositoryAssociation"
PORTS = ((988, 988), (1018, 1023))
"""TCP ports of Lustre. Source: Amazon FSx for Lustre User Guide, limit-access-security-groups."""
EVENTS = ["NEW", "CHANGED", "DELETED"]
TIMEOUT_S = 5_400
"""Time that AWS may take for a file system, or for a link that reads the names of all objects."""
NIGHT, SUNDAY = "01:00", "7:03:00"
"""When backups are made, and when AWS may touch the file servers. UTC."""


def file_system(plan: LustrePlan, make: Making) -> Iterator[CloudRow]:
    """The file system, kept with all that it stands on."""
    name = make.plan.key
    base = make.plan.base
    described = {"vpcId": base.vpc, "name": base.name(name, 255), "description": f"File servers of {base.name(name)}"}
    group = make.kept(GROUP, name, described)
    rules = list(_rules(plan, group, make))
    yield from (group, *rules)
    properties: dict[str, object] = {
        "deploymentType": "PERSISTENT_2",
        "storageType": "SSD",
        "storageCapacity": plan.capacity_gib,
        "perUnitStorageThroughput": plan.mbps_per_tib,
        "fileSystemTypeVersion": VERSION,
        "metadataConfiguration": {"mode": "AUTOMATIC"},
        "efaEnabled": plan.efa,
        "kmsKeyId": make.plan.key_arn,
        "subnetIds": plan.zone.subnet,
        "securityGroupIds": [group.output("id")],
        "weeklyMaintenanceStartTime": SUNDAY,
        "automaticBackupRetentionDays": plan.backup_days,
        "skipFinalBackup": plan.backup_days == 0,
    }
    if plan.backup_days:
        properties |= {"dailyAutomaticBackupStartTime": NIGHT, "copyTagsToBackups": True}
    # FSx refuses a group that doesn't let its own traffic through.
    system = make.kept(FILE_SYSTEM, name, properties, after=[rule.id for rule in rules], timeout_s=TIMEOUT_S)
    yield system
    for link in plan.links:
        s3 = {"autoImportPolicy": {"events": EVENTS}}
        path = Format(("s3://", Ref(link.bucket_row, "bucket"), link.prefix))
        linked = {
            "fileSystemId": system.output("id"),
            "fileSystemPath": link.folder,
            "dataRepositoryPath": path,
            "batchImportMetaDataOnCreate": True,
            "s3": s3,
        }
        yield make.kept(LINK, link.row, linked, timeout_s=TIMEOUT_S)


def _rules(plan: LustrePlan, group: CloudRow, make: Making) -> Iterator[CloudRow]:
    """Nodes and file servers reach each other, and servers their like. With EFA FSx wants all traffic between them."""
    name, nodes, servers = make.plan.key, make.plan.base.security_group, group.output("id")
    fabrics = [
        (f"{way}-efa-{number}" if number > 1 else f"{way}-efa", token, *sides)
        for number, efa in enumerate(plan.fabric_groups, 1)
        for way, token, sides in (
            ("from", INGRESS, (servers, efa)),
            ("to", EGRESS, (servers, efa)),
            ("into", INGRESS, (efa, servers)),
            ("out-of", EGRESS, (efa, servers)),
        )
    ]
    everything: dict[str, object] = {"ipProtocol": "-1"}
    ports = [everything] if plan.efa else [_tcp(*each) for each in PORTS]
    ways = (
        ("from-nodes", INGRESS, servers, nodes),
        ("from-servers", INGRESS, servers, servers),
        ("to-nodes", EGRESS, servers, nodes),
        ("to-servers", EGRESS, servers, servers),
        ("into-nodes", INGRESS, nodes, servers),
        *fabrics,
    )
    for way, token, of, other in ways:
        for number, port in enumerate(ports, 1):
            rule = {"securityGroupId": of, "referencedSecurityGroupId": other, **port}
            rule["description"] = f"Lustre, {way.replace('-', ' ')}"
            row = f"{name}-{way}" if plan.efa else f"{name}-{way}-{number}"
            # Groups of nodes go with the cluster, and AWS removes none that a rule refers to.
            own = of == other == servers
            yield make.kept(token, row, rule) if own else make.tagged(token, row, rule)


def _tcp(first: int, last: int) -> dict[str, object]:
    return {"ipProtocol": "tcp", "fromPort": first, "toPort": last}
