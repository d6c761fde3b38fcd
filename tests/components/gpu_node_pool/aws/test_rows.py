"""Node groups of pools at AWS: interfaces as the type has them, placed and bought as EC2 takes it, of a fixed size."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

import pytest
import yaml

from aifactory.components.names import tags
from aifactory.components.rows import CloudRow, KubernetesRow
from aifactory.components.values import Ref, refs
from support.aws_sites import P5EN, POOL, base_rows, planned, rented
from support.planning import Planned
from support.proving.aws_rows import check_rows, untagged

BLOCK = {"purchase": "capacity-block", "reservation": "cr-0123456789abcdef0", "ends": "2027-01-31T11:30Z"}
RESERVED = {"purchase": "reserved", "reservation": "cr-0123456789abcdef0"}
GPUS = {"p5": "h100", "p5e": "h200", "p5en": "h200", "p6-b200": "b200", "p6-b300": "b300"}
LAYOUTS = [("p5", 32, 0), ("p5e", 32, 0), ("p5en", 16, 0), ("p6-b200", 8, 0), ("p6-b300", 16, 1)]
TEMPLATE, GROUP, PLACEMENT = "LaunchTemplate", "NodeGroup", "PlacementGroup"


def group(family: str, **changes: Any) -> dict[str, Any]:
    """Nodes of a family's largest type, whatever the region sells."""
    return {**P5EN, "group": family, "instance_type": f"{family}.48xlarge", "pods_per_node": 50, **changes}


def offers(family: str, purchase: str = "on-demand") -> list[dict[str, Any]]:
    words = {"usd_per_hour": 100.0, "evidence": "made up for a test of ours", "seen": "2026-11-29"}
    return [{"instance_type": f"{family}.48xlarge", "purchase": purchase, **words}]


@cache
def of_family(family: str) -> Planned:
    """Two nodes of a family on EFA."""
    return rented(group(family), pools=({**POOL, "accelerator": GPUS[family]},), offers=offers(family))


@cache
def bought(purchase: str) -> Planned:
    """Two nodes bought in one way."""
    more = {"capacity-block": BLOCK, "reserved": RESERVED}.get(purchase, {})
    work = {"workload": "inference"} if purchase == "spot" else {}
    return rented(
        group("p5en", **{"purchase": purchase, **more}), pools=({**POOL, **work},), offers=offers("p5en", purchase)
    )


def one(found: Planned, token: str) -> CloudRow:
    (row,) = (row for row in base_rows(found).values() if row.token.endswith(f":{token}") and row.part == "train")
    return row


def told(found: Planned) -> dict[str, str]:
    """Parts of the user data of a pool, by type."""
    text = base64.b64decode(str(one(found, TEMPLATE).properties["userData"])).decode()
    parts = text.split("--AIFACTORY\n")[1:]
    return {
        part.partition("\n")[0].removeprefix("Content-Type: "): part.partition("\n\n")[2].replace("--AIFACTORY--\n", "")
        for part in parts
    }


@pytest.mark.parametrize("family", GPUS)
def test_aws_would_take_all_rows_of_a_pool_of_each_family(family: str) -> None:
    found = of_family(family)
    rows = list(base_rows(found).values())
    assert check_rows(rows) == []
    assert untagged([row for row in rows if row.part == "train"], tags("demo", "sto-lab", "train")) == []
    for row in rows:
        assert {ref.row for ref in refs(row.properties)} <= set(row.after)


@pytest.mark.parametrize(("family", "devices", "first"), LAYOUTS)
def test_a_node_has_one_address_and_efa_alone_on_each_card_that_has_it(family: str, devices: int, first: int) -> None:
    cards: Any = one(of_family(family), TEMPLATE).properties["networkInterfaces"]
    assert (cards[0]["networkCardIndex"], cards[0]["deviceIndex"]) == (0, 0)
    assert "interfaceType" not in cards[0]
    efa = [(card["networkCardIndex"], card["deviceIndex"]) for card in cards[1:]]
    assert efa == [(card, int(card == 0)) for card in range(first, first + devices)]
    assert {card["interfaceType"] for card in cards[1:]} == {"efa-only"}
    fabric = Ref("aws:ec2/securityGroup:SecurityGroup/fabric-efa", "id")
    assert all(fabric in card["securityGroups"] for card in cards)
    assert not any("associatePublicIpAddress" in card for card in cards), "EC2 refuses it of several interfaces"


def test_a_pool_without_a_fabric_has_one_interface_and_no_public_address() -> None:
    found = rented(pools=({**POOL, "fabric": "none", "nodes": 1},))
    cards: Any = one(found, TEMPLATE).properties["networkInterfaces"]
    assert [card["associatePublicIpAddress"] for card in cards] == ["false"]
    assert "application/node.eks.aws" in told(found)
    assert "text/x-shellscript" not in told(found)


@pytest.mark.parametrize(
    ("purchase", "capacity", "placed", "reserves"),
    [
        ("on-demand", "ON_DEMAND", True, False),
        ("spot", "SPOT", True, False),
        ("reserved", "ON_DEMAND", False, True),
        ("capacity-block", "CAPACITY_BLOCK", False, True),
    ],
)
def test_a_placement_group_and_a_reservation_exclude_each_other(
    purchase: str, capacity: str, placed: bool, reserves: bool
) -> None:
    found = bought(purchase)
    template = one(found, TEMPLATE).properties
    assert one(found, GROUP).properties["capacityType"] == capacity
    assert ("placement" in template) is placed
    assert any(row.token.endswith(f":{PLACEMENT}") for row in base_rows(found).values()) is placed
    assert ("capacityReservationSpecification" in template) is reserves
    assert ("instanceMarketOptions" in template) is (purchase == "capacity-block")
    assert check_rows(list(base_rows(found).values())) == []


def test_a_reservation_in_a_placement_group_is_used_from_it() -> None:
    found = rented({**P5EN, **RESERVED, "placement_group": "ours"})
    assert one(found, TEMPLATE).properties["placement"] == {"groupName": "ours"}
    assert not any(row.token.endswith(f":{PLACEMENT}") for row in base_rows(found).values())


def test_a_node_group_has_a_fixed_size_in_one_zone_and_starts_no_node_before_another_goes() -> None:
    properties = one(of_family("p5en"), GROUP).properties
    assert properties["scalingConfig"] == {"minSize": 2, "maxSize": 2, "desiredSize": 2}
    assert properties["nodeRepairConfig"] == {"enabled": True, "maxParallelNodesRepairedCount": 1}
    assert properties["subnetIds"] == [Ref("aws:ec2/subnet:Subnet/nodes-eun1-az2", "id")]
    assert properties["updateConfig"] == {"maxUnavailable": 1, "updateStrategy": "MINIMAL"}
    assert "instanceTypes" not in properties
    assert one(of_family("p5en"), TEMPLATE).properties["instanceType"] == "p5en.48xlarge"


def test_nodes_have_the_labels_and_taints_of_pools_elsewhere() -> None:
    found = of_family("p5en")
    properties = one(found, GROUP).properties
    assert properties["labels"] == {
        "aifactory.io/pool": "train",
        "aifactory.io/accelerator": "nvidia-h200-sxm",
        "aifactory.io/block": "eun1-az2",
        "aifactory.io/rack": "p5en",
    }
    assert properties["taints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}]


def test_disks_are_encrypted_by_the_accounts_key_and_metadata_is_one_hop_away() -> None:
    template: Any = one(of_family("p5en"), TEMPLATE).properties
    (disk,) = template["blockDeviceMappings"]
    assert (disk["ebs"]["encrypted"], disk["ebs"]["kmsKeyId"]) == ("true", Ref("aws:kms/key:Key/disks", "arn"))
    assert template["metadataOptions"]["httpTokens"] == "required"
    assert template["metadataOptions"]["httpPutResponseHopLimit"] == 1


def test_the_first_boot_makes_local_drives_one_and_lets_pods_lock_memory() -> None:
    parts = told(rented())
    config = yaml.safe_load(parts["application/node.eks.aws"])["spec"]
    assert config["instance"] == {"localStorage": {"strategy": "RAID0"}}
    kubelet = config["kubelet"]["config"]
    # Four interfaces on card 0, one of them EFA's: 3 x 49 + 2 are more than Kubernetes is tested with.
    assert kubelet["maxPods"] == 110
    assert kubelet["cpuManagerPolicy"] == "static"
    assert "reservedSystemCPUs" not in kubelet, "a kubelet with reserves of its own refuses it"
    assert kubelet["kubeReserved"] == {"cpu": "6", "memory": "21Gi"}
    limits = {each["type"]: each["hard"] for each in config["containerd"]["baseRuntimeSpec"]["process"]["rlimits"]}
    assert limits == {"RLIMIT_NOFILE": 1_048_576, "RLIMIT_MEMLOCK": 2048 * 1024**3}
    assert "vm.nr_hugepages=5128" in parts["text/x-shellscript"]


def test_pods_that_lock_by_capability_leave_the_limit_of_the_ami() -> None:
    capability = {"kind": "fabric", "name": "net", "memory_lock": "capability"}
    config = yaml.safe_load(told(rented(pools=(POOL, capability)))["application/node.eks.aws"])["spec"]
    assert "containerd" not in config


def test_efa_on_card_0_leaves_one_interface_fewer_for_pods() -> None:
    found = rented({**P5EN, "group": "p5", "instance_type": "p5.48xlarge"}, pools=({**POOL, "accelerator": "h100"},))
    assert found.decisions["train.max_pods"].value == 51


def test_the_subnet_of_the_zone_is_held_against_full_nodes_of_the_pool() -> None:
    with_pool, without = rented(), planned()
    more = {
        zone: int(with_pool.decisions[f"cluster.aws.addresses.{zone}"].value)  # type: ignore[call-overload]
        - int(without.decisions[f"cluster.aws.addresses.{zone}"].value)  # type: ignore[call-overload]
        for zone in ("eun1-az1", "eun1-az2", "eun1-az3")
    }
    # 110 pods, 5 kept ready and 3 interfaces with addresses on each of two nodes; those of EFA take none.
    assert more == {"eun1-az1": 0, "eun1-az2": 2 * (110 + 5 + 3), "eun1-az3": 0}


def test_the_node_group_waits_for_the_system_nodes_and_so_for_everything_that_they_do() -> None:
    assert "aws:eks/nodeGroup:NodeGroup/system" in one(rented(), GROUP).after


def test_a_pool_of_the_sovereign_cloud_names_no_other_partition() -> None:
    location = {"country": "DE", "operator": {"name": "AWS ESC", "nationality": "US"}, "support": ["DE"]}
    flex = {**POOL, "name": "burst", "accelerator": "l40s", "fabric": "none", "workload": "inference", "flex": {}}
    spare = {name: value for name, value in P5EN.items() if name != "zone"} | {
        "group": "g6e",
        "instance_type": "g6e.12xlarge",
    }
    sold = [*offers("p5en"), {**offers("p5en")[0], "instance_type": "g6e.12xlarge"}]
    found = rented(
        {**P5EN, "zone": "eusc-de-east-1a"},
        spare,
        pools=(POOL, flex),
        offers=sold,
        location=location,
        region="eusc-de-east-1",
        zones=[{"zone": f"eusc-de-east-1{letter}", "id": f"eusc1-az{index}"} for index, letter in enumerate("ab", 1)],
        admins=["arn:aws-eusc:iam::111122223333:role/platform"],
        registry_account="444455556666",
    )
    assert check_rows(list(base_rows(found).values())) == []
    platform = str([row.body for row in found.stack.rows if isinstance(row, KubernetesRow)])
    assert "arn:aws-eusc:kms:eusc-de-east-1" in platform
    assert "arn:aws:" not in platform
