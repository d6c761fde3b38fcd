"""What RoCE demands of NICs and switches together: markings, priorities, MTU."""

from __future__ import annotations

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.fabric.ground import CNP_PRIORITY, Ground
from aifactory.components.fabric.model import RoceTuning, SwitchSystem
from aifactory.components.given_network import RoceGiven

SWITCH_MTU: dict[SwitchSystem, int] = {"cumulus": 9216, "sonic": 9216, "eos": 9214, "nxos": 9216}
"""Largest MTU of a port. Source: the command references of the four systems."""

MTU_FOR_4096 = 4200
"""Smallest interface MTU that carries RDMA messages of 4096 bytes with their headers.
Source: NVIDIA MLNX_OFED documentation, RoCE: MTU."""

_CONTROL = "network control traffic of the switch"
_NOTICES = "congestion notifications"
_ORDINARY = "ordinary traffic"
TAKEN: dict[SwitchSystem, dict[int, str]] = {
    "cumulus": {0: _ORDINARY, CNP_PRIORITY: _NOTICES, 7: _CONTROL},
    "sonic": {
        0: _ORDINARY,
        **dict.fromkeys((1, 2, 5), "no lossless buffers in the shipped QoS template"),
        CNP_PRIORITY: _NOTICES,
        7: _CONTROL,
    },
    "eos": {0: "the second queue of ordinary traffic", 1: _ORDINARY, CNP_PRIORITY: _NOTICES, 7: _CONTROL},
    "nxos": {
        0: _ORDINARY,
        CNP_PRIORITY: _NOTICES,
        7: "the strict queue, which carries congestion notifications",
    },
}
"""Priorities that a lossless class can't have, and what has them. Source: Arista EOS QoS manual (DSCP 0 to 7
are
traffic class 1); SONiC files/build_templates/qos_config.j2 (3 and 4 are lossless)."""


def dscp_of(roce: RoceGiven) -> int:
    """DSCP of RDMA traffic: the upper six bits of the traffic class."""
    return roce.traffic_class >> 2


def tuning(roce: RoceGiven) -> RoceTuning:
    """What NICs are told."""
    pfc = ",".join("1" if priority == roce.priority else "0" for priority in range(8))
    return RoceTuning(pfc, roce.traffic_class, roce.cnp_dscp)


def switch_mtu(roce: RoceGiven) -> int:
    """MTU of ports that face nodes: the largest that the switch has."""
    return SWITCH_MTU[roce.switches.system]


def check(ground: Ground, ctx: PlanContext) -> None:
    """The rules of a RoCE fabric that need no nodes, and its decisions."""
    roce = ground.roce
    if roce is None:
        return
    ctx.check(
        "FAB-018",
        not roce.spectrum_x,
        f"{ctx.place.site} runs Spectrum-X, whose NICs need a profile of the reference architecture",
        ("network", "roce", "spectrum_x"),
        "set network.roce.spectrum_x to false and the switches to plain RoCE, or leave the pools' fabric to "
        "another tool",
        document="site",
    )
    _check_markings(roce, ctx)
    _check_gid(ground, roce, ctx)
    _check_mtu(roce, ctx)
    _check_thresholds(roce, ctx)
    _decide(roce, ctx)


def _check_markings(roce: RoceGiven, ctx: PlanContext) -> None:
    system, dscp = roce.switches.system, dscp_of(roce)
    taken = TAKEN[system]
    free = [priority for priority in range(8) if priority not in taken]
    ctx.check(
        "FAB-009",
        roce.priority not in taken,
        lambda: f"priority {roce.priority} has {taken[roce.priority]} on {system}, so it can't be lossless",
        ("network", "roce", "priority"),
        f"set network.roce.priority to {' or '.join(map(str, free))}, on the switches too",
        document="site",
    )
    ctx.check(
        "FAB-009",
        roce.cnp_dscp != dscp,
        f"congestion notifications have DSCP {dscp}, and so has RDMA (traffic class {roce.traffic_class})",
        ("network", "roce", "cnp_dscp"),
        "set network.roce.cnp_dscp to a value of its own; NVIDIA NICs ship with 48",
        document="site",
    )


def _check_gid(ground: Ground, roce: RoceGiven, ctx: PlanContext) -> None:
    """NICs list each address twice, as RoCEv1 and then as RoCEv2; the first address is link-local."""
    what = "RoCEv1" if roce.gid_index % 2 == 0 else "link-local"
    ctx.check(
        "FAB-026",
        not ground.mode.stable_gids or (roce.gid_index % 2 == 1 and (roce.gid_index > 1 or not roce.routed)),
        f"GID {roce.gid_index} is {what}, which no leaf routes",
        ("network", "roce", "gid_index"),
        "set network.roce.gid_index to 3: RoCEv2 over IPv4",
        "site",
    )


def _check_mtu(roce: RoceGiven, ctx: PlanContext) -> None:
    most = switch_mtu(roce)
    ctx.check(
        "FAB-010",
        roce.mtu <= most,
        f"MTU {roce.mtu} of the hosts is above {most}, the most that {roce.switches.system} carries",
        ("network", "roce", "mtu"),
        f"set network.roce.mtu to {min(most, 9000)}",
        document="site",
    )
    ctx.check(
        "FAB-011",
        roce.mtu >= MTU_FOR_4096,
        f"MTU {roce.mtu} carries RDMA messages of {_path_mtu(roce.mtu)} bytes at most",
        ("network", "roce", "mtu"),
        f"set network.roce.mtu to {MTU_FOR_4096} or more; 9000 is usual",
        document="site",
    )


def _path_mtu(mtu: int) -> int:
    headers = MTU_FOR_4096 - 4096
    return next(size for size in (4096, 2048, 1024, 512) if size == 512 or size + headers <= mtu)


def _check_thresholds(roce: RoceGiven, ctx: PlanContext) -> None:
    system, stated = roce.switches.system, roce.switches.ecn is not None
    needed = system in ("eos", "nxos")
    says = (
        f"{system} marks no packet until it is told at which queue length"
        if needed
        else f"{system} has thresholds in its RoCE profile; the ones stated are not written to it"
    )
    hint = (
        "state network.roce.switches.ecn from the vendor's guide for this ASIC and port speed"
        if needed
        else "drop network.roce.switches.ecn, or set them on the switch by hand"
    )
    ctx.check(
        "FAB-014",
        stated == needed,
        says,
        ("network", "roce", "switches", *(() if needed else ("ecn",))),
        hint,
        document="site",
    )


def _decide(roce: RoceGiven, ctx: PlanContext) -> None:
    dscp, at = dscp_of(roce), ("network", "roce")
    ctx.decide(
        "dscp",
        dscp,
        f"the upper six bits of traffic class {roce.traffic_class}; its lower two are "
        f"{roce.traffic_class & 0b11}, which lets switches mark it",
        source=(*at, "traffic_class"),
        document="site",
    )
    ctx.decide(
        "priority",
        roce.priority,
        f"PFC protects it alone: NICs get {tuning(roce).pfc}, and leafs map DSCP {dscp} to it",
        rejected=[Rejected(priority, why) for priority, why in TAKEN[roce.switches.system].items()],
        source=(*at, "priority"),
        document="site",
    )
    ctx.decide(
        "cnp_dscp",
        roce.cnp_dscp,
        f"in a strict queue of priority {CNP_PRIORITY}, so that a notification is not behind what it is "
        "about; written to the NICs, which the operator's RoCE profile would give DSCP 4",
        rejected=[Rejected(4, "the profile's own value, which the site's switches don't expect")],
        source=(*at, "cnp_dscp"),
        document="site",
    )
    ctx.decide(
        "switch_mtu",
        switch_mtu(roce),
        f"the most that {roce.switches.system} has: frames of the hosts ({roce.mtu} bytes) fit with all their headers",
        source=(*at, "switches", "system"),
        document="site",
    )
