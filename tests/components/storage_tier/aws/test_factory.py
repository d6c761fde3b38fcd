"""Pools, a run and tiers of one site at AWS together: one base that AWS would take, and a network that joins them."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

import pytest
import yaml

from support.aws_sites import aws_place
from support.aws_tiers import LUSTRE, PATH, files, in_base, in_cluster, objects, only, says, volumes
from support.planning import Planned, plan_site
from support.proving.aws_policies import check_policies
from support.proving.aws_rows import check_rows, untagged
from support.stored import QUEUE, RUN

RENTED: dict[str, Any] = {
    "group": "h200",
    "instance_type": "p5en.48xlarge",
    "purchase": "on-demand",
    "nodes": 2,
    "zone": "eu-north-1b",
    "ami_release": "1.35.3-20261105",
    "driver": "580.95.05",
}
POOL: dict[str, Any] = {
    "kind": "gpu-node-pool",
    "name": "train",
    "accelerator": "h200",
    "nodes": 2,
    "fabric": "rdma",
}


@cache
def factory() -> Planned:
    """Two nodes with EFA that read files of their zone, and save there."""
    return made()


def made(**lustre: Any) -> Planned:
    """Two nodes with EFA and a file system."""
    filled = {**PATH, "prefetch": {"bucket": "tickets"}}
    found = plan_site(
        [
            POOL,
            {**QUEUE, "tenants": [{"name": "research", "gpus": 16}]},
            {
                **RUN,
                "nodes": 2,
                "checkpoint": {"size_gib": 2048, "storage_class": "files"},
                "datasets": [{"tier": "files", "path": "tickets"}],
            },
            objects(),
            files(lustre={**LUSTRE, **lustre}, paths=[filled]),
            volumes(),
            {"kind": "storage-tier", "name": "scratch", "tier": "local-cache", "engine": "instance-store"},
        ],
        aws_place(rented_nodes=[RENTED]),
    )
    assert found.errors == [], says(found)
    return found


def test_aws_would_take_the_whole_base() -> None:
    rows = in_base(factory())
    assert check_rows(rows.values()) == []
    own = in_base(factory(), "objects", "files", "volumes")
    assert check_policies(own.values(), {}) == []
    assert untagged(rows.values(), ["aifactory:factory", "aifactory:site", "aifactory:part"]) == []


def test_files_lie_in_the_zone_of_the_nodes_and_their_efa_reaches_them() -> None:
    rows = in_base(factory(), "files")
    subnet: Any = only(rows, "LustreFileSystem").properties["subnetIds"]
    assert subnet.row == "aws:ec2/subnet:Subnet/nodes-eun1-az2"
    rule: Any = rows["aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule/tier-files-from-efa"].properties
    assert rule["referencedSecurityGroupId"].row.startswith("aws:ec2/securityGroup:SecurityGroup/")
    assert "STO-046" not in factory().rules_broken


def booted(found: Planned) -> str:
    """What nodes of the pool are told at boot."""
    template = only(in_base(found, "train"), "LaunchTemplate")
    return base64.b64decode(str(template.properties["userData"])).decode()


@pytest.mark.parametrize(
    ("lustre", "gate"),
    [({}, True), ({"efa": False}, False), ({"zone": "eu-north-1a"}, False)],
    ids=["in their zone", "without EFA", "in another zone"],
)
def test_nodes_on_efa_set_up_lnet_for_it_as_they_boot_where_a_file_system_of_their_zone_has_it(
    lustre: dict[str, Any], gate: bool
) -> None:
    """By TCP a node reads with 100 Gbps at most, and EFA doesn't leave the zone."""
    found = made(**lustre)
    config = yaml.safe_load(booted(found).partition("Content-Type: application/node.eks.aws")[2].partition("--AIF")[0])
    assert config["spec"].get("featureGates", {}) == ({"FSxLustreEFAClient": True} if gate else {})
    assert ("train.lustre_network" in found.decisions) is gate


def test_what_a_run_reads_and_saves_is_bound_before_it_starts() -> None:
    claims = {
        body["spec"]["claimRef"]["name"]
        for name, body in in_cluster(factory(), "files").items()
        if name.startswith("PersistentVolume/")
    }
    assert {"files-tickets", "pretrain-checkpoints"} <= claims


def test_each_tier_says_in_a_line_what_it_is() -> None:
    lines = {name: plan.in_short for name, plan in factory().plans.items() if hasattr(plan, "figures")}
    assert lines["objects"].startswith("object by s3, class objects: holds what is put there, reads / writes 46.14")
    assert lines["files"].startswith("parallel by fsx-lustre, class files: 14.0 TiB, reads / writes 9.60 / 9.60")
    assert lines["scratch"].startswith("local-cache by instance-store, class scratch: 41.5 TiB, reads / writes unknown")
