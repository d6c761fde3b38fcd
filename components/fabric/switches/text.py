"""What the settings of all switches say in words."""

from __future__ import annotations

from collections.abc import Iterable

from aifactory.components.fabric.model import Switch, SwitchPort


def preface(switch: Switch) -> list[str]:
    """What a reader must know before applying the settings."""
    return [
        f"{switch.name}: ports that face nodes of fabric {switch.fabric}.",
        (
            f"Must agree with the hosts: MTU {switch.host_mtu} or more; traffic class "
            f"{switch.traffic_class} is DSCP {switch.dscp}, lossless priority {switch.priority}; congestion "
            f"notifications are DSCP {switch.cnp_dscp}."
        ),
        "Apply the same to links between switches. Routes over them are not in here.",
    ]


def comment(mark: str, lines: Iterable[str]) -> str:
    """Lines of comment."""
    return "".join(f"{mark} {line}\n" for line in lines)


def facing(port: SwitchPort) -> str:
    """Whom a port faces."""
    return f"{port.node} rail {port.rail}"
