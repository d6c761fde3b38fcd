"""Cisco NX-OS on Nexus 9000: configuration commands, with the system's eight queues.

Source: Cisco Nexus 9000 NX-OS Quality of Service Configuration Guide, "Network QoS", "Queuing and
Scheduling" and
"Priority Flow Control".
"""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.fabric.model import Switch, SwitchPort
from aifactory.components.fabric.switches.text import comment, facing, preface

STRICT_GROUP = 7
"""QoS group of congestion notifications: the group of the strict queue."""

BANDWIDTH_PERCENT = 50
"""Share of the lossless queue in what the strict queue leaves; ordinary traffic has the rest."""


def content(switch: Switch) -> str:
    """NX-OS commands."""
    lines = [
        "class-map type qos match-all AIFACTORY-RDMA",
        f"  match dscp {switch.dscp}",
        "class-map type qos match-all AIFACTORY-CNP",
        f"  match dscp {switch.cnp_dscp}",
        "!",
        "policy-map type qos AIFACTORY-IN",
        "  class AIFACTORY-RDMA",
        f"    set qos-group {switch.priority}",
        "  class AIFACTORY-CNP",
        f"    set qos-group {STRICT_GROUP}",
        "!",
        "policy-map type queuing AIFACTORY-OUT",
        f"  class type queuing c-out-8q-q{STRICT_GROUP}",
        "    priority level 1",
        f"  class type queuing c-out-8q-q{switch.priority}",
        f"    bandwidth remaining percent {BANDWIDTH_PERCENT}",
        *_marking(switch),
        "  class type queuing c-out-8q-q-default",
        f"    bandwidth remaining percent {100 - BANDWIDTH_PERCENT}",
        "!",
        "policy-map type network-qos AIFACTORY-LOSSLESS",
        f"  class type network-qos c-8q-nq{switch.priority}",
        f"    pause pfc-cos {switch.priority}",
        f"    mtu {switch.mtu}",
        "  class type network-qos c-8q-nq-default",
        f"    mtu {switch.mtu}",
        "!",
        "system qos",
        "  service-policy type network-qos AIFACTORY-LOSSLESS",
        "  service-policy type queuing output AIFACTORY-OUT",
        "!",
        *(line for port in switch.ports for line in _port(port, switch)),
    ]
    return comment("!", [*preface(switch), *_unmarked(switch)]) + "\n".join(lines) + "\n"


def _marking(switch: Switch) -> Iterator[str]:
    if switch.ecn:
        yield (
            f"    random-detect minimum-threshold {switch.ecn.minimum_kbytes} kbytes maximum-threshold "
            f"{switch.ecn.maximum_kbytes} kbytes drop-probability {switch.ecn.mark_percent} weight 0 ecn"
        )


def _unmarked(switch: Switch) -> Iterator[str]:
    if not switch.ecn:
        yield (
            "No ECN thresholds are stated for this site, so nothing is marked: add `random-detect ... ecn` "
            "to the queue."
        )


def _port(port: SwitchPort, switch: Switch) -> Iterator[str]:
    yield f"interface {port.port}"
    yield f"  description {facing(port)}"
    if port.address:
        yield "  no switchport"
        yield f"  ip address {port.address}"
    yield f"  mtu {switch.mtu}"
    yield "  service-policy type qos input AIFACTORY-IN"
    yield "  priority-flow-control mode on"
    yield "  priority-flow-control watch-dog-interval on"
    yield "!"
