"""Arista EOS: configuration commands.

Source: Arista EOS user manual, "Quality of Service" and "DCBX and Flow Control"; Arista AI Network Fabric
Deployment
Guide. Names of transmit queues differ between platforms: `uc-tx-queue` is that of Trident and Tomahawk leafs.
"""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.fabric.model import Switch, SwitchPort
from aifactory.components.fabric.switches.text import comment, facing, preface

PROFILE = "AIFACTORY-ROCE"


def content(switch: Switch) -> str:
    """EOS commands."""
    lines = [
        f"qos map dscp {switch.dscp} to traffic-class {switch.priority}",
        f"qos map dscp {switch.cnp_dscp} to traffic-class {switch.cnp_priority}",
        f"qos map traffic-class {switch.priority} to tx-queue {switch.priority}",
        f"qos map traffic-class {switch.cnp_priority} to tx-queue {switch.cnp_priority}",
        "!",
        f"qos profile {PROFILE}",
        "   priority-flow-control on",
        f"   priority-flow-control priority {switch.priority} no-drop",
        "   priority-flow-control pause watchdog",
        "   !",
        f"   uc-tx-queue {switch.priority}",
        "      no priority",
        *_marking(switch),
        "   !",
        f"   uc-tx-queue {switch.cnp_priority}",
        "      priority strict",
        "!",
        *(line for port in switch.ports for line in _port(port, switch)),
    ]
    notes = [
        *preface(switch),
        ("The watchdog's times are the switch's own. Platforms that watch only queues with a guarantee also need"),
        f"`tx-queue {switch.priority}` / `bandwidth guaranteed 100` (kbit/s) on each port.",
        *_unmarked(switch),
    ]
    return comment("!", notes) + "\n".join(lines) + "\n"


def _marking(switch: Switch) -> Iterator[str]:
    if switch.ecn:
        yield (
            f"      random-detect ecn minimum-threshold {switch.ecn.minimum_kbytes} kbytes "
            f"maximum-threshold {switch.ecn.maximum_kbytes} kbytes max-mark-probability "
            f"{switch.ecn.mark_percent} weight 0"
        )


def _unmarked(switch: Switch) -> Iterator[str]:
    if not switch.ecn:
        yield (
            "No ECN thresholds are stated for this site, so nothing is marked: add `random-detect ecn` to the queue."
        )


def _port(port: SwitchPort, switch: Switch) -> Iterator[str]:
    yield f"interface {port.port}"
    yield f"   description {facing(port)}"
    if port.address:
        yield "   no switchport"
        yield f"   ip address {port.address}"
    yield f"   mtu {switch.mtu}"
    yield "   qos trust dscp"
    yield f"   service-profile {PROFILE}"
    yield "!"
