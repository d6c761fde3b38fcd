"""What the plan of a tier at AWS must keep."""

from __future__ import annotations

from aifactory.components.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "STO-038",
        "error",
        "A tier is made of what its place has",
        "Drives, shares and classes stand at a site; at AWS there is nothing before the base makes it.",
        "docs/decisions/0036",
    ),
    Rule(
        "STO-039",
        "error",
        "A volume has what AWS makes",
        "A claim for any other volume waits for ever, and only the driver's log says why.",
        "Amazon EC2 API, CreateVolume",
    ),
    Rule(
        "STO-040",
        "error",
        "A file system lies in a zone of the site",
        "It has its file servers in one zone, in a subnet that the base must have there.",
        "Amazon FSx API, CreateFileSystem, SubnetIds",
    ),
    Rule(
        "STO-041",
        "error",
        "Objects move before they are deleted",
        "S3 refuses a lifecycle that deletes an object before, or as, it moves.",
        "Amazon S3 User Guide, lifecycle-configuration-examples",
    ),
    Rule(
        "STO-042",
        "error",
        "What is mounted can be read at once",
        "Objects of GLACIER and DEEP_ARCHIVE must be brought back first: a pod that opens one gets an error.",
        "awslabs/mountpoint-s3 doc/SEMANTICS.md; Amazon S3 User Guide, restoring-objects",
    ),
    Rule(
        "STO-043",
        "error",
        "Each volume of a file system is planned",
        "Its class makes nothing, since the driver would make a file system for each claim: what isn't planned waits.",
        "kubernetes-sigs/aws-fsx-csi-driver#272, #162",
    ),
    Rule(
        "STO-044",
        "error",
        "A file system is linked to buckets of S3, eight at most",
        "AWS links nothing else, and refuses a ninth.",
        "Amazon FSx API, CreateDataRepositoryAssociation",
    ),
    Rule(
        "STO-045",
        "error",
        "Backups are promised where AWS makes them",
        "Of a file system with links it makes none, and a backup that isn't there is missed when it is needed.",
        "Amazon FSx API, CreateBackup",
    ),
    Rule(
        "STO-046",
        "warning",
        "GPUs read files of their own zone",
        "EFA doesn't cross zones: nodes of another one read by TCP, slower, and each byte has a price.",
        "Amazon FSx for Lustre User Guide, efa-file-systems; Amazon EC2 User Guide, efa",
    ),
    Rule(
        "STO-047",
        "error",
        "Drives of instances are in the nodes that use them",
        "On a node without them, what should lie there fills the root disk, and the kubelet ends pods.",
        "Kubernetes documentation, node-pressure eviction",
    ),
)
