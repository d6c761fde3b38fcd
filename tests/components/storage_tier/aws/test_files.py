"""A file system of FSx for Lustre: its size and rate, who reaches it, what fills it, and volumes of its folders."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.names import tags
from aifactory.components.storage_tier.aws.engines import capacity_gib
from aifactory.components.storage_tier.aws.volumes import MAKE_FOLDERS
from aifactory.components.values import Format, Ref
from support.aws_sites import aws_place
from support.aws_tiers import LUSTRE, ONE_NODE, WORK, files, in_base, in_cluster, objects, only, says, tiered, volumes
from support.planning import Planned
from support.proving.aws_policies import check_policies
from support.proving.aws_rows import check_rows, untagged
from support.schemas import Schemas

ROW = "aws:fsx/lustreFileSystem:LustreFileSystem/tier-files"
READS = {**ONE_NODE, "checkpoint": {"size_gib": 2048, "storage_class": "files"}}


@cache
def stockholm() -> Planned:
    """Files fed by buckets, with a run that reads and saves there."""
    found = tiered(objects(), files(), volumes(), {**READS, "datasets": [{"tier": "files", "path": "tickets"}]})
    assert found.errors == [], says(found)
    return found


@cache
def by_tcp() -> Planned:
    """Without EFA and without links, but with backups."""
    wish = {**LUSTRE, "efa": False, "backup_days": 14, "zone": "eu-north-1b"}
    found = tiered(files(lustre=wish, fed_by=None, paths=[WORK]), volumes())
    assert found.errors == [], says(found)
    return found


@pytest.mark.parametrize(
    ("mbps", "efa", "wanted", "size"),
    [
        # 14 TiB at 75 percent are 14 x 1024 / 0.75 = 19,114.7 GiB.
        (500, True, 19_114.7, 19_200),
        (1000, True, 19_114.7, 19_200),
        (250, True, 19_114.7, 19_200),
        (125, True, 19_114.7, 38_400),
        (1000, True, 1.0, 4_800),
        (500, True, 19_200.1, 28_800),
        (125, False, 1.0, 1_200),
        (125, False, 1_200.0, 1_200),
        (125, False, 1_200.5, 2_400),
        (125, False, 2_400.5, 4_800),
    ],
)
def test_a_file_system_is_of_the_smallest_size_that_aws_makes(mbps: int, efa: bool, wanted: float, size: int) -> None:
    row = Catalog.shipped().row("aws-storage", str(mbps))
    assert capacity_gib(wanted, row, efa=efa) == size


@pytest.mark.parametrize("found", [stockholm, by_tcp], ids=lambda found: found.__name__)
def test_aws_would_take_all_rows_of_the_base(found: Any) -> None:
    rows = in_base(found())
    assert check_rows(rows.values()) == []
    own = in_base(found(), "files").values()
    assert check_policies(own, {}) == []
    assert untagged(own, tags("demo", "sto-lab", "files")) == []


def test_the_file_system_is_as_wished() -> None:
    made = in_base(stockholm())[ROW].properties
    assert (made["deploymentType"], made["fileSystemTypeVersion"]) == ("PERSISTENT_2", "2.15")
    assert (made["storageCapacity"], made["perUnitStorageThroughput"], made["efaEnabled"]) == (19_200, 500, True)
    assert made["metadataConfiguration"] == {"mode": "AUTOMATIC"}
    assert made["kmsKeyId"] == Ref("aws:kms/key:Key/tier-files", "arn")
    assert made["subnetIds"] == Ref("aws:ec2/subnet:Subnet/nodes-eun1-az1", "id")
    other = in_base(by_tcp())[ROW].properties
    assert other["subnetIds"] == Ref("aws:ec2/subnet:Subnet/nodes-eun1-az2", "id")


def test_its_rate_follows_from_its_size() -> None:
    # AWS counts 19,200 GiB as 19.2 TiB: 19.2 x 500 MB/s = 9.6 GB/s.
    figures = stockholm().plans["files"].figures
    assert (figures.read_gb_per_s, figures.write_gb_per_s) == (9.6, 9.6)
    assert stockholm().plans["files"].failure_domain == "node"


def test_it_is_kept_with_all_that_it_stands_on() -> None:
    rows = in_base(stockholm(), "files")
    going = {name.rpartition("/")[2] for name, row in rows.items() if not row.retain_on_delete}
    # EKS can't remove the group of nodes while a rule refers to it.
    assert going == {"tier-files-from-nodes", "tier-files-to-nodes", "tier-files-into-nodes"}
    assert all(row.protect == row.retain_on_delete for row in rows.values())
    system = rows[ROW]
    assert {"aws:kms/key:Key/tier-files", "aws:ec2/securityGroup:SecurityGroup/tier-files"} <= set(system.after)
    assert sum("Rule/tier-files-" in each for each in system.after) == 5


@pytest.mark.parametrize(("found", "zone"), [(stockholm, "az1"), (by_tcp, "az2")])
def test_the_network_that_its_interfaces_are_in_stays_and_no_more_of_it(found: Any, zone: str) -> None:
    kept = {name for name, row in in_base(found(), "cluster").items() if row.retain_on_delete}
    assert kept == {"aws:ec2/vpc:Vpc/cluster", f"aws:ec2/subnet:Subnet/nodes-eun1-{zone}"}
    assert not any(row.protect for row in in_base(tiered(objects(), volumes()), "cluster").values())


def rules(found: Planned) -> set[tuple[str, str, object]]:
    """Direction and group of each rule's other side, with protocol and ports."""
    rows = in_base(found, "files")
    found_rules = set()
    for row in rows.values():
        if "GroupIngressRule" in row.token or "GroupEgressRule" in row.token:
            props = row.properties
            of, other = (
                "servers" if "tier-files" in props[side].row else "nodes"
                for side in ("securityGroupId", "referencedSecurityGroupId")
            )
            ports = (props["ipProtocol"], props.get("fromPort"), props.get("toPort"))
            direction = "in" if "Ingress" in row.token else "out"
            found_rules.add((f"{of} {direction}", other, ports))
    return found_rules


def test_with_efa_nodes_and_file_servers_let_each_other_through() -> None:
    everything = ("-1", None, None)
    assert rules(stockholm()) == {
        ("servers in", "nodes", everything),
        ("servers in", "servers", everything),
        ("servers out", "nodes", everything),
        ("servers out", "servers", everything),
        ("nodes in", "servers", everything),
    }


def test_interfaces_of_efa_reach_the_file_servers_and_their_rules_go_with_them() -> None:
    efa = Ref("aws:ec2/securityGroup:SecurityGroup/api", "id")  # any group of the base
    found = tiered(objects(), files(), volumes(), efa=efa)
    assert found.errors == [], says(found)
    rows = {name: row for name, row in in_base(found, "files").items() if name.endswith("-efa")}
    assert {name.rpartition("/tier-files-")[2] for name in rows} == {"from-efa", "to-efa", "into-efa", "out-of-efa"}
    assert not any(row.retain_on_delete for row in rows.values())
    tcp = tiered(objects(), files(lustre={**LUSTRE, "efa": False}), volumes(), efa=efa)
    assert not any(name.endswith("-efa") for name in in_base(tcp, "files"))


def test_it_lies_where_the_site_rents_nodes_unless_it_is_told_otherwise() -> None:
    rented = {
        "group": "h200",
        "instance_type": "p5en.48xlarge",
        "purchase": "on-demand",
        "nodes": 2,
        "zone": "eu-north-1c",
        "ami_release": "1.35.3-20261105",
        "driver": "580.95.05",
    }
    found = tiered(objects(), files(), volumes(), at=aws_place(rented_nodes=[rented]))
    assert in_base(found)[ROW].properties["subnetIds"] == Ref("aws:ec2/subnet:Subnet/nodes-eun1-az3", "id")


def test_by_tcp_only_ports_of_lustre_are_open() -> None:
    found = rules(by_tcp())
    assert {ports for _, _, ports in found} == {("tcp", 988, 988), ("tcp", 1018, 1023)}
    assert len(found) == 10


def test_a_prefetch_links_the_bucket_one_way() -> None:
    link = only(in_base(stockholm(), "files"), "DataRepositoryAssociation").properties
    assert link["fileSystemPath"] == "/tickets"
    bucket = Ref("aws:s3/bucket:Bucket/objects-tickets", "bucket")
    assert link["dataRepositoryPath"] == Format(("s3://", bucket, "/"))
    assert link["s3"] == {"autoImportPolicy": {"events": ["NEW", "CHANGED", "DELETED"]}}
    assert link["batchImportMetaDataOnCreate"] is True


def test_the_buckets_key_opens_to_linked_file_systems_and_to_none_else() -> None:
    key = in_base(stockholm())["aws:kms/key:Key/tier-objects"].properties["policy"]
    (found,) = [each for each in key.tree["Statement"] if each["Sid"] == "LinkedFiles"]
    assert found["Action"] == ["kms:Decrypt"]
    (pattern,) = found["Condition"]["ArnLike"].values()
    assert pattern.endswith("s3.data-source.lustre.fsx.amazonaws.com/AWSServiceRoleForFSxS3Access_*")
    alone = in_base(tiered(objects(), volumes()))["aws:kms/key:Key/tier-objects"].properties["policy"]
    assert "LinkedFiles" not in [each["Sid"] for each in alone.tree["Statement"]]


def test_backups_are_made_where_aws_makes_them_and_their_lack_has_a_reason() -> None:
    backed = in_base(by_tcp())[ROW].properties
    assert (backed["automaticBackupRetentionDays"], backed["skipFinalBackup"], backed["copyTagsToBackups"]) == (
        14,
        False,
        True,
    )
    linked = in_base(stockholm())[ROW].properties
    assert (linked["automaticBackupRetentionDays"], linked["skipFinalBackup"]) == (0, True)
    assert "dailyAutomaticBackupStartTime" not in linked
    assert "links to buckets" in stockholm().decisions["files.aws.backups"].reason


CLAIMS = {
    "files-tickets": "/tickets",
    "files-work": "/work",
    "pretrain-checkpoints": "/volumes/research/pretrain-checkpoints",
}


@pytest.mark.parametrize(("claim", "folder"), CLAIMS.items())
def test_each_planned_claim_has_a_volume_of_its_own_folder(claim: str, folder: str) -> None:
    found = in_cluster(stockholm(), "files")
    (volume,) = [
        body["spec"]
        for name, body in found.items()
        if name.startswith("PersistentVolume/") and body["spec"]["claimRef"]["name"] == claim
    ]
    attributes = volume["csi"]["volumeAttributes"]
    assert attributes == {"dnsname": f"${{{ROW}#dnsName}}", "mountname": f"${{{ROW}#mountName}}{folder}"}
    assert volume["storageClassName"] == "files"
    assert volume["persistentVolumeReclaimPolicy"] == "Retain"
    assert "ReadWriteMany" in volume["accessModes"]


def test_the_run_makes_the_claim_that_its_volume_is_bound_to() -> None:
    (claim,) = [body for name, body in in_cluster(stockholm(), "pretrain").items() if "PersistentVolumeClaim" in name]
    assert claim["metadata"]["name"] in CLAIMS
    assert claim["spec"]["storageClassName"] == "files"


def test_handles_of_volumes_are_all_different() -> None:
    found = in_cluster(stockholm(), "files", "objects")
    handles = [
        body["spec"]["csi"]["volumeHandle"] for name, body in found.items() if name.startswith("PersistentVolume/")
    ]
    assert len(handles) == len(set(handles)) == 5


def test_claims_that_nobody_planned_make_no_file_system() -> None:
    made = in_cluster(stockholm(), "files")["StorageClass.storage.k8s.io/files"]
    assert made["provisioner"] == "kubernetes.io/no-provisioner"


def test_a_job_makes_the_folders_that_no_bucket_fills_before_anybody_mounts_them() -> None:
    found = in_cluster(stockholm(), "files")
    (job,) = [(name, body) for name, body in found.items() if name.startswith("Job.")]
    container = job[1]["spec"]["template"]["spec"]["containers"][0]
    assert container["args"] == ["/files/work", "/files/volumes/research/pretrain-checkpoints"]
    rows = stockholm().rows
    waiting = {
        name: job[0] in row.after
        for name, row in rows.items()
        if name.startswith("PersistentVolume/") and row.part == "files"
    }
    assert sum(waiting.values()) == 2


def test_the_script_makes_open_folders_once(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir(mode=0o700)
    wanted = [str(there), str(tmp_path / "volumes/a/b")]
    for _ in range(2):
        subprocess.run(["/bin/sh", "-c", MAKE_FOLDERS, "folders", *wanted], check=True)
    assert (tmp_path / "volumes/a/b").stat().st_mode & 0o777 == 0o777
    assert there.stat().st_mode & 0o777 == 0o700


def test_tenants_do_not_reach_the_root() -> None:
    found = in_cluster(stockholm(), "files")
    (root,) = [
        body["spec"]
        for name, body in found.items()
        if name.startswith("PersistentVolume/")
        and not body["spec"]["csi"]["volumeAttributes"]["mountname"].rpartition("}")[2]
    ]
    assert root["claimRef"]["namespace"] == "storage-folders"
    assert '"storage-folders"' in json.dumps(
        in_cluster(stockholm(), "cluster")["Namespace/storage-folders"]["metadata"]["name"]
    )


@pytest.mark.schema
def test_an_api_server_takes_every_object(schemas: Schemas) -> None:
    for found in (stockholm(), by_tcp()):
        bodies = in_cluster(found, "files", "objects", "volumes")
        assert len(bodies) > 5
        assert [problem for body in bodies.values() for problem in schemas.problems(body)] == []


def test_what_people_must_see_to_is_noted() -> None:
    stack = stockholm().stack_plan
    assert stack is not None
    notes = [note.says for note in stack.notes if note.part == "files"]
    assert any("LNet" in says for says in notes)
    other = by_tcp().stack_plan
    assert other is not None
    assert not any("LNet" in note.says for note in other.notes)
