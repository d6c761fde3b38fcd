"""NVIDIA Cumulus Linux: YAML for `nv config patch`.

Source: Cumulus Linux user guide, "RDMA over Converged Ethernet - RoCE" and "Quality of Service"; the forms
`roce state`
and `pfc-watchdog state` are those of the NVUE command reference.
"""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.fabric.model import Switch, SwitchPort
from aifactory.components.fabric.switches.text import comment, facing, preface

ROCE_CLASS = 3
"""Traffic class and switch priority of the RoCE profile."""


def content(switch: Switch) -> str:
    """NVUE settings."""
    lines = [
        "- set:",
        "    qos:",
        "      roce:",
        "        state: enabled",
        "        mode: lossless",
        *_mapping(switch),
        *_priority(switch),
        "    interface:",
        *(line for port in switch.ports for line in _port(port, switch)),
    ]
    notes = [
        *preface(switch),
        (
            "The RoCE profile sets PFC, the ECN thresholds of this ASIC, and a strict queue for priority "
            f"{switch.cnp_priority}."
        ),
        "Releases before `roce state` write `enable: on` instead of `state: enabled`.",
    ]
    return comment("#", notes) + "\n".join(lines) + "\n"


def _mapping(switch: Switch) -> Iterator[str]:
    yield from (
        "      mapping:",
        "        default-global:",
        "          trust: l3",
        "          dscp:",
        f"            '{switch.dscp}':",
        f"              switch-priority: {switch.priority}",
        f"            '{switch.cnp_dscp}':",
        f"              switch-priority: {switch.cnp_priority}",
    )


def _priority(switch: Switch) -> Iterator[str]:
    """Moves the lossless class from the priority of the profile to that of the site."""
    if switch.priority == ROCE_CLASS:
        return
    yield from (
        "      pfc:",
        "        default-global:",
        "          switch-priority:",
        f"            '{switch.priority}': {{}}",
        "      egress-queue-mapping:",
        "        default-global:",
        "          switch-priority:",
        f"            '{switch.priority}':",
        f"              traffic-class: {ROCE_CLASS}",
        f"            '{ROCE_CLASS}':",
        "              traffic-class: 0",
    )


def _port(port: SwitchPort, switch: Switch) -> Iterator[str]:
    yield from (
        f"      {port.port}:",
        "        type: swp",
        f"        description: {facing(port)}",
    )
    if port.address:
        yield from ("        ip:", "          address:", f"            {port.address}: {{}}")
    yield from (
        "        link:",
        f"          mtu: {switch.mtu}",
        "        qos:",
        "          pfc-watchdog:",
        "            state: enable",
    )
