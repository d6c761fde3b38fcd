"""Settings of leaf switches, in the form of each operating system."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from support.fabrics import Fabrics, group, place, plan_fabrics, roce

ECN = {"minimum_kbytes": 256, "maximum_kbytes": 512, "mark_percent": 90}
THRESHOLDS = {"eos": ECN, "nxos": ECN}
SYSTEMS = ("cumulus", "sonic", "eos", "nxos")


def fabric(system: str, nodes: int = 4, **changes: Any) -> Fabrics:
    """A RoCE fabric with the switches of one vendor."""
    switches = {"system": system, "ecn": THRESHOLDS.get(system)}
    return plan_fabrics(at=place(network=roce(switches=switches, **changes), nodes=[group(nodes=nodes)]))


def text(system: str, **changes: Any) -> str:
    """Settings of the leaf of rail 3."""
    return fabric(system, **changes).switches["leaf-b1-3"].content


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_leaf_of_the_blocks_in_use_gets_its_settings(system: str) -> None:
    found = fabric(system)
    assert list(found.switches) == [f"leaf-b1-{rail}" for rail in range(8)]
    assert found.broken == []
    assert all(row.system == system and "NCCL_IB_TC 106" in row.why for row in found.switches.values())


def test_ports_face_nodes_in_order_of_rails_and_then_of_nodes() -> None:
    leafs = [
        {
            "switch": "leaf",
            "block": "b1",
            "rails": [4, 5, 6, 7, 0, 1, 2, 3],
            "ports": [f"swp{n}" for n in range(1, 30)],
        }
    ]
    (switch,) = plan_fabrics(at=place(network=roce(switches={"leafs": leafs}), nodes=[group(nodes=2)])).plan.switches
    assert [(port.port, port.node, port.rail) for port in switch.ports][:3] == [
        ("swp1", "hgx-h200-001", 4),
        ("swp2", "hgx-h200-002", 4),
        ("swp3", "hgx-h200-001", 5),
    ]
    assert len(switch.ports) == 16


def test_the_gateway_of_a_node_is_on_its_port() -> None:
    found = fabric("cumulus")
    pool = found.objects("CIDRPool")["fabric-rail-3"]["spec"]
    gateways = {entry["nodeName"]: entry["gateway"] for entry in pool["staticAllocations"]}
    (switch,) = [switch for switch in found.plan.switches if switch.name == "leaf-b1-3"]
    assert {port.node: port.address for port in switch.ports} == {
        node: f"{gateway}/{pool['perNodeNetworkPrefix']}" for node, gateway in gateways.items()
    }


@pytest.mark.parametrize("priority", [1, 2, 3, 4, 5])
def test_cumulus_reads_one_yaml_list_that_protects_the_priority(priority: int) -> None:
    (patch,) = yaml.safe_load(text("cumulus", priority=priority))
    qos = patch["set"]["qos"]
    assert qos["roce"] == {"state": "enabled", "mode": "lossless"}
    assert qos["mapping"]["default-global"]["dscp"] == {
        "26": {"switch-priority": priority},
        "48": {"switch-priority": 6},
    }
    moved = {
        "pfc": {"default-global": {"switch-priority": {str(priority): {}}}},
        "egress-queue-mapping": {
            "default-global": {"switch-priority": {str(priority): {"traffic-class": 3}, "3": {"traffic-class": 0}}}
        },
    }
    assert {name: qos[name] for name in moved if name in qos} == ({} if priority == 3 else moved)


def test_cumulus_ports_carry_the_largest_frames_and_watch_pauses() -> None:
    (patch,) = yaml.safe_load(text("cumulus"))
    assert patch["set"]["interface"]["swp2"] == {
        "type": "swp",
        "description": "hgx-h200-002 rail 3",
        "ip": {"address": {"172.22.0.17/28": {}}},
        "link": {"mtu": 9216},
        "qos": {"pfc-watchdog": {"state": "enable"}},
    }


def test_flat_rails_give_ports_no_address() -> None:
    (patch,) = yaml.safe_load(text("cumulus", routed=False))
    assert "ip" not in patch["set"]["interface"]["swp2"]
    assert "INTERFACE" not in json.loads(text("sonic", routed=False))
    assert "ip address" not in text("eos", routed=False)
    assert "ip address" not in text("nxos", routed=False)


@pytest.mark.parametrize("priority", [3, 4])
def test_sonic_reads_tables_that_agree_with_each_other(priority: int) -> None:
    tables = json.loads(text("sonic", priority=priority))
    lossless = str(priority)
    classes = tables["DSCP_TO_TC_MAP"]["AIFACTORY"]
    assert {dscp: tc for dscp, tc in classes.items() if tc != "0"} == {"26": lossless, "48": "6"}
    assert len(classes) == 64
    for port in ("swp1", "swp4"):
        assert tables["PORT"][port] == {"mtu": "9216"}
        maps = tables["PORT_QOS_MAP"][port]
        assert (maps["pfc_enable"], maps["pfcwd_sw_enable"]) == (lossless, lossless)
        assert tables["QUEUE"][f"{port}|{lossless}"]["wred_profile"] == "AZURE_LOSSLESS"
        assert tables["SCHEDULER"][tables["QUEUE"][f"{port}|6"]["scheduler"]] == {"type": "STRICT"}
        assert tables["PFC_WD"][port]["action"] == "drop"
    assert tables["INTERFACE"]["swp1|172.22.0.1/28"] == {}


def test_eos_marks_between_the_stated_thresholds() -> None:
    lines = text("eos").splitlines()
    for line in (
        "qos map dscp 26 to traffic-class 3",
        "qos map dscp 48 to traffic-class 6",
        "   priority-flow-control priority 3 no-drop",
        "   priority-flow-control pause watchdog",
        (
            "      random-detect ecn minimum-threshold 256 kbytes maximum-threshold 512 kbytes "
            "max-mark-probability 90 weight 0"
        ),
        "      priority strict",
        "interface swp1",
        "   mtu 9214",
        "   qos trust dscp",
        "   service-profile AIFACTORY-ROCE",
        "   ip address 172.22.0.1/28",
    ):
        assert line in lines


def test_nxos_pauses_the_class_that_rdma_is_put_in() -> None:
    lines = text("nxos", priority=4).splitlines()
    for line in (
        "  match dscp 26",
        "    set qos-group 4",
        "  class type queuing c-out-8q-q4",
        (
            "    random-detect minimum-threshold 256 kbytes maximum-threshold 512 kbytes drop-probability "
            "90 weight 0 ecn"
        ),
        "  class type network-qos c-8q-nq4",
        "    pause pfc-cos 4",
        "  mtu 9216",
        "  priority-flow-control mode on",
        "  ip address 172.22.0.1/28",
    ):
        assert line in lines


@pytest.mark.parametrize("system", ["eos", "nxos"])
def test_missing_thresholds_are_said_where_they_are_missing(system: str) -> None:
    network = roce(switches={"system": system})
    found = plan_fabrics(at=place(network=network, nodes=[group(nodes=4)]))
    assert found.broken == ["FAB-014"]
    content = found.switches["leaf-b1-0"].content
    assert "nothing is marked" in content
    assert not [line for line in content.splitlines() if "random-detect" in line and not line.startswith("!")]


@pytest.mark.parametrize("system", ["cumulus", "eos", "nxos"])
def test_the_settings_begin_with_what_must_agree(system: str) -> None:
    head = text(system).splitlines()[1]
    assert "MTU 9000" in head
    assert "traffic class 106 is DSCP 26, lossless priority 3" in head
