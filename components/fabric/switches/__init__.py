"""Settings of leaf switches, in the form that each operating system reads.

They cover the ports that face nodes: MTU, trust, mapping to the lossless priority, PFC and its watchdog,
ECN, and the
strict queue of congestion notifications. Links to spines and the routes over them are the site's.
"""

from __future__ import annotations

from collections.abc import Callable

from aifactory.components.fabric.model import Switch, SwitchSystem
from aifactory.components.fabric.switches import cumulus, eos, nxos, sonic

_WRITERS: dict[SwitchSystem, Callable[[Switch], str]] = {
    "cumulus": cumulus.content,
    "sonic": sonic.content,
    "eos": eos.content,
    "nxos": nxos.content,
}


def content(switch: Switch) -> str:
    """The settings of one switch, as text that its operating system reads."""
    return _WRITERS[switch.system](switch)
